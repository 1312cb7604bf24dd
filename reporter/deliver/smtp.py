"""Handing mails to a server: one reader at a time, over one connection, with a pause before the last byte.

SMTP takes a mail with the full stop that ends it. Whoever is told before that byte and after the answer
knows, at any moment the program may die, whether the mail cannot have arrived, may have, or has.
"""

from __future__ import annotations

import contextlib
import re
import smtplib
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Self, TypeAlias

from reporter.errors import DeliveryError

Security: TypeAlias = Literal["starttls", "tls", "plain"]
PORTS: dict[Security, int] = {"starttls": 587, "tls": 465, "plain": 25}
PAUSES_S = (2.0, 8.0, 30.0)
"""Waits before a mail the server did not take for the moment is tried again."""
_SELF = "[127.0.0.1]"
"""How we greet: the name of this machine is nobody's business, and need not be looked up."""
_DOTS = re.compile(rb"(?m)^\.")
_LOOPBACK = re.compile(r"localhost|127(\.[0-9]{1,3}){3}|\[?::1\]?")
_SHOWN = 200


class Refused(DeliveryError):
    """The server will not take a mail for this reader: now, or (`temporary`) as often as it was asked."""

    def __init__(self, message: str, *, subject: str, hint: str = "", temporary: bool = False) -> None:
        """Describe it.

        Args:
            message: What happened.
            subject: The reader.
            hint: What to do next.
            temporary: Whether it may take it later.
        """
        super().__init__(message, subject=subject, hint=hint)
        self.temporary = temporary


class Unanswered(DeliveryError):
    """The mail was handed over whole and no answer came: it may have arrived."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where mails are handed in."""

    host: str
    port: int
    security: Security
    user: str | None = None
    password: Callable[[], str] | None = None
    """Gives the password for the moment of logging in."""
    timeout_s: float = 30.0
    """Longest wait for one answer, in seconds."""

    @property
    def name(self) -> str:
        """The server as a person would type it."""
        return f"{self.host}:{self.port}"


class Post:
    """A connection to a server, opened when first needed and again when it was lost."""

    def __init__(
        self,
        server: Server,
        *,
        context: ssl.SSLContext | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Name the server; nothing is opened yet.

        Args:
            server: Where mails are handed in.
            context: Whom to trust; the system's certificates where it is not given.
            sleep: Waits some seconds.
        """
        self._server = server
        self._context = context
        self._sleep = sleep
        self._open: smtplib.SMTP | None = None

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """Say goodbye, if there is anybody to say it to."""
        self._close()

    def greet(self) -> str:
        """Connect, make the way private and log in, and send nothing; gives what the server answered.

        Raises:
            DeliveryError: That cannot be done.
        """
        try:
            return _text(self._connection().noop()[1])
        except (OSError, smtplib.SMTPException) as error:
            self._drop()
            raise DeliveryError(
                f"the mail server cannot be reached: {_reason(error)}", subject=self._server.name
            ) from error

    def send(self, sender: str, reader: str, data: bytes, before_last_byte: Callable[[], None]) -> str:
        """Hand one mail over.

        What the server does not take for the moment is tried again, after `PAUSES_S`.

        Args:
            sender: Plain address that is told when it cannot be delivered.
            reader: Plain address.
            data: The mail, ASCII with CRLF line ends.
            before_last_byte: Called when all but the byte that makes the server take it has been sent; if it
                raises, the mail is not sent.

        Returns:
            What the server answered.

        Raises:
            Refused: The server does not take it; nothing was delivered.
            Unanswered: It was handed over and no answer came.
            DeliveryError: The server cannot be used at all.
        """
        for pause in (*PAUSES_S, None):
            try:
                return self._once(sender, reader, data, before_last_byte)
            except Refused as refused:
                self._close()
                if pause is None or not refused.temporary:
                    raise
                self._sleep(pause)
        raise AssertionError  # pragma: no cover -- the last attempt returns or raises

    def _once(self, sender: str, reader: str, data: bytes, before_last_byte: Callable[[], None]) -> str:
        try:
            connection = self._connection()
            self._expect(
                connection.mail(sender, [f"size={len(data)}"] if connection.has_extn("size") else []),
                250,
                reader,
            )
            self._expect(connection.rcpt(reader), (250, 251), reader)
            self._expect(connection.docmd("DATA"), 354, reader)
            body = data if data.endswith(b"\r\n") else data + b"\r\n"
            connection.send(_DOTS.sub(b"..", body))
        except (OSError, smtplib.SMTPException) as error:
            raise Refused(
                f"the mail server did not take the mail: {_reason(error)}", subject=reader, temporary=True
            ) from error
        before_last_byte()
        try:
            connection.send(b".\r\n")
            code, said = connection.getreply()
        except (OSError, smtplib.SMTPException) as error:
            self._drop()
            raise Unanswered(
                f"the mail was handed over whole, but no answer came ({_reason(error)}); it may have arrived",
                subject=reader,
            ) from error
        self._expect((code, said), 250, reader)
        return _text(said)

    def _expect(self, answer: tuple[int, bytes], codes: int | tuple[int, ...], reader: str) -> None:
        code, said = answer
        if code not in (codes if isinstance(codes, tuple) else (codes,)):
            temporary = not 500 <= code < 600
            raise Refused(
                f"the mail server refused{' for now' if temporary else ''}: {code} {_text(said)}",
                subject=reader,
                temporary=temporary,
            )

    def _connection(self) -> smtplib.SMTP:
        if self._open is None:
            self._open = self._connected()
        return self._open

    def _connected(self) -> smtplib.SMTP:
        """Connect, make the way private and log in.

        Raises:
            DeliveryError: That cannot be done, now or ever.
            OSError: The server cannot be reached for the moment.
            smtplib.SMTPException: It does not answer as it should, for the moment.
        """
        server = self._server
        context = self._context or ssl.create_default_context()
        opened: smtplib.SMTP | None = None
        try:
            if server.security == "tls":
                opened = smtplib.SMTP_SSL(
                    server.host, server.port, _SELF, timeout=server.timeout_s, context=context
                )
            else:
                opened = smtplib.SMTP(server.host, server.port, _SELF, timeout=server.timeout_s)
            opened.ehlo_or_helo_if_needed()
            if server.security == "starttls":
                opened.starttls(context=context)
                opened.ehlo()
            self._log_in(opened)
        except BaseException as error:
            self._discard(opened)
            if (told := self._unusable(error)) is not None:
                raise told from error
            raise
        return opened

    def _unusable(self, error: BaseException) -> DeliveryError | None:
        """Tell why the server cannot be used, now or ever; ``None`` where it may work in a moment."""
        match error:
            case ssl.SSLCertVerificationError():
                what = f"the mail server's certificate is not trusted: {error.verify_message}"
                hint = "Use the name the certificate is for; SSL_CERT_FILE names authorities of your own."
            case ssl.SSLError():
                what = f"no private way to the mail server: {error.reason or error}"
                hint = "mail.security says how: starttls (port 587) or tls (port 465)."
            case smtplib.SMTPNotSupportedError():
                what = f"the mail server cannot do that: {_reason(error)}"
                hint = "mail.security says how the way is kept private: starttls, tls, or plain (not at all)."
            case smtplib.SMTPAuthenticationError():
                said = f"{error.smtp_code} {_text(error.smtp_error)}"
                what = f"the mail server did not let {self._server.user} in: {said}"
                hint = "Check mail.user and REPORTER_MAIL_PASSWORD or mail.password_file."
            case _:
                return None
        return DeliveryError(what, subject=self._server.name, hint=hint)

    def _log_in(self, opened: smtplib.SMTP) -> None:
        server = self._server
        if server.user is None or server.password is None:
            return
        if server.security == "plain" and not _LOOPBACK.fullmatch(server.host):
            raise DeliveryError(
                "a password is not sent over a way that is not private",
                subject=server.name,
                hint="Set mail.security to starttls or tls, or leave mail.user out.",
            )
        opened.login(server.user, server.password())

    def _close(self) -> None:
        if self._open is not None:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                self._open.quit()
        self._drop()

    def _drop(self) -> None:
        self._discard(self._open)
        self._open = None

    def _discard(self, opened: smtplib.SMTP | None) -> None:
        if opened is not None:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                opened.close()


def server_of(name: str, security: Security) -> tuple[str, int]:
    """Split ``host:port``; the usual port of `security` where none is given."""
    host, colon, port = name.rpartition(":")
    if not colon or name.endswith("]"):
        return name.strip("[]"), PORTS[security]
    return host.strip("[]"), int(port)


def _reason(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_text(error.smtp_error)}"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return (
        _text(str(error.strerror if isinstance(error, OSError) and error.strerror else error))
        or type(error).__name__
    )


def _text(said: bytes | str) -> str:
    """Make one line of what a server said."""
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return " ".join("".join(ch if ch.isprintable() else " " for ch in text).split())[:_SHOWN]
