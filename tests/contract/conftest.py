"""The adapters the contract is held against: each opens a source over the same events."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from reporter.sources.api import ApiSource
from reporter.sources.api.client import Client
from reporter.sources.cached import CachedSource
from reporter.sources.clickhouse import ClickHouseSource
from reporter.sources.clickhouse.address import parse
from reporter.sources.clickhouse.client import ClickHouse
from reporter.sources.clickhouse.engines import Embedded
from reporter.sources.export import ExportSource
from reporter.state.entries import Entries
from tests.contract import cases
from tests.contract.exports import Event, write_jsonl, write_parquet
from tests.servers.fixtures import posthog, tables  # noqa: F401 (fixtures)
from tests.servers.store import Store, database_of

if TYPE_CHECKING:
    from reporter.report import Caveat
    from reporter.sources.base import Source
    from tests.servers.handle import PostHog

Layout = Callable[[Path, Sequence[Event]], Sequence[str]]
Warn = Callable[["Caveat"], None]
PROJECTS = count(1)
TODAY = datetime(2026, 4, 1, tzinfo=UTC)
"""The present, to an adapter that looks back from it."""


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
TYPES = {
    "$ai_total_cost_usd": "Numeric",
    "$ai_latency": "Numeric",
    "$ai_input_tokens": "Numeric",
    "$ai_output_tokens": "Numeric",
    "$ai_cache_read_input_tokens": "Numeric",
    "$ai_http_status": "Numeric",
    "$ai_is_error": "Boolean",
    "$ai_evaluation_result": "Boolean",
    "$ai_evaluation_applicable": "Boolean",
    "$ai_trace_id": "DateTime",
    "$ai_window_start": "DateTime",
    "$ai_window_end": "DateTime",
    "$ai_total_items_analyzed": "Numeric",
}
"""How a project may have typed its properties, trace ids for times included."""
_TRUTHS = ("$ai_is_error", "$ai_evaluation_result", "$ai_evaluation_applicable")


class Adapter:
    """One way to reach a list of events."""

    values = "${}"
    """How the user's own query names a value."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.opened = 0
        self.stack = ExitStack()

    def open(self, events: Sequence[Event], warn: Warn, jobs: Any = None) -> Source:
        """Open a source over these events, closed when the test is over."""
        self.opened += 1
        return self.stack.enter_context(closing(self._source(events, warn, jobs)))

    def _source(self, events: Sequence[Event], warn: Warn, jobs: Any) -> Source:
        raise NotImplementedError


class Exported(Adapter):
    """Files of a batch export."""

    def __init__(self, folder: Path, layout: Layout) -> None:
        super().__init__(folder)
        self.layout = layout

    def _source(self, events: Sequence[Event], warn: Warn, jobs: Any) -> Source:
        folder = self.folder / f"export{self.opened}"
        folder.mkdir()
        jobs_file = None
        if jobs is not None:
            jobs_file = str(self.folder / f"jobs{self.opened}.json")
            Path(jobs_file).write_text(json.dumps(jobs))
        return ExportSource(self.layout(folder, events), jobs_file, warn=warn)


class Asked(Adapter):
    """PostHog's API, in a project whose zone is far from UTC."""

    values = "{{{}}}"

    def __init__(self, folder: Path, server: PostHog, types: Mapping[str, str]) -> None:
        super().__init__(folder)
        self.server = server
        self.types = types

    def _source(self, events: Sequence[Event], warn: Warn, jobs: Any) -> Source:
        kept = [as_typed(event) for event in events] if self.types else events
        project = self.server.project(
            kept,
            jobs if jobs is not None else [],
            timezone="America/St_Johns",
            property_types={"version": "Numeric", **self.types},
            jobs_missing=jobs is None,
            project_id=None,
        )
        client = Client(project.url, project.id, lambda: project.key, timeout_s=300)
        return ApiSource(client, warn=warn, now=TODAY)


class Kept(Asked):
    """The same behind what is kept between runs."""

    def _source(self, events: Sequence[Event], warn: Warn, jobs: Any) -> Source:
        inner = super()._source(events, warn, jobs)
        entries = Entries(
            self.folder / f"state{self.opened}", host="here", project=str(self.opened), warn=pytest.fail
        )
        return CachedSource(inner, entries, clock=lambda: TODAY)


class InClickHouse(Adapter):
    """ClickHouse in this process, over a table as PostHog makes it."""

    values = "{{{}}}"

    def __init__(self, folder: Path, store: Store) -> None:
        super().__init__(folder)
        self.store = store

    def _source(self, events: Sequence[Event], warn: Warn, jobs: Any) -> Source:
        project = str(next(PROJECTS))
        self.store.create(project, events, ai_events=False, strip=False)
        jobs_file = None
        if jobs is not None:
            jobs_file = str(self.folder / f"jobs{self.opened}.json")
            Path(jobs_file).write_text(json.dumps(jobs))
        address = parse(f"chdb://?database={database_of(project)}", project)
        client = ClickHouse(
            Embedded(self.store.session), address.events, host="chdb://here/events", project_id=project
        )
        return ClickHouseSource(client, jobs_file, warn=warn, now=TODAY)


def as_typed(event: Event) -> Event:
    """Spell what a typed project reads otherwise: there "TRUE" is no truth value and " 1 " no number."""
    said = dict(event["properties"])
    for name in _TRUTHS:
        if isinstance(said.get(name), str):
            said[name] = said[name].lower()
    if isinstance(said.get("$ai_total_cost_usd"), str):
        said["$ai_total_cost_usd"] = said["$ai_total_cost_usd"].strip()
    return {**event, "properties": said}


ADAPTERS = (*EXPORTS, "api", "api, typed", "api, kept", "clickhouse")


@pytest.fixture(params=ADAPTERS, scope="module")
def adapter(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Adapter]:
    """Give each adapter in turn; a new kind of source is one more parameter here."""
    folder = tmp_path_factory.mktemp("adapter")
    made: Adapter
    if request.param in EXPORTS:
        made = Exported(folder, EXPORTS[request.param])
    elif request.param == "clickhouse":
        made = InClickHouse(folder, request.getfixturevalue("tables"))
    else:
        server = request.getfixturevalue("posthog")
        kind = Kept if request.param == "api, kept" else Asked
        made = kind(folder, server, TYPES if request.param == "api, typed" else {})
    with made.stack:
        yield made


@pytest.fixture(scope="module")
def source(adapter: Adapter) -> Source:
    """Give a source over `cases.EVENTS`."""
    return adapter.open(cases.EVENTS, lambda _: None, cases.JOBS)
