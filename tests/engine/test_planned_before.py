"""A statement that was planned before isn't planned again, as long as nothing that its plan depends on has changed."""

from __future__ import annotations

import decimal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import write_deltalake

import deltasql
from deltasql.engine.engine import DataFusionEngine


@pytest.fixture
def con(tmp_path: Path) -> Iterator[deltasql.Connection]:
    write_deltalake(tmp_path / "t", pa.table({"id": [1, 2], "f": [1.5, float("nan")]}))
    with deltasql.connect(tmp_path) as connection:
        yield connection


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that are planned, in order."""
    texts: list[str] = []
    real = DataFusionEngine._bind

    def bind(self: DataFusionEngine, query: Any, *rest: Any) -> Any:
        texts.append(query.text)
        return real(self, query, *rest)

    monkeypatch.setattr(DataFusionEngine, "_bind", bind)
    return texts


def test_the_same_twice(con: deltasql.Connection, planned: list[str]) -> None:
    for _ in range(3):
        assert con.sql("SELECT count(*) FROM t WHERE id > 0").fetchall() == [(2,)]
    assert len(planned) == 1


def test_two_results_of_one_plan_share_nothing(con: deltasql.Connection, planned: list[str]) -> None:
    one, two = con.sql("SELECT id FROM t ORDER BY id"), con.sql("SELECT id FROM t ORDER BY id")
    assert len(planned) == 1
    assert (one.fetchone(), two.fetchone(), two.fetchone(), one.fetchone()) == ((1,), (1,), (2,), (2,))


def test_a_write_is_seen(con: deltasql.Connection) -> None:
    for rows in range(2, 6):
        assert con.sql("SELECT count(*) FROM t").fetchall() == [(rows,)]
        con.sql("INSERT INTO t VALUES (9, 9)")


def test_settings_are_seen(con: deltasql.Connection, planned: list[str]) -> None:
    query = (
        "SELECT TIMESTAMP '2024-07-01 12:00:00' < TIMESTAMPTZ '2024-07-01 11:00:00+00', arrow_typeof(to_timestamp(0))"
    )
    first = con.sql(query).fetchall()
    con.sql("SET time_zone = 'Europe/Berlin'")
    con.sql(query).fetchall()
    assert len(planned) == 2
    con.sql("SET deltasql.reader = 'scan'")
    con.sql(query).fetchall()
    con.sql("SET datafusion.execution.batch_size = 7")
    con.sql(query).fetchall()
    con.sql("RESET ALL")
    assert len(planned) == 4
    assert con.sql(query).fetchall() == first


@pytest.mark.parametrize("values", [[1, 1.0, True, "1", decimal.Decimal("1.0"), decimal.Decimal("1.00"), None]])
def test_parameters_are_seen_with_their_types(con: deltasql.Connection, values: list[Any]) -> None:
    types = [con.sql("SELECT arrow_typeof(?)", [value]).fetchall()[0][0] for value in values]
    assert len(set(types)) == len(values)


def test_what_is_new_each_time_is_planned_each_time(con: deltasql.Connection) -> None:
    assert con.sql("SELECT now()").fetchall() != con.sql("SELECT now()").fetchall()
    assert con.sql("SELECT current_timestamp").fetchall() != con.sql("SELECT current_timestamp").fetchall()
    assert con.sql("SELECT random()").fetchall() != con.sql("SELECT random()").fetchall()


def test_the_place_of_an_error_is_that_of_its_own_text(con: deltasql.Connection) -> None:
    for query in ("SELECT 1/(id-1) FROM t", "SELECT    1/(ID-1) FROM T", "SELECT 1/(ID-1) FROM T"):
        with pytest.raises(deltasql.DataError) as caught:
            con.sql(query).fetchall()
        assert caught.value.statement in (None, query)


def test_only_so_many_are_remembered(con: deltasql.Connection) -> None:
    for number in range(100):
        con.sql(f"SELECT {number}").fetchall()
    assert len(con._session.engine._planned_before) == 32  # type: ignore[attr-defined]
