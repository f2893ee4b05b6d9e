"""prompt_toolkit's view of `suggest`, with the names that the catalog has just now."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prompt_toolkit.completion import CompleteEvent, Completer, Completion

from deltasql.catalog.catalog import DEFAULT
from deltasql.connection import Connection
from deltasql.errors import Error
from deltasql.repl.suggest import suggest

if TYPE_CHECKING:
    from prompt_toolkit.document import Document


class SqlCompleter(Completer):
    """Completes statements and commands. It lists folders, so it is to run in a thread."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get_completions(
        self,
        document: Document,
        complete_event: CompleteEvent,  # noqa: ARG002  prompt_toolkit's signature
    ) -> Iterator[Completion]:
        """What `suggest` offers at the cursor."""
        for found in suggest(document.text, document.cursor_position, self._names()):
            yield Completion(found.text, start_position=-found.length, display_meta=found.what)

    def _names(self) -> list[str]:
        try:
            catalog = self._connection.session.catalog
            return [
                name if schema == DEFAULT else f"{schema}.{name}"
                for schema in catalog.schemas()
                for name in catalog.table_names(schema)
            ]
        except (Error, OSError):
            return []
