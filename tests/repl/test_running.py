"""Ctrl-C stops work; in a process of its own, for what Ctrl-C does elsewhere."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import deltasql.errors
from deltasql.repl.running import interruptible

SCRIPT = """
import os, signal, threading, time
from deltasql.repl.running import interruptible

started = threading.Event()

def endless():
    started.set()
    while True:
        time.sleep(0.01)

def deaf():
    started.set()
    time.sleep(600)

def slow_to_hear():
    started.set()
    time.sleep(3)
    time.sleep(600)

def press():
    started.wait()
    os.kill(os.getpid(), signal.SIGINT)

signal.signal(signal.SIGINT, signal.default_int_handler)
threading.Thread(target=press, daemon=True).start()
try:
    interruptible(WORK, may_abandon=MAY_ABANDON)
except BaseException as error:
    print(type(error).__name__)
"""


@pytest.mark.parametrize(
    ("work", "may_abandon", "raised"),
    [
        ("endless", True, "KeyboardInterrupt"),
        ("endless", False, "KeyboardInterrupt"),
        ("deaf", True, "AbandonedError"),
        ("slow_to_hear", False, "KeyboardInterrupt"),
    ],
)
def test_ctrl_c(work, may_abandon, raised):
    script = SCRIPT.replace("WORK", work).replace("MAY_ABANDON", str(may_abandon))
    done = subprocess.run(
        [sys.executable, "-c", script],
        check=False,
        capture_output=True,
        text=True,
        cwd=Path(deltasql.errors.__file__).parents[1],
        timeout=60,
    )
    assert (done.stdout, done.stderr) == (f"{raised}\n", "")


def test_what_the_work_raises_is_raised():
    with pytest.raises(ZeroDivisionError):
        interruptible(lambda: print(1 // 0), may_abandon=True)


def test_work_is_done():
    done: list[int] = []
    interruptible(lambda: done.append(1), may_abandon=True)
    assert done == [1]
