# ruff: noqa: S608 -- statements over files of our own making
from __future__ import annotations

import gzip
import json
import os
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from reporter.errors import SourceUnreadable
from reporter.sources.export import ExportSource
from reporter.sources.export.files import find_files
from tests.contract import cases
from tests.contract.exports import lines_of, write_jsonl, write_parquet

if TYPE_CHECKING:
    from pathlib import Path

EVENT = cases.EVENTS[0]


def opened(*paths: Path | str) -> ExportSource:
    return ExportSource([str(path) for path in paths], warn=lambda _: None)


def number_of_events(*paths: Path | str) -> int:
    with opened(*paths) as source:
        return int(source.query("SELECT count(*) FROM events", {}, 1).rows[0][0])


def names(*paths: Path | str) -> list[str]:
    return [file.name for file in find_files([str(path) for path in paths])]


def test_a_folder_is_searched_for_exports_alone(tmp_path: Path) -> None:
    below = tmp_path / "2026" / "prefix=a"
    below.mkdir(parents=True)
    kept = [
        "a.jsonl",
        "b.jsonl.gz",
        "c.jsonl.zst",
        "d.parquet",
        "e.parquet.zst",
        "f.ndjson",
        "g.PARQUET.br",
        "h.json",
    ]
    for name in (*kept, "x_manifest.json", "README.md", ".hidden.jsonl", "i.csv", "j.jsonl.zip.part"):
        (below / name).touch()
    assert names(tmp_path) == sorted(kept)


def test_a_file_reached_twice_is_read_once(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path, [EVENT])
    (tmp_path / "link.jsonl").symlink_to(path)
    assert names(path, tmp_path, f"{tmp_path}/*.jsonl") == ["events.jsonl"]


def test_a_home_folder_is_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_jsonl(tmp_path, [EVENT])
    monkeypatch.setenv("HOME", str(tmp_path))
    assert names("~/events.jsonl") == ["events.jsonl"]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("nowhere.jsonl", "no such file"),
        ("nothing*.jsonl", "no export file was found"),
        ("s3://bucket/events.parquet", "files on this machine"),
        ("with\x00null.jsonl", "null character"),
        ("x" * 5000, "no such file"),
    ],
)
def test_a_path_that_leads_nowhere_is_named(path: str, words: str) -> None:
    with pytest.raises(SourceUnreadable, match=words) as caught:
        find_files([path])
    assert caught.value.hint or "null" in words


def test_no_path_at_all_is_an_error() -> None:
    with pytest.raises(SourceUnreadable, match="no export file was named"):
        find_files([])


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceUnreadable, match="no export file was found"):
        find_files([str(tmp_path)])


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "events.csv").touch()
    with pytest.raises(SourceUnreadable, match="not the name of an export file"):
        find_files([str(tmp_path / "events.csv")])


@pytest.mark.parametrize(("packing", "tool"), [("br", "brotli"), ("lz4", "lz4"), ("bz2", "bunzip2")])
def test_an_unreadable_packing_says_how_to_unpack(tmp_path: Path, packing: str, tool: str) -> None:
    path = tmp_path / f"events.jsonl.{packing}"
    path.touch()
    with pytest.raises(SourceUnreadable, match=rf"packed as \.{packing}") as caught:
        find_files([str(path)])
    assert tool in caught.value.hint


@pytest.mark.parametrize(
    "name", ["2026-03-02T00:00:00+00:00.jsonl", "it's.jsonl", "a*b.jsonl", "a[1].jsonl", "a?.jsonl.gz"]
)
def test_odd_file_names_are_read_literally(tmp_path: Path, name: str) -> None:
    write_jsonl(tmp_path, [EVENT], name)
    write_jsonl(tmp_path, cases.EVENTS[1:4], "axb.jsonl")
    assert number_of_events(tmp_path / name) == 1


def test_odd_folder_names_add_no_columns(tmp_path: Path) -> None:
    folder = tmp_path / "event=other" / "[a]*"
    folder.mkdir(parents=True)
    write_parquet(folder, [EVENT], "a.parquet")
    write_jsonl(folder, [EVENT | {"uuid": cases.uid(999)}], "b.jsonl")
    with opened(tmp_path) as source:
        rows = source.query("SELECT DISTINCT event FROM events", {}, 5).rows
    assert rows == ((EVENT["event"],),)


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("cut.jsonl.gz", gzip.compress(lines_of(cases.EVENTS), mtime=0)[:-200], "ends early"),
        ("plain.jsonl.gz", lines_of([EVENT]), "not what its name says"),
        ("plain.jsonl.zst", lines_of([EVENT]), "not what its name says"),
        (
            "broken.jsonl",
            lines_of(cases.EVENTS[:3]) + b'{"uuid": "1", "ev\n' + lines_of([EVENT]),
            "line 4 is not JSON",
        ),
        (
            "broken.jsonl.gz",
            gzip.compress(lines_of(cases.EVENTS[:2]) + b"<html>\n", mtime=0),
            "line 3 is not JSON",
        ),
        ("bytes.jsonl", lines_of([EVENT]) + b'{"uuid": "\xff\xfe"}\n', "line 2 is not JSON"),
        ("other.jsonl", b'{"name": "x"}\n', "no export of events"),
        ("half.jsonl", b'{"uuid": "x", "event": "y"}\n', "no timestamp and no properties"),
        ("other.parquet", b"PAR1 and then nothing", "no readable Parquet file"),
        ("empty.parquet", b"", "no readable Parquet file"),
        ("jobs.json", json.dumps(cases.JOBS).encode(), "no export of events"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_a_way_out(
    tmp_path: Path, name: str, data: bytes, words: str
) -> None:
    write_jsonl(tmp_path, [EVENT], "good.jsonl")
    (tmp_path / name).write_bytes(data)
    with pytest.raises(SourceUnreadable, match=words) as caught:
        opened(tmp_path / "good.jsonl", tmp_path / name)
    assert caught.value.subject == name
    assert caught.value.hint


@pytest.mark.parametrize("kept", [0, 3, 9, 400, -1])
def test_zstandard_that_ends_early_is_named(tmp_path: Path, kept: int) -> None:
    path = write_jsonl(tmp_path, cases.EVENTS, "cut.jsonl.zst")
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(SourceUnreadable, match="ends early"):
        opened(path)


def test_zstandard_of_several_frames_is_read_whole(tmp_path: Path) -> None:
    first = write_jsonl(tmp_path, cases.EVENTS[:1], "a.jsonl.zst").read_bytes()
    second = write_jsonl(tmp_path, cases.EVENTS[1:3], "b.jsonl.zst").read_bytes()
    skipped = (0x184D2A53).to_bytes(4, "little") + (5).to_bytes(4, "little") + b"notes"
    (tmp_path / "both.jsonl.zst").write_bytes(skipped + first + second)
    assert number_of_events(tmp_path / "both.jsonl.zst") == 3


def test_a_parquet_file_of_something_else_is_named(tmp_path: Path) -> None:
    path = tmp_path / "persons.parquet"
    with duckdb.connect() as engine:
        engine.execute(f"COPY (SELECT 1 AS person_id, 'x' AS uuid) TO '{path}'")
    with pytest.raises(SourceUnreadable, match="there is no event and no timestamp and no properties"):
        opened(path)


def test_parquet_with_broken_properties_is_named(tmp_path: Path) -> None:
    write_parquet(tmp_path, [EVENT | {"properties": '{"a": '}], "odd.parquet")
    with pytest.raises(SourceUnreadable, match="not JSON") as caught:
        opened(tmp_path)
    assert caught.value.subject == "odd.parquet"


@pytest.mark.skipif(os.geteuid() == 0, reason="permissions do not bind the superuser")
def test_a_file_that_may_not_be_opened_is_named(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path, [EVENT])
    path.chmod(0)
    with pytest.raises(SourceUnreadable, match="cannot be opened"):
        opened(path)


def test_other_json_beside_an_export_is_passed_over(tmp_path: Path) -> None:
    write_jsonl(tmp_path, [EVENT])
    (tmp_path / "jobs.json").write_text(json.dumps(cases.JOBS, indent=2))
    (tmp_path / "numbers.json").write_text("[1, 2, 3]")
    (tmp_path / "words.json").write_text('"hello')
    assert number_of_events(tmp_path) == 1


@pytest.mark.parametrize("text", [json.dumps([EVENT]), json.dumps([EVENT], indent=2), json.dumps(EVENT)])
def test_json_that_is_no_lines_is_read(tmp_path: Path, text: str) -> None:
    (tmp_path / "events.json").write_text(text)
    assert number_of_events(tmp_path / "events.json") == 1


@pytest.mark.parametrize("name", ["events.jsonl", "events.jsonl.gz", "events.parquet"])
def test_an_export_without_rows_has_no_events(tmp_path: Path, name: str) -> None:
    if name.endswith("parquet"):
        write_parquet(tmp_path, [EVENT], "one.parquet")
        with duckdb.connect() as engine:
            engine.execute(f"COPY (FROM '{tmp_path}/one.parquet' WHERE false) TO '{tmp_path}/{name}'")
    else:
        write_jsonl(tmp_path, [], name)
    with opened(tmp_path / name) as source:
        assert source.describe().location == "no AI events"
        assert source.describe().project_id is None


def answers(source: ExportSource) -> Any:
    with source:
        runs = source.runs(cases.START, cases.END.replace(year=2027))
        return (
            runs,
            source.items(runs),
            source.failures(runs),
            list(source.calls(cases.WINDOW)),
            source.trace("plain"),
        )


def test_optional_columns_may_be_missing_or_more(tmp_path: Path) -> None:
    bare = [{name: event[name] for name in ("uuid", "event", "distinct_id", "properties", "timestamp")}
            for event in cases.EVENTS if event["uuid"] != cases.TWICE]  # fmt: skip
    full = [event | {"elements_chain": "", "person_id": "p", "team_id": 7} for event in cases.EVENTS
            if event["uuid"] != cases.TWICE]  # fmt: skip
    expected = answers(opened(write_jsonl(tmp_path, full, "full.jsonl")))
    for path in (
        write_jsonl(tmp_path, bare, "bare.jsonl"),
        write_parquet(tmp_path, bare, "bare.parquet"),
        write_parquet(tmp_path, full, "full.parquet"),
    ):
        assert answers(opened(path)) == expected


@pytest.mark.parametrize(
    "columns",
    [
        "* REPLACE (CAST(uuid AS UUID) AS uuid)",
        "* REPLACE (upper(uuid) AS uuid)",
        "* REPLACE (replace(uuid, '-', '') AS uuid)",
        "* REPLACE (CAST(timestamp AS TIMESTAMP) AS timestamp)",
        "* REPLACE (CAST(CAST(timestamp AS TIMESTAMP) AS TIMESTAMP_NS) AS timestamp)",
        "* REPLACE (strftime(CAST(timestamp AS TIMESTAMP), '%Y-%m-%d %H:%M:%S.%f') AS timestamp)",
        "* REPLACE (strftime(CAST(timestamp AS TIMESTAMP), '%Y-%m-%dT%H:%M:%S.%fZ') AS timestamp)",
        "* REPLACE (encode(properties) AS properties)",
        "* REPLACE (to_json(properties) AS properties)",
        "* REPLACE (CAST(json_merge_patch(properties, '{}') AS VARCHAR) AS properties)",
    ],
)
def test_column_types_make_no_difference(tmp_path: Path, columns: str) -> None:
    plain = write_parquet(tmp_path, cases.EVENTS, "plain.parquet")
    other = tmp_path / "other.parquet"
    with duckdb.connect() as engine:
        engine.execute("SET TimeZone = 'UTC'")
        engine.execute(f"COPY (SELECT {columns} FROM '{plain}') TO '{other}'")
    assert answers(opened(other)) == answers(opened(plain))


def test_properties_as_json_text_make_no_difference(tmp_path: Path) -> None:
    texts = [event | {"properties": json.dumps(event["properties"])} for event in cases.EVENTS]
    plain = answers(opened(write_jsonl(tmp_path, cases.EVENTS, "plain.jsonl")))
    assert answers(opened(write_jsonl(tmp_path, texts, "texts.jsonl"))) == plain


def test_half_characters_are_replaced(tmp_path: Path) -> None:
    said = {
        "$ai_trace_id": "half \ud800 c:\\ud800 \U0001f600 \\",
        "$ai_model": "\udc00",
        "$ai_total_cost_usd": 2,
    }
    events = [cases.EVENTS[1], EVENT | {"uuid": cases.uid(900), "properties": said}]
    for path in (
        write_jsonl(tmp_path, events),
        write_jsonl(tmp_path, events, "e.jsonl.gz"),
        write_parquet(tmp_path, events),
    ):
        with opened(path) as source:
            call = next(call for call in source.calls(cases.WINDOW) if call.uuid == cases.uid(900))
            assert (call.trace_id, call.model, call.cost_usd) == (
                "half \ufffd c:\\ud800 \U0001f600 \\",
                "\ufffd",
                2.0,
            )
            assert source.trace("half \ufffd c:\\ud800 \U0001f600 \\") is not None
            assert number_of_events(path) == 2


def test_ten_megabytes_of_text_are_no_trouble(tmp_path: Path) -> None:
    said = {
        "$ai_trace_id": "big",
        "$ai_is_error": True,
        "$ai_error": "e" * 10_000_000,
        "$ai_input": "i" * 10_000_000,
    }
    with opened(write_jsonl(tmp_path, [EVENT | {"properties": said}])) as source:
        trace = source.trace("big")
    assert trace is not None
    assert len(trace.events[0].error or "") == 500
    assert len(trace.events[0].input or "") == 20_000


def test_events_without_id_or_time_are_left_out_with_a_caveat(tmp_path: Path) -> None:
    caveats = []
    events = [EVENT, EVENT | {"uuid": None}, EVENT | {"uuid": cases.uid(901), "timestamp": "some day"}]
    with ExportSource([str(write_jsonl(tmp_path, events))], warn=caveats.append) as source:
        assert len(list(source.calls(cases.WINDOW))) == 1
    assert [(caveat.code, caveat.message[:2]) for caveat in caveats] == [("events_unreadable", "2 ")]
