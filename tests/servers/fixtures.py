"""The PostHog stand-in as a fixture: ``from tests.servers.fixtures import posthog`` in a conftest."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.handle import PostHog
from tests.servers.store import Store


@pytest.fixture(scope="session")
def posthog() -> Iterator[PostHog]:
    """Give one running server; each test makes its own projects."""
    with PostHog() as server:
        yield server


@functools.cache
def _store() -> Store:
    """Open the one store a process can have: the engine refuses a second folder."""
    return Store(Path(tempfile.mkdtemp(prefix="clickhouse-")))


@pytest.fixture(scope="session")
def tables() -> Store:
    """Give ClickHouse in this process; each test makes its own projects."""
    return _store()
