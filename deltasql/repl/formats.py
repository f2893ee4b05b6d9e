"""What is to be known of formats before their writers are loaded, which costs more than ``--help`` may."""

from __future__ import annotations

from pathlib import PurePath

FORMAT_NAMES = (
    "table",
    "csv",
    "tsv",
    "json",
    "jsonl",
    "markdown",
    "vertical",
    "html",
    "bars",
    "arrow",
    "parquet",
)
"""The keys of ``deltasql.output.FORMATS``."""

APART = frozenset({"table", "csv", "tsv", "markdown", "vertical", "bars"})
"""Formats with an empty line between two results."""

BINARY = frozenset({"arrow", "parquet"})
"""Formats that are not for a terminal, and of which a file holds one result."""

_EXTENSIONS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".md": "markdown",
    ".html": "html",
    ".htm": "html",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".parquet": "parquet",
}

_OTHERS = (".xlsx", ".xls", ".xlsm", ".ods", ".orc", ".avro", ".pdf", ".gz", ".zst", ".bz2", ".xz", ".zip")


def other(name: str) -> str | None:
    """The extension of a file that promises something which none of the formats is, or None."""
    extension = PurePath(name).suffix.lower()
    return extension if extension in _OTHERS else None


def of_file(name: str) -> str | None:
    """The format that a file's extension asks for, or None."""
    return _EXTENSIONS.get(PurePath(name).suffix.lower())
