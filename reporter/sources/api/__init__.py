"""PostHog itself, over HTTP, as a `Source`."""

from reporter.sources.api.source import ApiSource

__all__ = ["ApiSource"]
