"""What serving a request does: its spans, embeddings, generations, retries and, last, its trace event."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from reporter.sources.demo import timeline
from reporter.sources.demo.models import MODELS, Fault, Model, fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reporter.sources.demo.traffic import Request, User

_LIBRARY = {
    "assistant": ("posthog-python", "7.8.2"),
    "doc-intake": ("posthog-python", "7.8.2"),
    "support-bot": ("posthog-node", "5.20.1"),
}
_TRACE_NAME = {"assistant": "assistant.turn", "doc-intake": "intake.document", "support-bot": "help.reply"}
_TRACED = {"assistant": 0.92, "doc-intake": 0.0, "support-bot": 0.35}
"""Share of traces that end in a trace event."""
_PROMPT = {"assistant": "books-18", "doc-intake": "fields-9", "support-bot": "help-27"}
_RETRIES = 3
_RETRIED = 0.95
_CACHED = 0.55
_REPAIRED = 0.07
_TOOL_FAILS = 0.005
_TAIL = 0.025
"""Share of calls that take far longer than the rest."""


@dataclass(frozen=True, slots=True)
class Event:
    """One captured event."""

    uuid: str
    name: str
    user: User
    at: datetime
    properties: dict[str, Any]


class Teller:
    """Tells one trace: keeps its clock and collects its events."""

    def __init__(self, request: Request) -> None:
        """Begin at the request's start.

        Args:
            request: The trace to tell.
        """
        self.rng = timeline.dice("calls", request.trace_id)
        self.request = request
        self.clock = request.start
        self.effort = math.exp(self.rng.gauss(0, request.topic.sigma))
        self.events: list[Event] = []
        self.failed = False
        self._steps = 0
        feature = request.topic.feature
        library, version = _LIBRARY[feature]
        self._common = {
            "$ai_trace_id": request.trace_id,
            "$ai_session_id": request.session,
            "feature": feature,
            "environment": request.environment,
            "plan": request.user.plan,
            "prompt_version": prompt_version(request),
            "$lib": library,
            "$lib_version": version,
        }

    def event(self, name: str, properties: dict[str, Any]) -> Event:
        """Add an event at the present moment.

        Args:
            name: Event name.
            properties: What it says beside the trace's common properties.

        Returns:
            The event.
        """
        said = self._common | properties
        made = Event(timeline.uuid4(self.rng), name, self.request.user, self.clock, said)
        self.events.append(made)
        return made

    def wait(self, seconds: float) -> None:
        """Let time pass, in whole milliseconds."""
        self.clock += timedelta(milliseconds=round(seconds * 1000))

    def step(self) -> dict[str, str]:
        """Give ids to the next step."""
        self._steps += 1
        tail = self.request.trace_id[-6:]
        return {"$ai_span_id": f"{tail}.{self._steps}", "$ai_parent_id": self.request.trace_id}

    def generate(self, model: Model, span: str, tokens_in: float, tokens_out: float) -> bool:
        """Call a model, again after a failure if the service does so.

        Args:
            model: Model to call.
            span: Name of the step.
            tokens_in: Input tokens to expect.
            tokens_out: Output tokens to expect.

        Returns:
            Whether an answer came.
        """
        for attempt in range(_RETRIES + 1):
            broke = fault(self.rng, self.request, model, timeline.day_of(self.clock))
            self._call(model, span, tokens_in, tokens_out, broke)
            if broke is None:
                return True
            if attempt == _RETRIES or self.rng.random() > _RETRIED:
                break
            self.wait(1.5 * 2**attempt + self.rng.expovariate(0.4))
        self.failed = True
        return False

    def _call(
        self, model: Model, span: str, tokens_in: float, tokens_out: float, broke: Fault | None
    ) -> None:
        rng = self.rng
        said = {
            "$ai_model": model.name,
            "$ai_provider": model.provider,
            "$ai_base_url": model.base_url,
            "$ai_span_name": span,
            **self.step(),
        }
        if broke:
            self.wait(broke.seconds)
            status = {} if broke.status is None else {"$ai_http_status": broke.status}
            self.event("$ai_generation", {
                **said, "$ai_input_tokens": 0, "$ai_output_tokens": 0, "$ai_latency": broke.seconds, **status,
                "$ai_is_error": True, "$ai_error": broke.error, "$ai_error_type": broke.kind,
                "$ai_error_normalized": broke.normalized,
            })  # fmt: skip
            return
        taken = max(20, round(tokens_in * math.exp(rng.gauss(0, 0.12))))
        given = max(4, round(tokens_out * math.exp(rng.gauss(0, 0.2))))
        first = model.wait_s * math.exp(rng.gauss(0, 0.3))
        latency = first + given * model.token_s * math.exp(rng.gauss(0, 0.22))
        if rng.random() < _TAIL:
            latency *= 1.5 + rng.paretovariate(2.2)
        self.wait(latency)
        cached = model.system_tokens if rng.random() < _CACHED else 0
        self.event("$ai_generation", {
            **said,
            **({"$ai_input": self._asked()} if span in ("answer", "reply") else {}),
            "$ai_input_tokens": taken,
            "$ai_output_tokens": given,
            **({"$ai_cache_read_input_tokens": cached} if cached else {}),
            "$ai_latency": round(latency, 3),
            **({"$ai_time_to_first_token": round(first, 3)} if span in ("answer", "reply") else {}),
            "$ai_http_status": 200,
            "$ai_stop_reason": "end_turn" if model.provider == "anthropic" else "stop",
            **costs(model, taken, given, cached),
        })  # fmt: skip

    def embed(self) -> None:
        """Turn the question into a vector."""
        model = MODELS["text-embedding-3-small"]
        tokens = 6 + round(8 * self.effort)
        latency = model.wait_s * math.exp(self.rng.gauss(0, 0.35))
        self.wait(latency)
        self.event("$ai_embedding", {
            "$ai_model": model.name, "$ai_provider": model.provider, "$ai_base_url": model.base_url,
            "$ai_span_name": "embed_question", **self.step(), "$ai_input_tokens": tokens,
            "$ai_latency": round(latency, 3), "$ai_http_status": 200, **costs(model, tokens, 0, 0),
        })  # fmt: skip

    def tool(self, name: str, median_s: float) -> None:
        """Use a tool of the product."""
        latency = median_s * math.exp(self.rng.gauss(0, 0.5))
        broke = self.rng.random() < _TOOL_FAILS
        self.wait(5.0 if broke else latency)
        said: dict[str, Any] = {"$ai_span_name": name, **self.step()}
        said["$ai_latency"] = 5.0 if broke else round(latency, 3)
        if broke:
            said |= {"$ai_is_error": True, "$ai_error": f"{name} gave no answer within 5 s",
                     "$ai_error_type": "ToolTimeout"}  # fmt: skip
        self.event("$ai_span", said)

    def _asked(self) -> list[dict[str, str]]:
        return [{"role": "user", "content": self.request.topic.asks[self.request.ask]}]


def tell(request: Request) -> list[Event]:
    """Serve one request.

    Args:
        request: The request.

    Returns:
        Its events in the order they were captured, the optional trace event last.
    """
    teller = Teller(request)
    topic, rng = request.topic, teller.rng
    model = MODELS[topic.model]
    tokens_in, tokens_out = topic.tokens_in * teller.effort, topic.tokens_out * teller.effort**0.8
    if topic.key == "vat" and timeline.day_of(request.start) >= timeline.PROMPT_CHANGED:
        tokens_in *= timeline.PROMPT_FACTOR
    if topic.feature == "doc-intake":
        teller.tool("render_pages", 0.35 * teller.effort)
        answered = teller.generate(model, "extract", tokens_in, tokens_out)
        if answered and rng.random() < _REPAIRED:
            teller.generate(model, "repair", tokens_in * 0.6, tokens_out)
    elif topic.feature == "assistant":
        if topic.lookups == 0 or rng.random() < 0.35:
            teller.embed()
        lookups = topic.lookups and max(1, round(topic.lookups * math.exp(rng.gauss(0, 0.35))))
        if lookups > 1:
            teller.generate(MODELS["gpt-5-mini"], "plan", 3200 * teller.effort, 90)
        for _ in range(lookups):
            teller.tool("query_ledger", 0.24)
        teller.generate(model, "answer", tokens_in, tokens_out)
    else:
        teller.embed()
        for _ in range(topic.lookups):
            teller.tool("connection_status", 0.4)
        teller.generate(model, "reply", tokens_in, tokens_out)
    _close(teller)
    return teller.events


def extras(request: Request, events: list[Event]) -> Iterator[Event]:
    """Add what users do around a trace: thumbs, comments, page views.

    Args:
        request: The request.
        events: Its events.

    Yields:
        A few further events, for a small part of all traces.
    """
    rng = timeline.dice("extras", request.trace_id)
    common = {key: events[0].properties[key] for key in ("$ai_trace_id", "$ai_session_id", "feature", "plan")}
    later = events[-1].at + timedelta(seconds=round(4 + rng.expovariate(0.05)))
    chance = rng.random()
    if chance < 0.02:
        comment = rng.choice(("thanks, that helped", "not what I asked", "quick!", "please keep it shorter"))
        said = common | {"$ai_feedback_text": comment}
        yield Event(timeline.uuid4(rng), "$ai_feedback", request.user, later, said)
    elif chance < 0.045:
        thumb = {"$ai_metric_name": "thumb", "$ai_metric_value": int(rng.random() < 0.8)}
        yield Event(timeline.uuid4(rng), "$ai_metric", request.user, later, common | thumb)
    elif chance > 0.985:
        page = rng.choice(("invoices", "bank", "documents", "reports", "settings/plan"))
        url = {"$current_url": f"https://app.tallyfern.example/{page}"}
        yield Event(timeline.uuid4(rng), "$pageview", request.user, later, url)


def prompt_version(request: Request) -> str:
    """Name the prompt that served a request."""
    if request.topic.key == "vat":
        return "tax-7" if timeline.day_of(request.start) < timeline.PROMPT_CHANGED else "tax-8"
    return _PROMPT[request.topic.feature]


def costs(model: Model, tokens_in: int, tokens_out: int, cached: int) -> dict[str, Any]:
    """Price a call.

    Args:
        model: The model.
        tokens_in: Input tokens, cached ones included.
        tokens_out: Output tokens.
        cached: Input tokens read from the cache; at most `tokens_in` of them count.

    Returns:
        The cost properties, in dollars to 8 decimals.
    """
    cached = min(cached, tokens_in)
    paid = round(((tokens_in - cached) * model.input_usd + cached * model.cached_usd) / 1e6, 8)
    out = round(tokens_out * model.output_usd / 1e6, 8)
    return {
        "$ai_input_cost_usd": paid,
        "$ai_output_cost_usd": out,
        "$ai_total_cost_usd": round(paid + out, 8),
    }


def _close(teller: Teller) -> None:
    """End the trace with its own event, if the service sends one."""
    feature = teller.request.topic.feature
    if teller.rng.random() >= _TRACED[feature]:
        return
    teller.wait(0.01 + teller.rng.random() * 0.03)
    name = _TRACE_NAME[feature]
    passed = (teller.clock - teller.request.start).total_seconds()
    said: dict[str, Any] = {"$ai_span_name": name, "$ai_trace_name": name, "$ai_latency": round(passed, 3)}
    if teller.failed:
        said["$ai_is_error"] = True
    teller.event("$ai_trace", said)
