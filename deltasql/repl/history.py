"""What was typed, kept per user in a file that only they can read; in memory where that can't be."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import platformdirs
from prompt_toolkit.history import FileHistory, History, InMemoryHistory

from deltasql.redaction import redacted


class _Lenient(FileHistory):
    """A file that can't be written, or no more on a full disk: what is in it is there, and the prompt goes on."""

    def load_history_strings(self) -> Iterable[str]:
        try:
            return list(super().load_history_strings())
        except OSError:
            return []

    def store_string(self, string: str) -> None:
        with suppress(OSError):
            super().store_string(encodable(redacted(string)))


def encodable(text: str) -> str:
    """``text`` with ``?`` for the bytes of a paste that are no UTF-8, which come as half characters."""
    return text.encode("utf-8", "replace").decode()


def open_history(path: Path | None = None) -> History:
    """The history in ``path`` (None: the user's own), made with mode 0600 if it isn't there."""
    try:
        file = path if path is not None else platformdirs.user_state_path("deltasql") / "history"
        if not file.is_file():
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600))
    except (OSError, RuntimeError):  # RuntimeError: there is no home folder
        return InMemoryHistory()
    return _Lenient(file)
