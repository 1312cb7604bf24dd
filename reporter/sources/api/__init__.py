"""PostHog itself, over HTTP, as a `Source`."""

from __future__ import annotations

from datetime import datetime

from reporter.sources.api.client import Client
from reporter.sources.api.configured import Configured
from reporter.sources.base import Warn
from reporter.sources.caveats import Caveats
from reporter.sources.hogql.source import HogqlSource

__all__ = ["ApiSource"]


class ApiSource(HogqlSource):
    """PostHog's own API, read with a personal key."""

    def __init__(self, client: Client, *, warn: Warn, now: datetime) -> None:
        """Take a client; nothing is asked yet.

        Args:
            client: Whom to ask, about which project.
            warn: Where caveats go, each fact once.
            now: The real time, aware: nothing is looked for after it.
        """
        caveats = Caveats(warn)
        super().__init__(client, Configured(client, caveats.tell), caveats, kind="posthog", now=now)
