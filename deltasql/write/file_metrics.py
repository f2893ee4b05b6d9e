"""What OPTIMIZE and REORG tell of the files that they wrote anew, in Delta Lake's words, and as a STRUCT of its shape.

Of Delta Lake's ``OptimizeMetrics`` those that have a meaning here; sizes are bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from deltasql.catalog.packing import LiveFile
from deltasql.result import Result
from deltasql.write.compaction import Rearranged
from deltasql.write.files import DataFile
from deltasql.write.target import Target

_LONG = pa.int64()
_SIZES = pa.struct([("min", _LONG), ("max", _LONG), ("avg", pa.float64()), ("totalFiles", _LONG), ("totalSize", _LONG)])
_FILES = pa.struct([("num", _LONG), ("size", _LONG)])
_ZORDER = pa.struct(
    [
        ("strategyName", pa.string()),
        ("inputCubeFiles", _FILES),
        ("inputOtherFiles", _FILES),
        ("inputNumCubes", _LONG),
        ("mergedFiles", _FILES),
        ("numOutputCubes", _LONG),
    ]
)
_VECTORS = pa.struct([("numDeletionVectorsRemoved", _LONG), ("numDeletionVectorRowsRemoved", _LONG)])
METRICS = pa.struct(
    [
        ("numFilesAdded", _LONG),
        ("numFilesRemoved", _LONG),
        ("filesAdded", _SIZES),
        ("filesRemoved", _SIZES),
        ("partitionsOptimized", _LONG),
        ("zOrderStats", _ZORDER),
        ("numBins", _LONG),
        ("numBatches", _LONG),
        ("totalConsideredFiles", _LONG),
        ("totalFilesSkipped", _LONG),
        ("preserveInsertionOrder", pa.bool_()),
        ("startTimeMs", _LONG),
        ("endTimeMs", _LONG),
        ("deletionVectorStats", _VECTORS),
    ]
)
"""The type of the column ``metrics``. ``zOrderStats`` is NULL where rows weren't put in order."""


def result(done: Rearranged, into: Target, statement_type: str, *, considered: int, ordered: bool) -> Result:
    """The one row that the statement returns: ``path``, and the ``metrics`` of what was ``done``.

    ``considered`` files could have been written anew; ``ordered`` tells that rows were put in order.
    """
    metrics = _metrics(done, considered=considered, ordered=ordered)
    rows = pa.table(
        {"path": pa.array([str(into.snapshot.location)], pa.string()), "metrics": pa.array([metrics], METRICS)}
    )
    return Result.of(rows, statement_type=statement_type, metrics=metrics, version=done.version)


def _metrics(done: Rearranged, *, considered: int, ordered: bool) -> dict[str, Any]:
    added, removed = [file.size for file in done.added], [file.size for file in done.removed]
    order = {
        "strategyName": "all",
        "inputCubeFiles": _counted([]),
        "inputOtherFiles": _counted(removed),
        "inputNumCubes": 0,
        "mergedFiles": _counted(removed),
        "numOutputCubes": done.groups,
    }
    return {
        "numFilesAdded": len(added),
        "numFilesRemoved": len(removed),
        "filesAdded": _sizes(added),
        "filesRemoved": _sizes(removed),
        "partitionsOptimized": done.partitions,
        "zOrderStats": order if ordered else None,
        "numBins": done.groups,
        "numBatches": int(done.version is not None),
        "totalConsideredFiles": considered,
        "totalFilesSkipped": considered - len(removed),
        "preserveInsertionOrder": not ordered,
        "startTimeMs": done.started,
        "endTimeMs": done.ended,
        "deletionVectorStats": {
            "numDeletionVectorsRemoved": _vectors(done.removed),
            "numDeletionVectorRowsRemoved": sum(file.deleted for file in done.removed),
        },
    }


def _sizes(sizes: Sequence[int]) -> dict[str, Any]:
    return {
        "min": min(sizes, default=None),
        "max": max(sizes, default=None),
        "avg": sum(sizes) / len(sizes) if sizes else None,
        "totalFiles": len(sizes),
        "totalSize": sum(sizes),
    }


def _counted(sizes: Sequence[int]) -> dict[str, int]:
    return {"num": len(sizes), "size": sum(sizes)}


def _vectors(files: Sequence[LiveFile]) -> int:
    return sum(file.has_vector for file in files)


def of_commit(added: Sequence[DataFile], removed: Sequence[LiveFile]) -> dict[str, int]:
    """The metrics of the commit (Delta Lake documentation, "Operation metrics keys", OPTIMIZE)."""
    sizes = sorted(file.size for file in added)
    metrics = {
        "numAddedFiles": len(sizes),
        "numRemovedFiles": len(removed),
        "numAddedBytes": sum(sizes),
        "numRemovedBytes": sum(file.size for file in removed),
        "numDeletionVectorsRemoved": _vectors(removed),
    }
    if sizes:
        quarters = {f"p{part * 25}FileSize": sizes[min(len(sizes) * part // 4, len(sizes) - 1)] for part in (1, 2, 3)}
        metrics |= {"minFileSize": sizes[0], "maxFileSize": sizes[-1], **quarters}
    return metrics
