"""A small shop with a past, to try things on: customers, their orders, and the clicks between them.

Everything is written by SQL through a `Connection`, so making the lake is also the first proof that writing works.
The same rows come out each time: a seeded generator, fixed dates, and commit times set to fit the story.
"""

from __future__ import annotations

import datetime as dt
import itertools
import json
import os
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deltasql.connection import Connection

_Row = tuple[Any, ...]

_CUSTOMERS = """
CREATE TABLE customers (
    id BIGINT NOT NULL, name STRING NOT NULL, email STRING, country STRING COMMENT 'ISO 3166, two letters',
    segment STRING COMMENT 'new, regular or vip', created_at TIMESTAMP
) COMMENT 'one row per person who ever ordered'
"""
_ORDERS = """
CREATE TABLE orders (
    id BIGINT NOT NULL, customer_id BIGINT NOT NULL, ordered_at TIMESTAMP, status STRING, channel STRING,
    amount DECIMAL(10, 2) COMMENT 'in euro'
) COMMENT 'one row per order'
"""
_EVENTS = """
CREATE TABLE web.events (
    id BIGINT NOT NULL, customer_id BIGINT, kind STRING, at TIMESTAMP, payload STRING COMMENT 'JSON', month STRING
) PARTITIONED BY (month)
"""


@dataclass(frozen=True, slots=True)
class _Step:
    """One commit: its statement, the rows that an INSERT brings, and the day of 2025 on which it was made."""

    day: str
    sql: str
    rows: Sequence[_Row] = ()


def make_lake(folder: Path) -> None:
    """Make the tables ``customers``, ``orders`` and ``web.events`` in ``folder``, which must be empty.

    About 1,000, 20,000 and 40,000 rows in five or six versions each.
    """
    generator = random.Random(42)  # noqa: S311  # the same lake each time is what's wanted
    customers = _customers(generator)
    orders = _orders(generator)
    events = _events(generator)
    (folder / "web").mkdir(parents=True)
    histories = {
        "orders": _orders_history(orders),
        "customers": _customers_history(customers),
        "web/events": _events_history(events),
    }
    with Connection(folder) as connection:
        for step in itertools.chain.from_iterable(histories.values()):
            connection.sql(*_bulk(step) if step.rows else (step.sql,))
    for table, steps in histories.items():
        _date(folder / table, [step.day for step in steps])


def _bulk(step: _Step) -> tuple[str, dict[str, list[Any]]]:
    """An INSERT of many rows: each column is a bound list, as text or numbers, which the INSERT casts."""
    columns = {f"c{i}": list(column) for i, column in enumerate(zip(*step.rows, strict=True))}
    typed = {name: "BIGINT" if isinstance(values[0], int) else "VARCHAR" for name, values in columns.items()}
    listed = ", ".join(f"unnest(CAST(${name} AS {type}[]))" for name, type in typed.items())
    return f"{step.sql} SELECT {listed}", columns


def _date(table: Path, days: list[str]) -> None:
    """Set the commits' times: those of the log's files, where the table has no in-commit timestamps."""
    for version, day in enumerate(days):
        moment = dt.datetime.fromisoformat(f"2025-{day}T06:00:00+00:00").timestamp()
        os.utime(table / "_delta_log" / f"{version:020d}.json", (moment, moment))


# -- what happened, commit by commit


def _customers_history(rows: list[_Row]) -> list[_Step]:
    spent = "SELECT customer_id FROM orders GROUP BY customer_id HAVING sum(amount) > 2000"
    return [
        _Step("01-02", _CUSTOMERS),
        _Step("01-02", "INSERT INTO customers", rows[:940]),
        _Step("02-01", f"UPDATE customers SET segment = 'vip' WHERE id IN ({spent})"),
        _Step("02-14", "DELETE FROM customers WHERE id IN (17, 101, 256, 404, 512, 777)"),
        _Step("03-01", "INSERT INTO customers", rows[940:]),
    ]


def _orders_history(rows: list[_Row]) -> list[_Step]:
    late, black_friday = "TIMESTAMP '2024-12-01'", "TIMESTAMP '2024-11-29' AND TIMESTAMP '2024-11-30'"
    return [
        _Step("01-02", _ORDERS),
        _Step("01-02", "INSERT INTO orders", rows[:18_200]),
        _Step("01-10", f"UPDATE orders SET status = 'shipped' WHERE status = 'open' AND ordered_at < {late}"),
        _Step("01-20", f"UPDATE orders SET amount = amount * 0.8 WHERE ordered_at BETWEEN {black_friday}"),
        _Step("02-01", f"DELETE FROM orders WHERE status = 'cancelled' AND ordered_at < {late}"),
        _Step("03-01", "INSERT INTO orders", rows[18_200:]),
    ]


def _events_history(rows: list[_Row]) -> list[_Step]:
    return [
        _Step("01-02", _EVENTS),
        _Step("01-02", "INSERT INTO web.events", rows[:32_000]),
        _Step("01-15", "DELETE FROM web.events WHERE payload LIKE '%bot%'"),
        _Step("02-01", "INSERT INTO web.events", rows[32_000:]),
        _Step("03-01", "UPDATE web.events SET kind = 'purchase' WHERE kind = 'buy'"),
    ]


# -- rows

_COUNTRIES = {"DE": 27, "FR": 17, "GB": 14, "US": 12, "NL": 8, "ES": 7, "IT": 6, "PL": 5, "SE": 3, "JP": 1}
_FIRST = (
    *("Ada", "Aiko", "Amir", "Anna", "Ben", "Carla", "Chen", "Clara", "David", "Elena", "Emil", "Fatima", "Finn"),
    *("Giulia", "Hugo", "Ines", "Jan", "Jonas", "Kofi", "Lea", "Liam", "Lucía", "Maja", "Marek", "Mia", "Noah"),
    *("Nora", "Olga", "Omar", "Paul", "Priya", "Rosa", "Sofia", "Sven", "Théo", "Tim", "Yara", "Zoë"),
)
_LAST = (
    *("Andersson", "Bakker", "Bauer", "Bernard", "Brown", "Costa", "Díaz", "Evans", "Fischer", "García", "Haddad"),
    *("Hoffmann", "Ito", "Jansen", "Johnson", "Klein", "Kowalski", "Lefèvre", "Lindqvist", "Martin", "Meyer"),
    *("Moreau", "Müller", "Nowak", "Okafor", "Patel", "Ricci", "Rossi", "Schmidt", "Smith", "Tanaka", "Visser"),
    *("Wagner", "Walker", "Weber", "Wright", "Young", "Zieliński"),
)
_PLAIN = str.maketrans("áçéèëíïńóöøúüñ", "aceeeiinooouun")
_STATUSES = {"delivered": 80, "open": 12, "cancelled": 5, "returned": 3}
_CHANNELS = {"web": 58, "app": 34, "store": 8}
_MONTHS = (7, 6, 7, 7, 8, 7, 6, 6, 8, 9, 14, 15)
_HOURS = (1, 1, 1, 1, 1, 1, 2, 4, 5, 6, 6, 6, 8, 7, 6, 6, 6, 7, 9, 11, 12, 10, 6, 3)
_KINDS = {"view": 62, "search": 18, "cart": 11, "buy": 6, "signup": 3}
_AGENTS = {"firefox": 18, "chrome": 49, "safari": 29, "bot": 4}
_PAGES = ("/", "/sale", "/shoes", "/coats", "/toys", "/garden", "/books", "/lamps")


def _customers(generator: random.Random) -> list[_Row]:
    countries = iter(_drawn(generator, _COUNTRIES, 1006))
    rows = []
    for number in range(1, 1007):
        first, last = generator.choice(_FIRST), generator.choice(_LAST)
        email = f"{first}.{last}{number}@example.com".lower().translate(_PLAIN)
        joined = dt.datetime(2022, 1, 1) + dt.timedelta(days=number, minutes=generator.randrange(1440))  # noqa: DTZ001
        segment = "new" if number > 800 else "regular"
        rows.append((number, f"{first} {last}", email, next(countries), segment, str(joined)))
    return rows


def _orders(generator: random.Random) -> list[_Row]:
    times = _times(generator, 20_750, first_month=1)
    statuses = _drawn(generator, _STATUSES, len(times))
    channels = _drawn(generator, _CHANNELS, len(times))
    return [
        (number, _customer(generator), time, status, channel, f"{generator.lognormvariate(3.8, 0.7):.2f}")
        for number, time, status, channel in zip(itertools.count(1), times, statuses, channels, strict=False)
    ]


def _events(generator: random.Random) -> list[_Row]:
    times = _times(generator, 41_300, first_month=9)
    kinds = _drawn(generator, _KINDS, len(times))
    agents = _drawn(generator, _AGENTS, len(times))
    pages = generator.choices(_PAGES, weights=range(len(_PAGES), 0, -1), k=len(times))
    return [
        (number, _customer(generator), kind, time, json.dumps({"page": page, "agent": agent}), time[:7])
        for number, time, kind, agent, page in zip(itertools.count(1), times, kinds, agents, pages, strict=False)
    ]


def _drawn(generator: random.Random, weights: dict[str, int], count: int) -> list[str]:
    return generator.choices(list(weights), weights=list(weights.values()), k=count)


def _customer(generator: random.Random) -> int:
    """The longer someone is a customer, the more there is of them."""
    return int(generator.triangular(1, 941, 1))


def _times(generator: random.Random, count: int, *, first_month: int) -> list[str]:
    """Times in 2024, in order: more towards the end of the year and in the evening."""
    months = generator.choices(range(first_month, 13), weights=_MONTHS[first_month - 1 :], k=count)
    hours = generator.choices(range(24), weights=_HOURS, k=count)
    return sorted(_moment(generator, month, hour) for month, hour in zip(months, hours, strict=True))


def _moment(generator: random.Random, month: int, hour: int) -> str:
    days = 29 if month == 2 else 30 if month in (4, 6, 9, 11) else 31
    day, second = 1 + int(generator.random() * days), int(generator.random() * 3600)
    return f"2024-{month:02}-{day:02} {hour:02}:{second // 60:02}:{second % 60:02}"


# -- what to show

TOUR: tuple[str, ...] = (
    "SHOW TABLES",
    "DESCRIBE orders",
    """\
SELECT c.country, count(*) AS orders, sum(o.amount) AS revenue, round(avg(o.amount), 2) AS average
FROM orders o JOIN customers c ON c.id = o.customer_id
GROUP BY c.country ORDER BY revenue DESC LIMIT 5""",
    "DESCRIBE HISTORY orders LIMIT 3",
    "SELECT status, count(*) AS orders FROM orders VERSION AS OF 1 GROUP BY status ORDER BY status",
    "SELECT status, count(*) AS orders FROM orders GROUP BY status ORDER BY status",
    """\
SELECT was.status AS was, now.status AS now, count(*) AS orders
FROM orders VERSION AS OF 1 AS was LEFT JOIN orders AS now ON now.id = was.id
WHERE now.status IS DISTINCT FROM was.status GROUP BY was.status, now.status ORDER BY orders DESC""",
    "SELECT count(*) AS orders, sum(amount) AS revenue FROM orders TIMESTAMP AS OF '2025-01-15'",
    """\
INSERT INTO customers (id, name, country, created_at)
VALUES (2001, 'Grace Hopper', 'US', TIMESTAMP '2025-03-02 09:30:00'), (2002, 'Edgar Codd', 'GB', NULL)""",
    "UPDATE orders SET status = 'shipped' WHERE status = 'open' AND channel = 'web'",
    "DELETE FROM web.events e WHERE NOT EXISTS (SELECT 1 FROM customers c WHERE c.id = e.customer_id)",
    "EXPLAIN DELETE FROM orders WHERE status = 'cancelled'",
    """\
CREATE TABLE best_customers AS
SELECT c.id, c.name, c.country, sum(o.amount) AS revenue
FROM customers c JOIN orders o ON o.customer_id = c.id
GROUP BY c.id, c.name, c.country HAVING sum(o.amount) > 2500""",
    "SELECT * FROM best_customers ORDER BY revenue DESC LIMIT 3",
    "SET deltasql.vacuum.retention_check = off",
    "VACUUM customers RETAIN 0 HOURS DRY RUN",
)
"""Statements over the lake, to be run in this order."""

SUGGESTIONS: tuple[str, ...] = (
    """\
SELECT c.country, count(*) AS orders, sum(o.amount) AS revenue
FROM orders o JOIN customers c ON c.id = o.customer_id GROUP BY c.country ORDER BY revenue DESC;""",
    """\
SELECT was.status AS was, now.status AS now, count(*) AS orders
FROM orders VERSION AS OF 1 AS was LEFT JOIN orders AS now ON now.id = was.id GROUP BY 1, 2 ORDER BY 3 DESC;""",
    """\
SELECT month, count(*) FILTER (WHERE kind = 'purchase') * 100.0 / count(*) AS percent_bought
FROM web.events GROUP BY month ORDER BY month;""",
)
"""Queries for the first minute at the prompt."""
