"""What SET gives: for each column of a row that changes the expression of its new value."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pyarrow as pa

from deltasql.errors import ColumnNotFound, NotSupportedError, PlanError, Span
from deltasql.names import did_you_mean, fold, match, quote, text
from deltasql.sql.dialect import tokenize
from deltasql.sql.statements import Assignment, Fragment
from deltasql.sql.woven import Woven, listed, woven
from deltasql.write.defaults import default_sql
from deltasql.write.demands import demanded, demands_of
from deltasql.write.identity import require_no_update
from deltasql.write.source import Source, is_generated
from deltasql.write.target import Target

Demanded = Callable[[Source, Sequence[str]], Source]


@dataclass(frozen=True, slots=True)
class New:
    """The values of ``columns``, of which ``set`` are those that were asked for; the others keep theirs.

    These are there where the table demands something of whole rows, which ``demanded`` sees to.
    """

    set: tuple[str, ...]
    columns: tuple[str, ...]
    values: tuple[Woven, ...]
    demanded: Demanded | None


def demanding(into: Target, schema: pa.Schema | None = None) -> Demanded | None:
    """What sees to the table's demands on new rows and numbers them, or None if there is nothing to do."""
    if not demands_of(into.snapshot) and into.numbering is None:
        return None
    columns = schema or into.snapshot.schema

    def seen_to(source: Source, given: Sequence[str]) -> Source:
        numbered = source if into.numbering is None else into.numbering.filled(source, columns)
        return demanded(numbered, into.snapshot, into.context, given=given, schema=columns)

    return seen_to


def assigned_values(
    assignments: Sequence[Assignment],
    into: Target,
    alias: str | None,
    *,
    stored: pa.Schema | None = None,
) -> New:
    """The values that ``assignments`` give columns of the target (as ``alias``).

    ``stored`` is the table's schema if it is to change. Raises `ColumnNotFound`, and `PlanError` for a column that is
    set twice or can't be.
    """
    schema = stored or into.snapshot.schema
    tree: dict[str, _Set] = {}
    for assignment in assignments:
        _enter(tree, _path(assignment, into, alias, schema), assignment)
    values = {}
    for name, found in tree.items():
        require_no_update(schema, [name], found.span)
        field = schema.field(name)
        if found.is_default and is_generated(field):
            continue
        old = f"{into.qualifier(alias)}.{quote(name)}"
        values[name] = found.value(field, old)
    chosen = tuple(name for name in schema.names if name in tree)
    demands = demanding(into, schema)
    columns = chosen
    if demands is not None:
        columns = tuple(field.name for field in schema if field.name in values or not is_generated(field))
        held = set(into.snapshot.schema.names)
        for name in columns:
            kept = f"{into.qualifier(alias)}.{quote(name)}" if name in held else "NULL"
            values.setdefault(name, woven(kept))
    return New(chosen, columns, tuple(values[name] for name in columns), demands)


@dataclass(slots=True)
class _Set:
    """A column or field: its new value, or those of fields below it."""

    span: Span
    whole: Assignment | None
    below: dict[str, _Set]

    @property
    def is_default(self) -> bool:
        """True for ``= DEFAULT``: what is generated is so anyhow."""
        return self.whole is not None and self.whole.value is None

    def value(self, field: pa.Field, old: str) -> Woven:
        """The expression of the new value, ``old`` being that of the old one."""
        if self.whole is not None:
            return expression(self.whole.value, field)
        parts = []
        for child in field.type:
            inner = f"{old}[{text(child.name)}]"
            found = self.below.get(child.name)
            value = found.value(child, inner) if found is not None else inner
            parts.append(woven(f"{text(child.name)}, ", value))
        return woven("named_struct(", listed(parts), ")")


def expression(value: Fragment | None, field: pa.Field) -> Woven:
    """A value as SQL; DEFAULT (None) is the column's own, or NULL."""
    if value is not None:
        return woven("(", value, "\n)")
    default = default_sql(field)
    return woven("NULL" if default is None else f"({default})")


def _enter(tree: dict[str, _Set], path: Sequence[str], assignment: Assignment) -> None:
    name = path[0]
    is_whole = len(path) == 1
    if name in tree and (is_whole or tree[name].whole is not None):
        raise PlanError(f"SET names column `{name}` twice", span=assignment.span)
    found = tree.setdefault(name, _Set(assignment.span, assignment if is_whole else None, {}))
    if not is_whole:
        _enter(found.below, path[1:], assignment)


def unqualified(
    assignment: Assignment, into: Target, alias: str | None, schema: pa.Schema | None = None
) -> tuple[str, ...]:
    """The name that is assigned to, without the table's (or its ``alias``) in front, as a query would read it.

    What can be a column of the table is one, even where it can be a field of a column too.
    """
    parts, columns = assignment.column, into.snapshot.schema if schema is None else schema
    table = into.entry.parts
    for names in ((alias,),) if alias is not None else (table[-2:], table[-1:], table):
        front = [fold(part) for part in parts[: len(names)]]
        rest = parts[len(names) :]
        is_table = front == [fold(name) for name in names]
        if rest and is_table and (_goes_down(rest, columns) or not _goes_down(parts, columns)):
            return rest
    return parts


def _path(assignment: Assignment, into: Target, alias: str | None, schema: pa.Schema) -> list[str]:
    """The column and the fields below it that an assignment names, in stored spelling."""
    parts = unqualified(assignment, into, alias, schema)
    found: list[str] = []
    type: pa.DataType | pa.Schema = schema
    for part in parts:
        if found and not pa.types.is_struct(type):
            raise PlanError(f"`{'.'.join(found)}` is no STRUCT, so it has no field `{part}`", span=assignment.span)
        what = "field" if found else "column"
        names = [field.name for field in type]
        name = match(part, names, what=what, span=assignment.span)
        if name is None:
            hint = did_you_mean(part, names)
            raise ColumnNotFound(f"there is no {what} `{part}`", hint=hint, span=assignment.span)
        found.append(name)
        type = type.field(name).type
    return found


def _goes_down(parts: Sequence[str], schema: pa.Schema) -> bool:
    """True if ``parts`` lead from a column down to a field of it."""
    type: pa.DataType | pa.Schema = schema
    for part in parts:
        if not isinstance(type, pa.Schema) and not pa.types.is_struct(type):
            return False
        name = match(part, [field.name for field in type], what="column")
        if name is None:
            return False
        type = type.field(name).type
    return True


def require_deterministic(expression: Fragment, what: str) -> None:
    """Raise `NotSupportedError` for a function that gives another value each time."""
    if (name := volatile(expression.sql)) is not None:
        raise NotSupportedError(f"`{name}()` can't stand in this {what}", span=expression.span)


def volatile(sql: str) -> str | None:
    """The first function in ``sql`` that gives another value each time, if there is one."""
    for token, behind in itertools.pairwise(tokenize(sql)):
        if token.upper in ("RANDOM", "RAND", "UUID") and behind.upper == "(":
            return token.text
    return None
