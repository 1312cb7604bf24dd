"""An untrusted cluster event becomes a `RunHeader`, a whole `Run`, or its `Membership`.

Pure: no file, no network, no clock. For whatever properties an event carries, each function either
returns a value that keeps the model's promises or raises `RunUnreadable` with every fault found.

Paths in faults begin at the event's properties; ``$.clusters`` stands for ``$ai_clusters``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reporter.errors import RunUnreadable
from reporter.model import LEVELS, Level, Membership, Run, RunHeader, Window
from reporter.sources.base import RUN_EVENTS
from reporter.sources.decode_clusters import count_items, decode_clusters, decode_members
from reporter.sources.decode_values import MAX_TITLE, ExcessError, Faults, plain, shown
from reporter.sources.run_id import parse_run_id
from reporter.sources.times import parse_instant
from reporter.units import clean, iso

if TYPE_CHECKING:
    from datetime import datetime

_LEVEL_BY_NAME: dict[str, Level] = {level: level for level in LEVELS}


@dataclass(frozen=True, slots=True)
class EventRow:
    """One row of PostHog's ``events`` that says it is a clustering run."""

    uuid: str
    """The event's own id; names the row where the run id cannot."""
    event: str
    """Event name, one of `reporter.sources.base.RUN_EVENTS`."""
    timestamp: datetime
    """When the event was emitted; a naive time is UTC."""
    properties: Mapping[str, Any] | str
    """Properties, native or as JSON text. A projection (without ``$ai_clusters``) will do for a header."""


def decode_header(event: EventRow) -> RunHeader:
    """Read a run without its clusters.

    The clusters are looked at only where both counts of items are missing.

    Args:
        event: The cluster event, or a projection of it.

    Returns:
        The header. Its level is the level property's, else the run id's, else the event name's; its
        label is the run id's.

    Raises:
        RunUnreadable: The event breaks the contract; all faults of the header are listed.
    """
    reader = _Reader(event)
    items = reader.total()
    if items is None:
        items = count_items(reader.clusters, reader.faults)
    return reader.header(items)


def decode_run(event: EventRow) -> Run:
    """Read a whole run.

    Args:
        event: The cluster event with ``$ai_clusters``.

    Returns:
        The run: regular clusters by ascending id, noise last, items by rank and key.

    Raises:
        RunUnreadable: The event breaks the contract; all faults are listed.
    """
    reader = _Reader(event)
    clusters = decode_clusters(reader.clusters, reader.level, reader.faults)
    items = reader.total()
    if items is None:
        items = sum(cluster.size for cluster in clusters)
    return Run(header=reader.header(items), clusters=clusters)


def decode_membership(event: EventRow) -> Membership:
    """Read which item sat in which cluster; window, counts and item details are not looked at.

    Args:
        event: The cluster event; each cluster may list its keys as ``trace_ids`` instead of ``traces``.

    Returns:
        The membership, clusters in the order of `decode_run`, keys sorted.

    Raises:
        RunUnreadable: The event breaks the contract; all faults of what is read are listed.
    """
    reader = _Reader(event)
    clusters = decode_members(reader.clusters, reader.faults)
    reader.settle()
    return Membership(run_id=reader.run_id, clusters=clusters)


class _Reader:
    """One pass over one event: what was read so far and what was wrong with it."""

    __slots__ = ("_event", "_parsed", "_placed", "_properties", "faults", "level", "run_id")

    def __init__(self, event: EventRow) -> None:
        """Read what every answer needs: the run id and the level.

        Raises:
            RunUnreadable: The properties are no object, so that nothing else is worth saying.
        """
        self.faults = Faults()
        self.run_id = ""
        self._parsed = parse_run_id("")
        self._placed = False
        self._event = event
        properties = self.faults.native(event.properties, ())
        if not isinstance(properties, Mapping):
            if not self.faults:
                self.faults.add((), f"the event's properties are not an object but {shown(properties)}")
            raise self._unreadable()
        self._properties: Mapping[str, Any] = properties
        self.run_id = self._identifier("run_id")
        if not self.run_id and not self.faults:
            self.faults.add(("run_id",), "missing; the event has no $ai_clustering_run_id")
        self._parsed = parse_run_id(self.run_id)
        self.level: Level = self._level()
        self._placed = True

    @property
    def clusters(self) -> object:
        """The clusters as stored, not looked at yet."""
        return self._properties.get("$ai_clusters")

    def total(self) -> int | None:
        """Read the number of items analysed, under its newer or older name.

        Returns:
            The number; 0 for a fault; ``None`` where the event has neither name, so that the clusters
            must be counted.
        """
        before = len(self.faults)
        for name in ("items", "traces"):
            total = self.faults.whole(self._properties.get(f"$ai_total_{name}_analyzed"), (), f"total_{name}")
            if total is not None:
                return total
        return None if len(self.faults) == before else 0

    def header(self, items: int) -> RunHeader:
        """Read the rest of the header.

        Raises:
            RunUnreadable: Something was wrong, here or before.
        """
        job_id = self._identifier("job_id").lower() or self._parsed.job_id
        job_name = self._properties.get("$ai_clustering_job_name")
        name = self.faults.text(job_name, (), "job_name", MAX_TITLE)
        params = self._params()
        window = self._window()
        emitted_at = parse_instant(self._event.timestamp)
        if emitted_at is None:
            self.faults.add(("timestamp",), f"not a time but {shown(self._event.timestamp)}")
        self.settle()
        if window is None or emitted_at is None:  # pragma: no cover (settled above; for the type checker)
            raise self._unreadable()
        return RunHeader(
            run_id=self.run_id,
            level=self.level,
            job_id=job_id,
            job_name=name,
            label=self._parsed.label,
            window=window,
            items=items,
            emitted_at=emitted_at,
            params=params,
            event_uuid=str(self._event.uuid),
        )

    def settle(self) -> None:
        """Raise `RunUnreadable` if anything was wrong."""
        if self.faults:
            raise self._unreadable()

    def _unreadable(self) -> RunUnreadable:
        """Name the run, its faults and, as far as they can be read, the job it belongs to."""
        name = self.run_id or clean(str(self._event.uuid), 80)
        lines = self.faults.lines
        if not self._placed:
            return RunUnreadable(name, lines)
        told = self._properties.get("$ai_clustering_job_name")
        return RunUnreadable(
            name,
            lines,
            job_id=self._identifier("job_id").lower() or self._parsed.job_id,
            level=self.level,
            job_name=told[:MAX_TITLE] if isinstance(told, str) else "",
        )

    def _identifier(self, name: str) -> str:
        return self.faults.identifier(self._properties.get(f"$ai_clustering_{name}"), (), name)

    def _level(self) -> Level:
        """Choose the level: property, run id, event name, trace.

        The property comes first because the emitter names its event after only two of the levels. A
        level this version does not know is a fault: its items would be measured as what they are not.
        """
        name = self._identifier("level").lower()
        if name and name not in _LEVEL_BY_NAME:
            self.faults.add(("level",), f"{shown(name)} is none of {', '.join(LEVELS)}")
        by_event = _LEVEL_BY_NAME.get(RUN_EVENTS.get(self._event.event, "trace"), "trace")
        return _LEVEL_BY_NAME.get(name) or self._parsed.level or by_event

    def _window(self) -> Window | None:
        start, end = self._edge("window_start"), self._edge("window_end")
        if start is None or end is None:
            return None
        if end <= start:
            self.faults.add(("window_end",), f"{iso(end)} is not after window_start, {iso(start)}")
            return None
        return Window(start=start, end=end)

    def _edge(self, name: str) -> datetime | None:
        value = self._properties.get(f"$ai_{name}")
        instant = parse_instant(value)
        if value is None or value == "":
            self.faults.add((name,), f"missing; the event has no $ai_{name}")
        elif instant is None:
            self.faults.add((name,), f"not a time but {shown(value)}")
        return instant

    def _params(self) -> Mapping[str, Any] | None:
        params = self.faults.native(self._properties.get("$ai_clustering_params"), ("params",))
        if params is None:
            return None
        if not isinstance(params, Mapping):
            self.faults.add(("params",), f"not an object but {shown(params)}")
            return None
        try:
            copy: dict[str, Any] = plain(params)
        except ExcessError as error:
            self.faults.add(("params",), str(error))
            return None
        return copy
