"""What holds the house together: layers, file lengths, the five places of a statement, a light import."""

from __future__ import annotations

import ast
import configparser
import inspect
import subprocess
import sys
import typing
from collections.abc import Iterator
from pathlib import Path

import pytest

import deltasql
from deltasql.operations import PLANNERS
from deltasql.sql import statements
from deltasql.sql.parser import PARSERS, grammar
from deltasql.sql.statements import Statement

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "deltasql"
SOURCES = sorted(PACKAGE.rglob("*.py"))
HEAVY = {"datafusion", "deltalake", "pyarrow", "sqlglot", "pandas", "polars", "prompt_toolkit", "pygments", "rich"}
LONGEST = 600


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


# -- files


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_no_file_is_too_long(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_only_the_command_and_the_prompt_print(path: Path) -> None:
    if path == PACKAGE / "cli.py" or PACKAGE / "repl" in path.parents:
        return
    calls = [node for node in ast.walk(_tree(path)) if isinstance(node, ast.Call)]
    assert not [call.lineno for call in calls if isinstance(call.func, ast.Name) and call.func.id == "print"]


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_every_module_says_why_it_is_there(path: Path) -> None:
    assert ast.get_docstring(_tree(path))


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


# -- layers


def _contracts() -> configparser.ConfigParser:
    found = configparser.ConfigParser()
    found.read(ROOT / ".importlinter")
    return found


def test_the_layers_hold() -> None:
    # import-linter is a script beside the interpreter; its module has no `__main__`.
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([str(linter), "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("contract", "homes"),
    [
        ("sqlglot", {"sql"}),
        ("datafusion", {"engine"}),
        ("deltalake", {"catalog", "engine", "operations", "connection"}),
        ("prompt", {"repl"}),
    ],
)
def test_a_new_module_is_in_the_contracts(contract: str, homes: set[str]) -> None:
    listed = set(_contracts()[f"importlinter:contract:{contract}"]["source_modules"].split())
    there = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    expected = there - homes - {"__init__", "__main__"}
    assert listed == {f"deltasql.{name}" for name in expected}


def test_a_new_operation_is_in_the_contracts() -> None:
    listed = set(_contracts()["importlinter:contract:operations"]["modules"].split())
    there = {path.stem for path in (PACKAGE / "operations").glob("*.py")}
    expected = there - {"__init__", "operation", "translate"}
    assert listed == {f"deltasql.operations.{name}" for name in expected}


# -- statements


def _classes() -> list[type[Statement]]:
    found = [value for value in vars(statements).values() if isinstance(value, type)]
    return [value for value in found if issubclass(value, Statement) and value is not Statement]


def _parsers(statement: type[Statement]) -> dict[tuple[str, ...], str]:
    """The keywords that lead to ``statement``, each with the name of the function that reads it."""
    found = {}
    for keywords, parser in PARSERS.items():
        given = typing.get_type_hints(parser)["return"]
        if statement in (typing.get_args(given) or (given,)):
            found[keywords] = parser.__name__
    return found


def _holes(statement: type[Statement]) -> Iterator[str]:
    parsers = _parsers(statement)
    if not parsers:
        yield "no row in PARSERS gives it"
    if statement not in PLANNERS:
        yield "no row in PLANNERS"
    if not any((ROOT / "tests" / "slt" / f"{'_'.join(keywords).lower()}.slt").exists() for keywords in parsers):
        yield f"no .slt called after one of {sorted(parsers)}"
    pages = [path.read_text(encoding="utf-8") for path in (ROOT / "docs" / "sql").glob("*.md")]
    for parser in sorted(set(parsers.values())):
        if not any(f"<!-- grammar: {parser} -->" in page for page in pages):
            yield f"no page under docs/sql has the grammar of {parser}"


def test_every_statement_lives_in_its_five_places() -> None:
    holes = [f"{statement.__name__}: {hole}" for statement in _classes() for hole in _holes(statement)]
    assert holes == []


def test_the_tables_know_no_other_statement() -> None:
    assert set(PLANNERS) == set(_classes())


@pytest.mark.parametrize("keywords", PARSERS, ids=" ".join)
def test_a_grammar_begins_with_its_keywords(keywords: tuple[str, ...]) -> None:
    text = grammar(PARSERS[keywords])
    assert all(word in text for word in keywords)
    assert "`" not in text


# -- the public face


def test_all_is_what_is_public() -> None:
    assert len(set(deltasql.__all__)) == len(deltasql.__all__)
    modules = {name for name, value in vars(deltasql).items() if inspect.ismodule(value)}
    hidden = {name for name in vars(deltasql) if name.startswith("_")} - {"__version__"}
    machinery = {"annotations", "TYPE_CHECKING", "Any"}
    found = set(vars(deltasql)) - modules - hidden - machinery
    assert found | {"Connection", "Progress", "Result"} == set(deltasql.__all__)
    assert all(getattr(deltasql, name) is not None for name in deltasql.__all__)


def test_every_error_is_public() -> None:
    errors = {name for name, value in vars(deltasql.errors).items() if inspect.isclass(value)}
    own = {name for name in errors if vars(deltasql.errors)[name].__module__ == "deltasql.errors"}
    assert own <= set(deltasql.__all__)


def _loaded(statement: str) -> set[str]:
    """The heavy libraries that ``statement`` loads in a fresh process."""
    script = f"import sys; {statement}; print(*(name.partition('.')[0] for name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.split()) & HEAVY


@pytest.mark.parametrize(
    ("statement", "loaded"),
    [
        ("import deltasql", set()),
        ("import deltasql.cli", set()),
        ("import deltasql.errors, deltasql.names, deltasql.settings, deltasql.versions", set()),
        ("import deltasql.sql.parser, deltasql.sql.rewrite, deltasql.sql.parameters", {"sqlglot"}),
        ("import deltasql.catalog.catalog", {"deltalake", "pyarrow"}),
    ],
)
def test_an_import_loads_no_more_than_it_needs(statement: str, loaded: set[str]) -> None:
    assert _loaded(statement) <= loaded


def test_a_connection_loads_no_prompt() -> None:
    # pandas comes with datafusion.functions.spark, where it is installed.
    loaded = _loaded("import deltasql; list(deltasql.connect().sql('SELECT 1'))")
    assert not loaded & {"polars", "prompt_toolkit", "pygments"}
