"""Who got what: a book in the state folder that makes a second call do nothing.

One file a report (its kind and its runs), one line a reader. A line is written before the byte that makes a
server take the mail, and written again after its answer; whatever moment a program dies at, the book says of
each reader that nothing was sent, that it was, or that it may have been. Readers are kept as hashes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal, TypeAlias

from reporter.errors import DeliveryError
from reporter.state import StateFolder

State: TypeAlias = Literal["handing_over", "sent"]
_VERSION = 1
_LOCK = "delivery.lock"


@dataclass(frozen=True, slots=True)
class Entry:
    """The newest thing that was sent to one reader about one report."""

    state: State
    """``handing_over``: it may have arrived, nobody knows; ``sent``: the other side took it."""
    about: str
    """``report``, or the situation the mail told of."""
    report_at: str
    """When the report it was about was made (ISO 8601 UTC)."""
    at: str
    """When it was sent (ISO 8601 UTC)."""


class Ledger:
    """The book of one report."""

    def __init__(self, folder: StateFolder, key: str) -> None:
        """Name the book; nothing is read yet.

        Args:
            folder: The state folder.
            key: Of the report: what makes it another one.
        """
        self._folder = folder
        self._name = f"delivery-{sha256(key.encode('utf-8', 'replace')).hexdigest()[:24]}.json"

    def entry(self, reader: str) -> Entry | None:
        """Look a reader up; ``None`` where nothing was ever sent.

        Raises:
            UsageError: The state folder cannot be read.
            DeliveryError: The book was damaged, so that nobody knows.
        """
        found = self._readers().get(_digest(reader))
        return None if found is None else Entry(**found)

    def write(self, reader: str, entry: Entry) -> None:
        """Write a reader's line, on the disk before this returns.

        Raises:
            UsageError: The state folder cannot be written.
        """
        line = {"state": entry.state, "about": entry.about, "report_at": entry.report_at, "at": entry.at}
        readers = {**self._readers(), _digest(reader): line}
        self._folder.write_json(self._name, {"version": _VERSION, "readers": readers})

    def erase(self, reader: str, entry: Entry | None) -> None:
        """Take back a line: the server refused after all. What was known before stands again."""
        readers = {key: line for key, line in self._readers().items() if key != _digest(reader)}
        self._folder.write_json(self._name, {"version": _VERSION, "readers": readers})
        if entry is not None:
            self.write(reader, entry)

    def _readers(self) -> dict[str, dict[str, Any]]:
        damaged = False

        def told(_: str) -> None:
            nonlocal damaged
            damaged = True

        held = StateFolder(self._folder.path, warn=told).read_json(self._name)
        if held is None and not damaged:
            return {}
        readers = held.get("readers") if isinstance(held, dict) and held.get("version") == _VERSION else None
        if not isinstance(readers, dict) or not all(_line(line) for line in readers.values()):
            raise DeliveryError(
                "the book of what was sent is damaged, so nobody knows who got this report",
                subject=str(self._folder.path / self._name),
                hint="Ask a reader; --again sends it to all of them.",
            )
        return readers


@contextlib.contextmanager
def locked(folder: StateFolder, wait_s: float) -> Iterator[None]:
    """Keep every other sender out until the block ends, also if it ends by a kill.

    Args:
        folder: The state folder.
        wait_s: Longest wait for another sender to finish, in seconds.

    Raises:
        UsageError: The state folder cannot be used.
        DeliveryError: Another sender is still at work.
    """
    from filelock import FileLock, Timeout

    folder.prepare()
    lock = FileLock(folder.path / _LOCK, mode=0o600)
    try:
        lock.acquire(timeout=wait_s)
    except Timeout as error:
        raise DeliveryError(
            "another reporter is sending and did not finish",
            subject=str(folder.path / _LOCK),
            hint="Try again when it has ended; the lock goes with it.",
        ) from error
    except OSError as error:
        raise DeliveryError(
            f"the state folder cannot be locked: {error.strerror or error}",
            subject=str(folder.path),
            hint="Give a folder on a local disk with --state DIR.",
        ) from error
    try:
        yield
    finally:
        lock.release()


def _digest(reader: str) -> str:
    return sha256(reader.strip().lower().encode("utf-8", "replace")).hexdigest()[:32]


def _line(line: object) -> bool:
    return (
        isinstance(line, dict)
        and line.keys() == {"state", "about", "report_at", "at"}
        and all(isinstance(value, str) for value in line.values())
        and line["state"] in ("handing_over", "sent")
    )
