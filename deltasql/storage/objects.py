"""An object of a store, or a prefix of their names, behind the part of a path's interface that our code uses.

There are no folders: one is there as long as an object is below it, and making one does nothing. Sizes that the log
tells are believed, as Delta never changes a file: a file of another size can't be read, instead of being read wrong.
"""

from __future__ import annotations

import io
import stat
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Any, TypeAlias
from urllib.parse import quote

from deltasql.storage.faults import told

if TYPE_CHECKING:
    from collections.abc import Mapping

    from obstore.store import ObjectStore

    from deltasql.storage.accounts import Account
    from deltasql.storage.storage import Storage

_WINDOW = 1 << 20


@dataclass(frozen=True, slots=True)
class ObjectStat:
    """What a store says of an object, by the names of ``os.stat_result``; ``st_ino`` is made of its ETag."""

    st_size: int
    st_mtime_ns: int
    st_ino: int
    e_tag: str | None
    st_mode: int = stat.S_IFREG | 0o644

    @classmethod
    def of(cls, meta: Mapping[str, Any]) -> ObjectStat:
        """What obstore's ``ObjectMeta`` says."""
        tag = (meta["e_tag"] or "").strip('"') or None  # Azure has quotes around it or not.
        changed = int(meta["last_modified"].timestamp() * 1000) * 1_000_000
        return cls(meta["size"], changed, zlib.crc32((tag or "").encode()), tag)


class ObjectPath:
    """``root`` (scheme, and bucket or container) and ``key`` (without slashes at its ends) within a `Storage`."""

    __slots__ = ("_hash", "_text", "key", "kind", "root", "size", "storage")

    def __init__(self, storage: Storage, kind: str, root: str, key: str, size: int | None = None) -> None:
        self.storage = storage
        self.kind = kind
        self.root = root
        self.key = key
        self.size = size
        self._text = f"{root}/{key}" if key else root
        self._hash = hash(self._text)

    # -- as text, and compared

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return f"ObjectPath({self._text!r})"

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ObjectPath) and self._text == other._text

    def __lt__(self, other: object) -> bool:
        return self._text < str(other)

    def as_uri(self) -> str:
        """The URL, encoded."""
        return f"{self.root}/{quote(self.key)}" if self.key else self.root

    def as_posix(self) -> str:
        """The URL, as it is."""
        return self._text

    # -- parts

    @property
    def bucket(self) -> str:
        """The bucket or container."""
        return self.root.partition("://")[2].partition("@")[0]

    @property
    def account_name(self) -> str | None:
        """The account that a URL of Azure names (``abfss://container@account.dfs.core.windows.net``)."""
        return self.root.partition("@")[2].partition(".")[0] or None

    @property
    def prefix(self) -> str:
        """What comes before the last part of the key."""
        return self.key.rpartition("/")[0] or "/"

    @property
    def name(self) -> str:
        """The last part of the key; of a whole bucket, the bucket."""
        return self.key.rpartition("/")[2] if self.key else self.bucket

    @property
    def suffix(self) -> str:
        """The ending of the name, with its dot."""
        return PurePosixPath(self.name).suffix

    @property
    def suffixes(self) -> list[str]:
        """All endings of the name, with their dots."""
        return PurePosixPath(self.name).suffixes

    @property
    def parts(self) -> tuple[str, ...]:
        """The root, and the parts of the key."""
        return (self.root, *self.key.split("/")) if self.key else (self.root,)

    @property
    def parent(self) -> ObjectPath:
        """What it is below; a bucket is below itself."""
        return self._at(self.key.rpartition("/")[0]) if self.key else self

    @property
    def parents(self) -> tuple[ObjectPath, ...]:
        """All that it is below, up to the bucket."""
        found: list[ObjectPath] = []
        here = self
        while here.key:
            here = here.parent
            found.append(here)
        return tuple(found)

    def _at(self, key: str, size: int | None = None) -> ObjectPath:
        return ObjectPath(self.storage, self.kind, self.root, key, size)

    def __truediv__(self, other: str | PurePosixPath) -> ObjectPath:
        below = "/".join(part for part in str(other).split("/") if part not in ("", "."))
        return self._at(f"{self.key}/{below}" if self.key and below else self.key or below)

    def start(self, parts: int) -> ObjectPath:
        """What the first ``parts`` of its key name."""
        return self._at("/".join(self.key.split("/")[:parts]))

    def sized(self, size: int) -> ObjectPath:
        """The same, whose size is known."""
        return self._at(self.key, size)

    def with_name(self, name: str) -> ObjectPath:
        """A sibling."""
        return self.parent / name

    def with_suffix(self, suffix: str) -> ObjectPath:
        """The same with another ending."""
        return self.parent / PurePosixPath(self.name).with_suffix(suffix)

    def is_relative_to(self, other: object) -> bool:
        """True if it is ``other``, or below it."""
        if not isinstance(other, ObjectPath) or other.root != self.root:
            return False
        return not other.key or self.key == other.key or self.key.startswith(f"{other.key}/")

    def relative_to(self, other: object) -> PurePosixPath:
        """The way from ``other``. Raises ``ValueError`` where there is none."""
        if not isinstance(other, ObjectPath) or not self.is_relative_to(other):
            raise ValueError(f"`{self}` is not below `{other}`")
        return PurePosixPath(self.key[len(other.key) :].lstrip("/"))

    def resolve(self) -> ObjectPath:
        """Itself: there are no links."""
        return self

    absolute = expanduser = resolve

    # -- what it is asked with

    @property
    def account(self) -> Account:
        """Whose options hold for it, as they are by now."""
        return self.storage.account(self)

    @property
    def store(self) -> ObjectStore:
        """Obstore's store of its bucket. Raises `ConfigError` where nobody is known who may look."""
        account = self.account
        return account.store(self.bucket, self.account_name)

    def for_delta_rs(self) -> dict[str, str]:
        """What delta-rs takes as ``storage_options``."""
        return self.account.for_delta_rs(self.account_name)

    # -- looking

    def exists(self) -> bool:
        """True if there is such an object, or one below."""
        return (bool(self.key) and self.is_file()) or self.is_dir()

    def is_file(self) -> bool:
        """True if there is such an object."""
        try:
            self.stat()
        except FileNotFoundError:
            return False
        return True

    def is_dir(self) -> bool:
        """True if there is an object below it; a bucket that can be listed is one."""
        return any(True for _ in self._pages(first=True)) or not self.key

    def is_symlink(self) -> bool:
        """There are no links."""
        return False

    def samefile(self, other: object) -> bool:
        """True for the same object."""
        return self == other

    def stat(self) -> ObjectStat:
        """What the store says of the object. Raises ``FileNotFoundError``."""
        import obstore

        if not self.key:
            raise FileNotFoundError(2, "a bucket is no object", str(self))
        with told(self, "looked at"):
            return ObjectStat.of(obstore.head(self.store, self.key))

    lstat = stat

    def iterdir(self) -> Iterator[ObjectPath]:
        """What is right below it."""
        return iter([path for path, _ in self.entries()])

    def entries(self) -> list[tuple[ObjectPath, ObjectStat | None]]:
        """What is right below it, in the order of names, with what is said of objects; a folder has None."""
        import obstore

        with told(self, "listed"):
            found = obstore.list_with_delimiter(self.store, self.key or None)
        folders: list[tuple[ObjectPath, ObjectStat | None]] = [
            (self._at(key), None) for key in found["common_prefixes"]
        ]
        objects = [(self._at(meta["path"], meta["size"]), ObjectStat.of(meta)) for meta in found["objects"]]
        return sorted([*folders, *objects], key=lambda each: str(each[0]))

    def below(self, after: str | None = None) -> Iterator[tuple[ObjectPath, ObjectStat]]:
        """All objects below it, however deep, in the order of keys; those whose key is behind that of ``after``."""
        for meta in self._pages(after=after):
            yield self._at(meta["path"], meta["size"]), ObjectStat.of(meta)

    def rglob(self, pattern: str) -> Iterator[ObjectPath]:
        """All objects below it whose name matches."""
        return (path for path, _ in self.below() if PurePosixPath(path.name).match(pattern))

    def _pages(self, *, first: bool = False, after: str | None = None) -> Iterator[Mapping[str, Any]]:
        import obstore

        offset = None if after is None else (self / after).key
        with told(self, "listed"):
            for page in obstore.list(self.store, self.key or None, offset=offset, chunk_size=1000):
                for meta in page:
                    # Not every store heeds the offset.
                    if meta["path"] != self.key and (offset is None or meta["path"] > offset):
                        yield meta
                if first:
                    return

    # -- reading

    def read_bytes(self) -> bytes:
        """The whole object. Raises ``FileNotFoundError``."""
        import obstore

        with told(self, "read"):
            return obstore.get(self.store, self.key).bytes().to_bytes()

    def fetch(self, start: int, length: int) -> bytes:
        """Bytes of the object. Raises ``FileNotFoundError``."""
        import obstore

        with told(self, "read"):
            return obstore.get_range(self.store, self.key, start=start, length=length).to_bytes()

    def read_text(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """The whole object as text."""
        return self.read_bytes().decode(encoding, errors)

    def read_tagged(self) -> tuple[bytes, dict[str, str]]:
        """The whole object, and what tells its state from others (the ETag; on Google Cloud the generation)."""
        import obstore

        with told(self, "read"):
            found = obstore.get(self.store, self.key)
            state = {name: found.meta.get(name) for name in ("e_tag", "version")}
            return found.bytes().to_bytes(), {name: str(value) for name, value in state.items() if value is not None}

    def open(self, mode: str = "r", encoding: str = "utf-8") -> IO[Any]:
        """The object to be read, as text (at once) or bytes (as they are asked for)."""
        if mode == "rb":
            return io.BufferedReader(Reader(self), _WINDOW)
        if mode != "r":
            raise ValueError(f"objects aren't opened for `{mode}`")
        return io.TextIOWrapper(io.BytesIO(self.read_bytes()), encoding=encoding)

    # -- writing

    def put(self, data: bytes | Path, *, new: bool = False, over: Mapping[str, str] | None = None) -> bool:
        """Make the object hold ``data`` (bytes, or those of a file of this machine), whole or not at all.

        ``new``: only if there is none yet; ``over``: only if its state still is that. False where it isn't so.
        """
        import obstore
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        mode: Any = "create" if new else "overwrite" if over is None else dict(over)
        try:
            with told(self, "written"):
                try:
                    obstore.put(self.store, self.key, data, mode=mode)
                except (AlreadyExistsError, PreconditionError):
                    return False
        except FileNotFoundError:
            return False  # What it was to take the place of is gone.
        return True

    def write_text(self, text: str, encoding: str = "utf-8") -> None:
        """Make the object hold ``text``."""
        self.put(text.encode(encoding))

    def unlink(self, *, missing_ok: bool = False) -> None:
        """Remove the object. Raises ``FileNotFoundError`` where the store says that it wasn't there: not all do."""
        import obstore

        try:
            with told(self, "removed"):
                obstore.delete(self.store, self.key)
        except FileNotFoundError:
            if not missing_ok:
                raise

    def remove_all(self, keys: list[str]) -> None:
        """Remove objects of the same bucket."""
        import obstore

        try:
            if keys:
                with told(self, "removed"):
                    obstore.delete(self.store, keys)
        except FileNotFoundError:  # Another removed some of them.
            for key in keys:
                self._at(key).unlink(missing_ok=True)

    def mkdir(self, *, parents: bool = False, exist_ok: bool = False) -> None:
        """Do nothing: there are no folders."""

    def rmdir(self) -> None:
        """Do nothing: there are no folders."""


Location: TypeAlias = Path | ObjectPath
"""Where something lies."""


class Reader(io.RawIOBase):
    """The bytes of an object, of which those that are asked for are fetched."""

    def __init__(self, path: ObjectPath) -> None:
        super().__init__()
        self._path = path
        self._size = path.stat().st_size if path.size is None else path.size
        self._at = 0

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = start + offset
        return self._at

    def tell(self) -> int:
        """The place."""
        return self._at

    def read(self, size: int = -1) -> bytes:
        """The next bytes, in one request."""
        left = max(self._size - self._at, 0)
        size = left if size < 0 else min(size, left)
        if size == 0:
            return b""
        data = self._path.fetch(self._at, size)
        self._at += len(data)
        return data

    def readinto(self, buffer: Any) -> int:
        """Fill ``buffer`` with the next bytes."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)
