"""The registry behind SET, SHOW and RESET: one row per setting, with its type, default and meaning."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from deltasql.errors import PlanError
from deltasql.names import did_you_mean, fold

_SWITCH = {"on": True, "true": True, "1": True, "yes": True, "off": False, "false": False, "0": False, "no": False}


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting: ``parse`` takes the text of a value and gives the value, or raises ValueError with what is right."""

    name: str
    parse: Callable[[str], Any]
    default: Any
    description: str


def switch(text: str) -> bool:
    """``on`` or ``off`` (also true/false, yes/no, 1/0)."""
    try:
        return _SWITCH[text.lower()]
    except KeyError:
        raise ValueError("on or off") from None


def choice(*words: str) -> Callable[[str], str]:
    """One of ``words``."""

    def parse(text: str) -> str:
        if text.lower() not in words:
            raise ValueError("one of " + ", ".join(words))
        return text.lower()

    return parse


def whole(low: int, high: int) -> Callable[[str], int]:
    """A whole number in a range, both ends included."""

    def parse(text: str) -> int:
        expected = f"a whole number from {low} to {high}"
        try:
            number = int(text)
        except ValueError:
            raise ValueError(expected) from None
        if not low <= number <= high:
            raise ValueError(expected)
        return number

    return parse


def zone(text: str) -> str:
    """A time zone of the IANA database."""
    if text.lower() == "local":
        import datetime as dt

        text = str(dt.datetime.now().astimezone().tzinfo)
    try:
        zoneinfo.ZoneInfo(text)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("a time zone such as UTC or Europe/Berlin") from None
    return text


def words(text: str) -> str:
    """Any text."""
    return text


SETTINGS: tuple[Setting, ...] = (
    Setting("time_zone", zone, "UTC", "zone in which times without one are read, and in which instants are shown"),
    Setting(
        "deltasql.reader",
        choice("auto", "listing", "scan"),
        "auto",
        "how tables are read: listing (DataFusion's Parquet scan), scan (delta-rs), or auto",
    ),
    Setting("deltasql.commit.user_metadata", words, "", "text that is kept in the commit of every write"),
    Setting(
        "deltasql.commit.retries",
        whole(0, 1000),
        10,
        "how often a write that conflicts with another is run again on a fresh snapshot",
    ),
    Setting(
        "deltasql.vacuum.retention_check",
        switch,
        _SWITCH["on"],
        "refuse a VACUUM that removes files younger than the table's retention",
    ),
)


class Settings:
    """The values of one session."""

    def __init__(self) -> None:
        self._registry = {setting.name: setting for setting in SETTINGS}
        self._values: dict[str, Any] = {}

    def setting(self, name: str) -> Setting:
        """The setting called ``name``, in any case; ``time_zone`` also as ``deltasql.time_zone``.

        Raises `PlanError` with the nearest name.
        """
        key = fold(name)
        if key in ("timezone", "deltasql.time_zone"):
            key = "time_zone"
        if key not in self._registry:
            raise PlanError(f"there is no setting `{name}`", hint=did_you_mean(name, self._registry))
        return self._registry[key]

    def __getitem__(self, name: str) -> Any:
        """The value of a setting by its exact name."""
        return self._values.get(name, self._registry[name].default)

    def set(self, name: str, text: str) -> None:
        """Set ``name`` from the text of a value. Raises `PlanError` that says what is right."""
        setting = self.setting(name)
        try:
            self._values[setting.name] = setting.parse(text)
        except ValueError as error:
            raise PlanError(f"`{text}` is no value of `{setting.name}`: it takes {error}") from None

    def reset(self, name: str | None) -> None:
        """Give ``name`` (or all settings) its default."""
        if name is None:
            self._values.clear()
        else:
            self._values.pop(self.setting(name).name, None)

    def rows(self) -> list[tuple[str, str, str]]:
        """Name, value and description of all settings, by name."""
        return [(name, show(self[name]), self._registry[name].description) for name in sorted(self._registry)]


def show(value: Any) -> str:
    """A setting's value as SET would take it."""
    return ("on" if value else "off") if isinstance(value, bool) else str(value)
