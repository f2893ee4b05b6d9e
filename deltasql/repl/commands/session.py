"""Commands about the session itself: its root, its settings, leaving."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from deltasql.errors import InterfaceError
from deltasql.repl.commands.given import unquoted
from deltasql.result import Result

if TYPE_CHECKING:
    from deltasql.repl.shell import Shell


def open(shell: Shell, argument: str) -> None:
    """.open folder

    Go on over the tables of another root; settings stay, and so does `--read-only`.
    """
    folder = unquoted(argument)
    if not folder:
        hint = f"it is over {shell.connection.root} now"
        raise InterfaceError("`.open` takes the folder of the tables", hint=hint)
    shell.open(folder)
    root = shell.connection.root
    shell.tell(f"root is {root}{'' if root.exists() else ', which the first write makes'}")


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
