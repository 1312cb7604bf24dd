"""Names and bounds of the entries kept below a state folder, those of all projects together.

One folder a project, one file an entry. Nothing here is needed again: every file may go at any time, and
two processes may take them away at once. Files with other names are none of ours and stay.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

_FOLDER = re.compile(r"posthog-[0-9a-f]{16}", re.ASCII)
_CORRUPT = ".corrupt"
_UNDER_WAY = ".tmp"
_KILLED = 3_600 * 10**9
"""Nanoseconds: a write so much older than the newest file will not be finished."""
_FILE = re.compile(
    r"[a-z]+-[0-9a-f]{32}\.json\.gz(\.corrupt)?"  # an entry, or what is left of one
    r"|\.[a-z]+-[0-9a-f]{1,32}\.[^/]*\.tmp",  # a write under way, or one that was killed
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Kept:
    """One file of the shelf."""

    path: str
    size: int
    """Bytes."""
    used: int
    """When it was written or last read: its time of modification, in nanoseconds."""


def folder_name(host: str, project: str) -> str:
    """Name a project's folder; neither name can be read from it, and no two projects share one."""
    named = f"{host}\n{project}".encode("utf-8", "surrogatepass")
    return f"posthog-{sha256(named).hexdigest()[:16]}"


def file_name(kind: str, key: str) -> str:
    """Name an entry's file.

    Args:
        kind: A word in lower case.
        key: What tells entries of one kind apart, of any length.
    """
    return f"{kind}-{sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}.json.gz"


def aside(path: Path) -> Path:
    """Give the place beside an entry where it is put when it is damaged."""
    return path.with_name(path.name + _CORRUPT)


def kept(root: Path) -> Iterator[Kept]:
    """Find the files of all projects, in no order.

    Args:
        root: The program's state folder.

    Raises:
        OSError: The state folder itself cannot be listed.
    """
    if not root.is_dir():
        return
    for folder in root.iterdir():
        if _FOLDER.fullmatch(folder.name) and not folder.is_symlink():
            yield from files(folder)


def files(folder: Path) -> Iterator[Kept]:
    """Find the files of one project, in no order; a folder that cannot be read has none."""
    # Another process may take the folder away while it is read.
    with suppress(OSError), os.scandir(folder) as listed:
        for file in listed:
            if not _FILE.fullmatch(file.name):
                continue
            with suppress(FileNotFoundError):
                found = file.stat(follow_symlinks=False)
                if not stat.S_ISDIR(found.st_mode):
                    yield Kept(file.path, found.st_size, found.st_mtime_ns)


def make_room(root: Path, size: int, *, most_files: int, most_bytes: int) -> None:
    """Take away what was not used for longest, until one more file has room.

    Args:
        root: The program's state folder.
        size: Bytes of the file to come.
        most_files: Files there may be then.
        most_bytes: Bytes they may have then.

    Raises:
        OSError: A file could not be taken away.
    """
    found = sorted(kept(root), key=_by_use)
    newest = found[-1].used if found else 0
    # Another process is about to rename what it has under way.
    found = [file for file in found if not file.path.endswith(_UNDER_WAY) or newest - file.used > _KILLED]
    count, total = len(found) + 1, sum(file.size for file in found) + size
    for file in found:
        if count <= most_files and total <= most_bytes:
            return
        Path(file.path).unlink(missing_ok=True)
        count, total = count - 1, total - file.size


def drop_corrupt(folder: Path, most: int) -> None:
    """Keep only so many damaged files of one project, the newest."""
    damaged = [file for file in files(folder) if file.path.endswith(_CORRUPT)]
    damaged.sort(key=_by_use, reverse=True)
    for file in damaged[most:]:
        with suppress(OSError):
            Path(file.path).unlink()


def info(root: Path) -> tuple[int, int]:
    """Say how much is kept.

    Args:
        root: The program's state folder.

    Returns:
        Files, and their bytes.

    Raises:
        OSError: The folder cannot be listed.
    """
    sizes = [file.size for file in kept(root)]
    return len(sizes), sum(sizes)


def clear(root: Path) -> None:
    """Take away everything that is kept, and the folders that are empty then.

    Args:
        root: The program's state folder; what else lies in it stays.

    Raises:
        OSError: Something could not be taken away.
    """
    paths = [Path(file.path) for file in kept(root)]
    for path in paths:
        path.unlink(missing_ok=True)
    for folder in {path.parent for path in paths}:
        with suppress(OSError):  # something of another name lies in it
            folder.rmdir()


def _by_use(file: Kept) -> tuple[int, str]:
    return file.used, file.path
