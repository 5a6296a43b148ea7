"""Conditions as text: `health_score < 40 AND tier = 'enterprise'`, parsed and printed (IQ-130)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import Final, NoReturn

from vitals.domain.condition import (
    KEYWORDS,
    MAX_TEXT,
    Condition,
    ConditionError,
    Field,
    Groups,
    Term,
    finished,
    within_limits,
)
from vitals.domain.condition_fields import (
    AT_MOST,
    NUMBER,
    OPERATORS,
    SPELLINGS,
    WITH_LIST,
    WITHOUT_VALUE,
    Vocabulary,
    Written,
    operator_of,
    shown,
    value_of,
    vocabulary,
)

_TOKEN = re.compile(
    r"""\s+
    | (?P<quoted> '[^']*(?:''[^']*)*' | "[^"]*(?:""[^"]*)*" )
    | (?P<joint> && | \|\| )
    | (?P<sign> <= | <> | < | >= | > | == | = | != | ≤ | ≥ | ≠ )
    | (?P<mark> [(),%] )
    | (?P<bare> [+-]?[\w.][\w.+\-/@:#]* )
    """,
    re.VERBOSE,
)
_JOINTS = {"&&": "and", "||": "or", "and": "and", "or": "or"}
_UNITS: Mapping[str, tuple[str, ...]] = {
    "adoption": ("%",),
    "days_since_contact": ("days", "day"),
    "renewal_within": ("days", "day"),
}
"""What may stand behind a field's number, or name, and says nothing that the field does not."""
_LONGEST_NAME: Final = 6
"""So many words a field's name may have: `Renewal Within Days`, and some."""
MAX_DEPTH: Final = 20
"""Parentheses may be nested so deep."""
_EXAMPLE = "health_score < 40 AND tier = 'enterprise'"


def parse(text: str, extra: Mapping[str, Field] | None = None) -> Condition:
    """Return the condition that *text* says; *extra* are the tenant's own fields.

    AND binds closer than OR; parentheses are multiplied out. Raises ConditionError that names the
    1-based column of what was wrong, in its message and as `at`.
    """
    try:
        if len(text) > MAX_TEXT:
            message = f"the text has {len(text)} characters; at most {MAX_TEXT}"
            raise ConditionError(message, str(MAX_TEXT + 1))
        return finished(_Parser(text, vocabulary(extra)).whole(), "1")
    except ConditionError as refused:
        message = f"column {refused.at}: {refused.message}"
        raise ConditionError(message, refused.at) from None


def text(condition: Condition) -> str:
    """Return *condition* as text in its one form: `parse` returns an equal one."""
    return str(condition)


@dataclass(frozen=True, slots=True)
class _Token:
    """A piece of text: *kind* is quoted, sign, mark, bare, and, or, or end."""

    kind: str
    text: str
    at: str

    def is_mark(self, mark: str) -> bool:
        """Tell whether this is the parenthesis, comma or percent sign *mark*."""
        return self.kind == "mark" and self.text == mark

    @property
    def keyword(self) -> str | None:
        """Return the operator's word that this is, if it is one."""
        folded = self.text.casefold()
        return folded if folded in KEYWORDS else None

    @property
    def said(self) -> str:
        """Return the text as it was meant: without the quotes around it."""
        if self.kind != "quoted":
            return self.text
        quote = self.text[0]
        return self.text[1:-1].replace(quote * 2, quote)


def _tokens(written: str) -> Iterator[_Token]:
    place = 0
    while place < len(written):
        found = _TOKEN.match(written, place)
        if found is None:
            raise ConditionError(_unreadable(written[place]), str(place + 1))
        kind, piece = found.lastgroup, found.group()
        if kind is not None:
            joint = _JOINTS.get(piece.casefold()) if kind in ("joint", "bare") else None
            yield _Token(joint or kind, piece, str(place + 1))
        place = found.end()
    yield _Token("end", "", str(len(written) + 1))


def _unreadable(letter: str) -> str:
    if letter in "'\"":
        return f"the quote that opens here is not closed; within quotes, {letter} is written twice"
    # Typographic ones, as word processors put them.
    if letter in "\u2018\u2019\u201c\u201d":
        return f"{letter} is no quote here: use ' or \""
    return f"{shown(letter)} has no meaning here; put words that contain it in quotes"


class _Parser:
    """A reader of one text, from its first token to its last."""

    def __init__(self, written: str, words: Vocabulary) -> None:
        self._tokens = tuple(_tokens(written))
        self._place = 0
        self._words = words

    @property
    def _next(self) -> _Token:
        return self._tokens[self._place]

    def _take(self) -> _Token:
        token = self._next
        self._place += token.kind != "end"
        return token

    def _take_mark(self, mark: str) -> bool:
        found = self._next.is_mark(mark)
        self._place += found
        return found

    def _refuse(self, expected: str) -> NoReturn:
        token = self._next
        found = "the end" if token.kind == "end" else shown(token.said)
        raise ConditionError(f"expected {expected}, not {found}", token.at)

    def whole(self) -> Groups:
        """Return the groups of the whole text."""
        groups = self._either(0)
        if self._next.kind != "end":
            self._refuse("AND, OR or the end")
        return groups

    def _either(self, depth: int) -> Groups:
        groups = self._both(depth)
        while self._next.kind == "or":
            at = self._take().at
            groups += self._both(depth)
            within_limits(groups, at)
        return groups

    def _both(self, depth: int) -> Groups:
        groups = self._single(depth)
        while self._next.kind == "and":
            at = self._take().at
            right = self._single(depth)
            # Neither side is beyond the limits, so that their product is small enough to look at.
            groups = tuple(one + other for one in groups for other in right)
            within_limits(groups, at)
        return groups

    def _single(self, depth: int) -> Groups:
        if not self._next.is_mark("("):
            return ((self._term(),),)
        if depth == MAX_DEPTH:
            raise ConditionError(f"parentheses are more than {MAX_DEPTH} deep", self._next.at)
        self._take()
        groups = self._either(depth + 1)
        if not self._take_mark(")"):
            self._refuse("AND, OR or )")
        return groups

    def _term(self) -> Term:
        field = self._field()
        operator = self._operator(field)
        return Term(field.name, operator, value_of(field, operator, self._value(field, operator)))

    def _field(self) -> Field:
        first = self._next
        if first.keyword == "not":
            message = "NOT stands before no term; use another operator, like != or not in"
            raise ConditionError(message, first.at)
        if first.kind == "quoted":
            return self._words.field(Written(self._take().said, first.at))
        run = self._tokens[self._place : self._place + _LONGEST_NAME]
        names = [token.text for token in takewhile(_is_plain, run)]
        if not names:
            self._refuse(f"a field, as in {_EXAMPLE}")
        for length in range(len(names), 0, -1):
            field = self._words.find(" ".join(names[:length]))
            if field is not None:
                self._place += length
                self._unit(field)
                return field
        return self._words.field(Written(" ".join(names), first.at))

    def _operator(self, field: Field) -> str:
        first = self._next
        if first.kind == "sign":
            return operator_of(field, Written(self._take().text, first.at))
        for length in (3, 2, 1) if first.keyword else ():
            run = self._tokens[self._place : self._place + length]
            spelled = " ".join(token.text.casefold() for token in run)
            if spelled in SPELLINGS:
                self._place += length
                return operator_of(field, Written(spelled, first.at))
        # IQ-130 itself says "Renewal within 60 days".
        if field.name == "renewal_within" and first.text[:1].isdigit():
            return AT_MOST
        return self._refuse(f"an operator after {field.name} ({', '.join(OPERATORS[field.kind])})")

    def _value(self, field: Field, operator: str) -> Written:
        at = self._next.at
        if operator in WITHOUT_VALUE:
            return Written(None, at)
        if operator not in WITH_LIST:
            return self._one(field)
        if not self._take_mark("("):
            self._refuse(f"a list after {operator}, like ('a', 'b')")
        parts = [self._one(field)]
        while self._take_mark(","):
            parts.append(self._one(field))
        if not self._take_mark(")"):
            self._refuse("a comma or ) in the list")
        return Written(tuple(parts), at)

    def _one(self, field: Field) -> Written:
        """Take one number or word; words without quotes go on until something else comes."""
        first = self._next
        if first.kind != "quoted" and not _is_plain(first):
            self._refuse(_wanted(field))
        said = self._take().said
        if first.kind == "bare" and field.kind != NUMBER:
            while _is_plain(self._next):
                said += f" {self._take().text}"
        self._unit(field)
        if field.kind == NUMBER and self._next.is_mark(","):
            raise ConditionError("numbers are written without separators: 1000", self._next.at)
        return Written(said, first.at)

    def _unit(self, field: Field) -> None:
        units = _UNITS.get(field.name, ())
        self._place += self._next.kind != "quoted" and self._next.text.casefold() in units


def _is_plain(token: _Token) -> bool:
    return token.kind == "bare" and token.keyword is None


def _wanted(field: Field) -> str:
    if field.kind == NUMBER:
        return "a number"
    return f"one of {', '.join(field.options)}" if field.options else "a word in quotes"
