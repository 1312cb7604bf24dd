"""Clustering jobs as PostHog's REST interface lists them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from reporter.errors import SourceError
from reporter.model import Job
from reporter.sources.api.client import Client
from reporter.sources.jobs import MAX_JOBS, decode_job, decode_jobs, next_page
from reporter.units import clean

_PATH = "llm_analytics/clustering_jobs/"
_PAGE = 100
_HINT = "Jobs are then known from their runs alone; the scope llm_analytics:read gives names and filters."


class Configured:
    """The list of jobs, read once."""

    def __init__(self, client: Client, caveat: Callable[[str, str, str], None]) -> None:
        """Prepare; nothing is asked yet.

        Args:
            client: Whom to ask.
            caveat: Told (code, subject, message) where the list cannot be read.
        """
        self._client = client
        self._caveat = caveat
        self._jobs: tuple[Job, ...] | None = None
        self._lost: SourceError | None = None
        self._asked = False

    def fetch(self) -> None:
        """Read the list; without it a report is poorer, not impossible, so nothing is raised."""
        if self._asked:
            return
        self._asked = True
        try:
            self._jobs = decode_jobs({"results": self._pages()}, subject="the list of clustering jobs")
        except SourceError as error:
            self._lost = error

    def jobs(self) -> tuple[Job, ...] | None:
        """Give the list; ``None``, with a caveat, where it cannot be read."""
        self.fetch()
        if self._lost is not None:
            why = self._client.unsaid(clean(self._lost.message, 300))
            message = f"The list of jobs cannot be read: {why}. {_HINT}"
            self._caveat("jobs_unknown", "", message)
        return self._jobs

    def job(self, job_id: str) -> Job | None:
        """Give one job, from the list where that is known."""
        listed = next((job for job in self._jobs or () if job.id == job_id.lower()), None)
        if listed is not None or self._jobs is not None:
            return listed
        if not job_id.strip("."):
            return None  # a path that leads elsewhere
        try:
            answer = self._client.get(f"{_PATH}{quote(job_id, safe='')}/", "a clustering job")
            return decode_job(answer)
        except SourceError:
            return None

    def _pages(self) -> list[Any]:
        """Read page after page by number: the address of the next one may name another host."""
        found: list[Any] = []
        seen: set[str] = set()
        while True:
            answer = self._client.get(f"{_PATH}?limit={_PAGE}&offset={len(found)}", "clustering jobs")
            if not isinstance(answer, Mapping):
                return list(answer)  # older servers send the bare list
            results = answer.get("results")
            if not isinstance(results, list):
                decode_jobs(answer)  # raises, naming what is wrong
                return []
            fresh = [entry for entry in results if repr(entry) not in seen]
            seen.update(map(repr, fresh))
            found += results
            if not fresh or next_page(answer) is None or len(found) > MAX_JOBS:  # a page again is no page
                return found
