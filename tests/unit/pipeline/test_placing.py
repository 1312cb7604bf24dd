"""Folders of reports: one each, `latest` leads to the newest, old ones go and nothing else does."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporter import units
from reporter.config import Settings
from reporter.config.parse_delivery import FIELDS, pattern
from reporter.pipeline import placing
from reporter.pipeline.publishing import press, publish
from reporter.report import Report, sealed
from tests.reports import report, section, states

MONDAY = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)
QUIET = states()["no_run"]


class Silent:
    def step(self, text: str) -> None:
        """Say nothing."""


def at(moment: datetime, made: Report = QUIET) -> Report:
    return sealed(msgspec.structs.replace(made, generated_at=units.iso(moment)))


def settings(out: Path, **over: object) -> Settings:
    return replace(Settings(out=out, formats=("json", "md"), out_pattern="{date}"), **over)  # type: ignore[arg-type]


def write(moment: datetime, chosen: Settings) -> tuple[str, ...]:
    with press(chosen) as printing:
        return publish(at(moment), chosen, (), printing, Silent()).notes


def test_fields_are_parts_of_a_path_in_the_zone_of_the_report() -> None:
    made = msgspec.structs.replace(at(MONDAY), timezone="Asia/Tokyo")
    assert placing.fields(made) == {
        "date": "2026-11-24", "time": "083000", "week": "2026-W48", "kind": made.kind, "project": "5120",
    }  # fmt: skip
    assert placing.fields(made).keys() == set(FIELDS)
    odd = msgspec.structs.replace(made, source=msgspec.structs.replace(made.source, project_id="../..\x00/é"))
    assert placing.fields(odd)["project"] == "project"


@given(st.text(max_size=40))
def test_no_pattern_leaves_its_folder(text: str) -> None:
    try:
        read = pattern(text)
    except ValueError:
        return
    filled = placing.filled(read, QUIET)
    out = Path("/out")
    inside = Path(os.path.normpath(out / filled))
    assert inside.is_relative_to(out)
    assert inside != out
    assert "latest" not in inside.relative_to(out).parts


def test_latest_leads_to_the_newest_whatever_is_written_last(tmp_path: Path) -> None:
    for days in (0, 7, 3):
        assert write(MONDAY + timedelta(days=days), settings(tmp_path)) == ()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "2026-11-23",
        "2026-11-26",
        "2026-11-30",
        "latest",
    ]
    assert (tmp_path / "latest").readlink() == Path("2026-11-30")
    assert (tmp_path / "latest" / "report.json").is_file()


def test_only_the_newest_are_kept_and_only_ours_are_deleted(tmp_path: Path) -> None:
    (tmp_path / "2020-01-01").mkdir()
    (tmp_path / "2020-01-01" / "report.json").write_text('{"mine": true}')
    (tmp_path / "2021-01-01").mkdir()
    (tmp_path / "2021-01-01" / "notes.txt").write_text("not a report")
    chosen = settings(tmp_path, keep=2)
    write(MONDAY, chosen)
    (tmp_path / "2026-11-23" / "mine.txt").write_text("kept")
    for days in (7, 14):
        assert write(MONDAY + timedelta(days=days), chosen) == ()
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if not path.is_dir()) == [
        "2020-01-01/report.json", "2021-01-01/notes.txt", "2026-11-23/mine.txt",
        "2026-11-30/report.json", "2026-11-30/summary.md", "2026-12-07/report.json", "2026-12-07/summary.md", "latest",
    ] or (tmp_path / "latest").is_symlink()  # fmt: skip
    assert not (tmp_path / "2026-11-23" / "report.json").exists()
    assert (tmp_path / "2026-11-23" / "mine.txt").is_file()
    assert (tmp_path / "2020-01-01" / "report.json").is_file()
    assert (tmp_path / "2026-12-07" / "summary.md").is_file()


def test_an_older_report_that_is_made_again_is_not_deleted_at_once(tmp_path: Path) -> None:
    chosen = settings(tmp_path, keep=1)
    write(MONDAY, chosen)
    write(MONDAY - timedelta(days=7), chosen)
    assert (tmp_path / "2026-11-16" / "report.json").is_file()
    assert (tmp_path / "latest").readlink() == Path("2026-11-23")


def test_deep_patterns_leave_no_empty_folder(tmp_path: Path) -> None:
    chosen = settings(tmp_path, out_pattern="{project}/{week}", keep=1)
    write(MONDAY, chosen)
    write(MONDAY + timedelta(days=7), chosen)
    assert [path.name for path in (tmp_path / "5120").iterdir()] == ["2026-W49"]
    assert (tmp_path / "latest").readlink() == Path("5120/2026-W49")


def test_links_are_not_followed_and_what_is_no_link_is_left_alone(tmp_path: Path) -> None:
    outside, out = tmp_path / "outside", tmp_path / "out"
    write(MONDAY - timedelta(days=70), settings(outside))
    out.mkdir()
    (out / "2026-01-01").symlink_to(outside / "2026-09-14")
    (out / "latest").mkdir()
    (note,) = write(MONDAY, settings(out, keep=1))
    assert "is no link and was left as it is" in note
    assert (outside / "2026-09-14" / "report.json").is_file()
    assert (out / "latest").is_dir()


@pytest.mark.parametrize("hostile", ["../victim", "/etc/victim", "a/b", ""])
def test_names_in_a_report_cannot_point_elsewhere(tmp_path: Path, hostile: str) -> None:
    out, victim = tmp_path / "out", tmp_path / "out" / "victim"
    write(MONDAY, settings(out))
    victim.write_text("here")
    path = out / "2026-11-23" / "report.json"
    files = path.read_text().replace('"summary.md"', f'"{hostile}"')
    path.write_text(files)
    write(MONDAY + timedelta(days=7), settings(out, keep=1))
    assert victim.read_text() == "here"
    assert not path.exists()


def test_a_report_with_charts_has_all_its_files_in_its_folder(tmp_path: Path) -> None:
    made = sealed(report([section(clusters=3)]))
    chosen = settings(tmp_path, formats=("html", "json", "email"))
    with press(chosen) as printing:
        outcome = publish(made, chosen, (), printing, Silent())
    assert [Path(receipt.path).relative_to(tmp_path).as_posix() for receipt in outcome.receipts] == [
        "2026-11-23/report.html", "2026-11-23/report.eml", "2026-11-23/report.json",
    ]  # fmt: skip
