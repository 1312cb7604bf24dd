"""Documents that were made, by what they were made of: the same report need not be drawn and set twice.

A copy is found by a key over everything that went into it, and checked against its own hash when it is read.
Nothing here is needed again: what cannot be read is made anew.
"""

from __future__ import annotations

import contextlib
import re
from hashlib import sha256
from pathlib import Path

from reporter.errors import UsageError
from reporter.state.folder import StateFolder, intruder

_MOST = 12
"""Documents kept; the ones unused for longest go first."""
_MOST_BYTES = 16 * 2**20
"""Bytes of the largest that is kept."""
_NAME = re.compile(r"document-[0-9a-f]{64}", re.ASCII)
_HASH_BYTES = 32


class Documents:
    """A private folder of documents."""

    def __init__(self, state: StateFolder) -> None:
        """Take the program's state folder; nothing is read or made yet."""
        self._folder = StateFolder(state.path / "documents", warn=lambda _: None)

    def get(self, key: str) -> bytes | None:
        """Give a document, or ``None`` where it is not kept whole."""
        path = self._path(key)
        try:
            if path.is_symlink() or intruder(self._folder.path.lstat()) is not None:
                return None
            held = path.read_bytes()
            path.touch()
        except OSError:
            return None
        data = held[_HASH_BYTES:]
        return data if sha256(data).digest() == held[:_HASH_BYTES] else None

    def put(self, key: str, data: bytes) -> None:
        """Keep a document; where the folder cannot be used, nothing is kept."""
        if len(data) > _MOST_BYTES:
            return
        with contextlib.suppress(UsageError, OSError):
            self._folder.write(self._path(key).name, sha256(data).digest() + data)
            self._make_room()

    def _path(self, key: str) -> Path:
        return self._folder.path / f"document-{sha256(key.encode()).hexdigest()}"

    def _make_room(self) -> None:
        kept = [path for path in self._folder.path.iterdir() if _NAME.fullmatch(path.name)]
        kept.sort(key=lambda path: path.stat().st_mtime_ns, reverse=True)
        for path in kept[_MOST:]:
            path.unlink(missing_ok=True)
