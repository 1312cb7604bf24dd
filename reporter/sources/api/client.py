"""Asking PostHog politely: few requests at a time, spaced repeats, an end in time.

Only GET and POST to ``/query/`` are ever sent. The rules are PostHog's own (its limits and what its errors
mean); a question that is too large is never repeated as it is, since whoever asked can ask for less.
"""

from __future__ import annotations

import json
import re
import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import BoundedSemaphore, Lock
from typing import Any, Final

from reporter.errors import QuestionFailed, SourceError
from reporter.sources.api.refusals import Again, Refusal, of_answer, of_break, off_contract
from reporter.sources.hogql.pairs import IN_FLIGHT
from reporter.sources.wire import Answer, Broken, Wire, parsed, unsaid
from reporter.units import plural

_TRIES: Mapping[Again, int] = {"never": 1, "throttled": 9, "busy": 5, "broken": 2, "unreachable": 3}
"""How often a request may go wrong in one way before it is given up."""
_SPACING_S = 6.0
"""PostHog gives a repeat within 5 s the answer of the request it repeats."""
_BACK_OFF_S = (5.0, 10.0, 20.0, 30.0)
_RECONNECT_S = (1.0, 3.0)
_POLL_S = 1.0
_QUERY_ID = re.compile(r"[0-9A-Za-z_-]{1,128}", re.ASCII)
_BYTES = re.compile(r"-?[0-9]{1,18}", re.ASCII)
_LEAST_S = 0.5
"""Time that must be left for a request to be worth sending."""
MOST_SKEW: Final = timedelta(minutes=2)
"""Clocks that are not further apart than this agree."""
_CENTURY = timedelta(days=36_525)


class Client:
    """PostHog's API for one project."""

    system: Final = "PostHog"

    def __init__(
        self,
        host: str,
        project_id: str,
        key: Callable[[], str],
        *,
        timeout_s: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        say: Callable[[str], None] = lambda _: None,
        skewed: Callable[[timedelta], None] = lambda _: None,
    ) -> None:
        """Prepare; nothing is sent yet.

        Args:
            host: Where PostHog is.
            project_id: Number of the project.
            key: Gives the personal API key.
            timeout_s: Longest time all requests together may take, waits included, in seconds.
            clock: Seconds that only grow.
            sleep: Waits for so many seconds.
            say: Told, in one line, why it waits.
            skewed: Told, once, how far this machine's clock is ahead of the server's, if they do not agree.
        """
        self.host = host.rstrip("/")
        self.project_id = project_id
        self.answers = 0
        """Answers that came, refusals included."""
        self.bytes_read = 0
        """Bytes PostHog says it read to answer."""
        self.budget_left: int | None = None
        """Bytes PostHog says it may still read for this project's queries; ``None`` if it did not say."""
        self.skew: timedelta | None = None
        """How far this machine's clock is ahead of the server's, by the last answer that told its time."""
        self._wire = Wire(host, key, clock=clock)
        self._key = key
        self._clock, self._sleep, self._say, self._skewed = clock, sleep, say, skewed
        self._until = clock() + timeout_s
        self._timeout_s = timeout_s
        self._places = BoundedSemaphore(IN_FLIGHT)
        self._lock = Lock()
        self._not_before = 0.0
        self._scopes = ["projects", "environments"]

    def close(self) -> None:
        """Close all connections; may be called twice."""
        self._wire.close()

    def moment(self) -> datetime:
        """Give the present moment, aware UTC: by the server's clock, where this machine's does not agree."""
        here = datetime.now(UTC)
        return here if self.skew is None or abs(self.skew) <= MOST_SKEW else here - self.skew

    def spent(self) -> str:
        """Say in a sentence how much was asked, and what it cost of the project's budget."""
        said = f"PostHog answered {plural(self.answers, 'request').lower()}"
        if self.bytes_read:
            said += f" and read {self.bytes_read / 1e6:,.0f} MB for them"
        if self.budget_left is not None:
            said += f"; {self.budget_left / 1e9:,.1f} GB of the hourly budget are left"
        return said

    def query(self, question: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        """Put one query and give its answer.

        Args:
            question: A ``HogQLQuery``, ``TracesQuery`` or ``TraceQuery``.
            name: What it is for; PostHog's log of queries shows it.

        Raises:
            QuestionTooLarge: It is beyond PostHog's limits.
            QuestionRefused: PostHog will not answer it as it was asked.
            SourceError: The key, the project, the network or the time allowed.
        """

        def content() -> bytes:
            body = {
                "query": question,
                "refresh": "force_blocking",
                "name": f"reporter:{name}",
                "client_query_id": uuid.uuid4().hex,
            }
            return json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")

        with self._places:
            answer = self._asked("POST", "query/", content, name)
            status = answer.get("query_status")
            return self._polled(status, name) if isinstance(status, Mapping) else answer

    def get(self, path: str, name: str, *, below_project: bool = True) -> Any:
        """Read one resource.

        Args:
            path: Path below the project, or below ``/api/``.
            name: What it is, for errors.
            below_project: Whether the path is one of the project.

        Raises:
            SourceError: As `query` does.
        """
        return self._asked("GET", path, None, name, below_project=below_project)

    def _asked(
        self,
        method: str,
        path: str,
        content: Callable[[], bytes] | None,
        name: str,
        *,
        below_project: bool = True,
        later: bool = False,
    ) -> Any:
        """Send a request until it is answered, repeating it by the rules.

        Args:
            method: ``GET`` or ``POST``.
            path: As for `get`.
            content: Makes what to send, anew each time.
            name: What it is, for errors.
            below_project: As for `get`.
            later: Whether it asks for the answer of an earlier query, which PostHog may have lost.
        """
        tries: Counter[Again] = Counter()
        while True:
            found = self._once(method, path, content, name, below_project=below_project)
            if not isinstance(found, Refusal):
                return found
            if found.missing and later:
                lost = "PostHog lost the query before it was answered"
                raise QuestionFailed(lost, subject=f"{self.host} ({name})", hint="Try again later.")
            tries[found.again] += 1
            if tries[found.again] >= _TRIES[found.again]:
                raise found.error
            self._wait(found, tries[found.again])

    def _wait(self, refusal: Refusal, tries: int) -> None:
        """Wait as long as the server asks, or as manners do.

        Raises:
            SourceError: There is not so much time left.
        """
        wait_s = {
            "throttled": _BACK_OFF_S[min(tries, len(_BACK_OFF_S)) - 1],
            "busy": _BACK_OFF_S[min(tries, len(_BACK_OFF_S)) - 1],
            "unreachable": _RECONNECT_S[min(tries, len(_RECONNECT_S)) - 1],
        }.get(refusal.again, _SPACING_S)
        if refusal.wait_s is not None:
            wait_s = max(refusal.wait_s, _LEAST_S)
        moment = self._clock() + wait_s
        if moment > self._until - _LEAST_S:
            error = refusal.error
            left = max(0.0, self._until - self._clock())
            message = f"{error.message}; it asks to wait {wait_s:.0f} s, and --timeout leaves {left:.0f} s"
            if refusal.wait_s is None:
                message = f"{error.message}; --timeout leaves no time to try again"
            raise type(error)(message, subject=error.subject, hint=error.hint)
        self._say(f"{refusal.error.message}; trying again in {wait_s:.0f} s")
        if refusal.again == "throttled":
            with self._lock:  # the limit is the project's: everybody waits
                self._not_before = max(self._not_before, moment)
        self._sleep(wait_s)

    def _once(
        self, method: str, path: str, content: Callable[[], bytes] | None, name: str, *, below_project: bool
    ) -> Any:
        """Send a request once; gives the parsed answer or a `Refusal`.

        An older server knows projects as environments; which name answers is found out by the first request.
        """
        if not below_project:
            return self._exchanged(method, f"/api/{path}", content, name)
        first, *others = self._scopes
        found = self._exchanged(method, f"/api/{first}/{self.project_id}/{path}", content, name)
        for other in others:
            if not (isinstance(found, Refusal) and found.missing):
                break
            second = self._exchanged(method, f"/api/{other}/{self.project_id}/{path}", content, name)
            if isinstance(second, Refusal) and second.missing:
                return found
            found, first = second, other
        if not isinstance(found, Refusal):
            self._scopes = [first]
        return found

    def _pause(self) -> None:
        """Wait while the project is throttled.

        Raises:
            SourceError: The time allowed is over.
        """
        while (left := self._until - self._clock()) >= _LEAST_S:
            with self._lock:
                wait_s = self._not_before - self._clock()
            if wait_s <= 0:
                break
            self._sleep(min(wait_s, left))  # another answer may ask for more meanwhile
        else:
            raise SourceError(
                f"the run took longer than {self._timeout_s:g} s and was stopped",
                subject="--timeout",
                hint="Allow more with --timeout SECONDS, or ask for less with --job, --level or --since.",
            )

    def _exchanged(self, method: str, path: str, content: Callable[[], bytes] | None, name: str) -> Any:
        self._pause()
        try:
            answer = self._wire.exchange(
                method, path, content() if content else None, self._until - self._clock()
            )
        except Broken as broken:
            return self._told(of_break(broken, self.host, name))
        self._note(answer)
        if not 200 <= answer.status < 300:
            return self._told(of_answer(answer, self.host, name, datetime.now(UTC)))
        found = parsed(answer.body)
        if isinstance(found, Mapping) or (method == "GET" and isinstance(found, list)):
            return found
        return off_contract(self, name, "no JSON" if found is None else "JSON of another shape")

    def _told(self, refusal: Refusal) -> Refusal:
        """Take the key out of what an error quotes."""
        error = refusal.error
        clear = type(error)(self.unsaid(error.message), subject=error.subject, hint=error.hint)
        return replace(refusal, error=clear)

    def unsaid(self, text: str) -> str:
        r"""Take the key out of a text that PostHog sent.

        It is out of every answer already, but an answer may spell it otherwise: as ``\u0070hx``, or with
        letters between that are not printed.
        """
        return unsaid(text, self._key())

    def _note(self, answer: Answer) -> None:
        from email.utils import parsedate_to_datetime

        read = answer.headers.get("x-posthog-query-bytes-read", "")
        left = answer.headers.get("x-posthog-query-budget-remaining-bytes", "")
        with self._lock:
            self.answers += 1
            if _BYTES.fullmatch(read):
                self.bytes_read += max(0, int(read))
            if _BYTES.fullmatch(left):
                self.budget_left = int(left)
            try:
                told = parsedate_to_datetime(answer.headers.get("date", ""))
                skew = datetime.now(UTC) - (told if told.tzinfo else told.replace(tzinfo=UTC))
            except (ValueError, TypeError, IndexError, OverflowError):
                return
            if abs(skew) > _CENTURY:
                return  # what a server sends is no time just because it is written like one
            self.skew = skew
            if abs(skew) <= MOST_SKEW:
                return
            skewed, self._skewed = self._skewed, lambda _: None
        skewed(skew)

    def _polled(self, status: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        """Wait for a query the server chose to answer later."""
        while not status.get("complete"):
            query_id = str(status.get("id") or "")
            if not _QUERY_ID.fullmatch(query_id):
                raise off_contract(self, name, "a query without an id").error
            self._sleep(min(_POLL_S, max(0.0, self._until - self._clock())))
            found = self._asked("GET", f"query/{query_id}/", None, name, later=True)
            inner = found.get("query_status") if isinstance(found, Mapping) else None
            if not isinstance(inner, Mapping):
                raise off_contract(self, name, "a query without a status").error
            status = inner
        results = status.get("results")
        if status.get("error") or not isinstance(results, Mapping):
            said = json.dumps({"detail": str(status.get("error_message") or "the query failed")}).encode()
            raise self._told(of_answer(Answer(400, {}, said), self.host, name, datetime.now(UTC))).error
        return results
