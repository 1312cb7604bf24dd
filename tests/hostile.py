"""A project whose every text, figure and id means harm: markup, formulas, escapes, template syntax, huge numbers."""

from __future__ import annotations

import json
import random
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.events import JOB, NOW, Project, job_list

TEXTS = (
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "</title></style></script><svg onload=alert(2)><style>@import url(http://127.0.0.1:9/x)</style>",
    "{{ 7*7 }}{% for x in [].__class__.__mro__ %}x{% endfor %}{# c #}",
    "file:///etc/passwd http://169.254.169.254/latest url(http://127.0.0.1:9/a)",
    '=HYPERLINK("http://127.0.0.1:9/","x")',
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "+1-1 \t=1+1",
    "-2+3",
    "\x1b[31mred\x1b]0;owned\x07\x1b]8;;http://127.0.0.1:9\x07link\x9b31m",
    "\u202egnp.exe\u2066abc\u2069 \u200b\u200d\ufeff zero",
    "nul\x00inside\ud800lone",
    "A" * 3000,
    "no-break-" + "x" * 1500,
    "![x](http://127.0.0.1:9/x.png) [a](javascript:alert(1)) `code` | pipe | \n# heading\n- list",
    "&lt;b&gt; &amp; &#x3c;script&#x3e; ]]> <![CDATA[ <!-- --> <?php ?>",
    "$(touch pwned) `id` ; rm -rf / && %s %d %n ${jndi:ldap://x}",
    "🏳️‍🌈👨‍👩‍👧‍👦 日本語 العربية \u0301\u0301\u0301\u0301\u0301\u0301\u0301",
    "\n\r\nBcc: a@b.c\r\n\r\nbody",
    "\u2028\u2029line sep",
    "' OR 1=1 -- \\' \" ; DROP TABLE ai; $x {v0} {filters} properties.$ai_model",
)
COSTS: tuple[Any, ...] = (
    -1, 1e308, "1e309", "NaN", "-inf", "abc", True, [], {}, None, "0x10", "1_000", 1e-320, -1e308,
)  # fmt: skip
LATENCIES: tuple[Any, ...] = (-5, 1e300, "Infinity", "", " 3 ", "\uff13", [1], 1e-320)
TOKENS: tuple[Any, ...] = (-5, 1e300, 2**70, "9" * 400, 0.5, "١٢")
STATUSES: tuple[Any, ...] = (500, "429", -1, 10**30, "NaN", [], None, True)


def project(seed: int = 1, clusters: int = len(TEXTS), weeks: int = 2) -> Project:
    """Give two jobs' runs, prior and latest, of which nothing can be trusted."""
    made = Project(seed)
    for job in range(2):
        for week in range(weeks):
            keys = [
                [f"{TEXTS[c % len(TEXTS)][:1500]}#{week}-{job}-{c}-{rank}" for rank in range(12)]
                for c in range(clusters)
            ]
            made.run(
                NOW - timedelta(days=1 + 7 * week),
                [12] * clusters,
                job=_job(job),
                name=TEXTS[job + 3] * 2,
                titles=[TEXTS[c % len(TEXTS)] for c in range(clusters)],
                keys=keys,
            )
    rng = random.Random(seed)
    for event in made.events:
        _spoil(event, rng)
    return made


def _job(number: int) -> str:
    return JOB[:-1] + str(number)


def _spoil(event: dict[str, Any], rng: random.Random) -> None:
    said = event["properties"]
    if event["event"].endswith("_clusters"):
        for cluster in said["$ai_clusters"]:
            cluster["description"] = "\n".join("- " + text for text in rng.sample(TEXTS, 5))
            for item in cluster["traces"].values():
                if rng.random() < 0.05:
                    item |= {"x": rng.choice((1e308, -1e308, "NaN", 1e-320)), "y": rng.choice((1e308, "inf"))}
        return
    event["distinct_id"] = rng.choice(TEXTS)
    event["person_properties"] = {"plan": rng.choice(TEXTS)}
    if event["event"] == "$ai_trace":
        said["$ai_trace_name"] = rng.choice(TEXTS)
        return
    said["$ai_model"], said["$ai_provider"] = rng.choice(TEXTS), rng.choice(TEXTS)
    said["$ai_input"] = [{"role": "user", "content": rng.choice(TEXTS)}]
    said["$ai_output_choices"] = [
        {"content": [{"type": "image_url", "image_url": {"url": "http://127.0.0.1:9/x"}}]}
    ]
    if rng.random() < 0.2:
        text = rng.choice(TEXTS)
        errors: tuple[Any, ...] = (
            text, {"message": text}, [text], json.dumps({"error": {"message": text}}), "[" * 500,
        )  # fmt: skip
        said["$ai_is_error"] = rng.choice((True, "true", "TRUE"))
        said["$ai_error"] = rng.choice(errors)
        said["$ai_http_status"] = rng.choice(STATUSES)
    if rng.random() < 0.15:
        said["$ai_total_cost_usd"] = rng.choice(COSTS)
        said["$ai_latency"] = rng.choice(LATENCIES)
        said["$ai_input_tokens"] = rng.choice(TOKENS)


def written(folder: Path) -> tuple[Path, Path]:
    """Write the project as an export and its list of jobs; gives both files."""
    jobs = job_list(
        *(
            {
                "id": _job(number),
                "name": TEXTS[number],
                "event_filters": [
                    {
                        "key": TEXTS[number + 2],
                        "value": list(TEXTS[4:8]),
                        "operator": "is_not",
                        "type": "event",
                    }
                ],
            }
            for number in range(2)
        )
    )
    listed = folder / "jobs.json"
    listed.write_text(json.dumps(jobs), "utf-8")
    return project().write(folder / "events.jsonl"), listed
