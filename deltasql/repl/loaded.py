"""What the prompt has once the engine's libraries are loaded. Only `app`'s loading thread imports this."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from prompt_toolkit.application.current import get_app

from deltasql.output.pager import pager_command
from deltasql.repl.brackets import BracketProcessor
from deltasql.repl.completer import SqlCompleter
from deltasql.repl.highlight import SqlLexer
from deltasql.repl.keys import vi_mode
from deltasql.repl.quiet import Lend
from deltasql.repl.reading import needs_more
from deltasql.repl.shell import Shell
from deltasql.repl.toolbar import toolbar
from deltasql.repl.watching import Watch

if TYPE_CHECKING:
    from prompt_toolkit.formatted_text import StyleAndTextTuples

    from deltasql.connection import Connection


@dataclass(frozen=True, slots=True)
class Loaded:
    """A shell over the connection, and what reads SQL as it is typed."""

    shell: Shell
    watch: Watch
    lexer: SqlLexer
    completer: SqlCompleter
    brackets: BracketProcessor
    needs_more: Callable[[str], bool]

    def bottom(self) -> StyleAndTextTuples:
        """The line at the bottom."""
        shell = self.shell
        home = shell.connection.session.catalog.home
        return [
            *toolbar(
                shell.connection.root,
                (home.catalog, home.schema),
                format=shell.format,
                timing=shell.timing,
                state=shell.state,
                vi=vi_mode(),
                width=get_app().output.get_size().columns,
            )
        ]

    def close(self) -> None:
        """Look around no more, and close what commands opened."""
        self.watch.end()
        self.shell.close()


def load(connection: Connection, *, ask: Callable[[str], bool], lend: Lend, format: str) -> Loaded:
    """All that the prompt needs over ``connection``, the looking around begun."""
    shell = Shell(connection, ask=ask, lend=lend, format=format, pager=pager_command(os.environ))
    watch = Watch(lambda: shell.connection)
    watch.look()
    return Loaded(shell, watch, SqlLexer(), SqlCompleter(watch), BracketProcessor(), needs_more)
