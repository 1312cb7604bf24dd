"""What one project's API was asked, and the state that answers depend on."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from threading import Lock
from typing import Any

from tests.servers.faults import Faults
from tests.servers.settings import Settings

_FREE_BUDGET = 20 * 10**9


@dataclass
class Entry:
    """One request, as far as it has come."""

    method: str
    path: str
    headers: dict[str, str]
    keyed: bool
    name: str = ""
    kind: str = ""
    sql: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    refresh: Any = None
    client_query_id: str = ""
    query: dict[str, Any] = field(default_factory=dict)
    status: int | None = None
    started: float = 0.0
    ended: float | None = None
    concurrent: int = 0
    rows: int = 0
    bytes_sent: int = 0
    bounded: bool | None = None
    detail: str = ""


class Project:
    """One project of the server."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.faults = Faults()
        self.entries: list[Entry] = []
        self.budget: int | None = None
        self.statuses: dict[str, dict[str, Any]] = {}
        """Query id → what a poll of it answers."""
        self._running = 0
        self._lock = Lock()

    def begin(self, entry: Entry, *, is_query: bool) -> None:
        """Note a request that has come."""
        with self._lock:
            entry.started = time.monotonic()
            if is_query:
                self._running += 1
                entry.concurrent = self._running
            self.entries.append(entry)

    def end(self, entry: Entry, *, is_query: bool) -> None:
        """Note that a request has been answered."""
        with self._lock:
            entry.ended = time.monotonic()
            if is_query:
                self._running -= 1

    def clear(self) -> None:
        with self._lock:
            self.entries.clear()

    def log(self) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(entry) for entry in self.entries]

    def spend(self, bytes_read: int) -> int:
        """Take bytes from the read budget; gives what is left."""
        with self._lock:
            if self.budget is None:
                return _FREE_BUDGET
            self.budget -= bytes_read
            return self.budget
