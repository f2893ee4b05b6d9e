"""Random tables, writes and queries in the SQL that deltasql and DuckDB share, so that each can say what is right."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pyarrow as pa

POOL: dict[str, list[Any]] = {
    "BIGINT": [None, -3, -1, 0, 1, 2, 3, 7, 2**40],
    "INT": [None, -5, 0, 1, 2, 3, 100],
    "STRING": [None, "a", "b", "B", "it's", "z" * 120, "z" * 110 + "a", "é", "%", "a_b", " a"],
    "DOUBLE": [None, 0.0, 1.5, -2.0, 8.0, 1e300, -1e-300],
    "DECIMAL(10, 2)": [None, *map(Decimal, ("0.00", "-1.00", "1.50", "99999999.99"))],
    "DATE": [None, dt.date(2024, 1, 1), dt.date(2024, 1, 2), dt.date(1969, 12, 31), dt.date(9999, 12, 31)],
    "BOOLEAN": [None, True, False],
}
ARROW = {
    "BIGINT": pa.int64(), "INT": pa.int32(), "STRING": pa.string(), "DOUBLE": pa.float64(), "DECIMAL(10, 2)": pa.decimal128(10, 2),
    "DATE": pa.date32(), "BOOLEAN": pa.bool_(),
}  # fmt: skip
Columns = list[tuple[str, str]]
"""Expressions (mostly names), and their types."""


@dataclass
class Design:
    """A table: its columns by name, and those it is partitioned by."""

    name: str
    columns: dict[str, str]
    by: tuple[str, ...] = ()
    mapped: bool = False


def designs() -> list[Design]:
    """The tables of a world, whose columns change on the way."""
    return [
        Design("a", {"k": "BIGINT", "p": "INT", "q": "STRING", "s": "STRING", "v": "DECIMAL(10, 2)", "f": "BOOLEAN"}, ("p", "q")),
        Design("b", {"k": "BIGINT", "Mixed": "STRING", "d": "DOUBLE", "day": "DATE", "n": "INT"}, ("day",), mapped=True),
        Design("c", {"k": "BIGINT", "s": "STRING", "day": "DATE"}),
        Design("e", {"k": "BIGINT", "n": "INT", "d": "DOUBLE", "f": "BOOLEAN", "s": "STRING"}),
    ]  # fmt: skip


def literal(kind: str, value: Any) -> str:
    """A constant, of its type in both dialects."""
    text = str(value) if not isinstance(value, bool) else str(value).lower()
    quoted = "NULL" if value is None else "'" + text.replace("'", "''") + "'"
    return f"CAST({quoted} AS {'VARCHAR' if kind == 'STRING' else kind})"


def quoted(name: str) -> str:
    """The name as SQL."""
    return name if name.islower() else f'"{name}"'


@dataclass
class Maker:
    """Makes SQL by chance; a table is ``{name}`` in it."""

    r: random.Random
    tables: Sequence[Design]
    made: int = 0
    simple: bool = field(default=False)

    def one(self, *choices: Any) -> Any:
        return self.r.choice(choices)

    def name(self) -> str:
        self.made += 1
        return f"x{self.made}"

    def value(self, kind: str) -> str:
        return literal(kind, self.r.choice(POOL[kind]))

    # -- expressions

    def expression(self, columns: Columns, kind: str, depth: int = 2) -> str:
        """Something of the type ``kind``."""
        fitting = [name for name, other in columns if other == kind]
        if not fitting or self.r.random() < 0.1:
            return self.value(kind)
        column = self.r.choice(fitting)
        if depth == 0 or self.r.random() < 0.6:
            return column
        inner = self.expression(columns, kind, depth - 1)
        forms = [
            f"coalesce({column}, {inner})",
            f"CASE WHEN {self.predicate(columns, depth - 1)} THEN {column} ELSE {inner} END",
            f"nullif({column}, {inner})",
        ]
        if kind in ("BIGINT", "INT"):
            forms += [f"CAST({column} % 7 AS {kind})", f"CAST(- {column} AS {kind})"]
        if kind == "STRING":
            forms += [
                f"upper({column})",
                f"lower({column})",
                f"({column} || {inner})",
                f"substr({column}, 1, 2)",
                f"trim({column})",
            ]
        return self.r.choice(forms)

    def predicate(self, columns: Columns, depth: int = 2) -> str:
        """A condition."""
        if depth > 0 and self.r.random() < 0.45:
            left, right = self.predicate(columns, depth - 1), self.predicate(columns, depth - 1)
            return self.one(
                f"({left} AND {right})", f"({left} OR {right})", f"(NOT {left})", f"({left} AND NOT {right})"
            )
        column, kind = self.r.choice(columns)
        other = self.expression(columns, kind, 0) if self.r.random() < 0.3 else self.value(kind)
        listed = ", ".join(self.value(kind) for _ in range(self.one(1, 2, 4)))
        forms = [
            f"{column} {self.one('=', '<>', '<', '<=', '>', '>=')} {other}",
            f"{column} IS {self.one('', 'NOT ')}DISTINCT FROM {other}",
            f"{column} IS {self.one('', 'NOT ')}NULL",
            f"{column} {self.one('', 'NOT ')}IN ({listed})",
            f"{column} BETWEEN {self.value(kind)} AND {self.value(kind)}",
            f"coalesce({column}, {other}) = {other}",
        ]
        if kind == "STRING":
            forms.append(f"{column} {self.one('', 'NOT ')}LIKE '{self.one('a%', '%a', '%', '_', 'z%a', 'A%')}'")
        if kind == "BOOLEAN":
            forms.append(column)
        if kind == "BIGINT" and not self.simple and depth > 0:
            table = self.r.choice(list(self.tables))
            inner = self.name()
            own = [(f"{inner}.{quoted(name)}", of) for name, of in table.columns.items()]
            where = self.predicate(own, 0)
            forms.append(
                f"{column} {self.one('', 'NOT ')}IN (SELECT {inner}.k FROM {{{table.name}}} AS {inner} WHERE {where})"
            )
            forms.append(
                f"{self.one('', 'NOT ')}EXISTS (SELECT 1 FROM {{{table.name}}} AS {inner} WHERE {inner}.k = {column} AND {where})"
            )
        return self.r.choice(forms)

    # -- queries

    def source(self, depth: int) -> tuple[str, Columns]:
        """A table or a subquery, and its columns."""
        alias = self.name()
        if depth > 0 and self.r.random() < 0.25:
            body, columns = self.select(depth - 1)
            return f"({body}) AS {alias}", [(f"{alias}.{name}", kind) for name, kind in columns]
        if depth > 0 and self.r.random() < 0.1:
            body, columns = self.united()
            return f"({body}) AS {alias}", [(f"{alias}.{name}", kind) for name, kind in columns]
        table = self.r.choice(list(self.tables))
        return f"{{{table.name}}} AS {alias}", [
            (f"{alias}.{quoted(name)}", kind) for name, kind in table.columns.items()
        ]

    def united(self) -> tuple[str, Columns]:
        """Rows of several tables, each table's with a constant of its own."""
        kinds = [self.one("INT", "STRING"), *(self.r.choice(list(POOL)) for _ in range(self.one(1, 2, 3)))]
        names = [self.name() for _ in kinds]
        parts = []
        for _ in range(self.one(2, 2, 3)):
            text, columns = self.source(0)
            items = [self.value(kinds[0]), *(self.expression(columns, kind, 1) for kind in kinds[1:])]
            where = f" WHERE {self.predicate(columns, 0)}" if self.r.random() < 0.5 else ""
            listed = ", ".join(f"{item} AS {name}" for item, name in zip(items, names, strict=True))
            parts.append(f"SELECT {listed} FROM {text}{where}")
        return " UNION ALL ".join(parts), list(zip(names, kinds, strict=True))

    def wider(self, columns: Columns) -> tuple[str, str]:
        """What takes more than its row: a scalar subquery or a window; and its type."""
        (column, kind), (by, _) = self.r.choice(columns), self.r.choice(columns)
        inner, alias = self.r.choice(list(self.tables)), self.name()
        own = [(f"{alias}.{quoted(name)}", of) for name, of in inner.columns.items()]
        numbers = [name for name, of in columns if of == "BIGINT"]
        where = self.predicate(own, 0)
        if numbers and self.r.random() < 0.6:
            where = f"{alias}.k {self.one('=', '=', '<', '<>')} {self.r.choice(numbers)} AND {where}"
        of_inner, inner_kind = self.r.choice([pair for pair in own if pair[1] != "BOOLEAN"])
        forms = [
            (f"(SELECT count(*) FROM {{{inner.name}}} AS {alias} WHERE {where})", "BIGINT"),
            (
                f"(SELECT {self.one('min', 'max')}({of_inner}) FROM {{{inner.name}}} AS {alias} WHERE {where})",
                inner_kind,
            ),
            (f"CAST(count({column}) OVER (PARTITION BY {by}) AS BIGINT)", "BIGINT"),
            (f"CAST(rank() OVER (PARTITION BY {by} ORDER BY {column} DESC NULLS LAST) AS BIGINT)", "BIGINT"),
        ]
        if kind != "BOOLEAN":
            forms.append((f"{self.one('min', 'max')}({column}) OVER (PARTITION BY {by})", kind))
        return self.r.choice(forms)

    def select(self, depth: int = 2) -> tuple[str, Columns]:
        """A query, and the columns that it gives."""
        text, columns = self.source(depth)
        for _ in range(self.one(0, 0, 1, 1, 2)):
            other, more = self.source(depth)
            kind = self.r.choice([kind for _, kind in more if any(kind == of for _, of in columns)] or [more[0][1]])
            left = self.r.choice([name for name, of in columns if of == kind] or [self.value(kind)])
            right = self.r.choice([name for name, of in more if of == kind])
            how = self.one("JOIN", "JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN")
            extra = f" AND {self.predicate(more, 0)}" if self.r.random() < 0.3 else ""
            text, columns = f"{text} {how} {other} ON {left} = {right}{extra}", columns + more
        where = f" WHERE {self.predicate(columns)}" if self.r.random() < 0.7 else ""
        shape = self.one("rows", "rows", "distinct", "groups", "groups", "total")
        if shape in ("rows", "distinct"):
            kinds = self.r.sample(columns, min(len(columns), self.one(1, 2, 3, 5)))
            items = [(self.expression(columns, kind), kind) for _, kind in kinds]
            if self.r.random() < 0.2:
                items.append(self.wider(columns))
            return self._listed("SELECT DISTINCT" if shape == "distinct" else "SELECT", items, f"{text}{where}", "")
        keys = self.r.sample(columns, 0 if shape == "total" else min(len(columns), self.one(1, 1, 2)))
        items = [*keys, *(self.aggregate(columns) for _ in range(self.one(1, 2)))]
        by = ", ".join(name for name, _ in keys)
        group = f" GROUP BY {f'ROLLUP ({by})' if self.r.random() < 0.1 else by}" if keys else ""
        if group and self.r.random() < 0.3:
            group += f" HAVING count(*) {self.one('>', '=', '<')} {self.one(1, 2, 3)}"
        return self._listed("SELECT", items, f"{text}{where}", group)

    def _listed(self, head: str, items: Columns, source: str, tail: str) -> tuple[str, Columns]:
        names = [self.name() for _ in items]
        listed = ", ".join(f"{expression} AS {name}" for (expression, _), name in zip(items, names, strict=True))
        return f"{head} {listed} FROM {source}{tail}", [
            (name, kind) for name, (_, kind) in zip(names, items, strict=True)
        ]

    def aggregate(self, columns: Columns) -> tuple[str, str]:
        """Something of a group, and its type."""
        column, kind = self.r.choice(columns)
        forms = [("count(*)", "BIGINT"), (f"count({column})", "BIGINT"), (f"count(DISTINCT {column})", "BIGINT")]
        if kind != "BOOLEAN":
            forms += [(f"min({column})", kind), (f"max({column})", kind)] * 2
        if kind in ("BIGINT", "INT"):
            forms.append((f"CAST(sum({column} % 1000) AS BIGINT)", "BIGINT"))
        return self.r.choice(forms)

    def query(self) -> str:
        """A whole query: perhaps with a CTE, a set operation, an order and a limit."""
        body, columns = self.select()
        if self.r.random() < 0.2:
            other, _ = body, columns
            names = ", ".join(name for name, _ in columns)
            where = self.predicate(columns, 1)
            how = self.one("UNION ALL", "UNION", "EXCEPT", "INTERSECT")
            body = f"WITH cte AS ({other}) SELECT {names} FROM cte WHERE {where} {how} SELECT {names} FROM cte"
        elif self.r.random() < 0.3:
            order = ", ".join(
                f"{name} {self.one('ASC', 'DESC')} NULLS {self.one('FIRST', 'LAST')}" for name, _ in columns
            )
            body = f"SELECT * FROM ({body}) AS o ORDER BY {order} LIMIT {self.one(1, 3, 10)}"
        return body

    # -- writes

    def write(self, table: Design) -> list[tuple[str, str | None]]:
        """A change, as deltasql's statement and the model's (None: rows stay as they are)."""
        columns = [(quoted(name), kind) for name, kind in table.columns.items()]
        choice = self.r.random()
        if choice < 0.4:
            count = self.one(1, 2, 5, 12)
            rows = ", ".join(f"({', '.join(self.value(kind) for _, kind in columns)})" for _ in range(count))
            text = f"INSERT INTO {{{table.name}}} ({', '.join(name for name, _ in columns)}) VALUES {rows}"
        elif choice < 0.62:
            sets = self.r.sample(columns, self.one(1, 1, 2))
            changes = ", ".join(f"{name} = {self.expression(columns, kind)}" for name, kind in sets)
            text = f"UPDATE {{{table.name}}} SET {changes} WHERE {self.predicate(columns)}"
        elif choice < 0.75:
            text = f"DELETE FROM {{{table.name}}} WHERE {self.predicate(columns)} AND {self.predicate(columns)}"
        elif choice < 0.85:
            return [
                (
                    self.one(
                        f"OPTIMIZE {{{table.name}}}",
                        f"CHECKPOINT {{{table.name}}}",
                        f"OPTIMIZE {{{table.name}}} ZORDER BY (k)",
                    ),
                    None,
                )
            ]
        elif choice < 0.92 and len(columns) < 9:
            new, kind = self.name(), self.r.choice(list(POOL))
            table.columns[new] = kind
            of = kind if kind != "STRING" else "VARCHAR"
            return [
                (
                    f"ALTER TABLE {{{table.name}}} ADD COLUMN {new} {kind}",
                    f"ALTER TABLE {{{table.name}}} ADD COLUMN {new} {of}",
                )
            ]
        elif table.mapped:
            free = [name for name in table.columns if name != "k" and name not in table.by]
            old = self.r.choice(free)
            if len(free) > 2 and self.r.random() < 0.4:
                del table.columns[old]
                text = f"ALTER TABLE {{{table.name}}} DROP COLUMN {quoted(old)}"
            else:
                new = self.name()
                table.columns = {new if name == old else name: kind for name, kind in table.columns.items()}
                text = f"ALTER TABLE {{{table.name}}} RENAME COLUMN {quoted(old)} TO {new}"
        else:
            chosen = ", ".join(name for name, _ in columns)
            text = f"INSERT INTO {{{table.name}}} ({chosen}) SELECT {chosen} FROM {{{table.name}}} WHERE {self.predicate(columns)}"
        return [(text, text)]
