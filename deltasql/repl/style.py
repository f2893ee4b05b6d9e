"""Colours that can be read on a dark and on a light terminal: each stands out from black and from white.

They are of the 256 that terminals share. prompt_toolkit leaves them out where NO_COLOR is set.
"""

from __future__ import annotations

from prompt_toolkit.styles import Style

COLOURS = {
    "keyword": "#0087af bold",
    "string": "#008700",
    "number": "#af5f00",
    "quoted": "#008787",
    "parameter": "#875fd7",
    "comment": "#767676",
    "command": "#875fd7 bold",
    "prompt": "bold",
    "prompt.more": "#767676",
    "matching-bracket.cursor": "bold underline",
    "matching-bracket.other": "bold underline",
    "auto-suggestion": "#767676",
    "bottom-toolbar": "noreverse #767676",
    "bottom-toolbar.value": "noreverse bold #767676",
}

STYLE = Style.from_dict(COLOURS)
