"""DataFusion's errors as ours: one sentence, the culprit's place in the user's own text, a hint."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable

from deltasql.engine.failures import arrived
from deltasql.errors import (
    CastError,
    ColumnNotFound,
    DatabaseError,
    DataError,
    Error,
    InternalError,
    NotSupportedError,
    OperationalError,
    ParseError,
    PlanError,
    Span,
    StorageError,
    TableNotFound,
    UnsupportedTableFeature,
)
from deltasql.names import did_you_mean, text
from deltasql.sql.correlation import MANY_ROWS
from deltasql.sql.dialect import tokenize
from deltasql.sql.mention import mentioned
from deltasql.sql.rewrite import Rewritten

_FEW = 8
_OWN = "__deltasql"  # How columns that we add to a query of our own begin; nobody can name them.
_CLAUSES = ("FROM", "WHERE", "GROUP BY", "ORDER BY", "HAVING", "LIMIT", "UNION ALL", "JOIN", "LEFT JOIN")
_OURS = {kind.__name__: kind for kind in (CastError, InternalError, StorageError, UnsupportedTableFeature)}
Made = Callable[[re.Match[str], str], Error]


def translate(error: BaseException, query: Rewritten | None) -> Error:
    """The error of ours that says what ``error`` does; errors of ours pass through, wherever they lie below."""
    ours: BaseException | None = error
    while ours is not None:
        if isinstance(ours, Error):
            return ours
        ours = ours.__cause__
    if (waiting := arrived(str(error))) is not None:
        return waiting
    message = _clean(str(error))
    made = _make(message)
    if query is not None:
        made.statement = query.spliced.original
        made.span = _place(message, query) or mentioned(made.message, query.spliced.original)
        if isinstance(made, ColumnNotFound) and made.span is not None:
            made.hint = _text_perhaps(made.span.of(query.spliced.original), made.hint)
    return made


def _make(message: str) -> Error:
    ours = re.search(rf"\b({'|'.join(_OURS)}): (.*)", message, re.DOTALL)
    if ours is not None:  # An error of ours that came through a stream, of which Arrow keeps the text.
        return _OURS[ours[1]](ours[2].strip())
    for pattern, make in _TABLE:
        found = re.search(pattern, message, re.DOTALL)
        if found is not None:
            return make(found, message)
    return DatabaseError(_sentence(message))


def _clean(message: str) -> str:
    """The message without DataFusion's layers (``Optimizer rule … failed caused by …``) and backtraces."""
    message = message.split("\n\nbacktrace:", maxsplit=1)[0]
    message = re.split(r"\ncaused by\n", message)[-1]
    message = re.sub(r"\n +\d+: <unknown>.*", "", message, flags=re.DOTALL)
    return message.strip()


def _sentence(message: str) -> str:
    """One line, without the prefixes that name DataFusion's error types."""
    line = " ".join(message.split())
    prefixes = r"(?:DataFusion error|Error during planning|Execution error|Schema error|SQL error|Arrow error|"
    prefixes += r"External error|Internal error|Invalid argument error|This feature is not implemented|"
    prefixes += r"ArrowInvalid|OSError|C Data interface error|Parquet error): "
    while (found := re.match(prefixes, line)) is not None:
        line = line[found.end() :]
    return line[:1].lower() + line[1:] if line[1:2].islower() else line


def _parse_error(found: re.Match[str], _: str) -> Error:
    said = re.sub(r" at Line: \d+, Column: \d+", "", found[1])
    if (parts := re.fullmatch(r"Expected: (.*), found: (.*)", said, re.DOTALL)) is None:
        return ParseError(said[:1].lower() + said[1:])
    what = f"`{parts[2]}`" if parts[2] != "EOF" else "the end of the statement"
    wanted = parts[1].replace("end of statement", "the end of the statement")
    return ParseError(f"expected {wanted}, found {what}", hint=did_you_mean(parts[2], _CLAUSES))


def _no_column(found: re.Match[str], message: str) -> Error:
    wanted = found[1].strip('"').rsplit(".", maxsplit=1)[-1].strip('"')
    listed = re.search(r"Valid fields are (.*?)\.?$", message, re.DOTALL)
    fields = re.findall(r'(?:"[^"]*"|[^,\s])+', listed[1]) if listed else []
    names = dict.fromkeys(field.split(".")[-1].strip('"') for field in fields)
    near = [name for name in names if name != wanted and not name.startswith(_OWN)]
    return ColumnNotFound(f"there is no column `{wanted}`", hint=did_you_mean(wanted, near) or _listed(near))


def _text_perhaps(written: str, hint: str | None) -> str | None:
    """``hint``, unless what was ``written`` is in the quotes that other engines have for text, and no name is near."""
    if not written.startswith('"') or (hint or "").startswith("did you mean"):
        return hint
    return f"double quotes are for names, single ones for text: {text(written[1:-1])}"


def _not_grouped(found: re.Match[str], _: str) -> Error:
    name = found[1].rsplit(".", maxsplit=1)[-1]
    return PlanError(f"`{name}` is neither in GROUP BY nor in an aggregate function")


def _listed(names: Iterable[str]) -> str | None:
    some = [f"`{name}`" for name in itertools.islice(names, _FEW + 1)]
    if len(some) == 1:
        return f"the only column is {some[0]}"
    more = ", …" if len(some) > _FEW else ""
    return f"the columns are {', '.join(some[:_FEW])}{more}" if some else None


def _no_table(found: re.Match[str], _: str) -> Error:
    return TableNotFound(f"there is no table `{found[1].rsplit('.', maxsplit=1)[-1]}`")


def _no_function(found: re.Match[str], message: str) -> Error:
    near = re.search(r"Did you mean '([^']+)'", message)
    return PlanError(f"there is no function `{found[1]}`", hint=f"did you mean `{near[1]}`?" if near else None)


def _unsupported_feature(found: re.Match[str], _: str) -> Error:
    return UnsupportedTableFeature(f"the table needs `{found[1]}`, which delta-rs can't read")


_SUBQUERIES = {
    "ScalarSubquery": (
        "a scalar subquery takes columns from around it by equations of its WHERE alone, without ORDER BY and LIMIT",
        "join with it",
    ),
    "InSubquery": ("IN with a query can't stand here", "put it into WHERE, or join with the query"),
    "Exists": ("EXISTS can't stand here", "put it into WHERE, or join with the query"),
}


def _subquery(found: re.Match[str], _: str) -> Error:
    message, hint = _SUBQUERIES[found[1]]
    return NotSupportedError(message, hint=hint)


def _joined_by_subquery(*_: object) -> Error:
    message = "a scalar subquery that takes columns from around it can't stand in the condition of a join"
    return NotSupportedError(message, hint="join with a query that has its values")


_TYPES = {"Utf8": "STRING", "Utf8View": "STRING", "Int64": "BIGINT", "Int32": "INT", "Float64": "DOUBLE"}


def _no_condition(found: re.Match[str], _: str) -> Error:
    return PlanError(f"a condition is a BOOLEAN, and this one is {_TYPES.get(found[1], found[1])}")


def _same_name(found: re.Match[str], _: str) -> Error:
    what = "subqueries" if "<subquery>" in found[1] else f"called `{found[1].rsplit('.', maxsplit=1)[-1]}`"
    return PlanError(f"two columns of the result are {what}", hint="give one another name with AS")


def _as(kind: type[Error], *, hint: str | None = None) -> Made:
    def make(_: re.Match[str], message: str) -> Error:
        return kind(_sentence(message), hint=hint)

    return make


_TABLE: tuple[tuple[str, Made], ...] = (
    (r"Unsupported table features required: \[(.*?)\]", _unsupported_feature),
    (r'ParserError\("(.*)"\)', _parse_error),
    (r'TokenizerError\("(.*)"\)', _parse_error),
    (r"RecursionLimitExceeded", lambda *_: ParseError("the statement is nested too deeply")),
    (r"No field named ((?:\"[^\"]*\"|[^\s,])+?)\.?(?:\s|$)", _no_column),
    (r'column "([^"]+)" must appear in the GROUP BY clause', _not_grouped),
    (r"table '([^']+)' not found", _no_table),
    (r"Invalid function '([^']+)'", _no_function),
    (rf"not support logical expression ({'|'.join(_SUBQUERIES)})", _subquery),
    (r"[Cc]orrelated scalar subquery can only be used in", _joined_by_subquery),
    (r'unique expression names but the expression "(.*?)" at position', _same_name),
    (r"non-boolean predicate .* returning (\w+)", _no_condition),
    (r"Divide by zero", lambda *_: DataError("division by zero")),
    (MANY_ROWS, lambda *_: DataError(MANY_ROWS, hint="aggregate it, or let it find one row for each row that asks")),
    (r"Cast error|Can't cast|Cannot cast|Parser error", _as(CastError)),
    (r"[Oo]verflow", _as(DataError)),
    (r"Resources exhausted", _as(OperationalError, hint="raise `deltasql.memory_limit`, or select less")),
    (r"(?:DDL|DML|Statement) not supported: (\w+)", _as(NotSupportedError)),
    (r"feature is not implemented|Physical plan does not support", _as(NotSupportedError)),
    (r"Placeholder '(\$\w+)' was not provided", lambda found, _: PlanError(f"no value for the parameter `{found[1]}`")),
    (r"Object [Ss]tore|ObjectStore|Generic LocalFileSystem|No such file|Parquet error|Kernel error", _as(StorageError)),
    (r"Error during planning|Schema error|Ambiguous|Error setting config", _as(PlanError)),
    (r"Arrow error|Execution error", _as(DataError)),
    (r"Internal error|panicked", _as(InternalError)),
)


def _place(message: str, query: Rewritten) -> Span | None:
    """The place that the message names by line and column, in the original text."""
    if "found: EOF" in message:
        end = len(query.spliced.original.rstrip())
        return Span(end, end)
    found = re.search(r"at Line: (\d+), Column: (\d+)", message)
    if found is None:
        return None
    lines = query.text.split("\n")
    line, column = int(found[1]), int(found[2])
    if not 1 <= line <= len(lines):
        return None
    start = sum(len(before) + 1 for before in lines[: line - 1]) + column - 1
    span = query.spliced.original_span(Span(start, start + 1))
    tokens = tokenize(query.spliced.original)
    return next((token.span for token in tokens if token.span.start == span.start), span)
