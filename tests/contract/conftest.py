"""The adapters the contract is held against: each opens a source over the same events."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from reporter.sources.export import ExportSource
from tests.contract import cases
from tests.contract.exports import Event, write_jsonl, write_parquet

if TYPE_CHECKING:
    from reporter.report import Caveat
    from reporter.sources.base import Source

Layout = Callable[[Path, Sequence[Event]], Sequence[str]]


def _one(name: str) -> Layout:
    write = write_parquet if ".parquet" in name else write_jsonl
    return lambda folder, events: [str(write(folder, events, name))]


def _folder(folder: Path, events: Sequence[Event]) -> Sequence[str]:
    """Mixed formats, below one another, with names as PostHog gives them and a manifest between."""
    (folder / "2026" / "03").mkdir(parents=True)
    write_jsonl(folder / "2026", events[::3], "2026-03-02T00:00:00+00:00-2026-03-03T00:00:00+00:00.jsonl.gz")
    write_parquet(folder / "2026" / "03", events[1::3], "None-2026-03-03T00:00:00+00:00-0.parquet.zst")
    write_jsonl(folder, events[2::3] + events[:5], "rest.jsonl")
    (folder / "a-b_manifest.json").write_text('{"files": []}')
    (folder / "jobs.json").write_text(json.dumps(cases.JOBS))
    return [str(folder)]


def _glob(folder: Path, events: Sequence[Event]) -> Sequence[str]:
    write_parquet(folder, events[: len(events) // 2][::-1], "part-1.parquet")
    write_jsonl(folder, events[len(events) // 2 :][::-1], "part-2.jsonl")
    (folder / "other.jsonl").write_text("not to be read")
    return [str(folder / "part-*")]


EXPORTS: dict[str, Layout] = {
    "jsonl": _one("events.jsonl"),
    "jsonl.gz": _one("events.jsonl.gz"),
    "jsonl.zst": _one("events.jsonl.zst"),
    "parquet": _one("events.parquet"),
    "folder": _folder,
    "glob": _glob,
}


class Adapter:
    """One way to reach a list of events."""

    def __init__(self, layout: Layout, folder: Path) -> None:
        self.layout = layout
        self.folder = folder
        self.opened = 0
        self.stack = ExitStack()

    def open(self, events: Sequence[Event], warn: Callable[[Caveat], None], jobs: Any = None) -> Source:
        """Open a source over these events, closed when the test is over."""
        self.opened += 1
        folder = self.folder / f"export{self.opened}"
        folder.mkdir()
        jobs_file = None
        if jobs is not None:
            jobs_file = str(self.folder / f"jobs{self.opened}.json")
            Path(jobs_file).write_text(json.dumps(jobs))
        source = ExportSource(self.layout(folder, events), jobs_file, warn=warn)
        return self.stack.enter_context(closing(source))


@pytest.fixture(params=EXPORTS, scope="module")
def adapter(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Adapter]:
    """Give each adapter in turn; a new kind of source is one more parameter here."""
    adapter = Adapter(EXPORTS[request.param], tmp_path_factory.mktemp("adapter"))
    with adapter.stack:
        yield adapter


@pytest.fixture(scope="module")
def source(adapter: Adapter) -> Source:
    """Give a source over `cases.EVENTS`."""
    return adapter.open(cases.EVENTS, lambda _: None, cases.JOBS)
