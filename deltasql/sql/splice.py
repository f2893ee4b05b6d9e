"""Edits at token spans: the only way in which a user's text is changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from deltasql.errors import Span


@dataclass(frozen=True, slots=True)
class Edit:
    """Put ``text`` in the place of ``span``."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Spliced:
    """A text after its edits, which can still tell where a place in it was before.

    ``before`` is the splice that gave the text which ``edits`` were made to, if that isn't the original.
    """

    original: str
    edits: tuple[Edit, ...]
    text: str
    before: Spliced | None = None

    def original_span(self, span: Span) -> Span:
        """The place in the original text that ``span`` of the new one stands for."""
        start, end = self._original(span.start, end=False), self._original(span.end, end=True)
        found = Span(start, max(start, end))
        return found if self.before is None else self.before.original_span(found)

    def _original(self, position: int, *, end: bool) -> int:
        shift = 0
        for edit in self.edits:
            start = edit.span.start + shift
            stop = start + len(edit.text)
            if position < start or (position == start and end):
                break
            if position < stop or (position == stop and end):
                return edit.span.end if end else edit.span.start
            shift += len(edit.text) - (edit.span.end - edit.span.start)
        length = len(self.original if self.before is None else self.before.text)
        return min(max(position - shift, 0), length)


def splice(text: str | Spliced, edits: Iterable[Edit]) -> Spliced:
    """``text`` with every edit made and every other character as it was. Edits must not overlap."""
    if isinstance(text, Spliced):
        made = splice(text.text, edits)
        return Spliced(text.original, made.edits, made.text, text)
    ordered = tuple(sorted(edits, key=lambda edit: edit.span))
    parts, position = [], 0
    for edit in ordered:
        if edit.span.start < position:
            raise ValueError(f"overlapping edits at {edit.span.start}")
        parts += [text[position : edit.span.start], edit.text]
        position = edit.span.end
    parts.append(text[position:])
    return Spliced(text, ordered, "".join(parts))
