"""Invents an export: ``events.py FILE EVENTS JOBS RUNS CLUSTERS ITEMS``, weekly runs over one stream of traces."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta

import duckdb

WEEK_S = 7 * 86_400
END = datetime(2026, 11, 22, tzinfo=UTC)


def run(job: int, week: int, spread: float, clusters: int, items: int) -> tuple[str, str, str, datetime, str]:
    """Invent one run: its items are traces of its week, its topics those of its job."""
    job_id = f"019db7a4-1f60-7c1e-9a55-0d3c7be2{1000 + job}"
    end = END - timedelta(days=7 * week)
    first, step = int(week * WEEK_S / spread), max(1, int(WEEK_S / spread / items))
    keys = [f"trace-{first + 1 + job + step * item}" for item in range(items)]
    listed = [
        {"cluster_id": c, "size": len(keys[c::clusters]), "title": f"Topic {chr(97 + c % 26) * 5} {c} of job {job}",
         "description": "What people ask about it", "traces": {
             key: {"rank": rank, "distance_to_centroid": 0.1, "x": c + rank * 0.01, "y": c % 7 - rank * 0.01}
             for rank, key in enumerate(keys[c::clusters])}}
        for c in range(clusters)
    ]  # fmt: skip
    properties = {
        "$ai_clustering_run_id": f"1_trace_{end:%Y%m%d_%H%M%S}_{job_id}", "$ai_clustering_level": "trace",
        "$ai_window_start": (end - timedelta(days=7)).isoformat(), "$ai_window_end": end.isoformat(),
        "$ai_clustering_job_id": job_id, "$ai_clustering_job_name": f"Job {job}",
        "$ai_total_items_analyzed": items, "$ai_clustering_params": {"max_samples": items}, "$ai_clusters": listed,
    }  # fmt: skip
    uuid = f"00000000-0000-4000-8000-{job:04d}{week:08d}"
    emitted = (end + timedelta(minutes=20)).replace(tzinfo=None)
    return uuid, "$ai_trace_clusters", "posthog", emitted, json.dumps(properties)


def main() -> None:
    """Write the file."""
    path = sys.argv[1]
    events, jobs, runs, clusters, items = map(int, sys.argv[2:])
    spread = 13 * WEEK_S * 4 / events
    engine = duckdb.connect()
    engine.execute(f"""CREATE TABLE e AS SELECT CAST(CAST(md5('u' || i) AS UUID) AS VARCHAR) AS uuid,
        CASE WHEN i % 5 = 0 THEN '$ai_trace' WHEN i % 7 = 0 THEN '$ai_span' ELSE '$ai_generation' END AS event,
        'user-' || (i % 5000) AS distinct_id,
        TIMESTAMP '2026-11-22 00:00:00' - to_microseconds(CAST((i // 4) * {spread} * 1e6 AS BIGINT)) AS timestamp,
        '{{"$ai_trace_id":"trace-' || (i // 4) || '","$ai_model":"gpt-5-mini","$ai_provider":"openai",'
        || '"$ai_total_cost_usd":' || ((hash(i) % 1000) / 50000.0) || ',"$ai_latency":' || ((hash(i + 7) % 300) / 100.0)
        || ',"$ai_input_tokens":' || (hash(i) % 4000) || ',"$ai_output_tokens":' || (i % 900) || ',"$ai_is_error":'
        || CASE WHEN hash(i) % 41 = 0 THEN 'true' ELSE 'false' END || ',"$ai_error":"boom ' || (i % 7)
        || '","$ai_input":"' || repeat('what was said ', 20) || '"}}' AS properties FROM range({events}) t(i)""")
    made = [run(job, week, spread, clusters, items) for job in range(jobs) for week in range(runs)]
    engine.executemany("INSERT INTO e VALUES (?, ?, ?, ?, ?)", made)
    engine.execute(
        f"COPY (SELECT *, '{{}}' AS person_properties, timestamp AS created_at FROM e ORDER BY timestamp) "
        f"TO '{path}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 100000)"
    )


if __name__ == "__main__":
    main()
