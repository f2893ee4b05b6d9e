"""Names: which are safe, how they are found among thousands, what another connection sees, and what views keep."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import pytest

import deltasql
from deltasql.catalog import catalog as catalogs

LOG = Path("_delta_log")


@pytest.fixture
def con(tmp_path: Path) -> deltasql.Connection:
    return deltasql.connect(tmp_path / "root")


def _error(con: deltasql.Connection, statement: str, kind: type[deltasql.Error]) -> deltasql.Error:
    with pytest.raises(kind) as raised:
        con.sql(statement)
    return raised.value


# -- names


@pytest.mark.parametrize(
    "name",
    ["select", "Größe", "a b", "a.b", "it's", 'say "hi"', "a`b", "a;b", "a--b", "表", "a@v", "$1", "?", "x" * 200],
)
@pytest.mark.parametrize("kind", ["TABLE", "VIEW", "SCHEMA"])
def test_any_name_quoted(con: deltasql.Connection, name: str, kind: str) -> None:
    quoted = "`" + name.replace("`", "``") + "`"
    con.sql(f"CREATE {kind} {quoted}" + ("" if kind == "SCHEMA" else " AS SELECT 1 AS id"))
    if kind == "SCHEMA":
        con.sql(f"CREATE TABLE {quoted}.{quoted} AS SELECT 1 AS id")
        con.sql(f"USE {quoted}")
    shown = con.sql("SHOW TABLES").fetchall()
    assert [row[1] for row in shown] == [name]
    with deltasql.connect(con.root) as other:
        where = f"main.{quoted}.{quoted}" if kind == "SCHEMA" else f"main.default.{quoted}"
        assert other.sql(f"SELECT id FROM {where}").fetchall() == [(1,)]
    assert con.sql(f"SELECT {quoted}.id FROM {quoted}").fetchall() == [(1,)]
    con.sql("USE main.default")
    con.sql(f"DROP {kind} {quoted}" + (" CASCADE" if kind == "SCHEMA" else ""))
    assert con.sql("SELECT * FROM information_schema.tables").fetchall() == []
    assert con.sql("SHOW SCHEMAS").fetchall() == [("default",)]


@pytest.mark.parametrize("name", ["..", ".", "../up", "a/b", "/abs", "a\\b", "_x", ".x", ""])
@pytest.mark.parametrize("where", ["{}", "s.{}", "{}.t"])
def test_a_managed_name_stays_below_the_root(con: deltasql.Connection, tmp_path: Path, name: str, where: str) -> None:
    con.sql("CREATE SCHEMA s")
    before = sorted(path for path in tmp_path.rglob("*") if LOG not in path.parents)
    with pytest.raises((deltasql.PlanError, deltasql.SchemaNotFound, deltasql.ParseError)):
        con.sql(f"CREATE TABLE {where.format(f'`{name}`')} (id INT)")
    assert sorted(path for path in tmp_path.rglob("*") if LOG not in path.parents) == before


def test_a_link_out_of_the_root(con: deltasql.Connection, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    with deltasql.connect(outside) as other:
        other.sql("CREATE TABLE t AS SELECT 1 AS id")
    con.sql("CREATE TABLE mine AS SELECT 2 AS id")
    (con.root / "linked").symlink_to(outside)
    (con.root / "direct").symlink_to(outside / "t")
    assert con.sql("SELECT a.id, b.id FROM linked.t a, direct b").fetchall() == [(1, 1)]
    error = _error(con, "CREATE TABLE linked.fresh (id INT)", deltasql.PlanError)
    assert "leads out of the root by a link" in str(error)
    assert not (outside / "fresh").exists()
    # Dropping takes the link, and follows none.
    con.sql("DROP SCHEMA linked CASCADE")
    con.sql("DROP TABLE direct")
    assert (outside / "t" / "_delta_log").is_dir()
    assert con.sql("SHOW TABLES").fetchall() == [("default", "mine", False)]


def test_a_link_within_a_schema_that_is_dropped(con: deltasql.Connection, tmp_path: Path) -> None:
    with deltasql.connect(tmp_path / "outside") as other:
        other.sql("CREATE TABLE t AS SELECT 1 AS id")
    con.sql("CREATE SCHEMA s")
    (con.root / "s" / "t").symlink_to(tmp_path / "outside" / "t")
    con.sql("DROP SCHEMA s CASCADE")
    assert (tmp_path / "outside" / "t" / "_delta_log").is_dir()
    assert not (con.root / "s").exists()


def test_names_that_differ_by_case(con: deltasql.Connection) -> None:
    con.sql("CREATE TABLE t AS SELECT 1 AS id")
    shutil.copytree(con.root / "t", con.root / "T")
    error = _error(con, "SELECT * FROM t", deltasql.PlanError)
    assert "table `t` is ambiguous: `T` and `t` differ only by case" in str(error)
    con.sql('DELETE FROM "T"')
    assert con.sql("SELECT * FROM `t`").fetchall() == [(1,)]
    assert con.sql('SELECT * FROM "T"').fetchall() == []
    shutil.rmtree(con.root / "T")
    assert con.sql("SELECT * FROM T").fetchall() == [(1,)]
    _error(con, 'CREATE TABLE "T" (id INT)', deltasql.AlreadyExists)
    _error(con, "CREATE VIEW T AS SELECT 1 AS id", deltasql.AlreadyExists)


def test_a_table_that_comes_just_after_a_look(con: deltasql.Connection) -> None:
    con.sql("CREATE TABLE first (id INT)")
    with deltasql.connect(con.root) as other:
        for number in range(20):
            _error(con, f"SELECT * FROM FRESH_{number}", deltasql.TableNotFound)
            other.sql(f"CREATE TABLE fresh_{number} (id INT)")
            assert con.sql(f"SELECT * FROM FRESH_{number}").fetchall() == []
            other.sql(f"DROP TABLE fresh_{number}")
            _error(con, f"SELECT * FROM FRESH_{number}", deltasql.TableNotFound)


# -- many tables


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("many")
    with deltasql.connect(root) as con:
        con.sql("CREATE TABLE t00000 AS SELECT 1 AS id")
    entry = root / "t00000" / LOG / f"{0:020d}.json"
    for number in range(1, 5000):
        log = root / f"t{number:05d}" / LOG
        log.mkdir(parents=True)
        (log / entry.name).hardlink_to(entry)
    return root


def test_thousands_of_tables_are_listed_unopened(many: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(*_: object) -> None:
        raise AssertionError("a table was opened")

    monkeypatch.setattr("deltasql.catalog.snapshot._opened", opened)
    with deltasql.connect(many) as con:
        began = time.process_time()
        assert len(con.sql("SHOW TABLES").fetchall()) == 5000
        assert con.sql("SELECT count(*) FROM information_schema.tables").fetchall() == [(5000,)]
        assert con.sql("SHOW TABLES LIKE 't0123*'").to_arrow().num_rows == 10
        assert time.process_time() - began < 3


def test_one_of_thousands_is_found_by_itself(many: Path) -> None:
    with deltasql.connect(many) as con:
        assert con.sql("SELECT * FROM T00000").fetchall() == [(1,)]
        began = time.process_time()
        for _ in range(20):
            con.sql("SELECT * FROM T00000")
        assert (time.process_time() - began) / 20 < 0.1


def test_the_columns_of_one_table_open_one(many: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []
    latest = catalogs.Catalog.latest

    def counted(self: catalogs.Catalog, entry: catalogs.TableEntry) -> object:
        opened.append(entry.name)
        return latest(self, entry)

    monkeypatch.setattr(catalogs.Catalog, "latest", counted)
    with deltasql.connect(many) as con:
        sql = "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = 'default' AND table_name = 't00000'"
        assert con.sql(sql).fetchall() == [("id", "BIGINT")]
    assert opened == ["t00000"]


# -- what is kept


def test_a_view_as_it_is_kept(con: deltasql.Connection) -> None:
    con.sql("CREATE TABLE t AS SELECT 1 AS id")
    con.sql("CREATE VIEW v (k COMMENT 'key') COMMENT 'about' AS SELECT id + 1 FROM t")
    content = json.loads((con.root / "_deltasql" / "catalog.json").read_text())
    assert content["views"] == {
        "default": {
            "v": {
                "query": "SELECT id + 1 FROM t",
                "catalog": "main",
                "schema": "default",
                "root": "main",
                "comment": "about",
                "columns": [{"name": "k", "source": "t.id + Int64(1)", "type": "BIGINT", "comment": "key"}],
            }
        }
    }
    view = con.session.catalog.views("default")[0]
    assert (view.query, view.comment, view.columns[0].comment) == ("SELECT id + 1 FROM t", "about", "key")


def test_a_schema_keeps_its_comment(con: deltasql.Connection) -> None:
    con.sql("CREATE SCHEMA s COMMENT 'what for'")
    with deltasql.connect(con.root) as other:
        root = other.session.catalog.of("main")
        assert root.comment("s") == "what for"
        root.set_comment("s", None)
        assert con.session.catalog.of("main").comment("s") is None
    assert con.sql("SHOW SCHEMAS").fetchall() == [("default",), ("s",)]


def test_a_view_of_another_connection(con: deltasql.Connection) -> None:
    with deltasql.connect(con.root) as other:
        con.sql("CREATE VIEW v AS SELECT 1 AS a")
        assert other.sql("SELECT * FROM v").fetchall() == [(1,)]
        other.sql("CREATE OR REPLACE VIEW v AS SELECT 2 AS a")
        assert con.sql("SELECT * FROM v").fetchall() == [(2,)]
        con.sql("DROP VIEW v")
        _error(other, "SELECT * FROM v", deltasql.TableNotFound)


def test_a_view_that_reads_itself_by_hand(con: deltasql.Connection) -> None:
    con.sql("CREATE VIEW v AS SELECT 1 AS a")
    con.sql("CREATE VIEW w AS SELECT * FROM v")
    path = con.root / "_deltasql" / "catalog.json"
    path.write_text(path.read_text().replace("SELECT 1 AS a", "SELECT a FROM w"))
    assert "reads itself" in str(_error(con, "SELECT * FROM v", deltasql.PlanError))


def test_a_view_named_after_main_reads_its_own_root(con: deltasql.Connection, tmp_path: Path) -> None:
    con.sql("CREATE TABLE t AS SELECT 'old' AS what")
    con.sql("CREATE VIEW v AS SELECT * FROM main.default.t")
    with deltasql.connect(tmp_path / "second") as other:
        other.sql("CREATE TABLE t AS SELECT 'other' AS what")
        other.sql(f"ATTACH '{con.root}' AS first")
        assert other.sql("SELECT * FROM first.default.v").fetchall() == [("old",)]


# -- how views are read


def test_predicates_go_through_views_to_the_files(con: deltasql.Connection) -> None:
    con.sql("CREATE TABLE t (day INT, id INT, note STRING) PARTITIONED BY (day)")
    for day in range(6):
        con.sql(f"INSERT INTO t VALUES ({day}, {day * 10}, 'x'), ({day}, {day * 10 + 1}, 'y')")
    con.sql("CREATE VIEW v AS SELECT day AS d, id FROM t WHERE note = 'x'")
    con.sql("CREATE VIEW w (k, d) AS SELECT id + 0, d FROM v")

    def files(sql: str) -> str:
        rows = con.sql(f"EXPLAIN {sql}").fetchall()
        return next(plan for kind, plan in rows if kind == "table t")

    assert "1 of 6 files" in files("SELECT id FROM t WHERE day = 3")
    assert "1 of 6 files" in files("SELECT id FROM v WHERE d = 3")
    assert "2 of 6 files" in files("SELECT k FROM w WHERE d >= 4 ORDER BY k")
    assert con.sql("SELECT k FROM w WHERE d >= 4 ORDER BY k").fetchall() == [(40,), (50,)]


def test_a_view_reads_the_statement_s_own_snapshot(con: deltasql.Connection) -> None:
    con.sql("CREATE TABLE t AS SELECT 1 AS id")
    con.sql("CREATE VIEW v AS SELECT * FROM t")
    result = con.sql("SELECT t.id, v.id FROM t, v")
    con.sql("UPDATE t SET id = 2")
    assert result.fetchall() == [(1, 1)]
    assert con.sql("SELECT t.id, v.id FROM t, v").fetchall() == [(2, 2)]


def test_nan_in_a_view_s_column_that_the_query_does_not_name(con: deltasql.Connection) -> None:
    con.sql("CREATE TABLE t (id INT, x DOUBLE)")
    con.sql("INSERT INTO t VALUES (1, 'NaN'), (2, 1.0), (3, 5.0)")
    con.sql("CREATE VIEW v AS SELECT id FROM t WHERE x > 2")
    assert (
        con.sql("SELECT id FROM v ORDER BY id").fetchall()
        == con.sql("SELECT id FROM t WHERE x > 2 ORDER BY id").fetchall()
    )


def test_views_of_many_kinds(con: deltasql.Connection) -> None:
    con.sql("CREATE TABLE t AS SELECT 1 AS id, 'a' AS name UNION ALL SELECT 2, 'b'")
    queries = {
        "TABLE t": [(1, "a"), (2, "b")],
        "FROM t": [(1, "a"), (2, "b")],
        "SELECT id, name FROM t UNION SELECT 3, 'c'": [(1, "a"), (2, "b"), (3, "c")],
        "VALUES (1, 'x')": [(1, "x")],
        "SELECT t.id, count(*) AS n FROM t JOIN t u USING (id) GROUP BY 1": [(1, 1), (2, 1)],
        "SELECT id, row_number() OVER (ORDER BY id DESC) AS r FROM t": [(1, 2), (2, 1)],
        "SELECT id, name FROM t VERSION AS OF 0 /* open": None,
        "SELECT x.id, y.name FROM t x LEFT JOIN t y ON x.id = y.id + 1": [(1, None), (2, "a")],
        "SELECT version, operation FROM table_history('t')": [(0, "CREATE TABLE AS SELECT")],
    }
    for index, (query, rows) in enumerate(queries.items()):
        if rows is None:
            _error(con, f"CREATE VIEW v{index} AS {query}", deltasql.ParseError)
            continue
        con.sql(f"CREATE VIEW v{index} AS {query}")
        assert sorted(con.sql(f"SELECT * FROM v{index}").fetchall()) == rows, query
        assert sorted(con.sql(f"SELECT a.* FROM v{index} a, v{index} b LIMIT 1").fetchall()), query
