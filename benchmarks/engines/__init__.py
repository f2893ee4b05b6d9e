"""The engines that are compared: one file each. An engine that isn't installed is passed over, and said so."""

from __future__ import annotations

import importlib

from engines.engine import Engine

OURS = "deltasql"
REFERENCE = "duckdb"
"""The engine whose answers the others' are held against."""

ENGINES = {
    OURS: "engines.ours:DeltaSql",
    REFERENCE: "engines.duckdb_delta:DuckDb",
    "polars": "engines.polars_delta:Polars",
    "sail": "engines.sail:Sail",
    "querybuilder": "engines.querybuilder:DeltaRs",
    "naive": "engines.naive:Naive",
}
"""By name, in the order in which they are shown."""


def load(name: str) -> Engine:
    """The engine of that name. Raises ImportError where its libraries aren't installed."""
    module, _, kind = ENGINES[name].partition(":")
    engine: Engine = getattr(importlib.import_module(module), kind)()
    return engine
