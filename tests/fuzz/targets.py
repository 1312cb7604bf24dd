"""What is fuzzed: each target takes bytes, and fails by raising what nobody documented.

Coverage-guided by `tests.fuzz.run`; the same targets are met with Hypothesis in their rooms' own tests.
"""

from __future__ import annotations

import json
import re
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from reporter.analysis.gate_rules import RuleError, parse
from reporter.analysis.scrub import scrub
from reporter.config import load
from reporter.errors import RunUnreadable, SourceError, UsageError
from reporter.sources.base import RUN_EVENTS
from reporter.sources.decode import EventRow, decode_header, decode_membership, decode_run
from reporter.sources.jobs import decode_jobs
from reporter.sources.run_id import parse_run_id

_EMITTED = datetime(2026, 11, 23, tzinfo=UTC)
_PLANTED = "jane.doe@example.com"


def decode(data: bytes) -> None:
    """Properties of a cluster event, as JSON text: a run or its faults."""
    text = data.decode("utf-8", "surrogateescape")
    for kind in RUN_EVENTS:
        event = EventRow("00000000-0000-4000-8000-000000000001", kind, _EMITTED, text)
        for read in (decode_header, decode_run, decode_membership):
            try:
                read(event)
            except RunUnreadable as error:
                assert error.faults


def run_ids(data: bytes) -> None:
    """A run id: parts, or none."""
    text = data.decode("utf-8", "surrogateescape")
    found = parse_run_id(text)
    assert found.label is None or text.endswith(found.label)


def jobs(data: bytes) -> None:
    """The list of jobs as PostHog's API gives it: jobs, or why not."""
    try:
        answer = json.loads(data)
    except (ValueError, RecursionError):
        return
    try:
        decode_jobs(answer)
    except SourceError as error:
        assert error.message


def settings(data: bytes) -> None:
    """A settings file: settings, or all its faults."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "reporter.toml").write_bytes(data)
        try:
            load({}, {}, Path(folder))
        except UsageError as error:
            assert error.message


def rules(data: bytes) -> None:
    """A rule for builds: a rule, or what is wrong with it."""
    try:
        rule = parse(data.decode("utf-8", "replace"))
    except RuleError as error:
        assert str(error)
    else:
        assert parse(rule.text) == rule


def redaction(data: bytes) -> None:
    """Texts of others: no address comes through, and what is clean stays as it is."""
    text = data.decode("utf-8", "replace")
    masked = scrub(text)
    assert scrub(masked) == masked
    assert _PLANTED not in scrub(f"{text} {_PLANTED} {text}")
    assert not re.search(r"[\x00-\x1f\x7f]", masked)


TARGETS = {target.__name__: target for target in (decode, run_ids, jobs, settings, rules, redaction)}
SEEDS = {
    "decode": (
        b'{"$ai_clustering_run_id":"7_trace_20261122_010001_019db7a4-1f60-7c1e-9a55-0d3c7be21001",'
        b'"$ai_window_start":"2026-11-15T01:00:01+00:00","$ai_window_end":"2026-11-22T01:00:01+00:00",'
        b'"$ai_total_items_analyzed":2,"$ai_clustering_level":"trace","$ai_clustering_params":{"a":1},'
        b'"$ai_clusters":[{"cluster_id":0,"size":1,"title":"t","description":"d","traces":{"k":{"rank":0,'
        b'"distance_to_centroid":0.5,"x":1,"y":2,"timestamp":"2026-11-16T00:00:00Z","trace_id":"k"}},'
        b'"centroid":[0.1],"centroid_x":0.5,"centroid_y":0.5,"metrics":{"avg_cost":0.1}},'
        b'{"cluster_id":-1,"size":1,"title":"Outliers","traces":{"o":{"rank":0}}}]}',
    ),
    "run_ids": (
        b"7_trace_20261122_010001_019db7a4-1f60-7c1e-9a55-0d3c7be21001_pilot",
        b"2_20251216_000105",
        b"team_2_2025-12-11T00:00:00Z",
    ),
    "jobs": (
        b'{"count":1,"next":null,"results":[{"id":"019db7a4-1f60-7c1e-9a55-0d3c7be21001","name":"n",'
        b'"analysis_level":"trace","event_filters":[{"key":"a","value":["b"],"operator":"exact"}],"enabled":true}]}',
    ),
    "settings": (
        b'source = "posthog"\nsince = "14d"\nfail_on = ["error_rate <= 5%"]\n[[gates]]\nrule = "new_share <= 10%"\n'
        b'until = 2026-12-01\nreason = "r"\n[mail]\nto = ["a@b.c"]\n',
    ),
    "rules": (
        b"any error_rate <= 5%", b"total avg_cost +20% surely", b"title:/refund/i p95_latency_s <= 12s maybe",
        b"lineage:abc mean_cost_usd >= $0.02",
    ),
    "redaction": (
        b"Bearer abc.def https://u:p@h.example/p?q=1 a@b.co 10.0.0.1 4111 1111 1111 1111 eyJhbGciOi.J9.x",
        b'password="hunter2"; -----BEGIN RSA PRIVATE KEY-----\nMIIE',
    ),
}  # fmt: skip
