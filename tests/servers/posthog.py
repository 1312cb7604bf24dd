"""A PostHog to test against: ``python -m tests.servers.posthog FOLDER`` prints its port and serves until its stdin ends.

Below ``/_control/`` a test sets up projects and reads what was asked of them; everything else is PostHog's API.
"""

from __future__ import annotations

import json
import os
import re
import sys
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.servers import capture, wire
from tests.servers.api import Api
from tests.servers.faults import Reply, instead, spoiled
from tests.servers.journal import Entry, Project
from tests.servers.refusal import Refused, failed, forbidden, invalid, not_allowed, not_found, unauthorised
from tests.servers.settings import Settings
from tests.servers.store import Store

_PATH = re.compile(r"^(?P<sub>.*?)/api/(?P<scope>projects|environments)/(?P<id>[^/]+)(?P<rest>/.*)?$")
_MOST_BODY = 20 << 20
_BAD_KEY = "Personal API key found in request Authorization header is invalid."


class State:
    """All projects."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder)
        self.api = Api(self.store)
        self.projects: dict[str, Project] = {}

    def create(self, given: dict[str, Any]) -> None:
        """Create a project from what the handle sends."""
        settings = Settings(**given["settings"])
        settings.scopes = tuple(settings.scopes)
        events = []
        if given.get("events"):
            with Path(given["events"]).open(encoding="utf-8") as file:
                events = [json.loads(line) for line in file]
        self.store.create(
            settings.id, events, ai_events=settings.ai_events, strip=settings.ai_columns_stripped
        )
        self.projects[settings.id] = Project(settings)

    def control(self, path: str, given: dict[str, Any]) -> Any:
        """Do what a test asks of the server itself."""
        if path == "create":
            return self.create(given)
        project = self.projects[given["id"]]
        if path == "log":
            return project.log()
        if path == "clear":
            return project.clear()
        if path == "fault":
            return project.faults.add(given["rule"])
        if path == "heal":
            return project.faults.clear()
        if path == "budget":
            project.budget = given["bytes"]
            return None
        raise KeyError(path)

    def by_key(self, key: str) -> Project | None:
        return next((project for project in self.projects.values() if project.settings.key == key), None)


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server_version = "nginx"
    sys_version = ""
    disable_nagle_algorithm = True
    state: State

    skew_s = 0.0
    """How far the server's clock is ahead of the true time."""

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Tell the time by the server's clock."""
        return super().date_time_string((timestamp or time.time()) + self.skew_s)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the library's name)
        """Say nothing."""

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = do_GET  # noqa: N815

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > _MOST_BODY:
            self.close_connection = True
            wire.send(self, Reply.of(413, "Request body exceeded settings.DATA_UPLOAD_MAX_MEMORY_SIZE."), {})
            return
        content = self.rfile.read(length)
        path, _, search = self.path.partition("?")
        if path.startswith("/_control/"):
            self._controlled(path.removeprefix("/_control/"), content)
        elif path.endswith("/_health"):
            wire.send(self, Reply.of(200, "ok"), {})
        elif capture.is_capture(path):
            wire.send(self, capture.taken(self.state.store, self.state.projects, content, self.headers), {})
        else:
            self._asked(path, search, content)

    def _controlled(self, path: str, content: bytes) -> None:
        try:
            reply = Reply.of(200, self.state.control(path, json.loads(content)))
        except Exception as error:  # noqa: BLE001 (told to the test that asked)
            reply = Reply.of(500, {"error": f"{type(error).__name__}: {error}"})
        wire.send(self, reply, {})

    def _asked(self, path: str, search: str, content: bytes) -> None:
        found = _PATH.match(path)
        authorization = self.headers.get("Authorization", "")
        key = authorization.removeprefix("Bearer ") if authorization.startswith("Bearer ") else ""
        owner = self.state.by_key(key)
        project = self.state.projects.get(found["id"]) if found else owner
        body = _decoded(content)
        entry = _entry(self.command, self.path, self.headers, body, keyed=bool(authorization))
        is_query = bool(found and self.command == "POST" and re.match(r"^/query/?", found["rest"] or ""))
        noted = project or owner
        if noted:
            noted.begin(entry, is_query=is_query)
        fault: Mapping[str, Any] = {}
        try:
            asked = {
                "path": path,
                "method": self.command,
                "name": entry.name,
                "kind": entry.kind,
                "holds": content.decode("utf-8", "replace"),
            }
            fault = noted.faults.take(asked) if noted else {}
            self.skew_s = float(fault.get("skew_s", 0))
            if "hang_s" in fault:
                time.sleep(float(fault["hang_s"]))
            if "hang_forever_s" in fault:
                time.sleep(float(fault["hang_forever_s"]))
                fault = {"reset": True}
            reply = instead(fault, authorization) or self._reply(project, owner, found, search, entry, body)
            if fault.get("async") and project and reply.status != 401:
                reply = Api.later(project, reply, fault, body)
            reply = spoiled(fault, reply)
            entry.status = None if fault.get("reset") else 200 if fault.get("endless") else reply.status
            entry.bytes_sent = wire.send(self, reply, fault)
        except OSError:
            self.close_connection = True
        finally:
            if noted:
                noted.end(entry, is_query=is_query)

    def _reply(
        self,
        project: Project | None,
        owner: Project | None,
        found: re.Match[str] | None,
        search: str,
        entry: Entry,
        body: Any,
    ) -> Reply:
        """Answer as PostHog would, errors included."""
        try:
            try:
                return self._right(project, owner, found, search, entry, body)
            except Refused:
                raise
            except Exception as error:
                raise failed(f"A server error occurred. {type(error).__name__}: {error}") from error
        except Refused as refused:
            entry.detail = f"{refused.body['detail']} {refused.__cause__ or ''}".strip()
            return Reply.of(refused.status, refused.body, refused.headers)

    def _right(
        self,
        project: Project | None,
        owner: Project | None,
        found: re.Match[str] | None,
        search: str,
        entry: Entry,
        body: Any,
    ) -> Reply:
        if not entry.keyed:
            raise unauthorised("Authentication credentials were not provided.", "not_authenticated")
        if owner is None:
            raise unauthorised(_BAD_KEY, "authentication_failed")
        path = self.path.partition("?")[0]
        if found is None:
            if path != f"{owner.settings.sub_path}/api/users/@me/":
                raise not_found()
            return _me(owner, entry.method)
        if project is None or project.settings.sub_path != found["sub"]:
            raise not_found("Project not found.")
        rest = found["rest"] or ""
        if project.settings.prefix == "environments" and found["scope"] == "projects" and rest.strip("/"):
            raise not_found("Endpoint not found.")
        if project is not owner:
            raise forbidden(f"API key does not have access to the requested project '{found['id']}'")
        if not rest.endswith("/"):
            raise not_found()
        if entry.method == "POST" and body is None:
            raise invalid("JSON parse error - Expecting value: line 1 column 1 (char 0)", "parse_error")
        base = f"http://{self.headers.get('Host')}{found['sub']}/api/{found['scope']}/{found['id']}"
        return self.state.api.answer(project, entry, rest, search, body, base)


def _me(owner: Project, method: str) -> Reply:
    if method != "GET":
        raise not_allowed(method)
    if "user:read" not in owner.settings.scopes:
        raise forbidden("API key missing required scope 'user:read'")
    team = {"id": int(owner.settings.id), "name": owner.settings.team_name}
    return Reply.of(
        200, {"uuid": "00000000-0000-0000-0000-000000000001", "email": "ann@example.com", "team": team}
    )


def _decoded(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return None


def _entry(method: str, path: str, headers: Any, body: Any, *, keyed: bool) -> Entry:
    shown = {name.lower(): value for name, value in headers.items() if name.lower() != "authorization"}
    entry = Entry(method, path, shown, keyed)
    if isinstance(body, dict):
        query = body.get("query") if isinstance(body.get("query"), dict) else {}
        entry.name, entry.refresh = str(body.get("name") or ""), body.get("refresh")
        entry.client_query_id = str(body.get("client_query_id") or "")
        entry.kind, entry.sql = str(query.get("kind") or ""), str(query.get("query") or "")
        entry.values, entry.query = query.get("values") or {}, query
    return entry


class Server(ThreadingHTTPServer):
    """Serves each connection on a thread of its own, none of which keeps the process alive."""

    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of connections that broke."""


def main() -> None:
    """Serve until stdin ends."""
    Handler.state = State(Path(sys.argv[1]))
    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    sys.stdout.write(f"{server.server_address[1]}\n")
    sys.stdout.flush()
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    main()
