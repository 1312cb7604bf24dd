"""Who runs a statement: a server over HTTP, or the engine embedded in this process. Both answer JSON."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Mapping
from importlib import import_module
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlencode

from reporter.errors import QuestionFailed, SourceError, SourceUnreadable
from reporter.sources.wire import Broken, Wire, unsaid

if TYPE_CHECKING:
    from reporter.sources.clickhouse.address import Address

SETTINGS: Mapping[str, str] = {
    # Read and nothing else; the settings below may still be set.
    "readonly": "2",
    "max_execution_time": "60",
    # What a statement of ours means, whatever the server's profile says.
    "transform_null_in": "1",
    "join_use_nulls": "0",
    "aggregate_functions_null_for_empty": "0",
    "distributed_product_mode": "global",
    "max_query_size": "20000000",
    "max_ast_elements": "4000000",
    "max_expanded_ast_elements": "4000000",
    # How answers are written.
    "date_time_output_format": "iso",
    "output_format_json_quote_64bit_integers": "0",
    "output_format_json_quote_denormals": "1",
    "output_format_json_named_tuples_as_objects": "0",
}
_FORMAT = "JSONCompact"
_LEAST_S = 0.5
_TRIES = 2
_GOOD = 200


class Refused(Exception):
    """The engine ran a statement and failed at it; the text is its own."""


class Engine(Protocol):
    """Whoever runs a statement."""

    def run(self, sql: str) -> bytes:
        """Run a statement; gives the answer as ``JSONCompact``.

        Raises:
            Refused: The engine would not.
            SourceError: It cannot be reached, or may not be asked.
        """

    def unsaid(self, text: str) -> str:
        """Take the password out of a text."""

    def close(self) -> None:
        """Close what is open; may be called twice."""


class Server:
    """A server, or whatever stands before a cluster, over HTTP."""

    def __init__(
        self,
        address: Address,
        password: Callable[[], str],
        *,
        timeout_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare; nothing is sent yet.

        Raises:
            SourceError: Certificates named in the environment cannot be read.
        """

        def signed(secret: str) -> str:
            return "Basic " + base64.b64encode(f"{address.user}:{secret}".encode()).decode()

        self._shown = address.shown
        self._password = password
        self._clock = clock
        self._until = clock() + timeout_s
        self._timeout_s = timeout_s
        self._wire = Wire(address.place, password, signed=signed, clock=clock)
        # An error that comes midway must not look like the end of an answer.
        asked = {"default_format": _FORMAT, "wait_end_of_query": "1", **SETTINGS}
        self._path = f"/?{urlencode(asked)}"

    def run(self, sql: str) -> bytes:
        """Run a statement; a connection that breaks is tried once more."""
        for last in range(1, _TRIES + 1):
            left_s = self._until - self._clock()
            if left_s < _LEAST_S:
                raise SourceError(
                    f"ClickHouse took longer than {self._timeout_s:g} s in all",
                    subject=self._shown,
                    hint="Allow more with --timeout SECONDS, or ask for less with --job, --level or --since.",
                )
            try:
                answer = self._wire.exchange("POST", self._path, sql.encode(), left_s)
            except Broken as broken:
                if last < _TRIES and broken.kind in ("unreachable", "broken"):
                    continue
                raise _lost(broken, self._shown) from None
            if answer.status == _GOOD:
                return answer.body
            raise Refused(answer.body.decode("utf-8", "replace") or f"HTTP {answer.status}")
        raise AssertionError  # pragma: no cover -- the last try returns or raises

    def unsaid(self, text: str) -> str:
        """Take the password out of a text."""
        return unsaid(text, self._password())

    def close(self) -> None:
        """Close all connections."""
        self._wire.close()


class Embedded:
    """ClickHouse in this process, over the tables of a folder."""

    def __init__(self, session: Any) -> None:
        """Take an open session."""
        self._session = session
        self._lock = Lock()
        for name, value in SETTINGS.items():
            if name != "readonly":  # a session's owner is nobody to be kept from writing
                self._session.query(f"SET {name} = '{value}'")

    def run(self, sql: str) -> bytes:
        """Run a statement, one at a time."""
        with self._lock:
            try:
                return bytes(self._session.query(sql, _FORMAT).bytes())
            except Exception as error:
                # The engine gives what a failed statement had begun to write with the next answer.
                self._session.query("SELECT 1", _FORMAT)
                raise Refused(str(error)) from error

    def unsaid(self, text: str) -> str:
        """Give the text: there is no password."""
        return text

    def close(self) -> None:
        """Leave the session to whoever opened it."""


def embedded(address: Address) -> Embedded:
    """Open the embedded engine over a folder.

    Raises:
        SourceError: The engine is not installed.
    """
    try:
        sessions: Any = import_module("chdb.session")
    except ImportError as error:
        raise SourceError(
            "the embedded engine is not installed", subject="chdb", hint="Run `pip install chdb`."
        ) from error
    return Embedded(sessions.Session(address.place) if address.place else sessions.Session())


def _lost(broken: Broken, shown: str) -> SourceError:
    message = f"ClickHouse cannot be asked: {broken.reason}"
    hint = "Check host and port in --source: the port of the HTTP interface, 8443, or 8123 without TLS."
    if broken.kind == "late":
        return QuestionFailed(message, subject=shown, hint="Try again later, or ask for less.")
    return SourceUnreadable(message, subject=shown, hint=hint)
