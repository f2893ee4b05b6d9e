"""Makes the generated parts of README.md and docs/: grammars, tables of what there is, and all outputs.

Everything comes from where it is defined (`PARSERS`, `SETTINGS`, …) or from running it, so a page can't tell what isn't
true. A ``sql``, ``python`` or ``ipython`` block is run, page by page, on a fresh copy of the demo lake; the ``text``
block behind one is what it printed. With ``--check`` nothing is written: the exit code is 1 where a page is stale.
"""  # noqa: INP001

from __future__ import annotations

import argparse
import atexit
import contextlib
import functools
import io
import os
import re
import shutil
import sys
import tempfile
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

import deltasql
from deltasql.demo import make_lake
from deltasql.engine.external import OPTIONS
from deltasql.output import Options, table
from deltasql.output.failure import pieces
from deltasql.settings import SETTINGS, show, values_of
from deltasql.sql.functions import TABLE_FUNCTIONS
from deltasql.sql.parser import PARSERS, Parser, grammar

ROOT = Path(__file__).resolve().parents[1]
SQL_PAGES = ROOT / "docs" / "sql"
MADE = re.compile(r"(<!-- (grammar|statements|settings|functions|options):? ?(\w*) -->\n).*?(<!-- end -->)", re.DOTALL)
BLOCK = re.compile(r"(```(sql|python|ipython)\n(.*?)```\n)(\n?```text\n)?(?(4)(.*?)```\n|)", re.DOTALL)
WIDTH = 100


def main() -> int:
    """Write what has changed, or with ``--check`` say what would."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, exit with 1 where a page is stale")
    parser.add_argument("pages", nargs="*", type=Path, help="these pages only")
    arguments = parser.parse_args()
    pages = [path.resolve() for path in arguments.pages] or [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]
    stale = 0
    with _lakes() as fresh_lake:
        for path in pages:
            before = path.read_text(encoding="utf-8")
            with fresh_lake():
                after = _with_outputs(MADE.sub(functools.partial(_made, path), before))
            if after != before:
                stale += 1
                verb = "is stale" if arguments.check else "written"
                sys.stdout.write(f"{path.relative_to(ROOT)}: {verb}\n")
                if not arguments.check:
                    path.write_text(after, encoding="utf-8")
    return int(arguments.check and stale > 0)


# -- from the registries


def _made(path: Path, found: re.Match[str]) -> str:
    make = {
        "grammar": _grammar,
        "statements": _statements,
        "settings": _settings,
        "functions": _functions,
        "options": _options,
    }[found[2]]
    return f"{found[1]}{make(path, found[3])}{found[4]}"


def _grammar(_path: Path, name: str) -> str:
    parser = next(parser for parser in PARSERS.values() if parser.__name__ == name)
    return f"```text\n{grammar(parser)}\n```\n"


def _statements(path: Path, _name: str) -> str:
    lines = ["| statement | grammar |", "|---|---|"]
    for keywords, parser in _parsers().items():
        page = os.path.relpath(_page(parser.__name__), path.parent)
        text = grammar(parser).replace("|", "\\|")
        lines.append(f"| [{' '.join(keywords)}]({page}) | `{text}` |")
    return "\n".join(lines) + "\n"


def _parsers() -> dict[tuple[str, ...], Parser]:
    """Each parser once, under the first of its keywords."""
    first = {parser: keywords for keywords, parser in reversed(PARSERS.items())}
    return {keywords: parser for keywords, parser in PARSERS.items() if first[parser] == keywords}


def _page(parser: str) -> Path:
    """The page that quotes the grammar of ``parser``."""
    for path in SQL_PAGES.glob("*.md"):
        if f"<!-- grammar: {parser} -->" in path.read_text(encoding="utf-8"):
            return path
    raise SystemExit(f"no page under docs/sql has the grammar of {parser}")


def _settings(_path: Path, _name: str) -> str:
    lines = ["| setting | values | default | |", "|---|---|---|---|"]
    for setting in sorted(SETTINGS, key=lambda setting: setting.name):
        default = f"`{show(setting.default)}`" if setting.default != "" else ""
        lines.append(f"| `{setting.name}` | {values_of(setting)} | {default} | {setting.description} |")
    return "\n".join(lines) + "\n"


def _functions(_path: Path, _name: str) -> str:
    lines = [f"{name}({signature.shape})" for name, signature in TABLE_FUNCTIONS.items()]
    return "\n".join(["```text", *lines, "```\n"])


def _options(_path: Path, _name: str) -> str:
    """The options of the reading functions, each once."""
    lines = ["| option | of | default | |", "|---|---|---|---|"]
    for option in dict.fromkeys(option for options in OPTIONS.values() for option in options):
        names = ", ".join(f"`{name}`" for name in (option.name, *option.aliases))
        formats = [format for format, options in OPTIONS.items() if option in options]
        default = "" if option.default is None else f"`{show(option.default)}`"
        lines.append(f"| {names} | {', '.join(formats)} | {default} | {option.description} |")
    return "\n".join(lines) + "\n"


# -- by running it


@contextlib.contextmanager
def _lakes() -> Iterator[Callable[[], contextlib.AbstractContextManager[None]]]:
    """Gives a context in which the current folder holds ``lake``, as the demo makes it."""
    with tempfile.TemporaryDirectory() as scratch:
        make_lake(Path(scratch) / "made")

        @contextlib.contextmanager
        def fresh() -> Iterator[None]:
            home = Path(scratch) / "home"
            shutil.copytree(Path(scratch) / "made", home / "lake")
            with contextlib.chdir(home):
                yield
            shutil.rmtree(home)

        yield fresh


def _with_outputs(text: str) -> str:
    with deltasql.connect("lake") as connection:
        # The pages must not depend on how many cores the machine has that made them.
        connection.sql("SET datafusion.execution.target_partitions = 2")
        names = {"deltasql": deltasql, "con": connection}
        runs = {
            "sql": lambda source: _sql(source, connection),
            "python": lambda source: _python(source, names),
            "ipython": _ipython,
        }

        def ran(found: re.Match[str]) -> str:
            printed = runs[found[2]](found[3])
            if found[4] is None:
                if "error:" in printed:
                    raise SystemExit(f"an example failed:\n{found[3]}\n{printed}")
                return found[0]
            return f"{found[1]}{found[4]}{printed}```\n"

        return BLOCK.sub(ran, text)


def _sql(script: str, connection: deltasql.Connection) -> str:
    """What the command would print."""
    shown = []
    try:
        for result in connection.script(script):
            if result.columns:
                out = io.BytesIO()
                rows = _masked(result.to_arrow())
                table.write(rows.schema, rows.to_batches(), out, Options(width=WIDTH))
                shown.append("\n".join(line.rstrip() for line in out.getvalue().decode().splitlines()) + "\n")
    except deltasql.Error as error:
        shown.append(_mask("".join(text for _, text in pieces(error))))
    return "\n".join(shown)


def _python(source: str, names: dict[str, object]) -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        try:
            exec(compile(source, "<page>", "exec"), names)  # noqa: S102  # the page's own examples
        except deltasql.Error as error:
            out.write(f"error: {type(error).__name__}: {error}\n")
    return "".join(f"{line.rstrip()}\n" for line in _mask(out.getvalue()).splitlines())


@functools.cache
def _shell() -> Any:
    """A notebook's shell, with its history nowhere."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    config.InteractiveShell.ipython_dir = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, config.InteractiveShell.ipython_dir)
    module = types.ModuleType("notebook")
    return InteractiveShell(config=config, user_module=module, user_ns=module.__dict__)


def _ipython(source: str) -> str:
    """What a cell shows."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        _shell().run_cell(source, store_history=False)
    shown = re.sub(r"^Out\[\d+\]: *\n?", "", _mask(out.getvalue()), flags=re.MULTILINE)
    return "".join(f"{line.rstrip()}\n" for line in shown.splitlines())


def _masked(rows: pa.Table) -> pa.Table:
    """The rows without what differs from run to run, before they are laid out."""
    for index, field in enumerate(rows.schema):
        if pa.types.is_string(field.type):
            values = [None if value is None else _mask(value) for value in rows.column(index).to_pylist()]
            rows = rows.set_column(index, field, pa.array(values, field.type))
    return rows


def _mask(text: str) -> str:
    home = str(Path.cwd())
    text = text.replace(home, "/home/ada").replace(home.removeprefix("/"), "home/ada")
    return re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "…", text)


if __name__ == "__main__":
    sys.exit(main())
