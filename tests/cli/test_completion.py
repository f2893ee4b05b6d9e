"""Completion in shells: each script knows all arguments, and bash's is asked."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pexpect
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
        (["--format", "=", "js"], ["json", "jsonl"]),
        (["--completion", "="], ["bash", "fish", "zsh"]),
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


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish isn't here")
@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("--re", ["--read-only"]),
        ("--format js", ["json", "jsonl"]),
        ("--format=js", ["--format=json", "--format=jsonl"]),
        ("-f my", ["my lake/", "my script.sql"]),
        ("my", ["my lake/"]),
        ("--profile my", []),
        ("lake --yes --dem", ["--demo"]),
    ],
)
def test_fish(typed, offered, capsys, tmp_path):
    (tmp_path / "my lake").mkdir()
    (tmp_path / "my script.sql").touch()
    (tmp_path / "completion").write_text(written("fish", capsys))
    asked = f"source completion; complete -C 'deltasql {typed}'"
    done = subprocess.run(
        ["fish", "--no-config", "-c", asked],
        cwd=tmp_path,
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    found = sorted(line.partition("\t")[0] for line in done.stdout.splitlines())
    assert (found, done.stderr) == (offered, "")


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh isn't here")
def test_zsh(capsys, tmp_path):
    """It is asked as one types: there is no other way to its completion."""
    (tmp_path / "my lake").mkdir()
    (tmp_path / "completion").write_text(written("zsh", capsys))
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TERM": "dumb", "PS1": "ready> "}
    zsh = pexpect.spawn(
        "zsh", ["-f", "-i"], cwd=str(tmp_path), env=environment, encoding="utf-8", timeout=60, dimensions=(40, 200)
    )
    try:
        zsh.expect("ready> ")
        zsh.send("autoload -U compinit; compinit -u -D; source ./completion; print is $((40 + 2))\r")
        zsh.expect("is 42")
        zsh.expect("ready> ")
        for typed, completed in [
            ("--re", "--read-only "),
            ("--format jsonl", "--format jsonl "),
            ("--format=par", "--format=parquet "),
            ("my", "my\\ lake/"),
            ("lake --yes --dem", "lake --yes --demo "),
            ("--completion f", "--completion fish "),
        ]:
            zsh.send(f"deltasql {typed}\t")
            zsh.expect_exact(f"deltasql {completed}")
            zsh.send("\x15")
    finally:
        zsh.close(force=True)


def test_another_shell_is_wrong_usage(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["--completion", "tcsh"])
    assert stopped.value.code == 2
