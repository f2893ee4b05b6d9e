"""How long one waits for the first prompt, and for the engine that is loaded behind it.

Each start is a process in a pseudo-terminal, timed from the fork until the prompt is drawn, and until a query that was
typed at once is answered, for which the engine must be there. The gate is on the best round: other work on the machine
only adds. ``python`` is an interpreter that does nothing, ``command`` is ``deltasql -c 'SELECT 1'``.
Results go to ``results/start.json``; ``--check`` exits with 1 where the gate is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from functools import partial

import pexpect
from measuring import RESULTS, median_ms, seconds, setting

ROUNDS = 10
LIMIT = 600.0  # milliseconds
LIBRARIES = ("deltasql", "datafusion", "deltalake", "pyarrow", "sqlglot", "prompt-toolkit")
_QUIET = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}


def prompt(root: str) -> dict[str, float]:
    """Seconds until the prompt is drawn, and until a query is answered."""
    environment = {**os.environ, "TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1", "HOME": root, "XDG_STATE_HOME": root}
    found: dict[str, float] = {}
    begun = time.perf_counter()
    child = pexpect.spawn(
        sys.executable, ["-m", "deltasql", root], env=environment, dimensions=(30, 100), timeout=60, encoding="utf-8"
    )
    child.delaybeforesend = None
    try:
        child.expect("deltasql>")
        found["prompt"] = time.perf_counter() - begun
        child.send("SELECT 6 * 7 AS n;\r")
        child.expect("42")
        found["answer"] = time.perf_counter() - begun
        child.expect("deltasql>")
        child.send("\x04")
        child.expect(pexpect.EOF)
    finally:
        child.close(force=True)
    return found


def measured(root: str) -> dict[str, list[float]]:
    """Seconds of each kind, a process of each in turn; the first round compiles and warms, and isn't counted."""
    commands = {
        "python": [sys.executable, "-c", ""],
        "command": [sys.executable, "-m", "deltasql", root, "-c", "SELECT 1"],
    }
    times: dict[str, list[float]] = {}
    for number in range(ROUNDS + 1):
        once = prompt(root)
        for name, arguments in commands.items():
            once[name] = seconds(partial(subprocess.run, arguments, check=True, **_QUIET))
        if number:
            for name, taken in once.items():
                times.setdefault(name, []).append(taken)
    return times


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="exit with 1 where the gate is missed")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as root:
        times = measured(root)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "start.json").write_text(json.dumps({**setting(LIBRARIES), "results": times}, indent=2) + "\n")
    print(f"{'ms':8} {'best':>8} {'median':>8}  gate")
    missed = False
    for name, taken in sorted(times.items(), key=lambda item: min(item[1])):
        best, verdict = min(taken) * 1000, ""
        if name == "prompt":
            missed = best >= LIMIT
            verdict = f"under {LIMIT:.0f}: {'MISSED' if missed else 'met'}"
        print(f"{name:8} {best:8.0f} {median_ms(taken):8.0f}  {verdict}".rstrip())
    return int(arguments.check and missed)


if __name__ == "__main__":
    sys.exit(main())
