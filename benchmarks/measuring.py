"""What the benchmarks share: the machine they ran on, and times taken of several sides in turn.

The traps that `in_turn` avoids are listed in README.md beside it.
"""

from __future__ import annotations

import datetime as dt
import gc
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import pyarrow as pa

RESULTS = Path(__file__).parent / "results"


# -- times


def seconds(run: Callable[[], object]) -> float:
    """How long one run takes."""
    begun = time.perf_counter()
    run()
    return time.perf_counter() - begun


@contextmanager
def without_collection() -> Iterator[None]:
    """Python's garbage collection falls on whoever allocates last: run it before, keep it off within."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def in_turn(
    runs: Mapping[str, Callable[[], object]], *, rounds: int, least: float = 0.0, patience: float = float("inf")
) -> dict[str, list[float]]:
    """Seconds of each side, one run per side and round, each round begun by another side.

    There are ``rounds`` rounds; up to ten times as many where all have not taken ``least`` seconds by then. A side
    that has used up ``patience`` seconds runs no more once it has run.
    """
    times: dict[str, list[float]] = {name: [] for name in runs}
    names = list(runs)
    with without_collection():
        for number in range(rounds * 10):
            if number >= rounds and sum(map(sum, times.values())) >= least:
                break
            shift = number % len(names) if names else 0
            for name in names[shift:] + names[:shift]:
                if sum(times[name]) <= patience:
                    times[name].append(seconds(runs[name]))
    return times


def median_ms(taken: Iterable[float]) -> float:
    return statistics.median(taken) * 1000


# -- the setting


def setting(libraries: Iterable[str]) -> dict[str, object]:
    """Versions and hardware, for the head of a file of results."""
    return {
        "measured": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in libraries}},
        "hardware": {
            "cpu": cpu(),
            "cores": os.cpu_count(),
            "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
            "system": platform.platform(),
            "load": os.getloadavg()[0],
        },
        "threads": {"pyarrow": pa.cpu_count()},
    }


def cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
