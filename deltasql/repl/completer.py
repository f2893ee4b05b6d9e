"""prompt_toolkit's view of `suggest`, with the names as they are known just now."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prompt_toolkit.completion import CompleteEvent, Completer, Completion

from deltasql.output.cells import escaped
from deltasql.repl.suggest import suggest
from deltasql.repl.watching import Watch

if TYPE_CHECKING:
    from prompt_toolkit.document import Document

_LONG = 50_000  # characters from which on a paste is left alone: each key stroke reads the whole text
_SHOWN = 500  # suggestions that a menu holds; what is typed next narrows them


class SqlCompleter(Completer):
    """Completes statements and commands. It may open a table, so it is to run in a thread."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:
        """What `suggest` offers at the cursor; as one types, only where a word has begun and isn't whole."""
        before = document.text_before_cursor
        if len(document.text) > _LONG:
            return
        if complete_event.text_inserted and not (before[-1:].isalnum() or before[-1:] in {"_", ".", "/"}):
            return
        try:
            found = suggest(document.text, document.cursor_position, self._watch.names)
        except Exception:  # noqa: BLE001  a fault in a suggestion must not stop anybody's typing
            return
        if complete_event.text_inserted and any(before.endswith(one.text) for one in found):
            return
        for one in found[:_SHOWN]:
            yield Completion(
                one.text, start_position=-one.length, display=escaped(one.text), display_meta=escaped(one.what)
            )
