"""A run together with the figures of its items: the unit everything else in this room works on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reporter.analysis.trials import Side
from reporter.model import Cluster, Failure, ItemMetrics, Level, Run


@dataclass(frozen=True, slots=True)
class Measured:
    """A run with the figures of its items."""

    run: Run
    level: Level
    rows: Mapping[str, ItemMetrics]
    failures: Sequence[Failure]
    keys: frozenset[str]
    size: int
    """Item keys over all clusters."""

    def of(self, cluster: Cluster) -> list[ItemMetrics]:
        """Give the rows of a cluster in order of item key."""
        return [self.rows[key] for key in sorted(item.key for item in cluster.items) if key in self.rows]

    @property
    def everything(self) -> list[ItemMetrics]:
        """Rows of all clusters, in order of item key."""
        keys = sorted(item.key for cluster in self.run.clusters for item in cluster.items)
        return [self.rows[key] for key in keys if key in self.rows]

    def side(self, cluster: Cluster | None) -> Side:
        """Give a cluster, or the whole run, as one side of a comparison."""
        keys = self.keys if cluster is None else frozenset(item.key for item in cluster.items)
        return Side(keys, {key: self.rows[key] for key in sorted(keys) if key in self.rows}, self.keys)

    def cluster(self, cluster_id: int) -> Cluster | None:
        """Give a cluster by id."""
        return next((c for c in self.run.clusters if c.cluster_id == cluster_id), None)


def measured(run: Run, rows: Sequence[ItemMetrics], failures: Sequence[Failure]) -> Measured:
    """Join a run with the figures of its items; rows of other items are left out."""
    keys = [item.key for cluster in run.clusters for item in cluster.items]
    known = frozenset(keys)
    return Measured(
        run=run,
        level=run.header.level,
        rows={row.key: row for row in rows if row.key in known},
        failures=failures,
        keys=known,
        size=len(keys),
    )
