"""The report in a chat message: the verdict, what changed, where the rest is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reporter import units
from reporter.render import mail, views, words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reporter.report import Report

_LIMITS = views.Limits(clusters=0, cards=0, errors=0, transitions=0, jobs=40)
_CHANGES = 5
_JOBS = 12
_BODY = 3_000
_INERT = str.maketrans({"<": "\u2039", ">": "\u203a", "@": "\uff20", "`": "'", "|": "\u00a6"})
"""Chats read commands in these: ``<!channel>``, ``@everyone``, links."""


def message(reports: Sequence[Report], *, note: str = "", link: str | None = None) -> tuple[str, str]:
    """Write a message about one or several reports.

    Args:
        reports: What to say.
        note: What takes the place of the verdict where there is nothing new.
        link: Where the whole report can be read.

    Returns:
        Title and body, plain text; nothing in them links, mentions or formats but `link`.
    """
    docs = [views.document(report, (), limits=_LIMITS, swatch=lambda _: None) for report in reports]
    title = note or mail.verdict(docs)
    lines = [line for doc in docs for line in _document(doc, brief=bool(note), several=len(docs) > 1)]
    body = "\n".join(inert(line) for line in lines)
    if len(body) > _BODY:
        body = body[:_BODY].rpartition("\n")[0] + "\n\u2026"
    where = words.link(link) if link else None
    return inert(units.clean(title, 250)), f"{body}\n{where}" if where else body


def inert(text: str) -> str:
    """Take from a text what a chat would read as a command."""
    return text.translate(_INERT)


def _document(doc: views.Document, *, brief: bool, several: bool) -> Iterator[str]:
    if several:
        yield f"{doc.title}{f', project {doc.project}' if doc.project else ''}: {doc.headline}"
    for name, text in doc.warnings[:3]:
        yield f"Warning: {name + ': ' if name else ''}{text}"
    for job in doc.jobs[:_JOBS]:
        yield f"{job.heading}: {job.sentence}"
        if brief:
            continue
        for row in job.changed[:_CHANGES]:
            dollars = f", {row.dollars} in the window" if row.dollars != units.DASH else ""
            moved = f"{row.what} {row.prior} \u2192 {row.latest}, {row.moved}{dollars}"
            yield f"  {row.cluster.title}: {moved} ({row.sure.lower()})"
    if doc.incident and not brief:
        yield from (f"{fact.name}: {fact.value}" for fact in doc.incident.facts)
