"""What completion offers: a pure function of the text, the cursor and the names that there are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from deltasql.errors import Error
from deltasql.names import TableReference, fold
from deltasql.repl.arguments import in_command
from deltasql.repl.columns import column_suggestions, join_suggestions
from deltasql.repl.highlight import KEYWORDS
from deltasql.repl.known import Named, Names
from deltasql.repl.notation import Slot, Word
from deltasql.repl.offer import Suggestion, at_word, fitting, of_table, paths
from deltasql.repl.phrases import OPERANDS, TYPES
from deltasql.repl.place import Place, following, place
from deltasql.repl.relations import Seen, reference, seen
from deltasql.sql.functions import TABLE_FUNCTIONS
from deltasql.sql.parser import parse_table

_OPERAND_WORDS = ("CASE", "CAST", "NOT", "EXISTS", "NULL", "TRUE", "FALSE", "INTERVAL", "DATE", "TIMESTAMP")
_OPERATORS = ("AND", "OR", "IN", "NOT IN", "IS NULL", "IS NOT NULL", "LIKE", "ILIKE", "BETWEEN", "OVER", "FILTER")
_BEHIND: Mapping[str, tuple[str, ...]] = {
    "IS": ("NULL", "NOT NULL", "TRUE", "FALSE", "DISTINCT FROM", "NOT DISTINCT FROM"),
    "NOT": ("IN", "LIKE", "ILIKE", "BETWEEN", "EXISTS", "NULL", "TRUE", "FALSE"),
    "CASE": ("WHEN",),
}
_VERSIONS = frozenset({"version", "start", "end"})


def suggest(text: str, cursor: int, names: Names) -> list[Suggestion]:
    """What may stand at ``cursor`` in ``text``, the likeliest first.

    Inside a comment, and inside a string that is no path, time or name: nothing.
    """
    before = text[:cursor]
    if before.lstrip()[:1] in {".", "\\"}:
        return in_command(before.lstrip(), names)
    here = place(text, cursor)
    if here is None:
        return []
    looking = seen(text, cursor, here, names)
    found = list(_of_call(here, names)) or list(_of_slots(here, looking, text, names))
    if not here.typed.quote and not here.typed.qualifier:
        found += _keywords(here)
        found += _functions(here, names)
    first: dict[str, Suggestion] = {}
    for suggestion in found:
        first.setdefault(suggestion.text, suggestion)
    return list(first.values())


# -- what the grammar names


def _of_slots(here: Place, looking: Seen, text: str, names: Names) -> Iterator[Suggestion]:
    slots = here.slots
    if not here.edges:  # The way is lost: anything may be meant.
        slots = [Slot("operand")]
    for slot in slots:
        source = _SOURCES.get(slot.name)
        if slot.quoted and here.typed.quote != "'" and (here.typed.quote or slot.name == "table_path"):
            continue
        if source is not None and (
            slot.quoted or here.typed.quote != "'" or slot.name in {"timestamp", "setting_value"}
        ):
            yield from source(here, looking, text, names)
        elif slot.name in OPERANDS and here.typed.quote != "'":
            yield from _operand(here, looking)


def _operand(here: Place, looking: Seen) -> Iterator[Suggestion]:
    if here.frame.operand:
        return
    if here.previous == "ON" and not here.typed.text:
        yield from join_suggestions(here, looking)
    yield from column_suggestions(here, looking.relations)


def _columns(here: Place, looking: Seen, text: str, names: Names) -> Iterable[Suggestion]:  # noqa: ARG001
    return column_suggestions(here, looking.relations[-len(here.targets) :][:1] if here.targets else looking.relations)


def _tables(here: Place, looking: Seen, text: str, names: Names) -> Iterable[Suggestion]:  # noqa: ARG001
    return of_table(here.typed, names.tables)


def _readable(here: Place, looking: Seen, text: str, names: Names) -> Iterable[Suggestion]:  # noqa: ARG001
    ctes = [] if here.typed.qualifier else [Named(name, "CTE", ((fold(name), name),)) for name in looking.ctes]
    return of_table(here.typed, [*ctes, *names.tables])


def _views(here: Place, looking: Seen, text: str, names: Names) -> Iterable[Suggestion]:  # noqa: ARG001
    return of_table(here.typed, [table for table in names.tables if table.kind == "view"])


def _table_functions(here: Place, looking: Seen, text: str, names: Names) -> Iterable[Suggestion]:  # noqa: ARG001
    if here.typed.qualifier or here.typed.quote or not here.typed.text:
        return
    for name, signature in TABLE_FUNCTIONS.items():
        if name.startswith(fold(here.typed.text)):
            yield at_word(here.typed, f"{name}(", f"{name}({signature.shape})")


def _schemas(here: Place, looking: Seen, text: str, names: Names) -> Iterable[Suggestion]:  # noqa: ARG001
    return of_table(here.typed, [Named(name, "schema", ((fold(name), name),)) for name in names.schemas])


def _catalogs(here: Place, looking: Seen, text: str, names: Names) -> Iterable[Suggestion]:  # noqa: ARG001
    return of_table(here.typed, [Named(name, "catalog", ((fold(name), name),)) for name in names.catalogs])


def _types(here: Place, looking: Seen, text: str, names: Names) -> Iterable[Suggestion]:  # noqa: ARG001
    return fitting(here.typed, [(name, "type") for name in TYPES], keyword=True)


def _paths(here: Place, looking: Seen, text: str, names: Names) -> Iterable[Suggestion]:  # noqa: ARG001
    return paths(here.typed, names)


def _settings(here: Place, looking: Seen, text: str, names: Names) -> Iterable[Suggestion]:  # noqa: ARG001
    return of_table(here.typed, [Named(one.name, one.value, ((fold(one.name), one.name),)) for one in names.settings])


def _setting_values(here: Place, looking: Seen, text: str, names: Names) -> Iterable[Suggestion]:  # noqa: ARG001
    if here.previous not in {"=", "TO"}:
        return ()
    name = fold("".join(token.text for token in here.tokens[1:-1]))
    chosen = [option for option in names.settings if fold(option.name) == name]
    return [
        at_word(here.typed, value if _is_bare(value) else f"'{value}'", "now" if value == option.value else "value")
        for option in chosen
        for value in (option.values or (option.value,))
        if value and fold(value).startswith(fold(here.typed.text))
    ]


def _is_bare(value: str) -> bool:
    return value.replace("_", "").isalnum()


def _function_names(here: Place, looking: Seen, text: str, names: Names) -> Iterable[Suggestion]:  # noqa: ARG001
    return fitting(here.typed, [(function.name, function.signature) for function in names.functions])


def _versions(here: Place, looking: Seen, text: str, names: Names) -> Iterable[Suggestion]:  # noqa: ARG001
    return _commits(here, reference(here.table, text) if here.table else None, names)


def _timestamps(here: Place, looking: Seen, text: str, names: Names) -> Iterable[Suggestion]:  # noqa: ARG001
    table = reference(here.table, text) if here.table else None
    return _commits(here, table, names, times=True)


def _commits(here: Place, table: TableReference | None, names: Names, *, times: bool = False) -> list[Suggestion]:
    """The versions of ``table``, or the times of them, newest first."""
    if table is None or (here.frame.operand and not here.typed.text):
        return []
    found = []
    for commit in names.versions(table):
        one, other = (commit.time, f"version {commit.version}") if times else (str(commit.version), commit.time)
        if one.startswith(here.typed.text):
            found.append(at_word(here.typed, f"'{one}'" if times else one, f"{other}  {commit.operation}"))
    return found


_SOURCES: Mapping[str, Callable[[Place, Seen, str, Names], Iterable[Suggestion]]] = {
    "called": _table_functions,
    "catalog": _catalogs,
    "column": _columns,
    "function": _function_names,
    "path": _paths,
    "readable": _readable,
    "root": _paths,
    "schema": _schemas,
    "setting": _settings,
    "setting_value": _setting_values,
    "table": _tables,
    "table_path": _paths,
    "timestamp": _timestamps,
    "type_name": _types,
    "version": _versions,
    "view": _views,
}


# -- calls, functions and keywords


def _of_call(here: Place, names: Names) -> Iterable[Suggestion]:
    """What a table function takes where the cursor is."""
    call = here.call
    signature = TABLE_FUNCTIONS.get(call.name) if call is not None else None
    if call is None or signature is None:
        return ()
    named = here.tokens[-2].text if here.previous == "=>" and len(here.tokens) > 1 else ""
    places = (*signature.required, *signature.optional)
    what = named or (places[call.argument] if call.argument < len(places) else "")
    if what == "table":
        return of_table(here.typed, names.tables)
    if what in {"path", "paths"}:
        return paths(here.typed, names) if here.typed.quote in {"", "'"} else ()
    if what in _VERSIONS or what == "timestamp":
        return _commits(here, _called_on(here), names, times=what == "timestamp" or here.typed.quote == "'")
    return ()


def _called_on(here: Place) -> TableReference | None:
    """The table that the call's first argument names."""
    called = here.call.name if here.call is not None else ""
    for before, bracket, first in zip(here.tokens[-3::-1], here.tokens[-2::-1], here.tokens[::-1], strict=False):
        if bracket.upper == "(" and before.text.lower() == called:
            try:
                return TableReference(path=first.text) if before.text == "delta_scan" else parse_table(first.text)
            except Error:
                return None
    return None


def _functions(here: Place, names: Names) -> Iterator[Suggestion]:
    """The functions that an operand may begin with, once a letter of them is typed."""
    operand = any(slot.name in OPERANDS for slot in here.slots) or not here.edges
    if operand and here.typed.text and not here.frame.operand:
        for function in names.functions:
            if function.kind != "table" and function.name.startswith(fold(here.typed.text)):
                call = f"{function.name}()" if function.signature.endswith("()") else f"{function.name}("
                yield at_word(here.typed, call, function.signature)


def _keywords(here: Place) -> list[Suggestion]:
    """The keywords that may come, each with those that must follow it, in the order of the grammar."""
    words = [edge.label.text for edge in here.edges if isinstance(edge.label, Word) and edge.label.text[0].isalpha()]
    literals = [slot.name for slot in here.slots if slot.name in {"parquet", "symlink_format_manifest"}]
    known = [following(here.edges, word) for word in dict.fromkeys(words)] + literals
    found: list[str] = []
    operand = [slot for slot in here.slots if slot.name in OPERANDS - {"version", "number", "setting_value"}]
    if operand:
        first = _OPERAND_WORDS if here.typed.text else ()
        found += _BEHIND.get(here.previous, _OPERATORS if here.frame.operand else first)
    elif not here.edges and here.typed.text:
        found += sorted(KEYWORDS)
    found += known
    lower = not here.typed.text and bool(here.tokens) and here.tokens[0].text.islower()
    what = "keyword" if here.tokens and here.tokens[-1].upper != ";" else "statement"
    kinds: Sequence[tuple[str, str]] = [(word, what) for word in found]
    return fitting(here.typed, kinds, keyword=True, lower=lower)
