from __future__ import annotations

from typing import Any

import msgspec
import pytest

from reporter import report as r
from reporter.render import changes, facts
from tests.reports import report, section, states

STATES = states()


def said(name: str, index: int = 0) -> str:
    job = STATES[name].jobs[index]
    return facts.sentence(job, changes.of_job(STATES[name].findings, index))


def replaced(job: r.JobSection, **over: Any) -> r.JobSection:
    return msgspec.structs.replace(job, **over)


def test_sentence_counts_what_happened() -> None:
    assert said("changed") == "1 cluster changed, 1 new, 1 gone."
    assert said("quiet") == "No cluster changed."
    assert said("one_cluster") == "No cluster changed."


def test_probable_changes_are_counted_apart() -> None:
    job = section(clusters=3)
    value = report([job])
    only = [msgspec.structs.replace(f, call="probably_changed") for f in value.findings]
    assert facts.sentence(value.jobs[0], changes.of_job(only, 0)) == "No cluster changed."
    value = report([section(clusters=6, loud=2)])
    only = [msgspec.structs.replace(f, call="probably_changed") for f in value.findings]
    assert facts.sentence(value.jobs[0], only).startswith("No cluster changed, 1 cluster probably did")


@pytest.mark.parametrize(
    ("calls", "told"),
    [
        ([("changed", None)], "No cluster changed, the run as a whole did."),
        ([("probably_changed", None)], "No cluster changed, the run as a whole probably did."),
        ([("changed", None), ("changed", 1)], "1 cluster changed."),
        ([], "No cluster changed."),
    ],
)
def test_a_run_that_changed_as_a_whole_is_not_called_unchanged(
    calls: list[tuple[str, int | None]], told: str
) -> None:
    job = replaced(section(clusters=3), transitions=[])
    first = report([section(clusters=6, loud=2)]).findings[0]
    found = [msgspec.structs.replace(first, call=call, cluster_id=i) for call, i in calls]
    assert facts.sentence(job, found) == told


def test_what_is_only_possible_is_not_counted() -> None:
    def entry(kind: str, confidence: float, latest: list[int], prior: list[int]) -> r.TransitionEntry:
        return r.TransitionEntry(
            kind=kind, latest=latest, prior=prior, confidence=confidence, evidence=None, shared_items=0
        )

    entries = [entry("new", 0.4, [1], []), entry("new", 0.7, [2], []), entry("gone", 0.5, [], [3])]
    job = replaced(section(clusters=3), transitions=entries)
    assert facts.sentence(job, ()) == "No cluster changed, 1 new."


def test_money_outside_the_sample_stands_with_the_coverage() -> None:
    job = section()
    first = report([section(clusters=6, loud=2)]).findings[0]
    told = msgspec.structs.replace(
        first, kind="coverage", cluster_id=None, metric=None, sentence="About $3 more."
    )
    assert "About $3 more." in facts.coverage(job, [told])
    assert changes.table([told], job, 0, {})[0] == ()


def test_state_without_a_comparison_gives_its_reason() -> None:
    assert said("no_prior") == "First run: nothing to compare with yet."
    assert said("not_comparable") == "max_samples differs: 1500 now, 1000 before."
    assert said("no_run").startswith("No run of this job was stored")


def test_stale_job_gives_its_date_first() -> None:
    assert said("stale").startswith("The newest run ended on 16 Nov 2026")
    assert "No cluster changed" in said("stale")


def test_four_numbers_at_every_level() -> None:
    for name in ("changed", "evaluation", "generation", "not_comparable", "no_prior"):
        assert len(facts.four(STATES[name].jobs[0])) == 4
    assert facts.four(STATES["no_run"].jobs[0]) == ()
    assert [f.label for f in facts.four(STATES["evaluation"].jobs[0])][1] == "Pass rate"


def test_first_run_shows_no_prior_figure() -> None:
    assert all(fact.change == "" for fact in facts.four(STATES["no_prior"].jobs[0]))


def test_figures_beside_each_other_carry_no_difference() -> None:
    found = [fact.change for fact in facts.four(STATES["not_comparable"].jobs[0])]
    assert found[1] == "prior run: $0.031"
    assert not any("▲" in text or "change" in text for text in found)


def test_called_change_has_arrow_colour_and_word() -> None:
    job = section()
    assert job.overall is not None
    assert job.overall.change is not None
    rise = msgspec.structs.replace(job.overall.change.metrics["mean_cost_usd"], call="changed", good=False)
    change = msgspec.structs.replace(
        job.overall.change, metrics={**job.overall.change.metrics, "mean_cost_usd": rise}
    )
    fact = facts.four(replaced(job, overall=msgspec.structs.replace(job.overall, change=change)))[1]
    assert fact.tone == "worse"
    assert fact.change == "▲\u00a010% from $0.031, changed"


def test_unknown_population_is_said() -> None:
    job = section()
    assert job.coverage is not None
    unknown = msgspec.structs.replace(job.coverage, population_items=None, population_cost=None)
    assert facts.four(replaced(job, coverage=unknown))[0].note == "of an unknown number of traces"
    assert "262" not in " ".join(facts.coverage(replaced(job, coverage=unknown), ()))


@pytest.mark.parametrize(
    ("over", "chip"),
    [
        ({"deleted": True}, "Deleted job"),
        ({"enabled": False}, "Disabled job"),
        ({"status": "stale"}, "Stale"),
    ],
)
def test_chips_name_what_must_not_be_missed(over: dict[str, Any], chip: str) -> None:
    assert facts.chips(section(**over)) == (chip,)


def test_nameless_job_is_called_by_its_id() -> None:
    assert facts.heading(section(name="")).startswith("Job 019db7a4")
    assert facts.heading(section(job_id=None)) == "No job (runs started without one)"
