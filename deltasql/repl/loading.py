"""What takes long to load, loaded behind the first prompt: one types while the engine's libraries come in.

Nothing of it is imported by the main thread, so that no two threads meet halfway through a library.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")
_DRAWN = 0.3  # seconds until it begins where nobody says that the prompt was drawn, as on a dumb terminal


class Loading(Generic[T]):
    """Does ``load`` in another thread, once the prompt is drawn; ``then`` is called there when that has ended."""

    def __init__(self, load: Callable[[], T], then: Callable[[], None]) -> None:
        self._load = load
        self._then = then
        self._drawn = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="deltasql-loading")
        self.loaded: T | None = None
        self.failure: BaseException | None = None

    def begin(self) -> None:
        """Begin; comes back at once."""
        self._thread.start()

    def drawn(self) -> None:
        """Say that the prompt is there."""
        self._drawn.set()

    def wait(self) -> T:
        """What was loaded, waited for. Raises what ``load`` raised."""
        self._drawn.set()
        self._ended.wait()
        if self.failure is not None:
            raise self.failure
        assert self.loaded is not None  # noqa: S101  it has ended, and not failed
        return self.loaded

    def end(self) -> T | None:
        """Wait until it has ended; what was loaded, None if that failed or never began."""
        self._drawn.set()
        if self._thread.ident is not None:
            self._thread.join()
        return self.loaded

    def _run(self) -> None:
        self._drawn.wait(_DRAWN)
        try:
            self.loaded = self._load()
        except BaseException as failure:  # noqa: BLE001  whoever waits for it raises it
            self.failure = failure
        self._ended.set()
        self._then()
