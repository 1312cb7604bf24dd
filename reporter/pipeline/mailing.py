"""From reports to mails: what a letter says, who it comes from, and readers who get it by SMTP."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from reporter import units
from reporter.artifact import Artifact, Letter
from reporter.pipeline import delivering, placing
from reporter.pipeline.opening import moment_of

if TYPE_CHECKING:
    from reporter.config import Settings
    from reporter.deliver.message import Heading
    from reporter.deliver.smtp import Post
    from reporter.pipeline.delivering import About
    from reporter.report import Report

_PICTURES, _SHARED = 2, 3
"""Pictures in a mail about one report, and in one about several."""
_NOBODY = "reporter <reporter@localhost>"
_PLAIN = re.compile(r"[^a-z0-9-]+")


def eml(report: Report, artifacts: Sequence[Artifact], settings: Settings) -> Artifact:
    """Make the mail about a report as a file, to all its readers, dated like the report.

    Raises:
        RenderError: A template is missing or wrong.
    """
    from reporter.deliver import message

    letter = _letter([report], artifacts, settings, "report")
    heading = _heading([report], settings, settings.mail_to, units.parse_time(report.generated_at))
    ident = message.message_id(delivering.key([report]), ",".join(settings.mail_to), heading.sender)
    return Artifact("report.eml", "message/rfc822", message.mail(letter, heading, ident))


@contextmanager
def readers(
    reports: Sequence[Report], artifacts: Sequence[Artifact], settings: Settings
) -> Iterator[tuple[MailReader, ...]]:
    """Give everybody in mail.to, as long as the connection to the mail server may be needed.

    Raises:
        UsageError: The password cannot be read.
    """
    office = _Office(tuple(reports), tuple(artifacts), settings)
    with post(settings) as opened:
        yield tuple(MailReader(address, office, opened) for address in settings.mail_to)


def post(settings: Settings) -> Post:
    """Give the way to the mail server; nothing is opened yet.

    Raises:
        UsageError: The password cannot be read.
    """
    from reporter import config
    from reporter.deliver.smtp import Post, Server, server_of

    host, port = server_of(settings.mail_host or "", settings.mail_security)
    secret = settings.mail_password
    if secret is None and settings.mail_password_file is not None:
        secret = config.secret_in(settings.mail_password_file)
    server = Server(
        host=host,
        port=port,
        security=settings.mail_security,
        user=settings.mail_user,
        password=secret.reveal if secret is not None else None,
    )
    return Post(server)


class _Office:
    """Writes each letter once, however many readers get it."""

    def __init__(self, reports: Sequence[Report], artifacts: Sequence[Artifact], settings: Settings) -> None:
        self.reports = reports
        self.settings = settings
        self.letter = functools.cache(lambda about: _letter(reports, artifacts, settings, about))
        self.key = delivering.key(reports)


@dataclass(frozen=True, slots=True)
class MailReader:
    """One reader of mails."""

    address: str
    office: _Office
    post: Post

    @property
    def name(self) -> str:
        """The address."""
        from reporter.deliver.message import plain

        return plain(self.address)

    @property
    def ident(self) -> str:
        """The address."""
        return self.name

    def describe(self, about: About) -> str:
        """Tell subject and parts."""
        letter: Letter = self.office.letter(about)
        parts = [f"{len(letter.html.encode()) / 1e3:.0f} kB HTML"]
        parts += [units.plural(len(letter.pictures), "picture")] if letter.pictures else []
        parts += [f"{a.name} {len(a.data) / 1e6:.1f} MB" for a in letter.attachments]
        return f"“{letter.subject}” ({', '.join(parts)})"

    def send(self, about: About, before_last_byte: Callable[[], None]) -> None:
        """Hand the mail to the server."""
        from reporter.deliver import message

        office = self.office
        heading = _heading(office.reports, office.settings, (self.address,), moment_of(office.settings))
        ident = message.message_id(f"{office.key} {about} {heading.sent_at:%G-%V}", self.name, heading.sender)
        data = message.mail(office.letter(about), heading, ident)
        self.post.send(message.plain(heading.sender), self.name, data, before_last_byte)


def _letter(
    reports: Sequence[Report], artifacts: Sequence[Artifact], settings: Settings, about: About
) -> Letter:
    from reporter import charts
    from reporter.render import mail, templates

    pictures, room = [], _PICTURES if len(reports) == 1 else _SHARED
    for report in reports:
        drawn = () if about == "no_new_run" else charts.pictures(report, room)
        pictures.append(drawn)
        room -= len(drawn)
    papers = [a for a in artifacts if a.media_type == "application/pdf" and settings.mail_attachment_mb]
    fitting = [a for a in papers if len(a.data) <= settings.mail_attachment_mb * 1_000_000]
    return mail.letter(
        reports,
        pictures,
        charts.page_assets(),
        env=templates.environment(settings.templates),
        attachments=() if about == "no_new_run" else fitting,
        withheld=tuple(a.name for a in papers if a not in fitting),
        note=delivering.NO_NEW_RUN if about == "no_new_run" else "",
        link=placing.filled(settings.mail_link, reports[0]) if settings.mail_link else None,
        unsubscribe=settings.mail_unsubscribe,
    )


def _heading(
    reports: Sequence[Report], settings: Settings, to: tuple[str, ...], sent_at: datetime
) -> Heading:
    from reporter.deliver.message import Heading, plain

    sender = settings.mail_from or _NOBODY
    told = _PLAIN.sub("-", "-".join(dict.fromkeys(r.source.project_id or "" for r in reports)).lower()).strip(
        "-"
    )
    return Heading(
        sender=sender,
        to=to,
        sent_at=sent_at,
        list_id=f"{told or 'clusters'}.reporter.{plain(sender).rpartition('@')[2]}",
        list_name=reports[0].title,
        reply_to=settings.mail_reply_to,
        unsubscribe=settings.mail_unsubscribe,
    )
