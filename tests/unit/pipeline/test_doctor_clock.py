"""This machine's clock beside PostHog's: by it runs are looked for, and called stale."""

from datetime import timedelta

import pytest

from reporter.pipeline import doctor


@pytest.mark.parametrize(
    ("ahead_s", "told"),
    [
        (7200, "this machine's clock is 2 h ahead of PostHog's"),
        (-86_400, "this machine's clock is 24 h behind PostHog's"),
        (121, "this machine's clock is 2 min 1 s ahead of PostHog's"),
    ],
)
def test_a_clock_that_is_off_is_told_with_its_way_and_what_to_do(ahead_s: int, told: str) -> None:
    check = doctor._skew(timedelta(seconds=ahead_s))
    assert (check.outcome, check.found.replace("\xa0", " ")) == ("warn", told)
    assert "NTP" in check.hint


@pytest.mark.parametrize("ahead_s", [-120, 0, 120])
def test_two_minutes_are_no_matter(ahead_s: int) -> None:
    assert doctor._skew(timedelta(seconds=ahead_s)).outcome == "pass"


def test_a_server_that_does_not_tell_its_time_is_no_pass() -> None:
    assert doctor._skew(None).outcome == "warn"
