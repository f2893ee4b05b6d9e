"""What completes the command's arguments in a shell: made from these themselves, so that it can't lag behind."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

_FILES = frozenset({"FILE", "ROOT"})


@dataclass(frozen=True, slots=True)
class _Option:
    """An option's spellings, its help, and what it takes: nothing, one of ``choices``, a file, or any word."""

    names: tuple[str, ...]
    help: str
    takes: bool
    choices: tuple[str, ...]
    file: bool


def script(parser: argparse.ArgumentParser, shell: str) -> str:
    """A script for ``bash``, ``zsh`` or ``fish`` that completes the arguments of ``parser``."""
    options = [
        _Option(
            tuple(action.option_strings),
            (action.help or "").replace("%%", "%"),
            action.nargs != 0,
            tuple(map(str, action.choices or ())),
            action.metavar in _FILES,
        )
        for action in parser._actions  # noqa: SLF001  argparse has no other way to its arguments
        if action.option_strings
    ]
    return {"bash": _bash, "zsh": _zsh, "fish": _fish}[shell](options)


def _bash(options: Sequence[_Option]) -> str:
    cases = []
    for option in options:
        if option.takes:
            words = _lines(option.choices) if option.choices else "-f" if option.file else "-W ''"
            cases.append(f'    {"|".join(option.names)}) COMPREPLY=($(compgen {words} -- "$word")); return ;;')
    return "\n".join(
        [
            "_deltasql() {",
            '  local word="${COMP_WORDS[COMP_CWORD]}" last="${COMP_WORDS[COMP_CWORD-1]}"',
            '  if [[ "$word" == "=" ]]; then word=""; fi',  # bash takes --format=csv for three words
            '  if [[ "$last" == "=" ]]; then last="${COMP_WORDS[COMP_CWORD-2]}"; fi',
            "  local IFS=$'\\n'",  # so that a blank in a file's name ends nothing
            '  case "$last" in',
            *cases,
            "  esac",
            '  if [[ "$word" == -* ]]; then',
            f'    COMPREPLY=($(compgen {_lines([name for option in options for name in option.names])} -- "$word"))',
            "  else",
            '    COMPREPLY=($(compgen -d -- "$word"))',
            "  fi",
            "}",
            "complete -o filenames -F _deltasql deltasql",
            "",
        ]
    )


def _lines(words: Sequence[str]) -> str:
    return "-W $'" + "\\n".join(words) + "'"


def _zsh(options: Sequence[_Option]) -> str:
    lines = []
    for option in options:
        help = _single(option.help).replace("[", r"\[").replace("]", r"\]").replace(":", r"\:")
        repeats = "*" if option.names[0] in {"-c", "-f"} else ""
        takes = ""
        if option.takes:
            action = f"({' '.join(option.choices)})" if option.choices else "_files" if option.file else ""
            takes = f":{option.names[-1].lstrip('-')}:{action}"
        equals = {name: "=" if takes and name.startswith("--") else "" for name in option.names}  # --format=csv too
        lines += [f"    '{repeats}{name}{equals[name]}[{help}]{takes}' \\" for name in option.names]
    return "\n".join(
        ["#compdef deltasql", "_deltasql() {", "  _arguments \\", *lines, "    ':root:_files -/'", "}"]
    ) + ('\nif [ "$funcstack[1]" = "_deltasql" ]; then _deltasql "$@"; else compdef _deltasql deltasql; fi\n')


def _fish(options: Sequence[_Option]) -> str:
    lines = ["complete -c deltasql -f -a '(__fish_complete_directories)'"]
    for option in options:
        spelt = " ".join(f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in option.names)
        takes = ""
        if option.takes:
            takes = f" -x -a '{' '.join(option.choices)}'" if option.choices else " -r -F" if option.file else " -x"
        lines.append(f"complete -c deltasql {spelt}{takes} -d '{_single(option.help)}'")
    return "\n".join([*lines, ""])


def _single(text: str) -> str:
    r"""``text`` within single quotes; all three shells read ``'\''`` as one of them."""
    return text.replace("'", "'\\''")
