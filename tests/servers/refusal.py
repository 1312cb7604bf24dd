"""What the server answers when it will not do as asked, in PostHog's own error body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

OFFSET_TEXT = (
    "OFFSET is not supported on queries made with a personal API key. For pagination, use keyset pagination on the "
    "`timestamp` column, e.g. `WHERE timestamp > :last_seen_timestamp ORDER BY timestamp LIMIT N`. For bulk data "
    "extraction, use batch exports: https://posthog.com/docs/cdp/batch-exports"
)


class Refused(Exception):
    """An answer other than the one asked for."""

    def __init__(
        self,
        status: int,
        kind: str,
        code: str,
        detail: str,
        *,
        attr: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.headers = dict(headers or {})
        self.body: dict[str, Any] = {"type": kind, "code": code, "detail": detail, "attr": attr}


def invalid(detail: str, code: str = "query_error", attr: str | None = None) -> Refused:
    """Give the 400 of a query that is not answered."""
    return Refused(400, "validation_error", code, detail, attr=attr)


def not_found(detail: str = "Not found.") -> Refused:
    return Refused(404, "invalid_request", "not_found", detail)


def forbidden(detail: str) -> Refused:
    return Refused(403, "authentication_error", "permission_denied", detail)


def unauthorised(detail: str, code: str) -> Refused:
    return Refused(401, "authentication_error", code, detail, headers={"WWW-Authenticate": "Bearer"})


def not_allowed(method: str) -> Refused:
    return Refused(405, "invalid_request", "method_not_allowed", f'Method "{method}" not allowed.')


def failed(detail: str = "A server error occurred.", code: str = "error", status: int = 500) -> Refused:
    return Refused(status, "server_error", code, detail)
