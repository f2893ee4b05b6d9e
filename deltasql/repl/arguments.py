"""What completion offers in a command of the prompt: its name, then what its usage says that it takes."""

from __future__ import annotations

from collections.abc import Iterator

from deltasql.output import FORMATS
from deltasql.repl.commands.registry import COMMANDS
from deltasql.repl.known import Names
from deltasql.repl.notation import Choice, Sequence, Slot, Tree, read
from deltasql.repl.offer import Suggestion, fitting, of_table
from deltasql.repl.place import Typed
from deltasql.sql.parser import PARSERS

_OPEN_ENDED = frozenset({"n", "number", "pattern", "shell", "string", "text", "value", "words"})
"""Words of a usage that stand for what nobody can list."""


def in_command(before: str, names: Names) -> list[Suggestion]:
    """What may stand at the end of ``before``, which begins with a command."""
    command, blank, argument = before.partition(" ")
    if not blank:
        known = [(name, "command") for entry in COMMANDS for name in entry.names if not name[0].isalpha()]
        return fitting(Typed(0, len(command), command), known)
    usage = next((entry.usage for entry in COMMANDS if command.lower() in entry.names), "")
    takes = usage.partition(" ")[2]
    word = argument.lstrip()
    typed = Typed(0, len(word), word)
    return [found for one in _words(read(takes)) for found in _offered(one, typed, names)] if takes else []


def _words(tree: Tree) -> Iterator[str]:
    """The words of a usage that can stand first behind the command."""
    match tree:
        case Slot(name, quoted=False):
            yield name
        case Choice(options):
            for option in options:
                yield from _words(option)
        case Sequence(parts):
            for part in parts:
                yield from _words(part)
                if not (isinstance(part, Choice) and part.optional):
                    return


def _offered(word: str, typed: Typed, names: Names) -> list[Suggestion]:
    match word:
        case "table":
            return of_table(typed, names.tables)
        case "schema":
            return fitting(typed, [(name, "schema") for name in names.schemas])
        case "format":
            return fitting(typed, [(name, "format") for name in FORMATS])
        case "name":
            return fitting(typed, [(option.name, option.value) for option in names.settings])
        case "file" | "path" | "folder":
            found = names.paths(typed.text)
            return fitting(typed, [(path, "path") for path in found])
        case "command":
            return fitting(typed, [(name, "command") for entry in COMMANDS for name in entry.names])
        case "statement":
            return fitting(typed, [(" ".join(words), "statement") for words in PARSERS], keyword=True)
    return [] if word in _OPEN_ENDED else fitting(typed, [(word, "value")])
