"""The ``$ai_clusters`` payload of every era: clusters, their items, and who is a member of what.

Three readers share one walk over the payload: whole clusters, membership only, and the bare count of
items. All write faults instead of raising, and none trusts anything it is given.

Eras differ in what an item carries (early ones only distance and rank) and how members are listed:
an object of item key to item, or, in prototypes, a list ``trace_ids`` or a list of objects with a
``trace_id``. All forms are taken. A cluster without members is kept: it was stored, so it is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from reporter.model import NOISE, Cluster, Item, Level, MemberCluster
from reporter.sources.decode_values import (
    MAX_DESCRIPTION,
    MAX_TITLE,
    ExcessError,
    Faults,
    Where,
    as_text,
    encodable,
    plain,
    shown,
)

MAX_KEY = 2_000
"""Characters of the longest item key."""
MAX_ITEMS = 100_000
"""Items of the largest run that is read; PostHog's own limit is 10,000."""
MAX_CLUSTERS = 10_000

_BAKED_WORDS = ("dominant_evaluation_name", "dominant_runtime")
_MAX_BAKED = 200
_NO_DETAILS: Mapping[str, Any] = {}

Members: TypeAlias = dict[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class _Entry:
    """A cluster whose number and members could be read."""

    where: Where
    cluster_id: int
    raw: Mapping[str, Any]
    members: Members


def decode_clusters(payload: object, level: Level, faults: Faults) -> tuple[Cluster, ...]:
    """Read whole clusters.

    Args:
        payload: ``$ai_clusters`` as stored: native, JSON text, or JSON text within JSON text.
        level: Level of the run; decides what an item's missing trace id means.
        faults: Takes everything that is wrong.

    Returns:
        Regular clusters by ascending id, noise last; meaningless if a fault was added.
    """
    return tuple(_cluster(entry, level, faults) for entry in _entries(payload, faults))


def decode_members(payload: object, faults: Faults) -> tuple[MemberCluster, ...]:
    """Read what identity needs: numbers, words and item keys; item details are not looked at.

    Args:
        payload: As for `decode_clusters`; ``trace_ids`` in place of ``traces`` will do.
        faults: Takes everything that is wrong.

    Returns:
        Clusters in the order of `decode_clusters`, keys sorted; meaningless if a fault was added.
    """
    return tuple(
        MemberCluster(entry.cluster_id, *_words(entry, faults), keys=tuple(sorted(entry.members)))
        for entry in _entries(payload, faults)
    )


def count_items(payload: object, faults: Faults) -> int:
    """Count the item keys of all clusters; 0 for an empty list and, with a fault, where unreadable."""
    return sum(len(entry.members) for entry in _entries(payload, faults))


def _entries(payload: object, faults: Faults) -> list[_Entry]:
    """Walk the payload once: every cluster with a number and at least one member, in run order."""
    before = len(faults)
    clusters = faults.native(payload, ("clusters",))
    if clusters is None:
        if len(faults) == before:
            faults.add(("clusters",), "missing; the event has no $ai_clusters")
        return []
    if not isinstance(clusters, (list, tuple)):
        faults.add(("clusters",), f"not a list but {shown(clusters)}")
        return []
    if len(clusters) > MAX_CLUSTERS:
        faults.add(("clusters",), f"{len(clusters):,} clusters, more than the {MAX_CLUSTERS:,} that are read")
        return []
    entries = [entry for index, raw in enumerate(clusters) if (entry := _entry(raw, index, faults))]
    _check_ids(entries, faults)
    _check_keys(entries, faults)
    return sorted(entries, key=lambda entry: (entry.cluster_id == NOISE, entry.cluster_id))


def _entry(raw: object, index: int, faults: Faults) -> _Entry | None:
    where: Where = ("clusters", index)
    if not isinstance(raw, Mapping):
        faults.add(where, f"not an object but {shown(raw)}")
        return None
    before = len(faults)
    cluster_id = faults.whole(raw.get("cluster_id"), where, "cluster_id", low=NOISE)
    if cluster_id is None and len(faults) == before:
        faults.add((*where, "cluster_id"), "missing")
    faults.number(raw.get("size"), where, "size")  # the keys are counted; this only has to make sense
    members = _members(raw, where, faults)
    if cluster_id is None:
        return None
    return _Entry(where=where, cluster_id=cluster_id, raw=raw, members=members)


def _members(raw: Mapping[str, Any], where: Where, faults: Faults) -> Members:
    """Collect members by key, whichever way they are listed; of equal keys the first is kept."""
    name = "traces" if raw.get("traces") is not None else "trace_ids"
    before = len(faults)
    listed = faults.native(raw.get(name), (*where, name))
    members: Members = {}
    if isinstance(listed, Mapping):
        for key, item in listed.items():
            _add_member(members, str(key), item, (*where, name, (str(key),)), faults)
    elif isinstance(listed, (list, tuple)):
        for index, item in enumerate(listed):
            place = (*where, name, index)
            key = item.get("trace_id") if isinstance(item, Mapping) else item
            text = None if isinstance(key, bool) else as_text(key)
            if text is None:
                faults.add(place, f"no item key but {shown(key)}")
            else:
                _add_member(members, text, item if isinstance(item, Mapping) else None, place, faults)
    elif listed is not None:
        faults.add((*where, name), f"not an object but {shown(listed)}")
    elif len(faults) == before:
        faults.add((*where, "traces"), "missing")
    return members


def _add_member(members: Members, key: str, item: object, where: Where, faults: Faults) -> None:
    if len(key) > MAX_KEY:
        faults.add(where, f"an item key of {len(key):,} characters, more than the {MAX_KEY:,} that are read")
    elif item is None:
        members.setdefault(encodable(key), _NO_DETAILS)
    elif isinstance(item, Mapping):
        members.setdefault(encodable(key), item)
    else:
        faults.add(where, f"not an object but {shown(item)}")


def _check_ids(entries: list[_Entry], faults: Faults) -> None:
    seen: set[int] = set()
    for entry in entries:
        if entry.cluster_id in seen:
            which = "noise cluster" if entry.cluster_id == NOISE else f"cluster {entry.cluster_id}"
            faults.add((*entry.where, "cluster_id"), f"a second {which}")
        seen.add(entry.cluster_id)


def _check_keys(entries: list[_Entry], faults: Faults) -> None:
    """Note items that lie in two clusters, in one line however many they are, and far too many items."""
    owner: dict[str, int] = {}
    shared: dict[str, int] = {}
    for entry in entries:
        for key in entry.members:
            if owner.setdefault(key, entry.cluster_id) != entry.cluster_id:
                shared.setdefault(key, entry.cluster_id)
    if shared:
        key = min(shared)
        many = "1 item lies" if len(shared) == 1 else f"{len(shared):,} items lie"
        which = f"{shown(key)} in {owner[key]} and {shared[key]}"
        faults.add(("clusters",), f"{many} in more than one cluster, such as {which}")
    if len(owner) > MAX_ITEMS:
        faults.add(("clusters",), f"{len(owner):,} items, more than the {MAX_ITEMS:,} that are read")


def _cluster(entry: _Entry, level: Level, faults: Faults) -> Cluster:
    raw, where = entry.raw, entry.where
    items = [
        _item(key, item, level, (*where, "traces", (key,)), faults) for key, item in entry.members.items()
    ]
    items.sort(key=lambda item: (item.rank is None, item.rank or 0, item.key))
    return Cluster(
        entry.cluster_id,
        *_words(entry, faults),
        items=tuple(items),
        centroid_x=faults.number(raw.get("centroid_x"), where, "centroid_x"),
        centroid_y=faults.number(raw.get("centroid_y"), where, "centroid_y"),
        baked=_baked(raw.get("metrics")),
    )


def _words(entry: _Entry, faults: Faults) -> tuple[str, str]:
    """Read title and description, cut to length."""
    return (
        faults.text(entry.raw.get("title"), entry.where, "title", MAX_TITLE),
        faults.text(entry.raw.get("description"), entry.where, "description", MAX_DESCRIPTION),
    )


def _item(key: str, raw: Mapping[str, Any], level: Level, where: Where, faults: Faults) -> Item:
    get = raw.get
    return Item(
        key=key,
        trace_id=_trace_id(key, get("trace_id"), level, where, faults),
        rank=faults.whole(get("rank"), where, "rank"),
        distance=faults.number(get("distance_to_centroid"), where, "distance_to_centroid"),
        x=faults.number(get("x"), where, "x"),
        y=faults.number(get("y"), where, "y"),
        timestamp=faults.instant(get("timestamp"), where, "timestamp"),
    )


def _trace_id(key: str, value: object, level: Level, where: Where, faults: Faults) -> str | None:
    """Say which trace an item opens; an evaluation that names itself was never resolved to one."""
    if value is None or value == "":
        return (key or None) if level == "trace" else None
    text = None if isinstance(value, bool) else as_text(value)
    if text is None:
        faults.add((*where, "trace_id"), f"not text but {shown(value)}")
        return None
    if len(text) > MAX_KEY:
        faults.add((*where, "trace_id"), f"{len(text):,} characters, more than the {MAX_KEY:,} that are read")
        return None
    trace_id = encodable(text)
    return None if level == "evaluation" and trace_id.lower() == key.lower() else trace_id


def _baked(value: object) -> Mapping[str, Any] | None:
    """Keep what can be cross-checked of PostHog's own figures; they decide nothing, so nothing is a fault."""
    metrics = Faults().native(value, ("metrics",))
    if not isinstance(metrics, Mapping) or len(metrics) > _MAX_BAKED:
        return None
    kept: dict[str, Any] = {}
    for name in sorted(name for name in metrics if isinstance(name, str)):
        figure = metrics[name]
        if name == "sentiment":
            kept |= _sentiment(figure)
        elif name in _BAKED_WORDS:
            if isinstance(figure, str):
                kept[name] = Faults().text(figure, (), name, MAX_TITLE)
        elif (number := Faults().number(figure, (), name)) is not None:
            kept[encodable(name[:MAX_TITLE])] = figure if isinstance(figure, int) else number
    return kept


def _sentiment(figure: object) -> dict[str, Any]:
    try:
        return {"sentiment": plain(figure)} if isinstance(figure, Mapping) else {}
    except ExcessError:
        return {}
