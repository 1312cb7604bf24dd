"""Hand-made events with hand-computed answers, which every `Source` must give.

Plain values only: no adapter, no engine and no code of the sources is used here, so that the answers are
what the contract says and not what some adapter does. Figures are sums of powers of two, exact in binary.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from reporter.model import Failure, ItemMetrics, Job, ModelUse, Totals, Window

TEAM = "7"
START = datetime(2026, 3, 2, 0, 30, tzinfo=UTC)
END = datetime(2026, 3, 9, 0, 30, tzinfo=UTC)
WINDOW = Window(start=START, end=END)
MID = datetime(2026, 3, 5, 12, 0, tzinfo=UTC)
TICK = timedelta(microseconds=1)

TRACE_JOB = "019cb7f3-a123-7bde-b699-6fa50502196c"
GENERATION_JOB = "019cb7f3-a124-7bde-b699-6fa50502196c"
EVALUATION_JOB = "019cb7f3-a125-7bde-b699-6fa50502196c"

TRACE_RUN = f"7_trace_20260309_003000_{TRACE_JOB}"
GENERATION_RUN = f"7_generation_20260309_003000_{GENERATION_JOB}"
EVALUATION_RUN = f"7_evaluation_20260309_003000_{EVALUATION_JOB}"
LABELLED_RUN = f"7_trace_20260309_003000_{TRACE_JOB}_try_it"
JOBLESS_RUN = "7_trace_20260308_003000"
EARLY_RUN = "7_20251216_000105"
BROKEN_RUN = "7_trace_20260307_003000"

STRANGE = 'it\'s \\ a "quoted"/id::x ü 東 %41 {p0} $f0'
"""A trace id with everything that trips up a careless query."""


def uid(number: int) -> str:
    """Give the event id with this number."""
    return f"0000ab00-0000-4000-8000-{number:012x}"


EVENTS: list[dict[str, Any]] = []
"""All rows of the export, copies included, in no order."""


def add(
    number: int, event: str, at: datetime, stored: datetime | None = None, user: str = "ann", **said: Any
) -> str:
    """Add one row; ``said`` are the properties named ``$ai_…``, other names begin with an underscore."""
    named = {(name[1:] if name.startswith("_") else f"$ai_{name}"): value for name, value in said.items()}
    EVENTS.append(
        {
            "uuid": uid(number),
            "event": event,
            "distinct_id": user,
            "properties": named,
            "person_properties": {"plan": "team" if user == "ann" else "free"},
            "timestamp": at.isoformat(),
            "created_at": (at + timedelta(seconds=2)).isoformat(),
            "_inserted_at": (stored or at + timedelta(seconds=9)).isoformat(),
        }
    )
    return uid(number)


# One trace of three calls; the trace's own event repeats the sum and must not count.
ANSWER = add(1, "$ai_generation", START, trace_id="plain", total_cost_usd="0.25", latency=1.5,
             input_tokens="100", output_tokens=50, cache_read_input_tokens=10, model="m-1", provider="p",
             is_error=False, http_status=200, _feature="desk", _version=2)  # fmt: skip
add(2, "$ai_span", MID, trace_id="plain", total_cost_usd=0.5, latency="2.5", _feature="desk")
add(3, "$ai_embedding", MID + TICK, trace_id="plain", total_cost_usd=None, input_tokens=7, latency=None,
    model="e-1", is_error=None, _feature="search", _version="2.0")  # fmt: skip
add(4, "$ai_trace", MID, trace_id="plain", total_cost_usd=99, latency=99, input_tokens=99, is_error=True,
    trace_name="desk.chat")  # fmt: skip
# A failed call, its id hard to quote.
FAILED = add(5, "$ai_generation", MID, user="bob", trace_id=STRANGE, total_cost_usd=0.125, is_error="TRUE",
             error={"message": "upstream is down", "code": 7}, http_status="503", model="m-1", provider="p",
             output_tokens=3, span_id="s1", parent_id="t1", span_name="answer",
             input=[{"role": "user", "content": "hello"}], output_choices="sorry")  # fmt: skip
add(6, "$ai_generation", MID + TICK, user="ann", trace_id=STRANGE, total_cost_usd=None, is_error=True,
    error='{"code":7,"message":"upstream is down"}', http_status=503, model="m-1", provider="p")  # fmt: skip
add(7, "$ai_span", MID + 2 * TICK, user="ann", trace_id=STRANGE, is_error="true", error="x" * 600)
# The window's first moment belongs to it, its last does not.
add(10, "$ai_generation", START - TICK, trace_id="edge", total_cost_usd=8)
add(11, "$ai_generation", END, trace_id="edge", total_cost_usd=16)
add(12, "$ai_generation", END - TICK, trace_id="edge", total_cost_usd=1)
# Stored weeks after it happened; and written with another offset.
add(13, "$ai_generation", MID, stored=END + timedelta(days=30), trace_id="late", total_cost_usd=2)
EVENTS[-1]["timestamp"] = "2026-03-05T17:30:00.000001+05:30"
# Exported three times; what was stored last is true.
for cost, stored in ((4, MID), (3, MID + timedelta(days=1)), (3, MID + timedelta(days=1))):
    TWICE = add(14, "$ai_generation", MID, stored=stored, trace_id="twice", total_cost_usd=cost)
# Ids that were no text: numbers and truth values are written out, objects dropped.
add(15, "$ai_generation", MID, trace_id=123, total_cost_usd=0.0625)
add(16, "$ai_generation", MID, trace_id=True, total_cost_usd=0)
add(17, "$ai_generation", MID, trace_id={"a": 1}, total_cost_usd=32)
add(18, "$ai_generation", MID, trace_id="", total_cost_usd=32)
# What counts as an error; and nothing known otherwise.
ODD_MODEL = 'm "q" \\ ü'
for number, (flag, model) in enumerate(
    (
        (1, ""),
        ("yes", "null"),
        (False, None),
        (True, None),
        ("True", ...),
        ("false", ODD_MODEL),
        (None, "m-1"),
    ),
    start=20,
):
    named = {} if model is ... else {"model": model}
    add(number, "$ai_generation", MID, trace_id="free", is_error=flag, **named)
# What counts as a number; negative ones are kept.
for number, cost in enumerate(("NaN", "abc", True, [1], "", " -0.25 ", "1_0", "1e999", "5e-1"), start=30):
    add(
        number,
        "$ai_generation",
        MID,
        trace_id="odd",
        total_cost_usd=cost,
        latency="Infinity",
        input_tokens={},
    )
add(40, "$ai_trace", MID, trace_id="only-trace", total_cost_usd=5, latency=5)
add(41, "$ai_generation", MID, trace_id="stranger", total_cost_usd=64)
add(42, "$pageview", MID, trace_id="plain", total_cost_usd=64)
EARLIER = add(43, "$ai_generation", START - timedelta(days=1), trace_id="before", total_cost_usd=64)
# Evaluations.
add(50, "$ai_evaluation", MID, trace_id="plain", target_event_id=ANSWER.upper(), evaluation_result=True,
    evaluation_name="Helpful", evaluation_runtime="llm_judge", total_cost_usd=0.03125)  # fmt: skip
add(51, "$ai_evaluation", MID, trace_id="plain", evaluation_result=True, evaluation_applicable=False,
    evaluation_name="Helpful")  # fmt: skip
add(52, "$ai_evaluation", MID, trace_id="plain", target_event_id="nonsense", evaluation_result="False",
    evaluation_applicable="true", evaluation_runtime="hog")  # fmt: skip
add(53, "$ai_evaluation", MID - TICK, target_event_id=FAILED, evaluation_result=None, evaluation_runtime="",
    total_cost_usd="0.5")  # fmt: skip
add(54, "$ai_evaluation", MID, trace_id="before", target_event_id=EARLIER, evaluation_result="true")
add(55, "$ai_evaluation", END, trace_id="plain", target_event_id=ANSWER, evaluation_result=True)
add(56, "$ai_evaluation", START, trace_id="plain", target_event_id=ANSWER, evaluation_result=True)


def cluster(number: int, keys: list[str], title: str = "") -> dict[str, Any]:
    """Write one cluster as a run stores it."""
    items = {
        key: {"distance_to_centroid": 0.5, "rank": rank, "x": 1.0, "y": 2.0, "timestamp": "", "trace_id": key}
        for rank, key in enumerate(keys)
    }
    return {"cluster_id": number, "size": len(keys), "title": title or f"Cluster {number}", "description": "",
            "traces": items, "centroid": [], "centroid_x": 0.0, "centroid_y": 0.0}  # fmt: skip


def run(number: int, event: str, at: datetime, run_id: str, keys: list[str], **said: Any) -> None:
    """Add one run of two clusters; ``said`` overrides, ``...`` removes a property."""
    facts: dict[str, Any] = {
        "clustering_run_id": run_id,
        "window_start": START.isoformat(),
        "window_end": END.isoformat(),
        "total_items_analyzed": len(keys),
        "clusters": [cluster(0, keys[:2], "First"), cluster(-1, keys[2:], "Outliers")],
    }
    facts |= said
    facts = {name: value for name, value in facts.items() if value is not ...}
    add(number, event, at, user="clustering", **facts)


add(90, "$ai_trace_summary", MID - TICK, trace_id=STRANGE, summary_title="an older one", summary_bullets=[])
add(
    91,
    "$ai_trace_summary",
    MID,
    trace_id=STRANGE,
    summary_title='Said "no"\\yes',
    summary_bullets=[{"text": "first", "line_refs": "L1"}, {"text": "", "line_refs": ""}, "second", 3],
)
add(
    91,
    "$ai_trace_summary",
    MID,
    MID + TICK,
    trace_id=STRANGE,
    summary_title='Said "no"\\yes',
    summary_bullets=[{"text": "first", "line_refs": "L1"}, {"text": "", "line_refs": ""}, "second", 3],
)
add(92, "$ai_trace_summary", MID, trace_id="free", summary_bullets='[{"text": 1')
add(93, "$ai_trace_summary", START - timedelta(days=3), trace_id="plain", summary_title="too early")
add(
    94,
    "$ai_generation_summary",
    MID,
    trace_id="plain",
    generation_id=ANSWER.upper(),
    summary_title="An answer",
    summary_bullets='[{"text": "as text"}]',
)
SUMMARIES = {
    STRANGE: ('Said "no"\\yes', ("first", "second")),
    "free": ("", ()),
}

TRACE_KEYS = ["plain", STRANGE, "edge", "late", "twice", "123", "true", '{"a":1}', "free", "odd", "only-trace",
              "absent"]  # fmt: skip
GENERATION_KEYS = [ANSWER.upper(), FAILED, TWICE, uid(2), "not-a-uuid", "' OR 1=1 --", EARLIER]
EVALUATION_KEYS = [uid(number) for number in (50, 51, 52, 53, 54, 55, 56)]

DONE = END + timedelta(hours=1)
JOB = {"clustering_level": "trace", "clustering_job_id": TRACE_JOB, "clustering_job_name": "Default - traces"}
run(100, "$ai_trace_clusters", DONE, TRACE_RUN, TRACE_KEYS[:3], **JOB)
run(101, "$ai_trace_clusters", DONE + timedelta(minutes=1), TRACE_RUN, TRACE_KEYS, **JOB,
    clustering_params={"clustering_method": "hdbscan", "max_samples": 1500})  # fmt: skip
run(102, "$ai_generation_clusters", DONE, GENERATION_RUN, GENERATION_KEYS, clustering_level="generation",
    clustering_job_id=GENERATION_JOB.upper(), clustering_job_name="Default - generations")  # fmt: skip
run(103, "$ai_evaluation_clusters", DONE + timedelta(hours=6), EVALUATION_RUN, EVALUATION_KEYS,
    clustering_level="evaluation", clustering_job_id=EVALUATION_JOB,
    clustering_job_name="Default - evaluations", window_start="2026-03-02T00:30:00Z")  # fmt: skip
run(104, "$ai_trace_clusters", DONE + timedelta(hours=2), LABELLED_RUN, ["plain"], **JOB)
run(105, "$ai_trace_clusters", DONE - timedelta(days=1), JOBLESS_RUN, ["plain", "gone"],
    clustering_level="trace", clustering_job_id="", clustering_job_name="")  # fmt: skip
run(106, "$ai_trace_clusters", datetime(2025, 12, 16, 0, 9, tzinfo=UTC), EARLY_RUN, ["old"],
    window_start="2025-12-09T00:01:05Z", window_end="2025-12-16T00:01:05Z", total_items_analyzed=...,
    total_traces_analyzed="1",
    clusters='[{"cluster_id": 0, "size": 1, "title": "Old", "description": "", "centroid": [], "traces": '
             '{"old": {"distance_to_centroid": 0.1, "rank": 0}}}]')  # fmt: skip
run(107, "$ai_trace_clusters", DONE - timedelta(days=2), BROKEN_RUN, ["plain"], window_start="no time",
    total_items_analyzed=-1)  # fmt: skip

JOBS = {
    "count": 3,
    "next": None,
    "previous": None,
    "results": [
        {"id": job, "name": f"Default - {level}s", "analysis_level": level, "event_filters": [], "enabled": True,
         "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z"}
        for job, level in ((TRACE_JOB, "trace"), (GENERATION_JOB, "generation"), (EVALUATION_JOB, "evaluation"))
    ],
}  # fmt: skip


def row(key: str, first: datetime, last: datetime | None = None, **facts: Any) -> ItemMetrics:
    """Write an expected item: nothing known but what is said, all of it of no model unless that is said."""
    known: dict[str, Any] = {
        "cost_usd": None, "latency_s": None, "tokens_in": None, "tokens_out": None, "tokens_cached": None,
        "error_events": 0, "calls": 1, "has_data": True,
    }  # fmt: skip
    made = ItemMetrics(key=key, first_at=first, last_at=last or first, **{**known, **facts})
    if made.models or not made.calls:
        return made
    return replace(made, models=(ModelUse(None, made.calls, made.tokens, made.cost_usd),))


ANSWERED = ModelUse("m-1", calls=1, tokens=150.0, cost_usd=0.25)
SPANNED = ModelUse(None, calls=0, tokens=None, cost_usd=0.5)
EMBEDDED = ModelUse("e-1", calls=1, tokens=7.0, cost_usd=None)
BROKE = ModelUse("m-1", calls=1, tokens=3.0, cost_usd=0.125)


TRACE_ITEMS = (
    row("123", MID, cost_usd=0.0625, trace_id="123"),
    row("edge", END - TICK, cost_usd=1.0, trace_id="edge"),
    row("free", MID, error_events=2, calls=7, trace_id="free",
        models=(ModelUse(None, 5, None, None), ModelUse(ODD_MODEL, 1, None, None), ModelUse("m-1", 1, None, None))),
    row(STRANGE, MID, MID + 2 * TICK, cost_usd=0.125, tokens_out=3.0, error_events=3, calls=2, trace_id=STRANGE,
        models=(replace(BROKE, calls=2),)),
    row("late", MID + TICK, cost_usd=2.0, trace_id="late"),
    row("odd", MID, cost_usd=0.25, calls=9, trace_id="odd"),
    row("plain", START, MID + TICK, cost_usd=0.75, latency_s=2.5, tokens_in=107.0, tokens_out=50.0,
        tokens_cached=10.0, calls=2, trace_id="plain", models=(SPANNED, EMBEDDED, ANSWERED)),
    row("true", MID, cost_usd=0.0, trace_id="true"),
    row("twice", MID, cost_usd=3.0, trace_id="twice"),
)  # fmt: skip

PLAIN_BY_FEATURE = (
    row("plain", START, MID, by="desk", cost_usd=0.75, latency_s=2.5, tokens_in=100.0, tokens_out=50.0,
        tokens_cached=10.0, trace_id="plain", models=(SPANNED, ANSWERED)),
    row("plain", MID + TICK, by="search", tokens_in=7.0, trace_id="plain", models=(EMBEDDED,)),
)  # fmt: skip

_ANSWER: dict[str, Any] = {"cost_usd": 0.25, "latency_s": 1.5, "tokens_in": 100.0, "tokens_out": 50.0,
                           "tokens_cached": 10.0, "trace_id": "plain", "models": (ANSWERED,)}  # fmt: skip
GENERATION_ITEMS = (
    row(ANSWER.upper(), START, **_ANSWER),
    row(FAILED, MID, cost_usd=0.125, tokens_out=3.0, error_events=1, trace_id=STRANGE, models=(BROKE,)),
    row(TWICE, MID, cost_usd=3.0, trace_id="twice"),
)
EVALUATION_ITEMS = (
    row(uid(50), START, MID, **_ANSWER, verdict="pass", evaluation_name="Helpful", evaluation_runtime="llm_judge",
        judge_cost_usd=0.03125, target_id=ANSWER),
    row(uid(51), MID, calls=0, has_data=False, verdict="na", evaluation_name="Helpful", trace_id="plain"),
    row(uid(52), MID, calls=0, has_data=False, verdict="fail", evaluation_runtime="hog", trace_id="plain"),
    row(uid(53), MID - TICK, MID, cost_usd=0.125, tokens_out=3.0, error_events=1, judge_cost_usd=0.5,
        target_id=FAILED, trace_id=STRANGE, models=(BROKE,)),
    row(uid(54), MID, calls=0, has_data=False, verdict="pass", target_id=EARLIER, trace_id="before"),
    row(uid(56), START, **_ANSWER, verdict="pass", target_id=ANSWER),
)  # fmt: skip

_LOOK: dict[str, Any] = {"message": "upstream is down", "http_status": 503, "model": "m-1", "provider": "p"}
TRACE_FAILURES = (
    Failure(key="free", message="", http_status=None, model=None, provider=None, count=2, first_at=MID,
            last_at=MID, cost_usd=None, users=1),
    Failure(key=STRANGE, **_LOOK, count=2, first_at=MID, last_at=MID + TICK, cost_usd=0.125, users=2),
    Failure(key=STRANGE, message="x" * 499 + "…", http_status=None, model=None, provider=None, count=1,
            first_at=MID + 2 * TICK, last_at=MID + 2 * TICK, cost_usd=None, users=1),
)  # fmt: skip
EVALUATION_FAILURES = (
    Failure(key=uid(53), **_LOOK, count=1, first_at=MID, last_at=MID, cost_usd=0.125, users=1),
)


def job(level: Any, *filters: dict[str, Any]) -> Job:
    """Write a job of one level with these filters."""
    return Job(id=TRACE_JOB, name="a job", level=level, event_filters=filters)


DESK = {"key": "feature", "type": "event", "value": ["desk"], "operator": "exact"}
POPULATIONS = {
    "every trace": (job("trace"), Totals(items=10, calls=28, cost_usd=135.1875, tokens=160.0, error_events=5)),
    "traces of a feature": (job("trace", DESK), Totals(1, 1, 0.75, 150.0, 0)),
    "a number, however written": (
        job("trace", {"key": "version", "value": 2, "operator": "exact"}), Totals(1, 2, 0.25, 157.0, 0)),
    "without the property": (
        job("trace", DESK, {"key": "version", "type": "event", "operator": "is_not_set"}), Totals(1, 0, 0.5, None, 0)),
    "both of two filters": (
        job("trace", DESK, {"key": "version", "type": "event", "value": 3, "operator": "lt"}),
        Totals(1, 1, 0.25, 150.0, 0)),
    "every generation": (job("generation"), Totals(27, 27, 134.6875, 153.0, 4)),
    "every evaluation": (job("evaluation"), Totals(6, 3, 0.625, 303.0, 1)),
    "evaluations by name": (
        job("evaluation", {"key": "$ai_evaluation_name", "type": "event", "value": "helpful",
                           "operator": "icontains"}), Totals(2, 1, 0.25, 150.0, 0)),
    "nothing at all": (
        job("trace", {"key": "feature", "value": ["nowhere"]}), Totals(0, 0, None, None, 0)),
}  # fmt: skip
"""Name → job, and the population of `WINDOW` under its filters."""
