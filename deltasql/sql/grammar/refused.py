"""The statements that are known and not executed, so that each can be refused by its name.

``REFUSED`` maps leading keywords to the statement's name and, where there is another way, a hint.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

Refusal = tuple[str, str | None]

TRANSACTION = "a statement is a transaction on one table; Delta has none across tables"
_LATEST = "there is no cache to tend: every statement reads the table's latest version"
_PARAMETERS = "bind a value as a parameter instead: `?`, `$1` or `:name`"
_MERGE = "use `MERGE INTO table USING source ON … WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *`"
_ACCESS = "access is granted by the storage that holds the tables"


def _kinds(verb: str, *kinds: str) -> Iterator[tuple[tuple[str, ...], Refusal]]:
    for kind in kinds:
        yield (verb, *kind.split()), (f"{verb} {kind}", None)


def _create(kind: str, *qualifiers: str) -> Iterator[tuple[tuple[str, ...], Refusal]]:
    """CREATE of something, with OR REPLACE and the words that may stand before ``kind``."""
    for replace, qualifier in product(("", "OR REPLACE "), ("", *qualifiers)):
        name = f"CREATE {kind}"
        yield tuple(f"CREATE {replace}{qualifier} {kind}".split()), (name, None)


_NOT_TEMPORARY = "use `CREATE TEMPORARY VIEW`, or a table of its own that DROP TABLE takes away"
_VIEW = "use `CREATE [OR REPLACE] [TEMPORARY] VIEW`"
_TEMPORARY = ("TEMPORARY", "TEMP", "GLOBAL TEMPORARY", "GLOBAL TEMP", "LOCAL TEMPORARY", "LOCAL TEMP")

_PERSISTENT = "CREATE PERSISTENT SECRET", "keep it in deltasql.toml, below [storage_options]"

REFUSED: dict[tuple[str, ...], Refusal] = {
    ("CREATE", "PERSISTENT", "SECRET"): _PERSISTENT,
    ("CREATE", "OR", "REPLACE", "PERSISTENT", "SECRET"): _PERSISTENT,
    ("ALTER",): ("ALTER", "use `ALTER TABLE table …`"),
    ("ALTER", "VIEW"): ("ALTER VIEW", "use `CREATE OR REPLACE VIEW view AS query`"),
    ("UPSERT",): ("UPSERT", _MERGE),
    ("REPLACE", "INTO"): ("REPLACE INTO", _MERGE),
    ("LOAD",): ("LOAD", "use `COPY INTO table FROM 'path' FILEFORMAT = …`"),
    ("MSCK",): ("MSCK", "a Delta table's partitions are in its log"),
    ("REPAIR",): ("REPAIR", "a Delta table's partitions are in its log"),
    ("UNDROP",): ("UNDROP", None),
    ("SYNC",): ("SYNC", None),
    ("CACHE",): ("CACHE", None),
    ("UNCACHE",): ("UNCACHE", _LATEST),
    ("CLEAR", "CACHE"): ("CLEAR CACHE", _LATEST),
    ("REFRESH",): ("REFRESH", _LATEST),
    ("GRANT",): ("GRANT", _ACCESS),
    ("REVOKE",): ("REVOKE", _ACCESS),
    ("DENY",): ("DENY", _ACCESS),
    ("CALL",): ("CALL", None),
    ("EXECUTE", "IMMEDIATE"): ("EXECUTE IMMEDIATE", None),
    ("EXECUTE",): ("EXECUTE", _PARAMETERS),
    ("PREPARE",): ("PREPARE", _PARAMETERS),
    ("DEALLOCATE",): ("DEALLOCATE", None),
    ("DECLARE",): ("DECLARE", _PARAMETERS),
    ("SET", "VAR"): ("SET VAR", _PARAMETERS),
    ("SET", "VARIABLE"): ("SET VARIABLE", _PARAMETERS),
    ("SET", "CATALOG"): ("SET CATALOG", "use `USE CATALOG catalog`"),
    ("SET", "TRANSACTION"): ("SET TRANSACTION", TRANSACTION),
    ("SET", "SESSION", "CHARACTERISTICS"): ("SET SESSION CHARACTERISTICS", TRANSACTION),
    ("BEGIN",): ("BEGIN", TRANSACTION),
    ("START", "TRANSACTION"): ("START TRANSACTION", TRANSACTION),
    ("COMMIT",): ("COMMIT", TRANSACTION),
    ("END",): ("END", TRANSACTION),
    ("ROLLBACK",): ("ROLLBACK", TRANSACTION),
    ("ABORT",): ("ABORT", TRANSACTION),
    ("SAVEPOINT",): ("SAVEPOINT", TRANSACTION),
    ("RELEASE",): ("RELEASE SAVEPOINT", TRANSACTION),
    ("LOCK",): ("LOCK", TRANSACTION),
    ("SUMMARIZE",): ("SUMMARIZE", "use `DESCRIBE table`, and a query of what is to be known of its columns"),
    ("PIVOT",): ("PIVOT", "use aggregates with `FILTER (WHERE …)`"),
    ("UNPIVOT",): ("UNPIVOT", "use `UNION ALL`, a query for each column"),
    ("INSTALL",): ("INSTALL", "there are no extensions: what there is, is there"),
    ("PRAGMA",): ("PRAGMA", "use `SET name = value`"),
    ("ANALYZE", "TABLES"): ("ANALYZE TABLES", "analyze one table after another: `ANALYZE TABLE table …`"),
    ("CREATE", "CATALOG"): ("CREATE CATALOG", "use `ATTACH 'root' AS name`"),
    ("DROP", "CATALOG"): ("DROP CATALOG", "use `DETACH name`"),
    ("SHOW", "CREATE"): ("SHOW CREATE", "use `SHOW CREATE TABLE table`"),
    ("SHOW", "HISTORY"): ("SHOW HISTORY", "use `DESCRIBE HISTORY table`"),
    ("SHOW", "DETAIL"): ("SHOW DETAIL", "use `DESCRIBE DETAIL table`"),
    ("SHOW", "TABLE"): ("SHOW TABLE", "use `SHOW TABLES`, or `DESCRIBE table`"),
    ("SHOW", "TABLE", "EXTENDED"): ("SHOW TABLE EXTENDED", "use `DESCRIBE EXTENDED table`"),
    ("CREATE", "OR", "REFRESH"): ("CREATE OR REFRESH", None),
    ("CREATE", "STREAMING", "TABLE"): ("CREATE STREAMING TABLE", None),
    **{("CREATE", *words.split(), "TABLE"): (f"CREATE {words} TABLE", _NOT_TEMPORARY) for words in _TEMPORARY},
    **{
        ("CREATE", *replace.split(), *words.split(), "VIEW"): (f"CREATE {words} VIEW", _VIEW)
        for replace in ("", "OR REPLACE")
        for words in (*_TEMPORARY[2:], "MATERIALIZED")
    },
    **dict(_create("FUNCTION", "TEMPORARY", "TEMP")),
    **dict(_create("MACRO", "TEMPORARY", "TEMP")),
    **dict(_create("PROCEDURE")),
    **dict(
        _kinds(
            *("CREATE", "INDEX", "UNIQUE INDEX", "BLOOMFILTER INDEX", "SEQUENCE"),
            *("TYPE", "ROLE", "USER", "VOLUME", "EXTERNAL LOCATION", "SHARE", "RECIPIENT", "CONNECTION"),
        )
    ),
    **dict(
        _kinds(
            *("DROP", "MATERIALIZED VIEW", "FUNCTION", "TEMPORARY FUNCTION"),
            *("INDEX", "BLOOMFILTER INDEX", "SEQUENCE", "TYPE", "ROLE", "USER", "VOLUME", "PROCEDURE", "MACRO"),
            *("VARIABLE", "TEMPORARY VARIABLE", "TEMPORARY VIEW"),
        )
    ),
    **dict(
        _kinds(
            *("ALTER", "MATERIALIZED VIEW", "SCHEMA", "DATABASE", "CATALOG", "FUNCTION"),
            *("INDEX", "SEQUENCE", "ROLE", "USER", "VOLUME", "STREAMING TABLE"),
        )
    ),
    **dict(
        _kinds(
            *("SHOW", "CREATE VIEW", "CREATE SCHEMA", "CREATE DATABASE", "CURRENT NAMESPACE", "CURRENT SCHEMA"),
            *("USER FUNCTIONS", "SYSTEM FUNCTIONS", "ALL FUNCTIONS", "NAMESPACES", "GRANTS", "GRANT"),
            *("VOLUMES", "TABLES DROPPED", "LOCKS", "PROCEDURES", "INDEXES", "ROLES", "USERS", "GROUPS"),
        )
    ),
    **{
        (verb, *kind.split()): (f"DESCRIBE {kind}", None)
        for verb in ("DESCRIBE", "DESC")
        for kind in ("QUERY", "CATALOG", "FUNCTION", "NAMESPACE", "PROCEDURE", "VOLUME", "VIEW", "INDEX")
    },
}
