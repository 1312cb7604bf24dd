"""What a source tells a reader, each fact once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reporter.report import Caveat
from reporter.units import clean

if TYPE_CHECKING:
    from reporter.errors import RunUnreadable
    from reporter.sources.base import Warn

_FAULTS_SHOWN = 3


class Caveats:
    """Passes caveats on, leaving out what was told before."""

    def __init__(self, warn: Warn) -> None:
        """Begin with nothing told."""
        self._warn = warn
        self._told: set[tuple[str, str]] = set()

    def tell(self, code: str, subject: str, message: str, job_id: str | None = None) -> None:
        """Tell one fact.

        Args:
            code: Kind of fact.
            subject: What it is about: of facts of one kind about one thing only the first is told.
            message: The fact, as a sentence.
            job_id: The job it concerns, if one.
        """
        if (code, subject) not in self._told:
            self._told.add((code, subject))
            self._warn(Caveat(code=code, message=message, job_id=job_id))

    def unreadable(self, error: RunUnreadable) -> None:
        """Tell that a run was left out, with its first faults."""
        shown = "; ".join(error.faults[:_FAULTS_SHOWN]) + ("; …" if len(error.faults) > _FAULTS_SHOWN else "")
        message = f"Run {clean(error.run_id)} cannot be read and was left out: {shown}"
        self.tell("run_unreadable", error.run_id, message, job_id=error.job_id)
