"""The models the invented company calls: what they cost, how fast they answer, how they fail.

Prices are plausible, not a price list; error texts are written for this demo.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reporter.sources.demo import timeline

if TYPE_CHECKING:
    import random

    from reporter.sources.demo.traffic import Request


@dataclass(frozen=True, slots=True)
class Model:
    """One model of one provider."""

    name: str
    provider: str
    base_url: str
    input_usd: float
    """Dollars per million input tokens."""
    cached_usd: float
    """Dollars per million input tokens read from the provider's cache."""
    output_usd: float
    """Dollars per million output tokens."""
    wait_s: float
    """Median seconds to the first token."""
    token_s: float
    """Median seconds per output token."""
    system_tokens: int
    """Length of the system prompt, which the provider may hold in its cache; 0 for none."""


MODELS = {
    model.name: model
    for model in (
        Model(
            "claude-sonnet-4-5", "anthropic", "https://api.anthropic.com", 3.0, 0.3, 15.0, 0.82, 0.0135, 2400,
        ),
        Model("gpt-5-mini", "openai", "https://api.openai.com/v1", 0.25, 0.025, 2.0, 0.55, 0.0082, 1536),
        Model(
            "gemini-2.5-flash", "google", "https://generativelanguage.googleapis.com/v1beta",
            0.3, 0.075, 2.5, 0.95, 0.0061, 0,
        ),
        Model("mistral-medium-3", "mistral", "https://api.mistral.ai/v1", 0.4, 0.4, 2.0, 0.9, 0.0098, 0),
        Model(
            "text-embedding-3-small", "openai", "https://api.openai.com/v1", 0.02, 0.02, 0.0, 0.11, 0.0, 0,
        ),
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fault:
    """One way a call fails."""

    status: int | None
    """HTTP status; ``None`` where no answer came."""
    kind: str
    """``$ai_error_type``."""
    error: str | dict[str, Any]
    """``$ai_error``."""
    normalized: str
    """``$ai_error_normalized``: the message without its numbers."""
    seconds: float
    """How long it took to fail."""


_USUAL = 0.011
"""Chance that a call fails in ordinary times."""
_PEAK_HOURS = range(8, 18)
_WEEKEND = 5
_QUOTA_PEAK, _QUOTA_ELSE, _QUOTA_OUTAGE = 0.4, 0.22, 0.9


def fault(rng: random.Random, request: Request, model: Model, day: float) -> Fault | None:
    """Decide whether a call fails, and how.

    Args:
        rng: Random numbers of the trace.
        request: The trace the call belongs to.
        model: The model called.
        day: When, in days after day 0.

    Returns:
        The fault, or ``None`` for a call that succeeds.
    """
    if model.provider == "mistral" and day >= timeline.QUOTA_CUT:
        when = timeline.at(day)
        busy = when.hour in _PEAK_HOURS and when.weekday() < _WEEKEND
        chance = _QUOTA_PEAK if busy else _QUOTA_ELSE
        if timeline.OUTAGE_START <= day < timeline.OUTAGE_END:
            chance = _QUOTA_OUTAGE
        if rng.random() < chance:
            return _rate_limit(rng, model, 40)
    if rng.random() >= _USUAL:
        return None
    pick = rng.random()
    if pick < 0.25:
        message = "Request timed out after 30.0 s"
        seconds = round(30 + rng.random() * 0.4, 3)
        return Fault(None, "APITimeoutError", message, "Request timed out after <n> s", seconds)
    if pick < 0.65:
        return _server_error(rng, request)
    return _rate_limit(rng, model, 500)


def _rate_limit(rng: random.Random, model: Model, quota: int) -> Fault:
    wait = rng.randrange(2, 41)
    return Fault(
        429,
        "RateLimitError",
        f"Rate limit reached for {model.name}: {quota} requests per minute. Try again in {wait} s.",
        f"Rate limit reached for {model.name}: <n> requests per minute. Try again in <n> s.",
        round(0.12 + rng.random() * 0.3, 3),
    )


def _server_error(rng: random.Random, request: Request) -> Fault:
    seconds = round(0.4 + rng.expovariate(0.5), 3)
    ticket = f"{rng.getrandbits(32):08x}"
    if request.topic.feature == "doc-intake":
        error = {"code": 500, "status": "INTERNAL", "message": f"Internal error, ticket {ticket}"}
        return Fault(500, "ServerError", error, "Internal error, ticket <id>", seconds)
    return Fault(
        500, "InternalServerError", f"The server failed while answering (ticket {ticket})",
        "The server failed while answering (ticket <id>)", seconds,
    )  # fmt: skip
