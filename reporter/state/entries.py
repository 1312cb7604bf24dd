"""Answers kept between runs: one packed file each, which may be gone, damaged or unwritable at any time.

Whoever keeps something here can get it again elsewhere. So nothing here raises: what cannot be read is
missing, what cannot be written is not kept, and the user is told once, in a sentence.
"""

from __future__ import annotations

import gzip
import os
import stat
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Generic, TypeVar

import msgspec

from reporter.errors import UsageError
from reporter.state import shelf
from reporter.state.folder import StateFolder, intruder

T = TypeVar("T")

SCHEMA = 1
"""Layout of a file. A file of another layout is written anew without a word."""
MOST_FILES = 2_000
MOST_BYTES = 256 * 2**20
"""What all projects together may take."""
LARGEST = 64 * 2**20
"""Bytes of one entry, unpacked; the largest run PostHog can make has some 4 million."""

_MOST_CORRUPT = 5
_GZIP = 31
"""zlib's number for the gzip format, its checksum included."""
# A link or a pipe may come between looking and opening: neither followed nor waited for.
_READ = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


class Kind(Generic[T]):
    """What entries of one kind hold."""

    __slots__ = ("decoder", "name", "version")

    def __init__(self, name: str, version: str, shape: type[T]) -> None:
        """Describe a kind.

        Args:
            name: A word in lower case; files begin with it.
            version: Changes whenever the same question may be answered otherwise; entries of another
                version are missing.
            shape: Type of the values; one that msgspec can read back from JSON.
        """
        self.name = name
        self.version = version
        self.decoder = msgspec.json.Decoder(shape)


@dataclass(frozen=True, slots=True)
class Entry(Generic[T]):
    """One kept answer."""

    value: T
    read_at: datetime
    """When it was asked for, aware."""


class _Head(msgspec.Struct):
    """What every layout begins with."""

    schema: int


class _Envelope(msgspec.Struct):
    """A file, unpacked."""

    schema: int
    version: str
    key: str
    read_at: Annotated[datetime, msgspec.Meta(tz=True)]
    value: msgspec.Raw


class Entries:
    """The entries of one project at one host.

    Several processes may use them at once. Symbolic links are neither read nor written through.
    """

    def __init__(
        self,
        root: Path,
        *,
        host: str,
        project: str,
        warn: Callable[[str], None],
        most_files: int = MOST_FILES,
        most_bytes: int = MOST_BYTES,
        largest: int = LARGEST,
    ) -> None:
        """Name the place; nothing is read or made yet.

        Args:
            root: The program's state folder; each project has a folder of its own below it.
            host: Where the answers came from.
            project: Whose they are.
            warn: Told, in one sentence each and once each, that nothing can be kept and that an entry was
                damaged.
            most_files: Files of all projects together.
            most_bytes: Bytes of all projects together.
            largest: Bytes of one entry, unpacked; a larger one is not kept, and not read.
        """
        self.folder = root / shelf.folder_name(host, project)
        """Where this project's entries lie."""
        self._root = StateFolder(root, warn=warn)
        self._own = StateFolder(self.folder, warn=warn)
        self._warn = warn
        self._told: set[str] = set()
        self._readable = self._writable = True
        self._most_files = most_files
        self._most_bytes = most_bytes
        self._largest = largest

    def read(self, kind: Kind[T], key: str) -> Entry[T] | None:
        """Give an entry, which then counts as used.

        Args:
            kind: What it holds.
            key: What it was kept under.

        Returns:
            The entry; ``None`` where there is none, or none that can be trusted.
        """
        if not self._readable or not self._is_there():
            return None
        target = self.folder / shelf.file_name(kind.name, key)
        try:
            entry = self._unpacked(_content(target, self._largest), kind, key)
        except FileNotFoundError:
            return None
        except OSError as error:
            self._readable = False
            self._give_up(self._unusable(error))
            return None
        except (ValueError, RecursionError, zlib.error):
            self._set_aside(target)
            return None
        # A folder that cannot be written to can still be read from.
        with suppress(OSError, NotImplementedError):
            os.utime(target, follow_symlinks=False)
        return entry

    def write(self, kind: Kind[T], key: str, value: T, read_at: datetime) -> None:
        """Keep an answer in place of the one before, and take away the oldest where room is needed.

        Args:
            kind: What it holds.
            key: What to keep it under.
            value: The answer. It is not kept if it would not come back as it is.
            read_at: When it was asked for, aware.
        """
        if not self._writable:
            return
        packed = self._packed(kind, key, value, read_at)
        if packed is None:
            return
        name = shelf.file_name(kind.name, key)
        try:
            try:
                self._place(name, packed)
            except UsageError as error:
                if not isinstance(error.__cause__, FileNotFoundError):
                    raise
                self._place(name, packed)  # somebody took the folder away meanwhile
        except UsageError as error:
            self._give_up(error)

    def _place(self, name: str, packed: bytes) -> None:
        """Write a file and make room for it first.

        Raises:
            UsageError: The folder cannot be used.
        """
        self._root.prepare()
        self._look()
        try:
            shelf.make_room(
                self._root.path, len(packed), most_files=self._most_files, most_bytes=self._most_bytes
            )
        except OSError as error:
            raise self._unusable(error) from error
        self._own.write(name, packed)

    def _packed(self, kind: Kind[T], key: str, value: T, read_at: datetime) -> bytes | None:
        """Write an entry; ``None`` where it is too large or JSON cannot hold the value exactly."""
        try:
            text = msgspec.json.encode(value)
            if kind.decoder.decode(text) != value:
                return None
            text = msgspec.json.encode(_Envelope(SCHEMA, kind.version, key, read_at, msgspec.Raw(text)))
        except (TypeError, ValueError, OverflowError, RecursionError):
            return None
        if len(text) > self._largest:
            return None
        packed = gzip.compress(text, compresslevel=6, mtime=0)
        return packed if len(packed) <= self._most_bytes else None

    def _unpacked(self, packed: bytes, kind: Kind[T], key: str) -> Entry[T] | None:
        """Read an entry; ``None`` where it is of another layout or version.

        Raises:
            ValueError: It is not what was written.
            RecursionError: It is nested too deeply.
            zlib.error: It is not packed as it should be.
        """
        unpacker = zlib.decompressobj(wbits=_GZIP)
        text = unpacker.decompress(packed, self._largest + 1)
        if not unpacker.eof or unpacker.unused_data or len(text) > self._largest:
            raise ValueError("cut off, too large, or followed by something")
        if msgspec.json.decode(text, type=_Head).schema != SCHEMA:
            return None
        envelope = msgspec.json.decode(text, type=_Envelope)
        if envelope.version != kind.version:
            return None
        if envelope.key != key:
            raise ValueError("the entry of another key")
        return Entry(kind.decoder.decode(envelope.value), envelope.read_at)

    def _is_there(self) -> bool:
        """Tell whether the folder can be read from; it need not have been made yet."""
        try:
            return self._look()
        except UsageError as error:
            self._readable = False
            self._give_up(error)
            return False

    def _look(self) -> bool:
        """Tell whether the folder has been made.

        Raises:
            UsageError: It is none, or others could put files into it.
        """
        try:
            found = self.folder.lstat()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise self._unusable(error) from error
        reason = intruder(found) if stat.S_ISDIR(found.st_mode) else "the state folder is no folder"
        if reason is not None:
            raise UsageError(reason, subject=str(self.folder))
        return True

    def _unusable(self, error: OSError) -> UsageError:
        return UsageError(f"the state folder cannot be used: {error.strerror}", subject=str(self.folder))

    def _give_up(self, error: UsageError) -> None:
        self._writable = False
        self._tell("unusable", f"{error.subject}: {error.message}; nothing is kept this time.")

    def _set_aside(self, target: Path) -> None:
        """Put a damaged entry beside its place, where it can be looked at."""
        aside = shelf.aside(target)
        done = "is passed over"
        with suppress(OSError):
            target.replace(aside)
            done = f"was set aside as {aside.name}"
        shelf.drop_corrupt(self.folder, _MOST_CORRUPT)
        self._tell("damaged", f"{target} was damaged; it {done} and is asked for anew.")

    def _tell(self, what: str, sentence: str) -> None:
        if what not in self._told:
            self._told.add(what)
            self._warn(sentence)


def _content(path: Path, largest: int) -> bytes:
    """Read a file of our own.

    Raises:
        OSError: It cannot be opened.
        ValueError: It is no plain file, or larger than anything written here.
    """
    if not stat.S_ISREG(path.lstat().st_mode):
        raise ValueError("no plain file")
    handle = os.open(path, _READ)
    try:
        found = os.fstat(handle)
        if found.st_size > largest + 4_096:  # packing makes nothing longer, but for a few bytes
            raise ValueError("too large")
        with os.fdopen(handle, "rb", closefd=False) as stream:
            return stream.read(found.st_size)
    finally:
        os.close(handle)
