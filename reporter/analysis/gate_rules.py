r"""Rules a report must hold, as people write them: ``title:/refund/i p95_latency_s <= 12s surely``.

    rule      := [scope] metric comparison [certainty]
    scope     := total | any | new | noise | lineage:ID | title:/regex/[i]        any, if it is left out
    metric    := a name of `estimates` or `metrics` in report.json, new_share or gone_share
    comparison:= (<= | < | >= | >) number | +number | -number | +number% | -number%
    certainty := maybe | surely                                                   maybe, if it is left out

A sign compares with the prior run: the figure may not rise (+) or fall (-) by more than that, in percent of
what it was or in its own unit. Numbers may carry their unit: ``5%``, ``$0.02``, ``12s``, ``340ms``, ``1.2k``,
``2pp`` (percentage points).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal, TypeAlias

from reporter.report import ESTIMATES, Metrics

ScopeKind: TypeAlias = Literal["total", "any", "new", "noise", "lineage", "title"]
Way: TypeAlias = Literal["<=", "<", ">=", ">", "+", "-"]
Certainty: TypeAlias = Literal["maybe", "surely"]
Unit: TypeAlias = Literal["share", "money", "seconds", "tokens", "count"]

JOB_METRICS = ("new_share", "gone_share")
"""Shares of a run's items in new clusters, and of the prior run's items in gone ones."""
_POSTHOG = tuple(
    name
    for name in Metrics.__struct_fields__
    if name not in ("dominant_evaluation_name", "dominant_runtime", "sentiment")
)
METRICS = (*ESTIMATES, *(name for name in _POSTHOG if name not in ESTIMATES), *JOB_METRICS)
"""Every figure a rule may be about."""
_SCOPES = ("total", "any", "new", "noise", "lineage:ID", "title:/regex/")
_WORD = re.compile(r"[a-z][a-z0-9_]*", re.IGNORECASE)
_TITLE = re.compile(r"title:/((?:\\.|[^/\\])+)/(i?)(?=\s|$)")
_LINEAGE = re.compile(r"lineage:(\S+)")
_WAY = re.compile(r"<=|>=|<|>|[+−-]")
_NUMBER = re.compile(
    r"(?P<dollar>\$\s?)?(?P<number>[0-9]+(?:\.[0-9]+)?|\.[0-9]+)\s?(?P<unit>%|pp|points?|ms|s|k|m)?(?=\s|$)",
    re.IGNORECASE,
)


class RuleError(ValueError):
    """A rule that cannot be read, and where."""

    def __init__(self, text: str, position: int, message: str) -> None:
        """Describe it.

        Args:
            text: The rule.
            position: Index of the character that is wrong.
            message: What is wrong and what is allowed.
        """
        super().__init__(message)
        self.text = text
        self.position = position
        self.message = message

    def __str__(self) -> str:
        """Show the rule with a mark under the character, then what is wrong."""
        return f"\n    {self.text}\n    {' ' * self.position}^\n  {self.message}"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, read."""

    text: str
    scope: ScopeKind
    subject: str
    """Id of the lineage, or pattern of the title; empty for the other scopes."""
    ignore_case: bool
    metric: str
    way: Way
    limit: float
    """In the metric's unit, shares 0-1; a part of 1 where it is relative."""
    relative: bool
    """Whether the limit is a part of the prior figure."""
    certainty: Certainty

    @property
    def compares(self) -> bool:
        """Whether the rule is about the change since the prior run."""
        return self.way in ("+", "-")

    @property
    def unit(self) -> Unit:
        """What the metric is measured in."""
        return unit_of(self.metric)


def unit_of(metric: str) -> Unit:
    """Say what a metric is measured in."""
    if metric in ("share", "error_rate", "pass_rate", "na_rate", *JOB_METRICS):
        return "share"
    if metric in ("item_count", "error_count"):
        return "count"
    if "cost" in metric:
        return "money"
    return "seconds" if "latency" in metric else "tokens"


def parse(text: str) -> Rule:
    """Read a rule.

    Raises:
        RuleError: It is no rule; says where, and what is allowed there.
    """
    reader = _Reader(text)
    scope, subject, ignore_case = reader.scope()
    metric = reader.metric()
    way, limit, relative = reader.comparison(metric)
    certainty = reader.certainty()
    reader.end()
    if metric in JOB_METRICS and scope not in ("any", "total"):
        raise RuleError(text, 0, f"{metric} is about a whole run; leave the scope out")
    if metric in JOB_METRICS and way in ("+", "-"):
        raise RuleError(text, text.index(metric), f"{metric} compares two runs already; give a limit with <=")
    if scope == "new" and way in ("+", "-"):
        raise RuleError(text, 0, "a new cluster has nothing to be compared with; give a limit with <= or >=")
    if metric == "share" and scope == "total":
        raise RuleError(text, 0, "the share of a whole run is always 100%")
    return Rule(text, scope, subject, ignore_case, metric, way, limit, relative, certainty)


class _Reader:
    """Reads a rule from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._skip()

    def scope(self) -> tuple[ScopeKind, str, bool]:
        if found := self._take(_TITLE):
            try:
                re.compile(found[1])
            except re.error as error:
                place = found.start(1) + min(error.pos or 0, len(found[1]) - 1)
                raise RuleError(self._text, place, f"this is no regular expression: {error.msg}") from None
            return "title", found[1], found[2] == "i"
        if self._text.startswith("title:", self._at):
            raise self._wrong("write title:/words or pattern/, with an i behind it to ignore case")
        if found := self._take(_LINEAGE):
            return "lineage", found[1], False
        for name in ("total", "any", "new", "noise"):
            if (found := _WORD.match(self._text, self._at)) and found[0].lower() == name:
                self._at = found.end()
                self._skip()
                return name, "", False
        return "any", "", False

    def metric(self) -> str:
        found = _WORD.match(self._text, self._at)
        if found is None:
            raise self._wrong(
                f"a scope ({', '.join(_SCOPES)}) or the name of a figure, such as error_rate, is due here"
            )
        name = found[0].lower()
        if name not in METRICS:
            near = get_close_matches(name, METRICS, n=1, cutoff=0.6)
            hint = f"; did you mean {near[0]}?" if near else f". There are {', '.join(METRICS)}."
            raise self._wrong(f"there is no figure called {found[0]}{hint}")
        self._at = found.end()
        self._skip()
        return name

    def comparison(self, metric: str) -> tuple[Way, float, bool]:
        found = _WAY.match(self._text, self._at)
        if found is None:
            raise self._wrong(
                "one of <=, <, >=, > with a limit, or + or - with how much it may change, is due here"
            )
        sign = found[0].replace("−", "-")
        self._at = found.end()
        self._skip()
        number = self._take(_NUMBER)
        if number is None:
            raise self._wrong("a number is due here, such as 5%, $0.02, 12s or 1.2k")
        ways: dict[str, Way] = {"<=": "<=", "<": "<", ">=": ">=", ">": ">", "+": "+", "-": "-"}
        way = ways[sign]
        return way, *self._limit(metric, way, number)

    def _limit(self, metric: str, way: Way, number: re.Match[str]) -> tuple[float, bool]:
        value, unit = float(number["number"]), (number["unit"] or "").lower()
        kind = unit_of(metric)
        if unit == "%" and way in ("+", "-"):
            if number["dollar"]:
                raise RuleError(self._text, number.start("dollar"), "dollars or percent, not both")
            return value / 100, True
        if number["dollar"] and kind != "money":
            raise RuleError(self._text, number.start("dollar"), f"{metric} is not in dollars")
        scale = _scale(kind, unit)
        if scale is None:
            place = number.start("unit")
            raise RuleError(self._text, place, f"{metric} is {_IN[kind]}, not in {number['unit']}")
        if kind == "share" and not unit and value > 1:
            raise RuleError(self._text, number.start("number"), f"write {value:g}%, or a share from 0 to 1")
        return value * scale, False

    def certainty(self) -> Certainty:
        found = _WORD.match(self._text, self._at)
        word = found[0].lower() if found else ""
        if found is not None and word in ("maybe", "surely"):
            self._at = found.end()
            self._skip()
            return "surely" if word == "surely" else "maybe"
        return "maybe"

    def end(self) -> None:
        if self._at < len(self._text):
            raise self._wrong("the rule should end here, or go on with maybe or surely")

    def _take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self._text, self._at)
        if found is not None:
            self._at = found.end()
            self._skip()
        return found

    def _skip(self) -> None:
        while self._at < len(self._text) and self._text[self._at].isspace():
            self._at += 1

    def _wrong(self, message: str) -> RuleError:
        return RuleError(self._text, self._at, message)


_IN = {
    "share": "a share, in %",
    "money": "in dollars",
    "seconds": "in seconds",
    "tokens": "in tokens",
    "count": "a number of items",
}


def _scale(kind: Unit, unit: str) -> float | None:
    """Give what a number is multiplied by; ``None`` where the unit is another kind's."""
    if not unit:
        return 1.0
    known: dict[Unit, dict[str, float]] = {
        "share": {"%": 0.01, "pp": 0.01, "point": 0.01, "points": 0.01},
        "money": {"k": 1e3, "m": 1e6},
        "seconds": {"s": 1.0, "ms": 1e-3, "m": 60.0},
        "tokens": {"k": 1e3, "m": 1e6},
        "count": {"k": 1e3, "m": 1e6},
    }
    return known[kind].get(unit)
