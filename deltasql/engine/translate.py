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
from deltasql.sql.mention import column_place, mentioned
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
        made.statement = original = query.spliced.original
        made.span = _place(message, query) or _column_place(message, original) or mentioned(made.message, original)
        if isinstance(made, ColumnNotFound) and made.span is not None:
            made.hint = _text_perhaps(made.span.of(original), made.hint)
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
    elsewhere = next(
        (f"did you mean `{field}`?" for field in fields if field.split(".")[-1].strip('"') == wanted), None
    )
    if elsewhere is not None and "." in found[1]:
        return ColumnNotFound(f"there is no column `{wanted}` in `{found[1].split('.')[-2]}`", hint=elsewhere)
    near = [name for name in names if name != wanted and not name.startswith(_OWN)]
    return ColumnNotFound(f"there is no column `{wanted}`", hint=did_you_mean(wanted, near) or _listed(near))


def _text_perhaps(written: str, hint: str | None) -> str | None:
    """``hint``, unless what was ``written`` is in the quotes that other engines have for text, and no name is near."""
    if not written.startswith('"') or (hint or "").startswith("did you mean"):
        return hint
    return f"double quotes are for names, single ones for text: {text(written[1:-1])}"


def _not_grouped(found: re.Match[str], _: str) -> Error:
    name = found[1].rsplit(".", maxsplit=1)[-1]
    if name.startswith(_OWN):
        return PlanError("an aggregate function can't stand here", hint="use a query: `(SELECT max(a) FROM t)`")
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


_TYPES = {"Utf8": "STRING", "Utf8View": "STRING", "Float64": "DOUBLE", "Float32": "FLOAT", "Boolean": "BOOLEAN"}
_TYPES |= {"Int64": "BIGINT", "Int32": "INT", "Int16": "SMALLINT", "Int8": "TINYINT", "Timestamp": "TIMESTAMP"}
_TYPES |= {"Date32": "DATE", "Binary": "BINARY", "BinaryView": "BINARY"}


def _no_condition(found: re.Match[str], _: str) -> Error:
    return PlanError(f"a condition is a BOOLEAN, and this one is {_TYPES.get(found[1], found[1])}")


def _same_name(found: re.Match[str], _: str) -> Error:
    what = "subqueries" if "<subquery>" in found[1] else f"called `{_shown_name(found[1])}`"
    return PlanError(f"two columns of the result are {what}", hint="give one another name with AS")


def _shown_name(expression: str) -> str:
    """The name under which DataFusion shows an expression: the alias, else a column through its casts, else itself."""
    if (alias := re.search(r" AS ([^()]+(?:\(\*\))?)$", expression)) is not None:
        return alias[1]
    while (cast := re.fullmatch(r"CAST\((.*) AS .*\)", expression)) is not None:
        expression = cast[1]
    return expression.rsplit(".", maxsplit=1)[-1] if re.fullmatch(r"[\w.]+", expression) else expression


def _several(found: re.Match[str], _: str) -> Error:
    name = found[1].strip('"')
    return PlanError(
        f"`{name}` is ambiguous: more than one table has such a column",
        hint=f"write the table or its alias before it: `t.{name}`",
    )


def _no_value(found: re.Match[str], _: str) -> Error:
    """Of a text that isn't of the type that it is cast to, or compared with."""
    type = found[2] if found.re.groups > 1 else "Timestamp"
    return CastError(f"`{text(found[1])}` is no {_TYPES.get(type, type)}")


def _not_reached(found: re.Match[str], _: str) -> Error:
    what = f"`{text(found[1])}`" if found.re.groups else "a time"
    hint = f"write `TIMESTAMP {text(found[1])}`" if found.re.groups else "cast what meets it to TIMESTAMP(6)"
    return CastError(f"{what} is counted in nanoseconds here, which reach from 1677 to 2262", hint=hint)


def _past_type(found: re.Match[str], _: str) -> Error:
    return CastError(f"`{found[1]}` doesn't fit the type {_TYPES.get(found[2], found[2])}")


def _several_types(found: re.Match[str], _: str) -> Error:
    types = " and ".join(_TYPES.get(each, each) for each in found.groups()[2:])
    row, column = (int(place) + 1 for place in found.groups()[:2])
    message = f"row {row} of VALUES has another type than those before it: column {column} has {types}"
    return PlanError(message, hint="write all values of a column alike")


def _uneven(found: re.Match[str], _: str) -> Error:
    count, row, wanted = int(found[1]), int(found[2]) + 1, found[3]
    return PlanError(f"row {row} of VALUES has {count} value{'s' if count != 1 else ''}, and the first has {wanted}")


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
    (MANY_ROWS, lambda *_: DataError(MANY_ROWS, hint="aggregate it, or let it find one row for each row that asks")),
    (r"Ambiguous reference to unqualified field (\S+)", _several),
    (r"qualified field name (\S+) and unqualified field name \S+ which would be ambiguous", _same_name),
    (r"data type across values list at row (\d+) column (\d+)\. Was (\w+).* but found (\w+)", _several_types),
    (r"got (\d+) values in row (\d+) but expected (\d+)", _uneven),
    (r"Cannot cast string '(.*)' to value of (\w+) type", _no_value),
    (r"Can't cast value (\S+) to type (\w+)", _past_type),
    (r"Error parsing timestamp from '(.*)':", _no_value),
    (r"Overflow converting (\S+(?: \S+)?) to Nanosecond", _not_reached),
    (r"dates that can be represented as nanoseconds|to Timestamp\(ns\): converted value exceeds", _not_reached),
    (r"Field (\S+) not found in struct", lambda found, _: ColumnNotFound(f"there is no field `{found[1]}`")),
    (r"Divide by zero", lambda *_: DataError("division by zero")),
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


def _column_place(message: str, original: str) -> Span | None:
    """The place of a column that the message names with its table, or that stands without one."""
    if (alone := re.search(r"Ambiguous reference to unqualified field (\S+)", message)) is not None:
        return column_place(alone[1].strip('"'), None, original)
    if (found := re.search(r'No field named "?(\w+)"?\."?(\w+)"?\.?(?:\s|$)', message)) is not None:
        return column_place(found[2], found[1], original)
    return None


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
