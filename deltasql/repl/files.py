"""Files that the command and the prompt read and write: scripts are UTF-8, and results appear whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from deltasql.errors import InterfaceError


class UnusableError(InterfaceError):
    """A file can't be read, or not be begun to be written."""


def read_script(path: str) -> str:
    """The text of a file. Raises `UnusableError`."""
    try:
        return decoded(Path(path).expanduser().read_bytes(), path)
    except (OSError, RuntimeError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UnusableError(f"can't read `{path}`: {reason}") from error


def decoded(content: bytes, name: str) -> str:
    """``content`` as text. Raises `UnusableError` with ``name`` where it is none."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnusableError(f"can't read `{name}`: byte {error.start} isn't UTF-8") from error


@contextmanager
def replacing(path: str) -> Iterator[BinaryIO]:
    """A file to write to, which appears at ``path`` (or replaces what is there) only when all went well.

    Raises `UnusableError` before anything is written, `OSError` after.
    """
    try:
        target = Path(path).expanduser().resolve()
        replaces = target.is_file() or not target.exists()  # unlike /dev/null or a pipe
        beside = target.with_name(f".{target.name}.{os.urandom(4).hex()}") if replaces else target
        opened = beside.open("xb" if replaces else "wb")
    except (OSError, RuntimeError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UnusableError(f"can't write `{path}`: {reason}") from error
    try:
        with opened:
            yield opened
        if replaces:
            if target.exists():
                shutil.copymode(target, beside)
            beside.replace(target)
    except BaseException:
        if replaces:
            beside.unlink(missing_ok=True)
        raise
