"""SQLAlchemy's compliance suite of dialects (README.dialects.rst)."""

from sqlalchemy.testing.suite import *  # noqa: F403
