"""Answers that mean harm or nonsense: redirects, bombs, endless bodies, what is no JSON."""

from __future__ import annotations

import gzip
import json
import math
import time
import tracemalloc
import zlib
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from typing import Any

import pytest

from reporter.errors import QuestionFailed, SourceError, SourceUnreadable
from reporter.sources.wire import MOST_BYTES, Broken, Wire, parsed
from tests.unit.sources.api.scripted import KEY, Clock, answer, drip, flood, page, raw, reset, rows, silent

SELECT = {"kind": "HogQLQuery", "query": "SELECT 1 AS one LIMIT 2"}
MB = 2**20
JSON = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
CHUNKED = JSON + b"Transfer-Encoding: chunked\r\n\r\n"
PACKED = JSON + b"Content-Encoding: gzip\r\n"
UNBOUND = JSON + b"Connection: close\r\n\r\n"


def failing(client: Any, kind: type[SourceError] = SourceError) -> SourceError:
    with pytest.raises(kind) as found:
        client.query(SELECT, "items")
    return found.value


def dated(date: str) -> Any:
    """Answer nothing, at a time."""
    return raw(JSON + f"Date: {date}\r\nContent-Length: 2\r\n\r\n{{}}".encode())


def chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


# -- redirects ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_redirect_is_not_followed_to_another_host(serve, ask, clock, status, method):
    other = serve(rest=rows([1]))
    server = serve(answer({}, status, {"Location": f"{other.url}/login?next=/api"}))
    client = ask(server)
    with pytest.raises(SourceUnreadable) as found:
        client.query(SELECT, "items") if method == "POST" else client.get("x/", "x")
    assert found.value.message == f"it sends on to {other.url}/login; a key is never sent after a redirect"
    assert "--host" in found.value.hint
    assert other.log == []
    assert (len(server.log), clock.waits) == (1, [])


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("where", ["{url}/api/elsewhere/", "/api/elsewhere/", "//localhost/", "", None])
def test_a_redirect_is_not_followed_on_the_same_host_either(serve, ask, status, where):
    server = serve()
    headers = {} if where is None else {"Location": where.format(url=server.url)}
    server.steps = [answer({}, status, headers)]
    assert "a key is never sent after a redirect" in failing(ask(server), SourceUnreadable).message
    assert len(server.log) == 1


def test_what_a_redirect_says_is_cut_and_cleaned(serve, ask):
    server = serve(answer({}, 302, {"Location": "https://x.test/" + "y" * 5000}))
    assert len(failing(ask(server)).message) < 300


# -- too much -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bomb() -> bytes:
    """Give half a gigabyte of JSON in half a megabyte."""
    engine = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    packed = [engine.compress(b'{"results": ["')]
    packed += [engine.compress(b"0" * MB) for _ in range(512)]
    return b"".join([*packed, engine.compress(b'"]}'), engine.flush()])


def test_a_bomb_is_left_unpacked_and_memory_stays_small(serve, ask, bomb):
    assert len(bomb) < MB
    server = serve(answer(bomb, 200, {"Content-Encoding": "gzip"}))
    client = ask(server)
    tracemalloc.start()
    try:
        found = failing(client, SourceUnreadable)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert "larger than any PostHog gives" in found.message
    assert peak < 100e6, "little more than the longest answer that is read"
    assert len(server.log) == 1, "it would be as large again"


@pytest.mark.parametrize("status", [200, 429, 500, 302])
def test_a_bomb_is_no_better_as_an_error(serve, ask, bomb, status):
    server = serve(answer(bomb, status, {"Content-Encoding": "gzip"}))
    assert "larger than any" in failing(ask(server)).message


@pytest.mark.parametrize("head", [CHUNKED, UNBOUND], ids=["chunked", "unbound"])
@pytest.mark.parametrize("first", [b"<html>", b"x", b"\0\0", b"nope {"])
def test_a_gigabyte_of_garbage_is_dropped_after_its_first_bytes(serve, ask, head, first):
    piece = b"garbage " * 8192
    wrap = chunk if head is CHUNKED else bytes
    step = flood(wrap(piece), 1024 * MB, head=head, first=wrap(first))
    server = serve(step, step)
    assert "not what PostHog answers: no JSON" in failing(ask(server), SourceUnreadable).message
    server.settled()
    assert len(server.log) == 2
    assert all(request.sent < 16 * MB for request in server.log), "what the sockets hold, not more"


@pytest.mark.parametrize("first", [b'{"results": [["', b"   "])
def test_an_endless_answer_that_begins_like_json_is_read_up_to_a_size(serve, ask, first):
    piece = (b"0" if first.strip() else b" ") * 65_536
    server = serve(flood(chunk(piece), 1024 * MB, head=CHUNKED, first=chunk(first)))
    assert "larger than any PostHog gives" in failing(ask(server), SourceUnreadable).message
    server.settled()
    assert server.log[0].sent < MOST_BYTES + 16 * MB
    assert len(server.log) == 1


@pytest.mark.parametrize("length", [MOST_BYTES + 1, 10**12, 10**19])
def test_an_answer_that_announces_to_be_huge_is_not_read(serve, ask, length):
    server = serve(
        flood(b"0" * 65_536, 1024 * MB, head=JSON + f"Content-Length: {length}\r\n\r\n{{".encode())
    )
    assert "larger than any PostHog gives" in failing(ask(server), SourceUnreadable).message
    server.settled()
    assert server.log[0].sent < 16 * MB


def test_an_answer_of_the_largest_size_is_read(serve, ask):
    text = b'{"results": "' + b"0" * (MOST_BYTES - 15) + b'"}'
    assert len(text) == MOST_BYTES
    client = ask(serve(answer(text), answer(text + b" ")))
    assert len(client.query(SELECT, "items")["results"]) == MOST_BYTES - 15
    failing(client, SourceUnreadable)


# -- too slow -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "step",
    [
        drip(b"X", 0.02, head=b"HTTP/1.1 200 OK\r\nX-Long: "),
        drip(b"HTTP/1.1 100 Continue\r\n\r\n", 0.02),
        drip(chunk(b" "), 0.02, head=CHUNKED),
        drip(b"[", 0.02, head=UNBOUND),
        drip(b"a", 0.02, head=PACKED + b"\r\n" + b"\x1f\x8b\x08\x08\0\0\0\0\0\xff"),
        silent(CHUNKED),
        silent(JSON + b"Content-Length: 9\r\n\r\n{"),
        silent(),
    ],
    ids=["head", "continue", "chunks", "bytes", "packed", "no body", "half a body", "nothing"],
)
def test_what_drips_or_stalls_ends_with_the_time_allowed(serve, ask, step):
    server = serve(rest=step)
    client = ask(server, timeout_s=0.9, clock=time.monotonic, sleep=time.sleep)
    begun = time.monotonic()
    found = failing(client)
    assert 0.5 < time.monotonic() - begun < 5
    assert isinstance(found, QuestionFailed)
    assert "--timeout leaves no time" in found.message


def test_one_that_was_given_up_is_not_read_for_ever(serve):
    server = serve(drip(chunk(b" "), 0.01, head=CHUNKED))
    with closing(Wire(server.url, lambda: KEY, clock=Clock(tick_s=40))) as wire:
        with pytest.raises(Broken, match="took too long"):
            wire.exchange("GET", "/", None, 100)
        server.settled()


def test_an_answer_may_be_slow_within_the_time_allowed(serve, ask):
    def step(handler: Any) -> None:
        handler.close_connection = True
        handler.push(UNBOUND)
        for byte in b'{"results": [[1]]}':
            time.sleep(0.01)
            handler.push(bytes([byte]))

    assert ask(serve(step)).query(SELECT, "items") == {"results": [[1]]}


def test_one_that_hangs_takes_no_place_from_the_next(serve):
    hanging = drip(b"X", 0.02, head=b"HTTP/1.1 200 OK\r\nX-Long: ")
    server = serve(*[hanging] * 6, rest=rows([1]))
    with closing(Wire(server.url, lambda: KEY)) as wire:
        for _ in range(6):
            with pytest.raises(Broken, match=r"took too long|in time"):
                wire.exchange("GET", "/", None, 0.1)
        assert wire.exchange("GET", "/", None, 5).status == 200


# -- packings -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "packing", ["br", "zstd", "deflate", "gzip, gzip", "gzip, br", "compress", "x", "identity, br"]
)
def test_a_packing_that_was_not_asked_for_is_refused(serve, ask, packing):
    server = serve(answer(b"{}", 200, {"Content-Encoding": packing}))
    assert "a way that was not asked for" in failing(ask(server), SourceUnreadable).message
    assert len(server.log) == 1


@pytest.mark.parametrize("packing", ["gzip", "GZIP", " gzip "])
def test_gzip_is_unpacked_and_the_connection_is_kept(serve, ask, packing):
    text = json.dumps({"results": [["é" * 400_000]]}).encode()
    server = serve(rest=answer(gzip.compress(text), 200, {"Content-Encoding": packing}))
    client = ask(server)
    ports = []
    server.process_request_thread, inner = (  # type: ignore[method-assign]
        lambda request, address: (ports.append(address[1]), inner(request, address)),
        server.process_request_thread,
    )
    for _ in range(3):
        assert client.query(SELECT, "items") == {"results": [["é" * 400_000]]}
    assert len(set(ports)) == 1


@pytest.mark.parametrize(
    "body",
    [
        gzip.compress(b'{"results": [[1]]}')[:-9],
        gzip.compress(b'{"results": [[1]]}')[:12],
        gzip.compress(b'{"results": [[1]]}')[:-1] + b"!",
        b"{}",
        b"\x1f\x8b",
    ],
    ids=["cut", "head", "sum", "plain", "magic"],
)
def test_gzip_that_cannot_be_unpacked_is_a_broken_answer(serve, ask, clock, body):
    step = answer(body, 200, {"Content-Encoding": "gzip"})
    server = serve(step, step)
    assert "gave no whole answer" in failing(ask(server), SourceUnreadable).message
    assert (len(server.log), clock.waits) == (2, [6])


def test_what_follows_packed_bytes_is_not_read(serve, ask):
    packed = gzip.compress(b'{"results": [[1]]}')
    server = serve(flood(b"0" * 65_536, 1024 * MB, head=PACKED + b"Connection: close\r\n\r\n", first=packed))
    assert ask(server).query(SELECT, "items") == {"results": [[1]]}
    server.settled()
    assert server.log[0].sent < 16 * MB


# -- nonsense -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"nul",
        b'{"results": [[1]',
        b'{"results": [[1]]} x',
        b"{'results': []}",
        b'{"results": "\xff\xfe"}',
        '{"results": "é"}'.encode("latin-1"),
        '{"results": [[1]]}'.encode("utf-16"),
        '{"results": [[1]]}'.encode("utf-32-le"),
        b"[" * 10_000 + b"]" * 10_000,
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        b"[" * 100_000,
        b'{"results": ' + b"9" * 5000 + b"}",
        b"\0" * 100,
        b"PK\x03\x04",
        b"42",
        b'"text"',
        b"null",
        b"[]",
        b'[{"results": []}]',
    ],
    ids=lambda body: repr(body[:12]),
)
def test_an_answer_that_is_no_json_object_is_off_contract_and_tried_once_more(serve, ask, clock, body):
    server = serve(answer(body), answer(body))
    found = failing(ask(server), SourceUnreadable)
    assert found.message.startswith("this is not what PostHog answers: ")
    assert (len(server.log), clock.waits) == (2, [6])


def test_a_sign_in_page_is_named_for_what_it_is(serve, ask):
    html = page(200, "<!doctype html><title>Sign in</title>")
    found = failing(ask(serve(html, html)), SourceUnreadable)
    assert "sign-in page" in found.hint


def test_no_content_is_no_answer(serve, ask):
    step = raw(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
    assert "no JSON" in failing(ask(serve(step, step)), SourceUnreadable).message


def test_numbers_that_json_does_not_know_are_read(serve, ask):
    body = b'\xef\xbb\xbf{"results": [[NaN, Infinity, -Infinity, 1e999, "\\ud800"]], "columns": ["one"]}'
    row = ask(serve(answer(body))).query(SELECT, "items")["results"][0]
    assert math.isnan(row[0])
    assert row[1:] == [math.inf, -math.inf, math.inf, "\ud800"]


@pytest.mark.parametrize(
    ("read", "left"),
    [
        ("²", "²"),
        ("--5", "--5"),
        ("", ""),
        ("1e9", "1.5"),
        ("9" * 500, "9" * 500),
        ("٣", "٣"),
        ("x", "-"),
        ("+1", "+1"),
    ],
)
def test_headers_that_tell_of_no_bytes_tell_nothing(serve, ask, read, left):
    headers = {"X-PostHog-Query-Bytes-Read": read, "X-PostHog-Query-Budget-Remaining-Bytes": left}
    lines = b"".join(f"{name}: {value}\r\n".encode() for name, value in headers.items())
    body = b'{"results": []}'
    client = ask(serve(raw(JSON + lines + f"Content-Length: {len(body)}\r\n\r\n".encode() + body)))
    assert client.query(SELECT, "items") == {"results": []}
    assert (client.bytes_read, client.budget_left) == (0, None)


def test_bytes_read_and_left_are_told(serve, ask):
    first = {"X-PostHog-Query-Bytes-Read": "2500000", "X-PostHog-Query-Budget-Remaining-Bytes": "3200000000"}
    second = {"X-PostHog-Query-Bytes-Read": "500000", "X-PostHog-Query-Budget-Remaining-Bytes": "-7"}
    client = ask(serve(answer({}, 200, first), answer({}, 400, second)))
    assert client.spent() == "PostHog answered no request"
    client.query(SELECT, "items")
    assert client.spent() == (
        "PostHog answered 1 request and read 2 MB for them; 3.2 GB of the hourly budget are left"
    )
    failing(client)
    assert (client.answers, client.bytes_read, client.budget_left) == (2, 3_000_000, -7)


@pytest.mark.parametrize(
    "date",
    [
        "soon", "Mon, 99999999999999999999 Jan 2026 00:00:00 GMT", "Mon, 05 Jan 2026 00:00:00 +99999999999999999",
        "", "x" * 1000,
    ],
)  # fmt: skip
def test_a_date_that_is_none_tells_nothing_of_the_clock(serve, ask, date):
    off = []
    client = ask(serve(dated(date)), skewed=off.append)
    client.query(SELECT, "items")
    assert client.skew is None
    assert off == []


@pytest.mark.parametrize("date", ["Mon, 05 Jan 2026 00:00:00 -0000", "Mon, 05 Jan 2026 00:00:00"])
def test_a_date_without_a_zone_is_utc(serve, ask, date):
    client = ask(serve(dated(date)))
    client.query(SELECT, "items")
    assert abs(datetime.now(UTC) - datetime(2026, 1, 5, tzinfo=UTC) - client.skew) < timedelta(minutes=1)


@pytest.mark.parametrize(("ahead_s", "told"), [(7200, True), (-86_400, True), (60, False), (0, False)])
def test_a_clock_that_does_not_agree_is_told_once_and_not_gone_by(serve, ask, ahead_s, told):
    server_s = time.time() - ahead_s
    off = []
    client = ask(serve(*[dated(formatdate(server_s, usegmt=True))] * 3), skewed=off.append)
    for _ in range(3):
        client.query(SELECT, "items")
    assert [round(ahead.total_seconds() / 60) for ahead in off] == ([ahead_s / 60] if told else [])
    assert abs(client.moment().timestamp() - (server_s if told else time.time())) < 30


@pytest.mark.parametrize(
    "date", ["Fri, 31 Dec 9999 23:59:59 -2359", "Mon, 01 Jan 0001 00:00:00 +2359"]
)  # fmt: skip
def test_a_clock_at_the_end_of_time_is_no_trouble(serve, ask, date):
    client = ask(serve(dated(date)))
    client.query(SELECT, "items")
    assert client.moment().tzinfo is UTC


def test_parsed_never_raises():
    for body in (b"", b"{", b"\xff", b"[" * 10**6, b"1" * 10**5, b"{}"):
        assert parsed(body) in (None, {})


def test_a_reset_while_an_error_is_read_is_a_broken_connection(serve, ask):
    step = reset(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 90\r\n\r\n{")
    assert "the connection broke" in failing(ask(serve(step, step)), SourceUnreadable).message
