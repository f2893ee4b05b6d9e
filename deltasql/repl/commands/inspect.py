"""Commands that look at what there is: each stands for a statement."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deltasql.errors import InterfaceError

if TYPE_CHECKING:
    from deltasql.repl.shell import Shell


def tables(shell: Shell, argument: str) -> None:
    """.tables [schema]

    The tables of a schema: `SHOW TABLES`.
    """
    shell.statement(f"SHOW TABLES IN {argument}" if argument else "SHOW TABLES")


def schemas(shell: Shell, argument: str) -> None:
    """.schemas ['pattern']

    The schemas: `SHOW SCHEMAS`.
    """
    shell.statement(f"SHOW SCHEMAS {argument}")


def describe(shell: Shell, argument: str) -> None:
    """.describe table

    The columns of a table: `DESCRIBE table`.
    """
    shell.statement(f"DESCRIBE {_table(argument, '.describe')}")


def history(shell: Shell, argument: str) -> None:
    """.history table

    The versions of a table: `DESCRIBE HISTORY table`.
    """
    shell.statement(f"DESCRIBE HISTORY {_table(argument, '.history')}")


def describe_or_list(shell: Shell, argument: str) -> None:
    r"""\d [table]

    The columns of a table, or the tables.
    """
    if argument:
        describe(shell, argument)
    else:
        tables(shell, "")


def _table(argument: str, command: str) -> str:
    if not argument:
        raise InterfaceError(f"`{command}` takes the name of a table", hint="`.tables` lists them")
    return argument
