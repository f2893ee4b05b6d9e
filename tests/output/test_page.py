"""docs/output.md says what is: its table lists every format, and its commands print what it shows.

UPDATE_GOLDEN=1 writes the outputs anew, for review.
"""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

import pytest

from deltasql import cli
from deltasql.demo import make_lake
from deltasql.output import FORMATS
from deltasql.repl import formats

PAGE = Path(__file__).parents[2] / "docs" / "output.md"


def test_every_format_is_listed_with_its_endings():
    rows = re.findall(r"^\| `(\w+)` \|([^|]*)\|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert [name for name, _ in rows] == list(FORMATS)
    endings = {ending: name for name, cell in rows for ending in re.findall(r"`(\.\w+)`", cell)}
    assert endings == formats._EXTENSIONS


def test_its_commands_print_what_it_shows(tmp_path, monkeypatch, capsysbinary):
    make_lake(tmp_path / "lake")
    monkeypatch.chdir(tmp_path)

    def ran(block: re.Match[str]) -> str:
        shown = []
        for line in re.findall(r"^\$ .*\n", block[1], re.MULTILINE):
            program, *arguments = shlex.split(line[2:])
            assert program == "deltasql"
            assert cli.main(arguments) == cli.FINE
            shown += [line, capsysbinary.readouterr().out.decode()]
        return f"```console\n{''.join(shown)}```\n"

    text = PAGE.read_text(encoding="utf-8")
    got = re.sub(r"```console\n(.*?)```\n", ran, text, flags=re.DOTALL)
    if "UPDATE_GOLDEN" in os.environ:
        PAGE.write_text(got, encoding="utf-8")
        pytest.skip("written")
    assert got == text
