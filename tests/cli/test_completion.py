"""Completion in shells: each script knows all arguments, and bash's is asked."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from deltasql.arguments import SHELLS, parser
from deltasql.cli import FINE, main

OPTIONS = [name for action in parser()._actions for name in action.option_strings]
ASK = """
source ./completion
COMP_WORDS=(%s); COMP_CWORD=%s; _deltasql
[ ${#COMPREPLY[@]} = 0 ] || printf '%%s\\n' "${COMPREPLY[@]}"
"""


def written(shell: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["--completion", shell]) == FINE
    return capsys.readouterr().out


@pytest.mark.parametrize("shell", SHELLS)
def test_it_knows_every_option(shell, capsys):
    script = written(shell, capsys)
    fish = [f"-l {name[2:]} " if name.startswith("--") else f"-s {name[1:]} " for name in OPTIONS]
    assert not [name for name in (fish if shell == "fish" else OPTIONS) if name not in script]
    assert "parquet" in script


@pytest.mark.parametrize("shell", SHELLS)
def test_the_shell_takes_it(shell, capsys, tmp_path):
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} isn't here")
    (tmp_path / "script").write_text(written(shell, capsys))
    done = subprocess.run([shell, "-n", str(tmp_path / "script")], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["--re"], ["--read-only"]),
        (["--format", "js"], ["json", "jsonl"]),
        (["--format", "xls"], []),
        (["--completion", ""], ["bash", "fish", "zsh"]),
        (["-f", "my"], ["my lake", "my script.sql"]),
        (["my"], ["my lake"]),
        (["--profile", "my"], []),
        (["lake", "--yes", "--dem"], ["--demo"]),
    ],
)
def test_bash(words, offered, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my lake").mkdir()
    (tmp_path / "my script.sql").touch()
    Path("completion").write_text(written("bash", capsys))
    quoted = " ".join(f"'{word}'" for word in ["deltasql", *words])
    done = subprocess.run(
        ["bash", "-c", ASK % (quoted, len(words))], capture_output=True, text=True, check=False, timeout=60
    )
    assert (sorted(done.stdout.splitlines()), done.stderr) == (offered, "")


def test_another_shell_is_wrong_usage(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["--completion", "tcsh"])
    assert stopped.value.code == 2
