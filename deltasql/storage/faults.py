"""What a store answered, in words of ours: which bucket, below which prefix, and what to do about it.

What isn't there is a ``FileNotFoundError``, as on a disk; all else is a `StorageError`, so that nothing takes a refusal
for an absence.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from deltasql.errors import ConfigError, StorageError
from deltasql.storage.options import AZURE, GOOGLE, S3, SHOWN

if TYPE_CHECKING:
    from deltasql.storage.objects import ObjectPath

_STATUS = re.compile(r"(?:status code:?|Client error with status|status:)\s*(\d{3})")
_CODE = re.compile(r"<Code>(\w+)</Code>|\"code\":\s*\"(\w+)\"")
_SAID = re.compile(r"<Message>(.*?)(?:\n|</Message>)", re.DOTALL)
_ONE_LINE = re.compile(r"\s+")
_NO_BUCKET = re.compile(r"NoSuchBucket|ContainerNotFound|The specified bucket does not exist")
_OF_STORE = re.compile(r"Server returned|Error performing|error sending request|necessary privileges|HTTP error")
_KEYS = {
    S3: "`access_key_id` and `secret_access_key`",
    AZURE: "`account_name` and `account_key`",
    GOOGLE: "`service_account`",
}
_MOST = 200


@contextmanager
def told(path: ObjectPath, doing: str) -> Iterator[None]:
    """Raise what obstore raises as ``FileNotFoundError``, ``FileExistsError`` or `StorageError`."""
    from obstore.exceptions import AlreadyExistsError, BaseError

    try:
        yield
    except FileNotFoundError as error:
        if _NO_BUCKET.search(str(error)):
            raise fault(path, doing, str(error)) from error
        raise FileNotFoundError(errno.ENOENT, "there is no such object", str(path)) from error
    except AlreadyExistsError as error:
        raise FileExistsError(errno.EEXIST, "there is such an object already", str(path)) from error
    except (BaseError, OSError) as error:
        raise fault(path, doing, str(error)) from error


def is_of_store(said: str) -> bool:
    """True for what a store said, or what was said of it, in an error of delta-rs's."""
    return _OF_STORE.search(said) is not None


def fault(path: ObjectPath, doing: str, said: str) -> StorageError:
    """The error of a store that ``said`` something when it was asked for ``path``."""
    said = said.split("Debug source", maxsplit=1)[0].strip()
    kind, bucket = path.kind, path.root
    what = f"`{path}` can't be {doing}"
    status, code = _first(_STATUS, said), _first(_CODE, said)
    if _NO_BUCKET.search(said):
        name = "container" if kind == AZURE else "bucket"
        return StorageError(f"{what}: there is no {name} `{bucket}`", hint=f"make it first; deltasql makes no {name}s")
    if status in ("301", "307") or code in ("PermanentRedirect", "AuthorizationHeaderMalformed") or "redirect" in said:
        hint = "set `region` to that of the bucket"
        return StorageError(f"{what}: `{bucket}` isn't in the region that was asked", hint=hint)
    if status == "401" or code in _UNKNOWN:
        hint = f"look at {_KEYS[kind]} of {path.account.told}"
        return StorageError(f"{what}: `{bucket}` doesn't accept the credentials{_why(code)}", hint=hint)
    if status == "403" or "PermissionDenied" in said or "necessary privileges" in said:
        hint = f"the key of {path.account.told} may not do it, or not below `{path.prefix}`"
        return StorageError(f"{what}: `{bucket}` forbids it{_why(code)}", hint=hint)
    if (status is not None and status.startswith("5")) or code in ("SlowDown", "ServerBusy"):
        return StorageError(f"{what}: `{bucket}` failed on its side, with status {status}", hint="try again later")
    if "error sending request" in said or "connection" in said.lower() or "timed out" in said:
        where = path.account.endpoint or f"{SHOWN[kind]} itself"
        return StorageError(
            f"{what}: `{bucket}` can't be reached at {where}", hint="look at `endpoint` and the network"
        )
    return StorageError(f"{what}: {_brief(said)}")


_UNKNOWN = frozenset(
    (
        *("InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "ExpiredToken", "AuthenticationFailed"),
        *("NoAuthenticationInformation", "InvalidAuthenticationInfo"),
    )
)


def no_credentials(path: ObjectPath) -> ConfigError:
    """The error of a place that nobody has told a key for."""
    hint = f"give {_KEYS[path.kind]} by storage_options, deltasql.toml, the environment or CREATE SECRET"
    return ConfigError(f"there are no credentials for `{path.root}`", hint=hint)


def _first(pattern: re.Pattern[str], said: str) -> str | None:
    found = pattern.search(said)
    return None if found is None else next(filter(None, found.groups()), None)


def _why(code: str | None) -> str:
    return f" ({code})" if code else ""


def _brief(said: str) -> str:
    message = _first(_SAID, said)
    if message is not None:
        return message
    return _ONE_LINE.sub(" ", said)[:_MOST]


def doing(path: ObjectPath, what: str, call: Callable[[], object]) -> object:
    """What ``call`` gives; see `told`."""
    with told(path, what):
        return call()
