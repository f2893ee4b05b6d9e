"""What a connection knows of stores: the options that it was given, by whom, and for which places.

Of what is said for a place the nearest holds: what is said for a longer prefix before what is for a shorter one, and
of the same prefix a secret before ``storage_options``, these before ``deltasql.toml``, and the environment last.
"""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deltasql.errors import ConfigError, NotSupportedError, OperationalError, StorageError
from deltasql.storage.accounts import Account
from deltasql.storage.faults import no_credentials
from deltasql.storage.objects import Location, ObjectPath
from deltasql.storage.options import KINDS, SCHEMES, by_kind, is_on, is_secret, merged, named, of_environment

_PLACES = ", ".join(f"`{scheme}://`" for scheme in ("s3", "s3a", "az", "abfss", "gs", "file"))
_SAME = {"s3a": "s3", "gcs": "gs", "azure": "az", "abfs": "az"}


@dataclass(frozen=True, slots=True)
class Secret:
    """Options of a kind of store for the places below ``scope`` (all, if it is empty); ``told`` names their giver."""

    name: str
    kind: str
    scope: str
    options: Mapping[str, str] = field(repr=False)
    told: str = ""

    def shown(self) -> str:
        """Its options, without what must not be shown."""
        return "; ".join(
            f"{name}={'redacted' if is_secret(name, self.kind) else value}" for name, value in self.options.items()
        )


class Storage:
    """Finds the account of a place; safe for several threads."""

    local_files: bool
    """Whether a text may name a file or folder of this machine (``deltasql.local_files``)."""

    def __init__(self, given: Sequence[Secret] = ()) -> None:
        self.local_files = True
        self._given = list(given)
        self._secrets: dict[str, Secret] = {}
        self._accounts: dict[object, Account] = {}
        self._lock = threading.RLock()
        self._warned = False

    def __repr__(self) -> str:
        return "<deltasql.Storage>"

    # -- places

    def place(self, text: str | Path | ObjectPath) -> Location:
        """What ``text``, which a statement gave, names: a folder or file of this machine, absolute, or an object.

        Raises `NotSupportedError` for a scheme that isn't known, `StorageError` for what is no path,
        `OperationalError` for a place of this machine where local files are off.
        """
        found = self.kept(text)
        if not isinstance(found, ObjectPath) and not self.local_files:
            hint = "`deltasql.local_files` was set off, and stays off on this connection"
            raise OperationalError(f"local files are off, so `{text}` can't be reached", hint=hint)
        return found

    def kept(self, text: str | Path | ObjectPath) -> Location:
        """What ``text`` names that was allowed before, as the location of a table that is registered; see `place`."""
        if isinstance(text, ObjectPath):
            return text
        scheme, separator, rest = str(text).partition("://")
        scheme = scheme.lower()
        if not separator or scheme == "file":
            return local_path(text)
        kind = SCHEMES.get(scheme)
        if kind is None:
            raise NotSupportedError(f"a location on `{scheme}://` is not supported", hint=f"there are {_PLACES}")
        bucket, _, key = rest.partition("/")
        parts = [part for part in key.split("/") if part not in ("", ".")]
        if not bucket or ".." in parts:
            raise StorageError(f"`{text}` is no place in a store", hint=f"write it as `{scheme}://bucket/path`")
        if "@" in bucket and ":" in bucket.partition("@")[0]:
            # The password would stand wherever the place is named.
            hint = "give keys by CREATE SECRET, or below [storage_options] of deltasql.toml"
            raise StorageError(f"a location on `{scheme}://` holds no user and password", hint=hint)
        scheme = scheme if "@" in bucket else _SAME.get(scheme, scheme)
        return ObjectPath(self, kind, f"{scheme}://{bucket}", "/".join(parts))

    def account(self, path: ObjectPath) -> Account:
        """Whose options hold for ``path`` by now. Raises `ConfigError` where nobody is known who may look."""
        with self._lock:
            layers = self._for(path)
            environment = of_environment(os.environ, path.kind)
            key = path.kind, tuple(map(id, layers)), tuple(environment.items())
            found = self._accounts.get(key)
            if found is None:
                options = merged([environment, *(layer.options for layer in layers)], path.kind)
                giver = next((each for each in reversed(layers)), None)
                told = "the environment" if giver is None else giver.told
                found = Account(path.kind, options, told, len(self._accounts))
                if (lack := found.check()) is not None:
                    raise no_credentials(path) if lack else AssertionError
                self._warn(options)
                self._accounts[key] = found
            return found

    def _for(self, path: ObjectPath) -> list[Secret]:
        """What was said for ``path``, the nearest last."""
        every = [*self._given, *self._secrets.values()]
        found = [each for each in every if each.kind == path.kind and self._covers(each.scope, path)]
        return sorted(found, key=lambda each: len(each.scope))

    def _covers(self, scope: str, path: ObjectPath) -> bool:
        return not scope or str(path) == scope or str(path).startswith(f"{scope}/")

    def _warn(self, options: Mapping[str, str]) -> None:
        if is_on(options.get("s3_allow_unsafe_rename")) and not self._warned:
            self._warned = True
            message = "AWS_S3_ALLOW_UNSAFE_RENAME is not heeded: commits are made by conditional put, which is safe"
            warnings.warn(message, RuntimeWarning, stacklevel=2)

    # -- secrets

    def secrets(self) -> list[Secret]:
        """The secrets by name."""
        return [self._secrets[name] for name in sorted(self._secrets)]

    def keep(self, secret: Secret) -> None:
        """Keep a secret, instead of the one of that name if there is one."""
        with self._lock:
            self._secrets[secret.name] = secret

    def drop(self, name: str) -> None:
        """Forget a secret."""
        with self._lock:
            del self._secrets[name]

    def attach(self, name: str, given: Mapping[str, str], root: Location) -> Secret | None:
        """The options that an attached root was given, to be kept until it is detached."""
        if not given:
            return None
        if not isinstance(root, ObjectPath):
            raise NotSupportedError(f"a folder of this machine has no option `{next(iter(given))}`")
        options = named(given, root.kind, where="ATTACH")
        return Secret(f"catalog {name}", root.kind, str(root), options, f"ATTACH of `{name}`")

    def add(self, secret: Secret) -> None:
        """Let options hold that aren't a secret of the user's."""
        with self._lock:
            self._given.append(secret)

    def remove(self, name: str) -> None:
        """Take back what `add` was given under a name."""
        with self._lock:
            self._given = [each for each in self._given if each.name != name]

    def hidden(self) -> set[str]:
        """All values that must never be shown."""
        with self._lock:
            every = [*self._given, *self._secrets.values()]
            told = {value for each in every for name, value in each.options.items() if is_secret(name, each.kind)}
            return told.union(*(account.secrets for account in self._accounts.values()))

    def secret(self, name: str, kind: str, scope: str, given: Mapping[str, str]) -> Secret:
        """A secret as CREATE SECRET makes it. Raises `ConfigError` for options that its kind hasn't."""
        known = KINDS.get(kind.lower())
        if known is None:
            raise ConfigError(f"there is no TYPE `{kind}` of a secret", hint=f"there are {', '.join(KINDS)}")
        if scope:
            place = self.place(scope)
            if not isinstance(place, ObjectPath) or place.kind != known:
                raise ConfigError(f"the SCOPE `{scope}` is no place of a store of TYPE `{kind}`")
            scope = str(place)
        return Secret(name, known, scope, named(given, known, where="a secret"), f"secret `{name}`")


def given(options: Mapping[str, Any] | None, *, told: str) -> list[Secret]:
    """``options`` of a connection: those of any place, and by URL those of the places below it.

    Raises `ConfigError` for an option that no store has.
    """
    found, plain = [], {}
    helper = Storage()
    for key, value in (options or {}).items():
        if not isinstance(value, Mapping):
            plain[key] = value
            continue
        place = helper.place(key)
        if not isinstance(place, ObjectPath):
            raise ConfigError(f"{told} has options for `{key}`, which is no place in a store")
        found.append(Secret("", place.kind, str(place), named(value, place.kind, where=told), told))
    for kind, own in by_kind(plain, where=told).items():
        found.insert(0, Secret("", kind, "", own, told))
    return found


def local_path(path: str | Path | ObjectPath) -> Path:
    """``path`` as an absolute path of this machine; ``file://`` URLs are taken too.

    Raises `NotSupportedError` for another scheme.
    """
    text = str(path)
    scheme, separator, rest = text.partition("://")
    if separator:
        if scheme.lower() != "file":
            raise NotSupportedError(f"a location on `{scheme}://` is not supported", hint="use a local folder")
        from urllib.parse import unquote

        text = unquote(rest)
    elif text.startswith("file:/"):
        text = text[5:]
    if "\0" in text:
        raise StorageError(f"{text!r} is no path: it holds a NUL")
    try:
        return Path(text).expanduser().absolute()
    except (RuntimeError, ValueError) as error:
        raise StorageError(f"`{text}` is no path: {error}") from error
