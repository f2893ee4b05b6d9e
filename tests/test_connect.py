"""What `connect` takes: settings, and a profile of the configuration file."""

from __future__ import annotations

from pathlib import Path

import pytest

import deltasql
from deltasql.config import FILE

TEXT = """
root = "lake"
settings.time_zone = "Europe/Berlin"
[profiles.reading]
read_only = true
settings.deltasql.threads = 1
[profiles.wrong]
settings.deltasql.threads = "many"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home" / "config"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / FILE).write_text(TEXT, encoding="utf-8")
    return tmp_path


def value(con: deltasql.Connection, name: str) -> str:
    return con.sql(f"SHOW {name}").fetchall()[0][1]


def test_settings():
    given = {"time_zone": "Asia/Tokyo", "deltasql.threads": 1, "deltasql.commit.statement": False}
    given |= {"datafusion.execution.batch_size": 1000, "deltasql.memory_limit": None}
    with deltasql.connect(settings=given) as con:
        assert value(con, "time_zone") == "Asia/Tokyo"
        assert value(con, "deltasql.threads") == "1"
        assert value(con, "deltasql.commit.statement") == "off"
        assert value(con, "datafusion.execution.batch_size") == "1000"
        assert value(con, "deltasql.memory_limit") == "none"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"deltasql.reeder": "scan"}, "setting `deltasql.reeder`: there is no setting"),
        ({"deltasql.reader": "fast"}, "setting `deltasql.reader`: `fast` is no value"),
        ({"time_zone = 'UTC'; DROP TABLE t": "x"}, "isn't the name of a setting"),
    ],
)
def test_wrong_settings(settings, message):
    with pytest.raises(deltasql.ConfigError, match=message):
        deltasql.connect(settings=settings)


def test_a_profile(folder):
    with deltasql.connect(profile="reading") as con:
        assert con.root == folder / "lake"
        assert (value(con, "time_zone"), value(con, "deltasql.threads")) == ("Europe/Berlin", "1")
        with pytest.raises(deltasql.Error, match="read-only"):
            con.sql("CREATE TABLE t (a INT)")


def test_arguments_beat_a_profile(folder):
    with deltasql.connect(folder / "other", profile="reading", settings={"time_zone": "UTC"}) as con:
        assert con.root == folder / "other"
        assert value(con, "time_zone") == "UTC"


def test_without_a_profile_no_file_is_read(folder):
    with deltasql.connect() as con:
        assert con.root != folder / "lake"
        assert value(con, "time_zone") == "UTC"


def test_wrong_profiles(folder):
    with pytest.raises(deltasql.ConfigError, match="there is no profile `readng`") as caught:
        deltasql.connect(profile="readng")
    assert caught.value.hint == "did you mean `reading`?"
    with pytest.raises(deltasql.ConfigError, match=f"setting `deltasql.threads` in `.*{FILE}`"):
        deltasql.connect(profile="wrong")
