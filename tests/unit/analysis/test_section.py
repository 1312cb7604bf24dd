"""One job's section, from decoded data to report values; findings, verdict and redaction on top of it."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest

from reporter import report as r
from reporter.analysis import findings, inference, redact, section, wording
from reporter.analysis.selection import JobRuns
from reporter.analysis.trials import ROW_OF, ROWS
from reporter.model import Cluster, Job, Run
from reporter.report import checks
from tests.worlds import NOW, THEMES, cluster, failure, header, inputs, item, row, rows, run

SIZES = dict(zip(THEMES, (200, 150, 120, 90, 60, 40), strict=True))


def weeks(**over: object) -> tuple[Run, Run]:
    """Two comparable runs a week apart with the same shares."""
    return run(SIZES, 0, noise=40), run(SIZES, 7, noise=40, **over)


def quiet() -> r.JobSection:
    return section.build(inputs(*weeks()))


def by_title(made: r.JobSection) -> dict[str, r.Cluster]:
    return {c.title: c for c in made.clusters}


def loud(**factors: object) -> r.JobSection:
    latest, prior = weeks()
    return section.build(inputs(latest, prior, latest_rows=rows(latest, 1, **factors)))  # type: ignore[arg-type]


def wrapped(*sections: r.JobSection, redaction: r.Redaction = "titles") -> r.Report:
    found = findings.findings(sections)
    verdict, headline = findings.verdict_and_headline(found, sections)
    return r.sealed(
        r.Report(
            schema_version=r.SCHEMA_VERSION,
            content_sha256="",
            timezone="UTC",
            files=[],
            kind="weekly",
            title="T",
            generated_at="2026-11-23T08:00:00Z",
            reporter_version="0",
            redaction=redaction,
            verdict=verdict,
            headline=headline,
            source=r.SourceInfo(kind="export", location="x", project_id=None),
            warnings=[],
            findings=found,
            gates=[],
            jobs=list(sections),
        )
    )


def test_a_report_of_the_section_has_no_contradictions() -> None:
    assert checks.problems(wrapped(quiet(), loud(cost={"Refund disputes": 3.0}))) == ()


def test_clusters_are_matched_sorted_and_linked() -> None:
    made = quiet()
    assert (made.status, made.status_reason, made.stale) == ("ok", "", False)
    assert [c.size for c in made.clusters] == [200, 150, 120, 90, 60, 40]
    assert [c.change.transition for c in made.clusters if c.change] == ["continued"] * 6
    first = made.clusters[0]
    assert first.url == f"https://us.posthog.com/project/77/ai-observability/clusters/{made.latest.run_id}/0"  # type: ignore[union-attr]
    assert first.prior_metrics is not None
    assert len(first.history) == 2
    assert first.lineage.runs == 2
    assert made.coverage == r.Coverage(
        sampled_items=700,
        population_items=9000,
        sampled_cost=made.overall.metrics.total_cost,
        population_cost=250.0,
        noise_share=40 / 700,  # type: ignore[union-attr]
    )


def test_noise_is_compared_with_noise_and_listed_apart() -> None:
    noise = quiet().noise
    assert noise is not None
    assert noise.cluster_id == -1
    assert noise.change is not None
    assert noise.change.prior_cluster_ids == [-1]
    assert "share" in noise.change.metrics


def test_a_quiet_week_needs_nobody() -> None:
    made = quiet()
    found = findings.findings([made])
    assert found == []
    assert findings.verdict_and_headline(found, [made]) == (
        "no_clear_change",
        "Nothing needs you this week: 6 clusters, all within their normal range.",
    )


def test_a_cluster_that_got_dearer_is_found_named_and_priced() -> None:
    made = loud(cost={"Refund disputes": 3.0})
    found = findings.findings([made])
    first = next(f for f in found if f.cluster_id == by_title(made)["Refund disputes"].cluster_id)
    assert (first.kind, first.metric, first.direction, first.good, first.call) == (
        "cost",
        "mean_cost_usd",
        "up",
        False,
        "changed",
    )
    assert first.impact_usd == pytest.approx((first.latest - first.prior) * 200 / 700 * 9000)  # type: ignore[operator]
    assert first.sentence.startswith("“Refund disputes” costs $")
    assert "95% interval ▲" in first.sentence
    verdict, headline = findings.verdict_and_headline(found, [made])
    assert verdict == "changed"
    assert len(headline) <= 160
    assert not any(f.cluster_id not in (None, first.cluster_id) for f in found)


def test_errors_latency_and_falls_are_found_too() -> None:
    made = loud(errors={"Password help": 0.3}, latency={"Parcel tracking": 0.4})
    told = {
        (f.kind, f.cluster_id, f.direction, f.good)
        for f in findings.findings([made])
        if f.cluster_id is not None
    }
    titles = {title: c.cluster_id for title, c in by_title(made).items()}
    assert ("errors", titles["Password help"], "up", False) in told
    assert ("latency", titles["Parcel tracking"], "down", True) in told


def test_calls_agree_with_their_intervals_and_q_values() -> None:
    made = loud(cost={"Refund disputes": 2.0, "Password help": 1.3}, errors={"Invoice copies": 0.2})
    assert made.overall is not None
    subjects = [c.change for c in [*made.clusters, made.noise, made.overall] if c and c.change]
    changes = [m for subject in subjects for m in subject.metrics.values()]
    rows_of = [
        [m for name, m in subject.metrics.items() if ROW_OF[name] == kind and m.p_value is not None]
        for subject in subjects
        for kind in ROWS
    ]
    family = [
        (min(1.0, len(row) * min(m.p_value for m in row)), min(m.q_value for m in row))  # type: ignore[type-var]
        for row in rows_of
        if row
    ]
    assert len(family) > 30
    q_values = inference.benjamini_hochberg([p for p, _ in family])
    assert [q for _, q in family] == pytest.approx(q_values)
    for change in changes:
        if change.call in ("changed", "probably_changed"):
            assert change.q_value is not None
            assert change.q_value <= 0.1
            assert change.low is not None
            assert change.high is not None
            assert not change.low <= 0 <= change.high
        if change.call == "not_enough_data":
            assert change.p_value is None


def test_small_clusters_get_no_verdict_on_metrics() -> None:
    latest, prior = (run({"Refund disputes": 300, "Invoice copies": 15}, day) for day in (0, 7))
    made = section.build(inputs(latest, prior, latest_rows=rows(latest, 1, cost={"Invoice copies": 20.0})))
    small = by_title(made)["Invoice copies"].change
    assert small is not None
    assert {m.call for name, m in small.metrics.items() if name != "share"} == {"not_enough_data"}
    assert small.metrics["mean_cost_usd"].prior is not None


def test_a_free_prior_gives_no_percentage() -> None:
    latest, prior = weeks()
    free = tuple(replace(one, cost_usd=0.0) for one in rows(prior, 2))
    made = section.build(inputs(latest, prior, prior_rows=free))
    change = made.clusters[0].change
    assert change is not None
    cost = change.metrics["mean_cost_usd"]
    assert (cost.prior, cost.ratio, cost.call, cost.difference) == (0.0, None, "not_enough_data", cost.latest)
    unknown = tuple(replace(one, cost_usd=None) for one in free)
    made = section.build(inputs(latest, prior, prior_rows=unknown))
    assert made.clusters[0].change.metrics["mean_cost_usd"].difference is None  # type: ignore[union-attr]


def test_share_changes_are_found_and_kept_raw_beside() -> None:
    latest, prior = run(SIZES | {"Invoice copies": 240}, 0), run(SIZES, 7)
    made = section.build(inputs(latest, prior))
    change = by_title(made)["Invoice copies"].change
    assert change is not None
    share = change.metrics["share"]
    assert share.call in ("changed", "probably_changed")
    assert share.raw_difference == pytest.approx(240 / 860 - 40 / 660)
    assert share.difference == pytest.approx(share.raw_difference)


def test_new_and_gone_clusters_are_listed_with_their_places() -> None:
    latest = run({"Refund disputes": 200, "Webhook errors": 60}, 0)
    prior = run({"Refund disputes": 200, "Parcel tracking": 80}, 7)
    made = section.build(inputs(latest, prior))
    assert by_title(made)["Webhook errors"].change.transition == "new"  # type: ignore[union-attr]
    assert by_title(made)["Webhook errors"].change.metrics == {}  # type: ignore[union-attr]
    assert [(g.title, g.size) for g in made.gone] == [("Parcel tracking", 80)]
    assert {p.title: p.transition for p in made.prior_clusters} == {
        "Refund disputes": "continued",
        "Parcel tracking": "gone",
    }
    news = {t.kind: t.confidence for t in made.transitions}
    assert news["new"] < 0.6, "two weeks without common items: it may be another name for the same thing"
    assert news["gone"] < 0.6
    assert not [f for f in findings.findings([made]) if f.kind in ("new", "gone")]


def test_new_and_gone_clusters_are_told_where_items_vouch_for_it() -> None:
    latest = run({"Refund disputes": 200, "Webhook errors": 60}, 0, prefix="w")
    prior = run({"Refund disputes": 200, "Parcel tracking": 80}, 1, prefix="w")
    made = section.build(inputs(latest, prior))
    told = [f.sentence for f in findings.findings([made])]
    assert "“Webhook errors” is new: 60 traces, 23% of the run." in told
    assert "“Parcel tracking” is gone: it held 29% of the traces before." in told


def split_section() -> r.JobSection:
    keys = [f"k{i}" for i in range(200)]
    prior = Run(
        header(1, items=260),
        (cluster(0, "Refund disputes", keys), cluster(1, "Password help", [f"p{i}" for i in range(60)])),
    )
    latest = Run(
        header(0, items=260),
        (
            cluster(0, "Refund disputes", keys[:110]),
            cluster(1, "Chargebacks by bank", keys[110:], "Banks claw card payments back"),
            cluster(2, "Password help", [f"p{i}" for i in range(60)]),
        ),
    )
    return section.build(inputs(latest, prior))


def test_a_split_is_one_finding_and_its_children_carry_no_metrics() -> None:
    made = split_section()
    assert [c.change.transition for c in made.clusters if c.change] == ["split", "split", "continued"]
    assert [c.change.metrics for c in made.clusters[:2] if c.change] == [{}, {}]
    assert len({c.lineage_id for c in made.clusters}) == 3
    told = [f.sentence for f in findings.findings([made])]
    assert told == ["“Refund disputes” split into “Refund disputes” and “Chargebacks by bank”."]


def test_identical_runs_show_no_change_at_all() -> None:
    latest, prior = run(SIZES, 0, prefix="same"), run(SIZES, 1, prefix="same")
    made = section.build(inputs(latest, prior, latest_rows=rows(latest, 1), prior_rows=rows(latest, 1)))
    assert made.comparability is not None
    assert made.comparability.shared_items == 660
    for part in made.clusters:
        assert part.change is not None
        assert all(
            m.difference == pytest.approx(0) for m in part.change.metrics.values() if m.difference is not None
        )
        assert not {m.call for m in part.change.metrics.values()} & {"changed", "probably_changed"}


def test_not_comparable_runs_stand_without_changes() -> None:
    latest, prior = weeks(params={"max_samples": 900})
    made = section.build(inputs(latest, prior))
    assert made.status == "not_comparable"
    assert made.prior is not None
    assert all(c.change is None and c.prior_metrics is None for c in made.clusters)
    assert all(c.lineage.runs == 2 for c in made.clusters), (
        "who is who does not depend on how runs were drawn"
    )
    assert (made.transitions, made.gone, made.prior_clusters) == ([], [], [])
    assert made.overall is not None
    assert made.overall.change is None
    verdict, headline = findings.verdict_and_headline([], [made])
    assert verdict == "not_comparable"
    assert "differs" in headline


def test_first_runs_failed_jobs_and_empty_jobs_have_their_sections() -> None:
    first = section.build(inputs(run(SIZES, 0)))
    assert (first.status, first.prior, first.comparability) == ("no_prior", None, None)
    assert findings.verdict_and_headline([], [first]) == (
        "not_enough_data",
        "First run: nothing to compare with yet.",
    )
    failed = section.build(inputs(None, failed_reason="It cannot be read."))
    assert (failed.status, failed.status_reason, failed.latest) == ("failed", "It cannot be read.", None)
    empty = section.build(replace(inputs(None), group=JobRuns(Job(None, "", "trace"), ())))
    assert empty.status == "no_run"
    assert findings.verdict_and_headline([], [empty])[0] == "not_enough_data"


@pytest.mark.parametrize("shape", [{}, {"noise": 30}])
def test_runs_without_regular_clusters_are_told(shape: dict[str, int]) -> None:
    latest, prior = run({}, 0, **shape), run({}, 7, **shape)
    made = section.build(inputs(latest, prior))
    assert made.clusters == []
    assert checks.problems(wrapped(made)) == ()


def test_stale_runs_are_still_compared() -> None:
    made = section.build(inputs(*weeks(), now=NOW + timedelta(days=5)))
    assert (made.status, made.stale) == ("stale", True)
    assert made.clusters[0].change is not None


def test_the_order_of_everything_given_changes_nothing() -> None:
    latest, prior = weeks()
    plain = inputs(latest, prior, latest_failures=(failure("d0-Refu-1", "a 1"), failure("d0-Refu-2", "a 2")))
    rng = random.Random(5)

    def mixed(made: Run) -> Run:
        return Run(
            made.header,
            tuple(
                rng.sample(
                    [Cluster(**{f: getattr(c, f) for f in c.__slots__}) for c in made.clusters],
                    len(made.clusters),
                )
            ),
        )

    other = replace(
        plain,
        latest=mixed(latest),
        prior=mixed(prior),
        latest_rows=tuple(rng.sample(plain.latest_rows, len(plain.latest_rows))),
        prior_rows=plain.prior_rows[::-1],
        latest_failures=plain.latest_failures[::-1],
    )
    assert section.build(plain) == section.build(other)


def test_typical_is_nearest_to_the_medians_and_failing_the_newest() -> None:
    latest = Run(header(0), (cluster(0, "Refund disputes", [f"k{i}" for i in range(9)]),))
    begun = header(0).window.start
    figures = tuple(
        row(f"k{i}", cost_usd=2.0**i, latency_s=2.0**i, error_events=int(i in (1, 2)),
            last_at=begun + timedelta(hours=9 - i))
        for i in range(9)
    )  # fmt: skip
    (made,) = section.build(inputs(latest, latest_rows=figures)).clusters
    found = {e.reason: e.item_key for e in made.exemplars}
    assert found["typical"] == "k5"  # k1 and k2 failed; of the others k5 is in the middle
    assert found["failing"] == "k1"
    assert len(set(found.values())) == len(made.exemplars)


def test_exemplars_are_different_items_chosen_for_stated_reasons() -> None:
    latest = Run(header(0), (cluster(0, "Refund disputes", [f"k{i}" for i in range(9)]),))
    figures = tuple(
        row(
            f"k{i}",
            cost_usd=float(i == 4),
            latency_s=9.0 if i == 4 else 5.0 if i == 7 else 1.0,
            error_events=int(i in (0, 3)),
        )
        for i in range(9)
    )
    (made,) = section.build(inputs(latest, latest_rows=figures)).clusters
    assert [(e.reason, e.item_key) for e in made.exemplars] == [
        ("nearest", "k0"),
        ("most_expensive", "k4"),
        ("failing", "k3"),
        ("farthest", "k8"),
    ]
    assert made.exemplars[0].url == "https://us.posthog.com/project/77/ai-observability/traces/k0?tab=summary"


def test_error_causes_are_masked_counted_and_told_new() -> None:
    latest, prior = weeks()
    made = section.build(
        inputs(
            latest,
            prior,
            prior_failures=(failure("d7-Refu-1", "Timeout after 30 s", http_status=None),),
            latest_failures=(
                failure("d0-Refu-1", "Timeout after 45 s", http_status=None, count=2),
                failure("d0-Refu-2", "Quota of 'ann@x.org' used up"),
                failure("d0-Pass-2", "other"),
            ),
        )
    )
    told = by_title(made)["Refund disputes"].errors
    assert [(e.cause, e.count, e.items, e.new) for e in told] == [
        ("Timeout after <n> s", 2, 1, False),
        ("429: Quota of <value> used up", 1, 1, True),
    ]
    assert told[0].example_trace_id == "d0-Refu-1"
    alone = section.build(inputs(latest, latest_failures=(failure("d0-Refu-1", "x"),)))
    assert by_title(alone)["Refund disputes"].errors[0].new is None


def test_positions_are_scaled_with_equal_aspect_and_thinned_evenly() -> None:
    parts = (
        cluster(0, "A", [], items=tuple(item(f"a{i}", i, x=float(i), y=0.0) for i in range(1001))),
        cluster(1, "B", [], items=(item("b", 0, x=500.0, y=500.0), item("c", 1, x=None, y=1.0))),
    )
    made = section.build(inputs(Run(header(0), parts)))
    a, b = (by_title(made)[t].points for t in "AB")
    assert len(a) == 400
    assert b == [(0.5, 0.75)]
    assert a[0] == (0.0, 0.25)
    assert max(x for x, _ in a) > 0.99
    flat = section.build(inputs(Run(header(0), (cluster(0, "A", ["k"]),))))
    assert flat.clusters[0].points == [(0.5, 0.5)]


def test_baked_metrics_and_sentiment_pass_through() -> None:
    baked = {"avg_cost": 1.0, "sentiment": {"label": "positive"}, "dominant_runtime": "hog"}
    (made,) = section.build(inputs(Run(header(0), (cluster(0, "A", ["k"], baked=baked),)))).clusters
    assert made.posthog_metrics == baked
    assert made.metrics.sentiment == {"label": "positive"}


def test_numbers_redaction_leaves_no_word_of_content() -> None:
    latest, prior = (
        run({"Zanzibar": 200, "Quokka": 100, "Xylophone": 50}, 0),
        run({"Zanzibar": 200, "Quokka": 100, "Wombat": 60}, 7),
    )
    built = inputs(
        latest,
        prior,
        latest_rows=rows(latest, 1, cost={"Zanzibar": 3.0}),
        latest_failures=(failure("d0-Zanz-1", "Secret words"),),
    )
    lowered = redact.redact(wrapped(section.build(built)), "numbers")
    direct = wrapped(section.build(replace(built, redaction="numbers")), redaction="numbers")
    for made in (lowered, direct):
        written = msgspec.json.encode(made).decode()
        assert not any(word in written for word in ("Zanzibar", "Quokka", "Xylophone", "Wombat", "Secret"))
        assert made.findings
        assert "“Cluster 0”" in written
    assert r.sealed(lowered) == r.sealed(direct)


def test_redaction_never_rises() -> None:
    made = wrapped(quiet(), redaction="titles")
    assert redact.redact(made, "full") is made
    lowered = redact.redact(made, "numbers")
    assert lowered.redaction == "numbers"
    assert redact.redact(lowered, "titles") is lowered


def test_titles_level_drops_quotes_and_keeps_titles() -> None:
    base = quiet()
    first = base.clusters[0]
    quoted = msgspec.structs.replace(
        first, exemplars=[msgspec.structs.replace(e, quote="they said") for e in first.exemplars]
    )
    made = wrapped(msgspec.structs.replace(base, clusters=[quoted, *base.clusters[1:]]), redaction="full")
    assert redact.redact(made, "quotes").jobs[0].clusters[0].exemplars[0].quote == "they said"
    lowered = redact.redact(made, "titles").jobs[0].clusters[0]
    assert (lowered.exemplars[0].quote, lowered.title) == (None, first.title)


def test_hostile_titles_keep_sentences_on_one_line() -> None:
    title = "<b>\n\u202eevil " + "x" * 400
    latest, prior = run({title: 200, "Password help": 100}, 0), run({title: 200, "Password help": 100}, 7)
    made = section.build(inputs(latest, prior, latest_rows=rows(latest, 1, cost={title: 4.0})))
    found = findings.findings([made])
    assert found
    for one in found:
        assert "\n" not in one.sentence
        assert "\u202e" not in one.sentence
        assert len(one.sentence) < 300
    assert len(findings.verdict_and_headline(found, [made])[1]) <= 160


@pytest.mark.parametrize("metric", list(r.ESTIMATES))
@pytest.mark.parametrize("cluster_id", [0, -1, None])
@pytest.mark.parametrize("call", ["changed", "probably_changed"])
def test_every_metric_has_a_sentence_for_every_subject(
    metric: str, cluster_id: int | None, call: r.Call
) -> None:
    one = r.Finding(
        rank=1,
        kind="cost",
        job_id=None,
        cluster_id=cluster_id,
        metric=metric,
        direction="up",
        good=None,
        prior=0.2,
        latest=0.5,
        low=0.1,
        high=0.4,
        p_value=0.01,
        q_value=0.02,
        call=call,
        impact_usd=None,
        sentence="",
        seen="new",
        trace_ids=[],
        job_index=0,
    )
    told = wording.sentence(one, quiet())
    assert told[0].isupper() or told[0] in "“0123456789"
    assert ("probably up from" in told) is (call == "probably_changed")
    assert "None" not in told
    assert told.endswith(").")


@pytest.mark.parametrize("prefix", ["", "same"])
def test_ten_thousand_items_in_fifty_clusters_are_told(prefix: str) -> None:
    rng = random.Random(3)
    names = {f"Theme {''.join(rng.choices('abcdefghij', k=9))} {i}": 200 for i in range(50)}
    latest, prior = run(names, 0, prefix=prefix), run(names, 7, prefix=prefix)
    given = inputs(latest, prior)
    told = section.build(given)
    assert [cluster.size for cluster in told.clusters] == [200] * 50
    assert all(cluster.change is not None for cluster in told.clusters)
