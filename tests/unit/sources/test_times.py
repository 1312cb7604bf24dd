"""Timestamps of every spelling become one aware UTC time; what is not one becomes nothing."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporter.sources.times import parse_instant
from tests.strategies import broken_text, instants, json_values

SECOND = datetime(2026, 11, 16, 0, 1, 12, tzinfo=UTC)
MICRO = SECOND.replace(microsecond=483920)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-11-16T00:01:12.483920+00:00", MICRO),
        ("2026-11-16T00:01:12+00:00", SECOND),
        ("2026-11-16T00:01:12Z", SECOND),
        ("2026-11-16t00:01:12z", SECOND),
        ("2026-11-16T00:01:12.48392Z", MICRO),
        ("2026-11-16T00:01:12,48392Z", MICRO),
        ("2026-11-16T00:01:12.4Z", SECOND.replace(microsecond=400_000)),
        ("2026-11-16T00:01:12.483920999Z", MICRO),
        ("2026-11-16 00:01:12.483920", MICRO),
        ("2026-11-16 00:01:12", SECOND),
        ("2026-11-16T00:01:12", SECOND),
        ("2026-11-16 00:01:12 UTC", SECOND),
        ("2026-11-16 00:01:12+00", SECOND),
        ("2026-11-16 00:01:12 +0000", SECOND),
        ("2026-11-16T05:31:12+05:30", SECOND),
        ("2026-11-16T05:31:12+0530", SECOND),
        ("2026-11-15T19:01:12-05:00", SECOND),
        ("2026-11-15T19:01:12-05", SECOND),
        ("2026-11-16T00:01:12-00:00", SECOND),
        ("  2026-11-16T00:01:12Z\n", SECOND),
        ("2026-11-16T00:01Z", SECOND.replace(second=0)),
        ("2026-11-16", SECOND.replace(minute=0, second=0)),
        (SECOND, SECOND),
        (SECOND.replace(tzinfo=None), SECOND),
        (SECOND.astimezone(timezone(timedelta(hours=-5))), SECOND),
        (date(2026, 11, 16), SECOND.replace(minute=0, second=0)),
        (1_794_787_272, SECOND),
        (1_794_787_272.48392, MICRO),
        (1_794_787_272_000, SECOND),
        (1_794_787_272_483_920, MICRO),
        (1_794_787_272_483_920_999, MICRO),
        ("1794787272", SECOND),
        ("1794787272483", SECOND.replace(microsecond=483_000)),
        ("1794787272.483", SECOND.replace(microsecond=483_000)),
    ],
)
def test_every_spelling_is_read(value: object, expected: datetime) -> None:
    read = parse_instant(value)
    assert read == expected
    assert read is not None
    assert read.tzinfo is UTC


@pytest.mark.parametrize(
    "value",
    [
        "", " ", "null", "yesterday", "2026", "2026-11", "20261116", "2026-W47-1", "2026-13-01", "2026-02-30",
        "2026-11-16T24:00:00Z", "2026-11-16T00:01:60Z", "2026-11-16T00:01:12+24:00", "2026-11-16T00:01:12Zx",
        "2026-11-16T00:01:12.Z", "2026-11-16T00:01:12.1234567890Z", "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00", "٢٠٢٦-11-16T00:01:12Z",
        "2026-11-16T00:01:12Z" + " " * 100, None, True, False, 0, 20_260_122, 10**400, -1_794_787_272,
        float("nan"), float("inf"), [], {}, b"2026-11-16",
    ],
)  # fmt: skip
def test_what_is_no_time_is_read_as_nothing(value: object) -> None:
    assert parse_instant(value) is None


def test_an_object_beyond_the_calendar_is_read_as_nothing() -> None:
    assert parse_instant(datetime.max.replace(tzinfo=timezone(-timedelta(hours=1)))) is None


@given(instants(), st.integers(-23 * 60, 23 * 60), st.sampled_from("T "), st.booleans())
def test_offset_and_separator_do_not_move_a_time(
    time: datetime, offset_min: int, separator: str, colon: bool
) -> None:
    text = time.astimezone(timezone(timedelta(minutes=offset_min))).isoformat(separator)
    if not colon:
        text = text[:-3] + text[-2:]
    assert parse_instant(text) == time


@given(instants())
def test_all_units_of_an_epoch_time_agree(time: datetime) -> None:
    micros = (time - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    whole = micros // 1_000_000 * 1_000_000
    assert parse_instant(micros) == parse_instant(str(micros)) == parse_instant(micros * 1_000) == time
    expected = time.replace(microsecond=0)
    assert parse_instant(whole // 1_000_000) == parse_instant(whole // 1_000) == expected


@given(json_values() | broken_text() | st.floats() | st.integers() | st.datetimes(timezones=st.timezones()))
def test_nothing_is_ever_raised(value: Any) -> None:
    read = parse_instant(value)
    assert read is None or read.tzinfo is UTC
