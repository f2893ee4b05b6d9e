"""A query of another dialect carried over: read by sqlglot, gone through node by node, printed for DataFusion."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from sqlglot import exp
from sqlglot.errors import ParseError as SyntaxFault
from sqlglot.errors import SqlglotError

from deltasql.errors import ParseError, Span
from deltasql.names import fold
from deltasql.sql.foreign import nodes, unnesting
from deltasql.sql.foreign.allowed import ALLOWED, SAID
from deltasql.sql.foreign.build import MASK, Source
from deltasql.sql.foreign.calls import call_kind
from deltasql.sql.foreign.kinds import Columns, Inference, Kind, Names, kind
from deltasql.sql.foreign.lexis import Printed, foreign, tokens

if TYPE_CHECKING:
    from sqlglot.generator import Generator


def read(sql: str, dialect: str) -> exp.Expr:
    """The tree of a query. Raises `ParseError`, with the place in ``sql``."""
    try:
        found = foreign(dialect).parser().parse(tokens(sql, dialect), sql)
    except SyntaxFault as error:
        raise _fault(error, sql, dialect) from error
    except (SqlglotError, RecursionError) as error:
        raise ParseError(f"this is no query of {dialect}: {error}", span=Span(0, len(sql)), statement=sql) from error
    trees = [tree for tree in found if tree is not None]
    if len(trees) != 1 or not isinstance(trees[0], exp.Query | exp.Values):
        raise ParseError(f"this is no query of {dialect}", span=Span(0, len(sql)), statement=sql)
    return trees[0]


def _fault(error: SyntaxFault, sql: str, dialect: str) -> ParseError:
    first = error.errors[0] if error.errors else {}
    lines = sql.splitlines(keepends=True)
    line, column = first.get("line") or 1, first.get("col") or 1
    word = first.get("highlight") or ""
    # sqlglot counts to the end of the token.
    end = min(sum(map(len, lines[: line - 1])) + column, len(sql))
    message = f"{(first.get('description') or 'syntax error').rstrip('.')} in a query of {dialect}"
    return ParseError(message, span=Span(max(end - len(word), 0), end), statement=sql)


def carried(
    tree: exp.Expr,
    source: Source,
    *,
    tables: Callable[[exp.Table], Columns | None],
    masked: Mapping[str, Kind | None],
    titles: Sequence[str] = (),
    outer: Names | None = None,
) -> str:
    """``tree`` as DataFusion's SQL.

    ``titles`` are the outermost columns as they were written, ``outer`` what it sees besides its own tables.
    Raises `NotSupportedError` for what can't be carried over.
    """
    inference_of(source, tables, masked).query(tree, outer)
    untold = _untitled(tree, titles)
    tree = unnesting.spread(tree, source)
    for node in reversed(list(tree.bfs())):
        rule = nodes.RULES.get(type(node))
        if rule is not None:
            nodes.require_handled(source, node)
        made = rule(source, node) if rule is not None else node
        if made is node:
            continue
        found = kind(node)
        if found is not None and kind(made) is None:
            made.meta["kind"] = found
        if node.parent is None:
            tree = made
        elif isinstance(node, exp.Fetch):
            node.parent.set("limit", made)
        else:
            node.replace(made)
    _name(tree, untold)
    _require_allowed(tree, source)
    return _printer().generate(tree)


def _printer() -> Generator:
    return Printed().generator(normalize_functions=False, comments=False)


def inference_of(
    source: Source, tables: Callable[[exp.Table], Columns | None], masked: Mapping[str, Kind | None]
) -> Inference:
    """What gives kinds to expressions of ``source``."""
    return Inference(tables, masked, source.manner, lambda name, given: _call_kind(source, name, given))


def _call_kind(source: Source, name: str, arguments: list[exp.Expr]) -> Kind | None:
    lowered = name.lower()
    if not lowered.startswith(nodes.FUNCTION):
        return None
    return call_kind(source, lowered[len(nodes.FUNCTION) :], arguments)


def _untitled(tree: exp.Expr, titles: Sequence[str]) -> dict[int, tuple[str, str]]:
    """For each column of the outermost query without a name, what it would print as, and how it is written."""
    select = _outermost(tree)
    if select is None or len(select.expressions) != len(titles):
        return {}
    named = (exp.Alias, exp.Column, exp.Star, exp.Dot, exp.Explode)
    return {
        index: (_printer().generate(item), written)
        for index, (item, written) in enumerate(zip(select.expressions, titles, strict=True))
        if not isinstance(item, named) and not item.is_star
    }


def _outermost(tree: exp.Expr) -> exp.Select | None:
    while isinstance(tree, exp.SetOperation | exp.Subquery):
        tree = tree.this
    return tree if isinstance(tree, exp.Select) else None


def _name(tree: exp.Expr, untitled: Mapping[int, tuple[str, str]]) -> None:
    """Let the columns that were rewritten keep the names that they would have had."""
    select = _outermost(tree)
    taken = {fold(item.alias_or_name) for item in select.expressions} if select is not None else set()
    for index, (before, written) in untitled.items():
        item = select.expressions[index] if select is not None else tree
        same = _printer().generate(item) == before.replace(nodes.FUNCTION, "")
        if same or fold(written) in taken or (isinstance(item, exp.Anonymous) and item.name == "unnest"):
            continue
        taken.add(fold(written))
        item.replace(exp.Alias(this=item.copy(), alias=exp.Identifier(this=written, quoted=True)))


def _require_allowed(tree: exp.Expr, source: Source) -> None:
    """Raise `NotSupportedError` for the first part that isn't known to mean the same."""
    for node in tree.bfs():
        parts = ALLOWED.get(type(node))
        if parts is None or (isinstance(node, exp.Anonymous) and not node.meta.get("final")):
            source.refuse(_called(node) or node)
        for name, value in node.args.items():
            if value is None or value is False or value == [] or name in parts:
                continue
            source.refuse(SAID.get(name) or node)
        if isinstance(node, exp.TableAlias | exp.Alias) and node.name.startswith("@"):
            source.refuse(node.name, hint="write the version behind the table's name")
        if isinstance(node, exp.Join):
            _require_join(node, source)
        if isinstance(node, exp.Table) and not isinstance(node.this, exp.Identifier | exp.Anonymous):
            source.refuse(node)
        if isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier) and node.this.args.get("temporary"):
            source.refuse(node)


_KINDS = {"", "INNER", "CROSS", "OUTER", "SEMI", "ANTI"}


def _require_join(node: exp.Join, source: Source) -> None:
    if str(node.args.get("kind") or "").upper() not in _KINDS or str(node.args.get("method") or "") not in (
        "",
        "NATURAL",
    ):
        source.refuse(f"{node.args.get('method') or node.args.get('kind')} JOIN")


def _called(node: exp.Expr) -> str | None:
    """The name of a function, as it was called."""
    if isinstance(node, exp.Anonymous):
        return f"{node.name.lower().removeprefix(nodes.FUNCTION)}()"
    return None


def is_masked(name: str) -> bool:
    """True for a name that stands for something else."""
    return name.lower().startswith(MASK)
