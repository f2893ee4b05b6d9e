"""The options that an account of an object store takes, by whatever name people know them.

They come as delta-rs has them (``AWS_ACCESS_KEY_ID``), as DuckDB's secrets do (``KEY_ID``), or by the names below.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from deltasql.errors import ConfigError
from deltasql.names import did_you_mean

S3, AZURE, GOOGLE = "s3", "azure", "gcs"

SCHEMES = {
    "s3": S3,
    "s3a": S3,
    "az": AZURE,
    "azure": AZURE,
    "abfs": AZURE,
    "abfss": AZURE,
    "gs": GOOGLE,
    "gcs": GOOGLE,
}
"""The schemes of URLs, and the kind of store that each is of."""

KINDS = {"s3": S3, "azure": AZURE, "az": AZURE, "gcs": GOOGLE, "gs": GOOGLE, "google": GOOGLE}
"""What a kind may be called, as TYPE of a secret."""

SHOWN = {S3: "S3", AZURE: "Azure", GOOGLE: "Google Cloud"}


@dataclass(frozen=True, slots=True)
class Option:
    """An option: its other names, whether it is part of who asks, whether it must never be shown."""

    aliases: tuple[str, ...] = ()
    credential: bool = False
    secret: bool = False


_CLIENT = {
    "allow_http": Option(),
    "allow_invalid_certificates": Option(),
    "connect_timeout": Option(),
    "max_retries": Option(),
    "proxy_url": Option(),
    "retry_timeout": Option(),
    "timeout": Option(),
}

OPTIONS: Mapping[str, Mapping[str, Option]] = {
    S3: {
        "access_key_id": Option(("key_id", "key", "access_key"), credential=True),
        "secret_access_key": Option(("secret", "secret_key"), credential=True, secret=True),
        "session_token": Option(("token",), credential=True, secret=True),
        "profile": Option((), credential=True),
        "skip_signature": Option((), credential=True),
        "region": Option(("default_region",)),
        "endpoint": Option(("endpoint_url", "endpoint_url_s3")),
        "virtual_hosted_style_request": Option(("url_style",)),
        "use_ssl": Option(),
        "s3_locking_provider": Option(("locking_provider",)),
        "s3_allow_unsafe_rename": Option(("allow_unsafe_rename",)),
        **_CLIENT,
    },
    AZURE: {
        "account_name": Option(("account",), credential=True),
        "account_key": Option(("access_key", "key", "secret"), credential=True, secret=True),
        "sas_token": Option(("sas_key", "sas"), credential=True, secret=True),
        "bearer_token": Option(("token",), credential=True, secret=True),
        "connection_string": Option((), credential=True, secret=True),
        "client_id": Option((), credential=True),
        "client_secret": Option((), credential=True, secret=True),
        "tenant_id": Option(("authority_id",), credential=True),
        "use_azure_cli": Option((), credential=True),
        "skip_signature": Option((), credential=True),
        "endpoint": Option(("endpoint_url",)),
        "use_emulator": Option(),
        "use_fabric_endpoint": Option(),
        **_CLIENT,
    },
    GOOGLE: {
        "service_account": Option(("service_account_path", "application_credentials", "key_file"), credential=True),
        "service_account_key": Option(("key", "secret"), credential=True, secret=True),
        "bearer_token": Option(("token",), credential=True, secret=True),
        "skip_signature": Option((), credential=True),
        "base_url": Option(("endpoint", "endpoint_url")),
        **_CLIENT,
    },
}
"""By kind of store; the names are object_store's, which delta-rs and DataFusion are built on."""

_PREFIXES = {S3: ("aws_", "s3_"), AZURE: ("azure_storage_", "azure_"), GOOGLE: ("google_", "gcs_")}

_ENVIRONMENT = {
    S3: (
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_PROFILE",
        "AWS_SKIP_SIGNATURE",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_ENDPOINT_URL_S3",
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT",
        "AWS_ALLOW_HTTP",
        "AWS_VIRTUAL_HOSTED_STYLE_REQUEST",
        "AWS_S3_LOCKING_PROVIDER",
        "AWS_S3_ALLOW_UNSAFE_RENAME",
    ),
    AZURE: (
        "AZURE_STORAGE_ACCOUNT_NAME",
        "AZURE_STORAGE_ACCOUNT_KEY",
        "AZURE_STORAGE_ACCESS_KEY",
        "AZURE_STORAGE_SAS_TOKEN",
        "AZURE_STORAGE_SAS_KEY",
        "AZURE_STORAGE_TOKEN",
        "AZURE_STORAGE_CONNECTION_STRING",
        "AZURE_STORAGE_CLIENT_ID",
        "AZURE_STORAGE_CLIENT_SECRET",
        "AZURE_STORAGE_TENANT_ID",
        "AZURE_CLIENT_ID",
        "AZURE_CLIENT_SECRET",
        "AZURE_TENANT_ID",
        "AZURE_STORAGE_ENDPOINT",
        "AZURE_STORAGE_USE_EMULATOR",
        "AZURE_ALLOW_HTTP",
        "AZURE_USE_AZURE_CLI",
    ),
    GOOGLE: (
        "GOOGLE_SERVICE_ACCOUNT",
        "GOOGLE_SERVICE_ACCOUNT_PATH",
        "GOOGLE_SERVICE_ACCOUNT_KEY",
        "GOOGLE_APPLICATION_CREDENTIALS",
        "GOOGLE_BEARER_TOKEN",
        "GOOGLE_SKIP_SIGNATURE",
        "GOOGLE_BASE_URL",
        "GOOGLE_ALLOW_HTTP",
    ),
}
"""The variables that count, by kind of store; of two of the same meaning the first."""


def name_of(key: str, kind: str) -> str | None:
    """What the option ``key`` is called here, by whatever spelling; None where there is none of that meaning."""
    wanted = key.lower()
    for prefix in ("", *_PREFIXES[kind]):
        bare = wanted.removeprefix(prefix) if wanted.startswith(prefix) else None
        for name, option in OPTIONS[kind].items():
            if bare is not None and (bare == name or bare in option.aliases):
                return name
    return None


def named(given: Mapping[str, object], kind: str, *, where: str) -> dict[str, str]:
    """``given`` by our names. Raises `ConfigError` for an option that a store of the kind hasn't."""
    found: dict[str, str] = {}
    for key, value in given.items():
        name = name_of(key, kind)
        if name is None:
            known = sorted(OPTIONS[kind].keys() - _CLIENT.keys())
            hint = did_you_mean(key.lower(), _spellings(kind)) or f"there are {', '.join(known)}"
            raise ConfigError(f"{where} has no option `{key}` for {SHOWN[kind]}", hint=hint)
        found[name] = _text(value)
    return found


def by_kind(given: Mapping[str, object], *, where: str) -> dict[str, dict[str, str]]:
    """Options of any stores, for each kind that they mean something for. Raises `ConfigError` for one of no kind."""
    found: dict[str, dict[str, str]] = {}
    for key, value in given.items():
        kinds = [kind for kind in OPTIONS if name_of(key, kind) is not None]
        own = [kind for kind in kinds if key.lower().startswith(_PREFIXES[kind])]
        if not kinds:
            every = [name for kind in OPTIONS for name in _spellings(kind)]
            raise ConfigError(f"{where} has no option `{key}`", hint=did_you_mean(key.lower(), every))
        for kind in own or kinds:
            found.setdefault(kind, {})[str(name_of(key, kind))] = _text(value)
    return found


def _spellings(kind: str) -> list[str]:
    """All that options of a kind may be called, without prefixes."""
    return [*OPTIONS[kind], *(alias for option in OPTIONS[kind].values() for alias in option.aliases)]


def of_environment(environment: Mapping[str, str], kind: str) -> dict[str, str]:
    """What the environment says of stores of a kind; an empty variable counts as none."""
    found: dict[str, str] = {}
    for variable in _ENVIRONMENT[kind]:
        name = name_of(variable, kind)
        if name is not None and environment.get(variable):
            found.setdefault(name, environment[variable])
    return found


def merged(layers: Iterable[Mapping[str, str]], kind: str) -> dict[str, str]:
    """Options of several layers, the nearest last: who asks is told by one of them, never put together of two."""
    found: dict[str, str] = {}
    for layer in layers:
        if any(OPTIONS[kind][name].credential for name in layer):
            found = {name: value for name, value in found.items() if not OPTIONS[kind][name].credential}
        found.update(layer)
    return found


def is_secret(name: str, kind: str) -> bool:
    """True for an option that must never be shown."""
    return OPTIONS[kind][name].secret


def is_on(value: str | None) -> bool:
    """Whether a switch is on. Raises `ConfigError` for what is neither on nor off."""
    if value is None or value.lower() in ("", "0", "false", "off", "no"):
        return False
    if value.lower() in ("1", "true", "on", "yes"):
        return True
    raise ConfigError(f"`{value}` is neither true nor false")


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
