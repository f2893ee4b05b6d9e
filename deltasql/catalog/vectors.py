"""Where the log says that a deletion vector lies (Delta protocol, "Deletion Vector Descriptor Schema")."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from deltasql.catalog.snapshot import Snapshot
from deltasql.errors import UnsupportedTableFeature
from deltasql.storage.objects import Location

_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
"""The digits of Z85, in which the log has the UUID of a deletion vector's file."""

_UUID = 20


def vector_file(snapshot: Snapshot, vector: Mapping[str, Any]) -> Location | None:
    """The file of a deletion vector, such as `Snapshot.file` gives; None for one that is in the log itself.

    Raises `UnsupportedTableFeature` for a vector that is kept in a way that isn't known, or in another store.
    """
    kind, text = str(vector["storageType"]), str(vector["pathOrInlineDv"])
    if kind == "i":
        return None
    if kind == "p":
        return snapshot.file(text)
    if kind == "u" and len(text) >= _UUID and set(text[-_UUID:]) <= set(_ALPHABET):
        return snapshot.location / text[:-_UUID] / vector_name(_decoded(text[-_UUID:]))
    raise UnsupportedTableFeature(f"`{snapshot.name}` has a deletion vector of an unknown kind: `{kind}`, `{text}`")


def vector_name(number: uuid.UUID) -> str:
    """What the file of deletion vectors is called whose UUID is ``number``."""
    return f"deletion_vector_{number}.bin"


def encoded(number: uuid.UUID) -> str:
    """The UUID of a deletion vector's file as the log has it: five digits of Z85 for each four bytes."""
    made = ""
    for start in range(0, 16, 4):
        value = int.from_bytes(number.bytes[start : start + 4], "big")
        digits = ""
        for _ in range(5):
            value, digit = divmod(value, 85)
            digits = _ALPHABET[digit] + digits
        made += digits
    return made


def _decoded(text: str) -> uuid.UUID:
    """The UUID that five digits of Z85 for each four bytes are."""
    made = 0
    for start in range(0, len(text), 5):
        word = 0
        for digit in text[start : start + 5]:
            word = word * 85 + _ALPHABET.index(digit)
        made = (made << 32) + word % (1 << 32)
    return uuid.UUID(int=made % (1 << 128))
