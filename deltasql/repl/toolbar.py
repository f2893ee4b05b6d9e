"""The line at the bottom: where one is, how results are shown, and how the last statement went."""

from __future__ import annotations

from pathlib import Path

from deltasql.output.cells import ELLIPSIS, cell_width, escaped
from deltasql.storage.objects import Location, ObjectPath

_ROOT_WIDTH = 48
_LEAST_ROOT_WIDTH = 12
_LEAVING = ("timing", "mode", "schema", "vi")


def toolbar(
    root: Location,
    home: tuple[str, str],
    *,
    format: str,
    timing: bool,
    state: str = "",
    vi: str = "",
    width: int | None = None,
) -> list[tuple[str, str]]:
    """The pieces of the toolbar, styled for prompt_toolkit; ``home`` is the catalog and schema that are current.

    ``vi`` is the mode of vi's keys, where these are in use. Where ``width`` isn't enough the root is cut, then what is
    the same all the time is left out.
    """
    values = {
        "root": _short(root, _ROOT_WIDTH),
        "schema": escaped(".".join(home)),
        "mode": format,
        "timing": "on" if timing else "off",
        "vi": vi,
        "last": state,
    }
    values = {name: value for name, value in values.items() if value}
    over = 0 if width is None else _width(values) - width
    if over > 0:
        values["root"] = _short(root, max(cell_width(values["root"]) - over, _LEAST_ROOT_WIDTH))
    for name in _LEAVING:
        if width is not None and _width(values) > width:
            values.pop(name, None)
    pieces: list[tuple[str, str]] = []
    for name, value in values.items():
        pieces += [("", f"  {name} " if pieces else f"{name} "), ("class:bottom-toolbar.value", value)]
    return pieces


def _width(values: dict[str, str]) -> int:
    return sum(len(name) + 1 + cell_width(value) for name, value in values.items()) + 2 * (len(values) - 1)


def _short(root: Location, width: int) -> str:
    """``root`` with ``~`` for the home folder, its end if it is longer than ``width``."""
    try:
        text = str(root) if isinstance(root, ObjectPath) else str(Path("~") / root.relative_to(Path.home()))
    except (ValueError, RuntimeError):  # elsewhere, or nobody's home
        text = str(root)
    text = escaped(text)
    while cell_width(text) > width:
        text = ELLIPSIS + text[-(len(text.lstrip(ELLIPSIS)) - 1) :]
    return text
