"""DataFusion's own object stores, by which it reads what lies in a store, and the URLs that it knows places by."""

from __future__ import annotations

import threading
import urllib.parse
from collections.abc import Iterable
from typing import Any

import datafusion
from datafusion import object_store

from deltasql.storage.objects import Location, ObjectPath
from deltasql.storage.options import AZURE, GOOGLE, S3

_SCHEMES = {S3: "s3://", AZURE: "az://", GOOGLE: "gs://"}
_KINDS: dict[str, Any] = {
    S3: object_store.AmazonS3,
    AZURE: object_store.MicrosoftAzure,
    GOOGLE: object_store.GoogleCloud,
}
_BUCKET = {S3: "bucket_name", AZURE: "container_name", GOOGLE: "bucket_name"}


class Stores:
    """The stores that were made, each of which is made anew for other keys; safe for several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: dict[str, tuple[dict[str, Any], Any]] = {}

    def register(self, context: datafusion.SessionContext, paths: Iterable[Location]) -> None:
        """Let ``context`` read ``paths``, as far as it can (see `fault`)."""
        roots = {(path.root, path.account.number): path for path in paths if isinstance(path, ObjectPath)}
        for path in roots.values():
            options = path.account.for_datafusion(path.account_name)
            if isinstance(options, str):
                continue
            host = _host(path)
            with self._lock:
                held = self._made.get(host)
                if held is None or held[0] != options:
                    store = _KINDS[path.kind](**{_BUCKET[path.kind]: path.bucket}, **options)
                    held = self._made[host] = options, store
            context.register_object_store(_SCHEMES[path.kind], held[1], host)


def fault(path: Location) -> str | None:
    """Why DataFusion can't read a place by itself, or None."""
    if not isinstance(path, ObjectPath):
        return None
    options = path.account.for_datafusion(path.account_name)
    return options if isinstance(options, str) else None


def object_url(path: ObjectPath) -> str:
    """The URL by which a context knows an object: each account has hosts of its own."""
    return f"{_SCHEMES[path.kind]}{_host(path)}/{urllib.parse.quote(path.key)}"


def _host(path: ObjectPath) -> str:
    number = path.account.number
    return "+".join(filter(None, (path.bucket, path.account_name, str(number) if number else "")))
