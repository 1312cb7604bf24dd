"""A server whose pages never end: told, or left alone, and never followed for ever."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reporter.errors import SourceUnreadable
from reporter.model import Window
from reporter.sources.hogql import drill
from reporter.sources.hogql.drill import Drill
from reporter.sources.hogql.reading import Reader
from reporter.sources.queries.hogql.calls import CALL_COLUMNS, SUMMARY_COLUMNS

START = datetime(2026, 11, 1, tzinfo=UTC)
WINDOW = Window(START, START + timedelta(hours=1))


class Endless:
    """Answers every question with the same page, and says that there is more."""

    host, project_id, system = "posthog.example", "1", "PostHog"

    def __init__(self) -> None:
        self.asked = 0

    def query(self, question: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        self.asked += 1
        assert self.asked < 50, "it goes on for ever"
        if question["kind"] == "TracesQuery":
            return {"results": [{"id": f"t{number}"} for number in range(100)], "hasMore": True}
        columns = SUMMARY_COLUMNS if name == "traces" else CALL_COLUMNS
        known = {"id": "a", "kind": "$ai_generation", "moment": "2026-11-01T00:00:01Z", "trace": "t",
                 "began": "2025-01-01T00:00:00Z", "who": "u"}  # fmt: skip
        row = [known.get(column, 0) for column in columns]
        return {"results": [row] * (1 if name == "traces" else 10), "columns": list(columns)}

    def unsaid(self, text: str) -> str:
        return text

    def close(self) -> None:
        """Nothing is open."""


def test_the_same_page_of_calls_again_is_off_contract(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drill, "_PAGE", 10)
    with pytest.raises(SourceUnreadable, match="asked for before"):
        list(Drill(Reader(Endless()), START).calls(WINDOW, "trace", (), None))


def test_a_list_of_traces_without_anything_new_ends() -> None:
    endless = Endless()
    assert Drill(Reader(endless), START).traces(WINDOW, {"plan": "pro"}, 1_000, None) == ()
    assert endless.asked < 5
