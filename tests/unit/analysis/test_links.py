"""Addresses inside PostHog."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporter.analysis import links
from tests.worlds import item, row

HOST = "https://eu.posthog.com"
AT = datetime(2026, 11, 16, 0, 1, 12, tzinfo=UTC)


def test_addresses_follow_posthogs_routes() -> None:
    assert (
        links.run_url(HOST, "5120", "5120_trace_1")
        == f"{HOST}/project/5120/ai-observability/clusters/5120_trace_1"
    )
    assert (
        links.cluster_url(HOST + "/", "5120", "r", -1)
        == f"{HOST}/project/5120/ai-observability/clusters/r/-1"
    )
    assert links.trace_url(HOST, "5120", "t", AT, "u-1") == (
        f"{HOST}/project/5120/ai-observability/traces/t?tab=summary&timestamp=2026-11-16T00%3A01%3A12Z&event=u-1"
    )
    assert links.trace_url(HOST, "5120", "t") == f"{HOST}/project/5120/ai-observability/traces/t?tab=summary"


def test_without_a_project_or_trace_there_is_no_address() -> None:
    assert links.run_url(HOST, None, "r") is None
    assert links.cluster_url(HOST, None, "r", 1) is None
    assert links.trace_url(HOST, None, "t") is None
    assert links.trace_url(HOST, "1", None) is None


@given(st.text(min_size=1))
def test_ids_cannot_leave_their_place(trace_id: str) -> None:
    url = links.trace_url(HOST, "1", trace_id)
    assert url is not None
    path, query = url.removeprefix(f"{HOST}/project/1/ai-observability/traces/").split("?")
    assert query == "tab=summary"
    assert not set(path) & set("/?#&<>'\" \\\n")


def test_lone_surrogates_do_not_break_an_address() -> None:
    assert links.trace_url(HOST, "1", "a\ud800") is not None


@pytest.mark.parametrize(
    ("level", "trace", "target", "expected"),
    [
        ("trace", "k", None, "traces/k?tab=summary"),
        ("generation", "t", None, "traces/t?tab=summary&event=k"),
        ("generation", None, None, None),
        ("evaluation", "t", "g", "traces/t?tab=summary&event=g"),
        ("evaluation", "t", None, None),
        ("evaluation", None, "g", None),
    ],
)
def test_items_open_where_their_level_says(
    level: str, trace: str | None, target: str | None, expected: str | None
) -> None:
    found = links.item_url(HOST, "1", level, item("k", trace_id=trace), row("k", target_id=target))  # type: ignore[arg-type]
    assert (found and found.removeprefix(f"{HOST}/project/1/ai-observability/")) == expected


def test_a_trace_named_by_the_events_is_used_where_the_run_has_none() -> None:
    assert links.trace_of("generation", item("k", trace_id=None), row("k", trace_id="t")) == "t"
    assert links.trace_of("generation", item("k", trace_id=None), None) is None
    assert links.trace_of("trace", item("k", trace_id=None), None) == "k"
