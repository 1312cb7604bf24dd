from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporter.render import summary
from tests.reports import HOSTILE, report, section, states

STATES = states()


@pytest.mark.parametrize("name", STATES)
def test_every_state_has_its_headline(name: str) -> None:
    text = summary.markdown(STATES[name]).data.decode()
    assert text.startswith("# ")
    assert text.count("\n## ") == len(STATES[name].jobs)


def test_what_changed_is_a_table() -> None:
    text = summary.markdown(STATES["changed"]).data.decode()
    assert (  # one row
        "| Data import mapping | Mean cost | $0.019 → $0.030 | "
        "▲\u00a060% | +36% to +89% | +$12.40 | Changed |" in text
    )


@given(st.text(max_size=60))
def test_untrusted_text_cannot_format_link_or_mention(text: str) -> None:
    made = summary.escape(text)
    assert "\n" not in made
    for mark in "<@":
        assert mark not in made
    for at, ch in enumerate(made):
        if ch in "*_`[]|~":
            assert made[at - 1] == "\\"


def test_hostile_titles_make_no_markup() -> None:
    text = summary.markdown(report([section(titles=HOSTILE, clusters=9)])).data.decode()
    assert "<script" not in text
    assert "<img" not in text
