"""Settings: types, ranges, names."""

import pytest

from deltasql.errors import PlanError
from deltasql.settings import SETTINGS, Settings, show, values_of


def test_each_has_a_default_that_it_takes_and_a_line_of_description():
    for setting in SETTINGS:
        assert setting.parse(show(setting.default)) == setting.default
        assert setting.description
        assert "\n" not in setting.description


def test_each_says_which_values_it_takes():
    said = {setting.name: values_of(setting) for setting in SETTINGS}
    assert said["deltasql.commit.retries"] == "a whole number from 0 to 1000"
    assert said["deltasql.reader"] == "one of auto, listing, scan, dataset"
    assert said["deltasql.commit.user_metadata"] == "any text"
    assert all(said.values())


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("deltasql.vacuum.retention_check", "OFF", False),
        ("deltasql.vacuum.retention_check", "1", True),
        ("DELTASQL.Commit.Retries", "0", 0),
        ("deltasql.reader", "Scan", "scan"),
        ("time_zone", "Europe/Berlin", "Europe/Berlin"),
        ("timezone", "UTC", "UTC"),
    ],
)
def test_set_and_reset(name, text, value):
    settings = Settings()
    settings.set(name, text)
    key = settings.setting(name).name
    assert settings[key] == value
    settings.reset(name)
    assert settings[key] == settings.setting(name).default


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "deltasql.vacuum.retention_check",
            "maybe",
            "`maybe` is no value of `deltasql.vacuum.retention_check`: it takes on or off",
        ),
        ("deltasql.commit.retries", "-1", "it takes a whole number from 0 to 1000"),
        ("deltasql.commit.retries", "x", "it takes a whole number from 0 to 1000"),
        ("deltasql.reader", "magic", "it takes one of auto, listing, scan"),
        ("time_zone", "Mars/Olympus", "a time zone such as UTC or Europe/Berlin"),
        ("time_zone", "../etc/passwd", "a time zone such as UTC or Europe/Berlin"),
        ("deltasql.raeder", "x", "there is no setting `deltasql.raeder`"),
    ],
)
def test_wrong_values(name, text, message):
    with pytest.raises(PlanError, match=message):
        Settings().set(name, text)


def test_the_nearest_setting_is_named():
    with pytest.raises(PlanError) as caught:
        Settings().set("deltasql.raeder", "x")
    assert caught.value.hint == "did you mean `deltasql.reader`?"
