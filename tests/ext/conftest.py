"""A shell of IPython's in this process, with the magic loaded, over an empty lake."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import ExecutionResult, InteractiveShell
from traitlets.config import Config

Run = Callable[[str], ExecutionResult]


@pytest.fixture(scope="session")
def _shell(tmp_path_factory: pytest.TempPathFactory) -> InteractiveShell:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IPYTHONDIR", str(tmp_path_factory.mktemp("ipython")))
        config = Config()
        config.HistoryManager.enabled = False
        config.InteractiveShell.colors = "nocolor"
        # A module of its own, as the shell would put its own in the place of `__main__`.
        module = types.ModuleType("notebook")
        return InteractiveShell(config=config, user_module=module, user_ns=module.__dict__)


@pytest.fixture
def shell(_shell: InteractiveShell, tmp_path: Path) -> Iterator[InteractiveShell]:
    before = set(_shell.user_ns)
    _shell.extension_manager.load_extension("deltasql.ext.notebook")
    _shell.run_line_magic("deltasql", f"--root '{tmp_path / 'lake'}'")
    yield _shell
    _shell.extension_manager.unload_extension("deltasql.ext.notebook")
    for name in set(_shell.user_ns) - before:
        del _shell.user_ns[name]


@pytest.fixture
def run(shell: InteractiveShell) -> Run:
    """Runs a cell that may fail."""
    return lambda source: shell.run_cell(source, store_history=False)


@pytest.fixture
def value(run: Run) -> Callable[[str], Any]:
    """Runs a cell that succeeds, and gives its value."""

    def value(source: str) -> Any:
        done = run(source)
        done.raise_error()
        return done.result

    return value
