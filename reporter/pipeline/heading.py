"""What every report begins with: who made it, of what, when, and what a reader must know."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from reporter import __version__, units
from reporter.report import SCHEMA_VERSION, Caveat, Report, SourceInfo, sealed

if TYPE_CHECKING:
    from reporter.config import Settings
    from reporter.report import Kind
    from reporter.sources.base import Source


def headed(
    source: Source, settings: Settings, kind: Kind, now: datetime, caveats: Iterable[Caveat], **content: Any
) -> Report:
    """Put a report's head over its content and seal it.

    Args:
        source: What was read.
        settings: What was asked for.
        kind: What kind of report it is.
        now: Its clock.
        caveats: What a reader must know; each is told once.
        content: The rest of `Report`, by field.
    """
    provenance = source.describe()
    return sealed(
        Report(
            schema_version=SCHEMA_VERSION,
            kind=kind,
            title=units.clean(settings.title, 200),
            generated_at=units.iso(now),
            reporter_version=__version__,
            redaction=settings.redact,
            content_sha256="",
            timezone=settings.tz,
            source=SourceInfo(
                kind=provenance.kind,
                location=provenance.location,
                project_id=settings.project_id or provenance.project_id,
            ),
            warnings=in_order(caveats),
            files=[],
            **content,
        )
    )


def in_order(caveats: Iterable[Caveat]) -> list[Caveat]:
    """Give caveats once each, in an order that does not depend on how they came."""
    return sorted(set(caveats), key=lambda c: (c.code, c.job_id or "", c.message))
