"""A cursor over the tokens of one statement, with the small grammars that many statements share."""

from __future__ import annotations

from typing import NoReturn

from deltasql.errors import ParseError, Span, UnsupportedStatement
from deltasql.names import AsOf, TableReference, Timestamp, Version, suffix_as_of
from deltasql.sql.dialect import Token, tokenize
from deltasql.sql.statements import Fragment, Type

_OPEN = {"(": ")", "[": "]", "{": "}"}
_CLOSE = set(_OPEN.values())


class Cursor:
    """Reads the tokens of ``sql`` from left to right; every failure is a `ParseError` with line and column."""

    def __init__(self, sql: str) -> None:
        self.sql = sql
        self.tokens = tokenize(sql)
        self.index = 0

    # -- looking

    @property
    def done(self) -> bool:
        """True behind the last token."""
        return self.index >= len(self.tokens)

    def peek(self, ahead: int = 0) -> Token | None:
        """The token ``ahead`` of the current one, or None."""
        index = self.index + ahead
        return self.tokens[index] if 0 <= index < len(self.tokens) else None

    def at(self, *words: str) -> bool:
        """True if the next tokens are these keywords or symbols (upper case)."""
        return all((token := self.peek(i)) is not None and token.upper == word for i, word in enumerate(words))

    def at_any(self, words: frozenset[str] | set[str] | tuple[str, ...]) -> bool:
        """True if the next token is one of these keywords or symbols."""
        token = self.peek()
        return token is not None and token.upper != "" and token.upper in words

    def at_end(self) -> bool:
        """True at the end of the statement, with a semicolon or without."""
        return self.done or self.at(";")

    def at_query(self) -> bool:
        """True if a query starts here, in brackets or not; ``(select, b)`` is a list of names."""
        ahead = 0
        while (token := self.peek(ahead)) is not None and token.upper == "(":
            ahead += 1
        behind = self.peek(ahead + 1)
        return token is not None and token.upper in _QUERY and (behind is None or behind.upper not in (",", ")"))

    def behind_operand(self) -> bool:
        """True if what has been read ends an operand, so that an operator or another clause comes next."""
        token, before = self.peek(-1), self.peek(-2)
        if token is None:
            return False
        if before is not None and before.upper == ".":
            return True
        return token.upper in _CLOSE if token.kind == "symbol" else token.upper not in _BEFORE_OPERANDS

    # -- moving

    def advance(self) -> Token:
        """The next token, which is then behind the cursor."""
        token = self.peek()
        if token is None:
            self.fail("more")
        self.index += 1
        return token

    def take(self, *words: str) -> bool:
        """Step over these keywords or symbols if they come next."""
        if self.at(*words):
            self.index += len(words)
            return True
        return False

    def expect(self, *words: str) -> None:
        """Step over these keywords or symbols, which must come next."""
        for word in words:
            if not self.take(word):
                self.fail(word)

    def expect_end(self) -> None:
        """Nothing but a semicolon may be left; it stays."""
        if not self.at_end():
            self.fail("the end of the statement")

    # -- failing

    def here(self) -> Span:
        """The span of the next token, or the end of the text."""
        token = self.peek()
        return token.span if token is not None else Span(len(self.sql.rstrip()), len(self.sql.rstrip()))

    def fail(self, expected: str, *, span: Span | None = None, hint: str | None = None) -> NoReturn:
        """Raise a `ParseError`: what was expected here, and what is."""
        span = span or self.here()
        line, column = span.position(self.sql)
        found = f"`{span.of(self.sql)}`" if span.end > span.start else "the end of the statement"
        message = f"line {line}, column {column}: expected {expected}, found {found}"
        raise ParseError(message, hint=hint, span=span, statement=self.sql)

    def refuse(self, what: str, *, hint: str | None = None, span: Span | None = None) -> NoReturn:
        """Raise `UnsupportedStatement`: ``what`` is understood, but not executed."""
        raise UnsupportedStatement(f"{what} is not supported", hint=hint, span=span or self.here(), statement=self.sql)

    # -- small grammars

    def name(self, what: str = "a name") -> str:
        """An identifier, quoted or not, as written."""
        token = self.peek()
        if token is None or not token.is_name or (token.kind == "quoted" and not token.text):
            self.fail(what)
        self.index += 1
        return token.text

    def dotted(self, what: str = "a name") -> tuple[str, ...]:
        """``name[.name]…``"""
        parts = [self.name(what)]
        while self.take("."):
            parts.append(self.name(what))
        return tuple(parts)

    def paths(self, what: str = "a column") -> tuple[tuple[str, ...], ...]:
        """``name[.name]…, …``, in brackets or not."""
        bracketed = self.take("(")
        found = [self.dotted(what)]
        while self.take(","):
            found.append(self.dotted(what))
        if bracketed:
            self.expect(")")
        return tuple(found)

    def names(self, what: str = "a column") -> tuple[str, ...]:
        """``(name, …)``"""
        self.expect("(")
        found = [self.name(what)]
        while self.take(","):
            found.append(self.name(what))
        self.expect(")")
        return tuple(found)

    def string(self, what: str = "a string") -> str:
        """A string literal's value."""
        token = self.peek()
        if token is None or token.kind != "string":
            self.fail(what)
        self.index += 1
        return token.text

    def table(self, *, as_of: bool = False) -> TableReference:
        """``name``, ``delta.`path``` or ``'path'``, with its time travel if ``as_of``, else without any."""
        start = self.here().start
        token = self.peek()
        if token is not None and token.kind == "string":
            self.index += 1
            reference = TableReference(path=token.text)
        else:
            first = self.index
            parts = self.dotted("a table")
            exact = tuple(self.tokens[i].kind == "quoted" for i in range(first, self.index, 2))
            if len(parts) > 3:
                self.fail("a name of at most three parts", span=Span(start, self.tokens[self.index - 1].span.end))
            if len(parts) == 2 and parts[0].lower() == "delta" and exact == (False, True):
                reference = TableReference(path=parts[1])
            else:
                reference = TableReference(parts=parts, exact=exact)
        travel = self.as_of()
        if travel is not None and not as_of:
            self.fail("a table without time travel", span=Span(start, self.tokens[self.index - 1].span.end))
        span = Span(start, self.tokens[self.index - 1].span.end)
        return TableReference(reference.parts, reference.path, travel, reference.exact, span)

    def as_of(self) -> AsOf | None:
        """The time-travel clause behind a table's name, in any spelling; None if there is none.

        ``[FOR] VERSION|SYSTEM_VERSION AS OF n``, ``[FOR] TIMESTAMP|SYSTEM_TIME AS OF expr``,
        ``AT (VERSION|TIMESTAMP => expr)``, ``@vN``, ``@yyyyMMddHHmmssSSS``.
        """
        offset = 1 if self.at("FOR") else 0
        keyword = self.peek(offset)
        behind = [token.upper if (token := self.peek(offset + i)) else "" for i in (1, 2)]
        if keyword is not None and keyword.upper in _TRAVEL and behind == ["AS", "OF"]:
            self.index += offset + 3
            return _TRAVEL[keyword.upper](self.constant().sql)
        if self.at("AT", "(") and (kind := self.peek(2)) and kind.upper in ("VERSION", "TIMESTAMP"):
            self.index += 3
            self.expect("=>")
            expression = self.until_closed()
            self.expect(")")
            return _TRAVEL[kind.upper](expression.sql)
        return self._at_suffix()

    def _at_suffix(self) -> AsOf | None:
        sign, suffix = self.peek(), self.peek(1)
        if sign is None or suffix is None or sign.upper != "@" or sign.span.end != suffix.span.start:
            return None
        found = suffix_as_of("@" + suffix.text)
        if found is None or self.index == 0 or self.tokens[self.index - 1].span.end != sign.span.start:
            self.fail("`@v` and a version, or `@` and a time as yyyyMMddHHmmssSSS", span=suffix.span)
        self.index += 2
        return found

    def constant(self) -> Fragment:
        """The constant expression of a time-travel clause: operands joined by ``+ - * / ||``.

        It ends where an operand isn't followed by an operator, so that an alias may follow.
        """
        start = self.here().start
        while True:
            while self.take("-") or self.take("+"):
                pass
            self._operand()
            if not self.at_any(_OPERATORS):
                break
            self.index += 1
        return self.since(start)

    def _operand(self) -> None:
        token = self.peek()
        if token is None or (token.kind == "symbol" and token.upper != "(") or token.kind == "quoted":
            self.fail("a constant expression")
        if token.upper == "(":
            self.skip_group()
        elif token.upper == "INTERVAL":
            self._interval()
        elif token.kind == "word":
            self.index += 1
            if self.at("("):
                self.skip_group()
            elif (value := self.peek()) is not None and value.kind == "string" and token.upper in _TYPED:
                self.index += 1
        else:
            self.index += 1
        while self.take("::"):
            self.type()

    def _interval(self) -> None:
        self.expect("INTERVAL")
        self.take("-")
        token = self.peek()
        if token is None or token.kind not in ("string", "number", "parameter"):
            self.fail("the length of the interval")
        self.index += 1
        self._units()
        while (token := self.peek()) is not None and token.kind == "number":
            self.index += 1
            self._units()

    def _units(self) -> None:
        if self.at_any(_UNITS):
            self.index += 1
            if self.at("TO") and (unit := self.peek(1)) is not None and unit.upper in _UNITS:
                self.index += 2

    def skip_group(self) -> Span:
        """Step over a bracketed group, the brackets included."""
        start = self.here()
        depth = 0
        while not self.done:
            symbol = self.advance().upper
            if symbol in _OPEN:
                depth += 1
            elif symbol in _CLOSE:
                depth -= 1
                if depth == 0:
                    return Span(start.start, self.tokens[self.index - 1].span.end)
        return self.fail("a closing bracket for this one", span=start)

    def until_closed(self, *stops: str, what: str = "an expression") -> Fragment:
        """All up to (not including) one of ``stops`` or an unmatched closing bracket.

        Groups are stepped over, and so is ``CASE … END``; a word behind a dot is a name.
        """
        start = self.here()
        first = self.index
        while (token := self.peek()) is not None and token.upper != ";":
            if token.upper in _OPEN:
                self.skip_group()
            elif token.upper in _CLOSE or (token.upper in stops and self._ends_expression(token)):
                break
            elif token.upper != "CASE" or not self._skip_case():
                self.index += 1
        if self.index == first:
            self.fail(what, span=start)
        return self.since(start.start)

    def _ends_expression(self, word: Token) -> bool:
        """False where the next token, ``word``, is a name or belongs to ``IS DISTINCT FROM``."""
        before = self.peek(-1)
        if before is not None and (before.upper == "." or (before.upper == "DISTINCT" and word.upper == "FROM")):
            return False
        return word.upper not in _OFTEN_NAMES or self.behind_operand()

    def _skip_case(self) -> bool:
        """Step over ``CASE … END``; False if the word is a name, behind a dot or without an END."""
        index = self.index
        depth = 0
        while (token := self.peek()) is not None and token.upper not in _CLOSE and token.upper != ";":
            if token.upper in _OPEN:
                self.skip_group()
                continue
            before = self.peek(-1)
            if before is None or before.upper != ".":
                depth += (token.upper == "CASE") - (token.upper == "END")
            self.index += 1
            if depth == 0:
                break
        if depth == 0 and self.index > index + 1:
            return True
        self.index = index
        return False

    def rest(self, what: str) -> Fragment:
        """All that is left but for a semicolon, which must be something."""
        if self.at_end():
            self.fail(what)
        start = self.here().start
        while not self.at_end():
            self.index += 1
        return self.since(start)

    def type(self) -> Type:
        """A type; what it means isn't checked here.

        ``name[(n[, m])]``, ``ARRAY<type>``, ``MAP<type, type>``, ``STRUCT<name[:] type, …>``,
        ``INTERVAL unit [TO unit]``.
        """
        start = self.here()
        if self.name("a type").upper() == "INTERVAL":
            self._units()
        if self.at("("):
            self.skip_group()
        elif self.at("<"):
            self._angles()
        elif self.take("<>"):
            pass
        span = Span(start.start, self.tokens[self.index - 1].span.end)
        return Type(span.of(self.sql), span)

    def _angles(self) -> None:
        start = self.here()
        depth = 0
        while not self.done:
            symbol = self.advance().upper
            depth += {"<": 1, ">": -1, ">>": -2}.get(symbol, 0)
            if depth <= 0:
                return
        self.fail("a closing `>` for this one", span=start)

    def alias(self, *stops: str) -> str | None:
        """``[[AS] alias]``: the words ``stops`` go on with the statement instead."""
        if self.take("AS"):
            return self.name("an alias")
        token = self.peek()
        return self.name() if token is not None and token.is_name and token.upper not in stops else None

    def relation(self) -> Fragment:
        """``{table | (query) | function(argument, …)}`` as it may stand behind FROM, a table with its time travel."""
        start = self.here().start
        token, behind = self.peek(), self.peek(1)
        if self.at("(", ")") or (self.at_query() and not self.at("(")):
            self.fail("a table, or a query in brackets")
        if token is not None and token.kind == "word" and behind is not None and behind.upper == "(":
            self.index += 1
        if self.at("("):
            self.skip_group()
        else:
            self.table(as_of=True)
        return self.since(start)

    def since(self, start: int) -> Fragment:
        """What has been read from the place ``start`` on."""
        span = Span(start, self.tokens[self.index - 1].span.end)
        return Fragment(span.of(self.sql), span)

    def properties(self) -> tuple[tuple[str, str], ...]:
        """``(key [=] value, …)``: keys are strings or dotted names, values strings, numbers or words."""
        self.expect("(")
        found: dict[str, str] = {}
        while True:
            start = self.here()
            key = self.property_key()
            if key in found:
                self.fail(f"`{key}` only once", span=start)
            self.take("=")
            found[key] = self.property_value()
            if not self.take(","):
                break
        self.expect(")")
        return tuple(found.items())

    def property_key(self) -> str:
        """A string or a dotted name."""
        token = self.peek()
        return self.string() if token is not None and token.kind == "string" else ".".join(self.dotted("a key"))

    def property_value(self) -> str:
        """A string, a number or a word, as text; true and false in lower case."""
        sign = "-" if self.take("-") else ""
        token = self.peek()
        if token is None or token.kind not in ("string", "number", "word"):
            self.fail("a value")
        self.index += 1
        return sign + (token.text.lower() if token.upper in ("TRUE", "FALSE") else token.text)


_TRAVEL: dict[str, type[Version | Timestamp]] = {
    "VERSION": Version,
    "SYSTEM_VERSION": Version,
    "TIMESTAMP": Timestamp,
    "SYSTEM_TIME": Timestamp,
}
_QUERY = frozenset({"SELECT", "VALUES", "FROM", "TABLE", "WITH"})
_OPERATORS = frozenset({"+", "-", "*", "/", "||"})
_TYPED = {"DATE", "TIMESTAMP", "TIMESTAMP_NTZ"}
_BEFORE_OPERANDS = frozenset({
    "ALL", "AND", "ANY", "ARRAY", "AS", "BETWEEN", "CASE", "DISTINCT", "DIV", "ELSE", "ESCAPE", "EXISTS", "FROM",
    "ILIKE", "IN", "INTERVAL", "IS", "JOIN", "LIKE", "NOT", "ON", "OR", "RLIKE", "SIMILAR", "SOME", "THEN", "TO",
    "USING", "WHEN", "WHERE", "XOR",
})  # fmt: skip
_OFTEN_NAMES = frozenset({"FETCH", "MINUS", "OFFSET", "QUALIFY", "WINDOW"})
"""Words of clauses that are columns where an operand is due: ``offset > 3``."""
_UNITS = frozenset(
    unit + plural
    for unit in ("MICROSECOND", "MILLISECOND", "SECOND", "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "YEAR")
    for plural in ("", "S")
)
