"""Commands that take statements from elsewhere, look at the last one, and send results elsewhere."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from deltasql.errors import InterfaceError
from deltasql.output import Options
from deltasql.repl.commands.given import unquoted
from deltasql.repl.files import UnusableError, read_script, replacing
from deltasql.repl.saving import opened, save

if TYPE_CHECKING:
    from deltasql.repl.quiet import Lend
    from deltasql.repl.shell import Shell


def read(shell: Shell, argument: str) -> None:
    """.read file

    Run the statements in a file. The first that fails ends it; a script isn't asked before it removes things.
    """
    shell.statements(read_script(_path(argument, ".read")), script=True)


def output(shell: Shell, argument: str) -> None:
    """.output [file]

    Send results to a file from now on, in the format of its extension, else in the present one; without, to the screen.
    """
    before, shell.output = shell.output, None
    if before is not None:
        before.close()
    if argument:
        shell.output = opened(_path(argument, ".output"), shell.format)
    to = f"{shell.output.path}, as {shell.output.format}" if shell.output is not None else "the screen"
    shell.tell(f"results go to {to}")


def keep(shell: Shell, argument: str) -> None:
    """.save file

    Save all rows of the last result, in the format of the extension (csv if it says none), or in `.sql` what was typed.
    """
    path = _path(argument, ".save")
    if Path(path).suffix.lower() == ".sql":
        with replacing(path) as file:
            file.write(_typed(shell).strip().encode() + b"\n")
        shell.tell(f"saved the statement to {path}")
        return
    if shell.result is None:
        raise InterfaceError("there is no result to save", hint="run a query first")
    shell.tell(f"saved the result to {path}, as {save(shell.result, path, Options(null=shell.null))}")


def edit(shell: Shell, argument: str) -> None:
    """.edit [file]

    Change what was typed last, or a file, in `DELTASQL_EDITOR`, `VISUAL` or `EDITOR`, and run it if it changed.
    """
    if argument:
        text = _changed(_editable(_path(argument, ".edit")), shell.lend)
    else:
        with tempfile.TemporaryDirectory(prefix="deltasql-") as folder:
            path = Path(folder) / "statement.sql"
            path.write_text(shell.typed, encoding="utf-8")
            text = _changed(path, shell.lend)
    if text is None or not text.strip():
        shell.tell("nothing was done")
        return
    shell.typed = text
    shell.statements(text)


def explain(shell: Shell, argument: str) -> None:
    """.explain [statement]

    How a statement runs, or the last one that was typed: `EXPLAIN statement`.
    """
    shell.statement(f"EXPLAIN {argument or _typed(shell)}")


def _path(argument: str, command: str) -> str:
    path = unquoted(argument)
    if not path:
        raise InterfaceError(f"`{command}` takes the path of a file")
    return path


def _typed(shell: Shell) -> str:
    if not shell.typed:
        raise InterfaceError("no statement was typed yet")
    return shell.typed


def _editable(path: str) -> Path:
    """Where a file is that may not be there yet. Raises `UnusableError` for what no file can be called."""
    try:
        place = Path(path).expanduser()
        place.exists()
    except (OSError, RuntimeError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UnusableError(f"can't edit `{path}`: {reason}") from error
    return place


def _changed(path: Path, lend: Lend) -> str | None:
    """What an editor made of the file at ``path``; None if it is as it was."""
    before = read_script(str(path)) if path.exists() else ""
    variables = ("DELTASQL_EDITOR", "VISUAL", "EDITOR")
    wanted = next(filter(None, map(os.environ.get, variables)), "vi")
    try:
        with lend():
            done = subprocess.run([*shlex.split(wanted), str(path)], check=False)  # noqa: S603  their own editor
    except (OSError, ValueError) as error:
        hint = f"set {' or '.join(variables[1:])}"
        raise InterfaceError(f"the editor `{wanted}` can't be run: {error}", hint=hint) from error
    if done.returncode:
        raise InterfaceError(f"the editor `{wanted}` ended with {done.returncode}, so nothing was run")
    after = read_script(str(path)) if path.exists() else ""
    return None if after == before else after
