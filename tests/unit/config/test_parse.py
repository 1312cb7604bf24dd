"""Reading what people type: exact where it is right, a sentence of what is allowed where it is not."""

from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporter.config import KEYS, Settings, parse

ANYTHING = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=60)
    | st.lists(st.text(max_size=9))
    | st.dictionaries(st.text(), st.integers(), max_size=2)
)


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.name)
@given(raw=ANYTHING)
def test_any_value_is_read_or_refused_with_a_sentence(key, raw):
    try:
        key.parse(raw)
    except ValueError as error:
        assert str(error).startswith("give ")  # noqa: PT017 (most values are refused, some are not)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-23", datetime(2026, 11, 23, tzinfo=UTC)),
        ("2026-11-23T08:00:00Z", datetime(2026, 11, 23, 8, tzinfo=UTC)),
        ("2026-11-23T08:00:00+02:00", datetime(2026, 11, 23, 6, tzinfo=UTC)),
        ("2026-11-23 08:00", datetime(2026, 11, 23, 8, tzinfo=UTC)),
        (date(2026, 11, 23), datetime(2026, 11, 23, tzinfo=UTC)),
        (datetime(2026, 11, 23, 8), datetime(2026, 11, 23, 8, tzinfo=UTC)),  # noqa: DTZ001 (as TOML gives it)
    ],
)
def test_times_are_utc_unless_they_name_an_offset(text, expected):
    assert parse.moment(text) == expected
    assert parse.moment(text).tzinfo is UTC


@given(st.integers(0, 60 * 365 * 86_400), st.integers(0, 999_999), st.integers(-14 * 60, 14 * 60))
def test_every_written_time_comes_back(seconds, microseconds, offset_min):
    start = datetime(1991, 1, 2, tzinfo=timezone(timedelta(minutes=offset_min)))
    time = start + timedelta(seconds=seconds, microseconds=microseconds)
    assert parse.moment(time.isoformat()) == time


@pytest.mark.parametrize(
    "raw", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "yesterday", "", 5, None, True]
)
def test_times_nobody_means_are_refused(raw):
    with pytest.raises(ValueError, match="give a date"):
        parse.moment(raw)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("36h", timedelta(hours=36)),
        ("30d", timedelta(days=30)),
        ("8W", timedelta(weeks=8)),
        ("8 w", timedelta(weeks=8)),
    ],
)
def test_lengths_of_time(text, expected):
    assert parse.since(text) == expected


@pytest.mark.parametrize("raw", ["0d", "-3d", "99999w", "3", "3x", "d", 30, "٣d", timedelta(0)])
def test_lengths_that_are_none_or_too_long_are_refused(raw):
    with pytest.raises(ValueError, match="such as 36h, 30d or 8w"):
        parse.since(raw)


def test_since_takes_a_date_too():
    assert parse.since("2026-11-01") == datetime(2026, 11, 1, tzinfo=UTC)


def test_looking_back_starts_at_the_moment_or_before_the_clock():
    now = datetime(2026, 11, 23, tzinfo=timezone(timedelta(hours=2)))
    assert Settings().since_at(now) == datetime(2026, 8, 16, 22, tzinfo=UTC)
    moment = datetime(2026, 11, 1, tzinfo=UTC)
    assert Settings(since=moment).since_at(now) == moment


@pytest.mark.parametrize(("raw", "expected"), [("0", 1970), ("1800000000", 2027)])
def test_source_date_epoch(raw, expected):
    if expected == 1970:
        with pytest.raises(ValueError, match="whole seconds"):
            parse.epoch(raw)
    else:
        assert parse.epoch(raw).year == expected


@pytest.mark.parametrize(
    "name", ["Europe", "../etc/passwd", "/etc/passwd", "Nowhere/Atall", "", "a\0b", "\ud800", "UTC\n\n/"]
)
def test_zones_that_do_not_exist_are_refused(name):
    with pytest.raises(ValueError, match="time zone"):
        parse.zone(name)


def test_near_miss_of_a_zone_is_corrected():
    with pytest.raises(ValueError, match="did you mean Europe/Berlin"):
        parse.zone("Europe/Berlim")


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("https://eu.posthog.com/", "https://eu.posthog.com"),
        ("https://ph.example.com:8443/sub/path", "https://ph.example.com:8443/sub/path"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("http://127.0.0.1", "http://127.0.0.1"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_hosts(raw, expected):
    assert parse.host(raw) == expected


@pytest.mark.parametrize(
    "raw",
    [
        "http://eu.posthog.com", "http://localhost.evil.com", "http://127.0.0.1.evil.com", "https://user:pw@host",
        "ftp://x", "https://", "https://a b", "https://x?y=1", "https://x#y", "https://x\r\nHost: y", "", 7,
    ],
)  # fmt: skip
def test_hosts_that_are_not_safe_to_send_a_key_to_are_refused(raw):
    with pytest.raises(ValueError, match="address"):
        parse.host(raw)


def test_host_without_scheme_is_corrected():
    with pytest.raises(ValueError, match=r"did you mean https://eu\.posthog\.com"):
        parse.host("eu.posthog.com")


@pytest.mark.parametrize("raw", [0, -1, "abc", "", "inf", "nan", float("nan"), True, None, 10**400, 604_801])
def test_seconds_must_be_positive_and_finite(raw):
    with pytest.raises(ValueError, match="seconds above 0"):
        parse.seconds(raw)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("html,pdf", ("html", "pdf")), (" HTML , json,", ("html", "json")), (["md", "csv,md"], ("md", "csv")),
        (("html", "html"), ("html",)),
    ],
)  # fmt: skip
def test_words_are_known_and_stand_once(raw, expected):
    assert parse.words("html", "pdf", "json", "md", "csv")(raw) == expected


@pytest.mark.parametrize("raw", ["", ",", [], ["docx"], [1], {"a": 1}])
def test_words_that_are_not_known_are_refused(raw):
    with pytest.raises(ValueError, match="give "):
        parse.words("html", "pdf")(raw)


def test_names_with_commas_stay_whole_and_lines_part_them():
    assert parse.lines("Sales, EU\nSupport\n") == ("Sales, EU", "Support")
    assert parse.lines(("Sales, EU",)) == ("Sales, EU",)


@pytest.mark.parametrize(
    ("raw", "expected"), [("yes", True), ("0", False), (True, True), ("ON", True), ("off", False)]
)
def test_switches(raw, expected):
    assert parse.switch(raw) is expected


@pytest.mark.parametrize("raw", ["phx a", "phx\na", "", "é", None])
def test_keys_that_would_break_a_header_are_refused_without_showing_them(raw):
    with pytest.raises(ValueError, match="printable") as caught:
        parse.key(raw)
    assert "phx" not in str(caught.value)


def test_paths_and_sources_take_path_objects():
    assert parse.path(Path("a")) == Path("a")
    assert parse.source(Path("a/b")) == "a/b"


def test_whole_numbers_are_texts_but_truth_is_not():
    assert parse.text(5120) == "5120"
    assert parse.project(5120) == "5120"
    with pytest.raises(ValueError, match="give"):
        parse.text(True)
