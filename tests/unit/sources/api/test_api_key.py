"""The key: sent to one host in one header, and never told again; and the shape of what is sent."""

from __future__ import annotations

import dataclasses
import json
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reporter import __version__
from reporter.errors import ReporterError, SourceError
from reporter.sources.api.client import Client
from reporter.sources.api.configured import Configured
from reporter.sources.api.refusals import of_answer
from reporter.sources.hogql.ask import rows_of
from reporter.sources.queries.hogql.spelling import Ask
from reporter.sources.wire import Wire
from tests.unit.sources.api.scripted import KEY, PROJECT, QUERY, Clock, Server, answer, page, raw, rows, shown

SELECT = {"kind": "HogQLQuery", "query": "SELECT 1 AS one LIMIT 2"}
ASK = Ask("items", "SELECT 1 AS one LIMIT 2", ("one",), 2, {"v0": "x"})


# -- what is sent ---------------------------------------------------------------------------------------


def test_a_query_is_posted_once_with_its_shape(serve, ask):
    server = serve(rows([1], columns=("one",)))
    ask_ = dataclasses.replace(ASK, filters=[{"key": "desk", "value": "é\ud800", "type": "event"}])
    rows_of(ask(server), ask_)
    (request,) = server.log
    assert (request.method, request.path) == ("POST", QUERY)
    body = request.json
    query_id = body.pop("client_query_id")
    assert len(query_id) == 32
    assert int(query_id, 16)
    assert body == {
        "query": {
            "kind": "HogQLQuery",
            "query": "SELECT 1 AS one LIMIT 2",
            "values": {"v0": "x"},
            "modifiers": {"convertToProjectTimezone": False},
            "filters": {"properties": [{"key": "desk", "value": "é?", "type": "event"}]},
        },
        "refresh": "force_blocking",
        "name": "reporter:items",
    }


def test_headers_are_few_and_none_changes_what_posthog_answers(serve, ask):
    server = serve(rows([1]), answer([]))
    client = ask(server)
    client.query(SELECT, "items")
    client.get("llm_analytics/clustering_jobs/", "jobs")
    post, get = (dict(request.headers) for request in server.log)
    common = {
        "host": f"127.0.0.1:{server.port}",
        "accept": "application/json",
        "accept-encoding": "gzip",
        "connection": "keep-alive",
        "user-agent": f"reporter/{__version__}",
        "authorization": f"Bearer {KEY}",
    }
    assert get == common
    assert post.pop("content-length") == str(len(server.log[0].body))
    assert post == {**common, "content-type": "application/json"}


def test_ids_of_queries_are_never_given_twice(serve, ask):
    server = serve(rest=rows([1]))
    client = ask(server)
    for _ in range(20):
        client.query(SELECT, "items")
    assert len({request.json["client_query_id"] for request in server.log}) == 20


def test_only_the_address_of_queries_is_posted_to_and_the_key_is_in_one_header_alone(serve, ask):
    later = {"query_status": {"id": "a1", "complete": False}}
    done = {"query_status": {"id": "a1", "complete": True, "results": {"results": []}}}
    jobs = answer({"results": [], "next": None})
    server = serve(
        answer({"detail": "no"}, 404), answer(later), answer(done), jobs, answer({}, 500), rows([1])
    )
    client = ask(server)
    client.query(SELECT, "items")
    client.get("llm_analytics/clustering_jobs/?limit=1", "jobs")
    client.query(SELECT, "items")
    assert {request.method for request in server.log} == {"GET", "POST"}
    assert all(request.path.endswith("/query/") for request in server.posts)
    for request in server.log:
        assert request.keyed
        assert KEY not in request.path
        assert KEY.encode() not in request.body
        assert [name for name, value in request.headers.items() if KEY in value] == ["authorization"]


def test_a_host_with_a_path_keeps_it(serve, ask):
    server = serve(rows([1]))
    ask(f"{server.url}/hog/").query(SELECT, "items")
    assert server.log[0].path == f"/hog{QUERY}"


# -- what is told ---------------------------------------------------------------------------------------


def escaped(text: str) -> str:
    """Spell a text as JSON may, every letter escaped."""
    return "".join(f"\\u{ord(letter):04x}" for letter in text)


PLAIN = json.dumps(KEY)[1:-1]
SPELLINGS = {
    "plain": PLAIN,
    "escaped": escaped(KEY),
    "half escaped": PLAIN[:9] + escaped(KEY[9:12]) + PLAIN[12:],
    "unseen letters": "\u200b".join(KEY),
    "unseen and escaped": "\\u200b".join(KEY),
    "twice": PLAIN + PLAIN,
    "nested": PLAIN[:8] + PLAIN + PLAIN[8:],
    "in a sentence": f"Personal API key {PLAIN}. is invalid",
    "bearer": f"Bearer {PLAIN}",
}
PLACES = {
    "detail": '{{"type": "x", "code": "c", "detail": "{0}", "attr": null}}',
    "long detail": '{{"detail": "{0}' + "y" * 500 + '"}}',
    "late detail": '{{"detail": "' + "y" * 380 + '{0}"}}',
    "code": '{{"code": "{0}", "detail": "{0}"}}',
    "error": '{{"error": "{0}"}}',
    "message": '{{"message": "{0}"}}',
    "name": '{{"{0}": "{0}"}}',
    "status": '{{"query_status": {{"id": "a", "complete": true, "error": true, "error_message": "{0}"}}}}',
    "id": '{{"query_status": {{"id": "../{0}", "complete": false}}}}',
    "columns": '{{"results": [["{0}"]], "columns": ["{0}"]}}',
    "rows": '{{"results": [["{0}", 1]]}}',
    "no JSON": "<html>{0}</html>",
    "text": '"{0}"',
}
HEADERS = {
    "none": "",
    "location": "Location: https://{0}:{0}@evil.test/{0}/?q={0}#{0}\r\n",
    "challenge": 'WWW-Authenticate: Bearer realm="{0}"\r\n',
    "cookie": "Set-Cookie: k={0}; Path=/\r\n",
    "retry": "Retry-After: {0}\r\n",
    "date": "Date: {0}\r\n",
    "bytes": "X-PostHog-Query-Bytes-Read: {0}\r\n",
    "name": "X-{0}: {0}\r\n",
    "packing": "Content-Encoding: {0}\r\n",
    "type": "Content-Type: text/html; charset={0}\r\n",
}
STATUSES = (200, 202, 204, 302, 307, 400, 401, 402, 403, 404, 413, 429, 500, 502, 503, 504, 512, 999)


@settings(max_examples=120)
@given(
    st.sampled_from(sorted(SPELLINGS)),
    st.sampled_from(sorted(PLACES)),
    st.sampled_from(sorted(HEADERS)),
    st.sampled_from(STATUSES),
    st.booleans(),
)
def test_a_key_that_is_echoed_is_in_nothing_that_is_told(spelling, place, header, status, in_reason):
    text = SPELLINGS[spelling]
    body = PLACES[place].format(text).encode()
    reason = KEY if in_reason else "Odd"
    bare = text if text.isascii() and "\\" not in text else KEY
    head = f"HTTP/1.1 {status} {reason}\r\n{HEADERS[header].format(bare)}Content-Length: {len(body)}\r\n"
    said: list[str] = []
    caveats: list[str] = []
    clock = Clock()
    with Server(rest=raw(f"{head}Connection: close\r\n\r\n".encode() + body)) as server:
        client = Client(
            server.url, PROJECT, lambda: KEY, timeout_s=60, clock=clock, sleep=clock.sleep, say=said.append
        )
        with closing(client):
            told = [*outcome(lambda: rows_of(client, ASK)), *outcome(lambda: client.get("x/", "x"))]
            jobs = Configured(client, lambda *words: caveats.extend(words))
            told += [repr(jobs.jobs()), repr(jobs.job("a1")), client.spent(), repr(client)]
        assert all(request.keyed for request in server.log)
        assert not [
            name for request in server.log for name in request.headers if name in {"x-key", "referer"}
        ]
    for line in [*told, *said, *caveats]:
        assert KEY not in line


@pytest.mark.parametrize("spelling", sorted(SPELLINGS))
@pytest.mark.parametrize("place", sorted(PLACES))
def test_a_success_that_holds_an_echo_is_no_way_around(serve, ask, spelling, place):
    server = serve(rest=answer(PLACES[place].format(SPELLINGS[spelling]).encode()))
    for line in outcome(lambda: rows_of(ask(server), ASK)):
        assert KEY not in line


def outcome(act: Any) -> list[str]:
    """Give all that can be printed of what an act raised; what it gave is data, not told."""
    try:
        act()
    except ReporterError as error:
        return [shown(error)]
    return []


@pytest.mark.parametrize("status", [200, 302, 401, 500])
def test_an_answer_and_a_refusal_can_be_dumped(serve, status):
    headers = {
        "Location": f"https://x/{KEY}",
        "WWW-Authenticate": KEY,
        f"X-{KEY}": KEY,
        "Set-Cookie": f"a={KEY}",
    }
    server = serve(answer({"detail": f"{KEY} is wrong", "results": [[KEY]]}, status, headers))
    with closing(Wire(server.url, lambda: KEY)) as wire:
        found = wire.exchange("GET", "/", None, 5)
        dump = repr(found) + repr(dataclasses.asdict(found)) + repr(wire)
        assert KEY not in dump
        assert KEY.lower() not in dump
        assert b"***" in found.body
    refusal = of_answer(found, server.url, "items", datetime.now(UTC))
    assert KEY not in repr(refusal) + repr(vars(refusal.error)) + shown(refusal.error)


@pytest.mark.parametrize("key", ["phx_é", "phx a\r\nX-Evil: 1", "phx_\n", "\0"])
def test_a_key_that_cannot_be_sent_is_not_told_either(serve, key):
    server = serve(rest=rows([1]))
    clock = Clock()
    with closing(
        Client(server.url, PROJECT, lambda: key, timeout_s=60, clock=clock, sleep=clock.sleep)
    ) as client:
        with pytest.raises(SourceError) as found:
            client.query(SELECT, "items")
        assert key not in shown(found.value)
    assert server.log == []


def test_what_it_says_while_it_waits_is_clean(serve, ask, said):
    echo = json.dumps({"detail": f"slow\x1b[31m {KEY}"}).encode()
    ask(serve(answer(echo, 429), page(502, KEY), rows([1]))).query(SELECT, "items")
    assert said == [
        "PostHog allows no more queries now: slow[31m ***; trying again in 5 s",
        "a server between here and PostHog failed (HTTP 502); trying again in 6 s",
    ]
