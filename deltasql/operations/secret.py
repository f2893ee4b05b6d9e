"""CREATE SECRET, DROP SECRET: keys of object stores, as long as the connection."""

from __future__ import annotations

from dataclasses import dataclass

from deltasql.errors import AlreadyExists, ConfigError, PlanError
from deltasql.names import did_you_mean, match
from deltasql.operations.operation import Nothing, Plan, nothing
from deltasql.result import Result
from deltasql.session import StatementContext
from deltasql.sql import statements
from deltasql.storage.storage import Secret, Storage


@dataclass(frozen=True, slots=True)
class CreateSecret:
    """A secret that is ready to be kept."""

    storage: Storage
    secret: Secret

    def explain(self) -> Plan:
        """Name, type and scope."""
        where = self.secret.scope or "all places"
        return [("target", self.secret.name), ("operation", f"keep {self.secret.kind} options for {where}")]

    def execute(self) -> Result:
        """Keep it."""
        self.storage.keep(self.secret)
        return nothing("CREATE SECRET")


@dataclass(frozen=True, slots=True)
class DropSecret:
    """A secret that is to be forgotten, in stored spelling."""

    storage: Storage
    name: str

    def explain(self) -> Plan:
        """Name it."""
        return [("operation", f"forget secret {self.name}")]

    def execute(self) -> Result:
        """Forget it."""
        self.storage.drop(self.name)
        return nothing("DROP SECRET")


def _found(name: str, storage: Storage) -> str | None:
    return match(name, [secret.name for secret in storage.secrets()], what="secret")


def plan_create(statement: statements.CreateSecret, context: StatementContext) -> CreateSecret | Nothing:
    """See that its kind has the options."""
    storage = context.session.catalog.storage
    taken = _found(statement.name, storage)
    if taken is not None and statement.if_not_exists:
        return Nothing("CREATE SECRET", f"secret `{taken}` exists already")
    if taken is not None and not statement.replace:
        hint = "use CREATE OR REPLACE SECRET"
        raise AlreadyExists(f"secret `{taken}` exists already", hint=hint, span=statement.span)
    try:
        secret = storage.secret(taken or statement.name, statement.type, statement.scope, dict(statement.options))
    except ConfigError as error:
        raise PlanError(error.message, hint=error.hint, span=statement.span) from None
    return CreateSecret(storage, secret)


def plan_drop(statement: statements.DropSecret, context: StatementContext) -> DropSecret | Nothing:
    """Find it."""
    storage = context.session.catalog.storage
    found = _found(statement.name, storage)
    if found is not None:
        return DropSecret(storage, found)
    message = f"there is no secret `{statement.name}`"
    if statement.if_exists:
        return Nothing("DROP SECRET", message)
    hint = did_you_mean(statement.name, [secret.name for secret in storage.secrets()])
    raise PlanError(message, hint=hint, span=statement.span)
