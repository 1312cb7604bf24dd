"""The grammar of rules: what they mean, and where they go wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporter.analysis import gate_rules
from reporter.analysis.gate_rules import METRICS, Rule, RuleError, parse

READ = [
    ("error_rate <= 5%", ("any", "", "error_rate", "<=", 0.05, False, "maybe")),
    ("total avg_cost +20% surely", ("total", "", "avg_cost", "+", 0.2, True, "surely")),
    (
        "title:/refund/i p95_latency_s <= 12s",
        ("title", "refund", "p95_latency_s", "<=", 12.0, False, "maybe"),
    ),
    ("new_share <= 10%", ("any", "", "new_share", "<=", 0.1, False, "maybe")),
    ("lineage:a1b2 mean_cost_usd < $0.02", ("lineage", "a1b2", "mean_cost_usd", "<", 0.02, False, "maybe")),
    ("any error_rate +2pp", ("any", "", "error_rate", "+", 0.02, False, "maybe")),
    ("any error_rate +0.02", ("any", "", "error_rate", "+", 0.02, False, "maybe")),
    ("total pass_rate -5%", ("total", "", "pass_rate", "-", 0.05, True, "maybe")),
    ("total pass_rate >= 80% surely", ("total", "", "pass_rate", ">=", 0.8, False, "surely")),
    ("noise share<=30%", ("noise", "", "share", "<=", 0.3, False, "maybe")),
    ("new item_count <= 50", ("new", "", "item_count", "<=", 50.0, False, "maybe")),
    ("  any   median_latency_s   <   340ms  ", ("any", "", "median_latency_s", "<", 0.34, False, "maybe")),
    ("any median_latency_s <= 2m", ("any", "", "median_latency_s", "<=", 120.0, False, "maybe")),
    ("mean_tokens <= 1.2k maybe", ("any", "", "mean_tokens", "<=", 1200.0, False, "maybe")),
    ("total total_cost <= $1.5k", ("total", "", "total_cost", "<=", 1500.0, False, "maybe")),
    ("total total_cost + $5", ("total", "", "total_cost", "+", 5.0, False, "maybe")),
    (r"title:/a\/b (c|d)/ share <= .5", ("title", r"a\/b (c|d)", "share", "<=", 0.5, False, "maybe")),
    ("TOTAL Error_Rate > 0 SURELY", ("total", "", "error_rate", ">", 0.0, False, "surely")),
    ("total error_rate − 1pp", ("total", "", "error_rate", "-", 0.01, False, "maybe")),
]


@pytest.mark.parametrize(("text", "meaning"), READ)
def test_rules_are_read(text: str, meaning: tuple[object, ...]) -> None:
    rule = parse(text)
    assert (rule.scope, rule.subject, rule.metric, rule.way, rule.relative, rule.certainty) == (
        *meaning[:4], meaning[5], meaning[6],
    )  # fmt: skip
    assert rule.limit == pytest.approx(meaning[4])
    assert rule.text == text


@pytest.mark.parametrize(
    ("text", "position", "words"),
    [
        ("", 0, "is due here"),
        ("eror_rate <= 5%", 0, "did you mean error_rate?"),
        ("any nonsense_at_all <= 5%", 4, "there is no figure called nonsense_at_all"),
        ("error_rate 5%", 11, "one of <=, <, >=, >"),
        ("error_rate == 5%", 11, "one of <=, <, >=, >"),
        ("error_rate <= five", 14, "a number is due here"),
        ("error_rate <= 5%%", 14, "a number is due here"),
        ("error_rate <= 5% sure", 17, "should end here"),
        ("error_rate <= 5% surely now", 24, "should end here"),
        ("p95_latency_s <= 5%", 18, "p95_latency_s is in seconds, not in %"),
        ("error_rate <= $5", 14, "error_rate is not in dollars"),
        ("mean_cost_usd <= 5s", 18, "mean_cost_usd is in dollars, not in s"),
        ("error_rate <= 50", 14, "write 50%, or a share from 0 to 1"),
        ("total avg_cost +$20%", 16, "dollars or percent, not both"),
        ("title:refund share <= 1%", 0, "write title:/words or pattern/"),
        ("title:/ref(und/ share <= 1%", 10, "no regular expression"),
        ("new avg_cost +20%", 0, "nothing to be compared with"),
        ("noise new_share <= 5%", 0, "about a whole run"),
        ("new_share +5%", 0, "compares two runs already"),
        ("total share <= 5%", 0, "always 100%"),
    ],
)
def test_a_mistake_is_pointed_at(text: str, position: int, words: str) -> None:
    with pytest.raises(RuleError) as caught:
        parse(text)
    assert caught.value.position == position
    assert words in caught.value.message
    shown = str(caught.value).split("\n")
    assert shown[1].strip() == text.strip()
    assert shown[2].index("^") == 4 + position


@given(st.text(max_size=60))
def test_anything_is_a_rule_or_a_mistake_inside_it(text: str) -> None:
    found: Rule | RuleError
    try:
        found = parse(text)
    except RuleError as error:
        found = error
    assert found.metric in METRICS if isinstance(found, Rule) else 0 <= found.position <= len(text)


@given(
    st.sampled_from(["", "total ", "any ", "noise ", "lineage:x ", "title:/a b/i "]),
    st.sampled_from([m for m in METRICS if m not in (*gate_rules.JOB_METRICS, "share")]),
    st.sampled_from(["<=", "<", ">=", ">", "+", "-"]),
    st.floats(0, 1).map(lambda value: f"{value:.4f}"),
    st.sampled_from(["", " maybe", " surely"]),
)
def test_what_is_written_by_the_grammar_is_read(
    scope: str, metric: str, way: str, number: str, sure: str
) -> None:
    rule = parse(f"{scope}{metric} {way} {number}{sure}")
    assert (rule.metric, rule.way, rule.limit) == (metric, way, float(number))
    assert isinstance(rule, Rule)
    assert rule.compares == (way in "+-")
