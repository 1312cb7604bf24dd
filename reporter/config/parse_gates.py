"""From what a person typed to rules and what becomes of them."""

from __future__ import annotations

import json
from collections.abc import Mapping

from reporter.config import parse
from reporter.config.settings import Gating

_PARTS = ("rule", "severity", "min_n", "until", "reason")
_WHAT, _OUTCOMES = ("not_enough_data", "not_comparable"), ("pass", "fail")


def rules(raw: object) -> tuple[Gating, ...]:
    """Read rules, one a line or a list of them."""
    return tuple(_rule(text) for text in parse.lines(raw))


def gates(raw: object) -> tuple[Gating, ...]:
    """Read rules with more to say of them: tables, or as text a list of them in JSON."""
    try:
        tables = json.loads(raw) if isinstance(raw, str) else raw
    except (ValueError, RecursionError):
        tables = None
    if not isinstance(tables, list | tuple) or not all(isinstance(table, Mapping) for table in tables):
        raise ValueError("give tables [[gates]], each with a rule")
    return tuple(_gate(table) for table in tables)


def policy(raw: object) -> tuple[tuple[str, str], ...]:
    """Read what becomes of rules that cannot be judged."""
    found = {}
    for text in parse.lines(raw):
        what, _, outcome = (part.strip() for part in text.partition("="))
        if what not in _WHAT or outcome not in _OUTCOMES:
            raise ValueError(f"give {' or '.join(_WHAT)}, and pass or fail, such as not_comparable=fail")
        found[what] = outcome
    return tuple(found.items())


def _gate(table: Mapping[str, object]) -> Gating:
    if unknown := sorted(table.keys() - set(_PARTS)):
        raise ValueError(f"a [[gates]] has {', '.join(_PARTS)}, but no {unknown[0]!r}")
    if "rule" not in table:
        raise ValueError("a [[gates]] needs a rule")
    if ("until" in table) != ("reason" in table):
        raise ValueError("a waiver needs both: until, a date, and reason, a sentence that is printed with it")
    severity = parse.choice("fail", "warn")(table.get("severity", "fail"))
    return Gating(
        rule=_rule(parse.text(table["rule"])).rule,
        severity="warn" if severity == "warn" else "fail",
        min_n=parse.whole(table["min_n"]) if "min_n" in table else None,
        until=parse.moment(table["until"]) if "until" in table else None,
        reason=parse.text(table["reason"]) if "reason" in table else "",
    )


def _rule(text: str) -> Gating:
    from reporter.analysis import gate_rules

    try:
        return Gating(gate_rules.parse(text))
    except gate_rules.RuleError as error:
        raise ValueError(f"give a rule that can be read:{error}") from None
