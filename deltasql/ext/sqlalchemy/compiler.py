"""SQLAlchemy's queries and DML as the SQL of deltasql. What Delta hasn't is a `CompileError` that says so."""

from __future__ import annotations

from typing import Any

from sqlalchemy import exc
from sqlalchemy import types as sqltypes
from sqlalchemy.sql import compiler, elements
from sqlalchemy.types import TypeEngine

from deltasql.ext.sqlalchemy.types import STRUCT
from deltasql.names import text

_CASTS: tuple[tuple[type[TypeEngine[Any]], str], ...] = (
    (sqltypes.LargeBinary, "Binary"),
    (sqltypes.String, "Utf8"),
    (sqltypes.JSON, "Utf8"),
    (sqltypes.Uuid, "Utf8"),
    (sqltypes.Enum, "Utf8"),
)


class Compiler(compiler.SQLCompiler):
    """Queries and DML."""

    def visit_cast(self, cast: Any, **kwargs: Any) -> str:
        """A cast by Arrow's name of a type where DataFusion has no word for it, or means another by it."""
        type = cast.typeclause.type.dialect_impl(self.dialect)
        if isinstance(type, sqltypes.TypeDecorator):
            type = type.impl_instance
        arrow = next((name for kind, name in _CASTS if isinstance(type, kind)), None)
        if isinstance(type, sqltypes.DateTime):
            zone = 'Some("UTC")' if type.timezone else "None"
            arrow = f"Timestamp(Microsecond, {zone})"
        if arrow is None:
            return super().visit_cast(cast, **kwargs)
        return f"arrow_cast({self.process(cast.clause, **kwargs)}, {text(arrow)})"

    def visit_getitem_binary(self, binary: Any, operator: Any, **kw: Any) -> str:
        """An item of an array, a value of a map, a field of a struct; the key of the last two is known by then."""
        if isinstance(binary.right, elements.Slice):
            raise exc.CompileError("slices of arrays aren't supported: use `func.array_slice(array, start, end)`")
        inner = kw | ({"literal_binds": True} if isinstance(binary.left.type, STRUCT) else {})
        return f"{self.process(binary.left, **kw)}[{self.process(binary.right, **inner)}]"

    # -- operators

    def visit_truediv_binary(self, binary: Any, operator: Any, **kw: Any) -> str:
        """Of two whole numbers, a fraction; DataFusion's own is the whole part."""
        right = self.process(binary.right, **kw)
        whole = all(side.type._type_affinity is sqltypes.Integer for side in (binary.left, binary.right))
        return f"{self.process(binary.left, **kw)} / " + (f"CAST({right} AS DOUBLE)" if whole else right)

    def _like(self, binary: Any, operator: str, **kw: Any) -> str:
        """LIKE, whose escape is a backslash in DataFusion whatever ESCAPE says; a pattern with another is rewritten."""
        pattern, escape = self.process(binary.right, **kw), binary.modifiers.get("escape")
        if escape is not None and escape != "\\":
            mark = "\x01"
            for old, new in (("\\", "\\\\"), (escape * 2, mark), (escape, "\\"), (mark, escape)):
                pattern = f"replace({pattern}, {text(old)}, {text(new)})"
        return f"{self.process(binary.left, **kw)} {operator} {pattern}"

    def visit_like_op_binary(self, binary: Any, operator: Any, **kw: Any) -> str:
        return self._like(binary, "LIKE", **kw)

    def visit_not_like_op_binary(self, binary: Any, operator: Any, **kw: Any) -> str:
        return self._like(binary, "NOT LIKE", **kw)

    def visit_ilike_op_binary(self, binary: Any, operator: Any, **kw: Any) -> str:
        return self._like(binary, "ILIKE", **kw)

    def visit_not_ilike_op_binary(self, binary: Any, operator: Any, **kw: Any) -> str:
        return self._like(binary, "NOT ILIKE", **kw)

    def visit_regexp_match_op_binary(self, binary: Any, operator: Any, **kw: Any) -> str:
        flags = binary.modifiers["flags"]
        more = "" if flags is None else f", {self.render_literal_value(flags, sqltypes.STRINGTYPE)}"
        return f"regexp_like({self.process(binary.left, **kw)}, {self.process(binary.right, **kw)}{more})"

    def visit_not_regexp_match_op_binary(self, binary: Any, operator: Any, **kw: Any) -> str:
        return f"NOT {self.visit_regexp_match_op_binary(binary, operator, **kw)}"

    def visit_regexp_replace_op_binary(self, binary: Any, operator: Any, **kw: Any) -> str:
        flags = binary.modifiers["flags"]
        more = "" if flags is None else f", {self.render_literal_value(flags, sqltypes.STRINGTYPE)}"
        left, right = binary.left, binary.right
        return f"regexp_replace({self.process(left, **kw)}, {self.process(right, **kw)}{more})"

    def visit_json_getitem_op_binary(self, binary: Any, operator: Any, **kw: Any) -> str:
        """Raise: it is kept as text."""
        raise exc.CompileError("JSON is kept as text, which can't be looked into: use STRUCT or MAP")

    visit_json_path_getitem_op_binary = visit_json_getitem_op_binary

    def visit_collation(self, element: Any, **kw: Any) -> str:
        """Raise: strings are compared by their code points."""
        raise exc.CompileError(f"there are no collations, so no {element.collation!r}")

    def visit_is_distinct_from_binary(self, binary: Any, operator: Any, **kw: Any) -> str:
        return f"{self.process(binary.left, **kw)} IS DISTINCT FROM {self.process(binary.right, **kw)}"

    def visit_is_not_distinct_from_binary(self, binary: Any, operator: Any, **kw: Any) -> str:
        return f"{self.process(binary.left, **kw)} IS NOT DISTINCT FROM {self.process(binary.right, **kw)}"

    def visit_empty_set_expr(self, element_types: Any, **kw: Any) -> str:
        """A query of no rows, with as many columns as there are types."""
        columns = ", ".join(f"NULL AS c{number}" for number, _ in enumerate(element_types or [None]))
        return f"SELECT {columns} WHERE 1 != 1"

    def visit_concat_op_binary(self, binary: Any, operator: Any, **kw: Any) -> str:
        """``||``; of parameters alone DataFusion wouldn't know the type."""
        return f"{self._text(binary.left, **kw)} || {self._text(binary.right, **kw)}"

    def visit_concat_op_expression_clauselist(self, clauselist: Any, operator: Any, **kw: Any) -> str:
        """``||`` of several."""
        return " || ".join(self._text(each, **kw) for each in clauselist.clauses)

    def _text(self, element: Any, **kw: Any) -> str:
        made = self.process(element, **kw)
        return f"CAST({made} AS STRING)" if isinstance(element, elements.BindParameter) else made

    def visit_frame_clause(self, frameclause: Any, **kw: Any) -> str:
        """``RANGE BETWEEN 1 PRECEDING …``, with the number itself, as DataFusion takes no parameter there."""
        return str(super().visit_frame_clause(frameclause, **(kw | {"literal_execute": True})))

    # -- clauses

    def get_select_precolumns(self, select: Any, **kw: Any) -> str:
        """DISTINCT, and DISTINCT ON."""
        if not select._distinct_on:
            return "DISTINCT " if select._distinct else ""
        columns = ", ".join(self.process(column, **kw) for column in select._distinct_on)
        return f"DISTINCT ON ({columns}) "

    def limit_clause(self, select: Any, **kw: Any) -> str:
        """LIMIT and OFFSET, each alone too."""
        found = ""
        if select._limit_clause is not None:
            found += f"\n LIMIT {self.process(select._limit_clause, **kw)}"
        return found + self._offset(select, **kw)

    def fetch_clause(
        self,
        select: Any,
        fetch_clause: Any = None,
        require_offset: bool = False,
        **kw: Any,
    ) -> str:
        """FETCH FIRST as LIMIT; WITH TIES and PERCENT are refused."""
        options = select._fetch_clause_options or {}
        for option, name in (("with_ties", "WITH TIES"), ("percent", "PERCENT")):
            if options.get(option):
                raise exc.CompileError(f"FETCH … {name} isn't supported")
        clause = select._fetch_clause if fetch_clause is None else fetch_clause
        found = f"\n LIMIT {self.process(clause, **kw)}"
        return found + self._offset(select, **kw)

    def _offset(self, select: Any, **kw: Any) -> str:
        clause = select._offset_clause
        return "" if clause is None else f"\n OFFSET {self.process(clause, **kw)}"

    def for_update_clause(self, select: Any, **kw: Any) -> str:
        """Raise: there are no locks."""
        raise exc.CompileError("SELECT … FOR UPDATE isn't supported: Delta has no locks on rows")

    # -- tables

    def visit_table(self, table: Any, asfrom: bool = False, travel: str = "", **kw: Any) -> str:
        return str(super().visit_table(table, asfrom=asfrom, **kw)) + (travel if asfrom else "")

    def visit_deltasql_as_of(self, element: Any, asfrom: bool = False, **kw: Any) -> str:
        """``table VERSION AS OF 3 AS alias``"""
        return str(self.visit_alias(element, asfrom=asfrom, travel=element.travel, **kw))

    def visit_tablesample(self, tablesample: Any, asfrom: bool = False, **kw: Any) -> str:
        """Raise: samples of what size is up to nobody."""
        raise exc.CompileError("TABLESAMPLE isn't supported: ORDER BY random() LIMIT n gives n rows")

    # -- DML

    def update_from_clause(
        self,
        update_stmt: Any,
        from_table: Any,
        extra_froms: Any,
        from_hints: Any,
        **kw: Any,
    ) -> str:
        """``FROM other, …``"""
        kw["asfrom"] = True
        return "FROM " + ", ".join(each._compiler_dispatch(self, fromhints=from_hints, **kw) for each in extra_froms)

    def delete_extra_from_clause(self, delete_stmt: Any, from_table: Any, *args: Any, **kw: Any) -> str:
        """Raise: there is one table in a DELETE."""
        raise exc.CompileError("DELETE … USING isn't supported: say which rows by a subquery in WHERE")

    def visit_deltasql_merge(self, merge: Any, **kw: Any) -> str:
        """``MERGE INTO …``"""
        if merge.source is None or not merge.clauses:
            raise exc.CompileError("a MERGE has a source, using(…), and a WHEN")
        target, source = (self.process(each, asfrom=True, **kw) for each in (merge.target, merge.source))
        lines = [f"MERGE INTO {target} USING {source} ON {self.process(merge.condition, **kw)}"]
        for when, condition, action, values in merge.clauses:
            also = "" if condition is None else f" AND {self.process(condition, **kw)}"
            lines.append(f"WHEN {when}{also} THEN {self._merged(action, values, **kw)}")
        return "\n".join(lines)

    def _merged(self, action: str, values: Any, **kw: Any) -> str:
        if action == "DELETE":
            return action
        if values is None:
            return "UPDATE SET *" if action == "UPDATE" else "INSERT *"
        names = [self.preparer.quote(column.name) for column, _ in values]
        given = [self.process(value, **kw) for _, value in values]
        if action == "UPDATE":
            return f"UPDATE SET {', '.join(f'{name} = {value}' for name, value in zip(names, given, strict=True))}"
        return f"INSERT ({', '.join(names)}) VALUES ({', '.join(given)})"
