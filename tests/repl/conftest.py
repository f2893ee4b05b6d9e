"""A connection over a small lake, and a shell over it that answers what a test says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from deltasql.connection import Connection
from deltasql.repl.shell import Shell


@pytest.fixture(autouse=True)
def person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nobody's history is touched: the home folder is the test's."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "state"))
    return home


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    with Connection(tmp_path / "lake") as connection:
        connection.sql("CREATE TABLE orders (id INT, name STRING)")
        connection.sql("INSERT INTO orders VALUES (1, 'a'), (2, 'b')")
        yield connection


class AskedShell(Shell):
    """Notes the questions, and answers all of them with ``answer``."""

    def __init__(self, connection: Connection) -> None:
        self.questions: list[str] = []
        self.answer = False
        super().__init__(connection, ask=self.asked)

    def asked(self, question: str) -> bool:
        self.questions.append(question)
        return self.answer


@pytest.fixture
def shell(connection: Connection) -> Iterator[AskedShell]:
    with closing(AskedShell(connection)) as shell:
        yield shell
