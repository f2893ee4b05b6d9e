"""A target for atheris, which looks for texts that reach code no text reached: ``coverage_guided.py text|tokens FOLDER``.

Run by `make soak` where atheris is installed; by hand: ``python tests/reliability/coverage_guided.py text /tmp/corpus``.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["deltasql.sql", "deltasql.repl", "deltasql.names", "deltasql.types"]):
    sys.path.insert(0, str(Path(__file__).parents[2]))
    from tests.reliability import texts


def of_text(data: bytes) -> None:
    """The bytes are the text."""
    texts.check(data.decode("utf-8", errors="ignore"), random.Random(len(data)))


def of_tokens(data: bytes) -> None:
    """The bytes choose how true statements are mangled."""
    r = random.Random(data)
    texts.check(texts.mangled(r), r)


def main() -> None:
    """Run until an error, or as long as libFuzzer's flags say."""
    target, folder, *flags = sys.argv[1:]
    if target == "text":
        for number, text in enumerate(texts.statements()):
            (Path(folder) / str(number)).write_text(text, encoding="utf-8")
    atheris.Setup([sys.argv[0], folder, *flags], {"text": of_text, "tokens": of_tokens}[target])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
