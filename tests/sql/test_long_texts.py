"""Long texts are made into tokens once: parts of one that is kept are its own tokens."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from deltasql.sql.dialect import Token, keeping, tokenize

_PIECES = [
    "a",
    "'x (1)'",
    "'it''s'",
    "1.5",
    '"Q t"',
    "/* , ( */",
    "-- (1, 2)\n",
    "`b`",
    ",",
    "(",
    ")",
    "+",
    "$1",
    ":n",
    "é",
    "<>",
    "$$ ; $$",
]


@pytest.mark.parametrize("seed", range(4))
def test_a_part_has_the_tokens_that_it_has_alone(seed: int) -> None:
    draw = random.Random(seed)
    whole = " ".join(draw.choice(_PIECES) for _ in range(12_000))
    tokens = tokenize(whole)
    for _ in range(10):
        first, last = draw.randrange(0, 500), draw.randrange(len(tokens) - 500, len(tokens))
        part = whole[tokens[first].span.start : tokens[last].span.end]
        with keeping():
            tokenize(whole)
            by_part = tokenize(part)
        assert tokenize(part) == by_part
        assert tokenize(whole) == tokens


def test_a_part_that_starts_or_ends_in_a_string_is_read_for_itself() -> None:
    inner = ", ".join(["b"] * 8_000)
    whole = f"SELECT 'a, {inner}' , 1"
    with keeping():
        assert len(tokenize(whole)) == 4
        found = tokenize(inner)
    assert len(found) == 15_999
    assert found[0] == Token("word", "b", "B", found[0].span)


def test_a_text_is_made_into_tokens_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from deltasql.sql import dialect

    texts: list[str] = []
    plain = dialect._plain_tokens

    def counted(text: str, start: int, end: int) -> Iterator[Token]:
        texts.append(text)
        return plain(text, start, end)

    monkeypatch.setattr(dialect, "_plain_tokens", counted)
    whole = "INSERT INTO t VALUES " + ", ".join(["(1, 'a')"] * 5_000)
    with keeping():
        for text in (whole, whole, whole[21:], whole):
            tokenize(text)
    assert texts == [whole]
    tokenize(whole)
    assert texts == [whole, whole]
