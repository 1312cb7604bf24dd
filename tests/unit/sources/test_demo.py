import json
import math
import re
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta, timezone

import duckdb
import pytest
from scipy import stats

from reporter.errors import SourceUnreadable
from reporter.model import NOISE
from reporter.sources import demo
from reporter.sources.base import RUN_EVENTS
from reporter.sources.decode import EventRow, decode_membership, decode_run
from reporter.sources.demo import generate, timeline
from reporter.sources.demo.calls import tell
from reporter.sources.demo.themes import themes
from reporter.sources.demo.topic import share
from reporter.sources.demo.topics import all_topics
from reporter.sources.demo.traffic import requests

COLUMNS = {
    "uuid": "VARCHAR",
    "event": "VARCHAR",
    "distinct_id": "VARCHAR",
    "person_id": "VARCHAR",
    "elements_chain": "VARCHAR",
    "properties": "VARCHAR",
    "person_properties": "VARCHAR",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
    "created_at": "TIMESTAMP WITH TIME ZONE",
    "_inserted_at": "TIMESTAMP WITH TIME ZONE",
}
MAIN = "Default - traces"
WEEK_BEFORE, LATEST = -7, 0
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CALLS = ("$ai_generation", "$ai_embedding", "$ai_span")
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def read(path):
    """Rows as tuples of the export's columns, times as microseconds since 1970."""
    with duckdb.connect(config={"threads": 1}) as engine:
        return engine.execute(
            "SELECT uuid, event, distinct_id, person_id, elements_chain, properties, person_properties, "
            "epoch_us(timestamp), epoch_us(created_at), epoch_us(_inserted_at) FROM read_parquet(?)",
            [str(path)],
        ).fetchall()


def moment(micros):
    return EPOCH + timedelta(microseconds=micros)


class Data:
    """An export, indexed."""

    def __init__(self, path):
        self.rows = read(path)
        self.properties = {row[0]: json.loads(row[5]) for row in self.rows}
        self.runs = [
            (decode_run(EventRow(row[0], row[1], moment(row[7]), row[5])), self.properties[row[0]])
            for row in self.rows
            if row[1] in RUN_EVENTS
        ]
        self.calls = defaultdict(list)
        self.by_uuid = {row[0]: (row[1], moment(row[7]), self.properties[row[0]]) for row in self.rows}
        for name, at, said in self.by_uuid.values():
            if name in CALLS:
                self.calls[said["$ai_trace_id"]].append((name, at, said))

    def run(self, job, day):
        """The run of a job that began on a day counted from the newest run's."""
        newest = max(run.header.window.end.date() for run, _ in self.runs)
        wanted = newest + timedelta(days=day)
        (found,) = [
            run
            for run, _ in self.runs
            if run.header.job_name == job and run.header.window.end.date() == wanted
        ]
        return found

    def facts(self, run, item):
        """Cost and whether anything failed, over the item's calls inside the run's window."""
        window = run.header.window
        seen = [said for _, at, said in self.calls[item.key] if window.start <= at < window.end]
        return (
            sum(said.get("$ai_total_cost_usd", 0.0) for said in seen),
            any(said.get("$ai_is_error") for said in seen),
        )


@pytest.fixture(scope="module")
def bundled():
    return Data(demo.EVENTS)


@pytest.fixture(scope="module")
def demo_now(tmp_path_factory):
    now = datetime(2031, 7, 24, 15, 42, 7, tzinfo=UTC)
    files = demo.moved(now, tmp_path_factory.mktemp("demo"))
    return now, files, Data(files.events)


def cluster_about(run, topic):
    theme = themes(run.header.level)[topic]
    found = [cluster for cluster in run.clusters if cluster.title in theme.titles]
    return found[0] if found else None


# The generator


def test_generator_makes_the_committed_rows_again(bundled):
    made = [
        (*row[:7], *((datetime.fromisoformat(text) - EPOCH) // timedelta(microseconds=1) for text in row[7:]))
        for row in generate.rows(generate.build())
    ]
    assert made == bundled.rows


def test_generator_makes_the_committed_jobs_again():
    assert generate.jobs() == json.loads(demo.JOBS.read_text(encoding="utf-8"))


def test_dice_depend_on_purpose_and_seed_only():
    assert timeline.dice("a", 1).random() == timeline.dice("a", 1).random()
    assert timeline.dice("a", 1).random() != timeline.dice("a", 2).random()


def test_uuids_have_version_and_variant_of_random_ones():
    rng = timeline.dice("uuid")
    assert all(UUID.fullmatch(timeline.uuid4(rng)) for _ in range(200))


@pytest.mark.parametrize(("day", "expected"), [(-60, 0.06), (-9, 0.06), (-7, 0.10), (-5, 0.14), (3, 0.14)])
def test_share_is_linear_between_its_knots(day, expected):
    (cashflow,) = [topic for topic in all_topics() if topic.key == "cashflow"]
    assert math.isclose(share(cashflow, day), expected)


def test_write_leaves_exactly_the_two_data_files(tmp_path, monkeypatch):
    request = next(iter(requests()))
    events = tell(request)
    monkeypatch.setattr(generate, "build", lambda: events)
    generate.main([str(tmp_path)])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["events.parquet", "jobs.json"]
    assert [row[0] for row in read(tmp_path / "events.parquet")] == [event.uuid for event in events]
    assert json.loads((tmp_path / "jobs.json").read_text(encoding="utf-8"))["count"] == len(timeline.JOBS)


# The bundled files


def test_bundle_is_small_and_has_the_columns_of_a_batch_export():
    assert demo.EVENTS.stat().st_size < 3_000_000
    with duckdb.connect() as engine:
        described = engine.execute("DESCRIBE SELECT * FROM read_parquet(?)", [str(demo.EVENTS)]).fetchall()
        codecs = engine.execute(
            "SELECT DISTINCT compression FROM parquet_metadata(?)", [str(demo.EVENTS)]
        ).fetchall()
    assert {name: kind for name, kind, *_ in described} == COLUMNS
    assert codecs == [("ZSTD",)]


def test_every_event_has_the_shape_of_a_captured_one(bundled):
    assert len({row[0] for row in bundled.rows}) == len(bundled.rows)
    for uuid, _, distinct_id, person_id, chain, properties, person, at, created, inserted in bundled.rows:
        assert UUID.fullmatch(uuid)
        assert UUID.fullmatch(person_id)
        assert distinct_id
        assert chain == ""
        assert isinstance(json.loads(properties), dict)
        assert person is None or json.loads(person).keys() == {"plan", "country"}
        assert at < created < inserted


def test_all_kinds_of_events_occur(bundled):
    counts = Counter(row[1] for row in bundled.rows)
    wanted = {
        *CALLS, *RUN_EVENTS, "$ai_trace", "$ai_evaluation", "$ai_trace_summary", "$ai_generation_summary",
        "$ai_feedback", "$ai_metric", "$pageview",
    }  # fmt: skip
    assert set(counts) == wanted


def test_costs_are_tokens_times_price_to_the_last_decimal(bundled):
    priced = [said for _, _, said in bundled.by_uuid.values() if "$ai_input_cost_usd" in said]
    assert len(priced) > 5_000
    for said in priced:
        total = said["$ai_input_cost_usd"] + said["$ai_output_cost_usd"]
        assert said["$ai_total_cost_usd"] == round(total, 8)
        assert said["$ai_input_tokens"] >= 0
    dear = {said["$ai_model"]: said["$ai_output_cost_usd"] / said["$ai_output_tokens"] * 1e6
            for said in priced if said.get("$ai_output_tokens")}  # fmt: skip
    assert {model: round(price, 2) for model, price in dear.items()} == {
        "claude-sonnet-4-5": 15.0, "gpt-5-mini": 2.0, "gemini-2.5-flash": 2.5, "mistral-medium-3": 2.0,
    }  # fmt: skip


def test_failed_calls_say_so_and_cost_nothing(bundled):
    failed = [
        said
        for name, _, said in bundled.by_uuid.values()
        if name == "$ai_generation" and said.get("$ai_is_error")
    ]
    assert {said.get("$ai_http_status") for said in failed} == {429, 500, None}
    assert all(said["$ai_error"] and said["$ai_error_type"] for said in failed)
    assert not any("$ai_total_cost_usd" in said for said in failed)


def test_a_trace_event_comes_last_in_its_trace(bundled):
    ends = [(said["$ai_trace_id"], at) for name, at, said in bundled.by_uuid.values() if name == "$ai_trace"]
    assert len(ends) > 1_000
    assert all(at >= max(when for _, when, _ in bundled.calls[trace_id]) for trace_id, at in ends)


def test_evaluations_pass_fail_and_do_not_apply(bundled):
    said = [said for name, _, said in bundled.by_uuid.values() if name == "$ai_evaluation"]
    assert {each["$ai_evaluation_runtime"] for each in said} == {"llm_judge", "hog"}
    verdicts = Counter(
        each["$ai_evaluation_result"] if each["$ai_evaluation_applicable"] else None for each in said
    )
    assert min(verdicts[True], verdicts[False], verdicts[None]) > 50
    for each in said:
        assert bundled.by_uuid[each["$ai_target_event_id"]][0] == "$ai_generation"
        assert ("$ai_total_cost_usd" in each) == (each["$ai_evaluation_runtime"] == "llm_judge")


def test_what_users_say_is_the_story_s_own_text(bundled):
    invented = {ask for topic in all_topics() for ask in topic.asks}
    said = [said["$ai_input"] for _, _, said in bundled.by_uuid.values() if "$ai_input" in said]
    assert said
    assert all({turn["content"] for turn in turns} <= invented for turns in said)


# Runs


def test_every_run_decodes_and_keeps_the_contract(bundled):
    assert len(bundled.runs) >= 25
    for run, said in bundled.runs:
        header = run.header
        ids = [cluster["cluster_id"] for cluster in said["$ai_clusters"]]
        assert ids == [*range(len(ids) - 1), NOISE]
        assert header.items == sum(cluster.size for cluster in run.clusters)
        assert header.label is None
        assert header.emitted_at > header.window.end
        stamp = f"{header.window.end:%Y%m%d_%H%M%S}"
        assert header.run_id == f"{timeline.TEAM}_{header.level}_{stamp}_{header.job_id}"
        days = 3 if header.level == "evaluation" else 7
        assert header.window.length == timedelta(days=days)
        assert (header.params is None) == (header.level == "evaluation")
        for stored, cluster in zip(said["$ai_clusters"], run.clusters, strict=True):
            assert stored["size"] == len(stored["traces"]) == cluster.size
            assert len(stored["centroid"]) == (0 if cluster.is_noise else 100)
            assert stored["title"]
            assert all(line.startswith("- ") for line in stored["description"].splitlines())
        row = next(row for row in bundled.rows if row[0] == header.event_uuid)
        assert decode_membership(EventRow(row[0], row[1], moment(row[7]), row[5])).run_id == header.run_id


def test_items_exist_inside_their_run_s_window(bundled):
    for run, _ in bundled.runs:
        window = run.header.window
        for cluster in run.clusters:
            for item in cluster.items:
                if run.header.level == "trace":
                    assert item.key == item.trace_id
                    assert any(window.start <= at < window.end for _, at, _ in bundled.calls[item.key])
                    assert item.timestamp == min(at for _, at, _ in bundled.calls[item.key])
                    continue
                name, at, said = bundled.by_uuid[item.key]
                assert name == f"$ai_{run.header.level}"
                assert window.start <= at < window.end
                assert item.trace_id == said["$ai_trace_id"]


def test_ranks_count_outwards_in_clusters_and_inwards_in_noise(bundled):
    for run, _ in bundled.runs:
        for cluster in run.clusters:
            assert [item.rank for item in cluster.items] == list(range(cluster.size))
            distances = [item.distance for item in cluster.items]
            assert distances == sorted(distances, reverse=cluster.is_noise)


def test_noise_is_a_plausible_part_of_every_run(bundled):
    for run, _ in bundled.runs:
        (noise,) = [cluster for cluster in run.clusters if cluster.is_noise]
        assert 0.07 < noise.size / run.header.items < 0.16


def test_no_hour_gives_more_items_than_the_summariser_takes(bundled):
    for run, _ in bundled.runs:
        if run.header.level != "trace":
            continue
        hours = Counter(
            item.timestamp.replace(minute=0, second=0, microsecond=0)
            for cluster in run.clusters
            for item in cluster.items
        )
        assert max(hours.values()) <= 15


def test_filtered_jobs_hold_only_what_they_ask_for(bundled):
    support = bundled.run("Support bot (production)", LATEST)
    for cluster in support.clusters:
        for item in cluster.items:
            said = bundled.calls[item.key][0][2]
            assert (said["feature"], said["environment"]) == ("support-bot", "production")
    anthropic = bundled.run("Anthropic answers", -25)
    for cluster in anthropic.clusters:
        assert {bundled.by_uuid[item.key][2]["$ai_provider"] for item in cluster.items} == {"anthropic"}


def test_baked_metrics_follow_posthog_s_own_definition(bundled):
    run = bundled.run(MAIN, LATEST)
    window = run.header.window
    for cluster in run.clusters:
        rows = [
            [(name, said) for name, at, said in bundled.calls[item.key] if window.start <= at < window.end]
            for item in cluster.items
        ]
        costs = [
            sum(said.get("$ai_total_cost_usd", 0.0) for name, said in row if name != "$ai_span")
            for row in rows
        ]
        waits = [sum(said["$ai_latency"] for name, said in row if name == "$ai_generation") for row in rows]
        paid = [cost for cost in costs if cost > 0]
        failed = sum(any(said.get("$ai_is_error") for _, said in row) for row in rows)
        assert cluster.baked is not None
        assert cluster.baked["item_count"] == cluster.size
        assert cluster.baked["error_count"] == failed
        assert math.isclose(cluster.baked["error_rate"], failed / cluster.size, abs_tol=1e-9)
        assert math.isclose(cluster.baked["total_cost"], sum(paid), rel_tol=1e-6)
        assert math.isclose(cluster.baked["avg_cost"], sum(paid) / len(paid), rel_tol=1e-6)
        assert math.isclose(cluster.baked["avg_latency"], sum(waits) / len(waits), rel_tol=1e-6)
        assert cluster.baked.get("pass_rate") is None


def test_evaluation_clusters_carry_pass_rates_and_their_judge(bundled):
    run = bundled.run("Default - evaluations", LATEST)
    rates = [cluster.baked["pass_rate"] for cluster in run.clusters if cluster.baked]
    assert min(rates) == 0.0
    assert max(rates) == 1.0
    assert {cluster.baked["dominant_runtime"] for cluster in run.clusters if cluster.baked} == {
        "hog",
        "llm_judge",
    }


def test_clusters_are_renumbered_and_reworded_between_runs(bundled):
    titles = defaultdict(set)
    numbers = defaultdict(set)
    for run, _ in bundled.runs:
        if run.header.job_name != MAIN:
            continue
        for topic, theme in themes("trace").items():
            found = [cluster for cluster in run.clusters if cluster.title in theme.titles]
            titles[topic] |= {cluster.title for cluster in found}
            numbers[topic] |= {cluster.cluster_id for cluster in found}
    assert sum(len(wordings) >= 3 for wordings in titles.values()) >= 10
    assert all(len(numbers[topic]) >= 3 for topic in ("vat", "statements", "overdue"))


def test_some_runs_split_and_merge_topics(bundled):
    titles = {day: {c.title for c in bundled.run(MAIN, day).clusters} for day in (-25, -18, -4)}
    assert {"Fuel and travel receipts", "Meals and office receipts"} <= titles[-25] & titles[-4]
    assert "Account access and subscription questions" in titles[-18]


def test_runs_between_the_compared_ones_share_items_with_both(bundled):
    def keys(day):
        return {item.key for cluster in bundled.run(MAIN, day).clusters for item in cluster.items}

    prior, latest = keys(WEEK_BEFORE), keys(LATEST)
    assert len(prior & latest) < 10
    assert min(len(keys(-4) & prior), len(keys(-4) & latest)) > 200


# The story


def test_cost_of_the_changed_prompt_doubles_and_stands_out(bundled):
    before, after = bundled.run(MAIN, WEEK_BEFORE), bundled.run(MAIN, LATEST)
    costs = [
        [bundled.facts(run, item)[0] for item in cluster_about(run, "vat").items] for run in (before, after)
    ]
    paid = [[cost for cost in side if cost > 0] for side in costs]
    ratio = (sum(paid[1]) / len(paid[1])) / (sum(paid[0]) / len(paid[0]))
    assert 1.6 <= ratio <= 2.6
    assert stats.mannwhitneyu(*paid).pvalue < 1e-8


def test_errors_of_the_throttled_model_jump(bundled):
    table = []
    for day in (WEEK_BEFORE, LATEST):
        run = bundled.run(MAIN, day)
        failed = [bundled.facts(run, item)[1] for item in cluster_about(run, "statements").items]
        table.append((sum(failed), len(failed)))
    (bad, n), (bad_after, n_after) = table
    assert bad_after / n_after - bad / n >= 0.10
    assert stats.fisher_exact([[bad, n - bad], [bad_after, n_after - bad_after]]).pvalue < 1e-4


def test_one_topic_is_new_and_one_is_gone(bundled):
    before, after = bundled.run(MAIN, WEEK_BEFORE), bundled.run(MAIN, LATEST)
    assert cluster_about(before, "einvoice") is None
    assert cluster_about(after, "einvoice").size >= 30
    assert cluster_about(before, "yearend").size >= 30
    assert cluster_about(after, "yearend") is None


def test_one_topic_grows_and_one_shrinks(bundled):
    before, after = bundled.run(MAIN, WEEK_BEFORE), bundled.run(MAIN, LATEST)

    def growth(topic):
        return cluster_about(after, topic).size / cluster_about(before, topic).size

    assert before.header.items == after.header.items
    assert growth("cashflow") > 1.8
    assert growth("plan") < 0.5


@pytest.mark.parametrize(
    "topic", ["overdue", "reconcile", "quotes", "receipts", "supplier", "login", "feeds"]
)
def test_other_topics_differ_by_chance_only(bundled, topic):
    before, after = bundled.run(MAIN, WEEK_BEFORE), bundled.run(MAIN, LATEST)
    sides = [
        [bundled.facts(run, item) for item in cluster_about(run, topic).items] for run in (before, after)
    ]
    assert stats.mannwhitneyu(*[[cost for cost, _ in side if cost > 0] for side in sides]).pvalue > 0.01
    table = [[sum(bad for _, bad in side), sum(not bad for _, bad in side)] for side in sides]
    assert stats.fisher_exact(table).pvalue > 0.02


def test_jobs_stand_for_every_state_a_report_can_meet(bundled):
    jobs = {job["name"]: job for job in json.loads(demo.JOBS.read_text(encoding="utf-8"))["results"]}
    runs = Counter(run.header.job_name for run, _ in bundled.runs)
    assert runs[MAIN] >= 10
    assert runs["Default - generations"] >= 6
    assert runs["Default - evaluations"] >= 5
    assert runs["Support bot (production)"] == 1
    assert runs["Anthropic answers"] == 1
    assert not jobs["Anthropic answers"]["enabled"]
    assert jobs["Enterprise customers"]["enabled"]
    assert runs["Enterprise customers"] == 0


# Moving


def test_moving_keeps_every_difference(bundled, demo_now):
    _, _, data = demo_now
    before = {row[0]: row for row in bundled.rows}
    shifts = set()
    for row in data.rows:
        old = before[row[0]]
        shifts |= {row[index] - old[index] for index in (7, 8, 9)}
        assert row[:5] == old[:5]
        assert row[6] == old[6]
        if not row[1].endswith(("_clusters", "_summary")):
            assert row[5] == old[5]
    (shift,) = shifts
    assert shift % 86_400_000_000 == 0


def test_moved_runs_agree_with_their_ids_and_items(bundled, demo_now):
    _, _, data = demo_now
    days = timedelta(days=(moment(data.rows[0][7]) - data_start(bundled, data.rows[0][0])).days)
    old = {run.header.event_uuid: run for run, _ in bundled.runs}
    assert len(data.runs) == len(old)
    for run, _ in data.runs:
        header, was = run.header, old[run.header.event_uuid]
        assert f"_{header.window.end:%Y%m%d_%H%M%S}_" in header.run_id
        assert header.window.start == was.header.window.start + days
        assert header.window.end == was.header.window.end + days
        assert header.emitted_at == was.header.emitted_at + days
        assert [c.title for c in run.clusters] == [c.title for c in was.clusters]
        for cluster, cluster_was in zip(run.clusters, was.clusters, strict=True):
            for item, item_was in zip(cluster.items, cluster_was.items, strict=True):
                assert item.key == item_was.key
                assert item.timestamp == item_was.timestamp + days


def data_start(data, uuid):
    return next(moment(row[7]) for row in data.rows if row[0] == uuid)


def test_moved_summaries_name_the_moved_start_of_their_trace(demo_now):
    _, _, data = demo_now
    summaries = [said for name, _, said in data.by_uuid.values() if name.endswith("_summary")]
    assert len(summaries) > 1_000
    for said in summaries:
        starts = min(at for _, at, _ in data.calls[said["$ai_trace_id"]])
        assert datetime.fromisoformat(said["trace_timestamp"]) == starts


def test_no_date_of_the_bundle_is_left_behind(demo_now):
    _, files, data = demo_now
    text = files.jobs.read_text(encoding="utf-8") + "".join(row[5] for row in data.rows)
    assert not re.search(r"2026-?0[1-3]", re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|[a-z]+-[0-9a-f]{14}", "", text))


def test_moved_jobs_keep_everything_but_their_times(demo_now):
    _, files, _ = demo_now
    old = json.loads(demo.JOBS.read_text(encoding="utf-8"))
    new = json.loads(files.jobs.read_text(encoding="utf-8"))
    shifts = set()
    for was, job in zip(old["results"], new["results"], strict=True):
        for key in ("created_at", "updated_at"):
            shifts.add(datetime.fromisoformat(job.pop(key)) - datetime.fromisoformat(was.pop(key)))
    assert new == old
    assert len(shifts) == 1


@pytest.mark.parametrize(
    "now",
    [
        datetime(2026, 3, 16, 7, 0, tzinfo=UTC),
        datetime(2026, 3, 17, 6, 59, 59, tzinfo=UTC),
        datetime(2024, 2, 29, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime(2028, 3, 1, 0, 0, tzinfo=UTC),
        datetime(2029, 10, 28, 2, 30, tzinfo=timezone(timedelta(hours=2))),
    ],
)
def test_data_ends_now_with_runs_of_the_last_day(now, tmp_path):
    files = demo.moved(now, tmp_path)
    rows = read(files.events)
    newest = max(moment(row[9]) for row in rows)
    assert now - timedelta(hours=3) < newest <= now
    emitted = {name: max(moment(row[7]) for row in rows if row[1] == name) for name in RUN_EVENTS}
    for name, at in emitted.items():
        assert now - timedelta(hours=31) < at <= now, name
    assert sum(row[1] in RUN_EVENTS for row in rows) == sum(len(job.days) for job in timeline.JOBS)


def test_same_moment_gives_same_bytes_in_any_zone(tmp_path):
    now = datetime(2027, 1, 5, 9, 30, tzinfo=UTC)
    one = demo.moved(now, tmp_path / "one")
    two = demo.moved(now.astimezone(timezone(timedelta(hours=-9))), tmp_path / "two")
    bare = demo.moved(now.replace(tzinfo=None), tmp_path / "bare")
    assert one.events.read_bytes() == two.events.read_bytes() == bare.events.read_bytes()
    assert one.jobs.read_bytes() == two.jobs.read_bytes() == bare.jobs.read_bytes()
    assert one.incident == two.incident == bare.incident


def test_moving_again_replaces_the_files(tmp_path):
    demo.moved(datetime(2027, 1, 5, 9, 30, tzinfo=UTC), tmp_path / "again")
    again = demo.moved(datetime(2027, 1, 9, 9, 30, tzinfo=UTC), tmp_path / "again")
    fresh = demo.moved(datetime(2027, 1, 9, 9, 30, tzinfo=UTC), tmp_path / "fresh")
    assert again.events.read_bytes() == fresh.events.read_bytes()
    assert again.jobs.read_bytes() == fresh.jobs.read_bytes()


def test_the_outage_is_where_the_demo_says(demo_now):
    _, files, data = demo_now
    window = files.incident
    inside, outside = Counter(), Counter()
    for name, at, said in data.by_uuid.values():
        if name == "$ai_generation" and said["$ai_provider"] == "mistral":
            side = inside if window.start <= at < window.end else outside
            side["failed" if said.get("$ai_is_error") else "fine"] += 1
    assert inside["failed"] > 20
    assert inside["failed"] > 2 * inside["fine"]
    assert outside["failed"] < 0.2 * outside["fine"]


def test_a_folder_that_cannot_be_made_is_explained(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("in the way", encoding="utf-8")
    with pytest.raises(SourceUnreadable, match="could not be written") as caught:
        demo.moved(datetime(2027, 1, 5, tzinfo=UTC), blocked)
    assert caught.value.subject == str(blocked)
    assert blocked.read_text(encoding="utf-8") == "in the way"


def test_the_bundle_is_never_overwritten():
    before = demo.EVENTS.stat().st_mtime_ns
    with pytest.raises(SourceUnreadable, match="cannot be written into"):
        demo.moved(datetime(2027, 1, 5, tzinfo=UTC), demo.EVENTS.parent)
    assert demo.EVENTS.stat().st_mtime_ns == before
