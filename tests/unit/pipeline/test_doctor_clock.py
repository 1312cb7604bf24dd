"""This machine's clock beside PostHog's: by it a run is called stale."""

from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import pytest

from reporter.pipeline import doctor

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)


def skew(server_time: datetime | None) -> Any:
    return doctor._skew(SimpleNamespace(server_time=server_time), NOW)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ahead_s", "told"),
    [
        (7200, "this machine's clock is 7200 s ahead of PostHog's"),
        (-86_400, "this machine's clock is 86400 s behind PostHog's"),
    ],
)
def test_a_clock_that_is_off_is_told_with_its_way_and_what_to_do(ahead_s: int, told: str) -> None:
    check = skew(NOW - timedelta(seconds=ahead_s))
    assert (check.outcome, check.found) == ("warn", told)
    assert "NTP" in check.hint


def test_the_same_moment_in_another_zone_agrees() -> None:
    there = NOW.astimezone(timezone(timedelta(hours=5, minutes=45)))
    assert skew(there).outcome == "pass"


def test_a_server_that_does_not_tell_its_time_is_no_pass() -> None:
    assert skew(None).outcome == "warn"
