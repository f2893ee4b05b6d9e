"""Which type a column may become without a rewrite of its files, and what the log then says of it.

Delta protocol, "Type Widening": files keep the type that they were written with, readers convert. The matrix is the
protocol's; a field remembers each change, in order, under ``delta.typeChanges``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from deltasql.catalog.fields import TYPE_CHANGES, Field, Type

_INTEGERS = {"byte": 3, "short": 5, "integer": 10, "long": 20}
"""The digits that a DECIMAL needs before its point to hold them (as the protocol has it)."""

_WIDER = {
    "byte": ("short", "integer", "long", "double"),
    "short": ("integer", "long", "double"),
    "integer": ("long", "double"),
    "long": (),
    "float": ("double",),
    "date": ("timestamp_ntz",),
}
_DECIMAL = re.compile(r"decimal\((\d+),\s*(\d+)\)")


def widened(field: Field, new: Type) -> Field | None:
    """``field`` with the type ``new``, if all that its files hold can be shown as it; None if not.

    Arrays, maps and structs keep their shape and names: only what they hold may become wider. What a struct's
    fields become is told by these.
    """
    changes: list[dict[str, str]] = []
    made = _type(field["type"], new, "", changes)
    if made is None:
        return None
    if not changes:
        return {**field, "type": made}
    metadata = {**field["metadata"], TYPE_CHANGES: [*field["metadata"].get(TYPE_CHANGES, ()), *changes]}
    return {**field, "type": made, "metadata": metadata}


def _type(old: Type, new: Type, path: str, changes: list[dict[str, str]]) -> Any:
    """The type that ``old`` becomes, its changes added to ``changes``; None where it can't."""
    if isinstance(old, str) or isinstance(new, str):
        if old == new:
            return old
        if not (isinstance(old, str) and isinstance(new, str) and _is_wider(old, new)):
            return None
        changes.append({"fromType": old, "toType": new} | ({"fieldPath": path} if path else {}))
        return new
    if old["type"] != new["type"]:
        return None
    if old["type"] == "struct":
        return _struct(old, new)
    made = dict(old)
    for key, name in (("elementType", "element"), ("keyType", "key"), ("valueType", "value")):
        if key in old:
            made[key] = _type(old[key], new[key], f"{path}.{name}" if path else name, changes)
            if made[key] is None:
                return None
    return made


def _struct(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any] | None:
    if [each["name"] for each in old["fields"]] != [each["name"] for each in new["fields"]]:
        return None
    fields = list(_each(old, new))
    return None if None in fields else {**old, "fields": fields}


def _each(old: dict[str, Any], new: dict[str, Any]) -> Iterator[Field | None]:
    for was, now in zip(old["fields"], new["fields"], strict=True):
        yield widened(was, now["type"])


def _is_wider(old: str, new: str) -> bool:
    if new in _WIDER.get(old, ()):
        return True
    to = _DECIMAL.fullmatch(new)
    if to is None:
        return False
    precision, scale = int(to[1]), int(to[2])
    if old in _INTEGERS:
        # A DECIMAL(10, 0) at least, whatever the integer (Delta Lake documentation, "Type widening").
        return precision - scale >= max(_INTEGERS[old], 10)
    of = _DECIMAL.fullmatch(old)
    return of is not None and scale >= int(of[2]) and precision - scale >= int(of[1]) - int(of[2])
