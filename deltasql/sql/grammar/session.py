"""SET and RESET."""

from __future__ import annotations

from deltasql.sql.cursor import Cursor
from deltasql.sql.statements import ResetOption, SetOption, ShowOption


def parse_set(cursor: Cursor) -> SetOption | ShowOption:
    """``SET [name [{= | TO} value]]``

    Without a value it shows the setting, without a name all of them. A value is a constant expression
    or a bare word.
    """
    cursor.expect("SET")
    if cursor.at_end():
        return ShowOption(name=None)
    name = ".".join(cursor.dotted("the name of a setting"))
    if cursor.at_end():
        return ShowOption(name=name)
    if not (cursor.take("=") or cursor.take("TO")):
        cursor.fail("`=` and a value")
    return SetOption(name=name, value=cursor.until_closed(","))


def parse_set_time_zone(cursor: Cursor) -> SetOption:
    """``SET TIME ZONE {'zone' | LOCAL}``"""
    cursor.expect("SET", "TIME", "ZONE")
    if cursor.at("INTERVAL"):
        cursor.refuse("SET TIME ZONE INTERVAL", hint="use an offset: `SET TIME ZONE '+02:00'`")
    token = cursor.peek()
    if token is None or not (token.kind in ("string", "parameter") or token.upper == "LOCAL"):
        cursor.fail("a time zone")
    return SetOption(name="time_zone", value=cursor.until_closed())


def parse_reset(cursor: Cursor) -> ResetOption:
    """``RESET {name | ALL}``"""
    cursor.expect("RESET")
    name = cursor.dotted("ALL or the name of a setting")
    return ResetOption(name=None if len(name) == 1 and name[0].upper() == "ALL" else ".".join(name))
