"""The line at the bottom: where one is, how results are shown, and how the last statement went."""

from __future__ import annotations

from pathlib import Path

from deltasql.output.cells import ELLIPSIS, cell_width, escaped
from deltasql.storage.objects import Location, ObjectPath

_ROOT_WIDTH = 48


def toolbar(
    root: Location, home: tuple[str, str], *, format: str, timing: bool, state: str = "", vi: str = ""
) -> list[tuple[str, str]]:
    """The pieces of the toolbar, styled for prompt_toolkit; ``home`` is the catalog and schema that are current.

    ``vi`` is the mode of vi's keys, where these are in use.
    """
    values = [
        ("root", _short(root)),
        ("schema", escaped(".".join(home))),
        ("mode", format),
        ("timing", "on" if timing else "off"),
        ("vi", vi),
        ("last", state),
    ]
    pieces: list[tuple[str, str]] = []
    for name, value in values:
        if value:
            pieces += [("", f"  {name} " if pieces else f"{name} "), ("class:bottom-toolbar.value", value)]
    return pieces


def _short(root: Location) -> str:
    """``root`` with ``~`` for the home folder, its end if it is long."""
    try:
        text = str(root) if isinstance(root, ObjectPath) else str(Path("~") / root.relative_to(Path.home()))
    except (ValueError, RuntimeError):  # elsewhere, or nobody's home
        text = str(root)
    text = escaped(text)
    while cell_width(text) > _ROOT_WIDTH:
        text = ELLIPSIS + text[-(len(text.lstrip(ELLIPSIS)) - 1) :]
    return text
