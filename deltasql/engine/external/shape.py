"""One table of many files: their columns together, those that their folders give, and each file in that shape."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import datafusion
import pyarrow as pa

from deltasql.catalog.columns import nullable
from deltasql.engine.dataset import UTC
from deltasql.engine.external.types import filled, kind, type_of
from deltasql.engine.scan import Opaque, shown_as
from deltasql.errors import PlanError, brief
from deltasql.storage.objects import Location


@dataclass(frozen=True, slots=True)
class Scan:
    """Some of the files, which one listing reads: the columns that they have, and how DataFusion reads these.

    ``read`` is given some of the files, and the columns in the types that they are to have as far as it can.
    """

    files: Sequence[Location]
    schema: pa.Schema
    read: Callable[[Sequence[Location], pa.Schema], datafusion.DataFrame]


def united(schemas: Iterable[tuple[Location, pa.Schema]], *, by_name: bool) -> pa.Schema:
    """The columns of all ``schemas``, by name; numbers of different types become the wider one.

    Raises `PlanError`, naming the file, for types that don't fit, and without ``by_name`` for other columns.
    """
    total: pa.Schema | None = None
    for path, schema in schemas:
        if total is None:
            total = schema
        elif not by_name and set(schema.names) != set(total.names):
            names = ", ".join(f"`{name}`" for name in sorted(set(schema.names) ^ set(total.names)))
            raise PlanError(f"`{path}` and the files before it differ in {names}", hint="union_by_name => true")
        try:
            total = pa.unify_schemas([total, schema], promote_options="permissive")
        except pa.ArrowException as error:
            message = f"the columns of `{path}` don't fit those of the files before it: {brief(error)}"
            raise PlanError(message) from error
    return pa.schema([nullable(field, filled) for field in total or ()])


def shaped(
    frame: datafusion.DataFrame,
    fields: Iterable[pa.Field],
    constants: Mapping[str, pa.Scalar],
    opaque: Collection[str],
    hiding: Opaque,
) -> datafusion.DataFrame:
    """The columns ``fields`` of ``frame``, of ``constants``, or NULL.

    DataFusion would trust the statistics of ``opaque`` ones, which don't know NaN: they go through ``hiding``.
    """
    there = frame.schema()
    chosen = []
    for field in fields:
        if field.name in constants:
            chosen.append(datafusion.lit(constants[field.name]).alias(field.name))
        elif field.name not in there.names:
            chosen.append(datafusion.lit(None).cast(field.type).alias(field.name))
        else:
            held = there.field(field.name)
            chosen.append(shown_as(held, field.type, hiding if field.name in opaque else None))
    return frame.select(*chosen)


# -- folders that give columns

Keys = Mapping[str, tuple[pa.Field, Mapping[Location, pa.Scalar]]]
"""Columns by name, each with its value for each file."""

_NULL = "__HIVE_DEFAULT_PARTITION__"


def partitions(files: Sequence[Location], options: Mapping[str, Any]) -> Keys:
    """The columns that the folders ``k=v`` of ``files`` give, with the value for each file."""
    wanted = options["hive_partitioning"]
    if wanted is False:
        return {}
    pairs = [[part.partition("=")[::2] for part in file.parts[:-1] if "=" in part] for file in files]
    names = [key for key, _ in pairs[0]]
    if len(set(names)) < len(names) or any([key for key, _ in pair] != names for pair in pairs):
        if wanted:
            raise PlanError("hive_partitioning: the files are in folders of different columns")
        return {}
    found = {}
    for index, name in enumerate(names):
        texts = [None if pair[index][1] == _NULL else unquote(pair[index][1]) for pair in pairs]
        kinds = {kind(text) for text in texts if text is not None}
        type = (
            type_of(kinds, UTC) if options["hive_types_autocast"] and kinds in ({"BIGINT"}, {"DATE"}) else pa.string()
        )
        scalars = pa.array(texts, pa.string()).cast(type)
        found[name] = (pa.field(name, type), dict(zip(files, scalars, strict=True)))
    return found


def grouped(files: Sequence[Location], keys: Keys) -> Iterable[tuple[Mapping[str, pa.Scalar], list[Location]]]:
    """``files`` by the values that their folders give."""
    groups: dict[tuple[pa.Scalar, ...], list[Location]] = {}
    for file in files:
        groups.setdefault(tuple(values[file] for _, values in keys.values()), []).append(file)
    return [(dict(zip(keys, constants, strict=True)), group) for constants, group in groups.items()]
