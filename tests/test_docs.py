"""README.md and docs/ say what is: their generated parts and their outputs are those of today."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]


def test_nothing_is_stale() -> None:
    script = [sys.executable, str(ROOT / "docs" / "generate.py"), "--check"]
    done = subprocess.run(script, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"run `make docs`:\n{done.stdout}{done.stderr}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8"))
    missing = [link for link in links if not link.startswith("https:") and not (page.parent / link).exists()]
    assert not missing


def test_the_readme_opens_with_the_two_commands() -> None:
    opening = (ROOT / "README.md").read_text(encoding="utf-8").split("```")[1]
    commands = [line.split("#")[0].split() for line in opening.splitlines()[1:] if line]
    assert commands == [["$", "make", "demo"], ["$", "make", "test"]]
    targets = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "\ndemo:" in targets
    assert "\ntest:" in targets
