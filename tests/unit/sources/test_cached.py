"""A source that keeps: the same answers with and without, and nothing asked twice that need not be."""

import shutil
import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reporter.errors import RunNotFound, RunUnreadable, SourceError
from reporter.model import Window
from reporter.sources.base import Wanted
from reporter.sources.cached import CachedSource
from reporter.sources.export import ExportSource
from reporter.state.entries import Entries
from tests.contract import cases
from tests.contract.cases import DONE, END, START, TICK, WINDOW, uid
from tests.contract.exports import write_jsonl

EVER = (datetime(2020, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC))
HOUR = timedelta(hours=1)
LATER = END + 30 * 24 * HOUR
JOB = cases.job("trace", cases.DESK)
COHORT = cases.job("trace", {"key": "id", "type": "cohort", "value": 3})


class Asked:
    """Passes every question on and notes it."""

    def __init__(self, source):
        self.source = source
        self.log = []

    def __getattr__(self, verb):
        def ask(*arguments):
            self.log.append((verb, *arguments))
            return getattr(self.source, verb)(*arguments)

        return ask

    @property
    def verbs(self):
        return [verb for verb, *_ in self.log]

    def of(self, verb):
        """Give the runs asked about with one verb, by their ids."""
        asked = [arguments[0] for said, *arguments in self.log if said == verb]
        return [[run if isinstance(run, str) else run.run_id for run in runs] for runs in asked]


def export(folder, events, warn=lambda _: None):
    folder.mkdir(exist_ok=True)
    (folder / "jobs.json").write_text("[]")
    return ExportSource([str(write_jsonl(folder, events))], str(folder / "jobs.json"), warn=warn)


def emitted(number, at, **said):
    """Write another event like that of `cases.LABELLED_RUN`."""
    (model,) = (event for event in cases.EVENTS if event["uuid"] == uid(104))
    moments = dict.fromkeys(("timestamp", "created_at", "_inserted_at"), at.isoformat())
    return {**model, **moments, "uuid": uid(number), "properties": {**model["properties"], **said}}


@pytest.fixture(scope="module")
def near(tmp_path_factory):
    source = export(tmp_path_factory.mktemp("near"), cases.EVENTS)
    yield source
    source.close()


@pytest.fixture
def fresh(tmp_path):
    """Open a source that nothing was announced to: to one source, a run id has one window."""
    source = export(tmp_path / "fresh", cases.EVENTS)
    yield source
    source.close()


class Machine:
    """A folder that outlives processes, and a clock."""

    def __init__(self, root, source):
        self.root = root
        self.source = source
        self.now = LATER
        self.told = []
        self.anew = []

    def process(self, source=None, **place):
        """Start a process: what it asks of the source inside, and the source around it."""
        inner = Asked(source or self.source)
        place = {"host": "https://h.example", "project": "7", **place}
        entries = Entries(self.root, warn=self.told.append, **place)
        anew = lambda: self.anew.append(list(inner.verbs))  # noqa: E731
        return CachedSource(inner, entries, clock=lambda: self.now, anew=anew), inner


@pytest.fixture
def machine(tmp_path, near):
    return Machine(tmp_path / "state", near)


def headers(source):
    return {run.run_id: run for run in source.runs(*EVER)}


def everything(source):
    """Ask all that is kept, as a report does."""
    found = list(headers(source).values())
    return (
        source.jobs(),
        [source.run(run.run_id) for run in found],
        list(source.memberships([run.run_id for run in found]).items()),
        list(source.items(found).items()),
        list(source.failures(found).items()),
        [source.totals(WINDOW, job) for job, _ in cases.POPULATIONS.values()],
    )


def plan(source, **more):
    found = tuple(headers(source).values())
    return Wanted(
        listed=EVER, whole=found, members=found, measured=found, populations=((WINDOW, JOB),), **more
    )


def test_every_answer_is_the_same_with_and_without_and_comes_from_the_folder_the_second_time(machine, near):
    expected = everything(near)
    first, asked = machine.process()
    assert repr(everything(first)) == repr(expected)
    assert set(asked.verbs) == {"jobs", "runs", "run", "memberships", "items", "failures", "totals"}
    second, asked = machine.process()
    assert repr(everything(second)) == repr(expected)
    assert asked.verbs == ["runs", "jobs"]
    assert machine.told == []


def test_what_is_never_kept_is_passed_on_each_time(machine, near):
    run = headers(near)[cases.TRACE_RUN]
    for _ in range(2):
        source, asked = machine.process()
        assert source.job(cases.TRACE_JOB) == near.job(cases.TRACE_JOB)
        assert [str(error) for error in source.broken(*EVER)] == [str(error) for error in near.broken(*EVER)]
        assert source.items([run], "feature") == near.items([run], "feature")
        assert list(source.calls(WINDOW, JOB)) == list(near.calls(WINDOW, JOB))
        assert list(source.calls(WINDOW, run=run)) == list(near.calls(WINDOW, run=run))
        assert source.traces(WINDOW, {"feature": "desk"}, 5) == near.traces(WINDOW, {"feature": "desk"}, 5)
        assert source.trace("plain", WINDOW) == near.trace("plain", WINDOW)
        sql = ("SELECT $n AS n", {"n": 1}, 5)
        assert source.query(*sql) == near.query(*sql)
        assert source.describe() == near.describe()
        assert asked.verbs == [
            "job",
            "broken",
            "items",
            "calls",
            "calls",
            "traces",
            "trace",
            "query",
            "describe",
        ]
    assert not machine.root.exists()


def test_closing_closes_the_source_inside(tmp_path):
    inner = export(tmp_path / "e", cases.EVENTS[:3])
    source, asked = Machine(tmp_path / "state", inner).process()
    source.close()
    assert asked.verbs == ["close"]


# What is announced.


def test_all_that_is_wanted_is_announced_at_once_where_nothing_is_kept(machine, near):
    source, asked = machine.process()
    wanted = plan(near)
    source.ahead(wanted)
    assert asked.log == [("ahead", wanted)]


def test_only_what_is_not_kept_is_announced(machine, near):
    found = headers(near)
    kept, new = found[cases.TRACE_RUN], found[cases.GENERATION_RUN]
    source, _ = machine.process()
    source.runs(*EVER)
    source.run(kept.run_id)
    source.memberships([kept.run_id])
    source.items([kept, new])
    source.failures([kept])
    source.totals(WINDOW, JOB)
    source, asked = machine.process()
    other = cases.job("trace")
    source.ahead(
        Wanted(
            listed=EVER, whole=(new, kept), members=(kept, new), measured=(kept, new), populations=((WINDOW, other), (WINDOW, JOB))
        )
    )  # fmt: skip
    left = Wanted(listed=EVER, whole=(new,), members=(new,), measured=(new,), populations=((WINDOW, other),))
    assert asked.log == [("ahead", left)]


def test_nothing_is_announced_where_everything_is_kept(machine, near):
    source, _ = machine.process()
    everything(source)
    source, asked = machine.process()
    source.ahead(replace(plan(near), listed=None))
    source.ahead(Wanted())
    assert asked.log == []
    source.ahead(plan(near))
    assert asked.log == [("ahead", Wanted(listed=EVER))]


def test_that_something_of_a_run_is_not_kept_is_told_before_it_is_asked_for(machine, near):
    runs = tuple(headers(near).values())
    source, asked = machine.process()
    source.ahead(Wanted(listed=EVER, populations=((WINDOW, JOB),), traces=(("t", WINDOW),)))
    assert machine.anew == []
    for part in ("whole", "members", "measured"):
        source, asked = machine.process()
        source.ahead(Wanted(**{part: runs}))
        source.ahead(plan(near))
        assert asked.verbs == ["ahead"] * 2
    assert machine.anew == [[]] * 3  # once, and first
    everything(source)
    source, asked = machine.process()
    source.ahead(plan(near))
    assert len(machine.anew) == 3
    assert asked.verbs == ["ahead"]


def test_what_was_found_when_announced_is_still_at_hand_when_asked_for(machine, near):
    source, _ = machine.process()
    expected = repr(everything(source))
    source, asked = machine.process()
    source.ahead(plan(near))
    source.totals(WINDOW, JOB)
    shutil.rmtree(machine.root)
    found = list(headers(near).values())
    assert repr([source.run(run.run_id) for run in found]) in expected
    source.items(found)
    source.failures(found)
    assert asked.verbs == ["ahead"]


# Whole runs and memberships.


def test_a_run_whose_newest_emission_is_not_known_is_asked_for(machine, near):
    for _ in range(2):
        source, asked = machine.process()
        assert source.run(cases.TRACE_RUN) == near.run(cases.TRACE_RUN)
        assert source.memberships([cases.JOBLESS_RUN]) == near.memberships([cases.JOBLESS_RUN])
        assert asked.verbs == ["run", "memberships"]
    source, asked = machine.process()
    source.runs(*EVER)
    source.run(cases.TRACE_RUN)
    source.memberships([cases.JOBLESS_RUN])  # was not kept: nobody knew of which emission it was
    assert asked.verbs == ["runs", "memberships"]


def test_a_run_read_tells_its_newest_emission_too(machine):
    source, _ = machine.process()
    source.runs(*EVER)
    source.memberships([cases.TRACE_RUN])
    source, asked = machine.process()
    for _ in range(2):
        source.run(cases.TRACE_RUN)
        source.memberships([cases.TRACE_RUN])
    assert asked.verbs == ["run"]


def test_a_run_emitted_again_is_a_new_one(machine, tmp_path):
    source, _ = machine.process()
    everything(source)
    again = emitted(904, DONE + 3 * HOUR, **{"$ai_clusters": [cases.cluster(0, ["edge"], "Anew")]})
    inner = export(tmp_path / "again", [*cases.EVENTS, again])
    source, asked = machine.process(inner)
    expected = everything(inner)
    assert repr(everything(source)) == repr(expected)
    assert asked.verbs == ["runs", "jobs", "run", "memberships", "items", "failures"]
    for verb in ("memberships", "items", "failures"):
        assert asked.of(verb) == [[cases.LABELLED_RUN]]
    source, asked = machine.process(inner)
    assert repr(everything(source)) == repr(expected)
    assert asked.verbs == ["runs", "jobs"]
    inner.close()


def test_an_older_listing_does_not_hide_the_newest_emission(machine):
    source, _ = machine.process()
    source.runs(*EVER)
    older = source.runs(EVER[0], DONE)
    assert uid(100) in {run.event_uuid for run in older}
    source.run(cases.TRACE_RUN)
    source, asked = machine.process()
    source.runs(*EVER)
    source.runs(EVER[0], DONE)
    assert source.run(cases.TRACE_RUN).header.event_uuid == uid(101)
    assert asked.verbs == ["runs", "runs"]


def test_a_run_is_kept_as_the_emission_it_is(machine):
    """The listing ends before the newest emission, which is what the source inside gives."""
    for _ in range(2):
        source, asked = machine.process()
        source.runs(EVER[0], DONE)
        assert source.run(cases.TRACE_RUN).header.event_uuid == uid(101)
        assert asked.verbs == ["runs", "run"]


def test_memberships_come_in_the_order_asked_and_missing_ones_are_asked_for_at_once(machine):
    source, _ = machine.process()
    source.runs(*EVER)
    source.memberships([cases.GENERATION_RUN])
    source, asked = machine.process()
    source.runs(*EVER)
    ids = [cases.TRACE_RUN, cases.GENERATION_RUN, cases.EARLY_RUN, cases.TRACE_RUN]
    assert list(source.memberships(ids)) == ids[:3]
    assert asked.of("memberships") == [[cases.TRACE_RUN, cases.EARLY_RUN]]
    assert list(source.memberships([])) == []


def test_an_unreadable_run_is_asked_for_and_told_each_time(machine, tmp_path):
    bad = "7_trace_20260309_003000_bad"
    event = emitted(905, DONE, **{"$ai_clustering_run_id": bad, "$ai_clusters": "no clusters"})
    for number in range(2):
        caveats = []
        inner = export(tmp_path / f"e{number}", [*cases.EVENTS, event], caveats.append)
        source, asked = machine.process(inner)
        assert bad in headers(source)
        caveats.clear()
        assert list(source.memberships([bad, "nobody's", cases.EARLY_RUN])) == [cases.EARLY_RUN]
        assert [caveat.code for caveat in caveats] == ["run_unreadable", "run_not_found"]
        assert asked.of("memberships") == [[bad, "nobody's", *([] if number else [cases.EARLY_RUN])]]
        inner.close()


@pytest.mark.parametrize(("run_id", "error"), [(cases.BROKEN_RUN, RunUnreadable), ("nobody's", RunNotFound)])
def test_errors_pass_and_nothing_is_kept(machine, near, run_id, error):
    with pytest.raises(error) as expected:
        near.run(run_id)
    for _ in range(2):
        source, asked = machine.process()
        source.ahead(Wanted(whole=(replace(headers(near)[cases.TRACE_RUN], run_id=run_id),)))
        with pytest.raises(error) as caught:
            source.run(run_id)
        assert str(caught.value) == str(expected.value)
        assert asked.verbs == ["ahead", "run"]
    assert not machine.root.exists()


def test_a_source_that_fails_leaves_nothing(machine, near):
    class Failing:
        def __getattr__(self, verb):
            def fail(*_):
                raise SourceError(verb)

            return fail

    run = headers(near)[cases.TRACE_RUN]
    source, _ = machine.process(Failing())
    for ask in (
        lambda: source.items([run]),
        lambda: source.failures([run]),
        lambda: source.totals(WINDOW, JOB),
        lambda: source.memberships([run.run_id]),
        lambda: source.runs(*EVER),
    ):
        with pytest.raises(SourceError):
            ask()
    assert not machine.root.exists()
    source, _ = machine.process()
    assert repr(everything(source)) == repr(everything(near))


# Figures.


def test_runs_not_kept_are_measured_together_and_all_are_given_in_the_order_asked(machine, near):
    found = list(headers(near).values())
    source, _ = machine.process()
    source.items(found[1:2])
    source.failures(found[2:3])
    source, asked = machine.process()
    assert repr(source.items([*found, found[0]])) == repr(near.items(found))
    assert repr(source.failures(found)) == repr(near.failures(found))
    ids = [run.run_id for run in found]
    assert asked.of("items") == [ids[:1] + ids[2:]]
    assert asked.of("failures") == [ids[:2] + ids[3:]]
    assert dict(source.items([])) == {}


def test_figures_of_another_window_are_others(machine, fresh):
    run = headers(fresh)[cases.TRACE_RUN]
    shorter = replace(run, window=Window(START, END - TICK))
    source, asked = machine.process(fresh)
    assert source.items([run]) == fresh.items([run])
    assert source.items([shorter]) == fresh.items([shorter]) != fresh.items([run])
    assert source.failures([run]) == fresh.failures([run])
    assert source.failures([shorter]) == fresh.failures([shorter])
    assert source.totals(WINDOW, JOB) == fresh.totals(WINDOW, JOB)
    assert source.totals(Window(START + TICK, END), JOB) == fresh.totals(Window(START + TICK, END), JOB)
    assert len(asked.log) == 6


def test_a_population_is_that_of_window_level_job_and_filters(machine):
    source, _ = machine.process()
    source.totals(WINDOW, JOB)
    source, asked = machine.process()
    turned = dict(reversed(cases.DESK.items()))
    source.totals(WINDOW, replace(JOB, name="renamed", enabled=True, event_filters=(turned,)))
    assert asked.log == []
    others = [
        replace(JOB, id=cases.GENERATION_JOB),
        replace(JOB, id=None),
        replace(JOB, level="generation"),
        replace(JOB, event_filters=()),
        replace(JOB, event_filters=({**cases.DESK, "value": ["desk", "x"]},)),
    ]
    for other in others:
        source.totals(WINDOW, other)
    assert asked.verbs == ["totals"] * len(others)


def test_a_population_that_cannot_be_measured_is_asked_for_each_time(machine):
    for _ in range(2):
        source, asked = machine.process()
        source.ahead(Wanted(populations=((WINDOW, COHORT),)))
        assert source.totals(WINDOW, COHORT) is None
        assert asked.verbs == ["ahead", "totals"]
    assert not machine.root.exists()


def test_filters_json_cannot_hold_are_asked_for_each_time(machine, near):
    job = cases.job("trace", {**cases.DESK, "note": object()})
    source, asked = machine.process()
    assert [source.totals(WINDOW, job) for _ in range(2)] == [near.totals(WINDOW, job)] * 2
    assert asked.verbs == ["totals"] * 2


@pytest.mark.parametrize(
    ("read_at", "now", "used"),
    [
        (-HOUR, 2 * HOUR, False),
        (HOUR - TICK, HOUR, False),
        (HOUR - TICK, 24 * HOUR, False),
        (HOUR, HOUR, True),
        (HOUR, 24 * HOUR - TICK, True),
        (HOUR, 24 * HOUR, False),
        (24 * HOUR - TICK, 24 * HOUR - TICK, True),
        (24 * HOUR - TICK, 24 * HOUR, False),
        (24 * HOUR, 24 * HOUR, True),
        (24 * HOUR, 24 * 3650 * HOUR, True),
        (25 * HOUR, 24 * HOUR, False),  # a clock was put back
        (3 * HOUR, 2 * HOUR, False),
    ],
)
def test_figures_are_used_again_once_settled_or_while_they_settle(machine, near, read_at, now, used):
    run = replace(headers(near)[cases.TRACE_RUN], window=WINDOW)

    def ask(moment):
        machine.now = END + moment
        source, asked = machine.process()
        source.ahead(Wanted(measured=(run,), populations=((WINDOW, JOB),)))
        assert source.items([run]) == near.items([run])
        assert source.failures([run]) == near.failures([run])
        assert source.totals(WINDOW, JOB) == near.totals(WINDOW, JOB)
        return asked.verbs

    assert ask(read_at) == ["ahead", "items", "failures", "totals"]
    assert machine.root.exists() == (read_at >= HOUR)  # nothing is kept that could never be used
    assert ask(now) == ([] if used else ["ahead", "items", "failures", "totals"])


def test_runs_are_kept_whenever_they_were_read(machine):
    machine.now = END - 24 * HOUR
    for expected in (["runs", "run", "memberships"], ["runs"]):
        source, asked = machine.process()
        source.runs(*EVER)
        source.run(cases.TRACE_RUN)
        source.memberships([cases.TRACE_RUN])
        assert asked.verbs == expected
        machine.now = LATER


def test_figures_that_changed_while_they_settled_are_replaced(machine, near, tmp_path):
    run = headers(near)[cases.LABELLED_RUN]
    late = {**cases.EVENTS[0], "uuid": uid(999), "timestamp": (END - HOUR).isoformat()}
    more = export(tmp_path / "more", [*cases.EVENTS, late])
    (before,), (after,) = near.items([run])[run.run_id], more.items([run])[run.run_id]
    assert before.calls + 1 == after.calls
    for hours, source, expected in (
        (2, near, before),
        (3, more, before),
        (23, more, before),
        (24, more, after),
        (9_000, near, after),
    ):
        machine.now = END + hours * HOUR
        assert machine.process(source)[0].items([run]) == {run.run_id: (expected,)}
    more.close()


def test_an_answer_is_as_old_as_the_source_it_comes_from(machine, near):
    """What was fetched ahead before the moment of settling has not settled when it is asked for after it."""
    run = headers(near)[cases.TRACE_RUN]
    machine.now = END + 24 * HOUR - TICK
    source, asked = machine.process()
    machine.now = END + 24 * HOUR
    for _ in range(2):
        source.items([run])
    assert asked.verbs == ["items", "items"]
    source, asked = machine.process()
    source.items([run])
    assert asked.verbs == ["items"]


def test_what_was_read_by_a_clock_that_turned_out_to_be_ahead_is_kept_as_read_by_the_right_one(machine, near):
    """The first answer tells that this machine is two days ahead: the figures have not settled at all."""
    run = headers(near)[cases.TRACE_RUN]
    machine.now = END + 48 * HOUR
    source, asked = machine.process()
    machine.now = END + HOUR - TICK
    source.items([run])
    source.items([run])
    assert asked.verbs == ["items", "items"]
    assert not machine.root.exists()
    machine.now = END + 2 * HOUR
    machine.process()[0].items([run])
    machine.now = END + 24 * HOUR
    source, asked = machine.process()
    source.items([run])
    assert asked.verbs == ["items"]


def test_a_window_at_the_end_of_time_is_no_trouble(machine, fresh):
    run = replace(headers(fresh)[cases.TRACE_RUN], window=Window(START, datetime.max.replace(tzinfo=UTC)))
    for _ in range(2):
        source, asked = machine.process(fresh)
        assert source.items([run]) == fresh.items([run])
        assert asked.verbs == ["items"]


# The folder.


def test_another_project_is_asked_anew(machine):
    everything(machine.process()[0])
    for other in ({"project": "8"}, {"host": "https://i.example"}):
        source, asked = machine.process(**other)
        source.totals(WINDOW, JOB)
        assert asked.verbs == ["totals"]


@pytest.fixture(scope="module")
def filled(near, tmp_path_factory):
    machine = Machine(tmp_path_factory.mktemp("filled"), near)
    return machine, repr(everything(machine.process()[0]))


@settings(max_examples=25)
@given(st.data())
def test_answers_are_right_whatever_happens_to_the_files(filled, data):
    with tempfile.TemporaryDirectory() as folder:
        before, expected = filled
        machine = Machine(Path(folder) / "state", before.source)
        shutil.copytree(before.root, machine.root)
        (kept,) = machine.root.iterdir()
        kept.chmod(0o700)
        paths = sorted(kept.iterdir())
        for path in data.draw(st.lists(st.sampled_from(paths), min_size=1, max_size=12, unique=True)):
            whole = path.read_bytes()
            at = data.draw(st.integers(0, len(whole) - 1))
            path.write_bytes(
                data.draw(
                    st.sampled_from([
                        whole[:at],
                        whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :],
                        whole + whole[at:],
                        data.draw(st.sampled_from(paths)).read_bytes(),
                        b"",
                    ])
                )
            )  # fmt: skip
        assert repr(everything(machine.process()[0])) == expected
        assert len(machine.told) <= 1
        source, asked = machine.process()
        assert repr(everything(source)) == expected
        assert asked.verbs == ["runs", "jobs"]


def test_without_a_usable_folder_all_is_asked_for_and_told_once(machine, near):
    machine.root.write_text("in the way")
    for number in range(1, 3):
        source, asked = machine.process()
        assert repr(everything(source)) == repr(everything(near))
        assert "items" in asked.verbs
        assert len(machine.told) == number


def test_few_files_are_kept_and_answers_stay_right(machine, near):
    for _ in range(2):
        source, _ = machine.process(most_files=5)
        assert repr(everything(source)) == repr(everything(near))
        assert len(list(machine.root.rglob("*.gz"))) == 5
    assert machine.told == []
