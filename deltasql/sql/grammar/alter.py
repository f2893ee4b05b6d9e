"""ALTER TABLE: one action, from a table of those that are known; the rest is refused by name.

Delta's own grammar takes several changes of a column at once in two of its forms; here each is a statement.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NoReturn, TypeVar

from deltasql.errors import Span
from deltasql.names import fold
from deltasql.sql.cursor import Cursor
from deltasql.sql.grammar.columns import NOT_ENFORCED, at_clause, clauses, clustering, constraint
from deltasql.sql.statements import (
    AddColumns,
    AddConstraint,
    AddedColumn,
    Alteration,
    AlterColumn,
    AlterTable,
    ClusterBy,
    ColumnChange,
    ColumnDefinition,
    DropColumns,
    DropConstraint,
    DropDefault,
    DropNotNull,
    RenameColumn,
    RenameTo,
    SetComment,
    SetDefault,
    SetNotNull,
    SetPosition,
    SetProperties,
    SetType,
    UnsetProperties,
)

_ALTER = "ALTER TABLE"
_ONE = "one statement for each: `ALTER TABLE t …; ALTER TABLE t …`"
T = TypeVar("T")


def parse_alter_table(cursor: Cursor) -> AlterTable:
    """``ALTER TABLE table {ADD COLUMN[S] (path type [NOT NULL] [DEFAULT value] [COMMENT 'text'] [FIRST | AFTER column],
    …) | RENAME COLUMN path TO name | DROP COLUMN[S] [IF EXISTS] (path, …) | ALTER COLUMN path {SET NOT NULL | DROP NOT
    NULL | SET DEFAULT value | DROP DEFAULT | COMMENT 'text' | TYPE type | FIRST | AFTER column} | ADD CONSTRAINT name
    CHECK (expression) | DROP CONSTRAINT [IF EXISTS] name | SET TBLPROPERTIES (key = value, …) | UNSET TBLPROPERTIES
    [IF EXISTS] (key, …) | CLUSTER BY {(column, …) | NONE} | RENAME TO table}``

    A path is a column or a nested field: ``point.x``, ``points.element.x``. The brackets round columns may be left
    out. ``CHANGE [COLUMN]`` is ALTER COLUMN too, and ``CHANGE column column type`` changes the type.
    """  # noqa: D205 (the grammar is longer than a line)
    cursor.expect("ALTER", "TABLE")
    if cursor.at("IF", "EXISTS"):
        cursor.refuse("ALTER TABLE IF EXISTS", hint="leave it out")
    table = cursor.table()
    action = _longest(cursor, _ACTIONS)
    if action is None:
        _refuse(cursor, _REFUSED)
        _fail(cursor)
    found = action(cursor)
    if cursor.at(","):
        cursor.refuse("ALTER TABLE of several things at once", hint=_ONE)
    return AlterTable(table=table, action=found)


def _fail(cursor: Cursor) -> NoReturn:
    """Say what may stand behind the first word of an action, if that is right."""
    behind = [words[1] for words in _ACTIONS if len(words) > 1 and cursor.at(words[0]) and words[1] not in _UNSAID]
    if not behind:
        cursor.fail("ADD, ALTER, CLUSTER BY, DROP, RENAME, SET or UNSET")
    cursor.advance()
    cursor.fail(" or ".join(filter(None, (", ".join(behind[:-1]), behind[-1]))))


def _longest(cursor: Cursor, table: Mapping[tuple[str, ...], T]) -> T | None:
    """What stands in ``table`` under the longest of its keys that comes next."""
    found = max((words for words in table if cursor.at(*words)), key=len, default=None)
    return None if found is None else table[found]


def _refuse(cursor: Cursor, refused: Mapping[tuple[str, ...], str | None], where: str = _ALTER) -> None:
    for words, hint in refused.items():
        if cursor.at(*words):
            cursor.refuse(f"{where} … {' '.join(words).removesuffix(' (')}", hint=hint)


# -- columns


def _path(cursor: Cursor) -> tuple[tuple[str, ...], Span]:
    start = cursor.here().start
    return cursor.dotted("a column"), cursor.since(start).span


def _add_columns(cursor: Cursor) -> AddColumns:
    cursor.expect("ADD")
    cursor.advance()
    if_not_exists = cursor.take("IF", "NOT", "EXISTS")
    bracketed = cursor.take("(")
    found = [_added(cursor)]
    while cursor.take(","):
        found.append(_added(cursor))
    if bracketed and not cursor.take(")"):
        cursor.fail("`,` or `)`")
    return AddColumns(tuple(found), if_not_exists)


def _added(cursor: Cursor) -> AddedColumn:
    where = "ALTER TABLE … ADD COLUMN"
    start = cursor.here().start
    path = cursor.dotted("a column")
    if at_clause(cursor):
        cursor.fail("a type")
    column = ColumnDefinition(path[-1], cursor.type(), cursor.since(start).span)
    seen: set[str] = set()
    position: SetPosition | None = None
    while True:
        if cursor.at("GENERATED"):
            cursor.refuse(f"{where} … GENERATED", hint="generated columns are there from CREATE TABLE on")
        column = clauses(cursor, where, column, seen)
        if not cursor.at_any(("FIRST", "AFTER")):
            break
        if position is not None:
            cursor.fail("FIRST or AFTER only once")
        position = _position(cursor)
    return AddedColumn(
        path,
        column.type,
        cursor.since(start).span,
        nullable=column.nullable,
        comment=column.comment,
        default=column.default,
        first=position is not None and position.first,
        after=position.after if position is not None else None,
    )


def _position(cursor: Cursor) -> SetPosition:
    if cursor.take("FIRST"):
        return SetPosition(first=True, after=None)
    cursor.expect("AFTER")
    return SetPosition(first=False, after=cursor.name("a column"))


def _rename_column(cursor: Cursor) -> RenameColumn:
    cursor.expect("RENAME", "COLUMN")
    path, span = _path(cursor)
    cursor.expect("TO")
    return RenameColumn(path, cursor.name("a name"), span)


def _drop_columns(cursor: Cursor) -> DropColumns:
    cursor.expect("DROP")
    cursor.advance()
    if_exists = cursor.take("IF", "EXISTS")
    start = cursor.here().start
    return DropColumns(cursor.paths(), cursor.since(start).span, if_exists)


def _alter_column(cursor: Cursor) -> AlterColumn:
    hive = cursor.take("CHANGE")
    if not hive:
        cursor.expect("ALTER")
    cursor.take("COLUMN")
    path, span = _path(cursor)
    change = _longest(cursor, _CHANGES)
    where = "ALTER TABLE … ALTER COLUMN"
    if change is not None:
        found = change(cursor)
    elif hive:
        found = _retyped(cursor, path)
    else:
        _refuse(cursor, _CHANGES_REFUSED, where)
        cursor.fail("SET, DROP, COMMENT, TYPE, FIRST or AFTER")
    if cursor.at(",") or _longest(cursor, _CHANGES) is not None:
        cursor.refuse(f"{where} with several changes", hint=_ONE)
    return AlterColumn(path, found, span)


def _retyped(cursor: Cursor, path: tuple[str, ...]) -> SetType:
    """The rest of ``CHANGE [COLUMN] path name type``, Hive's form, where the name is to be the one that it has."""
    span = cursor.here()
    name = cursor.name("a change, or the column's name and its type")
    if fold(name) != fold(path[-1]):
        cursor.refuse("ALTER TABLE … CHANGE COLUMN to another name", hint="use `RENAME COLUMN a TO b`", span=span)
    return SetType(cursor.type())


def _set_not_null(cursor: Cursor) -> SetNotNull:
    cursor.expect("SET", "NOT", "NULL")
    return SetNotNull()


def _drop_not_null(cursor: Cursor) -> DropNotNull:
    cursor.expect("DROP", "NOT", "NULL")
    return DropNotNull()


def _set_comment(cursor: Cursor) -> SetComment:
    cursor.expect("COMMENT")
    return SetComment(cursor.string())


def _set_default(cursor: Cursor) -> SetDefault:
    cursor.expect("SET", "DEFAULT")
    return SetDefault(cursor.until_closed(","))


def _drop_default(cursor: Cursor) -> DropDefault:
    cursor.expect("DROP", "DEFAULT")
    return DropDefault()


def _set_type(cursor: Cursor) -> SetType:
    cursor.take("SET", "DATA")
    cursor.expect("TYPE")
    return SetType(cursor.type())


_CHANGES: dict[tuple[str, ...], Callable[[Cursor], ColumnChange]] = {
    ("SET", "NOT", "NULL"): _set_not_null,
    ("DROP", "NOT", "NULL"): _drop_not_null,
    ("COMMENT",): _set_comment,
    ("SET", "DEFAULT"): _set_default,
    ("DROP", "DEFAULT"): _drop_default,
    ("TYPE",): _set_type,
    ("SET", "DATA", "TYPE"): _set_type,
    ("FIRST",): _position,
    ("AFTER",): _position,
}
_VIEW = "make a view that shows what may be seen"
_PROPERTIES = "use `SET TBLPROPERTIES (key = value)`"
_CHANGES_REFUSED: dict[tuple[str, ...], str | None] = {
    ("SYNC", "IDENTITY"): None,
    ("SET", "MASK"): _VIEW,
    ("DROP", "MASK"): _VIEW,
    ("SET", "TAGS"): None,
    ("UNSET", "TAGS"): None,
}


# -- the table


def _add_constraint(cursor: Cursor) -> AddConstraint:
    cursor.expect("ADD")
    found = constraint(cursor, "ALTER TABLE … ADD")
    return AddConstraint(found.name, found.check, found.span)


def _drop_constraint(cursor: Cursor) -> DropConstraint:
    cursor.expect("DROP", "CONSTRAINT")
    if_exists = cursor.take("IF", "EXISTS")
    span = cursor.here()
    name = cursor.name("a constraint")
    if not cursor.take("RESTRICT"):
        cursor.take("CASCADE")
    return DropConstraint(name, span, if_exists)


def _set_properties(cursor: Cursor) -> SetProperties:
    cursor.expect("SET", "TBLPROPERTIES")
    return SetProperties(cursor.properties())


def _unset_properties(cursor: Cursor) -> UnsetProperties:
    cursor.expect("UNSET", "TBLPROPERTIES")
    if_exists = cursor.take("IF", "EXISTS")
    cursor.expect("(")
    keys = [cursor.property_key()]
    while cursor.take(","):
        keys.append(cursor.property_key())
    cursor.expect(")")
    return UnsetProperties(tuple(keys), if_exists)


def _cluster_by(cursor: Cursor) -> ClusterBy:
    return ClusterBy(clustering(cursor, _ALTER))


def _rename_to(cursor: Cursor) -> RenameTo:
    cursor.expect("RENAME", "TO")
    return RenameTo(cursor.table())


_ACTIONS: dict[tuple[str, ...], Callable[[Cursor], Alteration]] = {
    ("ADD", "COLUMN"): _add_columns,
    ("ADD", "COLUMNS"): _add_columns,
    ("RENAME", "COLUMN"): _rename_column,
    ("DROP", "COLUMN"): _drop_columns,
    ("DROP", "COLUMNS"): _drop_columns,
    ("ALTER",): _alter_column,
    ("CHANGE",): _alter_column,
    ("ADD", "CONSTRAINT"): _add_constraint,
    ("ADD", "CHECK"): _add_constraint,
    ("ADD", "PRIMARY"): _add_constraint,
    ("ADD", "FOREIGN"): _add_constraint,
    ("ADD", "UNIQUE"): _add_constraint,
    ("DROP", "CONSTRAINT"): _drop_constraint,
    ("SET", "TBLPROPERTIES"): _set_properties,
    ("UNSET", "TBLPROPERTIES"): _unset_properties,
    ("CLUSTER", "BY"): _cluster_by,
    ("RENAME", "TO"): _rename_to,
}
_UNSAID = {"CHECK", "PRIMARY", "FOREIGN", "UNIQUE"}
"""What is read behind ADD only to be refused by its name."""
_IN_THE_LOG = "a Delta table's partitions are in its log, and INSERT makes them"
_REFUSED: dict[tuple[str, ...], str | None] = {
    ("MODIFY",): "use `ALTER COLUMN column …`",
    ("DROP", "FEATURE"): "`CREATE TABLE … AS SELECT * FROM table` makes a table without it",
    ("ADD", "PARTITION"): _IN_THE_LOG,
    ("ADD", "IF", "NOT", "EXISTS", "PARTITION"): _IN_THE_LOG,
    ("DROP", "PARTITION"): "use `DELETE FROM table WHERE column = value`",
    ("DROP", "IF", "EXISTS", "PARTITION"): "use `DELETE FROM table WHERE column = value`",
    ("PARTITION",): _IN_THE_LOG,
    ("RECOVER", "PARTITIONS"): _IN_THE_LOG,
    ("REPLACE", "COLUMNS"): "use ADD COLUMN, DROP COLUMN and ALTER COLUMN",
    ("SET", "LOCATION"): "DROP TABLE leaves an external table's files, and CREATE TABLE … LOCATION takes others",
    ("SET", "TAGS"): _PROPERTIES,
    ("UNSET", "TAGS"): _PROPERTIES,
    ("SET", "OPTIONS"): _PROPERTIES,
    ("SET", "SERDEPROPERTIES"): _PROPERTIES,
    ("SET", "SERDE"): _PROPERTIES,
    ("SET", "OWNER"): "access is granted by the storage that holds the tables",
    ("OWNER", "TO"): "access is granted by the storage that holds the tables",
    ("SET", "ROW", "FILTER"): _VIEW,
    ("DROP", "ROW", "FILTER"): _VIEW,
    ("SET", "MANAGED"): None,
    ("SET", "EXTERNAL"): None,
    ("SET", "SCHEMA"): "use `RENAME TO schema.table`",
    ("SET", "COMMENT"): "use `COMMENT ON TABLE table IS 'text'`",
    ("DROP", "PRIMARY", "KEY"): NOT_ENFORCED,
    ("DROP", "FOREIGN", "KEY"): NOT_ENFORCED,
    ("DEFAULT", "COLLATION"): None,
}
