"""What every source must answer, whatever it reads from."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from reporter.errors import RunNotFound, RunUnreadable
from reporter.model import ItemMetrics, Job, RunHeader, Window
from reporter.sources.base import Wanted
from tests.contract import cases
from tests.contract.cases import DONE, END, MID, START, STRANGE, TICK, WINDOW, uid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reporter.report import Caveat
    from reporter.sources.base import Source
    from tests.contract.conftest import Adapter

SPRING = (datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))
EVER = (datetime(2020, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC))


def headers(source: Source) -> Mapping[str, RunHeader]:
    return {header.run_id: header for header in source.runs(*EVER)}


def measured(source: Source, run_id: str, by: str | None = None) -> tuple[ItemMetrics, ...]:
    return source.items([headers(source)[run_id]], by)[run_id]


def test_runs_are_listed_newest_first_once_a_run_id(source: Source) -> None:
    assert [(header.run_id, header.emitted_at) for header in source.runs(*SPRING)] == [
        (cases.EVALUATION_RUN, DONE + timedelta(hours=6)),
        (cases.LABELLED_RUN, DONE + timedelta(hours=2)),
        (cases.TRACE_RUN, DONE + timedelta(minutes=1)),
        (cases.GENERATION_RUN, DONE),
        (cases.JOBLESS_RUN, DONE - timedelta(days=1)),
    ]


def test_runs_include_both_ends_of_the_span(source: Source) -> None:
    first, last = DONE, DONE + timedelta(hours=2)
    found = [header.run_id for header in source.runs(first, last)]
    assert found == [cases.LABELLED_RUN, cases.TRACE_RUN, cases.GENERATION_RUN]
    assert [header.run_id for header in source.runs(first + TICK, last - TICK)] == [cases.TRACE_RUN]


def test_a_run_stored_twice_is_read_from_its_newest_event(source: Source) -> None:
    header = headers(source)[cases.TRACE_RUN]
    assert header == RunHeader(
        run_id=cases.TRACE_RUN, level="trace", job_id=cases.TRACE_JOB, job_name="Default - traces", label=None,
        window=WINDOW, items=12, emitted_at=DONE + timedelta(minutes=1),
        params={"clustering_method": "hdbscan", "max_samples": 1500}, event_uuid=uid(101),
    )  # fmt: skip
    assert source.run(cases.TRACE_RUN).header == header


def test_headers_name_job_label_and_level(source: Source) -> None:
    found = headers(source)
    named = {
        run_id: (header.level, header.job_id, header.label, header.items) for run_id, header in found.items()
    }
    assert named == {
        cases.TRACE_RUN: ("trace", cases.TRACE_JOB, None, 12),
        cases.GENERATION_RUN: ("generation", cases.GENERATION_JOB, None, 7),
        cases.EVALUATION_RUN: ("evaluation", cases.EVALUATION_JOB, None, 7),
        cases.LABELLED_RUN: ("trace", cases.TRACE_JOB, "try_it", 1),
        cases.JOBLESS_RUN: ("trace", None, None, 2),
        cases.EARLY_RUN: ("trace", None, None, 1),
    }


def test_a_broken_run_is_left_out_and_named_once(adapter: Adapter) -> None:
    caveats: list[Caveat] = []
    source = adapter.open(cases.EVENTS, caveats.append)
    for _ in range(2):
        assert cases.BROKEN_RUN not in headers(source)
    assert [caveat.code for caveat in caveats] == ["run_unreadable"]
    assert cases.BROKEN_RUN in caveats[0].message
    assert "window_start" in caveats[0].message


def test_a_broken_run_asked_for_lists_its_faults(source: Source) -> None:
    with pytest.raises(RunUnreadable) as caught:
        source.run(cases.BROKEN_RUN)
    assert caught.value.run_id == cases.BROKEN_RUN
    assert len(caught.value.faults) >= 2


def test_a_run_is_found_at_any_age(source: Source) -> None:
    run = source.run(cases.EARLY_RUN)
    assert [
        (cluster.cluster_id, cluster.title, [item.key for item in cluster.items]) for cluster in run.clusters
    ] == [(0, "Old", ["old"])]


def test_a_run_nobody_stored_is_not_found(source: Source) -> None:
    with pytest.raises(RunNotFound):
        source.run("7_trace_20260309_003001")


def test_memberships_hold_keys_and_words(source: Source) -> None:
    found = source.memberships([cases.TRACE_RUN, cases.EARLY_RUN, cases.TRACE_RUN])
    assert list(found) == [cases.TRACE_RUN, cases.EARLY_RUN]
    clusters = [(each.cluster_id, each.title, each.keys) for each in found[cases.TRACE_RUN].clusters]
    assert clusters == [
        (0, "First", tuple(sorted(cases.TRACE_KEYS[:2]))),
        (-1, "Outliers", tuple(sorted(cases.TRACE_KEYS[2:]))),
    ]


def test_memberships_leave_out_unknown_runs_with_a_caveat(adapter: Adapter) -> None:
    caveats: list[Caveat] = []
    source = adapter.open(cases.EVENTS, caveats.append)
    assert list(source.memberships(["7_trace_nowhere", cases.JOBLESS_RUN])) == [cases.JOBLESS_RUN]
    assert ["7_trace_nowhere" in caveat.message for caveat in caveats] == [True]


@pytest.mark.parametrize(
    ("run_id", "expected"),
    [
        (cases.TRACE_RUN, cases.TRACE_ITEMS),
        (cases.GENERATION_RUN, cases.GENERATION_ITEMS),
        (cases.EVALUATION_RUN, cases.EVALUATION_ITEMS),
        (cases.EARLY_RUN, ()),
    ],
    ids=["trace", "generation", "evaluation", "early"],
)
def test_items_are_measured_as_the_definition_says(
    source: Source, run_id: str, expected: tuple[ItemMetrics, ...]
) -> None:
    assert measured(source, run_id) == expected


def test_items_of_many_runs_are_those_of_each(source: Source) -> None:
    found = list(headers(source).values())
    together = source.items(found)
    assert together == {header.run_id: source.items([header])[header.run_id] for header in found}
    assert [row.key for row in together[cases.JOBLESS_RUN]] == ["plain"]


def test_items_by_a_property_have_one_row_a_value(source: Source) -> None:
    rows = measured(source, cases.TRACE_RUN, by="feature")
    assert tuple(row for row in rows if row.key == "plain") == cases.PLAIN_BY_FEATURE
    assert {row.by for row in rows if row.key != "plain"} == {None}


def test_items_by_model_have_rows_without_one_first(source: Source) -> None:
    rows = [row for row in measured(source, cases.TRACE_RUN, by="$ai_model") if row.key in ("plain", STRANGE)]
    assert [(row.key, row.by, row.calls, row.error_events) for row in rows] == [
        (STRANGE, None, 0, 1),
        (STRANGE, "m-1", 2, 2),
        ("plain", None, 0, 0),
        ("plain", "e-1", 1, 0),
        ("plain", "m-1", 1, 0),
    ]


def test_items_by_a_property_nobody_set_are_the_items(source: Source) -> None:
    assert measured(source, cases.TRACE_RUN, by="no'such \"thing/~$.x") == cases.TRACE_ITEMS


def test_evaluations_by_a_property_look_at_the_judged_generation(source: Source) -> None:
    found = {row.key: row.by for row in measured(source, cases.EVALUATION_RUN, by="feature")}
    assert found == {
        uid(50): "desk",
        uid(51): None,
        uid(52): None,
        uid(53): None,
        uid(54): None,
        uid(56): "desk",
    }


def test_failures_are_grouped_by_look(source: Source) -> None:
    found = source.failures(list(headers(source).values()))
    assert found[cases.TRACE_RUN] == cases.TRACE_FAILURES
    assert found[cases.EVALUATION_RUN] == cases.EVALUATION_FAILURES
    assert [failure.key for failure in found[cases.GENERATION_RUN]] == [cases.FAILED]
    assert found[cases.EARLY_RUN] == ()


@pytest.mark.parametrize("name", cases.POPULATIONS)
def test_totals_are_those_of_the_population(source: Source, name: str) -> None:
    job, expected = cases.POPULATIONS[name]
    assert source.totals(WINDOW, job) == expected


@pytest.mark.parametrize(
    "filters",
    [
        {"key": "id", "type": "cohort", "value": 3},
        {"key": "feature", "type": "event", "value": "desk", "operator": "sounds_like"},
        {"key": "feature", "type": "event", "value": "(", "operator": "regex"},
    ],
    ids=["cohort", "unknown operator", "malformed expression"],
)
def test_totals_under_a_filter_that_cannot_be_applied_are_unknown(
    adapter: Adapter, filters: dict[str, Any]
) -> None:
    caveats: list[Caveat] = []
    source = adapter.open(cases.EVENTS, caveats.append)
    job = cases.job("trace", cases.DESK, filters)
    assert [source.totals(WINDOW, job) for _ in range(2)] == [None, None]
    assert [(caveat.code, caveat.job_id) for caveat in caveats] == [("filters_not_applied", cases.TRACE_JOB)]


def test_calls_come_in_order_of_time_and_id(source: Source) -> None:
    calls = list(source.calls(WINDOW))
    assert [(call.at, call.uuid) for call in calls] == sorted((call.at, call.uuid) for call in calls)
    assert len(calls) == 30
    assert {call.event for call in calls} == {"$ai_generation", "$ai_embedding", "$ai_span"}


def test_a_call_says_what_its_event_says(source: Source) -> None:
    call = next(call for call in source.calls(WINDOW) if call.uuid == cases.FAILED)
    assert (call.event, call.at, call.trace_id, call.model, call.provider) == (
        "$ai_generation", MID, STRANGE, "m-1", "p")  # fmt: skip
    assert (call.cost_usd, call.latency_s, call.tokens_in, call.tokens_out) == (0.125, None, None, 3.0)
    assert (call.is_error, call.http_status, call.error) == (True, 503, "upstream is down")


def test_calls_number_users_and_never_name_them(source: Source) -> None:
    users = {call.trace_id: call.user for call in source.calls(Window(START, MID + TICK))}
    assert users["plain"] == 1
    assert users[STRANGE] == 2


def test_calls_carry_the_properties_asked_for(source: Source) -> None:
    asked = ("feature", "$ai_model", "version", "never set")
    found = {call.uuid: call.by for call in source.calls(WINDOW, by=asked)}
    plain = {call.uuid: call for call in source.calls(WINDOW)}
    assert found.keys() == plain.keys()
    assert all(call.by == () for call in plain.values())
    assert all(held[1] == plain[uuid].model and held[3] is None for uuid, held in found.items())
    assert {held[0] for held in found.values()} >= {"desk", None}
    assert any(held[2] is not None for held in found.values())
    desk = source.calls(WINDOW, job=cases.job("trace", cases.DESK), by=("feature",))
    assert {call.by for call in desk} == {("desk",)}


def test_properties_of_users_group_items_and_calls_and_find_traces(source: Source) -> None:
    rows = [
        row for row in measured(source, cases.TRACE_RUN, by="person.plan") if row.key in ("plain", STRANGE)
    ]
    assert [(row.key, row.by, row.calls) for row in rows] == [
        (STRANGE, "free", 1),
        (STRANGE, "team", 1),
        ("plain", "team", 2),
    ]
    plans = {call.user: call.by for call in source.calls(WINDOW, by=("person.plan", "plan"))}
    assert set(plans.values()) == {("team", None), ("free", None)}
    free = source.traces(WINDOW, {"person.plan": "free"}, 10)
    assert [trace.trace_id for trace in free] == [STRANGE]
    assert source.traces(WINDOW, {"plan": "free"}, 10) == ()


def test_judged_calls_carry_their_own_properties(source: Source) -> None:
    judged = list(source.calls(WINDOW, job=cases.job("evaluation"), by=("$ai_model",)))
    assert judged
    assert all(call.by == (call.model,) for call in judged)


def test_calls_of_a_run_are_those_of_its_items(source: Source) -> None:
    found = headers(source)

    def ids(run_id: str) -> list[str]:
        return [call.uuid for call in source.calls(WINDOW, run=found[run_id])]

    assert set(ids(cases.JOBLESS_RUN)) == {uid(1), uid(2), uid(3)}
    assert sorted(ids(cases.GENERATION_RUN)) == [cases.ANSWER, cases.FAILED, cases.TWICE]
    assert sorted(ids(cases.EVALUATION_RUN)) == [cases.ANSWER, cases.FAILED]


def test_calls_of_a_job_pass_its_filters(source: Source) -> None:
    assert [call.uuid for call in source.calls(WINDOW, job=cases.job("trace", cases.DESK))] == [
        uid(1),
        uid(2),
    ]
    assert [call.uuid for call in source.calls(WINDOW, job=cases.job("generation", cases.DESK))] == [uid(1)]


def test_traces_that_begin_in_the_window_are_listed_newest_first(source: Source) -> None:
    listed = source.traces(Window(MID, END), {}, 100)
    assert {"late", "twice", "123", "true", "free", "odd", STRANGE, "only-trace", "stranger"} == {
        trace.trace_id for trace in listed
    }
    assert [trace.started_at for trace in listed] == sorted(
        (trace.started_at for trace in listed), reverse=True
    )
    assert source.traces(Window(MID, END), {}, 2) == listed[:2]


def test_traces_match_all_filters_on_one_event(source: Source) -> None:
    def found(**filters: str) -> list[str]:
        return [trace.trace_id for trace in source.traces(WINDOW, filters, 10)]

    assert found(feature="desk", version="2") == ["plain"]
    assert found(feature="search", version="2") == ["plain"]
    assert found(feature="desk", version="3") == []


def test_traces_may_be_asked_for_by_id(source: Source) -> None:
    everything = source.traces(WINDOW, {}, 100)
    asked = [STRANGE, "late", "nowhere"]
    found = source.traces(WINDOW, {}, 100, asked)
    assert found == tuple(one for one in everything if one.trace_id in asked)
    assert len(found) == 2
    assert source.traces(WINDOW, {}, 1, asked) == found[:1]
    assert source.traces(WINDOW, {}, 100, []) == ()
    filtered = source.traces(WINDOW, {"feature": "desk"}, 100)
    only = [one.trace_id for one in filtered]
    assert only
    assert source.traces(WINDOW, {"feature": "desk"}, 100, [*only, STRANGE]) == filtered


def test_a_trace_is_summed_without_its_own_event(source: Source) -> None:
    trace = source.trace("plain")
    assert trace is not None
    summary = trace.summary
    assert (summary.trace_id, summary.name, summary.started_at) == ("plain", "desk.chat", START)
    assert (summary.cost_usd, summary.latency_s, summary.tokens_in, summary.tokens_out) == (
        0.75,
        2.5,
        107.0,
        50.0,
    )
    assert (summary.error_events, summary.events) == (0, 4)
    assert [event.uuid for event in trace.events] == [uid(1), uid(2), uid(4), uid(3)]


def test_a_trace_shows_what_was_said(source: Source) -> None:
    for _ in range(3):  # the second and third time may be answered from what the first one kept
        trace = source.trace(STRANGE)
        assert trace is not None
        event = trace.events[0]
        assert (event.span_id, event.parent_id, event.name) == ("s1", "t1", "answer")
        assert event.input == '[{"content":"hello","role":"user"}]'
        assert (event.output, event.error, event.is_error) == ("sorry", "upstream is down", True)


def test_a_trace_outside_the_window_is_none(source: Source) -> None:
    assert source.trace("plain", Window(END, END + timedelta(days=1))) is None
    assert source.trace("nowhere") is None


def test_summaries_are_the_newest_of_each_item(source: Source) -> None:
    run = headers(source)[cases.TRACE_RUN]
    found = source.summaries(run, [STRANGE, "free", "plain", "nowhere"])
    assert {key: (one.title, one.bullets) for key, one in found.items()} == cases.SUMMARIES
    assert all(one.key == key for key, one in found.items())


def test_summaries_of_generations_go_by_the_event_however_spelled(source: Source) -> None:
    run = headers(source)[cases.GENERATION_RUN]
    found = source.summaries(run, [cases.ANSWER.upper(), cases.FAILED])
    assert {key: (one.title, one.bullets) for key, one in found.items()} == {
        cases.ANSWER.upper(): ("An answer", ("as text",))
    }


def test_evaluations_have_no_summaries(source: Source) -> None:
    assert source.summaries(headers(source)[cases.EVALUATION_RUN], [uid(50)]) == {}


def test_a_query_is_bounded_and_bound(source: Source, adapter: Adapter) -> None:
    sql = "SELECT count(*) AS n FROM events WHERE event = " + adapter.values.format("name")  # noqa: S608 (ours)
    table = source.query(sql, {"name": "$ai_evaluation"}, 10)
    assert (table.columns, table.rows, table.truncated) == (("n",), ((7,),), False)
    bounded = source.query("SELECT uuid FROM events ORDER BY uuid", {}, 3)
    assert (bounded.rows, bounded.truncated) == (((uid(1),), (uid(2),), (uid(3),)), True)


def test_jobs_are_those_configured(source: Source, adapter: Adapter) -> None:
    expected = Job(id=cases.TRACE_JOB, name="Default - traces", level="trace", enabled=True)
    jobs = source.jobs()
    assert jobs is not None
    assert [job.id for job in jobs] == [cases.TRACE_JOB, cases.GENERATION_JOB, cases.EVALUATION_JOB]
    assert source.job(cases.TRACE_JOB.upper()) == expected
    assert source.job("nobody") is None
    assert adapter.open(cases.EVENTS, lambda _: None).jobs() is None


def test_the_order_of_rows_changes_nothing(adapter: Adapter, source: Source) -> None:
    shuffled = cases.EVENTS.copy()
    random.Random(7).shuffle(shuffled)
    other = adapter.open(shuffled, lambda _: None, cases.JOBS)
    found = list(headers(source).values())
    assert repr(other.runs(*EVER)) == repr(source.runs(*EVER))
    assert repr(other.items(found)) == repr(source.items(found))
    assert repr(other.failures(found)) == repr(source.failures(found))
    assert repr(list(other.calls(WINDOW))) == repr(list(source.calls(WINDOW)))
    assert other.describe().location == source.describe().location


def test_what_was_announced_is_answered_the_same(adapter: Adapter, source: Source) -> None:
    other = adapter.open(cases.EVENTS, lambda _: None, cases.JOBS)
    other.ahead(Wanted(listed=EVER))
    runs = other.runs(*EVER)
    populations = tuple((WINDOW, job) for job, _ in cases.POPULATIONS.values())
    other.ahead(Wanted(whole=runs, members=runs, measured=runs, populations=populations))
    assert other.jobs() == source.jobs()
    assert [other.run(run.run_id) for run in runs] == [source.run(run.run_id) for run in runs]
    ids = [run.run_id for run in runs]
    assert other.memberships(ids) == source.memberships(ids)
    assert other.items(runs) == source.items(runs)
    assert other.failures(runs) == source.failures(runs)
    assert [other.totals(*each) for each in populations] == [
        expected for _, expected in cases.POPULATIONS.values()
    ]


def test_traces_read_together_are_those_read_alone(adapter: Adapter, source: Source) -> None:
    around = Window(START - timedelta(days=2), END + timedelta(days=2))
    names = ("plain", STRANGE, "nowhere", "only-trace")
    other = adapter.open(cases.EVENTS, lambda _: None, cases.JOBS)
    other.ahead(Wanted(traces=tuple((name, around) for name in names)))
    assert [other.trace(name, around) for name in names] == [source.trace(name, around) for name in names]
