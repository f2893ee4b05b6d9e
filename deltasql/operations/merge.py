"""MERGE INTO: rows of a source meet those of a table, and the first clause that holds says what becomes of each.

One join of source and target finds, for each pair and for what is left alone, the clause and its values. A source
that fits in memory is read before: the values that it holds prune the target's files.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace

import pyarrow as pa

from deltasql.catalog.evolution import Evolved, evolved
from deltasql.engine.engine import BoundQuery
from deltasql.engine.numbered import FILE, ROW, Numbered, files_of
from deltasql.engine.sources import Rows, Stream
from deltasql.engine.sources import Source as Table
from deltasql.errors import ColumnNotFound, Error, ParseError, PlanError
from deltasql.names import did_you_mean, fold, match, quote
from deltasql.operations.operation import Plan, counts, source_plan, writing
from deltasql.result import Result
from deltasql.session import Given, StatementContext
from deltasql.sql import parser, statements
from deltasql.sql.dialect import tokenize
from deltasql.sql.sides import qualified
from deltasql.sql.statements import Assignment, Fragment, MergeClause
from deltasql.sql.woven import Woven, listed, woven
from deltasql.write.blame import blamed, inserted
from deltasql.write.fit import offered
from deltasql.write.identity import is_filled, require_insertable, require_no_update
from deltasql.write.matching import required
from deltasql.write.rewrite import Clause, Edits
from deltasql.write.source import is_generated, require_distinct
from deltasql.write.spool import spooled
from deltasql.write.target import SOURCE, TARGET, Target, target
from deltasql.write.values import (
    Demanded,
    assigned_values,
    demanding,
    expression,
    require_deterministic,
    unqualified,
)

_HERE = "__deltasql_here"
_SEES = {
    "not_matched": "WHEN NOT MATCHED sees the columns of the source alone",
    "not_matched_by_source": "WHEN NOT MATCHED BY SOURCE sees the columns of the table alone",
}
_PARAMETERS = {
    "matched": "matchedPredicates",
    "not_matched": "notMatchedPredicates",
    "not_matched_by_source": "notMatchedBySourcePredicates",
}
"""What Delta Lake's log calls the clauses of each kind."""
_METRICS = {
    "inserted": "num_target_rows_inserted",
    "updated": "num_target_rows_updated",
    "deleted": "num_target_rows_deleted",
}


@dataclass(slots=True)
class Merge:
    """A merge that is ready to run."""

    statement: statements.Merge
    target: Target
    source: BoundQuery
    parts: tuple[str, str, str]
    clauses: tuple[Clause, ...] = field(init=False)
    demanded: Demanded | None = field(init=False)
    evolved: Evolved | None = field(init=False)

    def __post_init__(self) -> None:
        self.evolved = evolved(self.target.snapshot, self._offered()) if self.statement.evolve else None
        self.demanded = demanding(self.target, self.schema)
        self._validate()
        # Over no row of the table: which of its files are needed is known only when the source is read.
        nothing = Rows(TARGET, Numbered(self.target.snapshot).schema.empty_table())
        self.clauses = self._bind(self._unread, None, nothing)[0]

    @property
    def schema(self) -> pa.Schema:
        """The table's columns after the merge."""
        return self.target.snapshot.schema if self.evolved is None else self.evolved.schema

    @property
    def _source_schema(self) -> pa.Schema:
        return pa.schema([*self.source.schema, pa.field(_HERE, pa.bool_())])

    @property
    def _unread(self) -> Stream:
        return Stream("source", self._source_schema, lambda: iter(()))

    def explain(self) -> Plan:
        """Target, operation, and how source and target are read."""
        kinds = "; ".join(f"{clause.kind.replace('_', ' ')}: {clause.action}" for clause in self.statement.clauses)
        plan = writing(self.target, f"merge on {self.statement.condition.sql} ({kinds})")
        return [*plan, *source_plan(self.source), *source_plan(self._bind(self._unread, None)[1])]

    def execute(self) -> Result:
        """Merge; the counts are the commit's."""
        lists = [clause.assignments or () for clause in self.statement.clauses if clause.action == "insert"]
        given = [each for assignments in lists for each in inserted(assignments)]
        try:
            with blamed(self.statement.text, self.statement.table, lambda: given):
                return self._merged()
        except PlanError as error:  # Several rows of the source that meet one.
            error.span = error.span or self.statement.condition.span
            raise

    def _merged(self) -> Result:
        matched = [clause for clause in self.statement.clauses if clause.kind == "matched"]
        repeats = len(matched) == 1 and matched[0].action == "delete" and matched[0].condition is None
        with spooled(self.source.read(), self.source.schema) as (rows, in_memory):
            marked = rows.append_column(_HERE, pa.repeat(pa.scalar(value=True), rows.num_rows))
            source = Rows("source", marked) if in_memory else Stream("source", marked.schema, marked.to_batches)
            bound = self._bind(source, rows)[1]
            edits = Edits(
                self.clauses,
                bound.read,
                self.target.time_zone,
                repeats=repeats,
                demanded=self.demanded,
                among=files_of(bound),
            )
            commit, counted = self.target.write(
                "MERGE",
                self._parameters(),
                _METRICS,
                edits=edits,
                others=() if self.evolved is None else self.evolved.actions,
                schema=self.schema,
                measured={"num_source_rows": rows.num_rows},
            )
        numbers = {
            "num_affected_rows": counted.updated + counted.deleted + counted.inserted,
            "num_updated_rows": counted.updated,
            "num_deleted_rows": counted.deleted,
            "num_inserted_rows": counted.inserted,
        }
        return counts("MERGE", numbers, commit)

    def _parameters(self) -> dict[str, object]:
        found: dict[str, object] = {"predicate": self.statement.condition.sql}
        for kind, name in _PARAMETERS.items():
            found[name] = [
                {"actionType": clause.action} | ({"predicate": clause.condition.sql} if clause.condition else {})
                for clause in self.statement.clauses
                if clause.kind == kind
            ]
        return found

    # -- the source

    def _offered(self) -> pa.Schema:
        """The source's columns that clauses may add to the table: all by ``*``, else those that are set by name."""
        names = self.source.schema.names
        taken = set()
        for clause in self.statement.clauses:
            if clause.action != "delete" and clause.assignments is None:
                taken |= set(names)
            for each in clause.assignments or ():
                column = unqualified(each, self.target, self.statement.alias)
                taken.add(match(column[0], names, what="column") if len(column) == 1 else None)
        chosen = pa.schema([each for each in self.source.schema if each.name in taken])
        return offered(chosen, self.target.snapshot.schema)

    # -- the query

    @property
    def _here(self) -> str:
        return self.statement.source_alias or self.parts[-1]

    def _given(self, source: Table, target: Table | None = None) -> dict[str, Given]:
        return {SOURCE: Given(self.parts, source), **self.target.given(target)}

    def _named_source(self) -> str:
        name = ".".join(map(quote, (*self.parts[:-1], SOURCE)))
        alias = self.statement.source_alias
        return name if alias is None else f"{name} AS {quote(alias)}"

    def _bind(
        self, source: Table, rows: pa.Table | None, target: Table | None = None
    ) -> tuple[tuple[Clause, ...], BoundQuery]:
        statement, into = self.statement, self.target
        kinds = {clause.kind for clause in statement.clauses}
        anti = kinds == {"not_matched"}
        here, there = f"{quote(self._here)}.{quote(_HERE)}", f"{into.qualifier(statement.alias)}.{quote(ROW)}"
        status = {
            "matched": f"{here} AND {there} IS NOT NULL",
            "not_matched": "true" if anti else f"{there} IS NULL",
            "not_matched_by_source": f"{here} IS NULL",
        }
        chosen: list[Fragment | str | Woven] = ["CASE"]
        clauses, values = [], []
        for number, clause in enumerate(statement.clauses):
            holds = woven(status[clause.kind], *((" AND (", clause.condition, "\n)") if clause.condition else ()))
            chosen += [" WHEN ", holds, f" THEN {number}"]
            columns, given = self._values(clause)
            clauses.append(Clause(clause.action, columns))
            values += [
                value if _is_plain(value) else woven("CASE WHEN ", holds, " THEN ", value, " END") for value in given
            ]
        tags = f"CAST(NULL AS INT) AS {quote(FILE)}, CAST(NULL AS BIGINT) AS {quote(ROW)}"
        listing = [woven(value, f" AS __deltasql_{place}") for place, value in enumerate(values)]
        query = woven(
            statement.with_,
            f" SELECT * FROM (SELECT {tags if anti else into.tags(statement.alias)}, ",
            *chosen,
            " END AS __deltasql_clause",
            *((", ", listed(listing)) if listing else ()),
            " FROM ",
            self._joined(kinds, rows),
            ") WHERE __deltasql_clause IS NOT NULL",
            "" if anti else " ORDER BY 1 NULLS LAST, 2 NULLS LAST, 3",
        )
        return tuple(clauses), into.context.query(query, self._given(source, target))

    def _joined(self, kinds: Collection[str], rows: pa.Table | None) -> Woven:
        source, into = self._named_source(), self.target.named(self.statement.alias)
        condition: list[Fragment | str] = [" ON (", self.statement.condition, "\n)"]
        if rows is not None and "not_matched_by_source" not in kinds:
            qualifier = self.target.qualifier(self.statement.alias)
            condition += [f" AND {qualifier}.{quote(column)} {values}" for column, values in self._required(rows)]
        if "not_matched_by_source" not in kinds:
            if "not_matched" not in kinds and any(t.upper == "SELECT" for t in tokenize(self.statement.condition.sql)):
                # In the condition of a join DataFusion takes few subqueries.
                return woven(f"{source} CROSS JOIN {into} WHERE (", *condition[1:])
            anti = "LEFT ANTI JOIN" if kinds == {"not_matched"} else "LEFT JOIN"
            return woven(f"{source} {anti if 'not_matched' in kinds else 'INNER JOIN'} {into}", *condition)
        if "not_matched" in kinds:
            return woven(f"{source} FULL JOIN {into}", *condition)
        return woven(f"{into} LEFT JOIN {source}", *condition)

    def _required(self, rows: pa.Table) -> Iterator[tuple[str, str]]:
        """What the source's values say of the rows that match."""
        there = self.statement.alias
        source = self.parts if self.statement.source_alias is None else (self.statement.source_alias,)
        into = self.target.entry.parts if there is None else (there,)
        return required(self.statement.condition.sql, (source, rows), (into, self.target.snapshot.schema))

    # -- what the clauses give

    def _values(self, clause: MergeClause) -> tuple[tuple[str, ...], list[Woven]]:
        if clause.action == "delete":
            return (), []
        if clause.action == "update":
            if clause.assignments is None:
                found = self._all(clause)
                require_no_update(self.schema, found, clause.span)
                return self._kept(found)
            new = assigned_values(clause.assignments, self.target, self.statement.alias, stored=self.schema)
            return new.columns, list(new.values)
        found = self._all(clause) if clause.assignments is None else self._listed(clause.assignments)
        require_insertable(self.schema, found, clause.span)
        for each in self.schema:
            if each.name not in found and not is_filled(each):
                found[each.name] = expression(None, each)
        names = tuple(name for name in self.schema.names if name in found)
        return names, [found[name] for name in names]

    def _kept(self, found: dict[str, Woven]) -> tuple[tuple[str, ...], list[Woven]]:
        """What ``*`` sets, with the columns that it doesn't where the table demands something of whole rows."""
        if self.demanded is not None:
            held = set(self.target.snapshot.schema.names)
            for each in self.schema:
                if each.name not in found and not is_generated(each):
                    old = f"{self.target.qualifier(self.statement.alias)}.{quote(each.name)}"
                    found[each.name] = woven(old if each.name in held else "NULL")
        names = tuple(name for name in self.schema.names if name in found)
        return names, [found[name] for name in names]

    def _all(self, clause: MergeClause) -> dict[str, Woven]:
        """The columns by name, as ``*`` takes them from the source."""
        offered = self.source.schema.names
        found = {}
        for each in self.schema:
            name = match(each.name, offered, what="column", span=clause.span)
            if name is not None:
                found[each.name] = woven(f"{quote(self._here)}.{quote(name)}")
            elif not (self.statement.evolve or is_filled(each)):
                message = f"the source has no column `{each.name}`, which `*` takes from it"
                hint = did_you_mean(each.name, offered) or "name the columns: SET a = …, INSERT (a, …) VALUES (…)"
                raise ColumnNotFound(message, hint=hint, span=clause.span)
        return found

    def _listed(self, assignments: tuple[Assignment, ...]) -> dict[str, Woven]:
        found: dict[str, Woven] = {}
        for each in assignments:
            column = unqualified(each, self.target, self.statement.alias, self.schema)
            name = match(column[0], self.schema.names, what="column", span=each.span) if len(column) == 1 else None
            if name is None:
                written = ".".join(column)
                hint = did_you_mean(written, self.schema.names)
                raise ColumnNotFound(f"there is no column `{written}`", hint=hint, span=each.span)
            if name in found:
                raise PlanError(f"INSERT names column `{name}` twice", span=each.span)
            found[name] = expression(each.value, self.schema.field(name))
        filled = {field.name for field in self.schema if is_filled(field)}
        numbered = [name for name, each in zip(found, assignments, strict=True) if each.value is None]
        return {name: value for name, value in found.items() if name not in filled or name not in numbered}

    # -- what a clause may see

    def _validate(self) -> None:
        """Raise for a clause that looks at rows that aren't there for it (Delta Lake documentation, "MERGE INTO")."""
        empty = Rows("source", self._source_schema.empty_table())
        alone = {
            "not_matched": f" FROM {self._named_source()}",
            "not_matched_by_source": f" FROM {self.target.named(self.statement.alias)}",
        }
        for clause in self.statement.clauses:
            seen = [clause.condition, *(each.value for each in clause.assignments or ())]
            for fragment in seen:
                if fragment is None:
                    continue
                if fragment is clause.condition:
                    require_deterministic(fragment, "condition of a clause")
                if clause.kind in alone:
                    query = woven(self.statement.with_, " SELECT (", fragment, "\n)", alone[clause.kind])
                    try:
                        self.target.context.query(query, self._given(empty))
                    except ColumnNotFound as error:
                        others = self.schema if clause.kind == "not_matched" else self.source.schema
                        if any(f"`{fold(name)}`" in fold(error.message) for name in others.names):
                            error.hint = _SEES[clause.kind]
                        raise


def plan(statement: statements.Merge, context: StatementContext) -> Merge:
    """Bind source, condition and clauses."""
    into = target(statement.table, context, removes_data=any(c.kind != "not_matched" for c in statement.clauses))
    alias = statement.source_alias
    columns = ", ".join(map(quote, statement.source_columns or ()))
    shown = f" AS {quote(alias or 'source')}({columns})" if columns else ""
    source = woven(statement.with_, " SELECT * FROM ", statement.source, shown)
    bound = context.query(source)
    require_distinct(bound.schema.names, "the source")
    parts = _parts(statement, context)
    both = {fold(name) for name in bound.schema.names} & {fold(name) for name in into.snapshot.schema.names}
    sides = {"not_matched": alias or parts[-1], "not_matched_by_source": statement.alias or into.entry.name}
    clauses = [_one_sided(clause, both, sides.get(clause.kind)) for clause in statement.clauses]
    return Merge(replace(statement, clauses=tuple(clauses)), into, bound, parts)


def _one_sided(clause: MergeClause, both: set[str], side: str | None) -> MergeClause:
    """``clause`` with the columns of both tables qualified by ``side``, if that is all it sees."""
    if side is None:
        return clause

    def own(value: Fragment | None) -> Fragment | None:
        return None if value is None else qualified(value, both, side)

    given = clause.assignments and tuple(replace(each, value=own(each.value)) for each in clause.assignments)
    return replace(clause, condition=own(clause.condition), assignments=given)


def _parts(statement: statements.Merge, context: StatementContext) -> tuple[str, str, str]:
    """What columns of the source may be qualified by, if it has no alias."""
    try:
        reference = context.session.catalog.travel(parser.parse_table(statement.source.sql))
    except ParseError:
        return "main", "default", "source"
    try:
        return context.entry(reference).parts
    except Error:
        return "main", "default", reference.name  # A CTE.


def _is_plain(value: Woven) -> bool:
    """True for a column, which can be looked at whichever clause holds."""
    return len(value.parts) == 1 and isinstance(value.parts[0], str)
