"""What holds for every test: no network, no settings from outside, a time zone that is not the author's."""

from __future__ import annotations

import gc
import ipaddress
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from tests.once import SHARED

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
ZONES = ("UTC", "Asia/Kathmandu", "America/St_Johns", "Pacific/Kiritimati")
_OURS = ("POSTHOG_", "REPORTER_")
_OTHERS = {"SOURCE_DATE_EPOCH", "NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "PYTHONHASHSEED", "COLUMNS"}

# Without a clock, for the machines differ; the same cases each time in CI, new ones at home.
hypothesis.settings.register_profile("home", deadline=None, max_examples=60)
hypothesis.settings.register_profile(
    "ci", deadline=None, max_examples=40, derandomize=True, database=None, print_blob=True
)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "home")

_calls_out: list[str] = []


def _is_near(host: Any) -> bool:
    """Tell whether an address is this machine's own."""
    if host in (None, "", "localhost", b"localhost"):
        return True
    try:
        return ipaddress.ip_address(host.decode() if isinstance(host, bytes) else str(host)).is_loopback
    except ValueError:
        return False


def _guard(event: str, arguments: tuple[Any, ...]) -> None:
    """Refuse whatever leaves the machine; the interpreter asks before each such call."""
    if event in {"socket.connect", "socket.sendto"}:
        host = arguments[1][0] if isinstance(arguments[1], tuple) else None
    elif event in {"socket.getaddrinfo", "socket.gethostbyname"}:
        host = arguments[0]
    else:
        return
    if not _is_near(host):
        _calls_out.append(f"{event} {host}")
        raise PermissionError(f"a test may not call out: {event} {host}")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add our options."""
    parser.addoption("--update-golden", action="store_true", help="accept today's output as the golden one")


@pytest.hookimpl(trylast=True)  # the plugin that draws the seed goes first
def pytest_configure(config: pytest.Config) -> None:
    """Forget the environment and pick a time zone, by the seed that also sets the order."""
    for name in list(os.environ):
        if name.startswith(_OURS) or name in _OTHERS:
            del os.environ[name]
    if not hasattr(config, "workerinput"):
        os.environ[SHARED] = tempfile.mkdtemp(prefix="made-once-by-tests-")
    # A worker makes hundreds of documents of many objects that stay; looking through them all takes a tenth of its time.
    gc.set_threshold(50_000, 20, 100)
    os.environ["TZ"] = random.Random(config.getoption("randomly_seed", 0)).choice(ZONES)
    time.tzset()
    sys.addaudithook(_guard)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Take away what was made once for all."""
    if not hasattr(config, "workerinput"):
        shutil.rmtree(os.environ.pop(SHARED, ""), ignore_errors=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Count no lines where whole documents are made: tracing doubles their time, and units must cover all."""
    for item in items:
        if {"pages", "e2e", "methods"} & set(item.path.relative_to(Path(__file__).parent).parts[:1]):
            item.add_marker(pytest.mark.no_cover)


def pytest_report_header() -> str:
    """Say which time zone it is."""
    return f"time zone: {os.environ['TZ']}"


@pytest.fixture(autouse=True)
def _no_network() -> Iterator[None]:
    """Fail a test that called out even where the code under test swallowed the refusal."""
    _calls_out.clear()
    yield
    assert not _calls_out


@pytest.fixture(autouse=True, scope="session")
def _own_state(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep what a command stores for the next call away from the user's own."""
    os.environ["XDG_STATE_HOME"] = str(tmp_path_factory.mktemp("state"))


@pytest.fixture
def now() -> datetime:
    """Give the one moment at which tests take place."""
    return NOW


class Golden:
    """Reviewed outputs, one file each in tests/golden."""

    def __init__(self, folder: Path, *, update: bool) -> None:
        self._folder = folder
        self._update = update

    def holds(self, name: str, text: str) -> None:
        """Hold a text against the file of that name, or write it with --update-golden."""
        path = self._folder / name
        if self._update:
            path.write_text(text, encoding="utf-8", newline="\n")
        assert path.is_file(), f"{path.name} is missing: make golden"
        assert text == path.read_text(encoding="utf-8"), f"{path.name} differs: look, then make golden"


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """Give the reviewed outputs."""
    update = bool(request.config.getoption("--update-golden"))
    return Golden(Path(__file__).parent / "golden", update=update)
