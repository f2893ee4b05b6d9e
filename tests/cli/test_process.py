"""The command as a process: pipes, closed streams, exit codes, and what it imports."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from deltasql.cli import FORMAT_NAMES

FAKE = Path(__file__).with_name("fake.py")


def test_data_on_stdout_and_words_on_stderr(command):
    done = command("-c", "ROWS 1;\n-- look:\n\tFAIL here")
    assert done.returncode == 1
    assert done.stdout == b"n,s\n1,row 1\n"
    assert done.stderr.decode() == (
        "error: no table `ordrs`\n  2 |     FAIL here\n    |     ^^^^\nhint: did you mean `orders`?\n"
    )


def test_a_script_on_stdin(command):
    done = command(input=b"ROWS 1;")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"n,s\n1,row 1\n", b"")


def test_wrong_usage(command):
    assert command("--format", "xls").returncode == 2


@pytest.mark.parametrize(
    ("statement", "format"),
    [("ROWS 200000", "csv"), *(("ENDLESS", format) for format in FORMAT_NAMES if format not in ("bars", "parquet"))],
)
def test_a_reader_that_has_enough(statement, format):
    """Quiet, and 141, as a shell reports it of cat: the rows behind were never read."""
    with subprocess.Popen(
        [sys.executable, str(FAKE), "-c", statement, "--format", format],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read(5)
        process.stdout.close()
        assert process.wait(timeout=60) == 141
        assert process.stderr.read() == b""


@pytest.mark.parametrize("locale", ["C", "en_US.ISO-8859-1"])
def test_text_is_utf8_whatever_the_locale(locale):
    done = subprocess.run(
        [sys.executable, str(FAKE), "-c", "ROWS 1", "--format", "table"],
        capture_output=True,
        check=True,
        env={
            **environment(),
            "LC_ALL": locale,
            "PYTHONUTF8": "0",
            "PYTHONCOERCECLOCALE": "0",
            "PYTHONIOENCODING": "latin-1",
        },
        timeout=60,
    )
    assert done.stdout.decode() == "n │ s\n──┼──────\n1 │ row 1\n(1 row)\n"


def test_a_reader_that_never_was(command):
    """A small result meets the closed pipe only when it is flushed."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        with subprocess.Popen(
            [sys.executable, str(FAKE), "-c", "ROWS 1"], stdout=writing, stderr=subprocess.PIPE, env=environment()
        ) as process:
            _, words = process.communicate(timeout=60)
    finally:
        os.close(writing)
    assert (process.returncode, words) == (141, b"")


def test_ctrl_c():
    with subprocess.Popen(
        [sys.executable, str(FAKE), "-c", "ENDLESS"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"n,s\n"
        process.send_signal(signal.SIGINT)
        _, words = process.communicate(timeout=60)
    assert (process.returncode, words) == (130, b"")


def test_closed_streams(command):
    closed = subprocess.run(
        ["sh", "-c", f'"{sys.executable}" "{FAKE}" -c "ROWS 1" >&- 2>&- <&-'],
        check=False,
        env=environment(),
        timeout=60,
    )
    assert closed.returncode == 0


def test_output_that_cant_be_written(command):
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    done = command("-c", "ROWS 100000", "-o", "/dev/full")
    assert done.returncode == 1
    assert b"No space left on device" in done.stderr


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_words_alone_load_no_engine(option):
    """What is loaded is what the person waits for."""
    probe = (
        "import sys\nfrom deltasql.cli import main\n"
        f"try:\n    main([{option!r}])\nexcept SystemExit:\n    pass\n"
        "heavy = {'pyarrow', 'datafusion', 'deltalake', 'sqlglot', 'pandas', 'prompt_toolkit'}\n"
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, check=False, env=environment(), timeout=60
    )
    assert (done.returncode, done.stderr) == (0, b"")


def environment() -> dict[str, str]:
    import deltasql.errors

    return {**os.environ, "PYTHONPATH": str(Path(deltasql.errors.__file__).parents[1])}
