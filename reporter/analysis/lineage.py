"""Identity of clusters across runs, as far as two runs can tell.

Ids are provisional: they hold as long as the same two runs are compared. Only the best one-to-one pairing
carries an id on, so no two clusters of a run ever share one.
"""

from __future__ import annotations

from hashlib import sha256

from reporter import units
from reporter.model import Level, RunHeader
from reporter.report import Lineage


def lineage_id(job_id: str | None, level: Level, run_id: str, cluster_id: int) -> str:
    """Derive an id from the oldest place a cluster is known from: 12 hexadecimal digits."""
    origin = "\x1f".join((job_id or "", level, run_id, str(cluster_id)))
    return sha256(origin.encode("utf-8", "replace")).hexdigest()[:12]


def lineage(latest: RunHeader, title: str, prior: RunHeader | None, prior_title: str | None) -> Lineage:
    """Describe a cluster's life over the runs compared.

    Args:
        latest: The run reported on.
        title: The cluster's name there.
        prior: The run it was found in before; ``None`` where it was not.
        prior_title: Its name there.
    """
    if prior is None:
        return Lineage(first_seen=units.iso(latest.window.end), runs=1, names=[title], provisional=True)
    first = min(prior.window.end, latest.window.end)
    names = [title] if prior_title is None or prior_title == title else [prior_title, title]
    return Lineage(first_seen=units.iso(first), runs=2, names=names, provisional=True)
