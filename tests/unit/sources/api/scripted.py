"""A server that answers by a script, over real HTTP on loopback, and keeps a log; and a clock to skip waits."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import struct
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from reporter.errors import ReporterError

KEY = "phx_Zq7vN3kTq1sWm8LrEhXdY2uBcJgP5aF0oViK6tR9yQz"
PROJECT = "4242"
QUERY = f"/api/projects/{PROJECT}/query/"


@dataclass
class Request:
    """One request as it came in."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    started: float
    in_flight: int
    ended: float = 0.0
    sent: int = 0

    @property
    def keyed(self) -> bool:
        return self.headers.get("authorization") == f"Bearer {KEY}"

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Handler(BaseHTTPRequestHandler):
    """Answers each request by the next step."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server
    request_log: Request

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        headers = {name.lower(): value for name, value in self.headers.items()}
        step, self.request_log = self.server.arrived(self.command, self.path, headers, body)
        try:
            step(self)
        except OSError:
            self.close_connection = True
        finally:
            self.server.left(self.request_log)

    do_GET = do_POST = _serve  # noqa: N815 (names of the standard library)

    def push(self, data: bytes) -> None:
        """Write bytes as they are."""
        self.wfile.write(data)
        self.request_log.sent += len(data)

    def head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Stay silent."""


Step = Callable[[Handler], None]


class Server(ThreadingHTTPServer):
    """The scripted server; give it steps, then look at its log."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, *steps: Step, rest: Step | None = None, certificate: Path | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.steps = list(steps)
        self.rest = rest
        self.log: list[Request] = []
        self.stopped = threading.Event()
        self._lock = threading.Lock()
        self._here = 0
        self._scheme = "http"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.socket = context.wrap_socket(self.socket, server_side=True)
            self._scheme = "https"
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        self.shutdown()
        self._thread.join()
        self.server_close()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.port}"

    @property
    def posts(self) -> list[Request]:
        return [request for request in self.log if request.method == "POST"]

    def arrived(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[Step, Request]:
        with self._lock:
            self._here += 1
            made = Request(method, path, headers, body, time.monotonic(), self._here)
            self.log.append(made)
            step = (
                self.steps.pop(0) if self.steps else self.rest or answer({"detail": "not in the script"}, 418)
            )
        return step, made

    def left(self, request: Request) -> None:
        with self._lock:
            self._here -= 1
            request.ended = time.monotonic()

    def settled(self) -> None:
        """Wait until no request is under way here."""
        until = time.monotonic() + 10
        while self._here and time.monotonic() < until:
            time.sleep(0.005)
        assert not self._here

    def handle_error(self, *_: object) -> None:
        """Stay silent where the other side went away."""


# -- steps ----------------------------------------------------------------------------------------------


def answer(body: Any = None, status: int = 200, headers: dict[str, str] | None = None) -> Step:
    """Answer with JSON, or with bytes as they are."""
    data = body if isinstance(body, bytes) else json.dumps({} if body is None else body).encode()

    def step(handler: Handler) -> None:
        handler.head(status, {"Content-Length": str(len(data)), **(headers or {})})
        handler.push(data)

    return step


def rows(*found: Any, columns: tuple[str, ...] = ("one",), **more: Any) -> Step:
    """Answer a query."""
    return answer({"results": [list(row) for row in found], "columns": list(columns), **more})


def error(status: int, detail: str = "", code: str = "error", **headers: str) -> Step:
    """Answer as PostHog refuses."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    kind = "validation_error" if status == 400 else "server_error"
    return answer({"type": kind, "code": code, "detail": detail, "attr": None}, status, named)


def page(status: int, text: str = "<html><body>Bad gateway</body></html>") -> Step:
    """Answer as a proxy does."""
    return answer(text.encode(), status, {"Content-Type": "text/html"})


def reset(first: bytes = b"") -> Step:
    """Cut the connection off, after some bytes."""

    def step(handler: Handler) -> None:
        handler.push(first)
        handler.close_connection = True
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.connection.close()

    return step


def raw(data: bytes) -> Step:
    """Send bytes and close."""

    def step(handler: Handler) -> None:
        handler.close_connection = True
        handler.push(data)

    return step


def flood(piece: bytes, most: int, *, head: bytes, first: bytes = b"") -> Step:
    """Send a piece again and again until the other side has enough."""

    def step(handler: Handler) -> None:
        handler.close_connection = True
        handler.push(head + first)
        while handler.request_log.sent < most and not handler.server.stopped.is_set():
            handler.push(piece)

    return step


def drip(piece: bytes, every_s: float, *, head: bytes = b"") -> Step:
    """Send a piece at a time, for ever."""

    def step(handler: Handler) -> None:
        handler.close_connection = True
        handler.push(head)
        while not handler.server.stopped.wait(every_s):
            handler.push(piece)

    return step


def silent(head: bytes = b"") -> Step:
    """Say no more."""

    def step(handler: Handler) -> None:
        handler.close_connection = True
        handler.push(head)
        handler.server.stopped.wait()

    return step


def slowly(step: Step, after_s: float) -> Step:
    """Take a step later."""

    def later(handler: Handler) -> None:
        handler.server.stopped.wait(after_s)
        step(handler)

    return later


# -- clock, proxy, text ---------------------------------------------------------------------------------


@dataclass
class Clock:
    """A clock that only waiting moves, or, ticking, also looking at it."""

    now: float = 5_000.0
    tick_s: float = 0.0
    waits: list[float] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self) -> float:
        with self._lock:
            self.now += self.tick_s
            return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        with self._lock:
            self.waits.append(seconds)
            self.now += seconds


class Proxy:
    """A proxy that knows CONNECT alone; it keeps every byte a client sent it."""

    def __init__(self, target: int | None) -> None:
        """Tunnel to a port of this machine, or refuse."""
        self.seen = bytearray()
        self.connects: list[str] = []
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = [self._listener]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        for one in self._open:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client = self._listener.accept()[0]
                self._open.append(client)
                thread = threading.Thread(target=self._tunnel, args=(client,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _tunnel(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head and (part := client.recv(65_536)):
                head += part
            self.seen += head
            self.connects.append(head.partition(b"\r\n")[0].decode())
            if self._target is None or not head.startswith(b"CONNECT "):
                client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
                client.close()
                return
            server = socket.create_connection(("127.0.0.1", self._target))
            self._open.append(server)
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=self._pump, args=(server, client), daemon=True)
            self._threads.append(back)
            back.start()
            self._pump(client, server, keep=True)

    def _pump(self, source: socket.socket, target: socket.socket, *, keep: bool = False) -> None:
        with contextlib.suppress(OSError):
            while part := source.recv(65_536):
                if keep:
                    self.seen += part
                target.sendall(part)
            target.shutdown(socket.SHUT_WR)


def shown(found: BaseException) -> str:
    """Give everything of an error that could be printed."""
    parts = [str(found), repr(found), repr(found.args), repr(vars(found)), *traceback.format_exception(found)]
    if isinstance(found, ReporterError):
        parts += [found.message, found.subject, found.hint]
    return "\n".join(parts)


def port_of(url: str) -> int:
    return urlsplit(url).port or 0


@contextlib.contextmanager
def closed_port() -> Iterator[int]:
    """Give a port nobody listens on."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]
