"""The one place where folders for temporary files are made, and where it is told that there is no room."""

from __future__ import annotations

import tempfile

from reporter.errors import DeliveryError


def folder() -> str:
    """Make a folder that only this user can read; whoever asks for it removes it.

    Raises:
        DeliveryError: There is no place for one.
    """
    try:
        return tempfile.mkdtemp(prefix="reporter-")
    except OSError as error:
        raise no_room(error) from error


def no_room(error: OSError) -> DeliveryError:
    """Say that nothing can be written."""
    return DeliveryError(
        f"nothing can be written: {error.strerror}",
        subject=str(error.filename or ""),
        hint="Free some room there, or point TMPDIR to a folder that can be written.",
    )
