"""Names in a query: tables bound, time travel spliced, columns in stored case, everything else as written."""

import pytest

from deltasql.errors import PlanError
from deltasql.names import TableReference, Timestamp, Version
from deltasql.sql.rewrite import Binding, rewrite

TABLES = {
    "users": ("Users", {"userId": {}, "userName": {}, "Date": {}, "st": {"Inner": {"Deep": {}}}}),
    "orders": ("orders", {"id": {}, "user_id": {}, "Amount": {}}),
    "twins": ("twins", {"Key": {}, "KEY": {}, "v": {}}),
}


def bind(reference: TableReference) -> Binding | None:
    if reference.path is not None:
        return Binding(("main", "delta", reference.path), {"a": {}}, _pinned(reference, reference.path))
    found = TABLES.get(reference.name.lower())
    if found is None:
        return None
    name, columns = found
    return Binding(("main", "default", name), columns, _pinned(reference, name))


def _pinned(reference: TableReference, name: str) -> str | None:
    if isinstance(reference.as_of, Version):
        return f"{name}@v{reference.as_of.expression}"
    return f"{name}@then" if isinstance(reference.as_of, Timestamp) else None


USERS = '"Users"'
ORDERS = '"orders"'


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select 1", "select 1"),
        ("select USERNAME from USERS", f'select "userName" from {USERS}'),
        ("select id from orders", f"select id from {ORDERS}"),
        ("select u.USERNAME from users u", f'select u."userName" from {USERS} u'),
        ("select USERS.username from users", f'select "Users"."userName" from {USERS}'),
        (
            "select MAIN.Default.USERS.username from main.default.users",
            'select MAIN.Default."Users"."userName" from "main"."default"."Users"',
        ),
        ('select "userName" from users', f'select "userName" from {USERS}'),
        ('select "username" from users', f'select "userName" from {USERS}'),
        ("select `USERNAME` from users", f'select "userName" from {USERS}'),
        # positions that are no columns
        ("select cast(DATE as date) from users", f'select cast("Date" as date) from {USERS}'),
        ("select amount::DATE, Date from orders, users", f'select "Amount"::DATE, "Date" from {ORDERS}, {USERS}'),
        ("select date '2020-01-01' from users", f"select date '2020-01-01' from {USERS}"),
        ("select DATE(username) from users", f'select DATE("userName") from {USERS}'),
        ("select extract(date from date) from users", f'select extract(date from "Date") from {USERS}'),
        ("select interval '1' date from users", f"select interval '1' \"Date\" from {USERS}"),
        (
            "select 'username' /* username */ from users -- date",
            f"select 'username' /* username */ from {USERS} -- date",
        ),
        ("select f(amount => amount) from orders", f'select f(amount => "Amount") from {ORDERS}'),
        ("select trim(both 'x' from username) from users", f"select trim(both 'x' from \"userName\") from {USERS}"),
        (
            "select username is distinct from date from users",
            f'select "userName" is distinct from "Date" from {USERS}',
        ),
        (
            "select max(date) over (partition by userid order by date nulls first) from users",
            f'select max("Date") over (partition by "userId" order by "Date" nulls first) from {USERS}',
        ),
        # struct fields
        ("select st.inner.DEEP, u.ST.Inner from users u", f'select st."Inner"."Deep", u.ST."Inner" from {USERS} u'),
        # aliases
        ("select id as Total from orders order by TOTAL", f'select id as "Total" from {ORDERS} order by "Total"'),
        ("select id Total, 1 from orders", f'select id "Total", 1 from {ORDERS}'),
        ("select count(*) Cnt from orders", f'select count(*) "Cnt" from {ORDERS}'),
        (
            "select x.dbl from (select amount * 2 as Dbl from orders) X where X.DBL > 1",
            f'select x."Dbl" from (select "Amount" * 2 as "Dbl" from {ORDERS}) X where X."Dbl" > 1',
        ),
        (
            'select O.id, "O".AMOUNT from orders as "O"',
            f'select "O".id, "O"."Amount" from {ORDERS} as "O"',
        ),
        ("select x.B from (values (1, 2)) as x(a, B)", 'select x."B" from (values (1, 2)) as x(a, "B")'),
        ("select x.B, ID from orders as x(a, B, id)", f'select x."B", ID from {ORDERS} as x(a, "B", id)'),
        # CTEs shadow tables, but not in their own definition
        (
            "with orders as (select * from orders where AMOUNT > 1) select Orders.id from ORDERS",
            f'with orders as (select * from {ORDERS} where "Amount" > 1) select Orders.id from ORDERS',
        ),
        (
            "with a as (select 1 as N), b as (select n from a) select n from b, orders",
            f'with a as (select 1 as "N"), b as (select "N" from a) select "N" from b, {ORDERS}',
        ),
        (
            "with recursive orders(N) as (select 1 union all select n + 1 from orders where n < 5) select n from orders",
            'with recursive orders("N") as (select 1 union all select "N" + 1 from orders where "N" < 5)'
            ' select "N" from orders',
        ),
        (
            "select * from (with orders as (select 1) select * from orders) x, orders",
            f"select * from (with orders as (select 1) select * from orders) x, {ORDERS}",
        ),
        # everywhere that a table can stand
        (
            "select id from orders where id in (select userid from users where users.USERID = orders.ID)",
            f'select id from {ORDERS} where id in (select "userId" AS __deltasql_value from {USERS} '
            'where "Users"."userId" = orders.ID)',
        ),
        (
            "select exists (select 1 from users), (select max(id) from orders)",
            f"select ((SELECT count(*) from {USERS}\n) > 0), (select max(id) from {ORDERS})",
        ),
        (
            "select id from orders union all select userid from users",
            f'select id from {ORDERS} union all select "userId" from {USERS}',
        ),
        (
            "(select id from orders) except (select userid from users)",
            f'(select id from {ORDERS}) except (select "userId" from {USERS})',
        ),
        ("from orders select amount", f'from {ORDERS} select "Amount"'),
        (
            "select 1 from (orders o join users u on o.user_id = u.userid)",
            f'select 1 from ({ORDERS} o join {USERS} u on o.user_id = u."userId")',
        ),
        (
            "select 1 from orders, lateral (select username from users where userid = user_id) l",
            f'select 1 from {ORDERS}, lateral (select "userName" from {USERS} where "userId" = user_id) l',
        ),
        ("select users.* exclude (USERID) from users", f'select "Users".* exclude ("userId") from {USERS}'),
        ("select * except (USERID) from users", f'select * except ("userId") from {USERS}'),
        ("select * from orders except select * from users", f"select * from {ORDERS} except select * from {USERS}"),
        (
            "select 1 from unnest([1, 2]) as u(N), range(5) r where n = 1",
            'select 1 from unnest([1, 2]) as u("N"), range(5) r where "N" = 1',
        ),
        ("select 1 from t where x = 1", "select 1 from t where x = 1"),
        ("select 1 where a is distinct from b", "select 1 where a is distinct from b"),
        ("select a is not distinct from b or c", "select (a is not distinct from b) or c"),
        (
            "select 1 where x or not a + 1 is distinct from f(b and c) + 1 and c is not distinct from d or e",
            "select 1 where x or not (a + 1 is distinct from f(b and c) + 1) and (c is not distinct from d) or e",
        ),
        ("select a is distinct from b, c and d", "select a is distinct from b, c and d"),
        (
            "select case when z then y end is distinct from case when b and c then 1 end and d",
            "select (case when z then y end is distinct from case when b and c then 1 end) and d",
        ),
        (
            "select ID is distinct from AMOUNT and 1 from orders",
            f'select (ID is distinct from "Amount") and 1 from {ORDERS}',
        ),
        (
            "select 1 from orders o join users u on o.id is not distinct from u.userid and o.amount > 1",
            f'select 1 from {ORDERS} o join {USERS} u on (o.id is not distinct from u."userId") and o."Amount" > 1',
        ),
        # names of subqueries and CTEs are those of their own tables, not of the tables around
        (
            "select 1 from twins where exists (select 1 from (select user_id V from orders) q where v = 2)",
            f'select 1 from "twins" where exists (select 1 from (select user_id V from {ORDERS}) q where v = 2)',
        ),
        (
            "select ID, USERNAME from (select * from orders, users) x",
            f'select ID, "userName" from (select * from {ORDERS}, {USERS}) x',
        ),
        (
            "with q as (select username from users) select USERNAME from q",
            f'with q as (select "userName" from {USERS}) select "userName" from q',
        ),
        (
            "with users as (select * from users) select USERID from users where users.USERID = 1",
            f'with users as (select * from {USERS}) select "userId" from users where users."userId" = 1',
        ),
        (
            "with a as (select * from users), b as (select * from a) select B.USERID from b",
            f'with a as (select * from {USERS}), b as (select * from a) select B."userId" from b',
        ),
        ("select * replace (id * 2 as AMOUNT) from orders", f'select * replace (id * 2 as "Amount") from {ORDERS}'),
        ("from users", f"SELECT * from {USERS}"),
        ("from users where USERID = 1", f'SELECT * from {USERS} where "userId" = 1'),
        (
            "select sum(amount) over (order by date rows between current row and 1 following) from orders, users",
            f'select sum("Amount") over (order by "Date" rows between current row and 1 following) from {ORDERS}, {USERS}',
        ),
        ("TABLE users", f"SELECT * FROM {USERS}"),
        ("table users union table orders", f"SELECT * FROM {USERS} union SELECT * FROM {ORDERS}"),
        ("with c as (table users) table c", f"with c as (SELECT * FROM {USERS}) SELECT * FROM c"),
    ],
)
def test_names(sql, expected):
    assert rewrite(sql, bind).text == expected


@pytest.mark.parametrize(
    ("written", "bound"),
    [
        ("orders version as of 3", '"orders@v3" AS "orders"'),
        ("orders VERSION AS OF 3 o", '"orders@v3" o'),
        ("orders for version as of 3 as o", '"orders@v3" as o'),
        ("orders for system_version as of 3", '"orders@v3" AS "orders"'),
        ("orders at (version => 3) o", '"orders@v3" o'),
        ("orders@v3 o", '"orders@v3" o'),
        ("orders timestamp as of '2020-01-01' o", '"orders@then" o'),
        ("orders timestamp as of now() - interval '1' day o", '"orders@then" o'),
        ("orders for system_time as of $1 o", '"orders@then" o'),
        ("orders at (timestamp => date '2020-01-01') o", '"orders@then" o'),
        ("orders@20200101000000000 o", '"orders@then" o'),
        ("delta.`/x/y` version as of 3 o", '"delta"."/x/y@v3" o'),
        ("'/x/y' version as of 3 o", '"delta"."/x/y@v3" o'),
    ],
)
@pytest.mark.parametrize(
    "query",
    [
        "select * from {}",
        "select * from {} where 1 = 1 order by 1",
        "select * from users u join {} on true",
        "select * from users u, {}, users v",
        "with c as (select * from {}) select * from c",
        "select (select count(*) from {})",
        "select 1 where exists (select 1 from {})",
        "select 1 from users u union select 2 from {}",
    ],
)
def test_time_travel(query, written, bound):
    text = rewrite(query.format(written), bind).text
    assert text == query.format(bound).replace("users u", f"{USERS} u").replace("users v", f"{USERS} v")


def test_a_qualifier_of_a_pinned_table_becomes_its_alias():
    text = rewrite("select default.orders.amount, ORDERS.id from default.orders version as of 1", bind).text
    assert text == 'select "orders"."Amount", ORDERS.id from "default"."orders@v1" AS "orders"'


def test_an_alias_that_is_a_column_but_for_case_uses_the_columns_spelling_and_is_renamed_back():
    rewritten = rewrite("select -amount as AMOUNT from orders order by amount", bind)
    assert rewritten.text == f'select -"Amount" as "Amount" from {ORDERS} order by "Amount"'
    assert rewritten.renames == (("Amount", "AMOUNT"),)


@pytest.mark.parametrize(
    ("sql", "columns"),
    [
        ("select id from orders where user_id = 1", {"id", "user_id"}),
        ("select count(*) from orders", set()),
        ("select count(*), id from orders", {"id"}),
        ("select x.amount from (select AMOUNT from orders) x", {"Amount"}),
        ("select * from orders", {"id", "user_id", "Amount"}),
        ("select o.* from orders o", {"id", "user_id", "Amount"}),
        ("select id * 2 from orders", {"id", "user_id", "Amount"}),
        ("select 1 from orders natural join users", {"id", "user_id", "Amount"}),
        ("table orders", {"id", "user_id", "Amount"}),
        ("select x.c from orders as x(a, b, c)", {"id", "user_id", "Amount"}),
        ("select id from orders where exists (select 1 from range(3) r where Amount > r.value)", {"id", "Amount"}),
        ("from orders", {"id", "user_id", "Amount"}),
        ("select id from orders union select 1 from (from orders)", {"id", "user_id", "Amount"}),
    ],
)
def test_columns_that_the_text_can_reach(sql, columns):
    rewritten = rewrite(sql, bind)
    assert {name for name in TABLES["orders"][1] if rewritten.may_read(name)} == columns


def test_two_versions_of_a_table_without_aliases():
    text = rewrite("select count(*) from orders version as of 1, orders", bind).text
    assert text == 'select count(*) from "orders@v1", "orders"'
    with pytest.raises(PlanError, match="the table `ORDERS` stands there more than once"):
        rewrite("select ORDERS.id from orders version as of 1, orders", bind)


def test_a_natural_join_of_names_that_differ_by_case():
    tables = {"a": {"Id": {}, "x": {}}, "b": {"id": {}, "y": {}}, "c": {"Id": {}}}
    names = lambda reference: Binding(("main", "default", reference.name), tables[reference.name])  # noqa: E731
    assert rewrite("select * from a natural join c", names).text == 'select * from "a" natural join "c"'
    with pytest.raises(PlanError, match="NATURAL JOIN can't tell whether `Id` and `id` are one column"):
        rewrite("select * from a natural join b", names)


def test_columns_that_are_called_like_keywords():
    names = lambda _: Binding(("main", "default", "t"), {"last": {}, "Range": {}, "rows": {}, "g": {}})  # noqa: E731
    rewritten = rewrite("select range from t where last = 2 and rows > 1", names)
    assert rewritten.text == 'select "Range" from "t" where last = 2 and rows > 1'
    assert rewritten.used == (frozenset({"last", "Range", "rows"}),)


def test_columns_that_differ_by_case_alone():
    assert rewrite('select "Key", KEY from twins', bind).text == 'select "Key", "KEY" from "twins"'
    with pytest.raises(PlanError, match="`key` is ambiguous: `KEY` and `Key`") as caught:
        rewrite("select v, key from twins", bind)
    assert caught.value.span.of("select v, key from twins") == "key"


def test_used_columns_by_table():
    rewritten = rewrite(
        "select 1 from users u where userid in (select user_id from orders where amount > u.date)", bind
    )
    assert rewritten.used == (frozenset({"userId", "Date"}), frozenset({"user_id", "Amount"}))


def test_deep_brackets_are_no_recursion():
    sql = "select " + "(" * 5000 + "1" + ")" * 5000
    assert rewrite(sql, bind).text == sql


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        (
            "select 1 where (1 is not distinct from try_cast('2' as int) or true)",
            "select 1 where ((1 is not distinct from nullif(try_cast('2' as int), NULL)) or true)",
        ),
        (
            "select 1 where try_cast('2' as int) is distinct from 1 and true",
            "select 1 where (nullif(try_cast('2' as int), NULL) is distinct from 1) and true",
        ),
    ],
)
def test_what_is_within_closes_first(sql: str, expected: str) -> None:
    """Both edits end at one place: a bracket round the comparison, and a wall round the cast in it."""
    assert rewrite(sql, bind).text == expected
