"""A dialect of SQLAlchemy: ``create_engine("deltasql:///lake")`` (docs/sqlalchemy.md).

`Dialect` is what the URL leads to. `as_of` is a table at another version, `merge` a MERGE; the types are those of Delta
that SQLAlchemy lacks.
"""

from __future__ import annotations

from deltasql.ext.sqlalchemy.dialect import Dialect, RollbackWarning
from deltasql.ext.sqlalchemy.merging import Merge, merge
from deltasql.ext.sqlalchemy.travel import AsOf, as_of
from deltasql.ext.sqlalchemy.types import ARRAY, MAP, STRUCT, TINYINT

__all__ = ["ARRAY", "MAP", "STRUCT", "TINYINT", "AsOf", "Dialect", "Merge", "RollbackWarning", "as_of", "merge"]
