"""Schemas and the roots that hold them: CREATE SCHEMA, DROP SCHEMA, USE, ATTACH, DETACH."""

from __future__ import annotations

from deltasql.errors import Span
from deltasql.sql.cursor import Cursor
from deltasql.sql.statements import Attach, CreateSchema, Detach, DropSchema, UseSchema


def parse_create_schema(cursor: Cursor) -> CreateSchema:
    """``CREATE {SCHEMA | DATABASE} [IF NOT EXISTS] [catalog.]schema [COMMENT 'text']``"""
    cursor.expect("CREATE")
    cursor.advance()
    if_not_exists = cursor.take("IF", "NOT", "EXISTS")
    name, span = schema(cursor)
    comment = cursor.string() if cursor.take("COMMENT") else None
    for words, hint in _CREATE_REFUSED.items():
        if cursor.at(*words):
            cursor.refuse(f"CREATE SCHEMA … {' '.join(words)}", hint=hint)
    return CreateSchema(name=name, span=span, if_not_exists=if_not_exists, comment=comment)


_ELSEWHERE = "a schema is a folder below the root: ATTACH makes another root, and a table may have a LOCATION"
_CREATE_REFUSED: dict[tuple[str, ...], str | None] = {
    ("LOCATION",): _ELSEWHERE,
    ("MANAGED", "LOCATION"): _ELSEWHERE,
    ("WITH", "DBPROPERTIES"): None,
    ("DEFAULT", "COLLATION"): None,
}


def schema(cursor: Cursor) -> tuple[tuple[str, ...], Span]:
    """``[catalog.]schema`` and its place."""
    start = cursor.here().start
    name = cursor.dotted("a schema")
    span = cursor.since(start).span
    if len(name) > 2:
        cursor.fail("a name of at most two parts", span=span)
    return name, span


def parse_drop_schema(cursor: Cursor) -> DropSchema:
    """``DROP {SCHEMA | DATABASE} [IF EXISTS] [catalog.]schema [RESTRICT | CASCADE]``"""
    cursor.expect("DROP")
    cursor.advance()
    if_exists = cursor.take("IF", "EXISTS")
    name, span = schema(cursor)
    cascade = not cursor.take("RESTRICT") and cursor.take("CASCADE")
    return DropSchema(name=name, span=span, if_exists=if_exists, cascade=cascade)


def parse_use(cursor: Cursor) -> UseSchema:
    """``USE {[SCHEMA | DATABASE] [catalog.]schema | CATALOG catalog}``"""
    cursor.expect("USE")
    behind = cursor.peek(1)
    before_name = behind is not None and behind.is_name
    if before_name and cursor.take("CATALOG"):
        span = cursor.here()
        return UseSchema(name=(cursor.name("a catalog"),), span=span, catalog=True)
    if before_name and not cursor.take("SCHEMA"):
        cursor.take("DATABASE")
    name, span = schema(cursor)
    return UseSchema(name=name, span=span)


def parse_attach(cursor: Cursor) -> Attach:
    """``ATTACH 'root' AS name [(READ_ONLY, option = value, …)]``

    The options are those of the storage, as in ``connect(storage_options=…)``.
    """
    cursor.expect("ATTACH")
    if not cursor.take("DATABASE"):
        cursor.take("CATALOG")
    if cursor.at("IF", "NOT", "EXISTS"):
        cursor.refuse("ATTACH IF NOT EXISTS", hint="leave it out")
    root = cursor.string("a directory or URL in quotes")
    cursor.expect("AS")
    span = cursor.here()
    name = cursor.name()
    read_only, options = _options(cursor) if cursor.at("(") else (False, {})
    return Attach(root=root, name=name, span=span, read_only=read_only, options=tuple(options.items()))


def _options(cursor: Cursor) -> tuple[bool, dict[str, str]]:
    cursor.expect("(")
    found: dict[str, str] = {}
    while True:
        start = cursor.here()
        key = cursor.property_key()
        key = key.lower() if key.lower() in ("read_only", "type") else key
        if key in found:
            cursor.fail(f"`{key}` only once", span=start)
        cursor.take("=")
        found[key] = "true" if key == "read_only" and cursor.at_any((",", ")")) else cursor.property_value()
        if key == "read_only" and found[key] not in ("true", "false"):
            cursor.fail("READ_ONLY = true or false", span=cursor.since(start.start).span)
        if key == "type" and found[key].lower() != "delta":
            cursor.refuse("ATTACH … TYPE of anything but DELTA", span=cursor.since(start.start).span)
        if not cursor.take(","):
            break
    cursor.expect(")")
    found.pop("type", None)
    return found.pop("read_only", "false") == "true", found


def parse_detach(cursor: Cursor) -> Detach:
    """``DETACH [IF EXISTS] name``"""
    cursor.expect("DETACH")
    if not cursor.take("DATABASE"):
        cursor.take("CATALOG")
    if_exists = cursor.take("IF", "EXISTS")
    span = cursor.here()
    return Detach(name=cursor.name(), span=span, if_exists=if_exists)
