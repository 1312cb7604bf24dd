"""Files that a command writes by itself: settings, templates."""

from __future__ import annotations

import os
from pathlib import Path

from reporter.errors import UsageError


def write_whole(path: Path, data: bytes, *, replace: bool) -> None:
    """Write a file so that nobody ever sees half of it; a link in its place is replaced, not followed.

    Raises:
        UsageError: Something is there already and may not be replaced.
        OSError: It cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if not replace:
        try:
            path.open("xb").close()  # claims the name: of two at once only one goes on
        except FileExistsError as error:
            raise UsageError(
                "this file exists", subject=str(path), hint="Replace it with --force."
            ) from error
    staged = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with staged.open("xb") as stream:
        try:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
            staged.replace(path)
        finally:
            staged.unlink(missing_ok=True)
