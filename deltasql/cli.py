"""The command: arguments, exit codes, and where bytes go.

stdout is data, stderr is words. Exit codes are an interface: 0 fine, 1 a statement failed, 2 wrong usage or a file
that can't be read or written, 130 interrupted, 141 the reader of a pipe left (as a shell reports it of cat, which
SIGPIPE ends): what came behind wasn't run. ``--help`` and ``--version`` answer without loading an engine, so
what is heavy is imported where it is used.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TextIO

from deltasql.arguments import DASH, parser, read_stdin
from deltasql.errors import ConfigError, Error, Interrupted, NotSupportedError
from deltasql.repl.files import UnusableError, replacing
from deltasql.repl.formats import APART, BINARY, FORMAT_NAMES, of_file, other
from deltasql.repl.words import say

if TYPE_CHECKING:
    from deltasql import Connection, Result
    from deltasql.config import Config
    from deltasql.output import Options

FINE, FAILED, USAGE, INTERRUPTED, PIPE_CLOSED = 0, 1, 2, 130, 141
_TOUR_WIDTH = 110  # columns of the tour where no terminal says how many there are


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with ``argv`` (None: the process's arguments) and give its exit code.

    Wrong usage and ``--help`` leave by argparse's SystemExit, with 2 and 0.
    """
    _speak_utf8()
    reader = parser()
    try:
        arguments = reader.parse_args(argv)
        if arguments.version or arguments.completion:
            return _tell(arguments, reader)
        _check(reader, arguments)
        return _run(arguments, _config(arguments))
    except Error as error:
        from deltasql.output.failure import pieces

        say(pieces(error))
        if isinstance(error, Interrupted):
            return INTERRUPTED
        return USAGE if isinstance(error, ConfigError | UnusableError) else FAILED
    except BrokenPipeError:  # the reader has enough, as head does
        _discard_stdout()
        return PIPE_CLOSED
    except OSError as error:
        say([("error", "error: "), ("", f"{error}\n")])
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED


# -- arguments


def _check(reader: argparse.ArgumentParser, arguments: argparse.Namespace) -> None:
    if arguments.demo and arguments.root is not None:
        reader.error("--demo makes its own lake: it takes no ROOT")
    if arguments.output is not None and _wants_prompt(arguments):
        reader.error("-o needs -c, -f or a script on stdin")
    if arguments.format is None and _to_file(arguments) and (extension := other(arguments.output)) is not None:
        known = ", ".join(FORMAT_NAMES)
        reader.error(f"no format writes {extension} files: take another extension, or --format of {known}")
    if arguments.format in BINARY and not _to_file(arguments) and _is_terminal(sys.stdout):
        reader.error(f"{arguments.format} is no text for a terminal: write it to a file (-o FILE) or a pipe")


def _config(arguments: argparse.Namespace) -> Config:
    """What was set down, with the arguments on top."""
    from deltasql.config import read_config

    config = read_config(os.environ, path=arguments.config, profile=arguments.profile)
    if config.format is not None and config.format not in FORMAT_NAMES:
        hint = f"there are {', '.join(FORMAT_NAMES)}"
        raise ConfigError(f"`{config.format}` is no format, and it is set in {config.where('format')}", hint=hint)
    return replace(
        config,
        root=arguments.root or config.root or ".",
        read_only=arguments.read_only or bool(config.read_only),
    )


def _wants_prompt(arguments: argparse.Namespace) -> bool:
    """Whether a person is to be asked for statements: they type, and they see what they type."""
    if arguments.sources or not _is_terminal(sys.stdin):
        return False
    return _is_terminal(sys.stdout) or (_is_terminal(sys.stderr) and not arguments.demo)


def _tell(arguments: argparse.Namespace, reader: argparse.ArgumentParser) -> int:
    """Write what ``--version`` or ``--completion`` asks for."""
    if arguments.version:
        text = _version() + "\n"
    else:
        from deltasql.completions import script

        text = script(reader, arguments.completion)
    with _flushed(sys.stdout) as out:
        out.write(text.encode())
    return FINE


def _version() -> str:
    from importlib.metadata import version

    import deltasql

    return f"deltasql {deltasql.__version__} (datafusion {version('datafusion')}, deltalake {version('deltalake')})"


# -- running


def _run(arguments: argparse.Namespace, config: Config) -> int:
    prompt = _wants_prompt(arguments)
    tour = arguments.demo and not prompt and not arguments.sources
    scripts = [source.read() for source in arguments.sources]
    if not (scripts or prompt or tour):
        scripts = [read_stdin()]
    with ExitStack() as stack:
        root = stack.enter_context(_demo_lake()) if arguments.demo else config.root

        def opened() -> Connection:
            import deltasql
            from deltasql.connection import configure

            connection = stack.enter_context(
                deltasql.connect(root, storage_options=config.storage_options, read_only=bool(config.read_only))
            )
            configure(connection, config.settings, where=f" in {config.where('settings')}")
            if arguments.dialect is not None:
                configure(connection, {"deltasql.dialect": arguments.dialect})
            return connection

        if prompt:
            return _prompt(opened, arguments, config)
        connection = opened()
        out = stack.enter_context(_destination(arguments.output))
        if tour:
            _show_tour(connection, out, _options(arguments))
        else:
            results = chain.from_iterable(map(connection.script, scripts))
            _write(connection, results, out, _format(arguments, config), _options(arguments))
    return FINE


def _prompt(open: Callable[[], Connection], arguments: argparse.Namespace, config: Config) -> int:
    from deltasql.repl.app import run

    greeting = None
    if arguments.demo:
        from deltasql.demo import SUGGESTIONS

        greeting = "\n".join(
            ["A lake to try things on; it goes when you leave. Some first steps:", "", *SUGGESTIONS, ""]
        )
    elif "://" not in (root := str(config.root)) and not Path(root).expanduser().exists():
        greeting = f"There is no folder {root} yet: the first CREATE makes it.\n"
    return run(open, format=arguments.format or config.format or "table", greeting=greeting, yes=arguments.yes)


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


def _write(connection: Connection, results: Iterator[Result], out: BinaryIO, format: str, options: Options) -> None:
    from deltasql.output import FORMATS
    from deltasql.repl.progress import Work, working
    from deltasql.repl.quiet import quiet
    from deltasql.repl.running import interruptible
    from deltasql.repl.screen import cleared

    count, ended = 0, False

    def write_next(work: Work) -> None:
        nonlocal count, ended
        started = time.perf_counter()
        result = next(results, None)
        ended = result is None
        if result is None or not result.columns:
            return
        work.what = result.statement_type
        if count and format in BINARY:
            raise NotSupportedError(f"{format} holds one result, and there are more", hint="run one query")
        place = cleared(out, work.clear)
        if count and format in APART:
            place.write(b"\n")
        timed = replace(options, started=started) if options.width is not None else options
        FORMATS[format](result.schema, work.counted(result.batches()), place, timed)
        count += 1

    while not ended:
        with quiet(keys=False), working(connection, "running") as work:
            try:
                interruptible(partial(write_next, work), may_abandon=False, stop=work.stop)
            except Interrupted as error:
                if work.stopped:
                    raise KeyboardInterrupt from error
                raise


def _format(arguments: argparse.Namespace, config: Config) -> str:
    if arguments.format is not None:
        return str(arguments.format)
    if _to_file(arguments):
        return of_file(arguments.output) or config.format or "csv"
    return config.format or ("table" if _is_terminal(sys.stdout) else "csv")


def _options(arguments: argparse.Namespace) -> Options:
    from deltasql.output import Options, on_terminal

    if _to_file(arguments) or not _is_terminal(sys.stdout):
        return Options()
    return on_terminal(shutil.get_terminal_size().columns)


def _to_file(arguments: argparse.Namespace) -> bool:
    return arguments.output not in (None, DASH)


# -- streams


def _speak_utf8() -> None:
    """Let text be UTF-8 whatever the locale says; words on stderr may hold what is none."""
    for stream, errors in ((sys.stdout, "strict"), (sys.stderr, "backslashreplace")):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors=errors)


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and stream.isatty()


def _destination(path: str | None) -> AbstractContextManager[BinaryIO]:
    """Where results go: stdout, or the file at ``path``, which appears (or is replaced) only when all went well."""
    return _flushed(sys.stdout) if path is None or path == DASH else replacing(path)


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
