"""Whatever way a secret is told, well or badly spelt, it is in nothing that anybody gets to see."""

from __future__ import annotations

import logging
import random
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import deltasql
from deltasql.redaction import redacted

from .amounts import SEED, times

if TYPE_CHECKING:
    import pytest

_SECRET = "Zq9SEKRETxy7"
_BLANKS = (" ", "\n", "\t", "  ", " /* c */ ", " -- c\n", "/**/", " /* a 'b */ ", " -- it's\n")
_NAMES = ("s", "my_secret", "`a b`", '"x y"', "`a(b`", '"it\'s"', "`q;r`")
_OPTIONS = (
    "SECRET",
    "session_token",
    "account_key",
    "sas_token",
    "`secret`",
    '"secret"',
    "AWS_SECRET_ACCESS_KEY",
    "nosuch",
    "password",
)
_TYPES = (
    "TYPE s3",
    "TYPE azure",
    "TYPE 's3'",
    "TYPE",
    "type = s3",
    "TYPE s3 , SCOPE 's3://b'",
    "PROVIDER config, TYPE s3",
)
_VALUES = (
    *(
        "'{}'",
        "'{}'",
        "'{}'",
        "'it''s {}'",
        "'a(b){};c'",
        "$${}$$",
        '"{}"',
        "{}",
        "'{}' || 'x'",
        "'{}",
        "E'{}'",
        "'/* {}'",
    ),
)
_ROOTS = (
    "'s3://b/p'",
    "'az://c/p'",
    "'s3://u:{}@b/p'",
    "'https://x/y?sig={}'",
    "'nosuchdir'",
    '"s3://b"',
    "'s3://b''c'",
)


class _Statements:
    """Random statements that tell a secret."""

    def __init__(self, seed: int) -> None:
        self._draw = random.Random(seed)

    def _blank(self) -> str:
        return self._draw.choice(_BLANKS) if self._draw.random() < 0.3 else " "

    def _words(self, text: str) -> str:
        words = ("".join(self._draw.choice((c.upper(), c.lower())) for c in word) for word in text.split())
        return self._blank().join(words)

    def _some(self, chance: float, text: str) -> list[str]:
        return [self._words(text)] if self._draw.random() < chance else []

    def _option(self) -> str:
        separator = self._draw.choice((" ", "=", " = ", " => ", self._blank(), ":", "/**/", "("))
        return self._draw.choice(_OPTIONS) + separator + self._draw.choice(_VALUES).format(_SECRET)

    def one(self) -> str:
        draw = self._draw
        if draw.random() < 0.6:
            head = [
                self._words("create"),
                *self._some(0.3, "or replace"),
                *self._some(0.2, draw.choice(("temporary", "persistent", "temp"))),
            ]
            head += [
                self._words("secret"),
                *self._some(0.2, "if not exists"),
                *([draw.choice(_NAMES)] if draw.random() < 0.9 else []),
            ]
            options = [draw.choice(_TYPES), *(self._option() for _ in range(draw.randint(1, 3)))]
            if draw.random() < 0.3:
                draw.shuffle(options)
        else:
            head = [self._words("attach"), *self._some(0.2, "database"), draw.choice(_ROOTS).format(_SECRET)]
            head += [f"{self._words('as')} {draw.choice(_NAMES)}"] if draw.random() < 0.8 else []
            options = [self._option() for _ in range(draw.randint(1, 2))] + draw.choice(([], [], ["READ_ONLY"]))
        separator = draw.choice((",", " , ", "; ")) if draw.random() < 0.9 else " "
        text = self._blank().join(head) + self._blank() + draw.choice(("(", "(", "", "((")) + separator.join(options)
        text += draw.choice((")", ")", "", ");", " ) extra"))
        return draw.choice(("", "", "", "", "", "EXPLAIN ", "SELECT 1; ")) + text


def _seen(con: deltasql.Connection, text: str, *, script: bool) -> Iterator[str]:
    try:
        for result in con.script(text) if script else [con.sql(text)]:
            yield repr((result, result.fetchall()))
    except deltasql.Error as error:
        yield "\n".join((*traceback.format_exception(error), repr(error), str(error.hint), str(error.statement)))


def test_no_spelling_of_a_secret_is_shown(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    statements = _Statements(SEED)
    caplog.set_level(logging.DEBUG)
    con = deltasql.connect(tmp_path)
    for number in range(times(100, 20_000)):
        text = statements.one()
        hidden = redacted(text)
        seen = [hidden]
        assert len(hidden) == len(text), text
        seen += [*_seen(con, text, script=False), *_seen(con, text, script=True)]
        seen += [repr(con.sql(each).fetchall()) for each in ("SHOW SECRETS", "SHOW ALL", "SHOW CATALOGS")]
        seen += [repr(con), caplog.text]
        caplog.clear()
        # The tracebacks quote the source of this test, which has no secret in what it runs.
        assert _SECRET not in "\n".join(seen), (SEED, number, text)
        if number % 50 == 49:
            con.close()
            con = deltasql.connect(tmp_path)
    con.close()
