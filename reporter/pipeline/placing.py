"""Where the documents of a report go: a folder of its own, `latest` beside it, old ones deleted."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec

from reporter import units

if TYPE_CHECKING:
    from reporter.config import Settings
    from reporter.report import Report

LATEST = "latest"
_PLAIN = re.compile(r"[^A-Za-z0-9_-]+")
_FIELD = re.compile(r"\{[a-z]+\}")


class _Head(msgspec.Struct):
    """What tells a report of ours from any other JSON, and how old it is."""

    schema_version: str
    generated_at: str
    content_sha256: str
    files: list[_Name]


class _Name(msgspec.Struct):
    name: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A report that lies in a folder of the pattern."""

    folder: Path
    generated_at: str
    names: tuple[str, ...]
    """Files it was written with, report.json last."""


def fields(report: Report) -> dict[str, str]:
    """Give what a folder pattern may name, as parts of a path: no slash, no dot."""
    at = units.parse_time(report.generated_at).astimezone(ZoneInfo(report.timezone))
    year, week, _ = at.isocalendar()
    return {
        "date": f"{at:%Y-%m-%d}",
        "time": f"{at:%H%M%S}",
        "week": f"{year}-W{week:02d}",
        "kind": report.kind,
        "project": _PLAIN.sub("-", report.source.project_id or "").strip("-") or "project",
    }


def filled(pattern: str, report: Report) -> str:
    """Fill a pattern in."""
    return pattern.format_map(fields(report))


def folder(settings: Settings, report: Report) -> Path:
    """Give the folder of a report's documents."""
    out = Path(settings.out)
    return out / filled(settings.out_pattern, report) if settings.out_pattern else out


def settle(settings: Settings, written: Path) -> str | None:
    """Lead `latest` to the newest report, and delete reports beyond those to be kept.

    Args:
        settings: What was asked for.
        written: The folder that was just written; never deleted.

    Returns:
        What could not be done, in a sentence; ``None`` when all is well.
    """
    if settings.out_pattern is None:
        return None
    out = Path(settings.out)
    found = sorted(_reports(out, settings.out_pattern), key=lambda one: (one.generated_at, one.folder.name))
    trouble = _lead(out / LATEST, found[-1].folder if found else written)
    if settings.keep:
        for old in found[: -settings.keep]:
            if old.folder != written:
                trouble = _delete(out, old) or trouble
    return trouble


def _reports(out: Path, pattern: str) -> list[Kept]:
    """Find the reports in folders of a pattern; what is no report of ours is passed over."""
    found = []
    for path in out.glob(f"{_FIELD.sub('*', pattern)}/report.json"):
        inside = path.parent.relative_to(out)
        if LATEST in inside.parts or any((out / part).is_symlink() for part in (inside, *inside.parents)):
            continue
        try:
            head = msgspec.json.decode(path.read_bytes(), type=_Head)
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            continue
        names = (*(file.name for file in head.files if Path(file.name).name == file.name), "report.json")
        found.append(Kept(path.parent, head.generated_at, names))
    return found


def _lead(link: Path, target: Path) -> str | None:
    """Make a symbolic link, or move it over in one step; what is no link is left alone."""
    if link.exists() and not link.is_symlink():
        return f"{link} is no link and was left as it is; it does not lead to the newest report."
    staged = link.with_name(f".{link.name}.{secrets.token_hex(6)}.tmp")
    try:
        staged.symlink_to(target.relative_to(link.parent), target_is_directory=True)
        staged.replace(link)
    except OSError as error:
        staged.unlink(missing_ok=True)
        return f"{link} could not be made to lead to the newest report: {error.strerror}."
    return None


def _delete(out: Path, old: Kept) -> str | None:
    """Delete the files a report was written with, report.json first, and folders that are empty then."""
    try:
        for name in reversed(old.names):
            (old.folder / name).unlink(missing_ok=True)
        at = old.folder
        while at != out and not any(at.iterdir()):
            at.rmdir()
            at = at.parent
    except OSError as error:
        return f"{old.folder} could not be deleted: {error.strerror}."
    return None
