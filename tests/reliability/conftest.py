"""The seed of a run stands above it."""

from __future__ import annotations

from .amounts import SEED, SOAK


def pytest_report_header() -> str:
    return f"reliability: {'soak' if SOAK else 'short'}, DELTASQL_SEED={SEED}"
