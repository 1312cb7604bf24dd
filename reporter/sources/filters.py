"""PostHog property filters, spelled as SQL conditions that mean what PostHog's own queries mean.

Pure: nothing here reads anything. A filter that cannot be spelled faithfully makes the whole list
unusable (``None``), because a population under half of its filters is a wrong population.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from reporter.sources.base import PERSON

Scope: TypeAlias = Literal["event", "person"]

_SCOPES: Mapping[object, Scope] = {None: "event", "": "event", "event": "event", "person": "person"}
_MAX_VALUES = 1_000
_COMPARISONS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


@dataclass(frozen=True, slots=True, order=True)
class Property:
    """A property a condition looks at."""

    scope: Scope
    """``event`` for the event's own properties, ``person`` for those of its user."""
    key: str
    """The property's name, exactly."""


@dataclass(frozen=True, slots=True)
class Condition:
    """An SQL condition over property texts, true for the events that pass."""

    sql: str
    """Refers to the text of property number *n* as ``{p0}``, ``{p1}`` … and to values as ``$f0`` …;
    never NULL."""
    properties: tuple[Property, ...]
    """The properties, in the order of their numbers."""
    values: Mapping[str, Any]
    """Bound values by name, without the dollar sign."""


@dataclass(frozen=True, slots=True)
class Spelling:
    """How an engine spells what differs; ``{0}`` is the property's text, ``{1}`` a value."""

    number: str
    contains: str
    matches: str


DUCKDB = Spelling(
    number="number({0})", contains="contains(lower({0}), lower({1}))", matches="regexp_matches({0}, {1}, 's')"
)
CLICKHOUSE = Spelling(
    number="if(isFinite(toFloat64OrNull({0})), toFloat64OrNull({0}), NULL)",
    contains="(positionUTF8(lowerUTF8({0}), lowerUTF8({1})) > 0)",
    matches="match({0}, concat('(?s)', {1}))",
)


def condition_of(filters: Sequence[Mapping[str, Any]], spelling: Spelling = DUCKDB) -> Condition | None:
    """Spell a list of property filters, all of which must hold.

    PostHog's reading is kept: a property that is missing, empty or the text ``null`` counts as not
    set; the negative operators let events without the property pass; lists mean "any of" for the
    positive operators and "none of" for the negative ones; numbers equal numbers however written;
    regular expressions are RE2, found anywhere, with ``.`` matching line ends.

    Args:
        filters: ``{key, value, operator?, type?}`` objects, as a job holds them.
        spelling: Whose SQL it is.

    Returns:
        The condition (true for an empty list), or ``None`` if any filter cannot be spelled: another
        type than event or person, an unknown operator, an order between things that are no numbers,
        a malformed filter. That a regular expression is valid must be tried out by the reader.
    """
    builder = _Builder(spelling)
    terms = []
    for raw in filters:
        term = builder.term(raw)
        if term is None:
            return None
        terms.append(term)
    return Condition(
        sql=" AND ".join(terms) or "true", properties=tuple(builder.properties), values=builder.values
    )


def named(name: str) -> Property:
    """Read the name of a property as people write it: ``person.plan`` is the user's, ``plan`` the event's."""
    key = name.removeprefix(PERSON)
    return Property("event" if key == name else "person", key)


def equality(properties: Mapping[str, str], spelling: Spelling = DUCKDB) -> Condition:
    """Spell "each of these properties has this text"."""
    builder = _Builder(spelling)
    terms = []
    for key, text in sorted(properties.items()):
        column = builder.column(named(key))
        terms.append(f"coalesce({builder.equal(column, text)}, false)")
    return Condition(
        sql=" AND ".join(terms) or "true", properties=tuple(builder.properties), values=builder.values
    )


class _Builder:
    """Collects properties and values while terms are spelled."""

    def __init__(self, spelling: Spelling) -> None:
        self.spelling = spelling
        self.properties: list[Property] = []
        self.values: dict[str, Any] = {}

    def column(self, prop: Property) -> str:
        if prop not in self.properties:
            self.properties.append(prop)
        return f"{{p{self.properties.index(prop)}}}"

    def value(self, value: Any) -> str:
        name = f"f{len(self.values)}"
        self.values[name] = value
        return f"${name}"

    def term(self, raw: object) -> str | None:
        """Spell one filter; ``None`` where it cannot be."""
        prop = _property(raw)
        if prop is None or not isinstance(raw, Mapping):
            return None
        operator, value = raw.get("operator") or "exact", raw.get("value")
        if operator in ("is_set", "is_not_set"):
            return f"({self.column(prop)} IS {'NOT ' if operator == 'is_set' else ''}NULL)"
        if not isinstance(operator, str):
            return None
        if operator in _COMPARISONS:
            return self._comparison(prop, _COMPARISONS[operator], value)
        return self._matching(prop, operator, value) if operator in _MATCHERS else None

    def _comparison(self, prop: Property, sign: str, value: object) -> str | None:
        number = _number(value)
        if number is None:
            return None
        return f"coalesce({self.number(self.column(prop))} {sign} {self.value(number)}, false)"

    def _matching(self, prop: Property, operator: str, value: object) -> str | None:
        values = list(value) if isinstance(value, (list, tuple)) else [value]
        texts = [_text(each) for each in values]
        if len(texts) > _MAX_VALUES or None in texts:
            return None
        spell, negative = _MATCHERS[operator]
        column = self.column(prop)
        if not texts:  # nothing was chosen yet: PostHog lets everything pass
            return "true"
        any_of = " OR ".join(spell(self, column, text) for text in texts if text is not None)
        return f"NOT coalesce({any_of}, false)" if negative else f"coalesce({any_of}, false)"

    def number(self, column: str) -> str:
        return self.spelling.number.format(column)

    def equal(self, column: str, text: str) -> str:
        same = f"{column} = {self.value(text)}"
        number = _number(text)
        return f"({same})" if number is None else f"({same} OR {self.number(column)} = {self.value(number)})"

    def contains(self, column: str, text: str) -> str:
        return self.spelling.contains.format(column, self.value(text))

    def matches(self, column: str, text: str) -> str:
        return self.spelling.matches.format(column, self.value(text))


_MATCHERS: Mapping[str, tuple[Callable[[_Builder, str, str], str], bool]] = {
    "exact": (_Builder.equal, False),
    "is_not": (_Builder.equal, True),
    "icontains": (_Builder.contains, False),
    "not_icontains": (_Builder.contains, True),
    "regex": (_Builder.matches, False),
    "not_regex": (_Builder.matches, True),
}
"""Operator → how one value is spelled, and whether the whole is negated."""


def _property(raw: object) -> Property | None:
    """Read which property a filter looks at; ``None`` for filters on anything else."""
    if not isinstance(raw, Mapping) or raw.get("negation"):
        return None
    key, kind = raw.get("key"), raw.get("type")
    if not isinstance(key, str) or not key or not _storable(key):
        return None
    scope = _SCOPES.get(kind) if kind is None or isinstance(kind, str) else None
    return Property(scope, key) if scope else None


def _text(value: object) -> str | None:
    """Give a filter value as the text it is compared with; ``None`` for what is no value."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value if _storable(value) else None
    if isinstance(value, float):
        return (str(int(value)) if value.is_integer() else repr(value)) if math.isfinite(value) else None
    return str(value) if isinstance(value, int) else None


def _number(value: object) -> float | None:
    """Read a number, also one written as text; ``None`` for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    if isinstance(value, str) and ("_" in value or not value.isascii()):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _storable(text: str) -> bool:
    """Whether text can be handed to a database at all (no lone surrogates)."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
