"""The picture of a table as SVG, by matplotlib (the extra ``plot``): sizes of files, and how a column's ranges overlap.

The numbers are those of `deltasql.catalog.picture`, which `.files` shows at the prompt.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deltasql.catalog.picture import Bar, Clustering, Picture, picture
from deltasql.connection import Connection
from deltasql.errors import InterfaceError, StorageError
from deltasql.output.picture import shown_size
from deltasql.session import StatementContext
from deltasql.sql import parser
from deltasql.write.settings import optimized_size

_COLOUR, _OTHER = "#3b6ea5", "#c8553d"
_SHOWN_VALUES = 7


def plot(connection: Connection, table: str, column: str | None = None, *, path: str | Path | None = None) -> str:
    """The picture of ``table`` (as a statement would name it) as the text of an SVG, also written to ``path``.

    With a ``column`` it shows how many files can hold each of its values, else so on average for all columns. Each
    bar has an id: ``size-3`` is the fourth range of sizes, ``column-0`` the first column. Raises `InterfaceError`
    where matplotlib isn't installed, and as `deltasql.catalog.picture.picture`.
    """
    drawn = picture_of(connection, table, column)
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError as error:
        message = "`plot()` needs matplotlib, which isn't installed"
        raise InterfaceError(message, hint="pip install 'deltasql[plot]'") from error
    # Text stays text, and the same numbers are the same file.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "deltasql"}):
        figure = Figure(figsize=(8, 6 if drawn.clustering else 3.2), layout="constrained")
        axes = figure.subplots(2 if drawn.clustering else 1, squeeze=False)[:, 0]
        figure.suptitle(_title(drawn))
        _sizes(axes[0], drawn.histogram)
        if drawn.clustering and column is not None:
            _depths(axes[1], drawn.clustering[0])
        elif drawn.clustering:
            _columns(axes[1], drawn.clustering)
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None})
    if path is not None:
        try:
            Path(path).write_text(text.getvalue(), encoding="utf-8")
        except OSError as error:
            raise StorageError(f"`{path}` can't be written: {error.strerror}") from error
    return text.getvalue()


def picture_of(connection: Connection, table: str, column: str | None = None) -> Picture:
    """The numbers of it. Raises as `plot`."""
    session = connection.session
    _, snapshot = StatementContext(session).snapshot(parser.parse_table(table))
    return picture(snapshot, optimized_size(session.settings, snapshot.properties), column)


def _title(drawn: Picture) -> str:
    rows = "" if drawn.rows is None else f"{drawn.rows:,} rows, "
    return _plain(f"{drawn.name} version {drawn.version}: {rows}{drawn.files:,} files, {shown_size(drawn.size)}")


def _plain(text: str) -> str:
    """``text`` that matplotlib doesn't take for mathematics."""
    return text.replace("$", r"\$")


def _sizes(axes: Any, histogram: Sequence[Bar]) -> None:
    labels = ["" if bar.high is None else f"under {shown_size(bar.high)}" for bar in histogram]
    bars = axes.bar(labels, [bar.files for bar in histogram], color=_COLOUR)
    for number, patch in enumerate(bars):
        patch.set_gid(f"size-{number}")
    axes.bar_label(bars)
    axes.set_ylabel("files")
    axes.margins(y=0.15)


def _columns(axes: Any, columns: Sequence[Clustering]) -> None:
    names = [_plain(each.column) for each in columns]
    bars = axes.barh(range(len(names)), [each.mean for each in columns], color=_OTHER)
    for number, patch in enumerate(bars):
        patch.set_gid(f"column-{number}")
    axes.bar_label(bars, fmt="%.1f")
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_xlim(0, max(each.files for each in columns) * 1.1)
    axes.set_xlabel("files that a query for one value reads, on average")


def _depths(axes: Any, column: Clustering) -> None:
    # At the end of one range and the start of another both count.
    corners = [
        corner
        for place, point in enumerate(column.points)
        for corner in ((place, point.depth), (place, point.behind), (place + 1, point.behind))
    ][:-1]
    places, depths = zip(*corners, strict=True)
    (line,) = axes.plot(places, depths, color=_OTHER)
    line.set_gid("depth")
    axes.fill_between(places, depths, color=_OTHER, alpha=0.2)
    shown = [(place, _plain(str(point.value))) for place, point in enumerate(column.points)]
    shown = shown[:: max(len(shown) // _SHOWN_VALUES, 1)]
    axes.set_xticks([place for place, _ in shown], [text[:16] for _, text in shown])
    axes.set_ylim(0, column.files * 1.1)
    axes.set_xlabel(f"{_plain(column.column)}, at the ends of the files' ranges")
    axes.set_ylabel(f"files that can hold it, of {column.files}")
