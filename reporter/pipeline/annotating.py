"""What happened when, from a file: deploys and incidents to mark on the trends."""

from __future__ import annotations

import csv
import json
import tomllib
from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

from reporter import units
from reporter.errors import UsageError
from reporter.report import Annotation

_LARGEST_BYTES = 1_000_000
_MOST = 200
_HINT = (
    'TOML: [[annotation]] with at and text; JSON: a list of {"at": …, "text": …}; CSV: columns at and text.'
    " Times are ISO 8601; without a zone they are UTC."
)


def read(path: Path | None, now: datetime) -> list[Annotation]:
    """Read annotations.

    Args:
        path: A ``.toml``, ``.json`` or ``.csv`` file; ``None`` for none.
        now: The report's clock; what lies after it is left out.

    Returns:
        The newest ones, oldest first.

    Raises:
        UsageError: The file cannot be read, or an entry is wrong; it is named by its number.
    """
    if path is None:
        return []
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise _wrong(path, "it is larger than 1 MB")
        text = path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise _wrong(path, f"it cannot be read: {why}") from error
    found = [_annotation(path, number, entry) for number, entry in enumerate(_entries(path, text), start=1)]
    known = sorted((a for a in found if units.parse_time(a.at) <= now), key=lambda a: (a.at, a.text))
    return known[-_MOST:]


def _entries(path: Path, text: str) -> Iterable[Any]:
    kind = path.suffix.lower()
    try:
        if kind == ".toml":
            found = tomllib.loads(text).get("annotation", [])
        elif kind == ".json":
            found = json.loads(text)
        elif kind == ".csv":
            found = list(csv.DictReader(text.splitlines()))
        else:
            raise _wrong(path, "its kind is not known: give a .toml, .json or .csv file")
    except (tomllib.TOMLDecodeError, json.JSONDecodeError, csv.Error, RecursionError) as error:
        raise _wrong(path, str(error)) from error
    if not isinstance(found, list):
        raise _wrong(path, "it does not hold a list")
    return found


def _annotation(path: Path, number: int, entry: Any) -> Annotation:
    if not isinstance(entry, dict):
        raise _wrong(path, f"entry {number} is no pair of at and text")
    text = entry.get("text")
    if not isinstance(text, str) or not units.clean(text):
        raise _wrong(path, f"entry {number} has no text")
    return Annotation(at=units.iso(_moment(path, number, entry.get("at"))), text=units.clean(text, 160))


def _moment(path: Path, number: int, at: Any) -> datetime:
    if isinstance(at, str):
        try:
            at = datetime.fromisoformat(at.strip())
        except ValueError as error:
            raise _wrong(path, f"entry {number}: “{units.clean(at, 40)}” is no ISO 8601 time") from error
    if isinstance(at, date) and not isinstance(at, datetime):
        at = datetime.combine(at, time())
    if not isinstance(at, datetime):
        raise _wrong(path, f"entry {number} has no time")
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _wrong(path: Path, why: str) -> UsageError:
    return UsageError(f"the annotations cannot be used: {why}", subject=f"--annotate {path}", hint=_HINT)
