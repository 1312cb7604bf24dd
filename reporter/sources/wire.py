"""One exchange with a server that is trusted with a key and with nothing else.

The key goes to the one host that was named, never along a redirect. An answer is read up to a size and a
time, must be JSON, and loses the key wherever the server repeats it.
"""

from __future__ import annotations

import os
import re
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import httpx

from reporter import __version__
from reporter.errors import SourceError

MOST_BYTES = 48 * 2**20
"""Bytes of the longest answer that is read, unpacked; the largest we ask for is a tenth of it."""
_CONNECT_S, _READ_S, _WRITE_S = 10.0, 90.0, 30.0
"""PostHog lets a query wait up to 30 s for a free place and then run for up to 60 s."""
_EXCHANGE_S = 150.0
"""Longest time one answer may take in all, so that bytes that drip in do not last for ever."""
_MASK = b"***"
_LOOPBACK = re.compile(r"localhost|.*\.localhost|127(\.[0-9]{1,3}){3}|::1", re.ASCII)
_PROXIES = ("http_proxy", "all_proxy")
_PACKINGS = ("", "identity", "gzip")
_PIECE = 2**18
"""Bytes that are unpacked at once, however well they are packed."""
_LONGEST_REASON = 300
_UNSAFE = ("certificate", "ssl", "tls")
_NAMELESS = ("name or service", "nodename", "name resolution", "getaddrinfo", "no address associated")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered."""

    status: int
    headers: Mapping[str, str]
    """By lower-case name, without the key."""
    body: bytes
    """Unpacked, without the key."""


class Broken(Exception):
    """No whole answer came."""

    def __init__(self, kind: str, reason: str) -> None:
        """Say what happened.

        Args:
            kind: ``unreachable`` (no connection), ``broken`` (cut off, reset), ``late`` or ``refused`` (an
                answer that is not read, or a connection that is not trusted).
            reason: In a few words, without secrets.
        """
        super().__init__(reason)
        self.kind = kind
        self.reason = reason


class Wire:
    """A connection to one host."""

    def __init__(
        self,
        host: str,
        key: Callable[[], str],
        *,
        signed: Callable[[str], str] = "Bearer {}".format,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare to speak to a host.

        Args:
            host: ``https://…``, perhaps with a path; ``http://`` for this machine alone.
            key: Gives the key, or the password.
            signed: Makes of it what the header Authorization says.
            clock: Seconds that only grow.

        Raises:
            SourceError: The certificates named in the environment cannot be read.
        """
        self._host = host.rstrip("/")
        self._key = key
        self._signed = signed
        self._clock = clock
        try:
            # Certificates and proxies come from the environment.
            self._client = httpx.Client(
                verify=httpx.create_ssl_context(),
                follow_redirects=False,
                trust_env=not _in_the_clear(self._host, os.environ),
                # No bound on connections: one that hangs must not take the place of another request.
                limits=httpx.Limits(max_connections=None, max_keepalive_connections=4),
                headers={
                    "User-Agent": f"reporter/{__version__}",
                    "Accept": "application/json",
                    "Accept-Encoding": "gzip",
                },
            )
        except (OSError, ValueError, ImportError, httpx.InvalidURL) as error:  # SOCKS needs a library
            raise SourceError(
                f"certificates or proxy set in the environment cannot be used ({type(error).__name__})",
                subject=self._host,
                hint="Look at SSL_CERT_FILE, SSL_CERT_DIR, HTTPS_PROXY and ALL_PROXY.",
            ) from None

    def close(self) -> None:
        """Close all connections; may be called twice."""
        self._client.close()

    def exchange(self, method: str, path: str, content: bytes | None, left_s: float) -> Answer:
        """Send one request and read its whole answer.

        Args:
            method: ``GET`` or ``POST``.
            path: Path below the host, with its query.
            content: JSON to send.
            left_s: Longest time this may take, in seconds.

        Raises:
            Broken: No whole answer came.
        """
        outcome: list[Answer | BaseException] = []

        def run() -> None:
            try:
                outcome.append(self._exchanged(method, path, content, left_s))
            except BaseException as error:  # noqa: BLE001 (raised again by the thread that waits)
                outcome.append(error)

        # In a thread of its own: the library's limits begin anew with each byte, and a name is looked up
        # without any.
        thread = Thread(target=run, daemon=True)
        thread.start()
        thread.join(min(left_s, _EXCHANGE_S))
        found = outcome[0] if outcome else Broken("late", "its answer took too long")
        if isinstance(found, BaseException):
            raise found
        return found

    def _exchanged(self, method: str, path: str, content: bytes | None, left_s: float) -> Answer:
        key = self._key()
        headers = {"Authorization": self._signed(key)}
        if content is not None:
            headers["Content-Type"] = "application/json"
        until = self._clock() + min(left_s, _EXCHANGE_S)
        limit = httpx.Timeout(
            connect=min(_CONNECT_S, left_s),
            read=min(_READ_S, left_s),
            write=min(_WRITE_S, left_s),
            pool=min(_READ_S, left_s),
        )
        try:
            with self._client.stream(
                method, self._host + path, content=content, headers=headers, timeout=limit
            ) as answer:
                body = self._read(answer, until)
                found = {
                    unsaid(name.lower(), key.lower()): unsaid(value, key)
                    for name, value in answer.headers.items()
                }
                return Answer(answer.status_code, found, body.replace(key.encode(), _MASK) if key else body)
        except Broken:
            raise
        except httpx.HTTPError as error:
            raise _broken(error, key) from None
        except (httpx.InvalidURL, httpx.StreamError, ValueError, OSError) as error:
            raise Broken("broken", type(error).__name__) from None

    def _read(self, answer: httpx.Response, until: float) -> bytes:
        packing = answer.headers.get("content-encoding", "").strip().lower()
        if packing not in _PACKINGS:
            raise Broken("refused", "it packed its answer in a way that was not asked for")
        said = answer.headers.get("content-length", "")
        if said.isdigit() and int(said) > MOST_BYTES:
            raise Broken("refused", "its answer is larger than any PostHog gives")
        body = bytearray()
        for part in _unpacked(answer.iter_raw()) if packing == "gzip" else answer.iter_raw():
            body += part
            if len(body) > MOST_BYTES:
                raise Broken("refused", "its answer is larger than any PostHog gives")
            if self._clock() > until:
                raise Broken("late", "its answer took too long")
            if (
                len(body) == len(part)
                and answer.status_code < httpx.codes.MULTIPLE_CHOICES
                and not _may_be_json(part)
            ):
                break  # the rest can only be more of the same
        return bytes(body)


def _unpacked(packed: Iterator[bytes]) -> Iterator[bytes]:
    """Unpack gzip piece by piece; what follows its end is not read.

    A piece may be empty, so that whoever takes the pieces can look at the clock.

    Raises:
        Broken: This is no gzip, or only the beginning of it.
    """
    engine = zlib.decompressobj(zlib.MAX_WBITS | 16)
    begun = False
    try:
        for part in packed:
            begun = begun or bool(part)
            if engine.eof:
                return
            yield engine.decompress(part, _PIECE)
            while engine.unconsumed_tail:
                yield engine.decompress(engine.unconsumed_tail, _PIECE)
        yield engine.flush()
    except zlib.error:
        raise Broken("broken", "its answer cannot be unpacked") from None
    if begun and not engine.eof:
        raise Broken("broken", "its answer was cut off")


def _in_the_clear(host: str, environ: Mapping[str, str]) -> bool:
    """Tell whether a proxy of the environment would carry the key, unencrypted, to another machine.

    Only this machine is spoken to without TLS, and only through a proxy that runs on it too.
    """
    if not host.lower().startswith("http://"):
        return False
    named = (address for name, address in environ.items() if name.lower() in _PROXIES)
    return any(proxy and not is_near(proxy) for proxy in named)


def is_near(address: str) -> bool:
    """Tell whether an address, or a host's name, is this machine's own."""
    name = (urlsplit(address if "://" in address else f"//{address}").hostname or "").lower()
    return _LOOPBACK.fullmatch(name) is not None


def _may_be_json(start: bytes) -> bool:
    head = start.lstrip()[:1]
    return head in b"{["


def _broken(error: httpx.HTTPError, key: str) -> Broken:
    """Say what a failure of the library means."""
    reason = unsaid(str(error), key)[:_LONGEST_REASON]
    lowered = reason.lower()
    told = Broken("broken", "the connection broke")
    if isinstance(error, httpx.ProxyError):
        told = Broken("refused", f"the proxy refused: {reason}")
    elif isinstance(error, httpx.ConnectTimeout):
        told = Broken("unreachable", "it does not answer")
    elif isinstance(error, httpx.ConnectError) and any(word in lowered for word in _UNSAFE):
        failed = "its certificate is not trusted" if "certificate" in lowered else "TLS with it fails"
        told = Broken("refused", f"{failed} ({reason})")
    elif isinstance(error, httpx.ConnectError) and any(word in lowered for word in _NAMELESS):
        told = Broken("unreachable", "there is no host of this name")
    elif isinstance(error, httpx.ConnectError):
        told = Broken("unreachable", reason or "no connection")
    elif isinstance(error, httpx.TimeoutException):
        told = Broken("late", "it did not answer in time")
    return told


def unsaid(text: str, key: str) -> str:
    """Take a key out of a text."""
    return text.replace(key, "***") if key else text


def parsed(body: bytes) -> Any:
    """Read JSON; ``None`` for what is none."""
    import json

    try:
        return json.loads(body.decode("utf-8-sig", "surrogatepass"))
    except (ValueError, RecursionError):
        return None
