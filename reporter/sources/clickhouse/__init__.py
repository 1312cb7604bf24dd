"""ClickHouse itself, a server, a cluster or the embedded engine, as a `Source`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from reporter.model import Job
from reporter.sources.base import Warn
from reporter.sources.caveats import Caveats
from reporter.sources.clickhouse.address import Address, parse
from reporter.sources.clickhouse.client import ClickHouse
from reporter.sources.clickhouse.engines import Engine, embedded, server
from reporter.sources.hogql.source import HogqlSource
from reporter.sources.jobs import read_jobs

__all__ = ["ClickHouseSource", "opened"]


class Listed:
    """The jobs of a file, where one was given."""

    def __init__(self, jobs_file: str | None) -> None:
        """Read the file.

        Raises:
            SourceUnreadable: It is no list of jobs.
        """
        self._jobs = None if jobs_file is None else read_jobs(jobs_file)

    def fetch(self) -> None:
        """Do nothing: the file was read."""

    def jobs(self) -> tuple[Job, ...] | None:
        """List the jobs; ``None`` where no file was given."""
        return self._jobs

    def job(self, job_id: str) -> Job | None:
        """Give one job, or ``None``."""
        return next((job for job in self._jobs or () if job.id == job_id.lower()), None)


class ClickHouseSource(HogqlSource):
    """Events in ClickHouse; everything is computed where they lie."""

    def __init__(
        self, client: ClickHouse, jobs_file: str | None = None, *, warn: Warn, now: datetime
    ) -> None:
        """Take who is asked; nothing is asked yet.

        Args:
            client: Whom to ask.
            jobs_file: The REST answer that lists clustering jobs, saved as JSON; ``None`` for none.
            warn: Where caveats go, each fact once.
            now: The real time, aware: nothing is looked for after it.

        Raises:
            SourceUnreadable: The file is no list of jobs.
        """
        super().__init__(client, Listed(jobs_file), Caveats(warn), kind="clickhouse", now=now)


def opened(text: str, password: Callable[[], str], *, project_id: str | None, timeout_s: float) -> ClickHouse:
    """Give who answers at an address.

    Args:
        text: ``clickhouse://…`` or ``chdb://…``, see `address.parse`.
        password: Gives the password; empty for none.
        project_id: Number of the project whose events are meant; ``None`` for a table of one project.
        timeout_s: Longest time all questions together may take, in seconds.

    Raises:
        UsageError: The address is none.
        SourceError: The embedded engine is not installed, or certificates cannot be read.
    """
    address: Address = parse(text, project_id)
    engine: Engine = embedded(address) if address.embedded else server(address, password, timeout_s=timeout_s)
    return ClickHouse(engine, address.events, host=address.shown, project_id=project_id)
