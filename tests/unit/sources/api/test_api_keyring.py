"""The key of last resort: the system's keyring, for PostHog alone and only where nothing else gives a key."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import InitError, KeyringLocked, NoKeyringError

from reporter import config
from reporter.config.loading import KEY_VARIABLE, KEYRING_SERVICE
from reporter.errors import UsageError
from tests.unit.sources.api.scripted import KEY

HOST = "https://eu.posthog.com"
POSTHOG = {"source": "posthog", "host": HOST, "project_id": "1"}


class Memory(KeyringBackend):
    """A keyring in memory that counts who asks."""

    priority = 1.0

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], Any] = {}
        self.asked: list[tuple[str, str]] = []
        self.fault: Exception | None = None

    def get_password(self, service: str, username: str) -> Any:
        self.asked.append((service, username))
        if self.fault is not None:
            raise self.fault
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password


@pytest.fixture
def memory() -> Iterator[Memory]:
    before = keyring.core._keyring_backend
    made = Memory()
    keyring.set_keyring(made)
    yield made
    keyring.core._keyring_backend = before


def resolved(tmp_path: Any, flags: dict[str, Any] = POSTHOG, **environ: str) -> tuple[str | None, str, str]:
    found = config.resolve(flags, environ, tmp_path)
    secret = found.settings.api_key
    return secret.reveal() if secret else None, found.origins["api_key"].kind, str(found.origins["api_key"])


def test_the_keyring_gives_the_key_of_a_host(tmp_path, memory):
    keyring.set_password(KEYRING_SERVICE, HOST, f" {KEY}\n")
    keyring.set_password(KEYRING_SERVICE, "https://us.posthog.com", "phx_other")
    assert resolved(tmp_path) == (KEY, "keyring", "keyring, cluster-reporter")
    assert memory.asked == [("cluster-reporter", HOST)]
    assert resolved(tmp_path, {**POSTHOG, "host": "https://us.posthog.com"})[0] == "phx_other"
    assert resolved(tmp_path, {**POSTHOG, "host": "https://hog.test"})[:2] == (None, "default")


def test_the_keyring_is_not_opened_where_variable_or_file_give_a_key(tmp_path, memory):
    keyring.set_password(KEYRING_SERVICE, HOST, "phx_kept")
    (tmp_path / "key").write_text(KEY)
    assert resolved(tmp_path, **{KEY_VARIABLE: KEY})[:2] == (KEY, "environment")
    assert resolved(tmp_path, {**POSTHOG, "api_key_file": "key"})[:2] == (KEY, "flag")
    (tmp_path / "reporter.toml").write_text('[posthog]\napi_key_file = "key"\n')
    assert resolved(tmp_path)[:2] == (KEY, "file")
    assert memory.asked == []


def test_a_file_that_is_missing_is_told_and_not_made_up_for(tmp_path, memory):
    keyring.set_password(KEYRING_SERVICE, HOST, KEY)
    with pytest.raises(UsageError, match="key file cannot be read"):
        resolved(tmp_path, {**POSTHOG, "api_key_file": "none"})
    assert memory.asked == []


def test_the_keyring_is_not_opened_for_another_source(tmp_path, memory):
    keyring.set_password(KEYRING_SERVICE, HOST, KEY)
    assert resolved(tmp_path, {**POSTHOG, "source": "events.jsonl"})[:2] == (None, "default")
    assert memory.asked == []


def test_without_the_package_there_is_no_key(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "keyring", None)
    assert resolved(tmp_path)[:2] == (None, "default")


@pytest.mark.parametrize(
    "fault",
    [
        NoKeyringError("none"), KeyringLocked("locked"), InitError("dbus"), RuntimeError("x"), OSError("x"),
        ValueError("x"), TypeError("x"), ImportError("x"), LookupError("x"), Exception("of a backend of its own"),
    ],
    ids=lambda fault: type(fault).__name__,
)  # fmt: skip
def test_a_keyring_that_fails_gives_no_key(tmp_path, memory, fault):
    memory.fault = fault
    assert resolved(tmp_path)[:2] == (None, "default")
    assert len(memory.asked) == 1


def test_a_backend_that_does_not_exist_gives_no_key(tmp_path, monkeypatch):
    monkeypatch.setattr(keyring.core, "_keyring_backend", None)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "nowhere.at.All")
    assert resolved(tmp_path)[:2] == (None, "default")


@pytest.mark.parametrize("kept", ["", "  ", f"{KEY} {KEY}", "phx_é", b"phx_bytes", 7])
def test_what_is_kept_and_is_no_key_is_told_without_showing_it(tmp_path, memory, kept):
    memory.kept[KEYRING_SERVICE, HOST] = kept
    with pytest.raises(UsageError, match="this is not an API key") as found:
        resolved(tmp_path)
    assert found.value.subject == "keyring, cluster-reporter"
    assert KEY not in str(found.value)
    assert "phx_" not in str(found.value)
