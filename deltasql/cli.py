"""The command: arguments, exit codes, and where bytes go.

stdout is data, stderr is words. Exit codes are an interface: 0 fine, 1 a statement failed, 2 wrong usage or a file
that can't be read or written, 130 interrupted, 141 the reader of a pipe left (as a shell reports it of cat, which
SIGPIPE ends): what came behind wasn't run. ``--help`` and ``--version`` answer without loading an engine, so
what is heavy is imported where it is used.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TextIO

from deltasql.errors import ConfigError, Error, Interrupted, NotSupportedError
from deltasql.repl.words import say

if TYPE_CHECKING:
    from deltasql import Connection, Result
    from deltasql.output import Options

FINE, FAILED, USAGE, INTERRUPTED, PIPE_CLOSED = 0, 1, 2, 130, 141
_TOUR_WIDTH = 110  # columns of the tour where no terminal says how many there are

# The keys of deltasql.output.FORMATS, whose import costs more than --help may.
FORMAT_NAMES = (
    "table",
    "csv",
    "tsv",
    "json",
    "jsonl",
    "markdown",
    "vertical",
    "html",
    "bars",
    "arrow",
    "parquet",
)
_APART = frozenset({"table", "csv", "tsv", "markdown", "vertical", "bars"})  # an empty line between two results
_BINARY = frozenset({"arrow", "parquet"})  # not for a terminal, and a file holds one result
_EXTENSIONS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".md": "markdown",
    ".html": "html",
    ".htm": "html",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".parquet": "parquet",
}
_DASH = "-"

_EXAMPLES = """\
Without -c and -f: the prompt on a terminal, else the script on stdin.

examples:
  deltasql lake/                                  the prompt
  deltasql lake/ -c 'SELECT * FROM orders LIMIT 5'
  deltasql lake/ -f nightly.sql -o report.csv     report.csv appears when all went well
  deltasql --demo                                 a small lake to try things on

exit codes: 0 fine, 1 a statement failed, 2 wrong usage, 130 interrupted, 141 the reader of a pipe left
"""


class UnusableError(Exception):
    """A file can't be read or written; one sentence."""


@dataclass(frozen=True, slots=True)
class _Command:
    text: str

    def read(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class _File:
    path: str

    def read(self) -> str:
        if self.path == _DASH:
            return _read_stdin(sys.stdin)
        try:
            return _decoded(Path(self.path).read_bytes(), self.path)
        except OSError as error:
            raise UnusableError(f"can't read `{self.path}`: {error.strerror}") from error


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with ``argv`` (None: the process's arguments) and give its exit code.

    Wrong usage and ``--help`` leave by argparse's SystemExit, with 2 and 0.
    """
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.version:
        sys.stdout.write(_version() + "\n")
        return FINE
    _check(parser, arguments)
    try:
        return _run(arguments)
    except Error as error:
        from deltasql.output.failure import pieces

        say(pieces(error))
        if isinstance(error, Interrupted):
            return INTERRUPTED
        return USAGE if isinstance(error, ConfigError) else FAILED
    except UnusableError as error:
        say([("error", "error: "), ("", f"{error}\n")])
        return USAGE
    except BrokenPipeError:  # the reader has enough, as head does
        _discard_stdout()
        return PIPE_CLOSED
    except OSError as error:
        say([("error", "error: "), ("", f"{error}\n")])
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED


# -- arguments


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="deltasql",
        description="SQL over Delta Lake tables.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("root", metavar="ROOT", nargs="?", help="the folder (or URL) of the tables; the current directory by default")
    add("-c", dest="sources", metavar="SQL", action="append", type=_Command, default=[], help="run SQL; repeatable")
    add(
        "-f",
        dest="sources",
        metavar="FILE",
        action="append",
        type=_File,
        help="run the statements in FILE (-: stdin); repeatable, in order with -c",
    )
    add("--format", choices=FORMAT_NAMES, help="how results are written; table on a terminal, else csv")
    add("-o", dest="output", metavar="FILE", help="write to FILE, whole or not at all; its extension gives the format")
    add("--read-only", action="store_true", help="refuse every statement that would change something")
    add("--demo", action="store_true", help="make a small lake in a temporary directory and open it")
    add("--version", action="store_true", help="show the versions and leave")
    return parser


def _check(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> None:
    if arguments.demo and arguments.root is not None:
        parser.error("--demo makes its own lake: it takes no ROOT")
    if arguments.output is not None and _wants_prompt(arguments):
        parser.error("-o needs -c, -f or a script on stdin")
    if arguments.format in _BINARY and not _to_file(arguments) and _is_terminal(sys.stdout):
        parser.error(f"{arguments.format} is no text for a terminal: write it to a file (-o FILE) or a pipe")


def _wants_prompt(arguments: argparse.Namespace) -> bool:
    if arguments.sources or not _is_terminal(sys.stdin):
        return False
    return _is_terminal(sys.stdout) if arguments.demo else True


def _version() -> str:
    from importlib.metadata import version

    import deltasql

    return f"deltasql {deltasql.__version__} (datafusion {version('datafusion')}, deltalake {version('deltalake')})"


# -- running


def _run(arguments: argparse.Namespace) -> int:
    prompt = _wants_prompt(arguments)
    tour = arguments.demo and not prompt and not arguments.sources
    scripts = [source.read() for source in arguments.sources]
    if not (scripts or prompt or tour):
        scripts = [_read_stdin(sys.stdin)]
    with ExitStack() as stack:
        root = stack.enter_context(_demo_lake()) if arguments.demo else arguments.root or "."
        import deltasql

        connection = stack.enter_context(deltasql.connect(root, read_only=arguments.read_only))
        if prompt:
            return _prompt(connection, arguments)
        out = stack.enter_context(_destination(arguments.output))
        if tour:
            _show_tour(connection, out, _options(arguments))
        else:
            results = chain.from_iterable(map(connection.script, scripts))
            _write(results, out, _format(arguments), _options(arguments))
    return FINE


def _prompt(connection: Connection, arguments: argparse.Namespace) -> int:
    from deltasql.repl.app import run

    greeting = None
    if arguments.demo:
        from deltasql.demo import SUGGESTIONS

        greeting = "\n".join(
            ["A lake to try things on; it goes when you leave. Some first steps:", "", *SUGGESTIONS, ""]
        )
    return run(connection, format=arguments.format or "table", greeting=greeting)


@contextmanager
def _demo_lake() -> Iterator[str]:
    from deltasql.demo import make_lake

    with tempfile.TemporaryDirectory(prefix="deltasql-demo-", ignore_cleanup_errors=True) as folder:
        make_lake(Path(folder))
        yield folder


def _show_tour(connection: Connection, out: BinaryIO, options: Options) -> None:
    from deltasql.demo import TOUR
    from deltasql.output import table

    options = replace(options, width=options.width or _TOUR_WIDTH)
    for number, statement in enumerate(TOUR):
        blank = "\n" if number else ""
        out.write(f"{blank}deltasql> {statement.strip().removesuffix(';')};\n".encode())
        for result in connection.script(statement):
            table.write(result.schema, result.batches(), out, options)
        out.flush()


def _write(results: Iterable[Result], out: BinaryIO, format: str, options: Options) -> None:
    from deltasql.output import FORMATS

    count = 0
    started = time.perf_counter()
    for result in results:
        if result.columns:
            if count and format in _BINARY:
                raise NotSupportedError(f"{format} holds one result, and there are more", hint="run one query")
            if count and format in _APART:
                out.write(b"\n")
            timed = replace(options, started=started) if options.width is not None else options
            FORMATS[format](result.schema, result.batches(), out, timed)
            count += 1
        started = time.perf_counter()


def _format(arguments: argparse.Namespace) -> str:
    if arguments.format is not None:
        return str(arguments.format)
    if _to_file(arguments):
        return _EXTENSIONS.get(Path(arguments.output).suffix.lower(), "csv")
    return "table" if _is_terminal(sys.stdout) else "csv"


def _options(arguments: argparse.Namespace) -> Options:
    from deltasql.output import Options, on_terminal

    if _to_file(arguments) or not _is_terminal(sys.stdout):
        return Options()
    return on_terminal(shutil.get_terminal_size().columns)


def _to_file(arguments: argparse.Namespace) -> bool:
    return arguments.output not in (None, _DASH)


# -- streams


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and stream.isatty()


def _read_stdin(stream: TextIO | None) -> str:
    return "" if stream is None else _decoded(stream.buffer.read(), "stdin")


def _decoded(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnusableError(f"can't read `{name}`: byte {error.start} isn't UTF-8") from error


@contextmanager
def _destination(path: str | None) -> Iterator[BinaryIO]:
    """Where results go: stdout, or the file at ``path``, which appears (or is replaced) only when all went well."""
    if path is None or path == _DASH:
        with _flushed(sys.stdout) as out:
            yield out
        return
    target = Path(path).resolve()
    replaces = target.is_file() or not target.exists()  # unlike /dev/null or a pipe
    beside = target.with_name(f".{target.name}.{os.urandom(4).hex()}") if replaces else target
    try:
        opened = beside.open("xb" if replaces else "wb")
    except OSError as error:
        raise UnusableError(f"can't write `{path}`: {error.strerror}") from error
    try:
        with opened:
            yield opened
        if replaces:
            if target.exists():
                shutil.copymode(target, beside)
            beside.replace(target)
    except BaseException:
        if replaces:
            beside.unlink(missing_ok=True)
        raise


@contextmanager
def _flushed(stream: TextIO | None) -> Iterator[BinaryIO]:
    """The bytes below ``stream``; after a failure they still come before the words on stderr."""
    if stream is None:  # stdout was closed before we started
        with Path(os.devnull).open("wb") as nowhere:
            yield nowhere
        return
    try:
        yield stream.buffer
    except BrokenPipeError:
        raise
    except BaseException:
        try:
            stream.buffer.flush()
        except BrokenPipeError:
            _discard_stdout()
        raise
    stream.buffer.flush()


def _discard_stdout() -> None:
    """Point stdout at nothing, so that Python's own flush at exit doesn't complain about the pipe again."""
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
