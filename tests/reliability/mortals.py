"""Processes that run statements and die in the middle of them, at little cost: a warm process forks them.

Run as a program it reads requests from its input, a JSON object a line, and answers each when the process that it
forked is dead. `Nursery` is its face for the tests.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import pkgutil
import select
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

_STEPS = frozenset(["os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.link", "os.truncate"])
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_LONGEST = 120


@dataclass(frozen=True, slots=True)
class End:
    """How it ended: how many statements were acknowledged, the error of the next one, and whether it was killed."""

    acknowledged: int
    error: str | None
    killed: bool


@dataclass(frozen=True, slots=True)
class Told:
    """What a statement gave, and when; times are those of one clock."""

    begun: int
    ended: int
    rows: list[list[Any]] | None
    version: int | None
    error: str | None


class Nursery:
    """A warm process that forks those that die; see the module."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__))], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=_LONGEST)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def run(self, root: Path, statements: Sequence[str], *, after: float | None = None, step: int | None = None) -> End:
        """Run the statements in a process that is killed ``after`` seconds, or before its ``step``-th write."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        request = {"root": str(root), "statements": list(statements), "after": after, "step": step}
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return End(**json.loads(self._process.stdout.readline()))

    def together(
        self, root: Path, statements: Sequence[Sequence[str]], *, killed: Mapping[int, float] | None = None
    ) -> list[list[Told]]:
        """Run each list of statements in a process of its own, all at once; what each statement gave.

        Those of the processes ``killed`` are killed so many seconds after the start: the statement behind the last one
        that they tell of may have been in flight.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with tempfile.TemporaryDirectory() as folder:
            files = [f"{folder}/{number}" for number in range(len(statements))]
            together = list(zip(files, map(list, statements), strict=True))
            request = {"root": str(root), "together": together, "killed": list((killed or {}).items())}
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            statuses = json.loads(self._process.stdout.readline())
            assert all(status == 0 or number in (killed or {}) for number, status in enumerate(statuses))
            return [[Told(**json.loads(line)) for line in Path(file).read_text().splitlines()] for file in files]


@contextlib.contextmanager
def nursery() -> Iterator[Nursery]:
    """A `Nursery` that is closed at the end."""
    found = Nursery()
    try:
        yield found
    finally:
        found.close()


# -- in the warm process


def _serve() -> None:
    import deltasql

    # All that a statement would import, but nothing is run: threads would be lost in the fork.
    for module in pkgutil.walk_packages(deltasql.__path__, "deltasql."):
        if not module.name.startswith(("deltasql.repl", "deltasql.cli", "deltasql.__main__")):
            importlib.import_module(module.name)
    for line in sys.stdin:
        request = json.loads(line)
        if "together" in request:
            print(json.dumps(_together(request)), flush=True)
            continue
        heard, said = os.pipe()
        child = os.fork()
        if not child:
            os.close(heard)
            _live(said, request)
        os.close(said)
        answer = _watch(child, heard, request["after"])
        os.close(heard)
        print(json.dumps(answer), flush=True)


def _together(request: dict[str, Any]) -> list[int]:
    """Fork a process for each list of statements, let them start at once, and wait; their exit codes."""
    held, start = os.pipe()
    children = []
    for file, statements in request["together"]:
        child = os.fork()
        if not child:
            os.close(start)
            _tell(held, Path(file), request["root"], statements)
        children.append(child)
    os.close(held)
    os.close(start)
    began = time.monotonic()
    for number, after in sorted(request["killed"], key=lambda each: each[1]):
        time.sleep(max(began + after - time.monotonic(), 0))
        os.kill(children[number], signal.SIGKILL)
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]


def _watch(child: int, pipe: int, after: float | None) -> dict[str, Any]:
    """Wait until it is ready, then until it is to die; what it said before."""
    said, deadline = b"", time.monotonic() + _LONGEST
    while True:
        ready, _, _ = select.select([pipe], [], [], max(deadline - time.monotonic(), 0))
        if not ready:
            os.kill(child, signal.SIGKILL)
            break
        more = os.read(pipe, 1 << 16)
        if not more:
            break
        if not said and after is not None:
            deadline = time.monotonic() + after
        said += more
    while more := os.read(pipe, 1 << 16):
        said += more
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    words = said.decode().splitlines()
    errors = [json.loads(word) for word in words if word.startswith('"')]
    return {
        "acknowledged": words.count("done"),
        "error": errors[0] if errors else None,
        "killed": status == -signal.SIGKILL,
    }


# -- in one that dies


def _live(said: int, request: dict[str, Any]) -> NoReturn:
    import deltasql

    try:
        con = deltasql.connect(request["root"])
        con.sql("SET deltasql.vacuum.retention_check = off")
        con.sql("SELECT 1").fetchall()
        os.write(said, b"ready\n")
        if request["step"] is not None:
            _die_before(request["step"])
        for statement in request["statements"]:
            con.sql(statement)
            os.write(said, b"done\n")
    except BaseException as error:
        os.write(said, json.dumps(f"{type(error).__name__}: {error}").encode() + b"\n")
    os._exit(0)


def _tell(held: int, told: Path, root: str, statements: list[str]) -> NoReturn:
    import deltasql

    code = 1
    try:
        signal.alarm(_LONGEST * 5)
        con = deltasql.connect(root)
        con.sql("SELECT 1").fetchall()
        os.read(held, 1)
        with told.open("w") as out:
            for statement in statements:
                given: dict[str, Any] = {"rows": None, "version": None, "error": None}
                begun = time.monotonic_ns()
                try:
                    result = con.sql(statement)
                    given |= {"version": result.version, "rows": result.fetchall()}
                except deltasql.Error as error:
                    given["error"] = f"{type(error).__name__}: {error}"
                told_now = {"begun": begun, "ended": time.monotonic_ns(), **given}
                print(json.dumps(told_now, default=str), file=out, flush=True)
        code = 0
    except BaseException:
        traceback.print_exc()
    os._exit(code)


def _die_before(step: int) -> None:
    seen = -1

    def count() -> None:
        nonlocal seen
        seen += 1
        if seen == step:
            os.kill(os.getpid(), signal.SIGKILL)

    def hear(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _STEPS or (event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITES):
            count()

    sync = os.fsync

    def synced(file: int) -> None:
        count()
        sync(file)

    os.fsync = synced
    sys.addaudithook(hear)


if __name__ == "__main__":
    _serve()
