"""Identity over many runs: ids are handed on, never shared, never changed; histories show what was measured."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reporter import report as r
from reporter import units
from reporter.analysis import lineage, memory, news, section
from reporter.analysis.matching import membership
from reporter.analysis.memory import Memory
from reporter.model import Membership, Run, RunHeader
from tests.worlds import THEMES, inputs, rows, run

SIZES = dict(zip(THEMES, (60, 50, 40, 30, 25, 20), strict=True))


def daily(days: int, *, without: dict[int, str] | None = None) -> list[Run]:
    """Runs a day apart that share most of their items, the oldest first; `without` leaves a theme out."""
    made = []
    for day in reversed(range(days)):
        sizes = {t: n for t, n in SIZES.items() if t != (without or {}).get(day)}
        made.append(run(sizes, day, noise=10, prefix="same"))
    return made


def held(runs: list[Run]) -> list[tuple[RunHeader, Membership]]:
    return [(one.header, membership(one)) for one in runs]


def ids(found: Memory, one: Run) -> dict[str, str]:
    step = found.step(one.header.run_id)
    assert step is not None
    return {place.title: place.lineage_id for place in step.places}


def test_ids_are_stable_and_distinct_and_the_noise_has_one_for_ever() -> None:
    made = lineage.lineage_id(None, "trace", "r", 3)
    assert made == lineage.lineage_id(None, "trace", "r", 3)
    assert len(made) == 12
    everyone = {lineage.lineage_id(j, "trace", r, c) for j in (None, "j") for r in "rs" for c in (0, 1)}
    assert len(everyone) == 8
    assert lineage.lineage_id("j", "trace", "r", -1) == lineage.lineage_id("j", "trace", "s", -1)


def test_a_cluster_keeps_its_id_over_runs_and_a_gap() -> None:
    runs = daily(6, without={2: "Password help"})
    found = lineage.followed(Memory(), held(runs))
    assert [ids(found, one) == ids(found, runs[0]) for one in runs] == [True, True, True, False, True, True]
    life = memory.lineage(found, ids(found, runs[-1])["Password help"], provisional=False)
    assert (life.runs, life.names) == (5, ["Password help"])
    assert life.first_seen == units.iso(runs[0].header.window.end)


@given(seed=st.integers(0, 1000))
@settings(max_examples=10)
def test_the_order_of_runs_and_clusters_makes_no_difference(seed: int) -> None:
    runs, rng = daily(4, without={1: "Refund disputes"}), random.Random(seed)
    shuffled = [
        replace(one, clusters=tuple(rng.sample(one.clusters, len(one.clusters))))
        for one in rng.sample(runs, len(runs))
    ]
    assert lineage.followed(Memory(), held(shuffled)) == lineage.followed(Memory(), held(runs))


def test_what_is_known_is_never_changed_and_only_news_is_added() -> None:
    runs = daily(5)
    early = lineage.followed(Memory(), held(runs[:3]))
    whole = lineage.followed(early, held(runs[2:]))
    assert whole.steps[:3] == early.steps
    assert whole == lineage.followed(Memory(), held(runs))
    assert lineage.followed(whole, held(runs)) == whole
    assert (
        lineage.followed(lineage.followed(Memory(), held(runs[3:])), held(runs[:2])).step(
            runs[0].header.run_id
        )
        is None
    ), "an older run that turns up late changes no ids"


def test_a_run_stored_again_is_followed_anew() -> None:
    runs = daily(3)
    found = lineage.followed(Memory(), held(runs))
    again = replace(runs[-1], header=replace(runs[-1].header, event_uuid="another"))
    redone = lineage.followed(found, held([*runs[:-1], again]))
    step = redone.step(again.header.run_id)
    assert step is not None
    assert step.event_uuid == "another"


def test_no_two_clusters_of_a_run_share_an_id_after_a_split() -> None:
    runs = daily(2)
    first = runs[-1].clusters[0]
    halves = (
        replace(first, items=first.items[:30]),
        replace(first, cluster_id=50, title="Other half", items=first.items[30:]),
    )
    runs[-1] = replace(runs[-1], clusters=(*halves, *runs[-1].clusters[1:]))
    found = ids(lineage.followed(Memory(), held(runs)), runs[-1])
    assert len(set(found.values())) == len(found)


def test_needed_runs_are_those_unknown_and_the_week_before() -> None:
    runs = daily(20)
    headers = [one.header for one in runs]
    latest = headers[-1]
    assert lineage.needed(Memory(), headers, latest) == tuple(headers[:-1])
    known = lineage.followed(Memory(), held(runs[:-2]))
    asked = lineage.needed(known, headers, latest)
    assert [h.run_id for h in asked] == [h.run_id for h in headers[-9:-1]]
    assert lineage.needed(lineage.followed(known, held(runs)), headers, latest) == ()
    labelled = [replace(h, label="by hand") for h in headers[:-1]]
    assert lineage.needed(Memory(), [*labelled, latest], latest) == ()
    ancient = replace(headers[0], window=replace(latest.window, end=latest.window.end - timedelta(weeks=14)))
    assert ancient not in lineage.needed(Memory(), [ancient, latest], latest)


def test_history_has_a_point_a_week_and_measures_only_what_was_measured() -> None:
    runs = [run(SIZES, 7 * week, noise=10) for week in reversed(range(20))]
    found = lineage.followed(Memory(), held(runs))
    made = section.build(replace(inputs(runs[-1], runs[-2]), memory=found, kept=True))
    assert [len(c.history) for c in made.clusters] == [13] * 6
    assert made.overall is not None
    assert [point.share for point in made.overall.history] == [1.0, 1.0]
    for cluster in made.clusters:
        assert cluster.lineage.runs == 20
        assert not cluster.lineage.provisional
        assert [point.window_end for point in cluster.history] == sorted(
            p.window_end for p in cluster.history
        )
        assert [point.mean_cost_usd is not None for point in cluster.history] == [False] * 11 + [True] * 2
        assert cluster.history[-1].share == pytest.approx(cluster.share)
    assert {old.lineage_id for old in made.prior_clusters} == {c.lineage_id for c in made.clusters}


def reported(made: r.JobSection, found: list[r.Finding]) -> r.Report:
    return r.Report(
        schema_version=r.SCHEMA_VERSION, content_sha256="", timezone="UTC", files=[], kind="weekly", title="T",
        generated_at="2026-11-23T08:00:00Z", reporter_version="0", redaction="titles", verdict="changed",
        headline="", source=r.SourceInfo(kind="export", location="x", project_id=None), warnings=[],
        findings=found, gates=[], jobs=[made],
    )  # fmt: skip


def dearer(latest: Run, prior: Run, past: Memory) -> tuple[r.JobSection, list[r.Finding]]:
    from reporter.analysis import findings

    made = section.build(
        replace(
            inputs(latest, prior, latest_rows=rows(latest, 1, cost={"Refund disputes": 4.0})),
            memory=lineage.followed(past, held([prior, latest])),
            kept=True,
        )
    )
    return made, [news.seen(past.told, made, finding) for finding in findings.findings([made])]


@pytest.mark.parametrize(
    ("days", "word"),
    [(0.5, "repeated"), (6.9, "repeated"), (7, "confirmed"), (29, "confirmed"), (31, "new"), (-1, "new")],
)
def test_a_finding_of_an_earlier_report_is_repeated_or_confirmed(days: float, word: str) -> None:
    latest, prior = run(SIZES, 0), run(SIZES, 7)
    made, found = dearer(latest, prior, Memory())
    assert {finding.seen for finding in found} == {"new"}
    said = memory.remembered(lineage.followed(Memory(), held([prior, latest])), made, found).told[-1]
    end = latest.header.window.end - timedelta(days=days)
    earlier = msgspec.structs.replace(said, run_id="earlier", window_end=units.iso(end))
    again = [news.seen([earlier], made, finding) for finding in found]
    assert {finding.seen for finding in again} == {word}
    other = msgspec.structs.replace(found[0], direction="down")
    assert news.seen([earlier], made, other).seen == "new"


def test_a_report_does_not_repeat_itself() -> None:
    latest, prior = run(SIZES, 0), run(SIZES, 7)
    made, found = dearer(latest, prior, Memory())
    past = memory.remembered(lineage.followed(Memory(), held([prior, latest])), made, found)
    remade, refound = dearer(latest, prior, past)
    assert {finding.seen for finding in refound} == {"new"}
    assert memory.remembered(past, remade, refound) == past


def test_an_earlier_report_stands_in_for_a_state_folder() -> None:
    runs = [run(SIZES, 7 * week, noise=10) for week in reversed(range(4))]
    found = lineage.followed(Memory(), held(runs[:3]))
    made, told = dearer(runs[2], runs[1], found)
    read = memory.of_report(reported(made, told), 0)
    known = lineage.followed(read, held(runs[2:]))
    later = section.build(replace(inputs(runs[3], runs[2]), memory=known, kept=True))
    before = {c.title: c for c in made.clusters}
    for cluster in later.clusters:
        assert cluster.lineage_id == before[cluster.title].lineage_id
        assert cluster.lineage.runs == before[cluster.title].lineage.runs + 1
        assert cluster.lineage.first_seen == before[cluster.title].lineage.first_seen
        assert [p.mean_cost_usd for p in cluster.history][-3:-2] == [
            before[cluster.title].history[-2].mean_cost_usd
        ]
    assert read.told[0].keys
    assert msgspec.convert(msgspec.to_builtins(read), Memory) == read


def test_what_is_too_old_is_forgotten() -> None:
    runs = [run(SIZES, 7 * week) for week in reversed(range(30))]
    found = lineage.followed(Memory(), held(runs))
    made, told = dearer(runs[-1], runs[-2], found)
    kept = memory.remembered(found, made, told)
    assert len(kept.steps) == 27
    assert {p.lineage_id for s in kept.steps for p in s.places} == set(kept.lives)
