"""Each question to a store of events, spelled for every engine it is asked of.

SQL text only: nothing here runs or reads anything. What an engine needs spelled its own way lies in a module
of its name; what all of them share lies here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reporter.sources.base import CALL_EVENTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reporter.model import Level

ERROR_CHARS = 20_000
"""Characters kept of an error before its message is looked for."""

HEADER_PROPERTIES = (
    "$ai_clustering_run_id",
    "$ai_clustering_level",
    "$ai_clustering_job_id",
    "$ai_clustering_job_name",
    "$ai_window_start",
    "$ai_window_end",
    "$ai_total_items_analyzed",
    "$ai_total_traces_analyzed",
    "$ai_clustering_params",
)
"""Properties of a run's event that make its header."""

SUMMARY_EVENTS: Mapping[Level, tuple[str, str]] = {
    "trace": ("$ai_trace_summary", "$ai_trace_id"),
    "generation": ("$ai_generation_summary", "$ai_generation_id"),
}
"""Level → the event that holds what was written of an item, and the property that holds its key."""

TRACE_EVENTS = (*CALL_EVENTS, "$ai_trace")
"""Events that make up a trace when it is shown."""

FIELDS: Mapping[str, str] = {
    "trace_id": "$ai_trace_id",
    "cost": "$ai_total_cost_usd",
    "latency": "$ai_latency",
    "tokens_in": "$ai_input_tokens",
    "tokens_out": "$ai_output_tokens",
    "tokens_cached": "$ai_cache_read_input_tokens",
    "is_error": "$ai_is_error",
    "error": "$ai_error",
    "http_status": "$ai_http_status",
    "model": "$ai_model",
    "provider": "$ai_provider",
    "trace_name": "$ai_trace_name",
    "span_name": "$ai_span_name",
    "evaluation_name": "$ai_evaluation_name",
    "evaluation_runtime": "$ai_evaluation_runtime",
    "applicable": "$ai_evaluation_applicable",
    "result": "$ai_evaluation_result",
    "target": "$ai_target_event_id",
    "run_id": "$ai_clustering_run_id",
}
"""Figure → the property it is read from."""


def literals(words: tuple[str, ...]) -> str:
    """Write words of our own (never data) as a list of SQL literals."""
    return ", ".join(f"'{word}'" for word in words)
