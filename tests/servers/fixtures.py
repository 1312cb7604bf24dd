"""The PostHog stand-in as a fixture: ``from tests.servers.fixtures import posthog`` in a conftest."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers.handle import PostHog


@pytest.fixture(scope="session")
def posthog() -> Iterator[PostHog]:
    """Give one running server; each test makes its own projects."""
    with PostHog() as server:
        yield server
