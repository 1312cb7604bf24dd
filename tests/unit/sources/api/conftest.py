"""A scripted server and a client of it, closed after the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest

from reporter.sources.api.client import Client
from tests.unit.sources.api.scripted import KEY, PROJECT, Clock, Server, Step

Serve = Callable[..., Server]
Ask = Callable[..., Client]


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what this machine says about proxies and certificates."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def opened() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def serve(opened: ExitStack) -> Serve:
    """Start a server with a script."""

    def start(*steps: Step, **more: Any) -> Server:
        return opened.enter_context(Server(*steps, **more))

    return start


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def said() -> list[str]:
    """Give what the client says while it waits."""
    return []


@pytest.fixture
def ask(opened: ExitStack, clock: Clock, said: list[str]) -> Ask:
    """Make a client of a server, or of an address."""

    def make(server: Server | str, timeout_s: float = 600.0, **more: Any) -> Client:
        host = server if isinstance(server, str) else server.url
        settings: dict[str, Any] = {"clock": clock, "sleep": clock.sleep, "say": said.append, **more}
        client = Client(host, PROJECT, lambda: KEY, timeout_s=timeout_s, **settings)
        return opened.enter_context(closing(client))

    return make
