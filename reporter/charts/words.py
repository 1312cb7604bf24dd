"""Sentences of the charts, computed from numbers: names, nouns, windows, findings, alternative texts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from reporter import units
from reporter.report import Annotation, Cluster, JobSection, MetricChange, Report, RunInfo

Tone: TypeAlias = Literal["calm", "plain", "worse", "better"]
"""``plain`` is a sure change that is neither good nor bad."""

_YEAR = re.compile("\u00a0[0-9]{4}$|\u00a0[0-9]{4}(?= )")
SHOWN = 24
"""Clusters drawn at most; the table beside a chart has all."""
_NOUNS = {
    "trace": ("trace", "traces"),
    "generation": ("generation", "generations"),
    "evaluation": ("evaluation", "evaluations"),
}
_NAME_LIMIT = 60
_ALT_ROWS = 5
_ALT_LIMIT = 900
CALLS = {
    "changed": "Changed",
    "probably_changed": "Probably changed",
    "no_clear_change": "No clear change",
    "not_enough_data": "Not enough data",
}


@dataclass(frozen=True, slots=True)
class Topic:
    """What every chart of one job needs: the section and the words for it."""

    section: JobSection
    latest: RunInfo
    index: int
    tz: str
    annotations: tuple[Annotation, ...] = ()
    """What happened when, oldest first."""

    @classmethod
    def of(cls, report: Report, index: int) -> Topic | None:
        """Take a job of a report; ``None`` if it has no run to draw."""
        section = report.jobs[index]
        if section.latest is None or not (section.clusters or section.noise):
            return None
        return cls(section, section.latest, index, report.timezone, tuple(report.annotations))

    @property
    def one(self) -> str:
        """What the level clusters, singular."""
        return _NOUNS[self.section.job.level][0]

    @property
    def many(self) -> str:
        """What the level clusters, plural."""
        return _NOUNS[self.section.job.level][1]

    def items(self, number: int) -> str:
        """Write a number of items: ``1 trace``, ``1,500 traces``."""
        return units.plural(number, self.one, self.many)

    @property
    def window(self) -> str:
        """The latest window: ``16-22 Nov 2026``."""
        return units.span(self.latest.window_start, self.latest.window_end, self.tz)

    @property
    def prior_window(self) -> str | None:
        """The prior window, if the runs can be compared."""
        if not self.compared or self.section.prior is None:
            return None
        return units.span(self.section.prior.window_start, self.section.prior.window_end, self.tz)

    @property
    def compared(self) -> bool:
        """Whether any cluster is held against the prior run."""
        both = self.section.comparability
        return both is not None and both.comparable and any(c.change for c in self.section.clusters)

    def shown(self, *metrics: str, most: int = SHOWN) -> list[Cluster]:
        """Choose the clusters that are drawn: those that surely changed, then the largest.

        Args:
            metrics: Estimates whose change brings a small cluster onto the sheet.
            most: How many there is room for.

        Returns:
            At most so many clusters, in the order of the report.
        """
        ranked = sorted(
            range(len(self.section.clusters)),
            key=lambda i: (not sure(change_of(self.section.clusters[i], *metrics)), i),
        )
        return [self.section.clusters[i] for i in sorted(ranked[:most])]

    def cut(self, shown: Sequence[Cluster]) -> str:
        """Say that not every cluster is drawn, if that is so."""
        total = len(self.section.clusters)
        if len(shown) >= total:
            return ""
        if list(shown) == self.section.clusters[: len(shown)]:
            return f" {len(shown)} largest of {total} clusters."
        return f" {len(shown)} of {total} clusters: the largest and those that changed."

    def legend(self, *, prior: bool) -> str:
        """Say what filled and hollow mean."""
        if not prior or self.prior_window is None:
            return ""
        return f" Filled: latest run; hollow: {self.prior_window}."


def name(cluster: Cluster) -> str:
    """Give a cluster a name that can be printed on one line."""
    if cleaned := units.clean(cluster.title, 200):
        return cleaned
    return "Outliers" if cluster.cluster_id < 0 else f"Cluster {cluster.cluster_id} (untitled)"


def quoted(cluster: Cluster) -> str:
    """Give a cluster's name as it stands inside a sentence."""
    return f"\u201c{units.clean(name(cluster), _NAME_LIMIT)}\u201d"


def short(window: str) -> str:
    """Leave the year out of a window that lies within one."""
    return _YEAR.sub("", window) if len(_YEAR.findall(window)) == 1 else window


def sure(change: MetricChange | None) -> bool:
    """Say whether a test concluded that something moved."""
    return change is not None and change.call in ("changed", "probably_changed") and bool(change.difference)


def change_of(cluster: Cluster, *metrics: str) -> MetricChange | None:
    """Give the first sure change among some estimates, else the first known one."""
    if cluster.change is None:
        return None
    known = [m for metric in metrics if (m := cluster.change.metrics.get(metric)) is not None]
    return next((m for m in known if sure(m)), known[0] if known else None)


def tone(change: MetricChange | None, *, judged: bool = True) -> Tone:
    """Choose how loud a row is; less is better wherever a quantity can be judged."""
    if change is None or not sure(change):
        return "calm"
    if not judged:
        return "plain"
    return "worse" if (change.difference or 0) > 0 else "better"


def arrow(change: MetricChange | None) -> str:
    """Give the sign that stands beside every coloured mark."""
    if change is None or not sure(change):
        return ""
    return "\u25b2" if (change.difference or 0) > 0 else "\u25bc"


BECAME = {
    "split": ("split", "split"),
    "merged": ("came of a merger", "came of mergers"),
    "new": ("is new", "are new"),
    "gone": ("is gone", "are gone"),
}
"""What became of one cluster, or of several."""
MAY = {
    "split": ("may have split", "may have split"),
    "merged": ("may come of a merger", "may come of mergers"),
    "new": ("may be new", "may be new"),
    "gone": ("may be gone", "may be gone"),
}
"""The same where it is only possible."""
BOTH_WAYS = ("\u25bc", "\u25b2")
"""Signs by whether something rose."""


def tested(changes: Iterable[MetricChange | None]) -> int:
    """Count the clusters for which a change could be tested."""
    return sum(1 for m in changes if m is not None and m.call != "not_enough_data")


@dataclass(frozen=True, slots=True)
class Verbs:
    """How one quantity's movement is told."""

    quantity: str
    """As in "No cluster's … changed clearly"."""
    up: str
    """As in "“X” …"."""
    down: str
    rose: str
    """As in "… in 2 of 11 clusters"."""
    fell: str


def movement(
    pairs: Sequence[tuple[Cluster, MetricChange | None]], verbs: Verbs, numbers: dict[int, str]
) -> str | None:
    """Tell what surely changed in one quantity.

    Args:
        pairs: Each cluster with its change, largest cluster first.
        verbs: The words for it.
        numbers: For each cluster id, the numbers to close the sentence with.

    Returns:
        A sentence without full stop, or ``None`` where nothing could be tested.
    """
    total = tested(m for _, m in pairs)
    if not total:
        return None
    moved = [(c, m) for c, m in pairs if m is not None and sure(m)]
    if not moved:
        return f"No cluster\u2019s {verbs.quantity} changed clearly"
    if len(moved) == 1:
        cluster, change = moved[0]
        verb = verbs.up if (change.difference or 0) > 0 else verbs.down
        perhaps = " probably" if change.call == "probably_changed" else ""
        return f"{quoted(cluster)}{perhaps} {verb}: {numbers[cluster.cluster_id]}"
    ups = sum(1 for _, m in moved if (m.difference or 0) > 0)
    downs = len(moved) - ups
    if not downs:
        return f"{verbs.rose} in {ups} of {total} clusters"
    if not ups:
        return f"{verbs.fell} in {downs} of {total} clusters"
    return f"{verbs.rose} in {ups} and fell in {downs} of {total} clusters"


def alternative(title: str, rows: Sequence[str]) -> str:
    """Write the text for those who do not see the chart: the finding and the main numbers."""
    told = "; ".join(rows[:_ALT_ROWS])
    more = f"; and {len(rows) - _ALT_ROWS} more in the table" if len(rows) > _ALT_ROWS else ""
    return units.clean(f"{title}. {told}{more}." if told else f"{title}.", _ALT_LIMIT)


def interval(low: str, high: str) -> str:
    """Write an interval as two numbers, or the sign for unknown where it is not known."""
    return units.UNKNOWN if units.UNKNOWN in (low, high) else f"{low} to {high}"


def called(change: MetricChange | None) -> str:
    """Write what a test concluded, or the sign for unknown where nothing was compared."""
    return units.UNKNOWN if change is None else CALLS[change.call]
