"""The registry behind SET, SHOW and RESET: one row per setting, with its type, default and meaning."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from deltasql.errors import OperationalError, PlanError
from deltasql.names import did_you_mean, fold

OWN_DIALECT = "datafusion"
DIALECTS = (
    OWN_DIALECT, "athena", "bigquery", "clickhouse", "databricks", "doris", "dremio", "drill", "druid", "duckdb",
    "dune", "exasol", "fabric", "hive", "materialize", "mysql", "oracle", "postgres", "presto", "redshift",
    "risingwave", "snowflake", "spark", "spark2", "sqlite", "starrocks", "teradata", "trino", "tsql",
)  # fmt: skip
"""What ``deltasql.dialect`` takes (`deltasql.sql.foreign` has them)."""
SPARK_DIALECTS = ("databricks", "spark", "spark2", "hive")
"""Those that have Spark's functions."""

_SWITCH = {"on": True, "true": True, "1": True, "yes": True, "off": False, "false": False, "0": False, "no": False}


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting: ``parse`` takes the text of a value and gives the value, or raises ValueError with what is right."""

    name: str
    parse: Callable[[str], Any]
    default: Any
    description: str
    last: Any = ...
    """A value that is kept until the connection closes, once it has been set; ``...``: none is."""


def values_of(setting: Setting) -> str:
    """Which values a setting takes, in the words of the error for a wrong one."""
    try:
        setting.parse("\0")
    except ValueError as error:
        return str(error)
    return "any text"


def switch(text: str) -> bool:
    """``on`` or ``off`` (also true/false, yes/no, 1/0)."""
    try:
        return _SWITCH[text.lower()]
    except KeyError:
        raise ValueError("on or off") from None


def choice(*words: str) -> Callable[[str], str]:
    """One of ``words``."""

    def parse(text: str) -> str:
        if text.lower() not in words:
            raise ValueError("one of " + ", ".join(words))
        return text.lower()

    return parse


def whole(low: int, high: int) -> Callable[[str], int]:
    """A whole number in a range, both ends included."""

    def parse(text: str) -> int:
        expected = f"a whole number from {low} to {high}"
        try:
            number = int(text)
        except ValueError:
            raise ValueError(expected) from None
        if not low <= number <= high:
            raise ValueError(expected)
        return number

    return parse


def zone(text: str) -> str:
    """A time zone of the IANA database."""
    if text.lower() == "local":
        import datetime as dt

        text = str(dt.datetime.now().astimezone().tzinfo)
    try:
        zoneinfo.ZoneInfo(text)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("a time zone such as UTC or Europe/Berlin") from None
    return text


@dataclass(frozen=True, slots=True)
class Size:
    """A number of bytes, and how it was written."""

    bytes: int
    text: str

    def __str__(self) -> str:
        return self.text


_UNITS = {"": 0, "B": 0, "K": 10, "KB": 10, "KIB": 10, "M": 20, "MB": 20, "MIB": 20, "G": 30, "GB": 30, "GIB": 30}
_UNITS |= {"T": 40, "TB": 40, "TIB": 40}


def size_from(least: int, shown: str) -> Callable[[str], Size | None]:
    """A number of bytes with a unit (K, M, G, T of 1024 each), at least ``least``; empty or ``none``: none."""

    def parse(text: str) -> Size | None:
        if text.strip().lower() in ("", "none", "unlimited"):
            return None
        found = re.fullmatch(r"(\d+(?:\.\d+)?) *([A-Za-z]*)", text.strip())
        if found is None or found[2].upper() not in _UNITS or float(found[1]) * 2 ** _UNITS[found[2].upper()] < least:
            raise ValueError(f"a size of at least {shown}, such as 500MB or 2GB, or none")
        return Size(int(float(found[1]) * 2 ** _UNITS[found[2].upper()]), text.strip())

    return parse


size = size_from(16 << 20, "16MB")
file_size = size_from(1 << 10, "1KB")


@dataclass(frozen=True, slots=True)
class Time:
    """A length of time, and how it was written."""

    seconds: float
    text: str

    def __str__(self) -> str:
        return self.text


_SECONDS = {"ms": 0.001, "": 1, "s": 1, "sec": 1, "min": 60, "m": 60, "h": 3600}


def duration(text: str) -> Time | None:
    """A length of time with a unit (ms, s, min, h; without one seconds), more than 0; empty or ``none``: none."""
    if text.strip().lower() in ("", "none"):
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?) *([A-Za-z]*)", text.strip())
    if found is None or found[2].lower() not in _SECONDS or not float(found[1]):
        raise ValueError("a length of time such as 500ms, 30s or 5min, or none")
    return Time(float(found[1]) * _SECONDS[found[2].lower()], text.strip())


def words(text: str) -> str:
    """Any text."""
    return text


SETTINGS: tuple[Setting, ...] = (
    Setting("time_zone", zone, "UTC", "zone in which times without one are read, and in which instants are shown"),
    Setting(
        "deltasql.reader",
        choice("auto", "listing", "scan", "dataset"),
        "auto",
        "how tables are read: listing (DataFusion's Parquet scan), scan (delta-rs), dataset (Arrow), or auto",
    ),
    Setting(
        "deltasql.memory_limit",
        size,
        None,
        "memory that queries may use, such as 2GB; past it they spill to disk, or fail (none: no limit)",
    ),
    Setting("deltasql.threads", whole(0, 1024), 0, "how many threads a query may use (0: one for each core)"),
    Setting(
        "deltasql.statement_timeout",
        duration,
        None,
        "time after which a statement, or reading its rows, is interrupted, such as 30s or 5min (none: no limit)",
    ),
    Setting(
        "deltasql.replacement_scan",
        switch,
        _SWITCH["on"],
        "let a name that is no table be a variable of the Python caller that holds a data frame",
    ),
    Setting(
        "deltasql.local_files",
        switch,
        _SWITCH["on"],
        "let statements name files and folders of this machine; once off, it stays off",
        last=_SWITCH["off"],
    ),
    Setting(
        "deltasql.dialect",
        choice(*DIALECTS),
        OWN_DIALECT,
        "whose SQL queries and expressions are written in: datafusion, or one that is carried over, such as databricks",
    ),
    Setting(
        "deltasql.spark_functions",
        switch,
        _SWITCH["off"],
        "Spark's functions by Spark's names, in place of DataFusion's of these names (always on in Spark's dialects)",
    ),
    Setting("deltasql.commit.user_metadata", words, "", "text that is kept in the commit of every write"),
    Setting(
        "deltasql.commit.statement",
        switch,
        _SWITCH["on"],
        "keep the text of the statement in the commit of every write",
    ),
    Setting(
        "deltasql.commit.retries",
        whole(0, 1000),
        10,
        "how often a write that conflicts with another is run again on a fresh snapshot",
    ),
    Setting(
        "deltasql.write.compression",
        choice("zstd", "snappy", "lz4", "gzip", "none"),
        "zstd",
        "how data files are compressed: zstd, snappy, lz4, gzip or none",
    ),
    Setting(
        "deltasql.write.target_file_size",
        size,
        None,
        "size past which a new data file is begun (none: the table's delta.targetFileSize, or 128MB)",
    ),
    Setting(
        "deltasql.write.row_group_rows",
        whole(1024, 1 << 24),
        1 << 17,
        "how many rows a row group of a data file has at most",
    ),
    Setting(
        "deltasql.optimize.target_file_size",
        file_size,
        None,
        "size that OPTIMIZE and REORG bring files to, and under which one is small (none: as for writes)",
    ),
    Setting(
        "deltasql.vacuum.retention_check",
        switch,
        _SWITCH["on"],
        "refuse a VACUUM that removes files younger than the table's retention",
    ),
)


class Settings:
    """The values of one session."""

    def __init__(self) -> None:
        self._registry = {setting.name: setting for setting in SETTINGS}
        self._values: dict[str, Any] = {}

    def setting(self, name: str) -> Setting:
        """The setting called ``name``, in any case; ``time_zone`` also as ``deltasql.time_zone``.

        Raises `PlanError` with the nearest name.
        """
        key = fold(name)
        if key in ("timezone", "deltasql.time_zone"):
            key = "time_zone"
        if key not in self._registry:
            raise PlanError(f"there is no setting `{name}`", hint=did_you_mean(name, self._registry))
        return self._registry[key]

    def __getitem__(self, name: str) -> Any:
        """The value of a setting by its exact name."""
        return self._values.get(name, self._registry[name].default)

    def set(self, name: str, text: str) -> None:
        """Set ``name`` from the text of a value.

        Raises `PlanError` that says what is right, `OperationalError` for a setting that has its last value.
        """
        setting = self.setting(name)
        try:
            value = setting.parse(text)
        except ValueError as error:
            raise PlanError(f"`{text}` is no value of `{setting.name}`: it takes {error}") from None
        if value != setting.last:
            self._require_free(setting)
        self._values[setting.name] = value

    def reset(self, name: str | None) -> None:
        """Give ``name`` (or all settings that may still change) its default. Raises `OperationalError` as `set`."""
        if name is None:
            self._values = {key: value for key, value in self._values.items() if value == self._registry[key].last}
            return
        setting = self.setting(name)
        self._require_free(setting)
        self._values.pop(setting.name, None)

    def _require_free(self, setting: Setting) -> None:
        """Raise `OperationalError` for a setting that has its last value."""
        if self[setting.name] == setting.last:
            message = f"`{setting.name}` was set {show(setting.last)}, and stays so until the connection closes"
            raise OperationalError(message, hint="open another connection")

    def rows(self) -> list[tuple[str, str, str]]:
        """Name, value and description of all settings, by name."""
        return [(name, show(self[name]), self._registry[name].description) for name in sorted(self._registry)]


def show(value: Any) -> str:
    """A setting's value as SET would take it."""
    if value is None:
        return "none"
    return ("on" if value else "off") if isinstance(value, bool) else str(value)
