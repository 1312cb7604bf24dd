"""A real mail server on loopback: aiosmtpd, with TLS, login, and faults at any point of a delivery."""

from __future__ import annotations

import asyncio
import contextlib
import email
import email.policy
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import trustme
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USER, PASSWORD = "reports@example.org", "correct horse battery staple"


@dataclass
class Received:
    """One mail the server took."""

    sender: str
    reader: str
    data: bytes

    @property
    def message(self) -> EmailMessage:
        """The mail, parsed."""
        parsed = email.message_from_bytes(self.data, policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)
        return parsed


@dataclass
class MailServer:
    """What a test tells the server to do, and what it took."""

    port: int = 0
    received: list[Received] = field(default_factory=list)
    refuse: dict[str, list[str]] = field(default_factory=dict)
    """Reader → answers to give, one a try; the last one is given for good."""
    answers: list[str] = field(default_factory=list)
    """Answers to whole mails, one each; then they are taken."""
    at: dict[str, Callable[[str], None]] = field(default_factory=dict)
    """Moment (``rcpt``, ``data``, ``whole``, ``answered``) → what to do then, given the reader."""
    tries: list[str] = field(default_factory=list)
    """Readers asked about, in order."""
    logins: list[tuple[bytes, bytes]] = field(default_factory=list)
    private: list[bool] = field(default_factory=list)
    """Whether the way was private, a mail each."""

    def of(self, reader: str) -> list[Received]:
        """Give the mails of one reader."""
        return [one for one in self.received if one.reader == reader]


class _Handler:
    def __init__(self, told: MailServer) -> None:
        self.told = told

    async def handle_RCPT(  # noqa: N802 (aiosmtpd's name)
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        self.told.tries.append(address)
        self._at("rcpt", address)
        waiting = self.told.refuse.get(address)
        if waiting:
            answer = waiting.pop(0) if len(waiting) > 1 else waiting[0]
            if answer != "250 OK":
                return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        (reader,) = envelope.rcpt_tos
        content = envelope.original_content
        assert isinstance(content, bytes)
        self._at("whole", reader)
        if self.told.answers:
            answer = self.told.answers.pop(0)
            if answer == "close":
                server.transport.close()
                return "421 gone"
            if answer == "take and close":
                self.told.received.append(Received(str(envelope.mail_from), reader, content))
                server.transport.close()
                return "421 gone"
            if answer != "250 OK":
                return answer
        self.told.received.append(Received(str(envelope.mail_from), reader, content))
        self.told.private.append(server.transport.get_extra_info("sslcontext") is not None)
        self._at("answered", reader)
        return "250 OK, taken"

    def _at(self, moment: str, reader: str) -> None:
        if moment in self.told.at:
            self.told.at[moment](reader)


@contextlib.contextmanager
def serving(
    security: str = "starttls", *, login: bool = False, authority: Path | None = None
) -> Iterator[MailServer]:
    """Run a mail server as long as the block lasts.

    Args:
        security: ``starttls``, ``tls`` or ``plain``.
        login: Whether it takes mails only after a login.
        authority: Where to write the certificate of who vouches for it.
    """
    told = MailServer()
    smtp: dict[str, Any] = {"enable_SMTPUTF8": True, "hostname": "127.0.0.1"}
    context: ssl.SSLContext | None = None
    if security != "plain":
        root = trustme.CA()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        root.issue_cert("127.0.0.1", "localhost").configure_cert(context)
        if authority is not None:
            root.cert_pem.write_to_path(str(authority))
        if security == "starttls":
            smtp |= {"tls_context": context, "require_starttls": True}
    if login:

        def authenticate(
            _s: object, _session: object, _envelope: object, _mechanism: str, data: object
        ) -> AuthResult:
            assert isinstance(data, LoginPassword)
            told.logins.append((data.login, data.password))
            right = data.login == USER.encode() and data.password == PASSWORD.encode()
            return AuthResult(success=right, handled=False)

        smtp |= {
            "authenticator": authenticate,
            "auth_required": True,
            "auth_require_tls": security != "plain",
        }
    loop = asyncio.new_event_loop()

    async def opened() -> asyncio.AbstractServer:
        return await loop.create_server(
            lambda: SMTP(_Handler(told), loop=loop, **smtp),
            host="127.0.0.1",
            port=0,
            ssl=context if security == "tls" else None,
        )

    async def closed(server: asyncio.AbstractServer) -> None:
        server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await asyncio.sleep(0)

    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(opened(), loop).result(10)
    told.port = server.sockets[0].getsockname()[1]
    try:
        yield told
    finally:
        asyncio.run_coroutine_threadsafe(closed(server), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
