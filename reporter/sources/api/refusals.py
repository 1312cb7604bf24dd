"""What an answer that is no answer means: an error for a person, and whether asking again can help."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Literal, TypeAlias

from reporter.errors import QuestionFailed, QuestionRefused, QuestionTooLarge, SourceError, SourceUnreadable
from reporter.sources.hogql import ask
from reporter.sources.wire import Answer, Broken, parsed
from reporter.units import clean

Again: TypeAlias = Literal["never", "throttled", "busy", "broken", "unreachable"]
"""Whether a request is worth repeating, and by which rule (`reporter.sources.api.client`)."""

_LONGEST = 400
_BUDGET = "api_queries_budget_exceeded"
_TOO_MUCH = ("too_many_bytes", "memory_limit", "timeout_exceeded", "too_many_rows")
_SIZE = "query size exceeded"
_SCOPES = "Its scopes must hold query:read and llm_analytics:read (PostHog: Settings, Personal API keys)."


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request that was not answered."""

    error: SourceError
    """What to tell if it stays so."""
    again: Again
    wait_s: float | None = None
    """How long the server asks to wait, in seconds; ``None`` where it does not say."""
    missing: bool = False
    """Whether there is nothing at the address (404)."""


def of_answer(answer: Answer, host: str, what: str, now: datetime) -> Refusal:
    """Judge an answer that is no success.

    Args:
        answer: The answer.
        host: Who gave it.
        what: What was asked, in a word or two.
        now: The real time, for `Retry-After` dates.
    """
    body = parsed(answer.body)
    told = body if isinstance(body, Mapping) else {}
    detail, code = _detail(told), str(told.get("code") or "")
    status = answer.status
    subject = f"{host} ({what})"
    refused = _with(f"PostHog refused (HTTP {status})", detail)
    refusal = Refusal(QuestionRefused(refused, subject=subject), "never")
    if status // 100 == 3:
        refusal = Refusal(_moved(answer, host), "never")
    elif status == 429:
        refusal = _throttled(answer, subject, detail, code, now)
    elif status in _PLAIN:
        message, hint = _PLAIN[status]
        error = SourceError(_with(message, detail), subject=host, hint=hint)
        refusal = Refusal(error, "never", missing=status == 404)
    elif status == 403:
        refusal = Refusal(_forbidden(host, detail), "never")
    elif _is_too_much(status, code, detail, told):
        message = _with("PostHog cannot answer this within its limits", detail)
        hint = "Ask for less with --job, --level or --since."
        refusal = Refusal(QuestionTooLarge(message, subject=subject, hint=hint), "never")
    elif status >= 500:
        who = "PostHog" if told else "a server between here and PostHog"
        failure = _with(f"{who} failed (HTTP {status})", detail)
        failed = QuestionFailed(failure, subject=subject, hint="Try again later.")
        again: Again = "busy" if status == 503 and told else "broken"
        refusal = Refusal(failed, again, _retry_after(answer, now) if again == "busy" else None)
    return refusal


def _is_too_much(status: int, code: str, detail: str, told: Mapping[str, Any]) -> bool:
    """Tell whether a smaller question may be answered: time, memory, bytes or length were too much."""
    if status in {413, 512} or code in _TOO_MUCH:
        return True
    return (status == 504 and bool(told)) or (status == 500 and _SIZE in detail.lower())


def of_break(broken: Broken, host: str, what: str) -> Refusal:
    """Judge a request that got no whole answer."""
    if broken.kind == "unreachable":
        error: SourceError = SourceUnreadable(
            f"PostHog cannot be reached: {clean(broken.reason, _LONGEST)}",
            subject=host,
            hint="Check --host, the network and the proxy settings.",
        )
        return Refusal(error, "unreachable")
    if broken.kind == "refused":
        error = SourceUnreadable(
            f"PostHog cannot be read: {clean(broken.reason, _LONGEST)}",
            subject=host,
            hint="Check --host and the proxy; an own certificate authority is named with SSL_CERT_FILE.",
        )
        return Refusal(error, "never")
    # What comes late may come for a smaller question; what breaks off says nothing about the question.
    kind = QuestionFailed if broken.kind == "late" else SourceUnreadable
    message = f"PostHog gave no whole answer: {clean(broken.reason, _LONGEST)}"
    return Refusal(kind(message, subject=f"{host} ({what})", hint="Try again later."), "broken")


def off_contract(client: ask.Asker, what: str, found: str) -> Refusal:
    """Judge an answer that says success and holds something else."""
    return Refusal(ask.off_contract(client, what, found), "broken")


_KEY = (
    "Check POSTHOG_PERSONAL_API_KEY, and that --host is the region the key belongs to "
    "(us.posthog.com, eu.posthog.com)."
)
_PLAIN: Mapping[int, tuple[str, str]] = {
    401: (
        "PostHog does not accept the API key",
        f"{_KEY} {_SCOPES}",
    ),
    402: (
        "the project's quota for API queries is used up",
        "PostHog lifts it with the next billing period, or when billing is set up.",
    ),
    404: (
        "PostHog knows no such project",
        "Check --project-id (the number in the address of your project) and --host.",
    ),
}


def _with(message: str, detail: str) -> str:
    return f"{message}: {detail}" if detail else message


def _detail(told: Mapping[str, Any]) -> str:
    status = told.get("query_status")  # of a query that was answered later
    later = status.get("error_message") if isinstance(status, Mapping) else None
    for found in (told.get("detail"), told.get("error"), told.get("message"), later):
        if isinstance(found, str) and found.strip():
            return clean(found, _LONGEST).rstrip(".")
    return ""


def _moved(answer: Answer, host: str) -> SourceError:
    target = clean(answer.headers.get("location", ""), 200)
    where = f" to {target.split('?')[0]}" if target else ""
    return SourceUnreadable(
        f"it sends on{where}; a key is never sent after a redirect",
        subject=host,
        hint="Give the address PostHog itself has as --host, such as https://us.posthog.com.",
    )


def _forbidden(host: str, detail: str) -> SourceError:
    lowered = detail.lower()
    if "scope" in lowered:
        message = "the API key lacks a scope"
    elif "project" in lowered or "team" in lowered or "organization" in lowered:
        message = "the API key has no access to this project"
    else:
        message = "PostHog does not allow this with the API key"
    return SourceError(_with(message, detail), subject=host, hint=f"{_SCOPES} Check --project-id, too.")


def _throttled(answer: Answer, subject: str, detail: str, code: str, now: datetime) -> Refusal:
    wait_s = _retry_after(answer, now)
    if code == _BUDGET:
        message = _with("the project's hourly budget of bytes read by API queries is used up", detail)
        hint = "It fills again within the hour; run less often, or read a batch export with --source."
    else:
        message, hint = _with("PostHog allows no more queries now", detail), "Try again later."
    return Refusal(SourceError(message, subject=subject, hint=hint), "throttled", wait_s)


def _retry_after(answer: Answer, now: datetime) -> float | None:
    """Read ``Retry-After``: seconds, or a date; ``None`` where it is neither."""
    said = answer.headers.get("retry-after", "").strip()
    try:
        wait_s = float(said)
    except ValueError:
        try:
            moment = parsedate_to_datetime(said)
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        wait_s = (moment - now).total_seconds()
    return max(0.0, wait_s) if wait_s == wait_s and wait_s < 1e9 else None  # noqa: PLR0124 (NaN is not itself)
