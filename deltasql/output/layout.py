"""Which columns of a table fit in a line of so many cells, and how wide each is. Pure arithmetic."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

SEPARATOR_WIDTH = 3
TRAILER_WIDTH = 2
_OF_THE_LAST = 4  # one of so many columns that are shown is one of the last


@dataclass(frozen=True, slots=True)
class Layout:
    """``columns``: those shown, by index, in order. ``widths``: their widths in cells. ``count``: of all columns."""

    columns: tuple[int, ...]
    widths: tuple[int, ...]
    count: int

    def gaps(self) -> tuple[bool, ...]:
        """For each column shown, whether others are left out right behind it."""
        following = (*self.columns[1:], self.count)
        return tuple(after != column + 1 for column, after in zip(self.columns, following, strict=True))


def layout(
    natural: Sequence[int],
    least: Sequence[int],
    room: int | None,
    *,
    empty: Iterable[int] = frozenset(),
    yielding: Iterable[int] = frozenset(),
) -> Layout:
    """Lay out columns ``natural`` wide, none under ``least``, in ``room`` cells (None: no end of room).

    Columns that are ``yielding`` give way first, then wide ones to narrow ones. Where that isn't enough, columns are
    left out: first those that are ``empty``, from the right, then those before the last quarter; never the first one.
    """
    count = len(natural)
    shown = set(range(count))
    if room is None or _total(natural) <= room:
        return Layout(tuple(range(count)), tuple(natural), count)
    no_values = frozenset(empty)
    leaving = _leaving(count, no_values)
    while leaving and not _fits(shown, least, room):
        shown.discard(leaving.pop(0))
        out = [column for column in range(count) if column not in shown]
        if _fits(shown, least, room):
            # A narrow column may have room that a wide one hadn't.
            for column in sorted(out, key=_leaving(count, no_values).index, reverse=True):
                if column not in no_values and _fits({*shown, column}, least, room):
                    shown.add(column)
    if not _fits(shown, least, room):
        return Layout((0,), (max(room - (TRAILER_WIDTH if count > 1 else 0), 1),), count)
    columns = tuple(sorted(shown))
    gives = frozenset(yielding)
    widths = _shared(
        [natural[column] for column in columns],
        [least[column] for column in columns],
        [column in gives for column in columns],
        room - _trailer(columns, count),
    )
    return Layout(columns, widths, count)


def _fits(shown: Iterable[int], least: Sequence[int], room: int) -> bool:
    columns = sorted(shown)
    return _total(least[column] for column in columns) <= room - _trailer(columns, len(least))


def _trailer(columns: Sequence[int], count: int) -> int:
    return 0 if columns[-1] == count - 1 else TRAILER_WIDTH


def _leaving(count: int, empty: frozenset[int]) -> list[int]:
    """All columns but the first, in the order in which they are left out: what comes first says most, as a rule."""
    rest = [column for column in range(count) if column == 0 or column not in empty]
    leaving = [column for column in reversed(range(1, count)) if column in empty]
    while len(rest) > 1:
        leaving.append(rest.pop(-1 - (len(rest) - 1) // _OF_THE_LAST))
    return leaving


def _total(widths: Iterable[int]) -> int:
    cells = list(widths)
    return sum(cells) + SEPARATOR_WIDTH * (len(cells) - 1)


def _shared(natural: Sequence[int], least: Sequence[int], gives: Sequence[bool], room: int) -> tuple[int, ...]:
    """The widths in ``room``: columns that give way have more than the least only once all others are whole."""
    firm = [low if way else wanted for wanted, low, way in zip(natural, least, gives, strict=True)]
    return _shrunk(natural, firm, room) if _total(firm) <= room else _shrunk(firm, least, room)


def _shrunk(natural: Sequence[int], least: Sequence[int], room: int) -> tuple[int, ...]:
    """The widths under the highest common cap that fits; cells left over go to the first columns that want them."""

    def capped(cap: int) -> list[int]:
        return [max(low, min(wanted, cap)) for wanted, low in zip(natural, least, strict=True)]

    widths = capped(bisect_right(range(1, max(natural) + 1), room, key=lambda cap: _total(capped(cap))))
    spare = room - _total(widths)
    for column, wanted in enumerate(natural):
        if spare and widths[column] < wanted:
            widths[column] += 1
            spare -= 1
    return tuple(widths)
