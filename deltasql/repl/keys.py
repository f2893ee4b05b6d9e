"""Key bindings: Enter sends what is closed by ``;`` and opens a line in what isn't; F4 changes emacs's keys and vi's.

Alt-Enter (prompt_toolkit's own) sends as it is. Which keys there are at first, says ``DELTASQL_KEYS``, else what
readline reads: somebody who has set vi's keys there means all prompts.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from prompt_toolkit.application.current import get_app
from prompt_toolkit.enums import DEFAULT_BUFFER, EditingMode
from prompt_toolkit.filters import emacs_insert_mode, has_focus, vi_insert_mode
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.key_binding.vi_state import InputMode

if TYPE_CHECKING:
    from prompt_toolkit.buffer import Buffer
    from prompt_toolkit.document import Document

_READLINE = re.compile(r"^\s*set\s+editing-mode\s+(\w+)", re.MULTILINE | re.IGNORECASE)
_MODES = {
    InputMode.INSERT: "insert",
    InputMode.INSERT_MULTIPLE: "insert",
    InputMode.NAVIGATION: "normal",
    InputMode.REPLACE: "replace",
    InputMode.REPLACE_SINGLE: "replace",
}


def bindings(needs_more: Callable[[str], bool]) -> KeyBindings:
    """The bindings of the main prompt; ``needs_more`` tells for which text Enter opens another line."""
    keys = KeyBindings()

    @keys.add("enter", filter=has_focus(DEFAULT_BUFFER))
    def _enter(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if buffer.complete_state is not None and buffer.complete_state.current_completion is not None:
            buffer.complete_state = None
        elif needs_more(buffer.text):
            buffer.newline(copy_margin=False)
        else:
            buffer.validate_and_handle()

    @keys.add("f4", filter=has_focus(DEFAULT_BUFFER))
    def _other_keys(event: KeyPressEvent) -> None:
        vi = event.app.editing_mode is EditingMode.VI
        event.app.editing_mode = EditingMode.EMACS if vi else EditingMode.VI

    return keys


def tab_chooses(keys: KeyBindings, buffer: Buffer) -> None:
    """Let Tab choose the first suggestion in ``buffer``, or the next; where they are on their way, once they are there.

    prompt_toolkit's own Tab does nothing while the suggestions that come as one types are being looked for.
    """
    wanted: list[Document] = []  # where Tab was pressed last, until something came of it

    def choose(_: Buffer) -> None:
        state = buffer.complete_state
        if not wanted:
            return
        if wanted[0] != buffer.document:
            wanted.clear()
        elif state is None:  # What was looked for as one typed had nothing to offer; Tab asks for more.
            wanted.clear()
            asyncio.get_running_loop().call_soon(lambda: buffer.start_completion(select_first=True))
        elif state.completions:
            wanted.clear()
            if state.complete_index is None:
                buffer.complete_next()

    buffer.on_completions_changed += choose

    @keys.add("tab", filter=has_focus(buffer) & (emacs_insert_mode | vi_insert_mode))
    def _tab(_: KeyPressEvent) -> None:
        if buffer.complete_state is not None and buffer.complete_state.completions:
            buffer.complete_next()
        else:
            wanted[:] = [buffer.document]
            buffer.start_completion()


def editing_mode() -> EditingMode:
    """Vi's keys, if ``DELTASQL_KEYS`` or else readline's own file says so; emacs's keys otherwise."""
    wanted = os.environ.get("DELTASQL_KEYS", "").lower()
    if not wanted:
        try:
            file = Path(os.environ.get("INPUTRC") or "~/.inputrc").expanduser()
            found = _READLINE.findall(file.read_text(encoding="utf-8", errors="replace"))
        except (OSError, RuntimeError, ValueError):  # RuntimeError: there is no home folder
            found = []
        wanted = found[-1].lower() if found else ""
    return EditingMode.VI if wanted == "vi" else EditingMode.EMACS


def vi_mode() -> str:
    """What vi's keys do just now, empty where emacs's are in use."""
    app = get_app()
    return _MODES[app.vi_state.input_mode] if app.editing_mode is EditingMode.VI else ""
