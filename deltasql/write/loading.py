"""What a COPY INTO loads: rows of files by the columns that they are for.

Text is read as STRING and cast by the table's types, so that ``007`` reaches a STRING as it is; the types that values
seem to have are only those of new columns, and of a SELECT list where FORMAT_OPTIONS ask for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from deltasql.catalog.catalog import DEFAULT, MAIN
from deltasql.catalog.evolution import Evolved, evolved
from deltasql.engine.engine import BoundQuery
from deltasql.engine.sources import Files
from deltasql.errors import (
    CastError,
    ColumnNotFound,
    DataError,
    Error,
    NotSupportedError,
    PlanError,
    SchemaMismatch,
    StorageError,
)
from deltasql.names import did_you_mean, fold, match, quote, text
from deltasql.session import Given
from deltasql.sql.dialect import tokenize
from deltasql.sql.statements import CopyInto
from deltasql.sql.woven import Woven, woven
from deltasql.storage.objects import Location
from deltasql.types import sql_name
from deltasql.write.filling import defaults_of, filled, widened
from deltasql.write.fit import offered
from deltasql.write.identity import is_filled
from deltasql.write.landing import columns_of_folders
from deltasql.write.reading import Reading
from deltasql.write.source import Source, require_distinct
from deltasql.write.target import Target
from deltasql.write.values import demanding

_FILES = "__deltasql_files"
_METADATA = "_metadata"


@dataclass(frozen=True, slots=True)
class Load:
    """Rows that are ready to be written, by the query ``bound``, and the columns that the table gains by them."""

    bound: BoundQuery
    source: Source
    evolved: Evolved | None


def load(statement: CopyInto, into: Target, reading: Reading, files: Sequence[Location]) -> Load:
    """Bind the rows of ``files``, which are some, to the columns of the table.

    Raises `SchemaMismatch` for columns that the table hasn't, `PlanError` for a wrong number of them.
    """
    reader = _Reader(statement, into, reading, files)
    query, given = reader.rows(typed=statement.select is not None)
    found = into.context.query(query, given).schema
    names = reader.names(found)
    added = _evolved(reader, found, names) if reading.evolves else None
    schema = into.snapshot.schema if added is None else added.schema
    values = defaults_of(schema, names)
    bound = into.context.query(widened(query, values), given)
    where = {name: position for position, name in enumerate((*names, *values))}
    source = filled(
        lambda: reader.named(bound),
        [where.get(name) for name in schema.names],
        schema,
        into,
        demanding(into, schema),
    )
    return Load(bound, source, added)


def require_loadable(statement: CopyInto, into: Target, reading: Reading) -> None:
    """Raise what can be said of ``statement`` without a look at the files."""
    select = statement.select
    if select is not None and any(each.is_name and fold(each.text) == _METADATA for each in tokenize(select.sql)):
        raise NotSupportedError(f"COPY INTO doesn't know `{_METADATA}`, what is told of a file", span=select.span)
    if statement.columns is not None:
        if select is None and reading.header:
            hint = "name the columns of the files: `FROM (SELECT a, b FROM 'path')`"
            raise PlanError("a list of columns is for files without a header, or a SELECT", hint=hint)
        require_distinct((_column(name, into.snapshot.schema) for name in statement.columns), "the column list")


def damaged(statement: CopyInto, into: Target, reading: Reading, files: Sequence[Location]) -> list[Location]:
    """Those of ``files`` that can't be read. All of them are read."""
    return [file for file in files if _Reader(statement, into, reading, [file]).damage() is not None]


# -- reading


class _Reader:
    """Queries over some of the files."""

    def __init__(self, statement: CopyInto, into: Target, reading: Reading, files: Sequence[Location]) -> None:
        self.into = into
        self._statement = statement
        self._reading = reading
        self._files = files
        self._below, self._above = columns_of_folders(into.session.catalog.storage.place(statement.path), files)
        self._has_folders = reading.folders and bool(self._below)

    def rows(self, *, typed: bool) -> tuple[Woven, Mapping[str, Given]]:
        """The query, and what it reads. ``typed``: text has types of its own, if the options say so."""
        given = self.given(typed=typed)
        columns = list(self._columns(given.source.schema))
        if not columns:
            raise PlanError(f"the files of `{self._statement.path}` hold no columns")
        rows = woven(f"SELECT {', '.join(columns)} FROM {quote(_FILES)}")
        select = self._statement.select
        if select is not None:
            rows = woven("SELECT ", select, "\n FROM (", rows, ")")
        return rows, {_FILES: given}

    def given(self, *, typed: bool) -> Given:
        """The files as a table."""
        reading = self._reading
        options = {**reading.reader, "hive_partitioning": self._has_folders, "hive_types_autocast": typed}
        if reading.format == "csv":
            options["all_varchar"] = not (typed and reading.infers)
        paths = list(self._files)
        if self._has_folders and self._above:
            self._require_other_columns(paths, options)
        found = self.into.context.external(reading.format, paths, options)
        if reading.format == "json" and (exact := self._exact(found.schema)):
            found = self.into.context.external(reading.format, paths, {**options, "columns": exact})
        return Given((MAIN, DEFAULT, _FILES), Files(f"{reading.format} files of `{self._statement.path}`", found))

    def _require_other_columns(self, paths: Sequence[Location], options: Mapping[str, Any]) -> None:
        """Raise `PlanError` for a column that a folder above the path would give too, which the reader would take."""
        own = self.into.context.external(self._reading.format, paths, {**options, "hive_partitioning": False})
        if taken := self._above & set(own.schema.names):
            message = f"`{min(taken)}` is a column of the files, and a folder above `{self._statement.path}` names it"
            raise PlanError(message, hint="'recursiveFileLookup' = 'true' lets folders give no columns")

    def _exact(self, found: pa.Schema) -> dict[str, str]:
        """The columns with the table's DECIMAL where the file has fractions, which a DOUBLE would round; or nothing."""
        stored = self.into.snapshot.schema
        names = {name: match(name, stored.names, what="column") for name in found.names}
        types = {
            name: stored.field(other).type
            for name, other in names.items()
            if other is not None and pa.types.is_decimal(stored.field(other).type)
        }
        types = {name: type for name, type in types.items() if pa.types.is_floating(found.field(name).type)}
        keys = self._below | self._above
        return {f.name: sql_name(types.get(f.name, f.type)) for f in found if f.name not in keys} if types else {}

    def _columns(self, found: pa.Schema) -> Iterator[str]:
        """The columns for a SELECT list; those that differ by case alone are one, unless a file has two of them."""
        alike: dict[str, list[str]] = {}
        for field in found:
            if not (self._has_folders and field.name in self._above):
                value = quote(field.name)
                if self._reading.null is not None and pa.types.is_string(field.type):
                    value = f"nullif({value}, {text(self._reading.null)})"
                alike.setdefault(fold(field.name), []).append(value)
        if any(len(values) > 1 for values in alike.values()):
            self._require_distinct()
        names = {fold(name): name for name in reversed(found.names)}
        for place, (folded, values) in enumerate(alike.items()):
            name = names[folded]
            if not self._reading.header and name not in self._below:
                name = f"_c{place}"
            value = values[0] if len(values) == 1 else f"coalesce({', '.join(values)})"
            yield f"{value} AS {quote(name)}"

    def _require_distinct(self) -> None:
        for file in self._files:
            given = _Reader(self._statement, self.into, self._reading, [file]).given(typed=False)
            require_distinct(given.source.schema.names, f"`{file}`")

    def names(self, found: pa.Schema) -> list[str]:
        """For each column of the query the name of the table's column that it fills."""
        statement, stored = self._statement, self.into.snapshot.schema
        selects, evolves = statement.select is not None, self._reading.evolves
        by_place = not self._reading.header and not selects
        if statement.columns is None and not by_place:
            names = [_matching(name, statement, stored, evolves=evolves) for name in found.names]
            require_distinct(names, "the SELECT list" if selects else f"`{statement.path}`")
            return names
        keys = [] if selects else [name for name in found.names if name in self._below]
        named = [_matching(name, statement, stored, evolves=evolves) for name in keys]
        placed = _placed(statement, stored, named)
        if len(placed) + len(keys) != len(found):
            what = "the list names" if statement.columns is not None else f"`{statement.table}` has"
            about = "FORMAT_OPTIONS ('header' = 'true') is for files with a header" if by_place else None
            raise PlanError(f"{what} {len(placed)} columns, the files give {len(found) - len(keys)}", hint=about)
        return [*placed, *named]

    # -- what goes wrong

    def named(self, bound: BoundQuery) -> Iterator[pa.RecordBatch]:
        """The rows of ``bound``; where they can't be read, the error names the file."""
        try:
            yield from bound.read()
        except (DataError, StorageError) as error:
            if isinstance(error, CastError) or any(str(file) in error.message for file in self._files):
                raise
            raise self._blamed(error) from error

    def _blamed(self, error: Error) -> Error:
        for file in self._files:
            found = _Reader(self._statement, self.into, self._reading, [file]).damage()
            if found is not None:
                return type(found)(f"`{file}` can't be read: {found.message}", hint=found.hint)
        return error

    def damage(self) -> Error | None:
        """Why the files can't be read, if they can't."""
        try:
            given = self.given(typed=False)
            for _ in self.into.context.query(f"SELECT * FROM {quote(_FILES)}", {_FILES: given}).read():
                pass
        except (DataError, StorageError) as error:
            return error
        return None


# -- columns


def _placed(statement: CopyInto, stored: pa.Schema, named: Sequence[str]) -> list[str]:
    """The table's columns that are filled by place; ``named`` are filled by name."""
    if statement.columns is None:
        return [field.name for field in stored if not is_filled(field) and field.name not in named]
    found = [_column(name, stored) for name in statement.columns]
    require_distinct([*found, *named], "the column list")
    return found


def _column(name: str, stored: pa.Schema) -> str:
    found = match(name, stored.names, what="column")
    if found is None:
        raise ColumnNotFound(f"there is no column `{name}`", hint=did_you_mean(name, stored.names))
    return found


def _matching(name: str, statement: CopyInto, stored: pa.Schema, *, evolves: bool) -> str:
    found = match(name, stored.names, what="column")
    if found is not None or evolves:
        return found or name
    what = "SELECT gives" if statement.select is not None else f"files of `{statement.path}` have"
    hint = did_you_mean(name, stored.names) or "COPY_OPTIONS ('mergeSchema' = 'true') adds it"
    raise SchemaMismatch(f"the {what} a column `{name}`, which `{statement.table}` hasn't", hint=hint)


def _evolved(reader: _Reader, found: pa.Schema, names: Sequence[str]) -> Evolved | None:
    """The table with the new columns among ``names``, in the types that their values have."""
    query, given = reader.rows(typed=True)
    typed = reader.into.context.query(query, given).schema
    fields = [typed.field(old.name).with_name(name) for old, name in zip(found, names, strict=True)]
    return evolved(reader.into.snapshot, offered(pa.schema(fields), reader.into.snapshot.schema))
