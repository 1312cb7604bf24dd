"""Writing documents to a folder: each staged, flushed, then renamed, so that no reader sees half a file.

Files are written under the names given and nowhere else: a name with a folder in it is refused, and a
symbolic link that stands in the way is replaced, never followed.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import time
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from reporter.artifact import Artifact, Receipt
from reporter.errors import DeliveryError

_STAGED = re.compile(r"\.[A-Za-z0-9][A-Za-z0-9._-]{0,150}\.[0-9a-f]{12}\.tmp", re.ASCII)
_ABANDONED_S = 3_600
"""A staged file as old as this belongs to a run that was killed."""
LAST = "report.json"
"""Written after all others, since it holds their hashes: a folder left half renamed can be told."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,150}", re.ASCII)
_HINTS = {
    errno.ENOSPC: "Free some space, or choose another folder with --out.",
    errno.EDQUOT: "Free some space, or choose another folder with --out.",
    errno.EROFS: "This file system is read-only; choose another folder with --out.",
    errno.EACCES: "You may not write there; choose another folder with --out.",
    errno.EPERM: "You may not write there; choose another folder with --out.",
    errno.ENOTDIR: "Something in this path is a file; choose another folder with --out.",
    errno.EEXIST: "There is a file of that name; choose another folder with --out.",
}


def write(folder: Path, artifacts: Sequence[Artifact]) -> tuple[Receipt, ...]:
    """Write documents into a folder, all or, as far as the file system allows, none.

    Every file is staged under a hidden name and flushed before the first is renamed, so that a full disk
    leaves the folder as it was.

    Args:
        folder: Where to; made if it is missing.
        artifacts: What to write; an empty sequence only makes the folder.

    Returns:
        One receipt an artifact, in the order given.

    Raises:
        DeliveryError: A name is not plain or stands twice, or the folder cannot be written.
    """
    _check_names(folder, artifacts)
    staged: dict[str, Path] = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
        for artifact in artifacts:
            if (folder / artifact.name).is_dir() and not (folder / artifact.name).is_symlink():
                raise DeliveryError(
                    "there is a folder where this file belongs", subject=str(folder / artifact.name)
                )
        for artifact in artifacts:
            staged[artifact.name] = _new_name(folder, artifact.name)
            _stage(staged[artifact.name], artifact.data)
        for name in sorted(staged, key=lambda name: name == LAST):
            staged[name].replace(folder / name)
            del staged[name]
        _flush_folder(folder)
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL character
        raise _failure(folder, error) from error
    finally:
        # Also on Ctrl-C and on a deadline: nothing hidden stays behind.
        for leftover in staged.values():
            with contextlib.suppress(OSError):
                leftover.unlink(missing_ok=True)
    return tuple(
        Receipt(
            name=artifact.name,
            path=str(folder / artifact.name),
            sha256=sha256(artifact.data).hexdigest(),
            size_bytes=len(artifact.data),
        )
        for artifact in artifacts
    )


def _check_names(folder: Path, artifacts: Sequence[Artifact]) -> None:
    seen: set[str] = set()
    for artifact in artifacts:
        if not _NAME.fullmatch(artifact.name):
            raise DeliveryError("this is not a plain file name", subject=repr(artifact.name))
        # Some file systems do not tell upper from lower case.
        if artifact.name.lower() in seen:
            raise DeliveryError("two documents have the same name", subject=str(folder / artifact.name))
        seen.add(artifact.name.lower())


def _sweep(folder: Path) -> None:
    """Remove what runs that were killed had staged, and nothing that another run may be staging now."""
    for path in folder.iterdir():
        if _STAGED.fullmatch(path.name) and path.is_file() and not path.is_symlink():
            with contextlib.suppress(OSError):
                if time.time() - path.stat().st_mtime > _ABANDONED_S:
                    path.unlink()


def _new_name(folder: Path, name: str) -> Path:
    return folder / f".{name}.{secrets.token_hex(6)}.tmp"


def _stage(path: Path, data: bytes) -> None:
    """Write a new file and make sure that it is on the disk; the process's umask decides who may read it."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o666)
    with os.fdopen(handle, "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


def _flush_folder(folder: Path) -> None:
    """Make the renames last; a file system that cannot flush a folder has no more to give."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _failure(folder: Path, error: OSError | ValueError) -> DeliveryError:
    if isinstance(error, OSError):
        reason, hint = (
            error.strerror or str(error),
            _HINTS.get(error.errno or 0, "Choose another folder with --out."),
        )
    else:
        reason, hint = str(error), "Choose another folder with --out."
    return DeliveryError(f"the documents cannot be written: {reason}", subject=str(folder), hint=hint)
