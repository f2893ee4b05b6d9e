"""The dialect of SQLAlchemy: what SQLAlchemy's own suite (`test_compliance.py`) doesn't ask."""

from __future__ import annotations

import datetime as dt
import decimal
import importlib.metadata
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa
from sqlalchemy import Column, MetaData, Table, exc, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, aliased, mapped_column, relationship

import deltasql
from deltasql.ext.sqlalchemy import ARRAY, MAP, STRUCT, TINYINT, RollbackWarning, as_of, merge


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "lake"


@pytest.fixture
def engine(root: Path) -> Iterator[sa.Engine]:
    made = sa.create_engine(f"deltasql:///{root}")
    yield made
    made.dispose()


def history(engine: sa.Engine, table: str) -> list[str]:
    with engine.connect() as connection:
        text = f"SELECT operation FROM (DESCRIBE HISTORY {table}) ORDER BY version"
        return list(connection.exec_driver_sql(text).scalars())


@pytest.fixture
def items(engine: sa.Engine) -> Table:
    """Three versions: made, with two rows, with one row changed and one more."""
    table = Table("items", MetaData(), Column("id", sa.Integer, autoincrement=False), Column("name", sa.String))
    table.create(engine)
    with engine.begin() as connection:
        connection.execute(table.insert(), [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}])
        connection.execute(table.update().where(table.c.id == 1).values(name="changed"))
    return table


# -- connecting


def test_the_entry_points_lead_to_the_dialect() -> None:
    found = {each.name: each.value for each in importlib.metadata.entry_points(group="sqlalchemy.dialects")}
    assert found["deltasql"] == found["deltasql.deltasql"] == "deltasql.ext.sqlalchemy:Dialect"


def test_a_url_has_settings_and_options(root: Path) -> None:
    url = f"deltasql:///{root}?deltasql.statement_timeout=7s&AWS_REGION=eu-north-1&dialect=duckdb"
    engine = sa.create_engine(url, connect_args={"settings": {"deltasql.threads": 1}})
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SHOW deltasql.statement_timeout").one()[1] == "7s"
        assert connection.exec_driver_sql("SHOW deltasql.threads").one()[1] == "1"
        assert connection.exec_driver_sql("SHOW deltasql.dialect").one()[1] == "duckdb"
    engine.dispose()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("deltasql://host/lake", "a root and no host"),
        ("deltasql://ada:pw@/lake", "a root and no host"),
        ("deltasql:///lake?read_only=maybe", "'maybe' in the URL"),
        ("deltasql:///lake?nonsense=1", "no `nonsense`"),
        ("deltasql:///lake?AWS_SECRET_ACCESS_KEY=hush", "is a secret"),
        ("deltasql:///lake?profile=a&profile=b", "given twice"),
    ],
)
def test_wrong_urls(url: str, message: str) -> None:
    with pytest.raises(exc.ArgumentError, match=message) as caught:
        sa.create_engine(url)
    assert "hush" not in str(caught.value)


def test_secrets_are_not_shown(root: Path) -> None:
    engine = sa.create_engine(
        f"deltasql:///{root}", connect_args={"storage_options": {"AWS_SECRET_ACCESS_KEY": "hushhush"}}
    )
    with engine.connect() as connection:
        shown = f"{engine!r} {connection!r} {connection.connection.driver_connection!r} {engine.pool!r} {engine.url!r}"
    assert "hush" not in shown
    engine.dispose()


def test_read_only(engine: sa.Engine, items: Table, root: Path) -> None:
    reader = sa.create_engine(f"deltasql:///{root}?read_only=true")
    with reader.connect() as connection:
        assert len(connection.execute(select(items)).all()) == 2
        with pytest.raises(exc.OperationalError, match="read-only"):
            connection.execute(items.delete())
    reader.dispose()


def test_without_a_root_all_connections_are_one() -> None:
    engine = sa.create_engine("deltasql://")
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE t AS SELECT 1 AS a")
    seen: list[Any] = []

    def look() -> None:
        with engine.connect() as connection:
            seen.append(connection.exec_driver_sql("SELECT a FROM t").scalar())

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [1]
    engine.dispose()


def test_a_connection_that_was_closed_is_replaced(engine: sa.Engine, items: Table) -> None:
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        driver.close()
        with pytest.raises(exc.DBAPIError) as caught:
            connection.execute(select(items))
        assert caught.value.connection_invalidated
    with engine.connect() as connection:
        assert len(connection.execute(select(items)).all()) == 2


# -- transactions


def test_a_rollback_after_writes_warns_and_takes_nothing_back(engine: sa.Engine, items: Table) -> None:
    with engine.connect() as connection:
        connection.execute(items.delete())
        with pytest.warns(RollbackWarning, match="took nothing back"):
            connection.rollback()
        assert connection.execute(select(sa.func.count()).select_from(items)).scalar() == 0
        connection.rollback()  # Only looked: nothing to warn of.


def test_who_asks_for_autocommit_is_not_warned(root: Path, engine: sa.Engine, items: Table) -> None:
    knowing = sa.create_engine(f"deltasql:///{root}", isolation_level="AUTOCOMMIT")
    with knowing.connect() as connection:
        connection.execute(items.delete().where(items.c.id == 1))
        connection.rollback()
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(items.delete())
    with pytest.warns(RollbackWarning), engine.connect() as connection:  # It holds for that one connection.
        connection.execute(items.insert(), {"id": 1})
    knowing.dispose()


def test_an_error_is_raised_as_it_is_although_a_write_went_before(engine: sa.Engine, items: Table) -> None:
    def fail() -> None:
        with engine.begin() as connection:
            connection.execute(items.delete())
            connection.exec_driver_sql("SELECT * FROM nowhere")

    with pytest.warns(RollbackWarning), pytest.raises(exc.ProgrammingError, match="no table"):
        fail()


def test_other_levels_and_savepoints_are_refused(engine: sa.Engine) -> None:
    with pytest.raises(exc.ArgumentError, match="Valid isolation levels for 'deltasql' are AUTOCOMMIT"):
        engine.connect().execution_options(isolation_level="SERIALIZABLE")
    with engine.connect() as connection, pytest.raises(exc.NotSupportedError, match="no savepoints"):
        connection.begin_nested()


# -- time travel


def test_a_statement_as_of_a_version_gives_the_old_rows(engine: sa.Engine, items: Table) -> None:
    ordered = select(items.c.name).order_by(items.c.id)
    with engine.connect() as connection:
        old = connection.execute(ordered, execution_options={"deltasql_version": 1}).scalars().all()
        assert old == ["a", "b"]
        assert connection.execute(ordered).scalars().all() == ["changed", "b"]
        assert connection.execute(ordered.execution_options(deltasql_version=0)).scalars().all() == []


def test_a_connection_as_of_a_time_gives_the_old_rows(engine: sa.Engine, items: Table) -> None:
    with engine.connect() as connection:
        text = "SELECT timestamp FROM (DESCRIBE HISTORY items) WHERE version = 1"
        then = connection.exec_driver_sql(text).scalar()
        for time in (then, then.isoformat()):
            old = connection.execution_options(deltasql_timestamp=time)
            assert old.execute(sa.text("SELECT name FROM items ORDER BY id")).scalars().all() == ["a", "b"]


def test_views_and_joins_and_the_orm_travel_too(engine: sa.Engine, items: Table) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE VIEW named AS SELECT name FROM items")
        connection.exec_driver_sql("CREATE TEMPORARY VIEW passing AS SELECT name FROM items")
        query = "SELECT count(*) FROM {0} WHERE name = 'a' AND name IN (SELECT name FROM {0})"
        old = {"deltasql_version": 1}
        for name in ("items", "named", "passing"):
            assert connection.execute(sa.text(query.format(name)), execution_options=old).scalar() == 1
            assert connection.execute(sa.text(query.format(name))).scalar() == 0

    class Base(DeclarativeBase):
        pass

    class Item(Base):
        __table__ = items
        __mapper_args__ = {"primary_key": [items.c.id]}  # noqa: RUF012

    with Session(engine) as session:
        was = aliased(Item, as_of(items, version=1))
        pairs = session.execute(select(was.name, Item.name).join(Item, was.id == Item.id).order_by(Item.id)).all()
        assert [tuple(pair) for pair in pairs] == [("a", "changed"), ("b", "b")]
        assert session.scalar(select(Item.name).where(Item.id == 1), execution_options=old) == "a"


def test_as_of_wins_over_the_options_and_is_told_from_another_version(engine: sa.Engine, items: Table) -> None:
    with engine.connect() as connection:
        found = []
        for version in (0, 1, 2):
            table = as_of(items, version=version, name="then")
            query = select(sa.func.max(table.c.name)).where(table.c.id == 1)
            found.append(connection.execute(query, execution_options={"deltasql_version": 2}).scalar())
    assert found == [None, "a", "changed"]
    assert "items VERSION AS OF 2 AS" in str(select(as_of(items, version=2)))


def test_time_travel_is_for_queries_alone(engine: sa.Engine, items: Table) -> None:
    with engine.connect().execution_options(deltasql_version=1) as connection:
        for statement in (items.delete(), items.insert().values(id=3)):
            with pytest.raises(exc.NotSupportedError, match="only a query"):
                connection.execute(statement)
        with pytest.raises(exc.NotSupportedError, match="only a query"):
            connection.execute(items.insert(), [{"id": 3}, {"id": 4}])
    assert history(engine, "items") == ["CREATE TABLE", "WRITE", "UPDATE"]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"deltasql_version": -1}, exc.ArgumentError, "no version"),
        ({"deltasql_version": "1"}, exc.ArgumentError, "no version"),
        ({"deltasql_version": True}, exc.ArgumentError, "no version"),
        ({"deltasql_timestamp": 5}, exc.ArgumentError, "no time"),
        ({"deltasql_timestamp": "2020-01-01", "deltasql_version": 1}, exc.ArgumentError, "both"),
        ({"deltasql_version": 99}, exc.OperationalError, "no version 99"),
        ({"deltasql_timestamp": "1999-01-01"}, exc.OperationalError, "before"),
        ({"deltasql_timestamp": "'); DROP TABLE items"}, exc.ProgrammingError, "no time"),
    ],
)
def test_wrong_times(
    engine: sa.Engine, items: Table, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with engine.connect() as connection, pytest.raises((error, exc.StatementError), match=message):
        connection.execute(select(items), execution_options=options)


def test_as_of_takes_a_table_and_one_time(items: Table) -> None:
    with pytest.raises(exc.ArgumentError, match="a table"):
        as_of(select(items).subquery(), version=1)
    with pytest.raises(exc.ArgumentError, match="a version or a timestamp"):
        as_of(items)


# -- writing


def test_executemany_is_one_write(engine: sa.Engine) -> None:
    table = Table(
        "t",
        MetaData(),
        Column("id", sa.BigInteger, autoincrement=False, primary_key=True),
        Column("amount", sa.Numeric(10, 2)),
        Column("weight", sa.Float),
        Column("tags", sa.ARRAY(sa.String)),
        Column("counts", MAP(sa.String, sa.Integer)),
        Column("place", STRUCT({"x": sa.Integer, "Y y": sa.String})),
    )
    table.create(engine)
    rows: list[dict[str, Any]] = [
        {
            "id": 1,
            "amount": decimal.Decimal("1.25"),
            "weight": 1,
            "tags": [],
            "counts": {},
            "place": {"x": 1, "Y y": "a"},
        },
        {"id": 2, "amount": 2, "weight": 0.5, "tags": ["a"], "counts": {"k": 1}, "place": {"x": None, "Y y": None}},
        {"id": 3, "amount": 0.1, "weight": None, "tags": None, "counts": None, "place": None},
    ]
    with engine.begin() as connection:
        assert connection.execute(table.insert(), rows).rowcount == 3
        got = connection.execute(select(table).order_by(table.c.id)).all()
        assert connection.execute(select(table.c.counts["k"], table.c.place["Y y"]).order_by(table.c.id)).first() == (
            None,
            "a",
        )
    assert [tuple(row) for row in got] == [
        (1, decimal.Decimal("1.25"), 1.0, [], {}, {"x": 1, "Y y": "a"}),
        (2, decimal.Decimal("2.00"), 0.5, ["a"], {"k": 1}, {"x": None, "Y y": None}),
        (3, decimal.Decimal("0.10"), None, None, None, None),
    ]
    assert history(engine, "t") == ["CREATE TABLE", "WRITE"]


def test_update_from_and_percent_signs(engine: sa.Engine, items: Table) -> None:
    other = Table("other", MetaData(), Column("id", sa.Integer), Column("100%", sa.String))
    other.create(engine)
    with engine.begin() as connection:
        connection.execute(other.insert(), [{"id": 2, "100%": "5%s"}])
        done = connection.execute(items.update().where(items.c.id == other.c.id).values(name=other.c["100%"]))
        assert done.rowcount == 1
        found = connection.execute(select(items.c.name).where(items.c.name.endswith("%s", autoescape=True)))
        assert found.scalars().all() == ["5%s"]
        assert connection.exec_driver_sql("SELECT 7 % 4, '%s' LIKE '\\%s', ? || '%'", ("a",)).one() == (3, True, "a%")


def test_like_escapes_what_it_is_told_to(engine: sa.Engine) -> None:
    names = ["a/b", "a%b", "a_b", "axb", "a\\b", "a//b"]
    with engine.connect() as connection:
        table = sa.values(Column("n", sa.String), name="v").data([(name,) for name in names])
        for name in names:
            for escape in ("/", "!", "\\"):
                query = select(table.c.n).where(table.c.n.contains(name[1:], autoescape=True, escape=escape))
                assert connection.execute(query).scalars().all() == [each for each in names if name[1:] in each]


def test_merge(engine: sa.Engine, items: Table) -> None:
    new = Table("new", MetaData(), Column("id", sa.Integer), Column("name", sa.String))
    new.create(engine)
    with engine.begin() as connection:
        connection.execute(new.insert(), [{"id": 2, "name": "two"}, {"id": 3, "name": "three"}])
        statement = (
            merge(items)
            .using(new, items.c.id == new.c.id)
            .when_matched_update({items.c.name: new.c.name + "!"}, condition=items.c.name != "z")
            .when_not_matched_insert({"id": new.c.id, "name": "it's new"})
            .when_not_matched_by_source_delete(condition=items.c.id < 100)
        )
        assert connection.execute(statement).rowcount == 3
        assert connection.execute(select(items).order_by(items.c.id)).all() == [(2, "two!"), (3, "it's new")]
        connection.execute(
            merge(items).using(new, items.c.id == new.c.id).when_matched_update().when_not_matched_insert()
        )
        assert connection.execute(select(items).order_by(items.c.id)).all() == [(2, "two"), (3, "three")]


def test_wrong_merges(items: Table) -> None:
    with pytest.raises(exc.ArgumentError, match="no column 'nme'"):
        merge(items).using(items, sa.true()).when_matched_update({"nme": 1})
    with pytest.raises(exc.ArgumentError, match="a mapping"):
        merge(items).using(items, sa.true()).when_not_matched_insert({})
    with pytest.raises(exc.CompileError, match="a source"):
        str(merge(items))


@pytest.mark.parametrize(
    "make",
    [
        lambda t: select(t).with_for_update(),
        lambda t: t.delete().where(t.c.id == Table("u", MetaData(), Column("id", sa.Integer)).c.id),
        lambda t: t.insert().returning(t.c.id),
        lambda t: select(t.tablesample(5)),
        lambda t: select(t.c.name.collate("de_DE")),
        lambda t: select(sa.cast(t.c.name, sa.JSON)["a"]),
    ],
)
def test_what_there_is_not_is_refused(engine: sa.Engine, items: Table, make: Any) -> None:
    with engine.connect() as connection, pytest.raises((exc.CompileError, exc.NotSupportedError)):
        connection.execute(make(items))


# -- definitions and reflection


def test_what_a_table_is_made_with_is_reflected(engine: sa.Engine) -> None:
    metadata = MetaData()
    made = Table(
        "Orders",
        metadata,
        Column("id", sa.Integer, sa.Identity(always=True, start=5, increment=2)),
        Column("Day", sa.Date, nullable=False, comment="it's 100%"),
        Column("year", sa.Integer, sa.Computed("year(`Day`)")),
        Column("state", sa.String(9), server_default="open"),
        Column("price", sa.Numeric(12, 3), sa.CheckConstraint("price > 0", name="paid")),
        Column("n", TINYINT),
        Column("at", sa.DateTime),
        Column("seen", sa.DateTime(timezone=True)),
        Column("tags", ARRAY(sa.Integer, dimensions=2)),
        Column("attributes", MAP(sa.String, STRUCT({"a b": sa.Float}))),
        sa.CheckConstraint("n < 100"),
        comment="what was ordered",
        deltasql_partition_by=["Day"],
        deltasql_properties={"delta.appendOnly": True, "my.key": "it's"},
    )
    clustered = Table("c", metadata, Column("a", sa.Integer), Column("b", sa.Integer), deltasql_cluster_by=["b", "a"])
    metadata.create_all(engine)
    found = Table("Orders", MetaData(), autoload_with=engine)
    types = {column.name: str(column.type.compile(engine.dialect)) for column in made.columns}
    assert {column.name: str(column.type.compile(engine.dialect)) for column in found.columns} == types | {
        "id": "BIGINT"
    }
    assert found.comment == made.comment
    assert found.c.Day.comment == "it's 100%"
    assert [column.name for column in found.columns if not column.nullable] == ["id", "Day"]
    identity = found.c.id.identity
    assert identity is not None
    assert (identity.always, identity.start, identity.increment) == (True, 5, 2)
    assert found.c.year.computed is not None
    assert found.dialect_options["deltasql"]["partition_by"] == ["Day"]
    inspector = sa.inspect(engine)
    assert {check["name"] for check in inspector.get_check_constraints("Orders")} == {"paid", "check_1"}
    options = inspector.get_table_options("Orders")["deltasql_properties"]
    assert (options["delta.appendOnly"], options["my.key"]) == ("true", "it's")
    assert inspector.get_table_options("c")["deltasql_cluster_by"] == ["b", "a"]
    assert inspector.get_pk_constraint("Orders")["constrained_columns"] == []
    assert inspector.get_indexes("Orders") == inspector.get_foreign_keys("Orders") == []
    assert inspector.has_table("ORDERS")
    found.drop(engine)
    found.create(engine)  # What is reflected makes the same table again.
    assert sa.inspect(engine).get_table_options("Orders")["deltasql_partition_by"] == ["Day"]
    clustered.drop(engine)


def test_schemas_views_and_catalogs(engine: sa.Engine, tmp_path: Path) -> None:
    with deltasql.connect(tmp_path / "far") as far:
        far.sql("CREATE TABLE t AS SELECT 1 AS a")
    with engine.begin() as connection:
        connection.exec_driver_sql(f"ATTACH '{tmp_path / 'far'}' AS far")
        connection.execute(sa.schema.CreateSchema("sales"))
        connection.exec_driver_sql("CREATE VIEW sales.v AS SELECT a AS b FROM far.default.t")
        inspector = sa.inspect(connection)
        assert inspector.default_schema_name == "default"
        assert inspector.get_schema_names() == ["default", "sales", "far.default"]
        assert inspector.get_view_names("sales") == ["v"]
        assert inspector.get_table_names("far.default") == ["t"]
        assert inspector.get_table_names("nowhere") == []
        table = Table("t", MetaData(), schema="far.default", autoload_with=connection)
        assert connection.execute(select(table)).all() == [(1,)]
        assert "a AS b" in inspector.get_view_definition("v", "sales")
        assert isinstance(inspector.get_columns("v", "sales")[0]["type"], sa.BIGINT)
        with pytest.raises(exc.NoSuchTableError):
            inspector.get_columns("nothing")


def test_columns_as_of_a_version_are_reflected(engine: sa.Engine, items: Table) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE items ADD COLUMN more INT")
        old = sa.inspect(connection.execution_options(deltasql_version=1))
        assert [column["name"] for column in old.get_columns("items")] == ["id", "name"]


def test_keys_and_indexes_are_left_out_and_unique_says_so(engine: sa.Engine) -> None:
    metadata = MetaData()
    Table("a", metadata, Column("id", sa.String, primary_key=True), Column("x", sa.Integer, index=True))
    Table("b", metadata, Column("a", sa.String, sa.ForeignKey("a.id")), Column("x", sa.Integer, unique=True))
    with pytest.warns(exc.SAWarning, match="no UNIQUE"):
        metadata.create_all(engine)
    metadata.drop_all(engine)
    assert sa.inspect(engine).get_table_names() == []


@pytest.mark.parametrize(
    "column",
    [
        Column("x", sa.Time),
        Column("x", sa.String(collation="C")),
        Column("x", sa.Integer, sa.Computed("1", persisted=False)),
        Column("x", sa.Integer, sa.Identity(cycle=True)),
    ],
)
def test_columns_that_delta_has_not(engine: sa.Engine, column: Column[Any]) -> None:
    with pytest.raises(exc.CompileError):
        Table("t", MetaData(), column._copy()).create(engine)
    assert sa.inspect(engine).get_table_names() == []


def test_reserved_and_odd_names(engine: sa.Engine) -> None:
    names = ["select", "user", "trim", "order by", 'quo"te', "Mixed", "per%cent", "co:lon", "quest?ion", "d.o.t", "ü"]
    table = Table("only", MetaData(), *(Column(name, sa.Integer) for name in names))
    table.create(engine)
    with engine.begin() as connection:
        connection.execute(table.insert(), [dict.fromkeys(names, 1), dict.fromkeys(names, 2)])
        connection.execute(table.update().values({table.c[name]: table.c[name] + 1 for name in names}))
        assert connection.execute(select(table).order_by(table.c.user)).first() == (2,) * len(names)
        assert list(connection.execute(select(table)).keys()) == names


# -- the ORM


class Base(DeclarativeBase):
    pass


class Parent(Base):
    __tablename__ = "parent"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    children: Mapped[list[Child]] = relationship(back_populates="parent", order_by="Child.weight")


class Child(Base):
    __tablename__ = "child"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    parent_id: Mapped[int] = mapped_column(sa.ForeignKey("parent.id"))
    weight: Mapped[float]
    born: Mapped[dt.datetime] = mapped_column(default=dt.datetime(2020, 1, 2, 3))
    about: Mapped[Any] = mapped_column(sa.JSON, default=dict)
    parent: Mapped[Parent] = relationship(back_populates="children")


def test_the_orm(engine: sa.Engine) -> None:
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all(
            [
                Parent(
                    name="A",
                    children=[
                        Child(id=uuid.uuid4(), weight=2, about={}),
                        Child(id=uuid.uuid4(), weight=1.5, about={"a": [1]}),
                    ],
                ),
                Parent(name="B"),
            ]
        )
        session.commit()
        first, second = session.scalars(select(Parent).order_by(Parent.id))
        assert (first.id, second.id) == (1, 2)  # The numbers that the commits gave.
        assert [child.about for child in first.children] == [{"a": [1]}, {}]
        first.name = "AA"
        session.delete(first.children[0])
        session.commit()
        counted = (
            select(Parent.name, sa.func.count(Child.id)).outerjoin(Child).group_by(Parent.name).order_by(Parent.name)
        )
        assert [tuple(row) for row in session.execute(counted)] == [("AA", 1), ("B", 0)]
    assert history(engine, "child") == ["CREATE TABLE", "WRITE", "DELETE"]


# -- pandas


def test_pandas_round_trip(engine: sa.Engine) -> None:
    frame = pd.DataFrame(
        {
            "n": [1, 2, 3],
            "x": [0.5, None, 2.5],
            "s": ["a", None, "%"],
            "b": [True, False, True],
            "t": pd.to_datetime(["2020-01-01 01:02:03.123456", None, "1969-12-31"], format="ISO8601"),
            "z": pd.to_datetime(["2020-01-01 01:02", None, "1969-12-31"], utc=True, format="ISO8601"),
        }
    )
    assert frame.to_sql("f", engine) == 3
    back = pd.read_sql("SELECT * FROM f ORDER BY n", engine, index_col="index")
    assert back["n"].tolist() == [1, 2, 3]
    assert back["s"].isna().tolist() == [False, True, False]
    assert back["t"].tolist()[0] == frame["t"][0]
    assert back["z"].tolist()[2] == frame["z"][2]
    assert history(engine, "f") == ["CREATE TABLE", "WRITE"]
    frame.to_sql("f", engine, if_exists="append")
    frame.to_sql("g", engine, index=False, method="multi", dtype={"x": sa.Numeric(5, 2)})
    with engine.begin() as connection:
        frame.head(1).to_sql("f", connection, if_exists="replace", index=False)
    assert pd.read_sql_table("f", engine)["n"].tolist() == [1]
    old = engine.execution_options(deltasql_version=1)
    assert len(pd.read_sql(sa.text("SELECT * FROM g"), old)) == 3
    with pytest.raises(ValueError, match="already exists"):
        frame.to_sql("g", engine)
