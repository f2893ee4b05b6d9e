"""FORMAT_OPTIONS and COPY_OPTIONS of COPY INTO: Spark's words, and what they are to our readers.

An option that isn't known is an error, as it might change what is read; its value isn't shown, as it may be a secret.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from deltasql.engine.external import character
from deltasql.errors import PlanError
from deltasql.names import did_you_mean, fold
from deltasql.settings import choice, switch
from deltasql.sql.statements import CopyInto, Options


@dataclass(frozen=True, slots=True)
class Reading:
    """How files are read: ``reader`` are the options of ``read_…``.

    ``null`` is the text that means NULL beside an empty one, ``infers`` whether text has types of its own (else it is
    STRING), ``skips`` whether damaged files are passed over, ``folders`` whether folders ``k=v`` give columns.
    """

    format: str
    reader: Mapping[str, Any]
    header: bool = True
    null: str | None = None
    infers: bool = True
    skips: bool = False
    folders: bool = True
    evolves: bool = False
    forces: bool = False


def reading(statement: CopyInto) -> Reading:
    """What the options of ``statement`` say. Raises `PlanError` for one that there isn't and for a wrong value."""
    format = statement.format
    known = {**_SHARED, **_OF_FORMAT[format]}
    given = _values(f"COPY INTO of {format.upper()}", known, statement.format_options)
    copying = _values("COPY_OPTIONS", _COPYING, statement.copy_options)
    names = {"sep": "delim", "delimiter": "delim", "mergeSchema": "union_by_name"}
    passed = ("header", "sep", "delimiter", "quote", "escape", "comment", "mergeSchema")
    reader = {names.get(name, name): given[name] for name in passed if name in given}
    if format == "csv":
        reader.setdefault("header", False)
        if given.get("multiLine"):
            reader["newlines_in_values"] = True
    return Reading(
        format,
        reader,
        header=reader.get("header", True),
        null=given.get("nullValue"),
        infers=format != "csv" or given.get("inferSchema", False),
        skips=given.get("ignoreCorruptFiles", False),
        folders=not given.get("recursiveFileLookup", False),
        evolves=copying.get("mergeSchema", False),
        forces=copying.get("force", False),
    )


_Parse = Callable[[str], Any]


_SHARED: Mapping[str, _Parse] = {
    "ignoreCorruptFiles": switch,
    "mergeSchema": switch,
    "recursiveFileLookup": switch,
}
_TEXT: Mapping[str, _Parse] = {"encoding": choice("utf-8", "utf8"), "multiLine": switch}
_OF_FORMAT: Mapping[str, Mapping[str, _Parse]] = {
    "csv": {
        "header": switch,
        "sep": character,
        "delimiter": character,
        "quote": character,
        "escape": character,
        "comment": character,
        "nullValue": str,
        "inferSchema": switch,
        "mode": choice("failfast"),
        **_TEXT,
    },
    "json": {"mode": choice("failfast"), **_TEXT},
    "parquet": {},
}
_COPYING: Mapping[str, _Parse] = {"force": switch, "mergeSchema": switch}


def _values(what: str, known: Mapping[str, _Parse], given: Options) -> dict[str, Any]:
    names = {fold(name): name for name in known}
    found: dict[str, Any] = {}
    for key, text in given:
        name = names.get(fold(key))
        if name is None:
            hint = did_you_mean(key, known) or "it takes " + ", ".join(f"`{each}`" for each in sorted(known))
            raise PlanError(f"{what} has no option `{key}`", hint=hint)
        if name in found or {name, *found} >= {"sep", "delimiter"}:
            raise PlanError(f"{what} has the option `{key}` twice")
        try:
            found[name] = known[name](text)
        except ValueError as error:
            raise PlanError(f"`{text}` is no value of `{name}`: it takes {error}") from None
    return found
