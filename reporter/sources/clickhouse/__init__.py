"""ClickHouse itself, a server, a cluster or the embedded engine, as a `Source`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from reporter.sources.base import Warn
from reporter.sources.caveats import Caveats
from reporter.sources.clickhouse.address import parse
from reporter.sources.clickhouse.client import ClickHouse
from reporter.sources.clickhouse.engines import Server, embedded
from reporter.sources.hogql.source import HogqlSource
from reporter.sources.jobs import JobsFile

__all__ = ["ClickHouseSource", "opened"]


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
        super().__init__(client, JobsFile(jobs_file), Caveats(warn), kind="clickhouse", now=now)


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
    address = parse(text, project_id)
    engine = embedded(address) if address.embedded else Server(address, password, timeout_s=timeout_s)
    return ClickHouse(engine, address.events, host=address.shown, project_id=project_id)
