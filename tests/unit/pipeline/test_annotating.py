"""Annotations are read from three kinds of files, and a mistake is named by its entry."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from reporter.errors import UsageError
from reporter.pipeline import annotating

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)


def read(tmp_path: Path, name: str, text: str) -> list[tuple[str, str]]:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return [(a.at, a.text) for a in annotating.read(path, NOW)]


EXPECTED = [("2026-11-16T22:00:00Z", "Deploy 8f3c"), ("2026-11-18T00:00:00Z", "Price cut, finally")]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "a.toml",
            """
            [[annotation]]
            at = 2026-11-18
            text = 'Price cut, finally'
            [[annotation]]
            at = 2026-11-17T00:00:00+02:00
            text = 'Deploy 8f3c'
            """,
        ),
        (
            "a.json",
            """[{"at": "2026-11-18", "text": "Price cut, finally"},
            {"at": "2026-11-17T00:00:00+02:00", "text": "Deploy\\u0007 8f3c", "by": "ci"}]""",
        ),
        ("a.csv", '\ufeffat,text\n2026-11-18,"Price cut, finally"\n2026-11-16T22:00:00Z,Deploy 8f3c\n'),
    ],
)
def test_every_kind_gives_the_same(tmp_path: Path, name: str, text: str) -> None:
    assert read(tmp_path, name, text) == EXPECTED


def test_what_lies_ahead_is_left_out(tmp_path: Path) -> None:
    assert read(tmp_path, "a.csv", "at,text\n2026-11-23T08:00:01Z,later\n2026-11-23T08:00:00Z,now\n") == [
        ("2026-11-23T08:00:00Z", "now")
    ]
    assert annotating.read(None, NOW) == []


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.csv", "at,text\nsoon,Deploy\n", "entry 1: “soon” is no ISO 8601 time"),
        ("a.csv", "at,text\n2026-11-18,\n", "entry 1 has no text"),
        ("a.csv", "when,what\n2026-11-18,Deploy\n", "entry 1 has no text"),
        ("a.json", '{"at": 1}', "does not hold a list"),
        ("a.json", "[3]", "entry 1 is no pair"),
        ("a.json", '[{"at": 12, "text": "x"}]', "entry 1 has no time"),
        ("a.json", "[", "Expecting value"),
        ("a.toml", "at =", "Invalid value"),
        ("a.txt", "", "kind is not known"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, name: str, text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        read(tmp_path, name, text)
    assert "--annotate" in (caught.value.subject or "")


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        annotating.read(tmp_path / "none.csv", NOW)
    (tmp_path / "a.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="not UTF-8"):
        annotating.read(tmp_path / "a.csv", NOW)
    (tmp_path / "a.csv").write_bytes(b"x" * 1_000_001)
    with pytest.raises(UsageError, match="larger than 1 MB"):
        annotating.read(tmp_path / "a.csv", NOW)
