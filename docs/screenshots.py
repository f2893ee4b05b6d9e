"""The pictures in README.md: a real session in a terminal of its own, drawn as SVG. `make screenshots`.

Keys are sent to `deltasql` in a pseudo-terminal, whose screen pyte keeps; a picture is that screen. They show times
and folders of whoever makes them, so they are no part of `make docs`, which must always give the same.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from html import escape
from itertools import groupby
from pathlib import Path
from typing import Any

import pexpect
import pyte

import deltasql
from deltasql.demo import make_lake

IMAGES = Path(__file__).parent / "images"
COLUMNS = 100
CELL, LINE, MARGIN = 8.4, 18, 14  # pixels
_BACKGROUND, _TEXT = "#1c1c22", "#d8d8de"
_COLOURS = {
    "black": "#1c1c22",
    "red": "#e06c75",
    "green": "#8cc265",
    "brown": "#d9a860",
    "blue": "#61afef",
    "magenta": "#c678dd",
    "cyan": "#56b6c2",
    "white": "#d8d8de",
    "brightblack": "#7f848e",
}
_PATIENCE = 60


class Terminal:
    """`deltasql` in a terminal of so many lines."""

    def __init__(self, folder: Path, lines: int) -> None:
        self.screen = pyte.Screen(COLUMNS, lines)
        self._stream = pyte.Stream(self.screen)
        environment = {
            **{name: value for name, value in os.environ.items() if name != "NO_COLOR"},
            "TERM": "xterm-256color",
            "HOME": str(folder),
            "XDG_STATE_HOME": str(folder / "state"),
            "PAGER": "cat",
        }
        command = [sys.executable, "-m", "deltasql", "lake"]
        self._child = pexpect.spawn(
            command[0], command[1:], cwd=str(folder), env=environment, dimensions=(lines, COLUMNS), encoding="utf-8"
        )
        self._child.delaybeforesend = None
        # The prompt asks where the cursor is.
        self.screen.write_process_input = self._child.send
        self.until("timing off")

    def type(self, keys: str) -> None:
        """Press keys, one after the other, as a person does."""
        for key in keys:
            self._child.send(key)
            self.wait(0.02)

    def wait(self, seconds: float) -> None:
        """Take in what is drawn in the meantime."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            try:
                self._stream.feed(self._child.read_nonblocking(65536, timeout=left))
            except pexpect.TIMEOUT:
                return

    def until(self, words: str, *, gone: bool = False) -> None:
        """Wait until ``words`` (a regular expression) are on the screen, or ``gone`` from it."""
        end = time.monotonic() + _PATIENCE
        while bool(re.search(words, "\n".join(self.screen.display))) == gone:
            if time.monotonic() > end:
                raise TimeoutError("\n".join([words, *self.screen.display]))
            self.wait(0.05)
        self.wait(0.3)

    def picture(self, name: str) -> None:
        """Draw the screen as docs/images/NAME.svg, without the empty lines above the toolbar."""
        IMAGES.mkdir(exist_ok=True)
        (IMAGES / f"{name}.svg").write_text(svg(list(_lines(self.screen))), encoding="utf-8")

    def close(self) -> None:
        """Leave."""
        self._child.close(force=True)


# -- drawing


def _lines(screen: Any) -> Iterator[list[Any]]:
    """The cells of each line; of empty lines that follow one another only the first."""
    before = ""
    for number in range(screen.lines):
        text = screen.display[number].strip()
        if text or before:
            yield [screen.buffer[number][column] for column in range(screen.columns)]
        before = text


def svg(lines: list[list[Any]]) -> str:
    """The picture of a screen."""
    width, height = COLUMNS * CELL + 2 * MARGIN, len(lines) * LINE + 2 * MARGIN
    fonts = "ui-monospace, SFMono-Regular, Menlo, Consolas, DejaVu Sans Mono, monospace"
    size = f'width="{width:.0f}" height="{height}" viewBox="0 0 {width:.0f} {height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="{fonts}" font-size="14">',
        f'<rect width="100%" height="100%" rx="8" fill="{_BACKGROUND}"/>',
    ]
    for number, cells in enumerate(lines):
        column = 0
        for style, run in groupby(cells, key=lambda cell: (cell.fg, cell.bg, cell.bold, cell.reverse, cell.underscore)):
            cells_of_run = list(run)
            parts += _run("".join(cell.data for cell in cells_of_run), column, len(cells_of_run), number, style)
            column += len(cells_of_run)
    return "\n".join([*parts, "</svg>", ""])


def _run(text: str, column: int, length: int, line: int, style: tuple[str, str, bool, bool, bool]) -> Iterator[str]:
    """Text of one style; as wide as its cells, whatever the font."""
    fore, back, bold, reverse, underlined = style
    colours = _colour(fore, _TEXT), _colour(back, _BACKGROUND)
    fore, back = reversed(colours) if reverse else colours
    x, y, width = MARGIN + column * CELL, MARGIN + line * LINE, length * CELL
    if back != _BACKGROUND:
        yield f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{LINE}" fill="{back}"/>'
    if text.strip():
        look = (' font-weight="bold"' if bold else "") + (' text-decoration="underline"' if underlined else "")
        yield (
            f'<text x="{x:.1f}" y="{y + 13}" fill="{fore}"{look} xml:space="preserve" '
            f'textLength="{width:.1f}" lengthAdjust="spacingAndGlyphs">{escape(text)}</text>'
        )


def _colour(name: str, default: str) -> str:
    if name == "default":
        return default
    return _COLOURS.get(name, f"#{name}" if re.fullmatch("[0-9a-f]{6}", name) else default)


# -- the session


def main() -> None:
    """Make all pictures anew."""
    with tempfile.TemporaryDirectory(prefix="deltasql-", ignore_cleanup_errors=True) as place:
        folder = Path(place)
        (folder / "lake").mkdir()
        make_lake(folder / "lake")
        with deltasql.connect(folder / "lake") as connection:
            connection.sql(
                "CREATE TABLE clicks AS SELECT value AS id, md5(CAST(value AS STRING)) AS page, value % 997 AS shop "
                "FROM range(0, 8000000)"
            )
        session(folder)


def session(folder: Path) -> None:
    """What the pictures show: completion, an answer; a mistake, an old version; long work that is stopped."""
    terminal = Terminal(folder, 28)
    terminal.type("SELECT c.country, count(*) AS orders, sum(o.amount) AS revenue\r")
    terminal.type("FROM orders o JOIN customers c ON c.id = o.customer_id\r")
    terminal.type("GROUP BY c.country ORDER BY revenue DESC LIMIT 3;\r")
    terminal.until(r"\(3 rows")
    terminal.type("SELECT version, operation FROM (DESCRIBE HISTORY orders) LIMIT 2;\r")
    terminal.until(r"\(2 rows")
    terminal.type("SELECT count(*) FROM orders VERSION AS OF ")
    terminal.type("\t")
    terminal.until("CREATE TABLE")
    terminal.picture("prompt")
    terminal.close()

    terminal = Terminal(folder, 24)
    terminal.type("SELECT country, count(*) FROM costumers GROUP BY country;\r")
    terminal.until("did you mean")
    terminal.type("SELECT count(*) AS orders, sum(amount) AS revenue FROM orders VERSION AS OF 1;\r")
    terminal.until(r"\(1 row")
    terminal.type("DELETE FROM orders;\r")
    terminal.until(r"\[y/N\]")
    terminal.type("\r")
    terminal.until("nothing was done")
    terminal.picture("mistakes")
    terminal.close()

    terminal = Terminal(folder, 14)
    terminal.type("SELECT shop, count(DISTINCT page) AS pages FROM clicks GROUP BY shop ORDER BY pages DESC;\r")
    terminal.until(r"[3-6],\d{3},\d{3} of .* left")
    terminal.picture("progress")
    terminal.type("\x03")
    terminal.until("interrupted")
    terminal.close()


if __name__ == "__main__":
    main()
