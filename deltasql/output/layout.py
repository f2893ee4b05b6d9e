"""Which columns of a table fit in a line of so many cells, and how wide each is. Pure arithmetic."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

SEPARATOR_WIDTH = 3
_GAP_WIDTH = 1


@dataclass(frozen=True, slots=True)
class Layout:
    """``columns``: the columns shown, by index; None stands for those left out. ``widths``: their widths in cells."""

    columns: tuple[int | None, ...]
    widths: tuple[int, ...]


def layout(natural: Sequence[int], least: Sequence[int], room: int | None) -> Layout:
    """Lay out columns ``natural`` wide, none under ``least``, in ``room`` cells (None: no end of room).

    Wide columns give way to narrow ones; where that isn't enough, columns in the middle are left out.
    """
    everything = tuple(range(len(natural)))
    if room is None or _total(natural) <= room:
        return Layout(everything, tuple(natural))
    if _total(least) <= room:
        return Layout(everything, _shrunk(natural, least, room))
    for count in range(len(natural) - 1, 0, -1):
        left, right = everything[: count - count // 2], everything[len(natural) - count // 2 :]
        shown = [*left, *right]
        rest = room - SEPARATOR_WIDTH - _GAP_WIDTH
        if _total([least[column] for column in shown]) > rest and count > 1:
            continue
        widths = _shrunk([natural[column] for column in shown], [least[column] for column in shown], rest)
        return Layout((*left, None, *right), (*widths[: len(left)], _GAP_WIDTH, *widths[len(left) :]))
    return Layout(everything, (max(room, 1),))


def _total(widths: Iterable[int]) -> int:
    cells = list(widths)
    return sum(cells) + SEPARATOR_WIDTH * (len(cells) - 1)


def _shrunk(natural: Sequence[int], least: Sequence[int], room: int) -> tuple[int, ...]:
    """The widths under the highest common cap that fits; cells left over go to the first columns that want them."""

    def capped(cap: int) -> list[int]:
        return [max(low, min(wanted, cap)) for wanted, low in zip(natural, least, strict=True)]

    if _total(least) > room:
        return (max(room, 1),)
    widths = capped(bisect_right(range(1, max(natural) + 1), room, key=lambda cap: _total(capped(cap))))
    spare = room - _total(widths)
    for column, wanted in enumerate(natural):
        if spare and widths[column] < wanted:
            widths[column] += 1
            spare -= 1
    return tuple(widths)
