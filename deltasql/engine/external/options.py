"""The options of the reading functions: one row per option, with its values, default and meaning."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import pyarrow as pa

from deltasql.engine.external.files import COMPRESSIONS
from deltasql.errors import PlanError
from deltasql.names import did_you_mean, fold
from deltasql.settings import Setting, choice, switch, whole
from deltasql.storage.objects import Location
from deltasql.types import parse_type

_FEW = 100


def character(text: str) -> str:
    """A sign that separates or encloses values; a tab may be spelled out."""
    text = {"\\t": "\t", "tab": "\t"}.get(text, text)
    if len(text) != 1 or not text.isascii():
        raise ValueError("one ASCII character")
    return text


def _sample(text: str) -> int:
    number = int(whole(-1, 2**31)(text))
    if number == 0:
        raise ValueError("a number of rows, or -1 for all of them")
    return 2**31 if number < 0 else number


def _columns(value: Any) -> pa.Schema:
    """``'a INT, b STRING'``, or a mapping of names to types."""
    if isinstance(value, Mapping):
        fields = [pa.field(name, parse_type(str(type))) for name, type in value.items()]
    else:
        fields = [pa.field(f.name, f.type) for f in cast("Iterable[pa.Field]", parse_type(f"STRUCT<{value}>"))]
    return pa.schema(fields)


@dataclass(frozen=True, slots=True)
class Option(Setting):
    """An option of a reading function."""

    aliases: tuple[str, ...] = ()


_ON, _OFF = switch("on"), switch("off")
_SHARED = (
    Option("hive_partitioning", switch, None, "folders `k=v` give columns (on where all files have the same ones)"),
    Option("hive_types_autocast", switch, _ON, "values of such columns are BIGINT or DATE where all are, else STRING"),
    Option("union_by_name", switch, _ON, "files may have different columns; off: that is an error"),
)
_TEXT = (
    Option("columns", str, None, "names and types, as in 'a INT, b STRING'; found out from the data if not given"),
    Option(
        "sample_size", _sample, 20480, "rows to find out types from; -1: all", aliases=("schema_infer_max_records",)
    ),
    Option("compression", choice("auto", *COMPRESSIONS), "auto", "gzip, bz2, xz, zstd, none, or auto: by the ending"),
)
OPTIONS: Mapping[str, tuple[Option, ...]] = {
    "csv": (
        Option("header", switch, _ON, "the first line has the names; without, they are column_1, column_2, …"),
        Option("delim", character, ",", "what separates values", aliases=("sep", "delimiter")),
        Option("quote", character, '"', "what encloses values; doubled, it stands for itself"),
        Option("escape", character, None, "what a quote in a value may also follow"),
        Option("comment", character, None, "lines that start with it are passed over"),
        Option("newlines_in_values", switch, None, "quoted values may span lines (on where there are quotes)"),
        Option("all_varchar", switch, _OFF, "all columns are STRING, whatever their values look like"),
        Option(
            "null_padding", switch, _OFF, "lines may be short: what is missing is NULL", aliases=("truncated_rows",)
        ),
        *_TEXT,
        *_SHARED,
    ),
    "json": (
        Option(
            "format",
            choice("auto", "newline_delimited", "array", "unstructured"),
            "auto",
            "newline_delimited (an object a line), or array or unstructured, which are read into memory",
        ),
        *_TEXT,
        *_SHARED,
    ),
    "parquet": _SHARED,
}
"""The options of each format; what stands under a name is also taken under its aliases."""


def rows_per_file(options: Mapping[str, Any], files: Sequence[Location]) -> int:
    """How many rows of each file are looked at to find out types."""
    sample: int = options["sample_size"]
    return max(_FEW, sample // len(files))


def options_of(format: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The values of all options of ``format``. Raises `PlanError` for one that there isn't, and for a wrong value."""
    known = {name: option for option in OPTIONS[format] for name in (option.name, *option.aliases)}
    values = {option.name: option.default for option in OPTIONS[format]}
    seen: dict[str, str] = {}
    for name, value in given.items():
        option = known.get(fold(name))
        if option is None:
            hint = did_you_mean(name, known) or "it takes " + ", ".join(f"`{known}`" for known in values)
            raise PlanError(f"`read_{format}` has no option `{name}`", hint=hint)
        if option.name in seen:
            raise PlanError(f"`read_{format}` takes either `{seen[option.name]}` or `{name}`")
        seen[option.name] = name
        try:
            values[option.name] = _columns(value) if option.name == "columns" else option.parse(str(value))
        except ValueError as error:
            raise PlanError(f"`{value}` is no value of `{name}`: it takes {error}") from None
    return values
