"""Manners: two at a time, waits as the server asks, repeats by the contract, an end in time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from reporter.errors import QuestionFailed, QuestionRefused, QuestionTooLarge, SourceError
from reporter.sources.hogql.pairs import IN_FLIGHT, in_pairs
from tests.unit.sources.api.scripted import (
    QUERY,
    Clock,
    answer,
    error,
    page,
    raw,
    reset,
    rows,
    silent,
    slowly,
)

SELECT = {"kind": "HogQLQuery", "query": "SELECT 1 AS one LIMIT 2"}
ONE = rows([1])


def failing(client: Any, kind: type[SourceError] = SourceError) -> SourceError:
    with pytest.raises(kind) as found:
        client.query(SELECT, "items")
    return found.value


# -- two at a time --------------------------------------------------------------------------------------


def test_never_more_than_two_queries_are_in_flight_however_many_threads_ask(serve, ask):
    server = serve(rest=slowly(ONE, 0.02))
    client = ask(server)
    threads = [threading.Thread(target=client.query, args=(SELECT, "items")) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(server.posts) == 12
    assert max(request.in_flight for request in server.log) == IN_FLIGHT == 2
    assert client.answers == 12


def test_a_failed_query_gives_its_place_back(serve, ask):
    server = serve(*[error(400, "no")] * 3, ONE)
    client = ask(server)
    for _ in range(3):
        failing(client, QuestionRefused)
    assert client.query(SELECT, "items")["results"] == [[1]]


def test_pairs_run_one_after_the_other_in_daemon_threads():
    log: list[tuple[str, int, bool]] = []
    together = threading.Barrier(2, timeout=60)

    def task(number: int) -> Callable[[], None]:
        def run() -> None:
            log.append(("begin", number, threading.current_thread().daemon))
            if number < 4:  # the fifth has nobody to meet
                together.wait()
            log.append(("end", number, True))

        return run

    in_pairs([task(number) for number in range(5)])
    assert [{number for _, number, _ in log[first : first + 4]} for first in (0, 4, 8)] == [
        {0, 1},
        {2, 3},
        {4},
    ]
    assert [what for what, _, _ in log] == ["begin", "begin", "end", "end"] * 2 + ["begin", "end"]
    assert all(daemon for _, _, daemon in log)


def test_the_first_error_is_raised_when_its_pair_has_ended_and_no_further_pair_begins():
    ended: list[int] = []
    failed = threading.Event()

    def first() -> None:
        failed.set()
        raise QuestionFailed("the first")

    def second() -> None:
        failed.wait(5)
        time.sleep(0.03)
        ended.append(2)
        raise QuestionFailed("the second")

    with pytest.raises(QuestionFailed, match="the first"):
        in_pairs([first, second, lambda: ended.append(3)])
    assert ended == [2]


def test_nothing_to_do_in_pairs_is_nothing_done():
    in_pairs([])


def test_even_what_is_no_error_of_ours_comes_out_of_a_pair():
    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        in_pairs([stop])


# -- throttled ------------------------------------------------------------------------------------------


def in_seconds(seconds: float) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize(
    ("retry_after", "least", "most"),
    [
        ("7", 7, 7),
        (" 12.5 ", 12.5, 12.5),
        ("0", 0.5, 0.5),
        ("-5", 0.5, 0.5),
        ("-1e300", 0.5, 0.5),
        ("date", 35, 41),
        ("past", 0.5, 0.5),
        ("Fri, 31 Dec 1999 23:59:59 -0000", 0.5, 0.5),
        ("soon", 5, 5),
        ("", 5, 5),
        ("nan", 5, 5),
        ("inf", 5, 5),
        ("1e400", 5, 5),
        ("9" * 400, 5, 5),
        ("Mon, 99999999999999999999 Jan 2026 00:00:00 GMT", 5, 5),
        ("Mon, 05 Jan 2026 00:00:00 +99999999999999999", 5, 5),
        ("Mon, 05 Jan 99999 00:00:00 GMT", 5, 5),
    ],
)
def test_retry_after_is_kept_where_it_says_how_long(serve, ask, clock, said, retry_after, least, most):
    sent = {"date": in_seconds(40), "past": in_seconds(-4000)}.get(retry_after, retry_after)
    server = serve(error(429, "Slow down", "throttled", retry_after=sent), ONE)
    assert ask(server).query(SELECT, "items")["results"] == [[1]]
    assert len(clock.waits) == 1
    assert least <= clock.waits[0] <= most
    assert said == [f"PostHog allows no more queries now: Slow down; trying again in {clock.waits[0]:.0f} s"]


def test_without_retry_after_it_backs_off_from_5_to_30_seconds_and_then_gives_up(serve, ask, clock):
    server = serve(rest=error(429, "concurrency", "throttled"))
    found = failing(ask(server))
    assert clock.waits == [5, 10, 20, 30, 30, 30, 30, 30]
    assert len(server.log) == 9
    assert "allows no more queries now: concurrency" in found.message
    assert not isinstance(found, (QuestionFailed, QuestionRefused, QuestionTooLarge))


def test_while_one_is_throttled_everybody_waits(serve, ask):
    first_waits, go_on = threading.Event(), threading.Event()
    waits: dict[str, list[float]] = {}
    clock = Clock()

    def sleep(seconds: float) -> None:
        waits.setdefault(threading.current_thread().name, []).append(seconds)
        if threading.current_thread().name == "throttled":
            first_waits.set()
            go_on.wait(5)
        else:
            clock.sleep(seconds)

    server = serve(error(429, "wait", "throttled", retry_after="25"), rest=ONE)
    client = ask(server, clock=clock, sleep=sleep)
    threads = [threading.Thread(target=client.query, args=(SELECT, "a"), name="throttled")]
    threads[0].start()
    assert first_waits.wait(5)
    threads.append(threading.Thread(target=client.query, args=(SELECT, "b"), name="other"))
    threads[1].start()
    threads[1].join(5)
    assert waits["other"] == [25]
    go_on.set()
    threads[0].join(5)
    assert waits["throttled"] == [25]
    assert len(server.log) == 3


def test_one_who_waits_waits_on_where_another_is_throttled_meanwhile(serve, ask):
    clock = Clock()
    server = serve(rest=ONE)

    def sleep(seconds: float) -> None:
        clock.sleep(seconds)
        if len(clock.waits) == 1:
            client._not_before = clock.now + 8  # as another thread's answer does

    client = ask(server, clock=clock, sleep=sleep)
    client._not_before = clock.now + 3
    client.query(SELECT, "items")
    assert clock.waits == [3, 8]


def test_a_spent_budget_fails_at_once_where_the_time_left_is_less_than_it_asks(serve, ask, clock):
    detail = "API query read budget exceeded."
    server = serve(error(429, detail, "api_queries_budget_exceeded", retry_after="3600"))
    found = failing(ask(server, timeout_s=300))
    assert clock.waits == []
    assert found.message == (
        "the project's hourly budget of bytes read by API queries is used up: API query read budget exceeded; "
        "it asks to wait 3600 s, and --timeout leaves 300 s"
    )
    assert "--source" in found.hint


def test_a_spent_budget_is_waited_for_where_there_is_time(serve, ask, clock):
    server = serve(error(429, "x", "api_queries_budget_exceeded", retry_after="900"), ONE)
    assert ask(server, timeout_s=1000).query(SELECT, "items")["results"] == [[1]]
    assert clock.waits == [900]


# -- repeats --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "kind", "code"),
    [
        (error(400, "Unknown function nope", "unknown_function"), QuestionRefused, "HTTP 400"),
        (answer([], 400), QuestionRefused, "HTTP 400"),
        (error(401, "Personal API key is invalid."), SourceError, "does not accept the API key"),
        (error(402, "quota", "quota_limit_exceeded"), SourceError, "quota for API queries"),
        (error(403, "API key missing required scope 'query:read'"), SourceError, "lacks a scope"),
        (
            error(403, "User does not have access to the requested project '4242'"),
            SourceError,
            "has no access to this project",
        ),
        (
            error(403, "This action does not support Personal API Key access"),
            SourceError,
            "does not allow this with the API key",
        ),
        (error(400, "reads too much", "too_many_bytes"), QuestionTooLarge, "limits: reads too much"),
        (error(413, "Request body exceeded"), QuestionTooLarge, "within its limits"),
        (page(413), QuestionTooLarge, "within its limits"),
        (error(504, "Query has hit the max execution time"), QuestionTooLarge, "max execution time"),
        (error(512, "Estimated query execution time is too long"), QuestionTooLarge, "too long"),
        (error(500, "Query size exceeded."), QuestionTooLarge, "Query size exceeded"),
        (error(409, "odd"), QuestionRefused, "HTTP 409"),
        (error(418), QuestionRefused, "HTTP 418"),
    ],
)
def test_what_would_fail_again_is_asked_once(serve, ask, clock, step, kind, code):
    server = serve(step)
    found = failing(ask(server), kind)
    assert type(found) is kind
    assert code in found.message
    assert (len(server.log), clock.waits) == (1, [])


def test_errors_of_key_and_project_say_what_to_check(serve, ask):
    client = ask(serve(error(401), error(403, "missing scope 'query:read'"), error(402)))
    assert "POSTHOG_PERSONAL_API_KEY" in failing(client).hint
    assert "query:read" in failing(client).hint
    assert "billing" in failing(client).hint


@pytest.mark.parametrize("code", ["memory_limit", "timeout_exceeded", "too_many_rows"])
def test_a_limit_told_by_its_code_is_a_question_too_large(serve, ask, code):
    failing(ask(serve(error(500, "no", code))), QuestionTooLarge)


@pytest.mark.parametrize(
    "step",
    [
        error(500, "ClickHouse error while executing query."),
        answer(b"", 500),
        page(500),
        page(502),
        page(504),
        page(503),
        error(502),
        page(504, "{}"),
    ],
)
def test_a_failing_server_is_asked_once_more_after_more_than_5_seconds(serve, ask, clock, step):
    server = serve(step, step)
    found = failing(ask(server), QuestionFailed)
    assert len(server.log) == 2
    assert len(clock.waits) == 1
    assert clock.waits[0] > 5
    assert "failed (HTTP 50" in found.message
    again = serve(step, ONE)
    assert ask(again).query(SELECT, "items")["results"] == [[1]]


def test_a_full_cluster_is_asked_again_with_growing_waits(serve, ask, clock):
    full = error(503, "too busy")
    server = serve(full, full, full, full, ONE)
    assert ask(server).query(SELECT, "items")["results"] == [[1]]
    assert clock.waits == [5, 10, 20, 30]
    clock.waits.clear()
    assert "too busy" in failing(ask(serve(rest=full)), QuestionFailed).message
    assert clock.waits == [5, 10, 20, 30]


def test_a_full_cluster_may_say_how_long(serve, ask, clock):
    ask(serve(error(503, "too busy", retry_after="17"), ONE)).query(SELECT, "items")
    assert clock.waits == [17]


def test_each_way_of_failing_is_counted_by_itself(serve, ask, clock):
    throttled = error(429, "wait", "throttled", retry_after="2")
    server = serve(throttled, page(502), throttled, error(503, "busy"), ONE)
    assert ask(server).query(SELECT, "items")["results"] == [[1]]
    assert clock.waits == [2, 6, 2, 5]


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize(
    "step",
    [
        reset(),
        raw(b""),
        reset(HEAD + b"Content-Length: 400\r\n\r\n" + b'{"results"'),
        raw(HEAD + b"Content-Length: 400\r\n\r\n" + b'{"results": [[1]], "columns"'),
        raw(HEAD + b'Transfer-Encoding: chunked\r\n\r\n4\r\n{"re'),
        raw(b"nonsense\r\n\r\n"),
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: -4\r\n\r\n{}"),
        raw(HEAD + b"Content-Length: 2\r\nContent-Length: 9\r\n\r\n{}"),
        raw(HEAD + b"Content-Length: 1" + b"0" * 900 + b"\r\n\r\n{}"),
        raw(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000 + b"\r\n\r\n{}"),
    ],
    ids=["reset", "nothing", "reset midway", "half", "cut chunk", "no HTTP", "negative", "two lengths", "long", "head"],
)  # fmt: skip
def test_a_connection_that_breaks_is_tried_once_more(serve, ask, clock, step):
    server = serve(step, step)
    found = failing(ask(server))
    assert "PostHog gave no whole answer" in found.message
    assert type(found).__name__ == "SourceUnreadable"
    assert (len(server.log), clock.waits) == (2, [6])
    assert ask(serve(step, ONE)).query(SELECT, "items")["results"] == [[1]]


def test_a_server_that_says_nothing_is_late_and_its_question_may_be_asked_in_parts(serve, ask):
    client = ask(serve(rest=silent()), timeout_s=0.9, clock=time.monotonic, sleep=time.sleep)
    begun = time.monotonic()
    found = failing(client, QuestionFailed)
    assert 0.5 < time.monotonic() - begun < 6
    assert "--timeout leaves no time to try again" in found.message


def test_after_a_repeat_the_query_carries_an_id_of_its_own(serve, ask):
    server = serve(page(502), ONE)
    ask(server).query(SELECT, "items")
    first, second = (request.json for request in server.log)
    assert first.pop("client_query_id") != second.pop("client_query_id")
    assert first == second


# -- projects and environments --------------------------------------------------------------------------


def test_an_older_server_is_asked_for_the_environment_once_and_that_is_remembered(serve, ask):
    server = serve(error(404, "Not found."), ONE, ONE, rows([2]), answer([]))
    client = ask(server)
    for _ in range(3):
        client.query(SELECT, "items")
    assert client.get("things/", "things") == []
    old = QUERY.replace("projects", "environments")
    assert [request.path for request in server.log] == [QUERY, old, old, old, old.replace("query", "things")]


def test_a_project_that_answered_is_not_looked_for_elsewhere(serve, ask):
    server = serve(ONE, error(404, "Not found."))
    client = ask(server)
    client.query(SELECT, "items")
    failing(client)
    assert [request.path for request in server.log] == [QUERY, QUERY]


def test_a_project_found_under_neither_name_is_unknown(serve, ask, clock):
    server = serve(error(404, "Not found."), error(404, "Nor here."))
    found = failing(ask(server))
    assert found.message == "PostHog knows no such project: Not found"
    assert "--project-id" in found.hint
    assert (len(server.log), clock.waits) == (2, [])


def test_what_the_other_name_answers_counts_even_where_it_refuses(serve, ask):
    found = failing(ask(serve(error(404, "Not found."), error(403, "missing scope"))))
    assert "lacks a scope" in found.message


def test_an_address_outside_the_project_has_no_other_name(serve, ask):
    server = serve(error(404, "no"))
    with pytest.raises(SourceError):
        ask(server).get("users/@me/", "me", below_project=False)
    assert [request.path for request in server.log] == ["/api/users/@me/"]


# -- an end in time -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "step",
    [
        error(429, "wait", "throttled"),
        error(429, "wait", "throttled", retry_after="31"),
        error(429, "wait", "throttled", retry_after="0"),
        error(503, "busy"),
        page(502),
        reset(),
        answer({"query_status": {"id": "abc", "complete": False}}),
    ],
)
@pytest.mark.parametrize("timeout_s", [0.4, 1.0, 7.3, 100.7])
def test_waits_and_requests_together_never_take_longer_than_allowed(serve, ask, clock, step, timeout_s):
    clock.tick_s = 0.001  # each look at the clock takes time, too
    begun = clock.now
    client = ask(serve(rest=step), timeout_s=timeout_s)
    found = [failing(client) for _ in range(4)]
    if timeout_s < 20:
        assert "--timeout" in str(found[-1])
    assert clock.now - begun <= timeout_s + 0.1
    assert sum(clock.waits) <= timeout_s


def test_once_the_time_is_over_nothing_more_is_sent(serve, ask, clock):
    server = serve(ONE)
    client = ask(server, timeout_s=50)
    client.query(SELECT, "items")
    clock.now += 49.6
    found = failing(client)
    assert (found.subject, found.message) == ("--timeout", "the run took longer than 50 s and was stopped")
    assert "--timeout SECONDS" in found.hint
    assert len(server.log) == 1


def test_the_other_name_is_not_tried_when_the_time_is_over(serve, ask):
    clock = Clock()

    def late(handler: Any) -> None:
        clock.now += 20
        error(404, "no")(handler)

    server = serve(late, ONE)
    found = failing(ask(server, timeout_s=20, clock=clock, sleep=clock.sleep))
    assert "--timeout" in found.subject
    assert len(server.log) == 1


# -- answers that come later ----------------------------------------------------------------------------


def status(**more: Any) -> Any:
    return {"query_status": {"id": "0199-ab_C", "complete": False, "error": False, **more}}


def test_a_query_answered_later_is_polled_to_its_end(serve, ask, clock):
    done = {"results": [[7]], "columns": ["one"], "timezone": "UTC"}
    server = serve(
        answer(status(), 202),
        answer(status(), 202),
        answer(status(), 202),
        answer(status(complete=True, results=done)),
    )
    assert ask(server).query(SELECT, "items") == done
    assert [request.method for request in server.log] == ["POST", "GET", "GET", "GET"]
    assert {request.path for request in server.log[1:]} == {f"{QUERY}0199-ab_C/"}
    assert clock.waits == [1, 1, 1]


def test_a_query_done_at_once_is_not_polled(serve, ask):
    server = serve(answer(status(complete=True, results={"results": []}), 202))
    assert ask(server).query(SELECT, "items") == {"results": []}
    assert len(server.log) == 1


@pytest.mark.parametrize(
    "step",
    [
        answer(status(complete=True, error=True, error_message="Memory is short.")),
        answer(status(complete=True, error=True, error_message="Memory is short."), 400),
    ],
)
def test_a_query_that_fails_later_is_refused_in_its_own_words(serve, ask, step):
    found = failing(ask(serve(answer(status(), 202), step)), QuestionRefused)
    assert found.message == "PostHog refused (HTTP 400): Memory is short"


def test_a_query_without_results_failed(serve, ask):
    found = failing(ask(serve(answer(status(complete=True, results=None)))), QuestionRefused)
    assert "the query failed" in found.message


def test_a_query_that_is_lost_has_failed_and_the_project_is_not_blamed(serve, ask):
    server = serve(answer(status(), 202), error(404, "Query 0199 not found for team"))
    found = failing(ask(server), QuestionFailed)
    assert found.message == "PostHog lost the query before it was answered"
    assert len(server.log) == 2


def test_polls_are_repeated_by_the_same_rules(serve, ask, clock):
    done = answer(status(complete=True, results={"results": []}))
    server = serve(answer(status(), 202), error(429, "x", "throttled", retry_after="4"), page(502), done)
    assert ask(server).query(SELECT, "items") == {"results": []}
    assert clock.waits == [1, 4, 6]


@pytest.mark.parametrize(
    "query_id",
    ["../x", "a/b", "..", "%2e%2e", "?x", "a b", "", None, "é", "²", "x\r\ny", "a" * 200, ["a"], {"a": 1}, "@host", 1.5],
)  # fmt: skip
def test_a_query_id_that_could_lead_elsewhere_is_never_sent(serve, ask, query_id):
    server = serve(answer(status(id=query_id), 202))
    assert "a query without an id" in failing(ask(server)).message
    assert len(server.log) == 1


@pytest.mark.parametrize(
    "step", [answer({}), answer({"query_status": None}), answer({"query_status": [1]}), answer([])]
)
def test_a_poll_without_a_status_is_off_contract(serve, ask, step):
    assert "a query without a status" in failing(ask(serve(answer(status(), 202), step))).message
