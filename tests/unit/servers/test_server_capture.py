"""A project filled by PostHog's own SDK."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from tests.servers.handle import PostHog

_CAPTURE = """
import sys
from posthog import Posthog

client = Posthog(sys.argv[2], host=sys.argv[1], sync_mode=True, disable_geoip=False, gzip=True)
client.capture("$ai_trace", distinct_id="ann", properties={"$ai_trace_id": 7, "$ai_span_name": "chat"})
client.capture("$ai_generation", distinct_id="ann", properties={
    "$ai_trace_id": 7, "$ai_model": "m", "$ai_input_tokens": 5, "$ai_latency": 0.5, "$ai_usage": {"x": 1},
    "$ai_model_parameters": {"temperature": 0.25}, "$ai_input": [{"role": "user", "content": "hi"}]})
client.shutdown()
"""


def test_what_the_sdk_sends_can_be_asked_for(posthog: PostHog, rows: Any) -> None:
    project = posthog.project([])
    command = [sys.executable, "-c", _CAPTURE, posthog.url, posthog.capture_key(project)]
    subprocess.run(command, check=True, timeout=60, env={"NO_PROXY": "127.0.0.1"})
    sql = """SELECT event, properties.$ai_trace_id, toFloat(properties.$ai_input_tokens), properties.$ai_temperature,
      JSONHas(properties, '$ai_usage'), properties.$ai_input, distinct_id, isNull(properties.$lib) FROM events ORDER BY event"""
    assert rows(project, sql) == [
        ["$ai_generation", "7", 5, "0.25", 0, None, "ann", 0],
        ["$ai_trace", "7", None, None, 0, None, "ann", 0],
    ]
    assert rows(project, "SELECT input FROM posthog.ai_events WHERE event = '$ai_generation'") == [
        ['[{"role":"user","content":"hi"}]']
    ]
