"""A secret that is planted is found in nothing that anybody gets to see."""

from __future__ import annotations

import json
import traceback
import warnings
from pathlib import Path

import pytest

import deltasql
from deltasql.redaction import redacted
from deltasql.sql import parser

from .conftest import Bucket, rows

SECRET = "wJalrXUtnFEMI/K7MDENG+planted"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("CREATE SECRET s (TYPE s3, KEY_ID 'AKIA', SECRET 'abc', REGION 'eu')", "'abc'"),
        ("create or replace temporary secret `s` (type = s3, secret = 'it''s')", "'it''s'"),
        ("CREATE SECRET s (TYPE s3, SECRET 'ab(c)d', KEY 'k')", "'ab(c)d'"),
        ("CREATE SECRET s (TYPE s3, SECRET abc)", "abc"),
        ("CREATE SECRET s (TYPE s3, SECRET 'abc", "'abc"),
        ("-- x\nEXPLAIN CREATE SECRET s (TYPE azure, account_key 'abc')", "'abc'"),
        ("SELECT 1; CREATE SECRET s (TYPE gcs, key 'abc'); SELECT 2", "'abc'"),
        ("ATTACH 's3://b' AS c (AWS_SECRET_ACCESS_KEY 'abc', region 'eu')", "'abc'"),
        ("SELECT * FROM read_csv('https://a.blob.core.windows.net/c?sv=1&sig=abc&x=1')", "abc"),
        ("CREATE TABLE t (id INT) LOCATION 's3://user:abc@host/p'", "abc"),
    ],
)
def test_what_a_statement_tells_is_hidden_and_nothing_moves(text: str, shown: str) -> None:
    hidden = redacted(text)
    assert shown not in hidden
    assert len(hidden) == len(text)
    assert redacted(hidden) == hidden


@pytest.mark.parametrize(
    "text",
    ["SELECT secret FROM t WHERE key = 'abc'", "ATTACH '../x' AS y (READ_ONLY)", "CREATE TABLE secret (key STRING)"],
)
def test_other_statements_stay(text: str) -> None:
    assert redacted(text) == text


def test_data_that_says_token_is_not_looked_at_word_by_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deltasql.redaction._TOKEN", None)
    text = (
        "INSERT INTO t (token, password) VALUES ('a token of 1', 'attached'), ('an account_key of 2', 'secrets: none')"
    )
    assert redacted(text) == text


def test_a_planted_secret_is_in_nothing_that_is_shown(s3: Bucket, tmp_path: Path) -> None:
    options = {**s3.options, "AWS_SECRET_ACCESS_KEY": SECRET}
    create = f"""CREATE SECRET own (TYPE s3, SCOPE '{s3.url}', KEY_ID 'AKIAOWN', SECRET '{SECRET}', REGION 'us-east-1',
        ENDPOINT '{s3.server.url}', ALLOW_HTTP true)"""
    found: list[str] = [repr(parser.parse(create))]
    with deltasql.connect(tmp_path, storage_options=options) as con, warnings.catch_warnings(record=True) as warned:
        con.sql("SET deltasql.commit.statement = on")
        statements = [
            create,
            f"EXPLAIN {create.replace('own', 'other')}",
            "SHOW SECRETS",
            f"CREATE TABLE t (id INT) LOCATION '{s3.url}/t'",
            f"INSERT INTO t SELECT length('{SECRET}')",
            "SELECT * FROM t",
            "EXPLAIN SELECT * FROM t",
            f"EXPLAIN SELECT * FROM t WHERE id = length('{SECRET}') + random()",
            "EXPLAIN ANALYZE SELECT * FROM t",
            "DESCRIBE EXTENDED t",
            "DESCRIBE HISTORY t",
            "SHOW CREATE TABLE t",
            "SHOW ALL",
            f"ATTACH '{s3.url}/x' AS x (SECRET '{SECRET}', KEY_ID 'AKIA')",
            f"ATTACH '{s3.url}/y' AS y (SECRET '{SECRET}', NO_SUCH 'x')",
            f"CREATE SECRET own (TYPE s3, SECRET '{SECRET}')",
            f"CREATE SECRET another (TYPE s3, SECRET '{SECRET}', NO_SUCH 'x')",
            f"CREATE SECRET (TYPE s3, SECRET '{SECRET}')",
            f"CREATE SECRET another (TYPE s3, SECRET '{SECRET}' 'x')",
            f"SELECT '{SECRET}' FROM nowhere",
            f"SELECT no_such('{SECRET}')",
            f"SELECT CAST('{SECRET}' AS INT)",
            f"SELECT * FROM delta.`{s3.url}/{SECRET.replace('/', '')}`",
        ]
        for statement in statements:
            is_own = statement.startswith(("SELECT '", "SELECT no", "SELECT CAST"))
            try:
                result = con.sql(statement)
                found += [repr(result), str(result.metrics), str([] if is_own else result.fetchall())]
            except deltasql.Error as error:
                found += [str(error), repr(error), str(error.statement), str(error.hint)]
                found += traceback.format_exception(error)[-2:] if is_own else traceback.format_exception(error)
        with pytest.raises(deltasql.Error) as raised:
            list(con.script(f"SELECT 1; {create.replace('own', 'again')}; SELECT * FROM nowhere"))
        found += [str(raised.value.statement), str(raised.value)]
        with s3.server.mode(forbidden=["GET"]), pytest.raises(deltasql.StorageError) as forbidden:
            rows(con, "SELECT * FROM t")
        found += [str(forbidden.value), *traceback.format_exception(forbidden.value)]
        found += [repr(con), repr(con.session.catalog.storage), repr(con.session.catalog.storage.secrets())]
        found += [repr(con.session.catalog.find("default", "t"))]
        entries = [path.read_text() for path in con.session.catalog.storage.place(f"{s3.url}/t/_delta_log").iterdir()]
        assert any(
            "deltasql.text" in json.loads(line).get("commitInfo", {}) for e in entries for line in e.splitlines()
        )
        found += entries
    found += [str(each.message) for each in warned]
    assert [text for text in found if SECRET in text] == []


def test_the_prompt_forgets_it(tmp_path: Path) -> None:
    from deltasql.repl.history import open_history

    history = open_history(tmp_path / "history")
    history.append_string(f"CREATE SECRET s (TYPE s3, SECRET '{SECRET}')")
    assert "CREATE SECRET" in (tmp_path / "history").read_text()
    assert SECRET not in (tmp_path / "history").read_text()
