"""The prompt on a terminal: reads, hands over to `Shell`, reads again, until Ctrl-D or ``.quit``.

Ctrl-C at the prompt drops what was typed; during a statement it interrupts that, and the prompt goes on.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from prompt_toolkit import PromptSession
from prompt_toolkit.application import create_app_session
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.output import create_output

from deltasql import __version__
from deltasql.connection import Connection
from deltasql.output.pager import pager_command
from deltasql.repl.brackets import BracketProcessor
from deltasql.repl.completer import SqlCompleter
from deltasql.repl.highlight import SqlLexer
from deltasql.repl.history import encodable, open_history
from deltasql.repl.keys import bindings, editing_mode, vi_mode
from deltasql.repl.shell import Shell
from deltasql.repl.style import STYLE
from deltasql.repl.toolbar import toolbar
from deltasql.repl.watching import Watch, watching

if TYPE_CHECKING:
    from prompt_toolkit.formatted_text import StyleAndTextTuples

PROMPT = "deltasql> "
MORE = "...> "


def run(connection: Connection, *, format: str, greeting: str | None = None, yes: bool = False) -> int:
    """Hold a session over ``connection``, results in ``format``, and give the exit code; ``yes``: nothing is asked.

    Raises `BrokenPipeError`.
    """
    with _on_terminal():
        ask = (lambda _: True) if yes else _ask
        shell = Shell(connection, ask=ask, format=format, pager=pager_command(os.environ))
        with closing(shell), watching(lambda: shell.connection) as watch:
            session = _session(shell, watch)
            shell.tell(greeting or f"deltasql {__version__}: statements end with `;`, `.help` shows the commands")
            while not shell.left:
                try:
                    text = session.prompt()
                except KeyboardInterrupt:
                    continue
                except EOFError:
                    break
                shell.run(encodable(text))
                watch.look()
    return 0


def _session(shell: Shell, watch: Watch) -> PromptSession[str]:
    def bottom() -> StyleAndTextTuples:
        home = shell.connection.session.catalog.home
        return [
            *toolbar(
                shell.connection.root,
                (home.catalog, home.schema),
                format=shell.format,
                timing=shell.timing,
                state=shell.state,
                vi=vi_mode(),
            )
        ]

    return PromptSession(
        [("class:prompt", PROMPT)],
        multiline=True,
        prompt_continuation=_continuation,
        key_bindings=bindings(),
        editing_mode=editing_mode(),
        lexer=SqlLexer(),
        style=STYLE,
        include_default_pygments_style=False,
        history=open_history(),
        auto_suggest=AutoSuggestFromHistory(),
        completer=SqlCompleter(watch),
        complete_while_typing=True,
        complete_in_thread=True,
        input_processors=[BracketProcessor()],
        bottom_toolbar=bottom,
    )


def _continuation(width: int, _line: int, wrapped: int) -> StyleAndTextTuples:
    return [("class:prompt.more", " " * width if wrapped else MORE.rjust(width))]


def _ask(question: str) -> bool:
    """Put ``question``; all but a yes, Ctrl-C and Ctrl-D too, is a no."""
    asking: PromptSession[str] = PromptSession(f"{question} [y/N] ")
    try:
        return asking.prompt().strip().lower() in {"y", "yes"}
    except (KeyboardInterrupt, EOFError):
        return False


@contextmanager
def _on_terminal() -> Iterator[None]:
    """Draw the prompt on stderr where stdout is a file or a pipe: that is for data."""
    if not sys.stdout.isatty() and sys.stderr.isatty():
        with create_app_session(output=create_output(stdout=sys.stderr)):
            yield
    else:
        yield
