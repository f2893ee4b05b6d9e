"""The picture of a table in text: bars that fit a terminal, the same on a pipe."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from deltasql.output.cells import cell_width, cut, escaped

if TYPE_CHECKING:
    from deltasql.catalog.picture import Clustering, Picture

_BAR = "█"
_HALF = "▌"
_WIDEST_NAME = 32
_LONGEST_BAR = 40
_LOWEST = 8


def lines(picture: Picture, width: int | None = None) -> Iterator[str]:
    """The lines of a picture, none wider than ``width`` cells (None: no end of room)."""
    room = width or 80
    for line in (
        *_summary(picture),
        *_histogram(picture, room),
        *_clustering(picture, room),
        "",
        _optimize(picture),
    ):
        yield line if width is None else cut(line, width)


def shown_size(bytes: int) -> str:
    """A number of bytes with the unit that suits it: ``3.4 MB``."""
    size = float(bytes)
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1024:
            return f"{bytes} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TB"


def _summary(picture: Picture) -> Iterator[str]:
    rows = "an unknown number of rows" if picture.rows is None else _counted(picture.rows, "row")
    parts = [rows, f"{shown_size(picture.size)} in {_counted(picture.files, 'file')}"]
    if picture.partitions:
        parts.append(_counted(picture.partitions, "partition"))
    if picture.deleted:
        parts.append(f"{_counted(picture.deleted, 'deleted row')} in the files still")
    yield f"{escaped(picture.name)} version {picture.version}: {', '.join(parts)}"


def _histogram(picture: Picture, room: int) -> Iterator[str]:
    if not picture.histogram:
        return
    labels = [
        f"under {shown_size(bar.high)}" if bar.high is not None else f"from {shown_size(bar.low)}"
        for bar in picture.histogram
    ]
    counts = [f"{bar.files} ({shown_size(bar.size)})" if bar.files else "0" for bar in picture.histogram]
    most = max(bar.files for bar in picture.histogram)
    wide = max(map(len, labels))
    longest = max(min(room - wide - max(map(len, counts)) - 2, _LONGEST_BAR), _LOWEST)
    yield from ("", "files by size")
    for bar, label, count in zip(picture.histogram, labels, counts, strict=True):
        yield " ".join(filter(None, (f"{label:>{wide}}", _bar(bar.files / most, longest), count)))


def _clustering(picture: Picture, room: int) -> Iterator[str]:
    if not picture.clustering:
        return
    names = [cut(escaped(each.column), _WIDEST_NAME) for each in picture.clustering]
    wide = max(map(cell_width, names))
    texts = [_depth(each) for each in picture.clustering]
    longest = max(min(room - wide - max(map(len, texts)) - 2, _LONGEST_BAR), _LOWEST)
    yield from ("", "files that a query for one value reads, by the log")
    for name, text, each in zip(names, texts, picture.clustering, strict=True):
        padded = " " * (wide - cell_width(name)) + name
        yield f"{padded} {_bar(each.mean / each.files, longest)} {text}"


def _depth(column: Clustering) -> str:
    unknown = f", {column.unknown} without bounds" if column.unknown else ""
    return f"{column.mean:.1f} of {column.files} on average, {column.deepest} at most{unknown}"


def _optimize(picture: Picture) -> str:
    if not picture.optimized:
        return f"OPTIMIZE would do nothing: nothing under {shown_size(picture.target)} goes together"
    what = f"{_counted(picture.optimized, 'file')} ({shown_size(picture.optimized_size)})"
    return f"OPTIMIZE would make {_counted(picture.after, 'file')} of {what}, up to {shown_size(picture.target)} each"


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _bar(part: float, longest: int) -> str:
    halves = max(round(part * longest * 2), 1) if part else 0
    return _BAR * (halves // 2) + _HALF * (halves % 2)
