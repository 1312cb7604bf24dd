"""Copies in folders and object stores, through fsspec's own file systems."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from reporter.artifact import Artifact
from reporter.deliver.upload import upload
from reporter.errors import DeliveryError, UsageError

FILES = (Artifact("report.json", "application/json", b"{}"), Artifact("report.html", "text/html", b"<p>\xff"))


@pytest.fixture
def memory() -> Iterator[fsspec.AbstractFileSystem]:
    system = fsspec.filesystem("memory")
    system.store.clear()
    yield system
    system.store.clear()


def test_copies_lie_in_every_folder_report_json_last(memory: fsspec.AbstractFileSystem) -> None:
    order: list[str] = []
    write = type(memory).pipe_file

    class Watched(type(memory)):  # type: ignore[misc]
        def pipe_file(self, path: str, value: bytes, **options: object) -> None:
            order.append(path)
            write(self, path, value, **options)

    fsspec.register_implementation("watched", Watched, clobber=True)
    receipts = upload("watched://shop/reports/", ["2026-11-23", "latest"], FILES)
    assert [path.rpartition("reports/")[2] for path in order] == [
        "2026-11-23/report.html", "2026-11-23/report.json", "latest/report.html", "latest/report.json",
    ]  # fmt: skip
    assert [(r.path, r.size_bytes) for r in receipts] == [
        ("watched://shop/reports/2026-11-23/report.html", 4),
        ("watched://shop/reports/2026-11-23/report.json", 2),
    ]
    assert [memory.cat(path) for path in order] == [b"<p>\xff", b"{}"] * 2


def test_copies_to_a_folder_replace_what_is_there(tmp_path: Path) -> None:
    for data in (b"old", b"new"):
        upload(f"file://{tmp_path}/a/b", [""], [Artifact("report.html", "text/html", data)])
    assert (tmp_path / "a" / "b" / "report.html").read_bytes() == b"new"
    assert [path.name for path in tmp_path.rglob("*")] == ["a", "b", "report.html"]


def test_a_store_nobody_knows_or_has_the_library_for() -> None:
    with pytest.raises(DeliveryError, match="Protocol not known"):
        upload("nowhere://x", [""], FILES)
    fsspec.register_implementation(
        "lacking", "no_such_module.System", clobber=True, errtxt="Install lackingfs"
    )
    with pytest.raises(UsageError, match="Install lackingfs"):
        upload("lacking://x", [""], FILES)


def test_a_store_that_fails_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(DeliveryError, match="cannot be copied there: ") as caught:
        upload(f"file://{tmp_path}/file/x", [""], FILES)
    assert "all the same" in caught.value.hint
