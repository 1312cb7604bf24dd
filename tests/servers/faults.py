"""Answers that go wrong on purpose: which request is hit, and what it gets instead."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

_HTML = """<html>\r\n<head><title>{0}</title></head>\r\n<body>\r\n<center><h1>{0}</h1></center>\r\n<hr><center>nginx</center>
</body>\r\n</html>\r\n"""
_REASONS = {
    200: "Welcome",
    502: "502 Bad Gateway",
    503: "503 Service Temporarily Unavailable",
    504: "504 Gateway Time-out",
}
ACTIONS = frozenset(
    [
        "status",
        "html",
        "reset",
        "reset_midway",
        "hang_s",
        "hang_forever_s",
        "truncate_json",
        "gzip_bomb_mb",
        "endless",
        "garbage_mb",
        "redirect",
        "nan",
        "echo_key",
        "slow_first_byte_s",
        "drip",
        "async",
        "cached",
        "rows_limit",
        "extra_fields",
        "skew_s",
    ]
)
MATCHERS = frozenset(["path", "method", "name", "kind", "holds", "after"])
"""What a rule may look for; ``holds`` is an expression found in the body of the request."""


@dataclass
class Reply:
    """An answer as bytes."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, status: int, body: Any, headers: Mapping[str, str] | None = None) -> Reply:
        """Write an answer: JSON, or text as it is."""
        if isinstance(body, str):
            kind, content = "text/html", body.encode("utf-8", "replace")
        else:
            kind, content = (
                "application/json",
                json.dumps(body, ensure_ascii=False).encode("utf-8", "replace"),
            )
        return cls(status, content, {"Content-Type": kind, **(headers or {})})


@dataclass
class Rule:
    """One fault."""

    action: dict[str, Any]
    match: dict[str, Any]
    left: int
    skip: int = 0

    def hits(self, asked: Mapping[str, str]) -> bool:
        """Whether a request is meant; counts it down where it is."""
        wanted = self.match
        if not self.left or ("path" in wanted and wanted["path"] not in asked["path"]):
            return False
        if any(wanted.get(part) not in (None, asked[part]) for part in ("method", "kind")):
            return False
        if any(part in wanted and not re.search(wanted[part], asked[part]) for part in ("name", "holds")):
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.left -= self.left > 0
        return True


class Faults:
    """The faults of one project, the oldest first."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []
        self._lock = Lock()

    def add(self, given: dict[str, Any]) -> None:
        """Add a rule.

        Raises:
            ValueError: It has a word that is not known, or says nothing to do.
        """
        match = {**given.get("match", {}), **{name: given[name] for name in MATCHERS if name in given}}
        action = {
            name: value
            for name, value in given.items()
            if name not in MATCHERS | {"match", "times", "action"}
        }
        if given.get("action"):
            action.setdefault(given["action"], True)
        unknown = (
            set(action) - ACTIONS - {"body", "headers", "location", "polls", "bytes_per_s", "poll_status"}
        )
        if unknown or not set(action) & ACTIONS or set(match) - MATCHERS:
            raise ValueError(f"no such fault: {given}")
        with self._lock:
            self._rules.append(Rule(action, match, int(given.get("times", 1)), int(match.get("after", 0))))

    def clear(self) -> None:
        with self._lock:
            self._rules.clear()

    def take(self, asked: Mapping[str, str]) -> dict[str, Any]:
        """Give what shall go wrong with a request; empty for nothing."""
        with self._lock:
            for rule in self._rules:
                if rule.hits(asked):
                    return rule.action
        return {}


def instead(fault: Mapping[str, Any], authorization: str) -> Reply | None:
    """Give the answer that replaces the real one; ``None`` where the real one is given."""
    headers = {str(name): str(value) for name, value in (fault.get("headers") or {}).items()}
    if "redirect" in fault:
        to = fault["redirect"] if isinstance(fault["redirect"], str) else fault.get("location", "/")
        return Reply.of(int(fault.get("status", 302)), "", {"Location": to, **headers})
    if "html" in fault:
        status = int(fault["html"])
        return Reply.of(status, _HTML.format(_REASONS.get(status, str(status))), headers)
    if fault.get("echo_key"):
        body = {
            "type": "server_error",
            "code": "error",
            "detail": f"bad header: {authorization}",
            "attr": None,
        }
        return Reply.of(int(fault.get("status", 400)), body, {"X-Echo": authorization, **headers})
    if "status" in fault:
        return Reply.of(int(fault["status"]), fault.get("body", ""), headers)
    return _heavy(fault)


def _heavy(fault: Mapping[str, Any]) -> Reply | None:
    kind = {"Content-Type": "application/json"}
    if "gzip_bomb_mb" in fault:
        packed = gzip.compress(b"[" + b" " * (int(fault["gzip_bomb_mb"]) << 20) + b"]", 6)
        return Reply(200, packed, {**kind, "Content-Encoding": "gzip"})
    if "garbage_mb" in fault:
        return Reply(200, b"\xff\x00{]" * (int(fault["garbage_mb"]) << 18), kind)
    return None


def spoiled(fault: Mapping[str, Any], reply: Reply) -> Reply:
    """Give the real answer with what shall be wrong with it."""
    if fault.get("truncate_json"):
        return Reply(reply.status, reply.body[: len(reply.body) * 2 // 3], reply.headers)
    changed = {"nan", "cached", "rows_limit", "extra_fields"} & set(fault)
    if not changed or reply.status != 200:
        return reply
    body = json.loads(reply.body)
    if fault.get("cached"):
        body |= {"is_cached": True, "cache_key": "cache_1", "last_refresh": "2026-01-01T00:00:00Z"}
    if "rows_limit" in fault:
        body["results"] = body["results"][: int(fault["rows_limit"])]
    if fault.get("extra_fields"):
        body |= {"results::nan!": [[0, 0]], "newField": {"a": [1]}, "warnings": [{"message": "x"}]}
        for one in body["results"]:
            if isinstance(one, dict):
                one["newField"] = {"a": [None]}
    if fault.get("nan"):
        for row in body["results"]:
            if isinstance(row, list) and row:
                row[-1] = float("nan")
    return Reply(200, json.dumps(body, ensure_ascii=False).encode("utf-8", "replace"), reply.headers)
