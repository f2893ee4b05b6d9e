"""Commands that take statements from elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from deltasql.errors import InterfaceError

if TYPE_CHECKING:
    from deltasql.repl.shell import Shell


def read(shell: Shell, argument: str) -> None:
    """.read file

    Run the statements in a file. The first that fails ends it; a script isn't asked before it removes things.
    """
    name = argument[1:-1] if len(argument) > 1 and argument[0] == argument[-1] and argument[0] in "'\"" else argument
    if not name:
        raise InterfaceError("`.read` takes the path of a file")
    try:
        script = Path(name).expanduser().read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InterfaceError(f"can't read `{name}`: byte {error.start} isn't UTF-8") from error
    except (OSError, RuntimeError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise InterfaceError(f"can't read `{name}`: {reason}") from error
    shell.statements(script, script=True)
