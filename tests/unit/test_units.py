"""Numbers for people: two or three digits, a unit always, nothing invented."""

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporter import units

NUMBERS = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e12, max_value=1e12)


@pytest.mark.parametrize(
    ("usd", "text"),
    [
        (None, "–"),
        (float("nan"), "–"),
        (0, "$0"),
        (0.00001, "<$0.0001"),
        (0.0942, "$0.094"),
        (0.0998, "$0.10"),
        (0.00996, "$0.010"),
        (0.5, "$0.50"),
        (0.9949, "$0.99"),
        (0.9951, "$1.00"),
        (2.713, "$2.71"),
        (99.949, "$99.95"),
        (99.96, "$100"),
        (2710, "$2,710"),
        (27_123, "$27.1k"),
        (1_200_000, "$1.20M"),
        (-3.2, "−$3.20"),
    ],
)
def test_money(usd: float | None, text: str) -> None:
    assert units.money(usd) == text


def test_signed_money_has_a_sign_unless_zero() -> None:
    assert [units.money(v, signed=True) for v in (1.0, -1.0, 0.0)] == ["+$1.00", "−$1.00", "$0"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0, "0 s"),
        (0.0001, "1 ms"),
        (0.34, "340 ms"),
        (0.9996, "1.0 s"),
        (3.42, "3.4 s"),
        (9.96, "10 s"),
        (59.6, "60 s"),
        (125, "2 min 5 s"),
        (120, "2 min"),
        (3600, "1 h"),
        (4320, "1 h 12 min"),
    ],
)
def test_seconds(value: float | None, text: str) -> None:
    assert units.seconds(value).replace("\u00a0", " ") == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0, "0"),
        (999, "999"),
        (999.6, "1.0k"),
        (1234, "1.2k"),
        (123_456, "123k"),
        (2_500_000, "2.5M"),
    ],
)
def test_tokens(value: float | None, text: str) -> None:
    assert units.tokens(value) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (None, "–"),
        (0, "0%"),
        (0.0004, "<0.1%"),
        (0.004, "0.4%"),
        (0.0442, "4.4%"),
        (0.38, "38%"),
        (0.9999, "99.9%"),
        (1, "100%"),
    ],
)
def test_percent(share: float | None, text: str) -> None:
    assert units.percent(share) == text


@pytest.mark.parametrize(
    ("difference", "text"),
    [(None, "–"), (0.0001, "flat"), (0.004, "+0.4 points"), (-0.01, "−1.0 point"), (0.12, "+12 points")],
)
def test_points(difference: float | None, text: str) -> None:
    assert units.points(difference).replace("\u00a0", " ") == text


@pytest.mark.parametrize(
    ("prior", "latest", "text"),
    [
        (1, 1.38, "▲ 38%"),
        (1, 0.88, "▼ 12%"),
        (1, 1.001, "flat"),
        (0, 5, "new"),
        (0, 0, "flat"),
        (None, 1, "–"),
        (1, None, "–"),
        (1, 4.2, "▲ ×4.2"),
    ],
)
def test_change_never_divides_by_zero_or_shouts_a_trifle(
    prior: float | None, latest: float | None, text: str
) -> None:
    assert units.change(prior, latest).replace("\u00a0", " ") == text


@given(NUMBERS)
def test_every_number_is_short_and_has_no_exponent(value: float) -> None:
    for write in (units.money, units.seconds, units.tokens, units.count, units.percent):
        text = write(value)
        assert not re.search(r"\de[+-]?\d", text)
        assert (value < 0) == text.startswith("−") or text in {"−$0", "−0"} or "0" in text


@given(st.floats(min_value=0.0001, max_value=9_000))
def test_money_is_within_a_twentieth_of_the_truth(usd: float) -> None:
    assert float(units.money(usd).replace("$", "").replace(",", "")) == pytest.approx(usd, rel=0.06)


def test_windows_are_written_by_their_days() -> None:
    assert units.span("2026-06-01T00:41:00Z", "2026-06-08T00:40:00Z").replace("\u00a0", " ") == "1–7 Jun 2026"
    assert (
        units.span("2026-05-28T00:41:00Z", "2026-06-04T00:40:00Z").replace("\u00a0", " ")
        == "28 May – 3 Jun 2026"
    )
    assert (
        units.span("2025-12-28T00:00:00Z", "2026-01-04T00:00:00Z").replace("\u00a0", " ")
        == "28 Dec 2025 – 3 Jan 2026"
    )
    assert units.span("2026-06-01T10:00:00Z", "2026-06-01T11:00:00Z").replace("\u00a0", " ") == "1 Jun 2026"


def test_times_are_shown_in_the_readers_zone() -> None:
    assert (
        units.moment("2026-06-01T23:30:00Z", "Europe/Madrid").replace("\u00a0", " ")
        == "2 Jun 2026, 01:30 CEST"
    )
    assert units.iso(datetime(2026, 6, 1, 1, 2, 3, 400, tzinfo=UTC)) == "2026-06-01T01:02:03.000400Z"


@pytest.mark.parametrize(
    ("start", "end", "text"),
    [
        ("2026-06-01T00:00:00Z", "2026-06-08T00:00:00Z", "7 days"),
        ("2026-06-01T00:00:00Z", "2026-06-02T12:00:00Z", "36 hours"),
        ("2026-06-01T00:00:00Z", "2026-06-01T00:01:00Z", "1 minute"),
    ],
)
def test_duration(start: str, end: str, text: str) -> None:
    assert units.duration(start, end) == text


@pytest.mark.parametrize(
    ("number", "text"), [(0, "No cluster"), (1, "1 cluster"), (3, "3 clusters"), (1200, "1,200 clusters")]
)
def test_plural(number: int, text: str) -> None:
    assert units.plural(number, "cluster") == text


@given(st.text())
def test_clean_text_is_one_line_without_control_characters(text: str) -> None:
    cleaned = units.clean(text, 40)
    assert len(cleaned) <= 40
    assert not any(ord(ch) < 0x20 or 0x7F <= ord(ch) <= 0x9F or 0x202A <= ord(ch) <= 0x202E for ch in cleaned)
    cleaned.encode("utf-8")


def test_clean_keeps_numbers_and_units_together() -> None:
    assert units.clean(f" up {units.change(1, 1.46)}\t\n now ") == "up ▲\u00a046% now"


def test_clean_keeps_words_and_marks_the_cut() -> None:
    assert units.clean("a\n b\x1b[31m\u202ec\u0000") == "a b[31mc"
    assert units.clean("x" * 50, 10) == "x" * 9 + "…"


def test_counts_are_written_in_full_and_rates_as_counts() -> None:
    assert [units.count(v) for v in (None, 1244, -3)] == ["–", "1,244", "−3"]
    assert units.count(12, signed=True) == "+12"
    assert units.of(27, 1950) == "27 of 1,950"


def test_zone_is_given_by_name_and_an_unknown_one_is_an_error() -> None:
    assert units.zone("Europe/Madrid").key == "Europe/Madrid"
    with pytest.raises(KeyError):
        units.zone("Mars/Olympus")


@given(st.floats(-1e8, 1e8))
def test_an_amount_printed_is_read_back_near_enough_to_sort_by(value: float) -> None:
    for write, least in ((units.money, 1e-4), (units.seconds, 1e-3), (units.tokens, 1.0), (units.count, 1.0)):
        read = units.amount(write(value))
        assert read is not None
        assert abs(read - value) <= max(0.06 * abs(value), least), write


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("–", None), ("", None), ("new", None), ("flat", None), ("2 of 25", 2), ("<0.1%", 0.1), ("+0.4 points", 0.4),
        ("$1.20 – $1.80", 1.2), ("1,244", 1244), ("8\xa0min\xa020\xa0s", 500), ("1\xa0h\xa012\xa0min", 4320), ("−$0.02", -0.02),
        ("23 Nov 2026", 23),
    ],
)  # fmt: skip
def test_amounts_are_read_as_they_are_printed(text: str, size: float | None) -> None:
    assert units.amount(text) == (None if size is None else pytest.approx(size))
