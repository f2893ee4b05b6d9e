"""The same suite on sqlglot's compiled build: its tokenizer differs in what a subclass may change.

`make test` builds the environment, as tests use no network.
"""

from __future__ import annotations

import os
import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ENVIRONMENT = Path(os.environ.get("DELTASQL_VENV_COMPILED", ROOT / ".venv-compiled"))


def _run(*arguments: str) -> str:
    python = ENVIRONMENT / "bin" / "python"
    if not python.exists():
        pytest.fail(f"{ENVIRONMENT} is missing: `make test` builds it")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [str(python), *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def test_the_tokenizer_is_compiled() -> None:
    assert _run("-c", "import sqlglot.tokenizer_core as core; print(core.__file__)").endswith(".so")


def test_the_versions_are_the_same() -> None:
    script = "from importlib.metadata import version; print(version('sqlglot'), version('sqlglotc'))"
    assert _run("-c", script) == f"{version('sqlglot')} {version('sqlglot')}"


def test_the_suite_passes() -> None:
    ignored = ["--ignore", "tests/sql/test_compiled_build.py"]
    # The compiled environment has sqlglot alone: no conftest but those of this folder is read.
    alone = ["-p", "no:xdist", "-p", "no:cacheprovider", "--confcutdir", "tests/sql"]
    assert "passed" in _run("-m", "pytest", "tests/sql", "-q", *alone, *ignored)
