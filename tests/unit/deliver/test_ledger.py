"""The book of who got what: private, exact, and honest where it does not know."""

from __future__ import annotations

import json
import multiprocessing
import os
import stat
import time
from pathlib import Path

import pytest

from reporter.deliver.ledger import Entry, Ledger, locked
from reporter.errors import DeliveryError
from reporter.state import StateFolder

SENT = Entry("sent", "report", "2026-11-23T08:00:00Z", "2026-11-23T08:01:00Z")
BROKEN = Entry("handing_over", "report", "2026-11-23T08:00:00Z", "2026-11-23T08:01:00Z")


def book(path: Path, key: str = "k") -> Ledger:
    return Ledger(StateFolder(path, warn=lambda _: None), key)


def test_each_reader_has_a_line_of_their_own(tmp_path: Path) -> None:
    mine = book(tmp_path / "s")
    assert mine.entry("ann@example.org") is None
    mine.write("ann@example.org", BROKEN)
    mine.write("bob@example.org", SENT)
    assert book(tmp_path / "s").entry("ANN@example.org ") == BROKEN
    mine.write("ann@example.org", SENT)
    assert [book(tmp_path / "s").entry(f"{name}@example.org") for name in ("ann", "bob", "cy")] == [
        SENT,
        SENT,
        None,
    ]
    assert book(tmp_path / "s", "other").entry("ann@example.org") is None


def test_what_was_taken_back_leaves_what_was_known_before(tmp_path: Path) -> None:
    mine = book(tmp_path)
    mine.write("ann@example.org", BROKEN)
    mine.erase("ann@example.org", None)
    assert mine.entry("ann@example.org") is None
    mine.write("ann@example.org", BROKEN)
    mine.erase("ann@example.org", SENT)
    assert mine.entry("ann@example.org") == SENT


def test_the_book_names_nobody_and_is_for_its_owner_alone(tmp_path: Path) -> None:
    book(tmp_path / "s").write("ann@example.org", SENT)
    (file,) = (tmp_path / "s").glob("delivery-*.json")
    assert "ann" not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "damage",
    ["", "{", "[]", '{"version": 2, "readers": {}}', '{"version": 1, "readers": {"a": {"state": "sent"}}}',
     '{"version": 1, "readers": {"a": {"state": "maybe", "about": "", "report_at": "", "at": ""}}}'],
)  # fmt: skip
def test_a_damaged_book_sends_nothing_again(tmp_path: Path, damage: str) -> None:
    mine = book(tmp_path)
    mine.write("ann@example.org", SENT)
    (file,) = tmp_path.glob("delivery-*.json")
    file.write_text(damage)
    with pytest.raises(DeliveryError, match="nobody knows"):
        mine.entry("ann@example.org")


def _hold(path: str, ready: str, done: str) -> None:
    with locked(StateFolder(Path(path), warn=lambda _: None), 5):
        Path(ready).touch()
        while not Path(done).exists():
            time.sleep(0.01)


def test_only_one_sends_at_a_time_and_a_killed_one_lets_go(tmp_path: Path) -> None:
    ready, done = tmp_path / "ready", tmp_path / "done"
    context = multiprocessing.get_context("spawn")
    other = context.Process(target=_hold, args=(str(tmp_path / "s"), str(ready), str(done)))
    other.start()
    try:
        while not ready.exists():
            assert other.is_alive()
            time.sleep(0.01)
        folder = StateFolder(tmp_path / "s", warn=lambda _: None)
        with pytest.raises(DeliveryError, match="another reporter is sending"), locked(folder, 0.05):
            pass
        assert other.pid is not None
        os.kill(other.pid, 9)
        other.join()
        with locked(folder, 5):
            pass
    finally:
        done.touch()
        other.join(10)


def test_a_book_is_plain_json(tmp_path: Path) -> None:
    book(tmp_path).write("ann@example.org", SENT)
    (file,) = tmp_path.glob("delivery-*.json")
    (line,) = json.loads(file.read_text())["readers"].values()
    assert line == {
        "state": "sent",
        "about": "report",
        "report_at": "2026-11-23T08:00:00Z",
        "at": "2026-11-23T08:01:00Z",
    }
