"""Rows checked against the question; parts divided, halved and batched so that none is lost or told twice."""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporter.errors import QuestionFailed, QuestionRefused, QuestionTooLarge, SourceError, SourceUnreadable
from reporter.model import RunHeader, Window
from reporter.sources.hogql.ask import batches, by_column, divided, full, rows_of
from reporter.sources.hogql.reading import _SHORTEST, _halves, part_of
from reporter.sources.queries.hogql.items import Part
from reporter.sources.queries.hogql.spelling import Ask
from tests.unit.sources.api.scripted import answer, rows

ASK = Ask("items", "SELECT a, b FROM x LIMIT 3", ("a", "b"), 3, {})


# -- rows -----------------------------------------------------------------------------------------------


def test_rows_are_given_as_they_came(serve, ask):
    client = ask(serve(rows([1, None], ["x", [2]], columns=("a", "b"))))
    found = rows_of(client, ASK)
    assert found == [[1, None], ["x", [2]]]
    assert [by_column(ASK, row) for row in found] == [{"a": 1, "b": None}, {"a": "x", "b": [2]}]


def test_without_names_of_columns_the_lengths_must_do(serve, ask):
    client = ask(serve(answer({"results": [[1, 2]]}), answer({"results": [], "columns": None})))
    assert rows_of(client, ASK) == [[1, 2]]
    assert rows_of(client, ASK) == []


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({}, "an answer without rows"),
        ({"results": None}, "an answer without rows"),
        ({"results": {"a": 1}, "columns": ["a", "b"]}, "an answer without rows"),
        ({"results": "rows"}, "an answer without rows"),
        ({"results": [[1, 2], {"a": 1, "b": 2}]}, "an answer without rows"),
        ({"results": [[1, 2], None]}, "an answer without rows"),
        ({"results": [[1, 2]], "columns": ["b", "a"]}, "rows of other columns"),
        ({"results": [[1, 2]], "columns": ["a"]}, "rows of other columns"),
        ({"results": [], "columns": ["a", "b", "c"]}, "rows of other columns"),
        ({"results": [], "columns": [["a"], {"b": 1}]}, "rows of other columns"),
        ({"results": [[1]], "columns": ["a", "b"]}, "rows of another length"),
        ({"results": [[1, 2], [1, 2, 3]]}, "rows of another length"),
    ],
)
def test_rows_that_were_not_asked_for_are_off_contract(serve, ask, body, reason):
    with pytest.raises(SourceUnreadable) as found:
        rows_of(ask(serve(answer(body))), ASK)
    assert found.value.message.startswith(f"this is not what PostHog answers: {reason}")
    assert found.value.subject.endswith("(items)")


@pytest.mark.parametrize(
    "told", ["Unknown field", "esc\x1b[0m\u202eape", ["a", "list"], {"a": 1}, "y" * 5000]
)
def test_an_error_in_a_success_is_a_refusal_whatever_rows_come_with_it(serve, ask, told):
    server = serve(rows([1, 2], columns=("a", "b"), error=told))
    with pytest.raises(QuestionRefused, match="PostHog refused: ") as found:
        rows_of(ask(server), ASK)
    assert len(found.value.message) < 400
    assert found.value.message.isprintable()
    assert len(server.log) == 1


def test_an_answer_from_the_cache_is_reported_and_taken(serve, ask):
    told: list[int] = []
    old, new = rows([1, 2], columns=("a", "b"), is_cached=True), rows(columns=("a", "b"), is_cached=False)
    client = ask(serve(old, new, old))
    assert rows_of(client, ASK, cached=lambda: told.append(1)) == [[1, 2]]
    assert rows_of(client, ASK, cached=lambda: told.append(2)) == []
    assert told == [1]
    assert rows_of(client, ASK) == [[1, 2]]


def test_as_many_rows_as_the_bound_may_be_too_few(ask):
    client = ask("http://127.0.0.1:1")
    assert full(client, ASK, [[1, 2]] * 2) is None
    for count in (3, 4):
        error = full(client, ASK, [[1, 2]] * count)
        assert isinstance(error, QuestionTooLarge)
        assert "at most 3 rows" in error.message
        assert error.hint


# -- divided --------------------------------------------------------------------------------------------

KINDS: dict[str, type[SourceError]] = {
    "large": QuestionTooLarge,
    "refused": QuestionRefused,
    "failed": QuestionFailed,
}


class World:
    """Parts are spans of whole numbers; some numbers cannot be answered, and no more than so many at once."""

    def __init__(self, bad: dict[int, str], most: int) -> None:
        self.bad, self.most = bad, most
        self.answered: Counter[int] = Counter()
        self.failed: Counter[tuple[int, int]] = Counter()
        self.puts = 0

    def put(self, some: Sequence[tuple[int, int]]) -> None:
        self.puts += 1
        numbers = [number for start, end in some for number in range(start, end)]
        for number in numbers:
            if number in self.bad:
                raise KINDS[self.bad[number]]("no")
        if len(numbers) > self.most:
            raise QuestionTooLarge("too much")
        self.answered.update(numbers)

    @staticmethod
    def halve(part: tuple[int, int]) -> Sequence[tuple[int, int]]:
        start, end = part
        if end - start < 2:
            return ()
        return (start, (start + end) // 2), ((start + end) // 2, end)

    def lose(self, part: tuple[int, int], error: SourceError) -> None:
        assert isinstance(error, tuple(KINDS.values()))
        self.failed[part] += 1


@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=12),
    st.dictionaries(st.integers(0, 60), st.sampled_from(sorted(KINDS)), max_size=5),
    st.integers(1, 30),
)
def test_every_part_is_answered_once_or_lost_once(lengths, bad, most):
    parts, start = [], 0
    for length in lengths:
        parts.append((start, start + length))
        start += length
    world = World(bad, most)
    divided(parts, world.put, world.halve, world.lose)
    for part in parts:
        numbers = range(*part)
        if any(number in bad for number in numbers):
            assert world.failed[part] == 1
        else:
            assert world.failed[part] == 0
            assert [world.answered[number] for number in numbers] == [1] * len(numbers)
    assert set(world.failed) <= set(parts)
    assert max(world.answered.values(), default=1) == 1


def test_what_can_be_answered_at_once_is_asked_at_once():
    world = World({}, 100)
    divided([(0, 5), (5, 9)], world.put, world.halve, world.lose)
    assert world.puts == 1


def test_a_part_is_cut_for_its_size_alone():
    for kind, puts in (("refused", 1), ("failed", 1), ("large", 4)):
        world = World({0: kind}, 100)
        divided([(0, 8)], world.put, world.halve, world.lose)
        assert (world.puts, world.failed) == (puts, Counter({(0, 8): 1}))


def test_errors_that_are_not_about_the_question_end_everything():
    asked: list[Any] = []

    def put(some: Sequence[int]) -> None:
        asked.append(some)
        raise SourceError("the key")

    with pytest.raises(SourceError, match="the key"):
        divided([1, 2, 3], put, lambda _: (), lambda *_: None)
    assert asked == [[1, 2, 3]]


# -- halves ---------------------------------------------------------------------------------------------

START = datetime(2026, 11, 1, tzinfo=UTC)


def part(start: datetime, end: datetime, keys: tuple[str, ...] | None = None) -> Part:
    header = RunHeader(**{
        field.name: {"window": Window(start, end), "run_id": "r", "items": 3}.get(field.name)
        for field in dataclasses.fields(RunHeader)
    })  # fmt: skip
    return dataclasses.replace(part_of(header), keys=keys)


def smallest(whole: Part) -> list[Part]:
    pieces = _halves(whole)
    return [found for piece in pieces for found in smallest(piece)] if pieces else [whole]


@given(
    st.integers(0, 10**15),
    st.integers(1, 10**12 * 3),
    st.none() | st.lists(st.text(max_size=3), max_size=7, unique=True).map(tuple),
)
def test_halves_cover_a_part_without_gap_or_overlap(offset_us, length_us, keys):
    start = START + timedelta(microseconds=offset_us)
    end = start + timedelta(microseconds=length_us)
    pieces = smallest(part(start, end, keys))
    by_keys: dict[tuple[str, ...] | None, list[Part]] = {}
    for piece in pieces:
        assert piece.start < piece.end
        assert (piece.end - piece.start) < 2 * _SHORTEST
        assert piece.run.window == Window(start, end)
        by_keys.setdefault(piece.keys, []).append(piece)
    for group in by_keys.values():
        assert (group[0].start, group[-1].end) == (start, end)
        assert [one.end for one in group[:-1]] == [one.start for one in group[1:]]
    if keys is None or len(keys) < 2:
        assert list(by_keys) == [keys]
    else:
        assert [key for some in by_keys for key in some or ()] == list(keys)


# -- batches --------------------------------------------------------------------------------------------


@given(st.lists(st.floats(0, 20)), st.floats(0.5, 30))
def test_batches_keep_order_and_weight(weights, most):
    made = batches(list(enumerate(weights)), lambda part: part[1], most)
    assert [part for batch in made for part in batch] == list(enumerate(weights))
    assert all(made)
    for batch in made:
        assert len(batch) == 1 or sum(weight for _, weight in batch) <= most * (1 + 1e-9)
    for before, after in itertools.pairwise(made):
        assert sum(weight for _, weight in before) + after[0][1] > most * (1 - 1e-9)


def test_no_parts_are_no_batches():
    assert batches([], lambda _: 1.0, 10) == []
