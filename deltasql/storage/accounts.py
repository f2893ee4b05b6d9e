"""Who asks a store, and how: the one place where options become those of obstore, delta-rs and DataFusion.

Keys that are there for a while only come from botocore, where it is installed: it looks where AWS's own tools look
(profiles, SSO, web identity, containers, instances), and gives fresh ones in time. Whoever keeps something that was
made of keys asks for `Account.keys` again, and makes it anew where they are others by now.
"""

from __future__ import annotations

import datetime as dt
import functools
import os
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from deltasql.errors import ConfigError, NotSupportedError
from deltasql.storage.options import AZURE, GOOGLE, S3, is_on, is_secret

if TYPE_CHECKING:
    from obstore.store import ObjectStore

Keys = tuple[str, str, str | None]
"""Access key, secret and session token, as they are now."""

_METADATA = ("169.254.169.254", 80)
_RETRIES, _RETRY_SECONDS = "6", "30"
_CLIENT = ("allow_http", "allow_invalid_certificates", "connect_timeout", "proxy_url", "timeout")
_AMBIENT = {
    S3: ("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"),
    AZURE: ("AZURE_FEDERATED_TOKEN_FILE", "IDENTITY_ENDPOINT", "MSI_ENDPOINT"),
    GOOGLE: (),
}
_KNOWN = {
    S3: ("access_key_id", "skip_signature"),
    AZURE: (
        *("account_key", "sas_token", "bearer_token", "connection_string", "client_secret", "use_azure_cli"),
        *("skip_signature", "use_emulator"),
    ),
    GOOGLE: ("service_account", "service_account_key", "bearer_token", "skip_signature"),
}
"""The options each of which is enough to be let in."""


@dataclass(frozen=True, slots=True, eq=False)
class Account:
    """The options for one place; ``told`` says in words who gave the credentials, ``number`` tells accounts apart."""

    kind: str
    options: Mapping[str, str] = field(repr=False)
    told: str
    number: int
    _made: dict[object, Any] = field(default_factory=dict, repr=False)
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    # -- what it knows

    @property
    def endpoint(self) -> str | None:
        """Where the store is, if not where its kind is by default."""
        given = self.options.get("base_url" if self.kind == GOOGLE else "endpoint")
        if given is None or "://" in given:
            return given
        return f"{'http' if self.options.get('use_ssl', 'true').lower() in ('false', '0') else 'https'}://{given}"

    @property
    def secrets(self) -> set[str]:
        """The values that must never be shown."""
        known = {value for name, value in self.options.items() if is_secret(name, self.kind)}
        if "connection_string" in self.options:
            known |= {part.partition("=")[2] for part in self.options["connection_string"].split(";") if "ey=" in part}
        held = self._made.get("keys")
        return known | ({value for value in held[1:] if value} if held else set())

    @property
    def keys(self) -> Keys | None:
        """The keys for S3 as they are now; None for other stores, and where the libraries find them by themselves.

        Raises `ConfigError` for a profile that can't be read.
        """
        if self.kind != S3 or is_on(self.options.get("skip_signature")):
            return None
        if "access_key_id" in self.options:
            options = self.options
            if "secret_access_key" not in options:
                raise ConfigError(f"{self.told} gives `access_key_id` without `secret_access_key`")
            return options["access_key_id"], options["secret_access_key"], options.get("session_token")
        with self._lock:
            found = _by_botocore(self.options.get("profile"), self._made)
            self._made["keys"] = found
            return found

    def check(self) -> str | None:
        """What keeps a place of this account from being asked for, in words; None where nothing does.

        Raises `NotSupportedError` and `ConfigError` for options that can't hold.
        """
        if self.options.get("s3_locking_provider", "").lower() not in ("", "none"):
            message = "the S3 locking provider `dynamodb` is no longer supported by delta-rs, nor needed"
            if self.options["s3_locking_provider"].lower() != "dynamodb":
                message = f"there is no S3 locking provider `{self.options['s3_locking_provider']}`"
            raise NotSupportedError(message, hint="unset AWS_S3_LOCKING_PROVIDER: commits are made by conditional put")
        endpoint = self.endpoint
        if endpoint is not None and endpoint.lower().startswith("http://") and not self._may_be_plain():
            message = f"the endpoint `{endpoint}` isn't encrypted, and all keys and rows would go there in the open"
            raise ConfigError(message, hint="set `allow_http = true` if that is meant")
        if any(name in self.options for name in _KNOWN[self.kind]) or self.keys is not None:
            return None
        return None if self._is_ambient() else "no credentials"

    def _may_be_plain(self) -> bool:
        return is_on(self.options.get("allow_http")) or is_on(self.options.get("use_emulator"))

    def _is_ambient(self) -> bool:
        """True if the machine itself may be let in: by a role, a token or a managed identity."""
        if any(os.environ.get(variable) for variable in _AMBIENT[self.kind]):
            return True
        if self.kind == GOOGLE and os.path.exists(os.path.expanduser(_GOOGLE_DEFAULT)):  # noqa: PTH110, PTH111
            return True
        return os.environ.get("AWS_EC2_METADATA_DISABLED", "").lower() != "true" and _has_metadata()

    # -- turned into what libraries take

    def store(self, bucket: str, account: str | None) -> ObjectStore:
        """Obstore's store of a bucket (of Azure: a container, in ``account`` where the URL names one)."""
        from obstore.exceptions import BaseError

        keys = self.keys
        with self._lock:
            held = self._made.get((bucket, account))
            if held is None or held[0] != keys:
                try:
                    held = self._made[bucket, account] = keys, self._store(bucket, account, keys)
                except BaseError as error:
                    why = str(error).split("Debug source")[0].strip()
                    raise ConfigError(f"the options of {self.told} can't be used for `{bucket}`: {why}") from error
            store: ObjectStore = held[1]
            return store

    def _store(self, bucket: str, account: str | None, keys: Keys | None) -> ObjectStore:
        from obstore.store import AzureStore, GCSStore, S3Store

        options = self._plain(account)
        client: Any = {name: options[name] for name in _CLIENT if name in options}
        client = {name: _switch(value) for name, value in client.items()}
        if self._may_be_plain():
            client["allow_http"] = True
        retry: Any = {
            "max_retries": int(options.get("max_retries", _RETRIES)),
            "retry_timeout": dt.timedelta(seconds=_seconds(options.get("retry_timeout", _RETRY_SECONDS))),
            "backoff": {
                "init_backoff": dt.timedelta(milliseconds=100),
                "max_backoff": dt.timedelta(seconds=5),
                "base": 2,
            },
        }
        config: Any = {name: value for name, value in options.items() if name in _CONFIG[self.kind]}
        if self.kind == S3:
            if keys is not None:
                config |= {"access_key_id": keys[0], "secret_access_key": keys[1]}
                config |= {} if keys[2] is None else {"token": keys[2]}
            return S3Store(bucket, config=config, client_options=client, retry_config=retry)
        of = AzureStore if self.kind == AZURE else GCSStore
        return of(bucket, config=config, client_options=client, retry_config=retry)

    def for_delta_rs(self, account: str | None) -> dict[str, str]:
        """What ``DeltaTable`` takes as ``storage_options``."""
        options, keys = self._plain(account), self.keys
        given = {name: value for name, value in options.items() if name in _CLIENT}
        given |= {_DELTA_RS[self.kind] + name: options[name] for name in _CONFIG[self.kind] if name in options}
        if self._may_be_plain():
            given["allow_http"] = "true"
        given["max_retries"] = options.get("max_retries", _RETRIES)
        given["retry_timeout"] = f"{_seconds(options.get('retry_timeout', _RETRY_SECONDS)):g}s"
        if keys is not None:
            given |= {"aws_access_key_id": keys[0], "aws_secret_access_key": keys[1]}
            given |= {"aws_session_token": keys[2] or ""} if keys[2] or os.environ.get("AWS_SESSION_TOKEN") else {}
        return given

    def for_datafusion(self, account: str | None) -> dict[str, Any] | str:
        """What DataFusion's own store of this kind takes, by its names; or in words why it can't be one.

        It reads the environment too, and can't be told not to.
        """
        options, keys = self._plain(account), self.keys
        for name in ("proxy_url", "allow_invalid_certificates", "timeout", "connect_timeout", "skip_signature"):
            if name in options and (name != "skip_signature" or is_on(options[name])):
                return f"DataFusion's store doesn't know `{name}`"
        if self.kind == S3:
            if is_on(options.get("virtual_hosted_style_request")) and self.endpoint is not None:
                return "DataFusion's store doesn't know `virtual_hosted_style_request`"
            if keys is not None and keys[2] is None and os.environ.get("AWS_SESSION_TOKEN"):
                return "DataFusion's store would take `AWS_SESSION_TOKEN` from the environment"
            secret = (
                {}
                if keys is None
                else {"access_key_id": keys[0], "secret_access_key": keys[1], "session_token": keys[2]}
            )
            plain = {"region": options.get("region"), "endpoint": self.endpoint, "allow_http": self._may_be_plain()}
            return {name: value for name, value in {**secret, **plain}.items() if value is not None}
        return self._azure(options) if self.kind == AZURE else self._google(options)

    def _azure(self, options: Mapping[str, str]) -> dict[str, Any] | str:
        odd = next((name for name in ("endpoint", "use_azure_cli") if name in options), None)
        if odd is not None:
            return f"DataFusion's store doesn't know `{odd}`"
        names = {
            "account_name": "account",
            "account_key": "access_key",
            **{name: name for name in ("bearer_token", "client_id", "client_secret", "tenant_id")},
        }
        given: dict[str, Any] = {names[name]: value for name, value in options.items() if name in names}
        if "sas_token" in options:
            import urllib.parse

            given["sas_query_pairs"] = urllib.parse.parse_qsl(options["sas_token"].lstrip("?"))
        for name in ("use_emulator", "use_fabric_endpoint", "allow_http"):
            if name in options:
                given[name] = is_on(options[name])
        return given

    def _google(self, options: Mapping[str, str]) -> dict[str, Any] | str:
        odd = next((name for name in ("service_account_key", "bearer_token", "base_url") if name in options), None)
        if odd is not None:
            return f"DataFusion's store doesn't know `{odd}`"
        return {"service_account_path": options["service_account"]} if "service_account" in options else {}

    def _plain(self, account: str | None) -> dict[str, str]:
        """The options in object_store's own terms."""
        options = dict(self.options)
        if self.endpoint is not None:
            options["base_url" if self.kind == GOOGLE else "endpoint"] = self.endpoint
        if (style := options.get("virtual_hosted_style_request", "").lower()) in ("path", "vhost"):
            options["virtual_hosted_style_request"] = "true" if style == "vhost" else "false"
        if self.kind == AZURE:
            options = {**_of_connection_string(options.pop("connection_string", "")), **options}
            if account is not None:
                options["account_name"] = account
        return options


_CONFIG = {
    S3: ("region", "endpoint", "virtual_hosted_style_request", "skip_signature"),
    AZURE: (
        *("account_name", "account_key", "sas_token", "bearer_token", "client_id", "client_secret", "tenant_id"),
        *("use_azure_cli", "skip_signature", "endpoint", "use_emulator", "use_fabric_endpoint"),
    ),
    GOOGLE: ("service_account", "service_account_key", "skip_signature", "base_url", "bearer_token"),
}
_DELTA_RS = {S3: "aws_", AZURE: "azure_storage_", GOOGLE: "google_"}
_GOOGLE_DEFAULT = "~/.config/gcloud/application_default_credentials.json"
_CONNECTION = {
    "accountname": "account_name",
    "accountkey": "account_key",
    "sharedaccesssignature": "sas_token",
    "blobendpoint": "endpoint",
}


def _of_connection_string(text: str) -> dict[str, str]:
    """What Azure's connection string says, in our terms."""
    found = {}
    for part in text.split(";"):
        name, _, value = part.partition("=")
        if (option := _CONNECTION.get(name.strip().lower())) is not None and value:
            found[option] = value
    return found


def _by_botocore(profile: str | None, made: dict[object, Any]) -> Keys | None:
    """The keys that AWS's own tools would use by now; None where there are none, or botocore isn't installed."""
    if "credentials" not in made:
        try:
            from botocore.exceptions import BotoCoreError
            from botocore.session import Session
        except ImportError:
            if profile is not None:
                hint = "pip install 'deltasql[aws]'"
                raise ConfigError(f"the AWS profile `{profile}` can't be read without botocore", hint=hint) from None
            return None
        session = Session(profile=profile)
        if os.environ.get("AWS_EC2_METADATA_DISABLED", "").lower() != "true" and not _has_metadata():
            session.set_config_variable("metadata_service_num_attempts", 0)
        try:
            made["credentials"] = session.get_credentials()
        except BotoCoreError as error:
            raise ConfigError(f"no AWS credentials could be found: {error}") from error
    credentials = made["credentials"]
    if credentials is None:
        return None
    try:
        frozen = credentials.get_frozen_credentials()
    except Exception as error:
        del made["credentials"]
        raise ConfigError(f"the AWS credentials couldn't be refreshed: {type(error).__name__}: {error}") from error
    return frozen.access_key, frozen.secret_key, frozen.token or None


@functools.cache
def _has_metadata() -> bool:
    """True if it is a machine of AWS, Azure or Google, which can say who it is; found out once, within a second."""
    try:
        with socket.create_connection(_METADATA, timeout=1):
            return True
    except OSError:
        return False


def _switch(value: str) -> Any:
    return value.lower() == "true" if value.lower() in ("true", "false") else value


def _seconds(text: str) -> float:
    """A time as ``30``, ``30s`` or ``500ms``. Raises `ConfigError`."""
    try:
        for unit, size in (("ms", 0.001), ("s", 1.0), ("m", 60.0)):
            if text.endswith(unit):
                return float(text.removesuffix(unit)) * size
        return float(text)
    except ValueError:
        raise ConfigError(f"`{text}` is no time", hint="write it as `30s` or `500ms`") from None
