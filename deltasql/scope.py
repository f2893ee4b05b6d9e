"""The variables of who calls: a name that is no table may be one that holds a data frame.

Only the calling frame's own are looked at, its locals before its globals, and never those of deltasql itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Any, TypeAlias

from deltasql.names import fold, match

Names: TypeAlias = Sequence[Mapping[str, Any]]
"""Variables by name, the nearest first."""

Scope: TypeAlias = Callable[[], Names]


def nothing() -> Names:
    """No variables."""
    return ()


def variables(caller: FrameType | None) -> Scope:
    """The variables that ``caller`` has when they are asked for."""
    if caller is None or str(caller.f_globals.get("__name__")).partition(".")[0] == "deltasql":
        return nothing

    def names() -> Names:
        return caller.f_locals, caller.f_globals

    return names


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable and what it holds."""

    name: str
    value: Any


def find(name: str, scope: Scope, wanted: Callable[[Any], bool]) -> Variable | None:
    """The variable that ``name`` means: the nearest of just that name, else one that differs by case and is wanted.

    Raises `PlanError` where several differ by case.
    """
    names = scope()
    for each in names:
        if name in each:
            return Variable(name, each[name])
    for each in names:
        folded = [other for other in each if fold(other) == fold(name) and wanted(each[other])]
        found = match(name, folded, what="variable")
        if found is not None:
            return Variable(found, each[found])
    return None
