"""Judges of the demo: two models that read answers, two rules that need none."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from reporter.sources.demo import timeline
from reporter.sources.demo.calls import Event, costs
from reporter.sources.demo.models import MODELS
from reporter.sources.demo.themes import ODD

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reporter.sources.demo.traffic import Request


@dataclass(frozen=True, slots=True)
class Judge:
    """One configured evaluation."""

    id: str
    name: str
    runtime: str
    """``llm_judge`` or ``hog``."""
    theme: str
    features: tuple[str, ...]
    sampled: float
    """Share of answers it looks at."""
    not_applicable: float
    failing: float
    """Share of failures among applicable answers."""
    reasons: tuple[str, str, str]
    """What it says on pass, fail and not applicable."""


@dataclass(frozen=True, slots=True)
class Judged:
    """An evaluation event with what it is about."""

    event: Event
    target: Event
    request: Request
    judge: Judge
    theme: str


_JUDGES = (
    Judge(
        "019c7f10-44a2-7b1c-8d35-6e20b9f14201", "Grounded in the books", "llm_judge", "grounded",
        ("assistant",), 0.72, 0.12, 0.13,
        ("Every amount appears in the ledger excerpt.", "The amount named is not in the ledger excerpt.",
         "The answer names no amount or date."),
    ),
    Judge(
        "019c7f10-44a3-7e88-b2c6-14d7a05f4202", "Clear and polite", "llm_judge", "polite",
        ("support-bot",), 0.8, 0.02, 0.2,
        ("Friendly, short and easy to follow.", "Curt, and full of terms a customer may not know.",
         "The message was not a question."),
    ),
    Judge(
        "019c7f10-44a4-7920-9e5b-c80f3b2d4203", "Fields complete", "hog", "fields",
        ("doc-intake",), 0.55, 0.0, 0.17,
        ("all required fields present", "required field empty", "no document"),
    ),
    Judge(
        "019c7f10-44a5-74d1-a7f0-52e96c814204", "No account numbers", "hog", "private",
        ("assistant", "support-bot"), 0.14, 0.0, 0.015,
        ("no match", "matched account pattern", "empty text"),
    ),
)  # fmt: skip
_TAX = ("vat", "einvoice", "yearend")
_SHORT = ("receipts", "delivery")
_SEEN_AS_ODD = 0.9
"""Share of one-off requests whose evaluations read oddly too."""


def evaluate(request: Request, events: Sequence[Event]) -> Iterator[Judged]:
    """Judge a trace's last answer.

    Args:
        request: The request.
        events: Its events.

    Yields:
        One evaluation for each judge that sampled the answer; none before evaluations were switched on.
    """
    answers = [
        each for each in events if each.name == "$ai_generation" and "$ai_is_error" not in each.properties
    ]
    if not answers or timeline.day_of(answers[-1].at) < timeline.EVALUATED_SINCE:
        return
    target = answers[-1]
    rng = timeline.dice("evaluation", request.trace_id)
    for judge in _JUDGES:
        if request.topic.feature not in judge.features or rng.random() >= judge.sampled:
            continue
        applicable = rng.random() >= judge.not_applicable
        passed = rng.random() >= judge.failing
        verdict = 2 if not applicable else 0 if passed else 1
        said: dict[str, Any] = {
            "$ai_trace_id": request.trace_id,
            "$ai_session_id": request.session,
            "feature": request.topic.feature,
            "environment": request.environment,
            "$ai_evaluation_id": judge.id,
            "$ai_evaluation_name": judge.name,
            "$ai_evaluation_runtime": judge.runtime,
            "$ai_evaluation_type": "online",
            "$ai_target_event_id": target.uuid,
            "$ai_target_event_type": "$ai_generation",
            "$ai_evaluation_applicable": applicable,
            **({"$ai_evaluation_result": passed} if applicable else {}),
            "$ai_evaluation_reasoning": judge.reasons[verdict],
        }
        if judge.runtime == "llm_judge":
            model = MODELS["gpt-5-mini"]
            read = round(620 * math.exp(rng.gauss(0, 0.3)))
            wrote = round(70 * math.exp(rng.gauss(0, 0.3)))
            said |= {
                "$ai_model": model.name, "$ai_provider": model.provider, "$ai_input_tokens": read,
                "$ai_output_tokens": wrote, "$ai_latency": round(0.6 + wrote * model.token_s, 3),
                "$ai_total_cost_usd": costs(model, read, wrote, 0)["$ai_total_cost_usd"],
            }  # fmt: skip
        moment = target.at + timedelta(milliseconds=round(40_000 + rng.expovariate(1 / 90_000)))
        event = Event(timeline.uuid4(rng), "$ai_evaluation", request.user, moment, said)
        odd = request.topic.key.startswith(ODD) and rng.random() < _SEEN_AS_ODD
        yield Judged(event, target, request, judge, ODD if odd else _theme(judge, request, verdict))


def _theme(judge: Judge, request: Request, verdict: int) -> str:
    outcome = ("pass", "fail", "na")[verdict]
    kind = ""
    if judge.theme == "grounded" and outcome == "pass":
        kind = "-tax" if request.topic.key in _TAX else "-money"
    if judge.theme == "fields" and outcome == "pass":
        kind = "-small" if request.topic.key in _SHORT else "-long"
    return f"{judge.theme}{kind}-{outcome}"
