"""The arguments of the command, and the help that one can learn it from.

Nothing is loaded here that ``--help`` would wait for.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import dataclass

from deltasql.repl.files import decoded, read_script
from deltasql.repl.formats import FORMAT_NAMES
from deltasql.settings import DIALECTS

SHELLS = ("bash", "zsh", "fish")
DASH = "-"

_FORMATS = f"{', '.join(FORMAT_NAMES)}; table on a terminal, else csv"
_COMPLETION = f"write what completes these arguments in a shell: {', '.join(SHELLS)}"
_EPILOG = """\
Without -c and -f: the prompt on a terminal, else the script on stdin. At the prompt `.help` shows the commands.

examples:
  deltasql lake/                                  the prompt
  deltasql lake/ -c 'SELECT * FROM orders VERSION AS OF 3 LIMIT 5'
  deltasql lake/ -f nightly.sql -o report.csv     report.csv appears when all went well
  deltasql lake/ -c 'SHOW TABLES' --format json | jq '.[].tableName'
  deltasql --profile nightly -f nightly.sql       root and settings of a profile
  deltasql --demo                                 a small lake to try things on
  deltasql --completion bash >> ~/.bashrc         (zsh: >> ~/.zshrc, fish: > ~/.config/fish/completions/deltasql.fish)

configuration: --config, else ./deltasql.toml, else deltasql.toml in the folder of a user's configuration
  root = "lake"                                   relative to the file
  format = "table"
  read_only = false
  profile = "dev"                                 the one that is used unless --profile names another
  [settings]                                      as SET takes them
  time_zone = "Europe/Berlin"
  [profiles.nightly]                              the same keys, on top of those above
  root = "/data/lake"
  settings.deltasql.memory_limit = "8GB"

environment:
  DELTASQL_ROOT, DELTASQL_PROFILE, DELTASQL_CONFIG, DELTASQL_FORMAT   as the arguments, which win
  DELTASQL_KEYS (emacs, vi), DELTASQL_PAGER, DELTASQL_EDITOR, NO_COLOR   the prompt

exit codes: 0 fine, 1 a statement failed, 2 wrong usage, 130 interrupted, 141 the reader of a pipe left
"""


@dataclass(frozen=True, slots=True)
class Command:
    """SQL given as an argument."""

    text: str

    def read(self) -> str:
        """The SQL."""
        return self.text


@dataclass(frozen=True, slots=True)
class File:
    """A script given by its path; ``-`` is stdin."""

    path: str

    def read(self) -> str:
        """The script. Raises `UnusableError`."""
        return read_stdin() if self.path == DASH else read_script(self.path)


def read_stdin() -> str:
    """All of stdin; empty where there is none. Raises `UnusableError`."""
    return "" if sys.stdin is None else decoded(sys.stdin.buffer.read(), "stdin")


def parser() -> argparse.ArgumentParser:
    """What reads the arguments; it leaves by SystemExit with 2 where they are wrong."""
    made = argparse.ArgumentParser(
        prog="deltasql",
        description="SQL over Delta Lake tables.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    made.add_argument("root", metavar="ROOT", nargs="?", help="the folder of the tables; the current one by default")
    run = made.add_argument_group("what runs")
    run.add_argument(
        "-c", dest="sources", metavar="SQL", action="append", type=_command, default=[], help="run SQL; repeatable"
    )
    run.add_argument(
        "-f",
        dest="sources",
        metavar="FILE",
        action="append",
        type=File,
        help="run the statements in FILE (-: stdin); repeatable, in order with -c; the first that fails ends all",
    )
    run.add_argument("--read-only", action="store_true", help="refuse every statement that would change something")
    run.add_argument("--yes", action="store_true", help="don't ask at the prompt before VACUUM, DROP, DELETE of all …")
    run.add_argument("--demo", action="store_true", help="make a small lake in a temporary directory and open it")
    look = made.add_argument_group("where results go")
    look.add_argument("--format", choices=FORMAT_NAMES, metavar="FORMAT", help=_FORMATS)
    look.add_argument(
        "-o", dest="output", metavar="FILE", help="to FILE, whole or not at all; its extension gives the format"
    )
    set_down = made.add_argument_group("configuration")
    set_down.add_argument("--profile", metavar="NAME", help="the part of deltasql.toml to use")
    set_down.add_argument("--config", metavar="FILE", help="another file than deltasql.toml")
    set_down.add_argument(
        "--dialect", metavar="NAME", choices=DIALECTS, help="whose SQL queries are written in, such as databricks"
    )
    others = made.add_argument_group("words")
    others.add_argument("--completion", choices=SHELLS, metavar="SHELL", help=_COMPLETION)
    others.add_argument("--version", action="store_true", help="show the versions and leave")
    return made


def _command(text: str) -> Command:
    """SQL of the command line as UTF-8, whatever the locale took it for."""
    try:
        return Command(os.fsencode(text).decode())
    except UnicodeError:
        raise argparse.ArgumentTypeError("it isn't UTF-8") from None
