"""The audit of dependencies in CI fails for what is known against one, and only for that."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

_SCRIPT = Path(__file__).parents[1] / ".ci" / "audit.py"


@pytest.fixture(scope="module")
def audit() -> Any:
    found = importlib.util.spec_from_file_location("audit", _SCRIPT)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def _report(*packages: dict[str, object]) -> str:
    return json.dumps({"dependencies": packages, "fixes": []})


_SOUND = {"name": "b", "version": "2", "vulns": []}
_UNKNOWN = {"name": "c", "skip_reason": "not found"}


def test_what_is_known_fails(audit: Any) -> None:
    known = {"id": "PYSEC-1", "fix_versions": ["1.1"], "aliases": [], "description": ""}
    unmended = known | {"id": "PYSEC-2", "fix_versions": []}
    bad = {"name": "a", "version": "1", "vulns": [known, unmended]}
    shown, code = audit.verdict(_report(bad, _SOUND, _UNKNOWN))
    assert shown.splitlines() == ["a 1: PYSEC-1, mended in 1.1", "a 1: PYSEC-2, mended in no version"]
    assert code == 1


@pytest.mark.parametrize(
    ("report", "shown"),
    [
        (_report(_SOUND, _UNKNOWN), "nothing is known against 1 of 2 packages"),
        (_report(_UNKNOWN), "no advisories can be had of 1 packages"),
        ("", "no advisories can be had"),
    ],
)
def test_the_rest_passes_and_says_what_was_looked_at(audit: Any, report: str, shown: str) -> None:
    found, code = audit.verdict(report)
    assert found.startswith(shown)
    assert code == 0
