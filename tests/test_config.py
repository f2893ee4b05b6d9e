"""What is set down for the command: which file, what in it, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from deltasql.config import FILE, Config, read_config
from deltasql.errors import ConfigError

TEXT = """
root = "lake"
format = "json"
[settings]
time_zone = "UTC"
deltasql.reader = "scan"
"deltasql.threads" = 2
[profiles.nightly]
root = "/data/lake"
read_only = true
settings.Deltasql.Reader = "listing"
settings.deltasql.commit.statement = false
[profiles.remote]
root = "s3://bucket/lake"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a home that has nothing."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home" / "config"))
    (tmp_path / "here").mkdir()
    return tmp_path / "here"


def written(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_text(text, encoding="utf-8")
    return folder / FILE


def test_nothing_set_down(folder):
    assert read_config({}, folder=folder) == Config()


def test_the_top_of_a_file(folder):
    file = written(folder, TEXT)
    found = read_config({}, folder=folder)
    assert (found.root, found.format, found.read_only) == (str(folder / "lake"), "json", None)
    assert found.settings == {"time_zone": "UTC", "deltasql.reader": "scan", "deltasql.threads": "2"}
    assert found.source == str(file)


def test_a_profile_goes_on_top(folder):
    written(folder, TEXT)
    found = read_config({}, profile="nightly", folder=folder)
    assert (found.root, found.format, found.read_only) == ("/data/lake", "json", True)
    assert found.settings == {
        "time_zone": "UTC",
        "deltasql.reader": "listing",
        "deltasql.threads": "2",
        "deltasql.commit.statement": "false",
    }
    assert read_config({}, profile="remote", folder=folder).root == "s3://bucket/lake"


def test_a_profile_can_take_read_only_back(folder):
    written(folder, "read_only = true\n[profiles.w]\nread_only = false")
    assert read_config({}, profile="w", folder=folder).read_only is False


def test_the_file_says_which_profile_unless_somebody_else_does(folder):
    written(folder, 'profile = "a"\n[profiles.a]\nformat = "csv"\n[profiles.b]\nformat = "tsv"\n[profiles.c]\n')
    assert read_config({}, folder=folder).format == "csv"
    assert read_config({"DELTASQL_PROFILE": "b"}, folder=folder).format == "tsv"
    assert read_config({"DELTASQL_PROFILE": "b"}, profile="a", folder=folder).format == "csv"
    assert read_config({}, profile="c", folder=folder).format is None


def test_the_environment_goes_on_top_of_all(folder):
    written(folder, TEXT)
    environment = {"DELTASQL_ROOT": "elsewhere", "DELTASQL_FORMAT": "csv"}
    found = read_config(environment, profile="nightly", folder=folder)
    assert (found.root, found.format, found.where("format")) == ("elsewhere", "csv", "`DELTASQL_FORMAT`")
    assert read_config({"DELTASQL_ROOT": ""}, folder=folder).root == str(folder / "lake")


def test_which_file(folder, tmp_path):
    person = tmp_path / "home" / "config" / "deltasql"
    written(person, 'format = "tsv"')
    assert read_config({}, folder=folder).format == "tsv"
    written(folder, 'format = "json"')
    assert read_config({}, folder=folder).format == "json"
    variable = {"DELTASQL_CONFIG": str(written(tmp_path / "x", 'format = "csv"'))}
    assert read_config(variable, folder=folder).format == "csv"
    argument = written(tmp_path / "y", 'format = "html"\nroot = "~/lake"')
    found = read_config(variable, path=str(argument), folder=folder)
    assert (found.format, found.root) == ("html", str(tmp_path / "home" / "lake"))


def test_nobodys_home(folder, monkeypatch):
    monkeypatch.setattr("platformdirs.user_config_path", lambda name: Path("~nobody-of-that-name/x").expanduser())
    assert read_config({}, folder=folder) == Config()


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("rot = 'x'", "unknown key `rot` in `FILE`", "did you mean `root`?"),
        ("[profiles.a]\nreadonly = true", "unknown key `profiles.a.readonly` in `FILE`", "did you mean `read_only`?"),
        ("[profiles.a]\nprofiles = {}", "unknown key `profiles.a.profiles` in `FILE`", None),
        ("dialect = 'duckdb'", "unknown key `dialect` in `FILE`", None),
        ("root = 1", "`root` in `FILE` takes text, not `1`", None),
        ("read_only = 'yes'", "`read_only` in `FILE` takes true or false, not `yes`", None),
        ("settings = 3", "`settings` in `FILE` takes a table, not `3`", None),
        ("[profiles]\na = 3", "`profiles.a` in `FILE` takes a table", None),
        ("[settings]\ntime_zone = [1]", "`settings.time_zone` in `FILE` takes text, a number, true or false", None),
        ("[settings]\n'a = 1; b' = 1", "`settings.a = 1; b` in `FILE` isn't the name of a setting", None),
        ("[profiles.a.settings]\nx.y = 2024-01-01", "`profiles.a.settings.x.y` in `FILE` takes text", None),
        ("root = ", "`FILE` is no TOML: ", None),
        ("a = 1\na = 2", "`FILE` is no TOML: ", None),
    ],
)
def test_what_is_wrong_is_named_with_its_file(folder, text, message, hint):
    file = written(folder, text)
    with pytest.raises(ConfigError) as caught:
        read_config({}, folder=folder)
    assert caught.value.message.startswith(message.replace("FILE", str(file)))
    assert hint is None or caught.value.hint == hint


def test_files_that_cant_be_read(folder, tmp_path):
    with pytest.raises(ConfigError, match=r"can't read `.*none.toml`: No such file"):
        read_config({}, path=str(tmp_path / "none.toml"), folder=folder)
    (folder / FILE).write_bytes(b"root = '\xff'")
    with pytest.raises(ConfigError, match="byte 8 isn't UTF-8"):
        read_config({}, folder=folder)


def test_profiles_that_arent_there(folder):
    with pytest.raises(ConfigError, match=r"no profile `nightly`: there is no deltasql.toml"):
        read_config({}, profile="nightly", folder=folder)
    written(folder, TEXT)
    with pytest.raises(ConfigError) as caught:
        read_config({"DELTASQL_PROFILE": "nightl"}, folder=folder)
    assert caught.value.message == f"there is no profile `nightl` in `{folder / FILE}`"
    assert caught.value.hint == "did you mean `nightly`?"
