"""The terminal while something runs: keys aren't echoed over what is drawn, and wait for who reads next.

Only who has the terminal may change it. Ctrl-Z gives it back as it was, and ``fg`` takes it again.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from types import FrameType
from typing import Any

try:
    import termios
except ImportError:  # Windows, whose console echoes only what is being read
    _HAS_TERMIOS = False
else:
    _HAS_TERMIOS = True

_LOCAL_FLAGS = 3  # their place in what termios gives

Lend = Callable[[], AbstractContextManager[None]]
"""Gives the terminal as it was to another program, for as long as the context lasts."""


@contextmanager
def quiet(*, keys: bool) -> Iterator[Lend]:
    """Echo nothing that is typed; gives a way to lend the terminal to a program that one types in.

    ``keys``: keep key strokes as they are, for a prompt of ours that reads them next. Ctrl-C and Ctrl-Z mean what they
    do. Nothing is changed where stdin is no terminal, or another's.
    """
    terminal = _terminal()
    before = None if terminal is None else _hush(terminal, keys=keys)
    if terminal is None or before is None:
        yield nullcontext
        return
    held = _Held(terminal, before, keys)
    try:
        with _stopping(held):
            yield held.lend
    finally:
        _set(terminal, before)


@dataclass(slots=True)
class _Held:
    """A terminal that doesn't echo, how it was ``before``, and whether it is ``lent`` just now."""

    terminal: int
    before: list[Any]
    keys: bool
    lent: bool = False

    @contextmanager
    def lend(self) -> Iterator[None]:
        self.lent = True
        _set(self.terminal, self.before)
        try:
            yield
        finally:
            self.lent = False
            _hush(self.terminal, keys=self.keys)


def _terminal() -> int | None:
    """The number of stdin's file, if that is a terminal that can be changed from here."""
    if not _HAS_TERMIOS or sys.stdin is None:
        return None
    with suppress(OSError, ValueError):  # ValueError: it is closed
        number = sys.stdin.fileno()
        return number if os.isatty(number) else None
    return None


def _hush(terminal: int, *, keys: bool) -> list[Any] | None:
    """Let it echo no more; as it was before, None where nothing may be changed."""
    try:
        if os.tcgetpgrp(terminal) != os.getpgrp():  # To change it in the background would stop us.
            return None
        before = termios.tcgetattr(terminal)
        now = list(before)
        now[_LOCAL_FLAGS] &= ~(termios.ECHO | termios.ICANON if keys else termios.ECHO)
        termios.tcsetattr(terminal, termios.TCSANOW, now)
    except (OSError, termios.error):
        return None
    return before


def _set(terminal: int, attributes: list[Any]) -> None:
    with suppress(OSError, termios.error):
        if os.tcgetpgrp(terminal) == os.getpgrp():
            termios.tcsetattr(terminal, termios.TCSANOW, attributes)


@contextmanager
def _stopping(held: _Held) -> Iterator[None]:
    """Give the terminal back while Ctrl-Z holds us; only the main thread may say what a signal does."""
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGTSTP) != signal.SIG_DFL:
        yield
        return

    def stop(_number: int, _frame: FrameType | None) -> None:
        if not held.lent:
            _set(held.terminal, held.before)
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)  # Here we are held, and go on once ``fg`` or ``bg`` was said.
        signal.signal(signal.SIGTSTP, stop)
        if not held.lent:
            _hush(held.terminal, keys=held.keys)

    signal.signal(signal.SIGTSTP, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
