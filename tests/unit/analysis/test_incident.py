"""An incident of known truth: right clusters, right times, no innocent one blamed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from reporter.analysis import incident_plan, incident_wording, redact
from reporter.model import Window
from reporter.units import parse_time
from tests import incidents
from tests.incidents import BROKE, CLUSTERS, MENDED, WINDOW

SEEDS = range(6)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_broken_clusters_are_found_and_no_innocent_one(seed: int) -> None:
    told = incidents.incident(seed)
    verdicts = {c.title: c.verdict for c in told.clusters}
    assert verdicts.pop("Hardly used", "unclear") == "unclear"
    assert verdicts == {
        "Broken answers": "affected",
        "Breaks a little": "affected",
        "Fails always": "control",
        "Surges in traffic": "control",
        "Calm": "control",
    }
    assert told.clusters[0].title == "Broken answers"


@pytest.mark.parametrize("seed", SEEDS)
def test_begin_and_end_are_within_a_bucket_of_the_truth(seed: int) -> None:
    told = incidents.incident(seed)
    bucket = timedelta(seconds=told.bucket_s)
    first = told.clusters[0]
    for effect, off in ((first, 1), (told.overall, 5)):
        assert effect.onset_at is not None
        assert effect.recovered_at is not None
        # A bucket that holds both sides of the moment may count as either.
        assert abs(parse_time(effect.onset_at) - BROKE) <= (off + 1) * bucket
        assert abs(parse_time(effect.recovered_at) - MENDED) <= (off + 1) * bucket
        assert not effect.elevated


@pytest.mark.parametrize("seed", SEEDS)
def test_excess_covers_the_calls_the_incident_made_fail(seed: int) -> None:
    counter, _, hits = incidents.counted(seed)
    excess = counter.overall().excess_failed
    assert excess is not None
    assert excess.low <= hits <= excess.high
    assert hits > 40


@pytest.mark.parametrize("seed", SEEDS)
def test_a_calm_night_blames_nobody(seed: int) -> None:
    told = incidents.incident(seed, broken=False)
    assert [c.title for c in told.clusters if c.verdict == "affected"] == []
    verdict, headline = incident_wording.verdict_and_headline(told, "UTC")
    assert verdict == "no_clear_change"
    assert headline.startswith("Calls did not fail more than usual")


def test_what_began_before_the_window_given_is_no_measure_of_what_is_usual() -> None:
    late = Window(datetime(2026, 11, 21, 0, 15, tzinfo=UTC), WINDOW.end)
    counter, plan, _ = incidents.counted(window=late)
    first, *others = counter.clusters("", None)
    assert first.onset_at is not None
    assert abs(parse_time(first.onset_at) - BROKE) <= 2 * plan.bucket
    assert first.before.failed_share == pytest.approx(0.01, abs=0.01)
    assert {c.title for c in others if c.verdict == "affected"} <= {"Breaks a little"}


def test_still_elevated_where_the_data_end() -> None:
    plan = incident_plan.plan(
        Window(WINDOW.start, MENDED - timedelta(minutes=10)),
        MENDED - timedelta(minutes=5),
        *incident_plan.previous_hours(WINDOW),
    )
    counter = incidents.Counter(plan, {(0, 0): incidents.Known("job", 0, CLUSTERS[0], "run")})
    for call, cluster, _ in incidents.calls():
        counter.add(call, [(0, 0)] if cluster == 0 else [])
    (told,) = counter.clusters("", None)
    assert (told.elevated, told.recovered_at, told.verdict) == (True, None, "affected")


def test_numbers_add_up() -> None:
    told = incidents.incident()
    inside = [b for b in told.buckets if told.from_ <= b.start < told.to]
    assert sum(b.calls for b in inside) == told.overall.during.calls
    assert sum(b.failed for b in inside) == told.overall.during.failed
    assert sum(c.during.calls for c in told.clusters) + told.unassigned.calls == told.overall.during.calls
    assert sum(c.during.failed for c in told.clusters) + told.unassigned.failed == told.overall.during.failed
    assert sum(cause.count for cause in told.causes) == told.overall.during.failed
    assert [cause.cause for cause in told.causes] == ["503: upstream <n> timed out"]
    for cluster in told.clusters:
        assert len(cluster.timeline) == len(told.buckets)
    models = {part.value: part.inside for part in told.by if part.dimension == "model"}
    assert sum(phase.calls for phase in models.values()) == told.overall.during.calls


def test_evidence_names_the_first_the_most_and_the_last() -> None:
    (first, *_) = incidents.incident().clusters
    assert [t.reason for t in first.traces] == ["first", "most_failures", "last"]
    assert len({t.trace_id for t in first.traces}) == 3
    assert first.traces[0].at == min(t.at for t in first.traces)
    assert first.traces[2].at == max(t.at for t in first.traces)


def test_numbers_hide_every_word() -> None:
    told = redact.incident(incidents.incident(), "numbers")
    assert {c.title for c in told.clusters} == {f"Cluster {c.cluster_id}" for c in told.clusters}
    assert [c.cause for c in told.causes] == ["Cause 1"]
    assert told.annotations[0].text == "Annotation 1"


def test_the_same_hours_follow_the_clock_on_the_wall() -> None:
    window = Window(datetime(2026, 11, 2, 8, tzinfo=UTC), datetime(2026, 11, 2, 9, tzinfo=UTC))
    found, _ = incident_plan.same_hours(window, "Europe/Berlin")
    assert [w.start for w in found] == [
        datetime(2026, 10, 5, 7, tzinfo=UTC),
        datetime(2026, 10, 12, 7, tzinfo=UTC),
        datetime(2026, 10, 19, 7, tzinfo=UTC),
        datetime(2026, 10, 26, 8, tzinfo=UTC),
    ]
    plain, _ = incident_plan.same_hours(window, "UTC")
    assert {(w.start.hour, w.length) for w in plain} == {(8, timedelta(hours=1))}


@pytest.mark.parametrize(
    ("minutes", "bucket"), [(30, 1), (60, 1), (61, 2), (120, 2), (240, 5), (600, 10), (900, 15), (5000, 15)]
)
def test_buckets_are_as_short_as_they_may_be(minutes: int, bucket: int) -> None:
    window = Window(WINDOW.start, WINDOW.start + timedelta(minutes=minutes))
    now = window.end + timedelta(days=2)
    plan = incident_plan.plan(window, now, (), "")
    assert plan.bucket == timedelta(minutes=bucket)
    assert (plan.window.start - plan.grid.start) % plan.bucket == timedelta(0)
    assert plan.grid.end <= now


def test_spans_to_read_never_touch() -> None:
    plan = incident_plan.plan(WINDOW, incidents.NOW, *incident_plan.same_hours(WINDOW, "UTC"))
    spans = plan.spans
    assert len(spans) == 5
    assert all(a.end < b.start for a, b in pairwise(spans))
    near = incident_plan.plan(WINDOW, incidents.NOW, *incident_plan.previous_hours(WINDOW))
    assert near.spans == (Window(WINDOW.start - timedelta(hours=12), near.grid.end),)


def test_more_traffic_of_a_cluster_that_always_fails_is_no_incident() -> None:
    plan = incident_plan.plan(WINDOW, incidents.NOW, *incident_plan.previous_hours(WINDOW))
    known = {(0, i): incidents.Known("job", i, title, "run") for i, title in enumerate(CLUSTERS)}
    counter = incidents.Counter(plan, known)
    for call, cluster, _ in incidents.calls(broken=False):
        inside = WINDOW.start <= call.at < WINDOW.end
        for copy in range(6 if cluster == 1 and inside else 1):
            again = replace(call, uuid=f"{call.uuid}-{copy}", trace_id=f"{call.trace_id}-{copy}")
            counter.add(again, [] if cluster is None else [(0, cluster)])
    overall = counter.overall()
    assert overall.during.failed_share is not None
    assert overall.before.failed_share is not None
    assert overall.during.failed_share > 2 * overall.before.failed_share
    assert (overall.onset_at, overall.elevated) == (None, False)
    assert [c.title for c in counter.clusters("", None) if c.verdict == "affected"] == []


def test_calls_of_nobody_count_as_no_user() -> None:
    plan = incident_plan.plan(WINDOW, incidents.NOW, *incident_plan.previous_hours(WINDOW))
    counter = incidents.Counter(plan, {})
    for number, user in enumerate((0, 0, 3)):
        failed = incidents._call(number, BROKE, None, incidents.random.Random(1), failed=True)
        counter.add(replace(failed, user=user), [])
    assert counter.overall().users == 1
    assert counter.causes()[0].users == 1
