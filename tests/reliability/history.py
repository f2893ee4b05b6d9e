"""Tells whether a concurrent history of one table can have happened one statement after the other.

A history is what clients saw: when each statement began and ended, what it gave; and which statement made which
version, as the log says. It is right if the statements, run one by one in the order of the log on a model of the
table, give what they gave, and no client sees time go backwards (strict serialisability):

- what was acknowledged is in the log, once, at the version that was told; what failed isn't;
- a statement that ended before another began stands before it;
- a read gives the rows of one version, not older than what had ended when it began, nor newer than what had begun
  when it ended;
- a write counts the rows that it changes on top of the version before it, and one that made no commit has nothing to
  do at one of the versions that a read could have seen.

As versions order the writes, nothing is searched for: a history of n statements takes n steps for each read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

Rows: TypeAlias = Mapping[int, int]
"""A table of two columns: a key and a value."""

Change: TypeAlias = Callable[[Rows], Rows]


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a client: a write with its ``change``, or a read with the ``rows`` that it gave.

    ``version`` is what a write was told, None where it made no commit; ``count`` how many rows it said it changed.
    A write that ``failed`` did nothing; of one that is ``unsure`` (its process died) nobody knows. A statement without
    change and rows is upkeep, which may make any number of versions and changes no row.
    """

    name: str
    begun: int
    ended: int
    change: Change | None = None
    rows: Rows | None = None
    version: int | None = None
    count: int | None = None
    failed: bool = False
    unsure: bool = False


def faults(start: Rows, log: Sequence[tuple[int, str]], statements: Sequence[Statement]) -> list[str]:
    """What is wrong with a history, in words; nothing if it is right.

    ``log`` is which version was made by which statement, by version, behind the version in which the table is ``start``.
    """
    by_name = {each.name: each for each in statements}
    found = [f"version {version} is of `{name}`, which nobody ran" for version, name in log if name not in by_name]
    if found:
        return found
    states = states_of(start, log, statements)
    first = log[0][0] - 1 if log else 0
    found += _commits(log, by_name)
    found += _order(log, by_name)
    for each in statements:
        if each.failed or each.unsure:
            continue
        low, high = _window(each, first, log, by_name)
        seen = range(low, high + 1)
        if each.rows is not None and not any(states[version] == each.rows for version in seen):
            found.append(f"read `{each.name}` gives the rows of none of the versions {low} to {high}")
        if each.change is None:
            continue
        if each.version is None and not any(each.change(states[version]) == states[version] for version in seen):
            found.append(f"write `{each.name}` made no commit and had something to do in versions {low} to {high}")
        if each.version in states and each.count is not None:
            changed = _changed(states[each.version - 1], states[each.version])
            if changed != each.count:
                found.append(f"write `{each.name}` says that it changed {each.count} rows, it changed {changed}")
    return found + _backwards(statements, states, first, log, by_name)


def states_of(start: Rows, log: Sequence[tuple[int, str]], statements: Sequence[Statement]) -> dict[int, Rows]:
    """The rows at each version, as the model has them."""
    by_name = {each.name: each for each in statements}
    states = {log[0][0] - 1 if log else 0: start}
    for version, name in log:
        change = by_name[name].change
        states[version] = states[version - 1] if change is None else change(states[version - 1])
    return states


def _commits(log: Sequence[tuple[int, str]], by_name: Mapping[str, Statement]) -> list[str]:
    found = []
    made: dict[str, list[int]] = {}
    for version, name in log:
        made.setdefault(name, []).append(version)
    for name, each in by_name.items():
        versions = made.get(name, [])
        if each.failed and versions:
            found.append(f"`{name}` failed, but made version {versions[0]}")
        if each.change is not None and len(versions) > 1:
            found.append(f"`{name}` made the versions {versions}")
        if not each.failed and not each.unsure and each.version is not None and each.version not in versions:
            found.append(f"`{name}` was told that it made version {each.version}, it made {versions or 'none'}")
        if not each.failed and not each.unsure and each.version is None and versions:
            found.append(f"`{name}` was told that it made no version, it made {versions}")
    return found


def _order(log: Sequence[tuple[int, str]], by_name: Mapping[str, Statement]) -> list[str]:
    """Writes that stand behind one that began only when they had ended."""
    found = []
    latest = None
    for version, name in log:
        each = by_name[name]
        if latest is not None and not each.unsure and each.ended < latest.begun:
            found.append(f"`{name}` had ended when `{latest.name}` began, and made version {version} behind it")
        if latest is None or each.begun > latest.begun:
            latest = each
    return found


def _window(
    each: Statement, first: int, log: Sequence[tuple[int, str]], by_name: Mapping[str, Statement]
) -> tuple[int, int]:
    """The oldest and the newest version that it may have seen."""
    low, high = first, first
    for version, name in log:
        write = by_name[name]
        if write.ended < each.begun and not write.unsure:
            low = max(low, version)
        if write.begun < each.ended:
            high = max(high, version)
    return low, max(low, high)


def _backwards(
    statements: Sequence[Statement],
    states: Mapping[int, Rows],
    first: int,
    log: Sequence[tuple[int, str]],
    by_name: Mapping[str, Statement],
) -> list[str]:
    """Reads that can only have seen an older version than a read that had ended when they began."""
    found = []
    seen: list[tuple[int, int, Statement]] = []
    reads = [each for each in statements if each.rows is not None and not each.failed]
    for each in sorted(reads, key=lambda read: read.begun):
        low, high = _window(each, first, log, by_name)
        earlier = [(least, read) for ended, least, read in seen if ended < each.begun]
        most, before = max(earlier, key=lambda found: found[0], default=(first, each))
        fits = [version for version in range(low, high + 1) if states[version] == each.rows]
        fitting = [version for version in fits if version >= most]
        if fits and not fitting:
            found.append(f"read `{each.name}` gives older rows than `{before.name}`, which had ended before")
        if fits:
            seen.append((each.ended, min(fitting or fits), each))
    return found


def _changed(before: Rows, after: Rows) -> int:
    return sum(before.get(key) != after.get(key) for key in before.keys() | after.keys())
