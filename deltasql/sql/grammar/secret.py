"""Keys of object stores: CREATE SECRET, DROP SECRET, SHOW SECRETS."""

from __future__ import annotations

from deltasql.sql.cursor import Cursor
from deltasql.sql.statements import CreateSecret, DropSecret, ShowSecrets


def parse_create_secret(cursor: Cursor) -> CreateSecret:
    """``CREATE [OR REPLACE] [TEMPORARY] SECRET [IF NOT EXISTS] name (TYPE type, [SCOPE 'url',] option value, …)``

    The types are ``s3``, ``azure`` and ``gcs``. An option and its value may have ``=`` between them.
    """
    cursor.expect("CREATE")
    replace = cursor.take("OR", "REPLACE")
    cursor.take("TEMPORARY")
    cursor.expect("SECRET")
    if_not_exists = cursor.take("IF", "NOT", "EXISTS")
    span = cursor.here()
    name = cursor.name("a name for the secret")
    options, type, scope = {}, "", ""
    for key, value in cursor.properties():
        word = key.lower()
        if word == "type":
            type = value
        elif word == "scope":
            scope = value
        elif word == "provider":
            if value.lower() not in ("config", "credential_chain"):
                cursor.refuse(f"PROVIDER {value}", hint="there are config and credential_chain")
        else:
            options[key] = value
    if not type:
        cursor.fail("TYPE of the secret", span=span)
    return CreateSecret(
        name=name,
        span=span,
        type=type,
        scope=scope,
        replace=replace,
        if_not_exists=if_not_exists,
        options=tuple(options.items()),
    )


def parse_drop_secret(cursor: Cursor) -> DropSecret:
    """``DROP SECRET [IF EXISTS] name``"""
    cursor.expect("DROP", "SECRET")
    if_exists = cursor.take("IF", "EXISTS")
    span = cursor.here()
    return DropSecret(name=cursor.name(), span=span, if_exists=if_exists)


def parse_show_secrets(cursor: Cursor) -> ShowSecrets:
    """``SHOW SECRETS [[LIKE] 'pattern']``"""
    cursor.expect("SHOW", "SECRETS")
    liked = cursor.take("LIKE")
    return ShowSecrets(pattern=cursor.string() if liked or not cursor.at_end() else None)
