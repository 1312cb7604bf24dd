from __future__ import annotations

from typing import Any

import msgspec

from reporter import report as r
from reporter.render import changes, rows
from tests.reports import report, section, states

STATES = states()
JOB = STATES["changed"].jobs[0]


def entry(kind: str, latest: list[int], prior: list[int], confidence: float = 0.95) -> r.TransitionEntry:
    return r.TransitionEntry(
        kind=kind, latest=latest, prior=prior, confidence=confidence, evidence="items", shared_items=9
    )


def moves(*entries: r.TransitionEntry) -> list[changes.Movement]:
    return list(changes.movements(msgspec.structs.replace(JOB, transitions=list(entries)), 0))


def texts(named: tuple[rows.Named, ...]) -> list[str]:
    return [one.title for one in named]


def test_at_most_five_changes_are_shown_by_rank() -> None:
    finding = STATES["changed"].findings[0]
    many = [msgspec.structs.replace(finding, rank=rank) for rank in range(9, 0, -1)]
    shown, left = changes.table(changes.of_job(many, 0), JOB, 0, {})
    assert (len(shown), left) == (5, 4)
    assert [f.rank for f in changes.of_job(many, 0)] == list(range(1, 10))


def test_findings_of_another_job_stay_there() -> None:
    assert changes.of_job(STATES["changed"].findings, 1) == []


def test_change_row_says_from_to_interval_dollars_and_certainty() -> None:
    row = changes.table(changes.of_job(STATES["changed"].findings, 0), JOB, 0, {3: "L01"})[0][0]
    assert (row.what, row.prior, row.latest, row.moved, row.dollars, row.sure, row.tone, row.swatch) == (
        "Mean cost", "$0.019", "$0.030", "▲\u00a060%", "+$12.40", "Changed", "worse", "L01",
    )  # fmt: skip
    assert row.interval == "+36% to +89%"
    assert [target.words for target in row.targets] == ["cluster", "dearest trace", "slowest trace"]


def test_the_trace_that_shows_the_change_is_linked_first() -> None:
    finding = msgspec.structs.replace(STATES["changed"].findings[0], kind="latency", metric="mean_latency_s")
    row = changes.table([finding], JOB, 0, {})[0][0]
    assert [target.words for target in row.targets] == ["cluster", "slowest trace", "dearest trace"]


def test_finding_about_the_whole_run_has_no_cluster() -> None:
    finding = msgspec.structs.replace(STATES["changed"].findings[0], cluster_id=None)
    row = changes.table([finding], JOB, 0, {})[0][0]
    assert row.cluster.title == "The whole run"
    assert row.targets == ()


def test_structural_findings_are_told_once_under_coming_and_going() -> None:
    finding = msgspec.structs.replace(STATES["changed"].findings[0], kind="new", metric=None)
    assert changes.table([finding], JOB, 0, {}) == ((), 0)


def test_split_and_merge_name_both_sides() -> None:
    split, merged = moves(entry("merged", [2], [0, 2]), entry("split", [0, 4], [0], 0.7))
    refunds, shipping = "Refund disputes after a failed card charge", "Shipping status for parcels abroad"
    assert (split.kind, split.verb, split.note) == ("Split", "became", "probably")
    assert (texts(split.clusters), texts(split.others)) == ([refunds], [refunds, "API error triage"])
    assert (merged.kind, merged.verb, merged.note) == ("Merged", "became", "")
    assert (texts(merged.clusters), texts(merged.others)) == ([refunds, shipping], [shipping])


def test_new_and_gone_say_their_size() -> None:
    found = {m.kind: m for m in changes.movements(JOB, 0)}
    assert found["New"].note == "52 traces, 1.7%"
    assert found["Gone"].note == "had 60 traces, 3.0%, probably"
    assert found["Gone"].clusters[0].anchor is None


def test_continued_clusters_do_not_move() -> None:
    assert moves(entry("continued", [0], [0])) == []


def test_unknown_cluster_still_gets_a_name() -> None:
    assert texts(moves(entry("gone", [], [77]))[0].clusters) == ["Cluster 77 (untitled)"]


def test_unchanged_tells_tested_from_untested() -> None:
    job = section(clusters=3, loud=None)
    quiet = {
        name: msgspec.structs.replace(m, call="not_enough_data")
        for name, m in job.clusters[2].change.metrics.items()
    }
    small = msgspec.structs.replace(
        job.clusters[2], change=msgspec.structs.replace(job.clusters[2].change, metrics=quiet)
    )
    found = dict(changes.unchanged(msgspec.structs.replace(job, clusters=[*job.clusters[:2], small]), 0))
    assert len(found["No clear change"]) == 2
    assert len(found["Not enough data"]) == 1


def test_every_cluster_is_changed_moved_or_unchanged() -> None:
    for value in STATES.values():
        for index, job in enumerate(value.jobs):
            compared = [c for c in job.clusters if c.change is not None]
            quiet = sum(len(names) for _, names in changes.unchanged(job, index))
            assert quiet + len(changes.cards(job, index, "UTC", {})) == len(compared)


def test_surest_card_comes_first() -> None:
    cards = changes.cards(JOB, 0, "UTC", {})
    assert [card.cluster.title for card in cards] == ["Data import mapping", "Feature requests and feedback"]
    assert cards[0].compared
    assert not cards[1].compared


def test_card_uses_no_arrow_without_a_call() -> None:
    card = changes.cards(JOB, 0, "UTC", {})[0]
    for row in card.metrics:
        assert ("▲" in row.moved or "▼" in row.moved) == (row.call in ("Changed", "Probably changed"))


def test_card_explains_its_exemplars() -> None:
    card = changes.cards(JOB, 0, "UTC", {})[0]
    assert [e.reason for e in card.exemplars] == [
        "nearest to the cluster's centre",
        "the most expensive",
        "the slowest",
    ]


def test_drivers_and_former_names_are_listed() -> None:
    cluster: Any = msgspec.structs.replace(
        JOB.clusters[3],
        drivers=[
            r.Driver(dimension="model", value="gpt-5", contribution=0.62, latest_items=90, prior_items=10)
        ],
        lineage=msgspec.structs.replace(JOB.clusters[3].lineage, names=["Old name", JOB.clusters[3].title]),
    )
    card = changes.card(cluster, JOB, 0, "UTC", {})
    assert card.drivers == ("model gpt-5: 10 → 90 items, +62% of the change",)
    assert card.formerly == ("Old name",)


def test_report_without_findings_has_no_rows() -> None:
    value = report([section(loud=None)])
    assert changes.table(changes.of_job(value.findings, 0), value.jobs[0], 0, {}) == ((), 0)
