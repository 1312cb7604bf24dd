"""PostHog's property filters as conditions of a HogQL statement."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.servers import dates
from tests.servers.hogql_parse import Node, call, compare, constant, every, field, parse_expr
from tests.servers.refusal import invalid
from tests.servers.settings import Settings

_FIELDS = {"properties", "dateRange", "filterTestAccounts"}
_KNOWN = {"key", "value", "operator", "type", "label", "cohort_name", "negation", "group_type_index"}
_NEGATIVE = ("is_not", "not_icontains", "not_regex", "not_in")
_COMPARED = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<=", "min": ">=", "max": "<="}


def condition(filters: Any, settings: Settings) -> Node:
    """Spell what ``{filters}`` stands for.

    Raises:
        Refused: A filter PostHog does not accept.
    """
    if filters is None:
        return constant(value=True)
    if not isinstance(filters, dict) or set(filters) - _FIELDS:
        raise invalid("Extra inputs are not permitted", "invalid_input", "query__HogQLQuery__filters")
    parts = [of_property(one, settings) for one in filters.get("properties") or []]
    stamp = field("timestamp")
    between = filters.get("dateRange") or {}
    if between.get("date_to"):
        parts.append(compare(stamp, "<", _instant(between["date_to"], settings)))
    if between.get("date_from") and between["date_from"] != "all":
        parts.append(compare(stamp, ">=", _instant(between["date_from"], settings)))
    if filters.get("filterTestAccounts"):
        parts += [of_property(one, settings) for one in settings.test_account_filters]
    return every(parts)


def _instant(text: str, settings: Settings) -> Node:
    return {"node": "Constant", "instant": dates.moment(text, settings.timezone).isoformat()}


def of_property(given: Any, settings: Settings) -> Node:
    """Spell one property filter.

    Raises:
        Refused: PostHog does not accept it.
    """
    if not isinstance(given, dict):
        raise invalid("Input should be a valid dictionary", "invalid_input")
    if given.get("type") in ("AND", "OR"):
        inner = [of_property(one, settings) for one in given.get("values") or []]
        joined = "And" if given["type"] == "AND" else "Or"
        return {"node": joined, "exprs": inner} if len(inner) > 1 else every(inner)
    unknown = set(given) - _KNOWN
    if unknown:
        raise invalid(f"Extra inputs are not permitted: {min(unknown)}", "invalid_input")
    kind, key = given.get("type") or "event", given.get("key")
    if kind in ("cohort", "static-cohort", "precalculated-cohort"):
        return _cohort(given, settings)
    if kind == "hogql":
        return parse_expr(str(key))
    if kind not in ("event", "person", "event_metadata") or not isinstance(key, str):
        raise invalid(f"property_to_expr not implemented for filter type {kind}", "invalid_input")
    owner = {"event": ["properties"], "person": ["person", "properties"], "event_metadata": []}[kind]
    typed = settings.person_property_types if kind == "person" else settings.property_types
    return _Matcher(field(*owner, key), typed.get(key)).spell(
        given.get("operator") or "exact", given.get("value")
    )


def _cohort(given: dict[str, Any], settings: Settings) -> Node:
    number = given.get("value")
    if not isinstance(number, str | int):
        raise invalid("Cohort property value must be a cohort ID", "invalid_input")
    members = settings.cohorts.get(str(number))
    if members is None:
        raise invalid(f"Cohort id={number} does not exist", "invalid_input")
    negated = given.get("negation") or given.get("operator") == "not_in"
    return compare(field("distinct_id"), "not in" if negated else "in", constant(list(members)))


class _Matcher:
    """One property and what it is compared with."""

    def __init__(self, prop: Node, type_: str | None) -> None:
        self.prop = prop
        self.type = type_
        self.text = call("toString", prop)

    def spell(self, operator: str, value: Any) -> Node:
        matching: dict[str, Callable[[Any], Node]] = {
            "exact": lambda one: compare(self.prop, "==", constant(self._flag(one))),
            "is_not": lambda one: compare(self.prop, "!=", constant(self._flag(one))),
            "icontains": lambda one: compare(self.text, "ilike", constant(f"%{one}%")),
            "not_icontains": lambda one: compare(self.text, "not ilike", constant(f"%{one}%")),
            "regex": lambda one: call("ifNull", call("match", self.text, constant(one)), constant(0)),
            "not_regex": self._not_regex,
            **{name: self._comparing(sign) for name, sign in _COMPARED.items()},
        }
        if operator in ("is_set", "is_not_set"):
            return compare(self.prop, "!=" if operator == "is_set" else "==", constant(None))
        if operator in ("in", "not_in"):
            operator = "exact" if operator == "in" else "is_not"
        if operator not in matching:
            raise invalid(f"PropertyOperator {operator} not implemented", "invalid_input")
        match = matching[operator]
        values = value if isinstance(value, list) else [value]
        if len(values) > 1:
            return self._any_of(operator, values, match)
        return match(values[0]) if values else constant(1)

    def _any_of(self, operator: str, values: list[Any], match: Callable[[Any], Node]) -> Node:
        if operator in ("exact", "is_not"):
            listed = {"node": "Tuple", "exprs": [constant(one) for one in values]}
            return compare(self.prop, "in" if operator == "exact" else "not in", listed)
        if operator in ("icontains", "not_icontains"):
            found = call("multiSearchAnyCaseInsensitive", self.text, constant([str(one) for one in values]))
            return compare(found, ">" if operator == "icontains" else "==", constant(0))
        return {"node": "And" if operator in _NEGATIVE else "Or", "exprs": [match(one) for one in values]}

    def _comparing(self, sign: str) -> Callable[[Any], Node]:
        return lambda value: compare(self.prop, sign, constant(value))

    def _not_regex(self, value: Any) -> Node:
        found = {"node": "Not", "expr": call("match", self.text, constant(value))}
        return call("ifNull", found, constant(1))

    def _flag(self, value: Any) -> Any:
        if isinstance(value, bool):
            value = "true" if value else "false"
        return value == "true" if self.type == "Boolean" and value in ("true", "false") else value
