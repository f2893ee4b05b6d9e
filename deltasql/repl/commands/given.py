"""What commands make of their argument."""

from __future__ import annotations

from deltasql.errors import InterfaceError
from deltasql.output.cells import cut

_DIGITS = 18
_SHOWN = 40  # cells of what was given


def unquoted(argument: str) -> str:
    """``argument`` without the quotes around it."""
    quoted = len(argument) > 1 and argument[0] == argument[-1] and argument[0] in "'\""
    return argument[1:-1] if quoted else argument


def switched(argument: str, now: bool, command: str) -> bool:  # noqa: FBT001  a switch is what it is about
    """What ``on`` and ``off`` say, the other one than ``now`` without a word. Raises `InterfaceError`."""
    words = {"": not now, "on": True, "off": False}
    if argument.lower() not in words:
        raise InterfaceError(f"`{command}` takes `on` or `off`, not `{argument}`")
    return words[argument.lower()]


def whole(argument: str, command: str, other: str) -> int | None:
    """A whole number from 1 on, or None for the word ``other``. Raises `InterfaceError`."""
    if argument.lower() == other:
        return None
    if not (argument.isascii() and argument.isdecimal() and len(argument) <= _DIGITS and int(argument)):
        shown = cut(argument, _SHOWN)
        raise InterfaceError(f"`{command}` takes a whole number from 1 on, or `{other}`, not `{shown}`")
    return int(argument)
