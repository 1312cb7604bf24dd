"""ClickHouse's HTTP interface before the embedded engine: logins, formats, errors with their status."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.servers.store import Store

USER, PASSWORD = "reader", "s3cret-of-clickhouse"


class Http:
    """A server on loopback; what was asked of it is kept."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.asked: list[tuple[dict[str, list[str]], str]] = []
        self.answers: list[tuple[int, bytes]] = []
        """What is answered instead, first come first served."""
        self.port = 0

    def answer(self, headers: Any, path: str, sql: str) -> tuple[int, bytes]:
        """Run a statement as the real server would."""
        if self.answers:
            return self.answers.pop(0)
        login = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if headers.get("Authorization") != f"Basic {login}":
            said = f"Code: 516. DB::Exception: {USER}: Authentication failed: {headers.get('Authorization')}. (AUTHENTICATION_FAILED) (version 26.9.1.1)"
            return 403, said.encode()
        options = parse_qs(urlsplit(path).query)
        self.asked.append((options, sql))
        try:
            return 200, bytes(self.store.session.query(sql, options["default_format"][0]).bytes())
        except Exception as error:  # noqa: BLE001 -- the library has one kind for all that ClickHouse says
            self.store.session.query("SELECT 1", "JSONCompact")
            return 400, str(error).encode()


@contextmanager
def served(store: Store) -> Iterator[Http]:
    """Serve a store over HTTP."""
    http = Http(store)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            sql = self.rfile.read(int(self.headers["Content-Length"])).decode()
            status, body = http.answer(self.headers, self.path, sql)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.port = server.server_address[1]
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield http
    finally:
        server.shutdown()
        server.server_close()
