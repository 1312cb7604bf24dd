# ruff: noqa: S608 -- statements over tables of our own making
"""A server over HTTP: the same answers as the embedded engine, every failure in words, no password anywhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest

from reporter.errors import QuestionRefused, QuestionTooLarge, SourceError, UsageError
from reporter.sources.clickhouse import ClickHouseSource, opened
from reporter.sources.clickhouse.client import ClickHouse
from tests.contract import cases
from tests.contract.cases import DONE
from tests.contract.conftest import TODAY
from tests.servers.clickhouse import PASSWORD, USER, Http, served
from tests.servers.fixtures import tables  # noqa: F401 (a fixture)
from tests.servers.store import Store, database_of

PROJECT = "900001"
ONE = {"kind": "HogQLQuery", "query": "SELECT 1", "values": {}}


@pytest.fixture(scope="module")
def http(tables: Store) -> Iterator[Http]:  # noqa: F811 (the fixture)
    tables.create(PROJECT, cases.EVENTS, ai_events=False, strip=False)
    with served(tables) as server:
        yield server


def client(http: Http, password: str = PASSWORD, more: str = "", timeout_s: float = 60) -> ClickHouse:
    text = f"clickhouse://{USER}@127.0.0.1:{http.port}/{database_of(PROJECT)}?secure=no{more}"
    return opened(text, lambda: password, project_id=PROJECT, timeout_s=timeout_s)


def ask(asked: ClickHouse, question: Mapping[str, Any] = ONE, name: str = "runs") -> Mapping[str, Any]:
    with closing(asked):
        return asked.query(question, name)


def source(made: ClickHouse) -> ClickHouseSource:
    return ClickHouseSource(made, warn=lambda _: None, now=TODAY)


def test_runs_items_and_memberships_come_over_http(http: Http) -> None:
    with source(client(http)) as read:
        runs = [
            one
            for one in read.runs(DONE - timedelta(days=9), DONE + timedelta(days=9))
            if one.run_id == cases.TRACE_RUN
        ]
        assert len(runs) == 1
        assert read.items(runs)[cases.TRACE_RUN]
        assert read.memberships([cases.TRACE_RUN])[cases.TRACE_RUN].clusters
    options, sql = http.asked[-1]
    assert options["readonly"] == ["2"]
    assert options["wait_end_of_query"] == ["1"]
    assert f"`team_id` = {PROJECT}" in sql
    assert not any(PASSWORD in str(one) for one in http.asked)


def test_a_wrong_password_is_told_and_never_shown(http: Http) -> None:
    with source(client(http, "wr0ng-of-me")) as read, pytest.raises(SourceError) as caught:
        read.run("7_trace_x")
    text = str(caught.value)
    assert "does not accept this user" in text
    assert "CLICKHOUSE_PASSWORD" in text
    assert "wr0ng-of-me" not in text


@pytest.mark.parametrize(
    ("more", "words"),
    [("&table=nowhere", "another than --source says"), ("&column.uuid=nobody", "another than --source says")],
)
def test_a_wrong_table_or_column_names_the_address(http: Http, more: str, words: str) -> None:
    with source(client(http, more=more)) as read, pytest.raises(SourceError, match=words):
        read.run("7_trace_x")


def test_columns_of_other_names_are_read(http: Http, tables: Store) -> None:  # noqa: F811 (the fixture)
    database = database_of(PROJECT)
    tables.session.query(
        f"CREATE OR REPLACE VIEW {database}.renamed AS SELECT uuid AS id, event AS kind, timestamp AS at, distinct_id,"
        f" properties AS said, person_properties, team_id AS project FROM {database}.events"
    )
    more = "&table=renamed&column.uuid=id&column.event=kind&column.timestamp=at&column.properties=said&team=project"
    with source(client(http, more=more)) as read, source(client(http)) as plain:
        assert read.run(cases.TRACE_RUN) == plain.run(cases.TRACE_RUN)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("Code: 241. DB::Exception: Memory limit exceeded. (MEMORY_LIMIT_EXCEEDED) (version 26.9.1.1)", QuestionTooLarge),
        ("Code: 159. DB::Exception: Timeout exceeded. (TIMEOUT_EXCEEDED)", QuestionTooLarge),
        ("Code: 62. DB::Exception: Max query size exceeded. (SYNTAX_ERROR)", QuestionTooLarge),
        ("Code: 43. DB::Exception: Illegal types. (ILLEGAL_TYPE_OF_ARGUMENT)", QuestionRefused),
        ("Code: 164. DB::Exception: Cannot modify 'x' setting in readonly mode. (READONLY)", SourceError),
        ("", QuestionRefused),
    ],
)  # fmt: skip
def test_errors_of_the_engine_are_told_apart(http: Http, said: str, kind: type[SourceError]) -> None:
    http.answers = [(500, said.encode())]
    with pytest.raises(SourceError) as caught:
        ask(client(http))
    assert isinstance(caught.value, kind)


@pytest.mark.parametrize("body", [b"", b"<html>sign in</html>", b"[1]", b'{"meta": 7}', b'{"data": []}'])
def test_what_is_no_answer_is_told(http: Http, body: bytes) -> None:
    http.answers = [(200, body)]
    with pytest.raises(SourceError, match="not what ClickHouse answers"):
        ask(client(http))


def test_nobody_there_is_told() -> None:
    text = "clickhouse://127.0.0.1:9/d?secure=no"
    gone = opened(text, lambda: "", project_id=None, timeout_s=20)
    with pytest.raises(SourceError, match="cannot be asked"):
        ask(gone)


def test_time_for_all_questions_is_bounded(http: Http) -> None:
    with pytest.raises(SourceError, match="took longer"):
        ask(client(http, timeout_s=0.1))


def test_a_filter_that_cannot_be_spelled_is_refused(http: Http) -> None:
    question = {"kind": "HogQLQuery", "query": "SELECT 1 WHERE {filters}", "values": {},
                "filters": {"properties": [{"type": "cohort", "key": "id", "value": 1}]}}  # fmt: skip
    with pytest.raises(QuestionRefused, match="outside PostHog"):
        ask(client(http), question, "totals")


def test_the_users_own_query_cannot_write(http: Http) -> None:
    with source(client(http)) as read, pytest.raises(UsageError):
        read.query("SELECT 1) ; DROP TABLE events --", {}, 5)
    with source(client(http)) as read:
        assert read.query(
            "SELECT count() AS n FROM events WHERE properties.$ai_model = {m}", {"m": "x' OR 1=1"}, 5
        ).rows == ((0,),)
