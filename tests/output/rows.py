"""One row set with every hard type, for the golden file of each format."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pyarrow as pa

UTC = dt.UTC
NESTED = pa.struct(
    [("a", pa.int32()), ("b", pa.string()), ("deep", pa.list_(pa.struct([("at", pa.timestamp("us", "UTC"))])))]
)


def hard_rows() -> pa.Table:
    """Four rows: usual values, extremes, awkward values, nulls."""
    return pa.table(
        {
            "whole": pa.array([1, 2**63 - 1, -(2**63), None], pa.int64()),
            "unsigned": pa.array([1, 2**64 - 1, 0, None], pa.uint64()),
            "float": pa.array([1.0, 1.7976931348623157e308, float("nan"), None]),
            "tiny": pa.array([0.1, 5e-324, float("-inf"), None]),
            "zero": pa.array([0.0, -0.0, 1e-7, None]),
            "single": pa.array([0.1, 16777216.0, float("inf"), None], pa.float32()),
            "money": pa.array([Decimal("12.50"), Decimal("99999999.99"), Decimal("-0.01"), None], pa.decimal128(10, 2)),
            "digits": pa.array(
                [Decimal(0), Decimal("12345678901234567890.123456789"), Decimal("-1E-9"), None], pa.decimal128(38, 9)
            ),
            "truth": pa.array([True, False, True, None]),
            "text": pa.array(["plain", "日本 👩‍👩‍👧 e\u0301", 'a,"b"\t\\\r\nc\x1b[31m\u202e', None]),
            "empty": pa.array(["", " ", "NULL", None]),
            "bytes": pa.array([b"ab", b"", b"\x00\xff", None]),
            "day": pa.array([dt.date(2024, 1, 31), dt.date(9999, 12, 31), dt.date(1, 1, 1), None]),
            "instant": pa.array(
                [
                    dt.datetime(2024, 1, 31, 9, 30, tzinfo=UTC),
                    dt.datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
                    dt.datetime(1905, 6, 7, 8, 9, 10, 500000, tzinfo=UTC),
                    None,
                ],
                pa.timestamp("us", "UTC"),
            ),
            "local": pa.array([0, -1, 2**62, None], pa.timestamp("us")),
            "fine": pa.array([0, 1, 1500, None], pa.timestamp("ns")),
            "took": pa.array([0, 90_061_500_000, -1, None], pa.duration("us")),
            "category": pa.array(["a", "b", "a", None]).dictionary_encode(),
            "list": pa.array([[1, None], [], [3], None], pa.list_(pa.int64())),
            "map": pa.array([[("k", 1)], [], [("it's", None)], None], pa.map_(pa.string(), pa.int64())),
            "pairs": pa.array([[(1, [1.5])], [], [(2, None)], None], pa.map_(pa.int64(), pa.list_(pa.float64()))),
            "struct": pa.array(
                [
                    {"a": 1, "b": "x", "deep": [{"at": dt.datetime(2024, 1, 31, tzinfo=UTC)}]},
                    {"a": None, "b": None, "deep": None},
                    {"a": -1, "b": "it's\n", "deep": [None]},
                    None,
                ],
                NESTED,
            ),
            "nothing": pa.nulls(4),
        }
    )
