"""The writes that are compared. Each is data, of which a statement, delta-rs's call and the right rows are made.

*range* is a stretch of the table's order, one file or a few of 24; *scattered* has rows in every file. A MERGE's source
is a Delta table beside: rows of lineitem with other values, and half of *upsert*'s under keys that aren't there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from deltalake import write_deltalake
from lakes import Lake, duckdb_with

KEY = ("l_orderkey", "l_linenumber")
COPY = "copy"
_CHANGED = ("l_quantity", "l_comment")
_UPDATES = {"l_quantity": "l_quantity + 1", "l_comment": "'changed'"}


@dataclass(frozen=True, slots=True)
class Case:
    """A write to ``table``. ``predicate`` holds for the rows that it is about, ``source`` is where it takes rows from,
    ``count`` of them where each is a statement of its own.
    """

    name: str
    verb: Literal["insert", "rows", "delete", "update", "merge"]
    table: str = "lineitem"
    predicate: str = "true"
    source: str = ""
    updates: Mapping[str, str] = field(default_factory=dict)
    inserts: bool = False
    count: int = 0

    @property
    def reads(self) -> tuple[str, ...]:
        """The tables that must be there before."""
        return tuple(name for name in (self.table, self.source) if name and name != COPY)

    @property
    def sql(self) -> str:
        """The statement; of ``rows``, each row is one, and the side makes them."""
        if self.verb == "delete":
            return f"DELETE FROM {self.table} WHERE {self.predicate}"
        if self.verb == "update":
            return f"UPDATE {self.table} SET {_listed(self.updates)} WHERE {self.predicate}"
        if self.verb == "merge":
            clauses = f" WHEN MATCHED THEN UPDATE SET {_listed(self.updates)}" if self.updates else ""
            clauses += " WHEN NOT MATCHED THEN INSERT *" if self.inserts else ""
            return f"MERGE INTO {self.table} AS t USING {self.source} AS s ON {self.condition}{clauses}"
        return f"INSERT INTO {self.table} SELECT * FROM {self.source}"

    @property
    def condition(self) -> str:
        """What makes a row of the source meet one of the table."""
        return " AND ".join(f"t.{name} = s.{name}" for name in KEY)

    @property
    def right(self) -> str:
        """DuckDB's query for the rows that the table must hold afterwards, over the tables as they were before."""
        if self.verb == "rows":
            return f"SELECT * FROM {self.source} ORDER BY {', '.join(KEY)} LIMIT {self.count}"
        if self.verb == "insert":
            return f"SELECT * FROM {self.source}"
        if self.verb == "delete":
            return f"SELECT * FROM {self.table} WHERE NOT ({self.predicate})"
        if self.verb == "update":
            replaced = ", ".join(
                _kept_type(c, f"CASE WHEN {self.predicate} THEN {e} ELSE {c} END", c) for c, e in self.updates.items()
            )
            return f"SELECT * REPLACE ({replaced}) FROM {self.table}"
        replaced = ", ".join(
            f"CASE WHEN s.{KEY[0]} IS NULL THEN t.{c} ELSE {e} END AS {c}" for c, e in self.updates.items()
        )
        chosen = f"t.* REPLACE ({replaced})" if replaced else "t.*"
        rows = f"SELECT {chosen} FROM {self.table} t LEFT JOIN {self.source} s ON {self.condition}"
        if self.inserts:
            rows += f" UNION ALL SELECT s.* FROM {self.source} s ANTI JOIN {self.table} t ON {self.condition}"
        return rows


def _listed(updates: Mapping[str, str]) -> str:
    return ", ".join(f"{column} = {expression}" for column, expression in updates.items())


def _kept_type(column: str, expression: str, like: str) -> str:
    return f"cast_to_type({expression}, {like}) AS {column}"


def cases(scale: float) -> Iterator[Case]:
    """All cases, on TPC-H of ``scale``."""
    yield Case("insert_all", "insert", COPY, source="lineitem")
    yield Case("insert_rows", "rows", COPY, source="lineitem", count=max(20, round(1_000 * min(scale, 1))))
    yield Case("delete_point", "delete", predicate=f"l_orderkey = {_middle(scale)}")
    yield Case("delete_partition", "delete", "lineitem_by_month", "l_year = 1995 AND l_month = 6")
    for name, predicate in _predicates(scale).items():
        yield Case(f"delete_{name}", "delete", predicate=predicate)
    for name, predicate in _predicates(scale).items():
        yield Case(f"update_{name}", "update", predicate=predicate, updates=_UPDATES)
    taken = {column: f"s.{column}" for column in _CHANGED}
    for name in _predicates(scale):
        yield Case(f"merge_{name}", "merge", source=f"source_{name}", updates=taken)
    for percent in (1, 10):
        yield Case(f"merge_upsert_{percent}", "merge", source=f"source_upsert_{percent}", updates=taken, inserts=True)
    yield Case("merge_insert_only", "merge", source="source_upsert_1", inserts=True)


def _middle(scale: float) -> int:
    """A key that is there: of 32 after one another the first 8 are."""
    return int(3_000_000 * scale) // 32 * 32


def _predicates(scale: float) -> dict[str, str]:
    first = _middle(scale)
    return {
        "range_1": f"l_orderkey >= {first} AND l_orderkey < {first + int(60_000 * scale)}",
        "range_10": f"l_orderkey >= {first} AND l_orderkey < {first + int(600_000 * scale)}",
        "scattered_1": "l_partkey % 100 = 7",
        "scattered_10": "l_partkey % 10 = 7",
    }


def sources(lake: Lake, root: Path, scale: float) -> dict[str, Path]:
    """The sources of MERGE below ``root``; made where they aren't there."""
    last = int(6_000_000 * scale)
    upserts = {f"upsert_{percent}": f"l_partkey % {100 // percent} = 7" for percent in (1, 10)}
    found = {}
    for name, predicate in (_predicates(scale) | upserts).items():
        path = found[f"source_{name}"] = root / f"source_{name}"
        if path.exists():
            continue
        new = f"CASE WHEN l_suppkey % 2 = 0 THEN l_orderkey + {last} ELSE l_orderkey END AS l_orderkey, "
        replaced = (new if name in upserts else "") + "l_quantity + 1 AS l_quantity, 'merged' AS l_comment"
        making = path.with_name("making")
        with duckdb_with("delta") as connection:
            connection.execute("SET enable_progress_bar = false")
            rows = f"FROM delta_scan('{lake.tables['lineitem']}') WHERE {predicate}"
            like = connection.execute(f"SELECT * {rows} LIMIT 0").to_arrow_table().schema
            chosen = connection.execute(f"SELECT * REPLACE ({replaced}) {rows} ORDER BY ALL").to_arrow_table()
        write_deltalake(making, chosen.cast(like), mode="overwrite")
        making.rename(path)
    return found
