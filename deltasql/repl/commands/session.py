"""Commands about the session itself: how results look, settings, leaving."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from deltasql.errors import InterfaceError
from deltasql.names import did_you_mean
from deltasql.output import FORMATS
from deltasql.result import Result

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


def timing(shell: Shell, argument: str) -> None:
    """.timing [on | off]

    Say how long each statement took; without a word, switch.
    """
    words = {"": not shell.timing, "on": True, "off": False}
    if argument.lower() not in words:
        raise InterfaceError(f"`.timing` takes `on` or `off`, not `{argument}`")
    shell.timing = words[argument.lower()]
    shell.tell(f"timing is {'on' if shell.timing else 'off'}")


def settings(shell: Shell, argument: str) -> None:
    """.settings [name]

    The settings of deltasql and their values. `SHOW ALL` has the engine's too, `SET name = value` changes one.
    """
    if argument:
        shell.statement(f"SHOW {argument}")
        return
    columns = zip(*shell.connection.session.settings.rows(), strict=True)
    rows = pa.table([pa.array(column) for column in columns], names=["name", "value", "description"])
    shell.show(Result.of(rows, statement_type="SHOW ALL"))


def leave(shell: Shell, _argument: str) -> None:
    """.quit

    Leave; so does Ctrl-D.
    """
    shell.left = True
