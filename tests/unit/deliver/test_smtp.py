"""Mails handed to a real server over loopback: private by default, tried again, and never half sent."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest

from reporter.deliver.smtp import PAUSES_S, Post, Refused, Server, Unanswered, server_of
from reporter.errors import DeliveryError
from tests.servers.mail import PASSWORD, USER, MailServer, serving

# aiosmtpd warns of its own future; nothing here uses it.
pytestmark = pytest.mark.filterwarnings("ignore:.*will be removed in version 2.0:DeprecationWarning")
MAIL = b"Subject: x\r\n\r\n.one dot\r\n..two\r\nend"


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    return tmp_path / "ca.pem"


def post(told: MailServer, authority: Path | None, security: Any = "starttls", **over: Any) -> Post:
    context = ssl.create_default_context(cafile=str(authority)) if authority else None
    slept: list[float] = []
    made = Post(
        Server("127.0.0.1", told.port, security, timeout_s=5, **over), context=context, sleep=slept.append
    )
    made.slept = slept  # type: ignore[attr-defined]
    return made


def nothing() -> None:
    return None


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_mails_arrive_whole_over_a_private_way(security: Any, authority: Path) -> None:
    with serving(security, authority=authority) as told, post(told, authority, security) as office:
        for reader in ("ann@example.org", "bob@example.org"):
            office.send("r@example.org", reader, MAIL, nothing)
    assert [(one.sender, one.reader, one.data) for one in told.received] == [
        ("r@example.org", "ann@example.org", MAIL + b"\r\n"),
        ("r@example.org", "bob@example.org", MAIL + b"\r\n"),
    ]
    assert told.private == [True, True]


def test_plain_is_used_only_when_asked_for() -> None:
    with serving("plain") as told:
        with post(told, None) as office, pytest.raises(DeliveryError, match="STARTTLS"):
            office.send("r@example.org", "ann@example.org", MAIL, nothing)
        assert told.received == []
        with post(told, None, "plain") as office:
            office.send("r@example.org", "ann@example.org", MAIL, nothing)
        assert told.private == [False]


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_server_nobody_vouches_for_gets_nothing(security: Any) -> None:
    with (
        serving(security, login=True) as told,
        post(told, None, security, user=USER, password=lambda: PASSWORD) as office,
    ):
        with pytest.raises(DeliveryError, match="certificate is not trusted"):
            office.send("r@example.org", "ann@example.org", MAIL, nothing)
        assert (told.received, told.logins) == ([], [])


def test_login_and_a_wrong_password(authority: Path) -> None:
    with serving(login=True, authority=authority) as told:
        with post(told, authority, user=USER, password=lambda: PASSWORD) as office:
            office.send("r@example.org", "ann@example.org", MAIL, nothing)
        refused = pytest.raises(DeliveryError, match=r"did not let reports@example\.org in")
        with post(told, authority, user=USER, password=lambda: "wrong secret") as office, refused as caught:
            office.send("r@example.org", "bob@example.org", MAIL, nothing)
        assert "wrong secret" not in str(caught.value)
        with post(told, authority) as office, pytest.raises(Refused, match="530"):
            office.send("r@example.org", "bob@example.org", MAIL, nothing)
        assert [one.reader for one in told.received] == ["ann@example.org"]


def test_a_password_is_not_sent_over_a_way_that_is_not_private() -> None:
    office = Post(Server("mail.example.org", 25, "plain", user=USER, password=lambda: PASSWORD))
    with pytest.raises(DeliveryError, match="a password is not sent"):
        office._log_in(None)  # type: ignore[arg-type]  # it must not come to a connection


def test_a_temporary_refusal_is_tried_again_and_one_for_good_is_not() -> None:
    with serving("plain") as told, post(told, None, "plain") as office:
        told.refuse = {
            "late@example.org": ["451 later", "450 later", "250 OK"],
            "gone@example.org": ["550 no such user"],
        }
        office.send("r@example.org", "late@example.org", MAIL, nothing)
        assert office.slept == [2.0, 8.0]  # type: ignore[attr-defined]
        with pytest.raises(Refused, match="refused: 550 no such user") as caught:
            office.send("r@example.org", "gone@example.org", MAIL, nothing)
        assert not caught.value.temporary
        office.send("r@example.org", "ann@example.org", MAIL, nothing)
    assert told.tries == ["late@example.org"] * 3 + ["gone@example.org", "ann@example.org"]
    assert [one.reader for one in told.received] == ["late@example.org", "ann@example.org"]


def test_what_is_refused_every_time_is_given_up() -> None:
    with serving("plain") as told, post(told, None, "plain") as office:
        told.refuse = {"ann@example.org": ["451 later"]}
        with pytest.raises(Refused, match="for now: 451 later"):
            office.send("r@example.org", "ann@example.org", MAIL, nothing)
        assert tuple(office.slept) == PAUSES_S  # type: ignore[attr-defined]
        assert len(told.tries) == len(PAUSES_S) + 1


def test_a_whole_mail_may_be_refused_for_now() -> None:
    moments: list[int] = []
    with serving("plain") as told, post(told, None, "plain") as office:
        told.answers = ["451 busy", "250 OK"]
        office.send("r@example.org", "ann@example.org", MAIL, lambda: moments.append(len(told.received)))
    assert (moments, len(told.received)) == ([0, 0], 1)


def test_no_answer_to_a_whole_mail_means_that_nobody_knows() -> None:
    with serving("plain") as told, post(told, None, "plain") as office:
        told.answers = ["take and close"]
        with pytest.raises(Unanswered, match="may have arrived"):
            office.send("r@example.org", "ann@example.org", MAIL, nothing)
        assert (len(told.received), office.slept) == (1, [])  # type: ignore[attr-defined]
        office.send("r@example.org", "bob@example.org", MAIL, nothing)
    assert [one.reader for one in told.received] == ["ann@example.org", "bob@example.org"]


def test_what_cannot_be_written_down_is_not_sent() -> None:
    def full() -> None:
        raise OSError(28, "No space left on device")

    with serving("plain") as told, post(told, None, "plain") as office:
        with pytest.raises(OSError, match="No space"):
            office.send("r@example.org", "ann@example.org", MAIL, full)
        assert told.received == []


def test_nobody_there_is_tried_again_and_told() -> None:
    with serving("plain") as told:
        pass
    with post(told, None, "plain") as office, pytest.raises(Refused, match="Connection refused"):
        office.send("r@example.org", "ann@example.org", MAIL, nothing)
    assert tuple(office.slept) == PAUSES_S  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("name", "security", "found"),
    [
        ("smtp.example.org", "starttls", ("smtp.example.org", 587)),
        ("smtp.example.org", "tls", ("smtp.example.org", 465)),
        ("smtp.example.org:2525", "plain", ("smtp.example.org", 2525)),
        ("[::1]", "plain", ("::1", 25)),
        ("[::1]:2525", "plain", ("::1", 2525)),
    ],
)
def test_servers_by_name(name: str, security: Any, found: tuple[str, int]) -> None:
    assert server_of(name, security) == found
