"""Dates and times: units, differences, formats."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from deltasql.sql.foreign import formats
from deltasql.sql.foreign.build import Source, call, cast, filled, named_kind, number, number_of, string_of, text

Rule = Callable[[Source, str, list[exp.Expr]], "exp.Expr | None"]

KINDS = {
    **dict.fromkeys(("datediff", "date_diff", "timestampdiff", "date_part", "datepart"), "int"),
    **dict.fromkeys(("to_char", "strftime", "date_format", "format_date", "to_varchar", "format_timestamp"), "string"),
    **dict.fromkeys(("to_date", "parse_date", "str_to_date"), "date"),
    **dict.fromkeys(("strptime", "to_timestamp", "date_parse", "timestamp_trunc"), "timestamp"),
}

_UNITS = {
    "year": "year", "years": "year", "yy": "year", "yyyy": "year", "y": "year", "yr": "year",
    "quarter": "quarter", "quarters": "quarter", "qq": "quarter", "q": "quarter", "qtr": "quarter",
    "month": "month", "months": "month", "mm": "month", "mon": "month",
    "week": "week", "weeks": "week", "ww": "week", "wk": "week", "isoweek": "isoweek", "isowk": "isoweek",
    "day": "day", "days": "day", "dd": "day", "d": "day",
    "hour": "hour", "hours": "hour", "hh": "hour",
    "minute": "minute", "minutes": "minute", "mi": "minute", "min": "minute",
    "second": "second", "seconds": "second", "ss": "second", "sec": "second",
}  # fmt: skip

_SMALL = {"hour", "minute", "second"}
_SECONDS = {"hour": 3600, "minute": 60, "second": 1}


def unit_of(source: Source, node: exp.Expr | None) -> str | None:
    """The unit that a word, a name or a string means: ``day``, ``month``, …"""
    word = string_of(node)
    if word is None and isinstance(node, exp.Column | exp.Var | exp.Identifier):
        word = node.name
    return _UNITS.get((word or "").lower())


def _required(source: Source, name: str, node: exp.Expr, *but: str) -> str:
    found = unit_of(source, node)
    if found is None or found in but:
        written = node.name if found is None else found
        source.refuse(f"{name}()", why=f"the unit `{written}` has no like")
    return found


def added(source: Source, value: exp.Expr, unit: str, count: exp.Expr, *, name: str) -> exp.Expr:
    """``value`` and ``count`` units more."""
    unit, factor = {"quarter": ("month", 3), "isoweek": ("day", 7), "week": ("day", 7)}.get(unit, (unit, 1))
    size = number_of(count)
    if size is None:
        if named_kind(count) != "int":
            source.refuse(f"{name}()", why="its count isn't known to be a whole number", hint="CAST it to INT")
        more: exp.Expr = filled(f"CAST(concat(_1 * {factor}, ' {unit}s') AS INTERVAL)", [count])
    else:
        more = exp.Interval(this=text(str(size * factor)), unit=exp.Var(this=unit.upper()))
    if unit in _SMALL:
        value = cast(value, "TIMESTAMP") if named_kind(value) != "timestamp" else value
    elif named_kind(value) not in ("date", "timestamp"):
        source.refuse(f"{name}()", why="what it adds to isn't known to be a date or a timestamp", hint="CAST it")
    return filled("(_1 + _2)", [value, more])


def _dateadd(source: Source, name: str, arguments: list[exp.Expr]) -> exp.Expr | None:
    """``DATEADD(unit, count, value)``."""
    if len(arguments) != 3:
        source.refuse(f"{name}()", why="it takes a unit, a count and a value")
    return added(source, arguments[2], _required(source, name, arguments[0]), arguments[1], name=name)


def _moved(sign: str) -> Rule:
    """``DATE_ADD(value, INTERVAL …)`` and DATE_SUB."""

    def rule(source: Source, name: str, arguments: list[exp.Expr]) -> exp.Expr | None:
        if len(arguments) != 2 or not isinstance(arguments[1], exp.Interval):
            source.refuse(f"{name}()", why="it takes a value and an INTERVAL")
        value, more = arguments
        small = unit_of(source, more.args.get("unit")) in _SMALL
        if named_kind(value) not in ("date", "timestamp"):
            source.refuse(f"{name}()", why="what it adds to isn't known to be a date or a timestamp", hint="CAST it")
        if small and named_kind(value) == "date":
            value = cast(value, "TIMESTAMP")
        return filled(f"(_1 {sign} _2)", [value, more])

    return rule


def difference(source: Source, name: str, unit: str, start: exp.Expr, end: exp.Expr) -> exp.Expr:
    """How many bounds of ``unit`` lie between two times."""
    if unit == "day":
        return filled("(CAST(_2 AS DATE) - CAST(_1 AS DATE))", [start, end])
    if unit in ("week", "isoweek"):
        weeks = "(CAST(date_trunc('week', _2) AS DATE) - CAST(date_trunc('week', _1) AS DATE)) / 7"
        return exp.Paren(this=filled(weeks, [start, end]))
    if unit in _SECONDS:
        if source.manner.instants or not {named_kind(start), named_kind(end)} <= {"timestamp", "date"}:
            source.refuse(f"{name}()", why="its arguments aren't known to be timestamps", hint="CAST them")
        instants = [cast(start, "TIMESTAMP"), cast(end, "TIMESTAMP")]
        seconds = f"date_part('epoch', date_trunc('{unit}', _2)) - date_part('epoch', date_trunc('{unit}', _1))"
        return filled(f"CAST(({seconds}) / {_SECONDS[unit]} AS BIGINT)", instants)
    year = "(date_part('year', _2) - date_part('year', _1))"
    if unit == "year":
        return filled(year, [start, end])
    factor = {"month": 12, "quarter": 4}[unit]
    parts = f"({year} * {factor} + date_part('{unit}', _2) - date_part('{unit}', _1))"
    return filled(parts, [start, end])


def _datediff(source: Source, name: str, arguments: list[exp.Expr]) -> exp.Expr | None:
    """``DATEDIFF(unit, start, end)``: bounds between the two."""
    if len(arguments) != 3:
        source.refuse(f"{name}()", why="it takes a unit, a start and an end")
    but = ("week", "isoweek") if source.family in ("tsql", "duckdb") else ()
    return difference(source, name, _required(source, name, arguments[0], *but), arguments[1], arguments[2])


def _date_diff_last(source: Source, name: str, arguments: list[exp.Expr]) -> exp.Expr | None:
    """Bigquery's ``DATE_DIFF(end, start, unit)``."""
    if len(arguments) != 3:
        source.refuse(f"{name}()", why="it takes an end, a start and a unit")
    unit = _required(source, name, arguments[2], "week", *_SMALL)
    return difference(source, name, unit, arguments[1], arguments[0])


def _date_diff_whole(source: Source, name: str, arguments: list[exp.Expr]) -> exp.Expr | None:
    """Trino's ``date_diff(unit, start, end)``: whole units, which of dates and days are bounds."""
    days = len(arguments) == 3 and unit_of(source, arguments[0]) == "day"
    if not days or {named_kind(each) for each in arguments[1:]} != {"date"}:
        source.refuse(f"{name}()", why="it counts whole units; only days between dates have a like")
    return difference(source, name, "day", arguments[1], arguments[2])


_PARTS = {
    **{part: part for part in ("year", "quarter", "month", "day", "hour", "minute", "doy", "dow", "isodow", "epoch")},
    "dayofyear": "doy",
    "dayofweekiso": "isodow",
    "dayofweek_iso": "isodow",
    "isoweek": "week",
}
_OWN_PARTS: dict[str, dict[str, str | None]] = {
    "postgres": {"week": "week"},
    "redshift": {"week": "week", "dayofyear": "doy", "dayofweek": "dow"},
    "duckdb": {"week": "week", "second": "second", "dayofweek": "dow", "weekday": "dow"},
    "snowflake": {"week": "week", "second": "second", "dayofweek": "dow", "epoch_second": "epoch"},
    "bigquery": {"second": "second", "dayofweek": "dow + 1", "dow": None, "isodow": None, "doy": None, "epoch": None},
    "spark": {"week": "week", "dayofweek": "dow", "dow": "dow", "dayofweek_iso": "isodow", "epoch": None},
    "trino": {
        "week": "week", "second": "second", "dow": "isodow", "day_of_week": "isodow", "day_of_year": "doy",
        "day_of_month": "day", "epoch": None,
    },
    "mysql": {"second": "second", "dow": None, "isodow": None, "doy": None, "epoch": None},
    "tsql": {"second": "second", "dow": None, "isodow": None, "epoch": None, "isoweek": None, "isowk": "week"},
}  # fmt: skip


def part(source: Source, field: str, value: exp.Expr, *, name: str = "extract") -> exp.Expr:
    """A part of a date or a time."""
    own = _OWN_PARTS.get(source.family, {})
    word = field.lower()
    short = {"yy": "year", "yyyy": "year", "mm": "month", "dd": "day", "hh": "hour", "mi": "minute", "ss": "second"}
    if source.family in ("tsql", "snowflake"):
        word = short.get(word, word)
    found = own[word] if word in own else _PARTS.get(word)
    if found is None:
        source.refuse(f"{name}({field})")
    plain, _, more = found.partition(" + ")
    made = call("date_part", text(plain), value)
    return exp.Paren(this=exp.Add(this=made, expression=number(int(more)))) if more else made


def _date_part(source: Source, name: str, arguments: list[exp.Expr]) -> exp.Expr | None:
    if len(arguments) != 2:
        source.refuse(f"{name}()")
    field = string_of(arguments[0]) or arguments[0].name
    return part(source, field, arguments[1], name=name)


def _truncated(source: Source, name: str, arguments: list[exp.Expr]) -> exp.Expr | None:
    """``date_trunc(unit, value)``; a date stays a date where the engine leaves it one."""
    if len(arguments) != 2:
        source.refuse(f"{name}()", why="it takes a unit and a value")
    unit = _required(source, name, arguments[0])
    unit = "week" if unit == "isoweek" else unit
    made = call("date_trunc", text(unit), arguments[1])
    found = named_kind(arguments[1])
    if source.family in ("snowflake", "trino"):
        if found not in ("date", "timestamp"):
            source.refuse(f"{name}()", why="its argument isn't known to be a date or a timestamp", hint="CAST it")
        return cast(made, "DATE") if found == "date" else made
    return made


def _truncated_last(source: Source, name: str, arguments: list[exp.Expr]) -> exp.Expr | None:
    """Bigquery's ``DATE_TRUNC(value, unit)``, whose weeks begin on Sunday."""
    if len(arguments) != 2 or string_of(arguments[1]) is not None:
        source.refuse(f"{name}()", why="it takes a value and a unit")
    unit = _required(source, name, arguments[1], "week")
    made = call("date_trunc", text("week" if unit == "isoweek" else unit), arguments[0])
    return cast(made, "DATE") if name == "date_trunc" and named_kind(arguments[0]) != "timestamp" else made


Reader = Callable[[str], "str | None"]


def _format(source: Source, name: str, node: exp.Expr, read: Reader) -> exp.Literal:
    written = string_of(node)
    if written is None:
        source.refuse(f"{name}()", why="its format has to be a literal")
    made = read(written)
    if made is None:
        source.refuse(f"{name}()", why=f"its format `{written}` has a part without a like")
    return text(made)


def _formatted(read: Reader, *, first: bool = False) -> Rule:
    """A date or time as a text; ``first``: the format comes first."""

    def rule(source: Source, name: str, arguments: list[exp.Expr]) -> exp.Expr | None:
        if len(arguments) != 2:
            source.refuse(f"{name}()", why="it takes a value and a format")
        value, format = reversed(arguments) if first else arguments
        if named_kind(value) not in ("date", "timestamp"):
            source.refuse(f"{name}()", why="its argument isn't known to be a date or a timestamp", hint="CAST it")
        return call("to_char", value, _format(source, name, format, read))

    return rule


def _parsed(read: Reader, to: str, *, first: bool = False) -> Rule:
    """A text as a date or time."""

    def rule(source: Source, name: str, arguments: list[exp.Expr]) -> exp.Expr | None:
        if len(arguments) == 1:
            return None
        value, format = reversed(arguments) if first else arguments
        return call(to, value, _format(source, name, format, read))

    return rule


def rules() -> dict[tuple[str, str], Rule]:
    """The rules by family and name."""
    return {
        **{(family, "dateadd"): _dateadd for family in ("snowflake", "tsql", "redshift")},
        ("snowflake", "timestampadd"): _dateadd,
        ("trino", "date_add"): _dateadd,
        **{(family, name): _moved("+") for family in ("bigquery", "mysql") for name in ("date_add", "adddate")},
        **{(family, name): _moved("-") for family in ("bigquery", "mysql") for name in ("date_sub", "subdate")},
        **{("bigquery", f"{of}_add"): _moved("+") for of in ("timestamp", "datetime")},
        **{("bigquery", f"{of}_sub"): _moved("-") for of in ("timestamp", "datetime")},
        **{(family, "datediff"): _datediff for family in ("snowflake", "tsql", "redshift", "duckdb")},
        ("duckdb", "date_diff"): _datediff,
        ("snowflake", "timestampdiff"): _datediff,
        ("bigquery", "date_diff"): _date_diff_last,
        ("trino", "date_diff"): _date_diff_whole,
        **{(f, "date_part"): _date_part for f in ("postgres", "redshift", "duckdb", "snowflake", "spark")},
        **{(f, "datepart"): _date_part for f in ("duckdb", "tsql", "spark")},
        **{(f, "date_trunc"): _truncated for f in ("postgres", "redshift", "duckdb", "snowflake", "trino")},
        ("bigquery", "date_trunc"): _truncated_last,
        ("bigquery", "timestamp_trunc"): _truncated_last,
        ("duckdb", "strftime"): _formatted(formats.strftime),
        ("bigquery", "format_date"): _formatted(formats.strftime, first=True),
        ("bigquery", "format_timestamp"): _formatted(formats.strftime, first=True),
        **{(f, "date_format"): _formatted(formats.mysql) for f in ("mysql", "trino")},
        **{(f, "to_char"): _formatted(formats.postgres) for f in ("postgres", "redshift")},
        **{("snowflake", name): _formatted(formats.snowflake) for name in ("to_char", "to_varchar")},
        ("spark", "date_format"): _formatted(formats.java),
        ("trino", "format_datetime"): _formatted(formats.java),
        ("duckdb", "strptime"): _parsed(formats.strftime, "to_timestamp"),
        ("bigquery", "parse_date"): _parsed(formats.strftime, "to_date", first=True),
        ("mysql", "str_to_date"): _parsed(formats.mysql, "to_date"),
        ("postgres", "to_date"): _parsed(formats.postgres, "to_date"),
        ("redshift", "to_date"): _parsed(formats.postgres, "to_date"),
        ("snowflake", "to_date"): _parsed(formats.snowflake, "to_date"),
        ("spark", "to_date"): _parsed(formats.java, "to_date"),
        ("spark", "to_timestamp"): _parsed(formats.java, "to_timestamp"),
    }
