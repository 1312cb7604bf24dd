"""What the engine's errors mean, in words for the person who has to mend it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from reporter.errors import SourceError, SourceUnreadable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from io import BufferedReader

    from reporter.sources.export.files import ExportFile

MAX_LINE_BYTES = 32 * 2**20
"""Bytes of the longest JSON line that is read; PostHog accepts events of at most 20 MB."""

_AGAIN = "Download or export it again."
_CUT_OFF = "the compressed data ends early or is not what its name says"
_UNCUT = "Download it again; if it is already unpacked, drop the last part of its name."
_REASONS: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (
        ("maximum_object_size", "maximum line size", "maximum_line_size"),
        f"a line is longer than {MAX_LINE_BYTES >> 20} MiB",
        "PostHog writes no event that long; take the line out, or export again.",
    ),
    (("gzip", "zstd", "frame descriptor", "decompress"), _CUT_OFF, _UNCUT),
    (
        ("permission denied", "cannot open", "could not open"),
        "this file cannot be opened",
        "Check its permissions.",
    ),
)
"""What the engine's message holds, what that means, and what to do."""


def explain(error: duckdb.Error, file: ExportFile) -> SourceUnreadable:
    """Say in plain words why one file cannot be read, and what to do.

    Args:
        error: What DuckDB said.
        file: The file it said it of.

    Returns:
        The error to raise.
    """
    said = str(error).lower()
    if isinstance(error, duckdb.OutOfMemoryException):
        message = "this file needs more memory than there is"
        hint = "Split it (PostHog: set a maximum file size)"
        hint += ", or export as JSON lines." if file.format == "parquet" else "."
    elif found := next((reason for reason in _REASONS if any(word in said for word in reason[0])), None):
        _, message, hint = found
    elif "malformed json" in said:
        line = _first_broken_line(file)
        message = f"line {line} is not JSON" if line else "it holds text that is not JSON"
        hint = "It is cut off, damaged or no export: download or export it again, or take the line out."
    elif file.format == "parquet":
        message, hint = "this is no readable Parquet file", f"It is cut off, damaged or encrypted. {_AGAIN}"
    else:
        message, hint = f"this file cannot be read: {str(error).splitlines()[0][:200]}", _AGAIN
    return SourceUnreadable(message, subject=file.name, hint=hint)


def cut_off(file: ExportFile) -> SourceUnreadable:
    """Say that a compressed file is not all there."""
    return SourceUnreadable(_CUT_OFF, subject=file.name, hint=_UNCUT)


def not_an_export(file: ExportFile, missing: Sequence[str]) -> SourceUnreadable:
    """Say that a file holds something else than events."""
    return SourceUnreadable(
        f"this is no export of events: there is no {' and no '.join(missing)}",
        subject=file.name,
        hint="Export the model 'events' with at least uuid, event, timestamp and properties.",
    )


def translated(error: duckdb.Error) -> SourceError:
    """Say what an engine failure means, without its suggestions about settings."""
    if isinstance(error, duckdb.OutOfMemoryException):
        return SourceError(
            "the export's engine ran out of memory", hint="Ask for a shorter time, or fewer runs."
        )
    return SourceError(f"the export's engine failed: {str(error).splitlines()[0][:300]}")


def _first_broken_line(file: ExportFile) -> int | None:
    """Find the first line that is not JSON; ``None`` where it cannot be told."""
    if file.layout != "newline_delimited":
        return None
    try:
        with _opened(file) as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    try:
                        json.loads(line)
                    except (ValueError, RecursionError):
                        return number
    except (OSError, EOFError):
        return None
    return None


def _opened(file: ExportFile) -> gzip.GzipFile | BufferedReader:
    if file.packing == "gzip":
        return gzip.open(file.path, "rb")
    if file.packing == "none":
        return Path(file.path).open("rb")
    raise OSError(file.packing)
