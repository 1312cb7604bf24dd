"""Muted findings are out of the verdict and in the report, with reason and end; an end is told loudly."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from reporter.analysis import muting, redact
from reporter.config.settings import Mute
from tests.reports import report, section

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
JOB = section()
COST = report([JOB]).findings[0]
GONE = msgspec.structs.replace(COST, rank=3, kind="gone", cluster_id=None, metric=None, prior_cluster_id=90)
MADE = report([JOB], findings=[*report([JOB]).findings, GONE])


def rule(**over: Any) -> Mute:
    fields = {"reason": "a fix is on its way", "until": NOW + timedelta(days=3)}
    return Mute(**(fields | over))


def kinds(*rules: Mute) -> tuple[list[str], list[str], list[str]]:
    left, out, caveats = muting.muted(MADE.findings, [JOB], rules, NOW)
    assert [finding.rank for finding in left] == list(range(1, len(left) + 1))
    assert len(left) + len(out) == len(MADE.findings)
    return [f.kind for f in left], [m.finding.kind for m in out], [c.code for c in caveats]


EVERYTHING = [f.kind for f in MADE.findings]


def test_without_rules_nothing_is_muted() -> None:
    assert kinds() == (EVERYTHING, [], [])


@pytest.mark.parametrize(
    ("over", "gone"),
    [
        ({"kind": "cost"}, ["cost"]),
        ({"kind": "errors", "job": JOB.job.name.upper()}, ["errors"]),
        ({"kind": "errors", "job": JOB.job.id}, ["errors"]),
        ({"kind": "errors", "job": "another"}, []),
        ({"cluster": "data IMPORT mapping"}, ["cost", "errors"]),
        ({"cluster": "/import.m/"}, ["cost", "errors"]),
        ({"cluster": "/^mapping/"}, []),
        ({"cluster": "lineage:" + next(c.lineage_id for c in JOB.clusters if c.title == "Data import mapping")},
         ["cost", "errors"]),
        ({"cluster": "lineage:none"}, []),
        ({"cluster": "Holiday opening hours"}, ["gone"]),
        ({"kind": "gone"}, ["gone"]),
    ],
)  # fmt: skip
def test_a_rule_mutes_what_it_names_and_nothing_else(over: dict[str, Any], gone: list[str]) -> None:
    left, out, caveats = kinds(rule(**over))
    assert sorted(out) == gone
    assert sorted(left) == sorted(k for k in EVERYTHING if k not in gone)
    assert caveats == []


def test_a_rule_that_has_ended_is_told_while_what_it_muted_goes_on() -> None:
    left, out, caveats = kinds(rule(kind="cost", until=NOW), rule(kind="latency", until=NOW))
    assert (left, out, caveats) == (EVERYTHING, [], ["mute_ended"])
    _, _, (caveat,) = muting.muted(MADE.findings, [JOB], [rule(kind="cost", until=NOW)], NOW)
    assert "“a fix is on its way”" in caveat.message


def test_reasons_are_words_and_fall_with_the_level() -> None:
    _, out, _ = muting.muted(MADE.findings, [JOB], [rule(kind="cost")], NOW)
    (kept,) = redact.muted(out, [JOB], "titles")
    (bare,) = redact.muted(out, [redact.section(JOB, "numbers")], "numbers")
    assert (kept.reason, bare.reason) == ("a fix is on its way", "")
    assert "Data import mapping" not in bare.finding.sentence
    lowered = redact.redact(msgspec.structs.replace(MADE, muted=out), "numbers")
    assert lowered.muted == [bare]
