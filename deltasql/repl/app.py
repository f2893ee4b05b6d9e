"""The prompt on a terminal: reads, hands over to `Shell`, reads again, until Ctrl-D or ``.quit``.

Ctrl-C at the prompt drops what was typed; during a statement it interrupts that, and the prompt goes on. The prompt is
there before the engine: nothing that this module imports loads a library of the engine's (tests/repl/test_loading.py).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from prompt_toolkit import PromptSession
from prompt_toolkit.application import create_app_session
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.completion import DummyCompleter, DynamicCompleter
from prompt_toolkit.layout.processors import DummyProcessor, DynamicProcessor
from prompt_toolkit.lexers import DynamicLexer, SimpleLexer
from prompt_toolkit.output import create_output

from deltasql import __version__
from deltasql.repl.history import encodable, open_history
from deltasql.repl.keys import bindings, editing_mode, tab_chooses
from deltasql.repl.loading import Loading
from deltasql.repl.quiet import Lend, quiet
from deltasql.repl.style import STYLE
from deltasql.repl.words import say

if TYPE_CHECKING:
    from prompt_toolkit.formatted_text import StyleAndTextTuples

    from deltasql.connection import Connection
    from deltasql.repl.loaded import Loaded

PROMPT = "deltasql> "
MORE = "...> "


def run(open: Callable[[], Connection], *, format: str, greeting: str | None = None, yes: bool = False) -> int:
    """Hold a session over the connection of ``open``, results in ``format``, and give the exit code.

    ``open`` is called in another thread while the first statement is typed; ``yes``: nothing is asked. Raises what
    ``open`` raises, and `BrokenPipeError`.
    """
    with _on_terminal(), quiet(keys=True) as lend:
        loading = Loading(lambda: _load(open, format=format, yes=yes, lend=lend), lambda: _loaded(loading, session))
        session = _session(loading)
        say([("", (greeting or f"deltasql {__version__}: statements end with `;`, `.help` shows the commands") + "\n")])
        loading.begin()
        try:
            _converse(session, loading)
        finally:
            loaded = loading.end()
            if loaded is not None:
                loaded.close()
    return 0


def _load(open: Callable[[], Connection], *, format: str, yes: bool, lend: Lend) -> Loaded:
    connection = open()
    from deltasql.repl.loaded import load

    return load(connection, ask=(lambda _: True) if yes else _ask, lend=lend, format=format)


def _loaded(loading: Loading[Loaded], session: PromptSession[str]) -> None:
    """Draw the prompt with what is known now; where that failed, end it."""
    app, failure = session.app, loading.failure
    if failure is None:
        app.invalidate()
        return

    def end() -> None:
        if app.is_running and not app.is_done:
            app.exit(exception=failure)

    if (loop := app.loop) is not None:
        loop.call_soon_threadsafe(end)


def _converse(session: PromptSession[str], loading: Loading[Loaded]) -> None:
    left = False
    while not left:
        try:
            text = session.prompt()
            loaded = loading.wait()
            loaded.shell.run(encodable(text))
            loaded.watch.look()
            left = loaded.shell.left
        except KeyboardInterrupt:  # of what was typed, or one more of a statement that has been stopped already
            continue
        except EOFError:
            return


def _session(loading: Loading[Loaded]) -> PromptSession[str]:
    def bottom() -> StyleAndTextTuples:
        return [("", "loading")] if loading.loaded is None else loading.loaded.bottom()

    def needs_more(text: str) -> bool:
        loaded = loading.end()  # None: what failed is raised where the text has been sent
        return loaded is not None and loaded.needs_more(text)

    keys = bindings(needs_more)
    plain, mute, unchanged = SimpleLexer(), DummyCompleter(), DummyProcessor()
    session: PromptSession[str] = PromptSession(
        [("class:prompt", PROMPT)],
        multiline=True,
        prompt_continuation=_continuation,
        key_bindings=keys,
        editing_mode=editing_mode(),
        lexer=DynamicLexer(lambda: plain if loading.loaded is None else loading.loaded.lexer),
        style=STYLE,
        include_default_pygments_style=False,
        history=open_history(),
        auto_suggest=AutoSuggestFromHistory(),
        completer=DynamicCompleter(lambda: mute if loading.loaded is None else loading.loaded.completer),
        complete_while_typing=True,
        complete_in_thread=True,
        input_processors=[DynamicProcessor(lambda: unchanged if loading.loaded is None else loading.loaded.brackets)],
        bottom_toolbar=bottom,
        enable_suspend=True,
    )
    tab_chooses(keys, session.default_buffer)
    session.app.after_render += lambda _: loading.drawn()
    return session


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
