"""The signal that some value of an array doesn't fit a type; `assign` turns it into the `CastError`.

A conversion acts on a whole array and only says that one of its values doesn't fit; which one is
looked for afterwards, so that data that fits pays nothing for the message.
"""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

Conversion = Callable[[pa.Array, pa.DataType, str], pa.Array]
"""(values, the target's type, the session's time zone) -> values of that type; raises one of `MISFITS`."""


class Misfit(ValueError):
    """At least one value of the array at hand doesn't fit."""


MISFITS = (Misfit, pa.ArrowInvalid)


def require(mask: pa.Array) -> None:
    """Raise `Misfit` unless ``mask`` (boolean) is true wherever it isn't null."""
    if not pc.all(mask, min_count=0).as_py():
        raise Misfit
