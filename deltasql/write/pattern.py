"""Java's regular expressions, which RLIKE takes, as Rust's, which DataFusion runs."""

from __future__ import annotations

import re

from deltasql.write.expression import Untranslatable

# Java ends a line, and `.` and `$` stop, at more than the line feed.
_ANY = r"[^\n\r\x{85}\x{2028}\x{2029}]"
_END = r"(?:\r\n|[\n\r\x{85}\x{2028}\x{2029}])?\z"
_PIECE = re.compile(
    r"""(?P<class>\[\^?[^\[\]&~\\^-](?:[^\[\]&~\\-]|-(?!-))*\])
      | (?P<quantity>(?:[*+?]|\{[0-9]+(?:,[0-9]*)?\})\??(?![*+?{]))
      | (?P<group>\((?!\?)|\)|\|)
      | (?P<sign>[.^$])
      | (?P<plain>[^\\\[\]{}()*+?|.^$])""",
    re.VERBOSE,
)


def rust_pattern(pattern: str) -> str:
    """``pattern`` for Rust's regex. Raises `Untranslatable` for what isn't the same in both, or isn't known to be."""
    made, position = "", 0
    while position < len(pattern):
        found = _PIECE.match(pattern, position)
        if found is None:
            raise Untranslatable(f"the pattern '{pattern}' may mean something else to DataFusion")
        piece = found[0]
        made += {".": _ANY, "^": r"\A", "$": _END}.get(piece, piece) if found["sign"] else piece
        position = found.end()
    return made
