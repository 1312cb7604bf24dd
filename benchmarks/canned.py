"""Answers of a server, asked for once and then given again after a fixed time.

What a report costs over a network is to be measured, not what the stand-in for PostHog costs: it parses HogQL
and asks DuckDB on the same cores.
"""

from __future__ import annotations

import http.client
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import NamedTuple, Self
from urllib.parse import urlsplit

_OWN = ("connection", "content-length", "date", "host", "server", "transfer-encoding")
"""Headers that each server sets for itself."""


class _Answer(NamedTuple):
    status: int
    headers: list[tuple[str, str]]
    body: bytes


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the library's name)
        """Say nothing."""

    def do_GET(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        key = (self.command, self.path, _question(content))
        answer = self.server.known.get(key)
        if answer is None:
            answer = self.server.known[key] = self._asked(content)
        else:
            time.sleep(self.server.latency_s)
        self.send_response(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    do_POST = do_GET  # noqa: N815 (the library's name)

    def _asked(self, content: bytes) -> _Answer:
        connection = http.client.HTTPConnection(self.server.behind)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _OWN}
        try:
            connection.request(self.command, self.path, content, headers)
            said = connection.getresponse()
            kept = [(name, value) for name, value in said.getheaders() if name.lower() not in _OWN]
            return _Answer(said.status, kept, said.read())
        finally:
            connection.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    known: dict[tuple[str, str, str], _Answer]
    behind: str
    latency_s: float


class Canned:
    """A server on this machine that answers for another; a context."""

    def __init__(self, url: str, latency_s: float) -> None:
        """Prepare to answer what `url` answers, `latency_s` seconds after each question put before."""
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.known, self._server.behind, self._server.latency_s = {}, urlsplit(url).netloc, latency_s
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        """Begin to answer."""
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()


def _question(content: bytes) -> str:
    """Give what is asked, without the number each question has of its own."""
    try:
        told = json.loads(content)
    except ValueError:
        return content.decode("latin-1")
    if isinstance(told, dict):
        told.pop("client_query_id", None)
    return json.dumps(told, sort_keys=True)
