"""A letter as a mail: it reads back as it was written, and no text in it is more than text."""

from __future__ import annotations

import email
import email.policy
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporter.artifact import Artifact, Letter, Picture
from reporter.deliver import message

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
HEADERS = ["From", "To", "Subject", "Date", "Message-ID", "List-Id", "Auto-Submitted", "X-Auto-Response-Suppress",
           "MIME-Version", "Content-Type"]  # fmt: skip
PICTURE = Picture("bridge", 0, "t", "s", "a", b"\x89PNG\r\n\x1a\n" + bytes(range(256)), 360, 200)


def letter(**over: Any) -> Letter:
    fields = {
        "subject": "2 clusters changed",
        "text": "hello\n",
        "html": "<p>hello</p>",
        "pictures": (),
        "attachments": (),
    }
    return Letter(**(fields | over))


def heading(**over: Any) -> message.Heading:
    fields = {
        "sender": "Reports <reports@example.org>",
        "to": ("ann@example.org",),
        "sent_at": NOW,
        "list_id": "4182.reporter.example.org",
        "list_name": "What people ask",
    }
    return message.Heading(**(fields | over))


def parsed(data: bytes) -> EmailMessage:
    found = email.message_from_bytes(data, policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    assert not [part.defects for part in found.walk() if part.defects]
    return found


def test_a_mail_reads_back_as_it_was_written() -> None:
    pdf = Artifact("report.pdf", "application/pdf", b"%PDF-1.7 \x00\xff" * 200)
    told = letter(
        subject="Refunds cost $0.02 (▲ 46%)",
        text="Größe: 3 →\n.\n..\nFrom me\n",
        html='<p>Größe</p><img src="cid:picture-1-1@reporter" alt="">\n.\n',
        pictures=(("picture-1-1@reporter", PICTURE),),
        attachments=(pdf,),
    )
    data = message.mail(
        told, heading(reply_to="team@example.org", unsubscribe="mailto:x@example.org"), "<1@example.org>"
    )
    mail = parsed(data)
    assert [part.get_content_type() for part in mail.walk()] == [
        "multipart/mixed", "multipart/alternative", "text/plain", "multipart/related", "text/html", "image/png",
        "application/pdf",
    ]  # fmt: skip
    text, html, image, paper = (part for part in mail.walk() if not part.is_multipart())
    assert text.get_content().replace("\r\n", "\n") == told.text
    assert html.get_content().replace("\r\n", "\n").removesuffix("\n") == told.html.removesuffix("\n")
    assert (image.get_content(), image["Content-ID"], image.get_content_disposition()) == (
        PICTURE.png, "<picture-1-1@reporter>", "inline",
    )  # fmt: skip
    assert (paper.get_content(), paper.get_filename(), paper.get_content_disposition()) == (
        pdf.data, "report.pdf", "attachment",
    )  # fmt: skip
    assert mail["Subject"] == told.subject
    assert mail["Date"].datetime == NOW
    assert mail["List-Id"] == "What people ask <4182.reporter.example.org>"
    assert mail["List-Unsubscribe"] == "<mailto:x@example.org>"
    assert (mail["Auto-Submitted"], mail["Reply-To"]) == ("auto-generated", "team@example.org")
    assert data == message.mail(
        told, heading(reply_to="team@example.org", unsubscribe="mailto:x@example.org"), "<1@example.org>"
    )


@given(
    subject=st.text(max_size=200),
    title=st.text(max_size=80),
    text=st.text(max_size=300),
    html=st.text(max_size=300),
)
def test_no_text_adds_a_header_or_leaves_its_place(subject: str, title: str, text: str, html: str) -> None:
    data = message.mail(
        letter(subject=subject, text=text, html=html), heading(list_name=title), "<1@example.org>"
    )
    assert data.isascii()
    assert b"\n" not in data.replace(b"\r\n", b"")
    assert max(len(line) for line in data.split(b"\r\n")) <= 998
    mail = parsed(data)
    assert list(mail.keys()) == HEADERS
    assert mail["Subject"] == " ".join("".join(ch if ch.isprintable() else " " for ch in subject).split())
    assert mail["List-Id"].endswith("<4182.reporter.example.org>")
    assert [part.get_content_type() for part in mail.walk()] == [
        "multipart/alternative",
        "text/plain",
        "text/html",
    ]


@pytest.mark.parametrize(
    "subject",
    [
        "a\r\nBcc: x@example.org",
        "a\nBcc: x@example.org",
        "a\u2028Bcc: x@example.org",
        "=?utf-8?q?a=0ABcc:_x?=",
        "\x00a\x85b",
    ],
)
def test_a_subject_stays_one_line(subject: str) -> None:
    mail = parsed(message.mail(letter(subject=subject), heading(), "<1@example.org>"))
    assert list(mail.keys()) == HEADERS
    assert mail["Bcc"] is None
    assert "\n" not in mail["Subject"]


def test_ids_tell_reports_and_readers_apart_and_nothing_else() -> None:
    first = message.message_id("k", "Ann <ann@example.org>", "R <r@reports.example.org>")
    assert first == message.message_id("k", "ANN@example.org", "other@reports.example.org")
    assert first.endswith("@reports.example.org>")
    others = [
        message.message_id(*pair, "r@x.org") for pair in (("k", "bob@example.org"), ("l", "ann@example.org"))
    ]
    assert len({first, *others}) == 3


def test_without_readers_it_names_nobody() -> None:
    mail = parsed(message.mail(letter(), heading(to=()), "<1@example.org>"))
    assert str(mail["To"]) == "undisclosed-recipients:;"
