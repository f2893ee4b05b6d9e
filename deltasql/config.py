"""What a person has set down for the command: ``deltasql.toml``, its profiles, environment variables.

Nearer beats farther: an environment variable the profile, the profile the top of the file. A key that nobody reads is
an error, as a misspelt `read_only` must not leave a table open to writes. Nothing is read before it is asked for.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import platformdirs

from deltasql.errors import ConfigError
from deltasql.names import did_you_mean

FILE = "deltasql.toml"
VARIABLES = ("DELTASQL_CONFIG", "DELTASQL_PROFILE", "DELTASQL_ROOT", "DELTASQL_FORMAT")
"""The environment variables that are read here; an empty one counts as none."""

_KEYS = {"root": str, "format": str, "read_only": bool, "settings": dict, "storage_options": dict}
_TOP = {**_KEYS, "profile": str, "profiles": dict}
_KINDS = {str: "text", bool: "true or false", dict: "a table"}
_REMOTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
SETTING = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
"""What a setting can be called."""


@dataclass(frozen=True, slots=True)
class Config:
    """What was set: None and empty where nothing was. ``settings`` are texts as SET takes them, by name.

    ``storage_options`` are as for `deltasql.connect`, ``source`` is the file, ``variables`` are those of the
    environment that took the place of what is in it.
    """

    root: str | None = None
    format: str | None = None
    read_only: bool | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    storage_options: Mapping[str, Any] = field(default_factory=dict, repr=False)
    source: str = ""
    variables: frozenset[str] = frozenset()

    def where(self, key: str) -> str:
        """Where ``key`` was set, for an error."""
        variable = f"DELTASQL_{key.upper()}"
        return f"`{variable}`" if variable in self.variables else f"`{self.source}`"


def read_config(
    environment: Mapping[str, str], *, path: str | None = None, profile: str | None = None, folder: Path | None = None
) -> Config:
    """What holds with ``path`` and ``profile`` as they were asked for; ``folder`` None is the current one.

    The file is ``path``, else ``DELTASQL_CONFIG``, else `FILE` in ``folder``, else the one of the person, else none.
    Raises `ConfigError` naming the file and the key.
    """
    asked = path or environment.get("DELTASQL_CONFIG")
    file = Path(asked).expanduser() if asked else _found(folder or Path.cwd())
    found = _File(file, _parsed(file)) if file is not None else None
    wanted = profile or environment.get("DELTASQL_PROFILE") or (found.top.get("profile") if found else None)
    if found is None:
        if wanted:
            hint = f"it goes under `[profiles.{wanted}]` in {_person_file() or FILE}"
            raise ConfigError(f"there is no profile `{wanted}`: there is no {FILE}", hint=hint)
        config = Config()
    else:
        config = found.config(wanted)
    return replace(
        config,
        root=environment.get("DELTASQL_ROOT") or config.root,
        format=environment.get("DELTASQL_FORMAT") or config.format,
        variables=frozenset(name for name in VARIABLES if environment.get(name)),
    )


def _found(folder: Path) -> Path | None:
    for file in (folder / FILE, _person_file()):
        if file is not None and file.is_file():
            return file
    return None


def _person_file() -> Path | None:
    try:
        return platformdirs.user_config_path("deltasql") / FILE
    except RuntimeError:  # nobody's home
        return None


def _parsed(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigError(f"can't read `{file}`: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"can't read `{file}`: byte {error.start} isn't UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"`{file}` is no TOML: {error}") from error


@dataclass(frozen=True, slots=True)
class _File:
    """A file and its content, each part of which is checked, whichever profile is chosen."""

    path: Path
    top: Mapping[str, Any]

    def config(self, profile: str | None) -> Config:
        """What holds with ``profile``, or without one."""
        own = self._checked(self.top, _TOP, "")
        profiles = {
            name: self._checked(values, _KEYS, f"profiles.{name}.")
            for name, values in self.top.get("profiles", {}).items()
        }
        chosen = Config()
        if profile is not None:
            if profile not in profiles:
                hint = did_you_mean(profile, profiles) or f"it goes under `[profiles.{profile}]`"
                raise ConfigError(f"there is no profile `{profile}` in `{self.path}`", hint=hint)
            chosen = profiles[profile]
        return Config(
            root=chosen.root or own.root,
            format=chosen.format or own.format,
            read_only=own.read_only if chosen.read_only is None else chosen.read_only,
            settings={**own.settings, **chosen.settings},
            storage_options={**own.storage_options, **chosen.storage_options},
            source=str(self.path),
        )

    def _checked(self, values: Any, keys: Mapping[str, type], where: str) -> Config:
        """The part of the file at ``where``. Raises `ConfigError` for a key or a value that means nothing."""
        if not isinstance(values, dict):
            raise self._wrong(where.removesuffix("."), "takes a table")
        for key, value in values.items():
            if key not in keys:
                hint = did_you_mean(key, keys) or f"there are {', '.join(keys)}"
                raise ConfigError(f"unknown key `{where}{key}` in `{self.path}`", hint=hint)
            if not isinstance(value, keys[key]):
                raise self._wrong(where + key, f"takes {_KINDS[keys[key]]}, not `{value}`")
        return Config(
            root=self._root(values["root"]) if values.get("root") else None,
            format=values.get("format"),
            read_only=values.get("read_only"),
            settings=dict(self._settings(values.get("settings", {}), f"{where}settings")),
            storage_options=self._options(values.get("storage_options", {}), f"{where}storage_options"),
        )

    def _settings(self, values: Mapping[str, Any], where: str, prefix: str = "") -> Iterator[tuple[str, str]]:
        """Names and texts of settings; what TOML takes for tables (``deltasql.reader = …``) is joined again."""
        for key, value in values.items():
            name = f"{prefix}{key}"
            if isinstance(value, dict):
                yield from self._settings(value, where, f"{name}.")
            elif SETTING.fullmatch(name) is None:
                raise self._wrong(f"{where}.{name}", "isn't the name of a setting")
            elif isinstance(value, bool):
                yield name.lower(), "true" if value else "false"
            elif isinstance(value, str | int | float):
                yield name.lower(), str(value)
            else:
                raise self._wrong(f"{where}.{name}", f"takes text, a number, true or false, not `{value}`")

    def _options(self, values: Mapping[str, Any], where: str, *, below: bool = False) -> dict[str, Any]:
        """Options of object stores, and by URL those of single places; `deltasql.storage` knows which there are."""
        found: dict[str, Any] = {}
        for key, value in values.items():
            if isinstance(value, dict) and not below and _REMOTE.match(key):
                found[key] = self._options(value, f'{where}."{key}"', below=True)
            elif isinstance(value, str | bool | int | float):
                found[key] = value
            else:
                raise self._wrong(
                    f"{where}.{key}", "takes text, a number, true or false; the options of a place go by its URL"
                )
        return found

    def _root(self, root: str) -> str:
        """A root as it is from wherever the command runs: a folder is relative to the file."""
        return root if _REMOTE.match(root) else str(self.path.absolute().parent / Path(root).expanduser())

    def _wrong(self, key: str, why: str) -> ConfigError:
        return ConfigError(f"`{key}` in `{self.path}` {why}")
