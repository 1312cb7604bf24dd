"""The whole error tree of `reporter`, and the exit code each error ends the program with.

This module knows nothing of click or any other library; each library's errors are translated into
one of these exactly once, at the edge where the library is called.

    ReporterError                     70
    ├── UsageError                     2   a flag, an argument, the configuration
    ├── SourceError                    3   the place the data comes from
    │   ├── SourceUnreadable           3   a file or server that cannot be read at all
    │   ├── QuestionRefused            3   a question the server will not answer as it was asked
    │   ├── QuestionFailed             3   a question the server, or the way to it, failed at
    │   ├── QuestionTooLarge           3   a question beyond the server's limits; a smaller one may do
    │   ├── RunNotFound                3   a run id nobody has stored
    │   └── RunUnreadable              3   a stored run that breaks the contract
    ├── NothingToReport                4   no run to report on
    ├── RenderError                    5   a page that could not be made
    │   └── LibraryMissing             5   a library that draws or lays out is not installed
    └── DeliveryError                  6   a file or mail that could not be handed over

Exit code 0 is success, 1 a failed gate (a result, never an exception), 70 a bug of ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar


class ReporterError(Exception):
    """Something a person can act on: what happened, to what, and what to do next."""

    exit_code: ClassVar[int] = 70

    def __init__(self, message: str, *, subject: str = "", hint: str = "") -> None:
        """Describe one failure.

        Args:
            message: What happened, as a full sentence without secrets.
            subject: What it happened to (a file, a run id, a setting); may be empty.
            hint: What to do next, as a full sentence; may be empty.
        """
        super().__init__(message)
        self.message = message
        self.subject = subject
        self.hint = hint

    def __str__(self) -> str:
        """Join subject, message and hint as sentences."""
        head = f"{self.subject}: {self.message}" if self.subject else self.message
        return f"{head.rstrip('.')}. {self.hint}" if self.hint else head


class UsageError(ReporterError):
    """A flag, an argument, an environment variable or a configuration file is wrong."""

    exit_code = 2


class SourceError(ReporterError):
    """The data source refused, failed or broke its contract."""

    exit_code = 3


class SourceUnreadable(SourceError):
    """A file, folder or server could not be read at all."""


class QuestionRefused(SourceError):
    """A server understood a question and will not answer it as it was asked."""


class QuestionFailed(SourceError):
    """A server, or the way to it, failed at a question, and failed again."""


class QuestionTooLarge(SourceError):
    """A question takes more time, memory or rows than the server allows; smaller ones may do."""


class RunNotFound(SourceError):
    """A run id was asked for that the source does not hold."""


class RunUnreadable(SourceError):
    """A stored run breaks PostHog's contract; every fault is listed with its path."""

    def __init__(
        self,
        run_id: str,
        faults: Sequence[str],
        *,
        job_id: str | None = None,
        level: str | None = None,
        job_name: str = "",
    ) -> None:
        """Describe a broken run.

        Args:
            run_id: The run id, or the event's uuid where the run id itself is unreadable.
            faults: One line a fault, each beginning with its path (``$.clusters[3].size: ...``).
            job_id: The job it belongs to; ``None`` = no job, or not readable.
            level: Its level; ``None`` where not readable, so that it can be given to no job.
            job_name: The job's name as the event tells it; ``""`` if unknown.
        """
        shown = "; ".join(faults[:5]) + (f"; and {len(faults) - 5} more" if len(faults) > 5 else "")
        super().__init__(f"this run cannot be read: {shown}", subject=run_id)
        self.run_id = run_id
        self.faults = tuple(faults)
        self.job_id = job_id
        self.level = level
        self.job_name = job_name


class NothingToReport(ReporterError):
    """No run was found to report on."""

    exit_code = 4


class RenderError(ReporterError):
    """A document could not be made; other formats may have been written."""

    exit_code = 5


class LibraryMissing(RenderError):
    """A library that draws or lays out is not installed."""


class DeliveryError(ReporterError):
    """A finished document could not be written or sent."""

    exit_code = 6
