from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporter import report as r
from reporter.render import words


def change(
    prior: float | None, latest: float | None, call: str = "changed", **over: object
) -> r.MetricChange:
    difference = None if prior is None or latest is None else latest - prior
    fields = {
        "prior": prior,
        "latest": latest,
        "difference": difference,
        "low": None,
        "high": None,
        "ratio": None,
        "p_value": None,
        "q_value": None,
        "call": call,
    }
    return r.MetricChange(**(fields | over))


@pytest.mark.parametrize(
    ("text", "items", "paragraph"),
    [
        ("- one\n- two", ("one", "two"), ""),
        ("\n - one \n\n - two\n", ("one", "two"), ""),
        ("- only one", (), "- only one"),
        ("- one\nand more", (), "- one and more"),
        ("-one\n-two", (), "-one -two"),
        ("", (), ""),
    ],
)
def test_description_is_a_list_only_if_every_line_begins_with_a_dash(
    text: str, items: tuple[str, ...], paragraph: str
) -> None:
    assert words.description(text) == words.Description(items=items, paragraph=paragraph)


@given(st.text(max_size=300))
def test_description_never_holds_control_characters(text: str) -> None:
    made = words.description(text)
    assert all(
        ch.isprintable() or ch == "\u200d" or not ch.isascii()
        for line in (*made.items, made.paragraph)
        for ch in line
    )


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "//host/x",
        "/x",
        "",
        "https://h/ x",
        'https://h/"onclick="',
        "https://h/\n",
        "ftp://h/",
        "https://" + "a" * 2_001,
        " https://h/",
    ],
)
def test_only_web_addresses_become_links(url: str) -> None:
    assert words.link(url) is None


def test_web_addresses_are_kept() -> None:
    assert words.link("https://us.posthog.com/project/1/x?tab=a&b=%2Fc#d") is not None
    assert words.link("http://localhost:8000/") is not None
    assert words.link(None) is None


def test_empty_title_gets_a_name() -> None:
    assert words.title("", 3) == "Cluster 3 (untitled)"
    assert words.title("\u200b \u0000", 3) == "Cluster 3 (untitled)"
    assert words.title("", -1) == "Outliers"
    assert words.title(" A\nB ", 3) == "A B"


def test_colour_needs_a_call() -> None:
    assert words.tone("no_clear_change", "up", good=False) == "calm"
    assert words.tone("not_enough_data", "up", good=False) == "calm"
    assert words.tone("changed", "up", good=False) == "worse"
    assert words.tone("probably_changed", "down", good=True) == "better"
    assert words.tone("changed", "up", None) == "plain"


def test_shares_move_in_points_and_the_rest_in_percent() -> None:
    assert words.moved("error_rate", change(0.03, 0.14)) == "▲\u00a011\u00a0points"
    assert words.moved("share", change(0.10, 0.0800)) == "▼\u00a02.0\u00a0points"
    assert words.moved("mean_cost_usd", change(0.10, 0.08)) == "▼\u00a020%"
    assert words.moved("mean_cost_usd", change(0.0, 0.08)) == "new"
    assert words.moved("error_rate", change(None, 0.08)) == "–"


def test_a_net_share_says_so() -> None:
    net = change(0.05, 0.11, low=0.03, high=0.09, method="share-growth-bridged")
    assert words.label("share", net) == "Share, net of re-clustering"
    assert words.interval("share", net) == "+3.0 to +9.0 points"
    assert words.label("share", change(0.05, 0.11, method="share-growth")) == "Share"
    assert words.label("share", None) == "Share"


def link(evidence: str, shared: int) -> r.Link:
    return r.Link(
        prior_cluster_id=1, confidence=0.9, evidence=evidence, shared_items=shared, text_similarity=0.714
    )


@pytest.mark.parametrize(
    ("links", "told"),
    [
        ([link("items", 41)], "41 shared items"),
        ([link("items", 1)], "1 shared item"),
        ([link("text", 0)], "wording only, 0.71"),
        ([link("both", 12), link("items", 3)], "15 shared items and wording, 0.71"),
        ([link("items", 0)], "items followed through the runs between"),
    ],
)
def test_evidence_says_what_a_link_rests_on(links: list[r.Link], told: str) -> None:
    assert words.evidence(links) == told


def test_no_link_is_ever_quite_certain() -> None:
    assert words.confidence_of(0.9999) == "surely (>0.99)"
    assert words.confidence_of(0.97) == "surely (0.97)"
    assert words.confidence_of(0.4) == "possibly (0.40)"


@pytest.mark.parametrize(
    ("kind", "share", "told", "where"),
    [
        (
            "gone",
            0.62,
            "no link found; 62% of its items that were followed became outliers",
            "62% of its items that were followed became outliers",
        ),
        ("new", 0.31, "no link found; 31% of its items that were followed were outliers before", ""),
        ("gone", 0.01, "no link found", ""),
        ("gone", None, "no link found", ""),
    ],
)
def test_a_cluster_without_a_link_says_where_its_items_went(
    kind: str, share: float | None, told: str, where: str
) -> None:
    entry = r.TransitionEntry(
        kind=kind, latest=[], prior=[1], confidence=0.9, evidence=None, shared_items=0, noise_share=share
    )
    assert words.absence(entry) == told
    assert words.dissolved(entry) == where


def test_interval_is_relative_where_there_is_a_ratio() -> None:
    ratio = r.Ratio(value=1.6, low=1.36, high=1.89)
    assert words.interval("mean_cost_usd", change(1, 1.6, ratio=ratio)) == "+36% to +89%"
    assert (
        words.interval("mean_cost_usd", change(1, 1.6, ratio=r.Ratio(value=4, low=0.9, high=5.1)))
        == "−10% to ×5.1"
    )
    assert words.interval("mean_cost_usd", change(1, 1.6, low=0.2, high=1.0)) == "+$0.20 to +$1.00"
    assert words.interval("error_rate", change(0.03, 0.14, low=0.021, high=0.15)) == "+2.1 to +15 points"
    assert words.interval("error_rate", change(0.03, 0.14)) == "–"


def test_confidence_words_follow_their_bounds() -> None:
    assert [words.confidence(c) for c in (0.95, 0.9, 0.89, 0.6, 0.59)] == [
        "surely",
        "surely",
        "probably",
        "probably",
        "possibly",
    ]


def test_short_run_drops_the_job() -> None:
    assert (
        words.short_run("2_trace_20260122_000043_019cb7f3-a123-7bde-b699-6fa50502196c")
        == "2_trace_20260122_000043"
    )


def test_unknown_sorts_as_nothing() -> None:
    assert words.sort_key(None) == ""
    assert words.sort_key(float("nan")) == ""
    assert words.sort_key(0.0) == "0"
