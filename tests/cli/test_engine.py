"""The command over real tables, once each way: all the rest is tested without an engine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import deltasql

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(deltasql.__file__).parents[1])}
SCRIPT = """
CREATE TABLE t (id BIGINT, name STRING);
INSERT INTO t VALUES (1, 'a;b'), (2, NULL); -- a comment; no statement
"""


def run(*arguments: str, input: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "deltasql", *arguments],
        check=False,
        input=input,
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        timeout=60,
    )


def test_a_script_then_queries(tmp_path):
    made = run(str(tmp_path), input=SCRIPT)
    assert (made.returncode, made.stderr) == (0, "")
    done = run(
        str(tmp_path), "-c", "SELECT id, name FROM t ORDER BY id", "-c", "SELECT count(*) AS n FROM t VERSION AS OF 0"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "id,name\n1,a;b\n2,\n\nn\n0\n", "")
    table = run(str(tmp_path), "--format", "table", "-c", "SELECT id, name FROM t ORDER BY id")
    assert table.stdout == "id │ name\n───┼─────\n 1 │ a;b\n 2 │ NULL\n(2 rows)\n"


def test_an_error_shows_its_place_in_the_script(tmp_path):
    done = run(str(tmp_path), "-c", "SELECT 1 AS one;\nSELECT *\nFROM ordrs")
    assert (done.returncode, done.stdout) == (1, "one\n1\n")
    assert done.stderr.startswith("error: ")
    assert "\n  3 | FROM ordrs\n    |      ^^^^^\n" in done.stderr


def test_read_only_refuses_a_write(tmp_path):
    done = run(str(tmp_path), "--read-only", "-c", "CREATE TABLE t (id BIGINT)")
    assert done.returncode == 1
    assert list(tmp_path.iterdir()) == []


def test_settings_of_a_file_hold_and_wrong_ones_are_named(tmp_path):
    file = tmp_path / "c.toml"
    file.write_text('root = "lake"\nsettings.time_zone = "Asia/Tokyo"\nsettings.deltasql.threads = 1')
    done = run("--config", str(file), "-c", "SHOW time_zone", "-c", "SHOW deltasql.threads")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[1].startswith("time_zone,Asia/Tokyo,")
    assert done.stdout.splitlines()[4].startswith("deltasql.threads,1,")
    file.write_text("settings.deltasql.thread = 1")
    done = run("--config", str(file), "-c", "SELECT 1")
    assert (done.returncode, done.stdout) == (2, "")
    assert f"error: setting `deltasql.thread` in `{file}`: there is no setting" in done.stderr
    file.write_text('settings.deltasql.threads = "many"')
    assert "`many` is no value of `deltasql.threads`" in run("--config", str(file), "-c", "SELECT 1").stderr


def test_ctrl_c_stops_a_write(tmp_path):
    run(str(tmp_path), input=SCRIPT)
    before = set((tmp_path / "t").rglob("*"))
    insert = "INSERT INTO t SELECT value, 'x' FROM range(0, 100000000000)"
    with subprocess.Popen(
        [sys.executable, "-m", "deltasql", str(tmp_path), "-c", insert], stderr=subprocess.PIPE, env=ENVIRONMENT
    ) as process:
        deadline = time.monotonic() + 60
        while set((tmp_path / "t").rglob("*")) == before and time.monotonic() < deadline:
            time.sleep(0.1)  # until delta-rs has written a whole file
        process.send_signal(signal.SIGINT)
        _, words = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"Traceback" not in words
    assert run(str(tmp_path), "-c", "SELECT count(*) AS n FROM t").stdout == "n\n2\n"
