from __future__ import annotations

import pytest

from reporter.errors import UsageError
from reporter.sources.clickhouse.address import parse


@pytest.mark.parametrize(
    ("text", "place", "user", "shown"),
    [
        ("clickhouse://db.example/posthog", "https://db.example:8443", "default", "clickhouse://db.example/posthog/events"),
        ("clickhouse://me@db.example:9440", "https://db.example:9440", "me", "clickhouse://db.example/default/events"),
        ("clickhouse://a%40b@localhost/d?table=ai&secure=no", "http://localhost:8123", "a@b", "clickhouse://localhost/d/ai"),
        ("clickhouse://[::1]:8124/d?secure=NO", "http://[::1]:8124", "default", "clickhouse://[::1]/d/events"),
    ],
)  # fmt: skip
def test_a_server_is_named(text: str, place: str, user: str, shown: str) -> None:
    address = parse(text)
    assert (address.embedded, address.place, address.user, address.shown) == (False, place, user, shown)


@pytest.mark.parametrize(
    ("text", "folder", "database"),
    [
        ("chdb://", "", None),
        ("chdb:///srv/tables?database=p7", "/srv/tables", "p7"),
        ("chdb://here", "here", None),
    ],
)
def test_the_embedded_engine_has_a_folder(text: str, folder: str, database: str | None) -> None:
    address = parse(text)
    assert (address.embedded, address.place, address.events.database) == (True, folder, database)


def test_table_columns_and_project_are_spelled_once_for_every_statement() -> None:
    address = parse("clickhouse://h/d?table=ai_events&column.timestamp=created&team=project", "42")
    sql = address.events.sql
    assert "FROM `d`.`ai_events` WHERE `project` = 42" in sql
    assert "`created` AS timestamp" in sql
    assert "toString(`properties`) AS properties" in sql
    assert "WHERE" not in parse("clickhouse://h/d?team=", "42").events.sql.split("said_in_traces")[0]
    assert "WHERE" not in parse("clickhouse://h/d").events.sql.split("said_in_traces")[0]


@pytest.mark.parametrize(
    ("text", "project", "words"),
    [
        ("clickhouse:///d", None, "no host"),
        ("clickhouse://h/d?tabel=x", None, "no option 'tabel'"),
        ("clickhouse://h/d?table=a;drop", None, "cannot name"),
        ("clickhouse://h/d?column.uuid=a%60b", None, "cannot name"),
        ("clickhouse://h/d%20e", None, "cannot name"),
        ("clickhouse://h/d?secure=maybe", None, "secure is yes or no"),
        ("clickhouse://h/d?secure=no", None, "only this machine is asked"),
        ("clickhouse://localhost.example/d?secure=no", None, "only this machine is asked"),
        ("clickhouse://10.0.0.7:8123/d?secure=no", None, "only this machine is asked"),
        ("clickhouse://h:port/d", None, "no address"),
        ("clickhouse://h/d?table", None, "no address"),
        ("clickhouse://h/d", "4 OR 1=1", "a project in ClickHouse is a number"),
    ],
)
def test_what_is_wrong_is_said(text: str, project: str | None, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        parse(text, project)


def test_a_password_in_the_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(UsageError) as caught:
        parse("clickhouse://me:hunter2@h/d")
    assert "hunter2" not in str(caught.value)
    assert "CLICKHOUSE_PASSWORD" in str(caught.value)
