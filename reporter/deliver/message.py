"""A letter as a mail: headers, parts and content ids, the same bytes for the same letter."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime, parseaddr
from hashlib import sha256
from typing import Any

from reporter.artifact import Letter

_SPACES = re.compile(r"\s+")
_WORDS = ("Subject", "List-Id")
"""Headers that hold words of others."""


class _Policy(EmailPolicy):
    """Mails of ASCII, which every server takes and none has to change on the way.

    Headers that hold words of others are kept as they are and encoded as a whole where they are written.
    Python itself would read encoded words in them, and a line end inside one would begin a header of its own;
    and it encodes word by word, so that a reader sees two spaces between some.
    """

    def header_store_parse(self, name: str, value: Any) -> tuple[str, Any]:
        return (name, value) if name in _WORDS else super().header_store_parse(name, value)

    def header_fetch_parse(self, name: str, value: Any) -> Any:
        return value if name in _WORDS else super().header_fetch_parse(name, value)

    def fold_binary(self, name: str, value: Any) -> bytes:
        if name not in _WORDS:
            return super().fold_binary(name, value)
        words, _, address = value.partition(" <") if name == "List-Id" else (value, "", "")
        charset = "us-ascii" if words.isascii() and "=?" not in words else "utf-8"
        encoded = Header(words, charset, 76, name).encode(linesep="\r\n")
        tail = f"\r\n <{address}" if address else ""
        return f"{name}: {encoded}{tail}\r\n".encode("ascii")


_POLICY = _Policy(cte_type="7bit", max_line_length=76, linesep="\r\n", raise_on_defect=True)


@dataclass(frozen=True, slots=True)
class Heading:
    """What a mail says of itself beside its text."""

    sender: str
    """``Name <address>`` or an address."""
    to: tuple[str, ...]
    """Readers named in it; nobody where it is empty."""
    sent_at: datetime
    """Timezone-aware."""
    list_id: str
    """What filters know the mails by, the same for every report of a project: ``name.domain``."""
    list_name: str
    """The same for people. Untrusted text."""
    reply_to: str | None = None
    unsubscribe: str | None = None
    """An https or mailto address."""


def message_id(key: str, reader: str, sender: str) -> str:
    """Give the id of a mail: the same for the same report and reader, so that a copy can be told for one."""
    digest = sha256(f"{key}\x1f{plain(reader).lower()}".encode()).hexdigest()
    return f"<{digest[:32]}@{plain(sender).rpartition('@')[2]}>"


def plain(address: str) -> str:
    """Take the name off an address."""
    return parseaddr(address)[1]


def mail(letter: Letter, heading: Heading, ident: str) -> bytes:
    """Write a mail: plain text and HTML with its pictures, as alternatives, then what is attached.

    Args:
        letter: What it says; no text of it can add a header.
        heading: Who sends it to whom.
        ident: Its `message_id`.

    Returns:
        The mail with CRLF line ends; equal arguments give equal bytes.
    """
    made = EmailMessage(policy=_POLICY)
    made["From"] = heading.sender
    made["To"] = ", ".join(heading.to) if heading.to else "undisclosed-recipients:;"
    if heading.reply_to:
        made["Reply-To"] = heading.reply_to
    made["Subject"] = _line(letter.subject)
    made["Date"] = format_datetime(heading.sent_at)
    made["Message-ID"] = ident
    # RFC 2919, 3834 and 2369: filters know it, and out-of-office notes do not answer it.
    made["List-Id"] = f"{_phrase(heading.list_name)} <{heading.list_id}>"
    made["Auto-Submitted"] = "auto-generated"
    made["X-Auto-Response-Suppress"] = "All"
    if heading.unsubscribe:
        made["List-Unsubscribe"] = f"<{heading.unsubscribe}>"
    _fill(made, letter)
    for place, part in enumerate(_multiparts(made)):
        # Python draws boundaries by chance; what is inside names them just as well.
        part.set_boundary("=_" + sha256(f"{ident} {place}".encode()).hexdigest()[:32])
    return made.as_bytes()


def _fill(made: EmailMessage, letter: Letter) -> None:
    made.set_content(letter.text, cte="quoted-printable")
    made.add_alternative(letter.html, subtype="html", cte="quoted-printable")
    html = made.get_payload(1)
    assert isinstance(html, EmailMessage)  # noqa: S101 (what `add_alternative` made)
    for cid, picture in letter.pictures:
        html.add_related(
            picture.png,
            maintype="image",
            subtype="png",
            cid=f"<{cid}>",
            disposition="inline",
            filename=f"{cid.partition('@')[0]}.png",
        )
    for attached in letter.attachments:
        maintype, _, subtype = attached.media_type.partition("/")
        made.add_attachment(attached.data, maintype=maintype, subtype=subtype, filename=attached.name)


def _multiparts(made: EmailMessage) -> Iterator[EmailMessage]:
    return (part for part in made.walk() if part.is_multipart() and isinstance(part, EmailMessage))


def _line(text: str) -> str:
    """Make one line of a text: a header ends where its line does."""
    return _SPACES.sub(" ", "".join(ch if ch.isprintable() else " " for ch in text)).strip()


def _phrase(text: str) -> str:
    """Make the words before an address: what would end them goes."""
    return _line(re.sub(r"[^\w .-]", " ", text)) or "reports"
