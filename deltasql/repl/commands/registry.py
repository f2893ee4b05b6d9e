"""The table of commands, how one is found and run, and the help that the table writes."""

from __future__ import annotations

import inspect as introspection
import shutil
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deltasql.errors import InterfaceError
from deltasql.names import did_you_mean
from deltasql.repl.commands import inspect, look, script, session
from deltasql.sql.parser import PARSERS, grammar

if TYPE_CHECKING:
    from deltasql.repl.shell import Shell


_LEAST_WIDTH = 60


@dataclass(frozen=True, slots=True)
class Command:
    """A command by all its names; ``run`` takes the shell and the argument, stripped."""

    names: tuple[str, ...]
    run: Callable[[Shell, str], None]

    @property
    def usage(self) -> str:
        """How it is written: the first line of the docstring."""
        return self._help()[0]

    @property
    def summary(self) -> str:
        """What it does: the rest of the docstring in one line, whose first sentence is the list's."""
        return self._help()[1]

    def _help(self) -> tuple[str, str]:
        usage, _, rest = introspection.cleandoc(self.run.__doc__ or "").partition("\n")
        return usage, " ".join(rest.split())


def help(shell: Shell, argument: str) -> None:
    """.help [command | statement]

    This list, what one command does, or the grammar of a statement: `.help VACUUM`.
    """
    if not argument:
        shell.tell(_overview())
        return
    command = _NAMES.get(argument.lower()) or _NAMES.get(f".{argument.lower()}")
    grammars = _grammars(argument)
    if grammars:
        shell.tell("\n".join(grammars))
    elif command is not None:
        others = [name for name in command.names if name not in command.usage.split()]
        also = f" Also {', '.join(others)}." if others else ""
        shell.tell(f"{command.usage}\n  {command.summary}{also}")
    else:
        known = [*_NAMES, *(" ".join(keywords) for keywords in PARSERS)]
        raise InterfaceError(f"no command or statement `{argument}`", hint=did_you_mean(argument, known))


COMMANDS: tuple[Command, ...] = (
    Command((".help", r"\?", r"\h", "help"), help),
    Command((".tables", r"\dt"), inspect.tables),
    Command((".views", r"\dv"), inspect.views),
    Command((".schemas", r"\dn"), inspect.schemas),
    Command((".schema",), inspect.schema),
    Command((".describe",), inspect.describe),
    Command((".history",), inspect.history),
    Command((".files",), inspect.files),
    Command((r"\d",), inspect.describe_or_list),
    Command((".mode",), look.mode),
    Command((r"\x",), look.expanded),
    Command((".rows",), look.rows),
    Command((".types",), look.types),
    Command((".width",), look.width),
    Command((".null",), look.null),
    Command((".pager",), look.pager),
    Command((".timing", r"\timing"), look.timing),
    Command((".echo",), look.echo),
    Command((".read", r"\i"), script.read),
    Command((".output", r"\o"), script.output),
    Command((".save",), script.keep),
    Command((".edit", r"\e"), script.edit),
    Command((".explain",), script.explain),
    Command((".open",), session.open),
    Command((".settings",), session.settings),
    Command((".quit", ".exit", r"\q", "quit", "exit"), session.leave),
)
_NAMES = {name: command for command in COMMANDS for name in command.names}


def run_command(shell: Shell, text: str) -> None:
    """Run the command that ``text`` is. Raises `InterfaceError` for one that there isn't, with the nearest name."""
    name, *rest = text.strip().rstrip("; \t").split(maxsplit=1) or [text.strip()]
    command = _NAMES.get(name.lower())
    if command is None:
        hint = did_you_mean(name, _NAMES) or "`.help` shows the commands"
        raise InterfaceError(f"unknown command `{name}`", hint=hint)
    command.run(shell, rest[0].strip() if rest else "")


def _overview() -> str:
    room = shutil.get_terminal_size().columns
    indent = max(len(command.usage) for command in COMMANDS) + 2
    lines = [
        line
        for command in COMMANDS
        for line in textwrap.wrap(
            f"{command.usage:{indent}}{command.summary.partition('. ')[0].rstrip('.')}",
            max(room, _LEAST_WIDTH),
            subsequent_indent=" " * indent,
            break_on_hyphens=False,
        )
    ]
    statements = ", ".join(sorted({keywords[0] for keywords in PARSERS if keywords[0].isalpha()}))
    grammars = f"Statements end with `;`, and `.help VACUUM` shows the grammar of one: {statements}."
    return "\n".join([*lines, "", *textwrap.wrap(grammars, max(room, _LEAST_WIDTH))])


def _grammars(argument: str) -> list[str]:
    """The grammars of the statements that begin with the words of ``argument``."""
    words = tuple(argument.upper().split())
    found = [grammar(parser) for keywords, parser in PARSERS.items() if keywords[: len(words)] == words]
    return list(dict.fromkeys(found))
