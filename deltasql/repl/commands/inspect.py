"""Commands that look at what there is: each stands for a statement, but for the picture of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deltasql.errors import InterfaceError
from deltasql.names import quote
from deltasql.output.cells import escaped
from deltasql.output.picture import lines
from deltasql.sql.dialect import tokenize

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


def views(shell: Shell, argument: str) -> None:
    """.views [schema]

    The views of a schema: `SHOW VIEWS`.
    """
    shell.statement(f"SHOW VIEWS IN {argument}" if argument else "SHOW VIEWS")


def schema(shell: Shell, argument: str) -> None:
    """.schema [table]

    The statements that would make a table, or each one of the current schema: `SHOW CREATE TABLE table`.
    """
    run = shell.connection.sql
    if argument:
        names = [argument]
    else:
        found = run("SHOW TABLES").fetchall()
        names = [".".join(quote(part) for part in (schema, name) if part) for schema, name, is_temporary in found]
    statements = [str(value) for name in names for (value,) in run(f"SHOW CREATE TABLE {name}")]
    shell.draw(lambda _: (escaped(line) for statement in statements for line in f"{statement};".split("\n")))


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


def files(shell: Shell, argument: str) -> None:
    """.files table [column]

    A picture of a table: sizes of files, how well columns tell them apart, and what OPTIMIZE would do.
    """
    from deltasql.plotting import picture_of

    tokens = tokenize(_table(argument, ".files"))
    has_column = len(tokens) > 1 and tokens[-1].is_name and tokens[-2].text != "."
    table = argument[: tokens[-2].span.end] if has_column else argument
    drawn = picture_of(shell.connection, table, tokens[-1].text if has_column else None)
    shell.draw(lambda width: lines(drawn, width))


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
