"""Commands about how results look, and what is said beside them."""

from __future__ import annotations

import os
import shlex
import shutil
from typing import TYPE_CHECKING

from deltasql.errors import InterfaceError
from deltasql.names import did_you_mean
from deltasql.output import FORMATS
from deltasql.output.pager import pager_command
from deltasql.repl.commands.given import switched, unquoted, whole

if TYPE_CHECKING:
    from deltasql.repl.shell import Shell


def mode(shell: Shell, argument: str) -> None:
    """.mode [format]

    Show results in another format, or say which it is and which there are.
    """
    wanted = argument.lower()
    if not wanted:
        shell.tell(f"mode is {shell.format}; there are {', '.join(FORMATS)}")
    elif wanted in FORMATS:
        shell.format = wanted
    else:
        there_are = f"there are {', '.join(FORMATS)}"
        raise InterfaceError(f"unknown format `{argument}`", hint=did_you_mean(argument, FORMATS) or there_are)


def expanded(shell: Shell, argument: str) -> None:
    r"""\x [on | off]

    Show a record below the other, as `.mode vertical` does, or tables; without a word, switch.
    """
    shell.format = "vertical" if switched(argument, shell.format == "vertical", r"\x") else "table"
    shell.tell(f"mode is {shell.format}")


def rows(shell: Shell, argument: str) -> None:
    """.rows [number | all]

    How many rows of a large result a terminal shows, the first and the last; files and pipes have them all.
    """
    if argument:
        shell.rows = whole(argument, ".rows", "all")
    shell.tell(f"rows shown: {'all' if shell.rows is None else format(shell.rows, ',')}")


def types(shell: Shell, argument: str) -> None:
    """.types [on | off]

    Whether a table on a terminal has the types below the names of its columns; without a word, switch.
    """
    shell.types = switched(argument, shell.types, ".types")
    shell.tell(f"types are {'shown' if shell.types else 'not shown'}")


def width(shell: Shell, argument: str) -> None:
    """.width [number | auto]

    How many columns a line may have; `auto` is as many as the terminal has.
    """
    if argument:
        shell.width = whole(argument, ".width", "auto")
    shell.tell(f"width is {shell.width or 'auto'}")


def null(shell: Shell, argument: str) -> None:
    """.null [text]

    How NULL looks in what is shown to people; `''` is nothing at all.
    """
    if argument:
        if not argument.isprintable():
            raise InterfaceError("`.null` takes text without control characters, which a terminal would obey")
        shell.null = unquoted(argument)
    shell.tell(f"NULL is shown as `{shell.null}`")


def pager(shell: Shell, argument: str) -> None:
    """.pager [on | off | shell]

    Whether what is longer than the screen goes through a pager, or through which command.
    """
    word = argument.lower()
    if word == "off":
        shell.pager = None
    elif word == "on":
        shell.pager = pager_command(os.environ) or pager_command({})
    elif argument:
        shell.pager = _command(argument)
    shell.tell(f"pager is {'off' if shell.pager is None else shlex.join(shell.pager)}")


def _command(text: str) -> tuple[str, ...]:
    try:
        words = tuple(shlex.split(text))
    except ValueError as error:
        raise InterfaceError(f"`{text}` is no command: a quote isn't closed") from error
    if not words or shutil.which(words[0]) is None:
        raise InterfaceError(f"there is no command `{words[0] if words else text}`", hint="`.pager on` takes the usual")
    return words


def timing(shell: Shell, argument: str) -> None:
    """.timing [on | off]

    Say how long each statement took; without a word, switch.
    """
    shell.timing = switched(argument, shell.timing, ".timing")
    shell.tell(f"timing is {'on' if shell.timing else 'off'}")


def echo(shell: Shell, argument: str) -> None:
    """.echo [on | off]

    Say each statement before it runs, which tells them apart in a script; without a word, switch.
    """
    shell.echo = switched(argument, shell.echo, ".echo")
    shell.tell(f"echo is {'on' if shell.echo else 'off'}")
