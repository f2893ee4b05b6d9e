"""SET, SHOW and RESET of settings: ours, and DataFusion's own (``datafusion.…``)."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from deltasql.errors import NotSupportedError
from deltasql.names import fold
from deltasql.operations.operation import Plan, Rows, nothing
from deltasql.result import Result
from deltasql.session import Session, StatementContext
from deltasql.settings import SPARK_DIALECTS, show
from deltasql.sql import statements
from deltasql.sql.dialect import tokenize
from deltasql.sql.statements import Fragment

_ENGINE = "datafusion."
_TIME_ZONE = "datafusion.execution.time_zone"
_SPILLS_TO = "datafusion.runtime.temp_directory"


@dataclass(frozen=True, slots=True)
class Set:
    """A new value for a setting."""

    session: Session
    name: str
    value: str

    def explain(self) -> Plan:
        """Say what is set."""
        return [("operation", f"set {self.name}")]

    def execute(self) -> Result:
        """Set it."""
        if fold(self.name).startswith(_ENGINE):
            self.session.engine.set_option(self.name, self.value)
        else:
            self.session.settings.set(self.name, self.value)
            apply(self.session)
        return nothing("SET")


@dataclass(frozen=True, slots=True)
class Reset:
    """A setting, or all of them (``name`` None), back to the default."""

    session: Session
    name: str | None

    def explain(self) -> Plan:
        """Say what is reset."""
        return [("operation", f"reset {self.name or 'all settings'}")]

    def execute(self) -> Result:
        """Reset it."""
        if self.name is not None and fold(self.name).startswith(_ENGINE):
            self.session.engine.reset_option(self.name)
            return nothing("RESET")
        if self.name is None:
            self.session.engine.reset_options()
        self.session.settings.reset(self.name)
        apply(self.session)
        return nothing("RESET")


def apply(session: Session) -> None:
    """Tell the engine of the settings that it shares."""
    session.engine.time_zone = session.settings["time_zone"]
    session.engine.set_option(_TIME_ZONE, session.settings["time_zone"])
    session.catalog.storage.local_files = session.settings["deltasql.local_files"]
    session.engine.reader = session.settings["deltasql.reader"]
    spark = session.settings["deltasql.spark_functions"] or session.settings["deltasql.dialect"] in SPARK_DIALECTS
    session.engine.use_spark_functions(use=spark)
    memory = session.settings["deltasql.memory_limit"]
    session.engine.limit(memory=memory.bytes if memory else None, threads=session.settings["deltasql.threads"])


def plan_set(statement: statements.SetOption, context: StatementContext) -> Set:
    """``SET name = value``."""
    _require_settable(statement.name, context.session)
    value = _value(statement.value, context)
    if fold(statement.name) == _SPILLS_TO:
        context.session.catalog.storage.place(value)  # Raises where local files are off.
    return Set(context.session, statement.name, value)


def _require_settable(name: str, session: Session) -> None:
    """Raise `PlanError` for a setting that there isn't, `NotSupportedError` for one that has a name of ours."""
    if fold(name) == _TIME_ZONE:
        raise NotSupportedError(f"`{name}` can't be changed: it is `time_zone`")
    if fold(name).startswith(_ENGINE):
        session.engine.option(name)
    else:
        session.settings.setting(name)


def _value(value: Fragment, context: StatementContext) -> str:
    """The text of the value: a bare word as it stands, else what the constant expression yields."""
    tokens = tokenize(value.sql)
    if all(token.kind in ("word", "number", "symbol") for token in tokens) and "(" not in value.sql:
        return value.sql
    if len(tokens) == 1 and tokens[0].kind in ("string", "quoted"):
        return tokens[0].text
    found = context.evaluate(value.sql)
    return "" if found is None else show(found)


def plan_reset(statement: statements.ResetOption, context: StatementContext) -> Reset:
    """``RESET name`` or ``RESET ALL``."""
    if statement.name is not None:
        _require_settable(statement.name, context.session)
    return Reset(context.session, statement.name)


def plan_show(statement: statements.ShowOption, context: StatementContext) -> Rows:
    """``SHOW name`` or ``SHOW ALL``: name, value, description."""
    session = context.session
    if statement.name is None:
        return Rows("SHOW", lambda: _rows([*session.settings.rows(), *session.engine.options()]))
    if fold(statement.name).startswith(_ENGINE):
        return Rows("SHOW", lambda: _rows([session.engine.option(str(statement.name))]))
    setting = session.settings.setting(statement.name)
    return Rows("SHOW", lambda: _rows([row for row in session.settings.rows() if row[0] == setting.name]))


def _rows(found: list[tuple[str, str, str]]) -> pa.Table:
    columns = [pa.array(list(column), pa.string()) for column in zip(*found, strict=True)]
    return pa.Table.from_arrays(columns, names=["name", "value", "description"])
