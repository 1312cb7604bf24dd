# ruff: noqa: S608 -- statements over tables and files of our own making
"""ClickHouse inside this process: PostHog's tables, one database a project, and answers as the API writes them."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from threading import Lock
from typing import Any
from zoneinfo import ZoneInfo

from chdb import session

from tests.servers import ingest
from tests.servers.refusal import Refused, failed, invalid

_COLUMNS = """uuid UUID, event String, properties String, timestamp DateTime64(6, 'UTC'), distinct_id String,
    elements_chain String, created_at DateTime64(6, 'UTC'), person_id UUID, person_properties String"""
_EVENTS = f"""CREATE TABLE {{database}}.events ({_COLUMNS}, team_id Int64,
    `$session_id` String DEFAULT JSONExtractString(properties, '$session_id'),
    `$window_id` String DEFAULT JSONExtractString(properties, '$window_id'),
    person_created_at DateTime64(6, 'UTC') DEFAULT created_at)
  ENGINE = MergeTree ORDER BY (toDate(timestamp), event, cityHash64(distinct_id), cityHash64(uuid))"""
TEXTS = ("session_id", "parent_id", "span_id", "span_type", "generation_id", "experiment_id", "span_name",
         "trace_name", "prompt_name", "model", "provider", "framework", "error", "error_type",
         "error_normalized")  # fmt: skip
WHOLES = ("total_tokens", "input_tokens", "output_tokens", "text_input_tokens", "text_output_tokens",
          "image_input_tokens", "image_output_tokens", "audio_input_tokens", "audio_output_tokens",
          "video_input_tokens", "video_output_tokens", "reasoning_tokens", "cache_read_input_tokens",
          "cache_creation_input_tokens", "web_search_count")  # fmt: skip
FLOATS = ("input_cost_usd", "output_cost_usd", "total_cost_usd", "request_cost_usd", "web_search_cost_usd",
          "audio_cost_usd", "image_cost_usd", "video_cost_usd", "latency", "time_to_first_token")  # fmt: skip
HEAVY = tuple(name.removeprefix("$ai_") for name in ingest.HEAVY)
_TYPED = {
    **dict.fromkeys(TEXTS, "Nullable(String)"),
    **dict.fromkeys(WHOLES, "Nullable(Int64)"),
    **dict.fromkeys(FLOATS, "Nullable(Float64)"),
}
_AI_COLUMNS = {
    "trace_id": ("String", "JSONExtractString(whole, '$ai_trace_id')"),
    **{name: (kind, f"JSONExtract(whole, '$ai_{name}', '{kind}')") for name, kind in _TYPED.items()},
    "is_error": ("UInt8", "JSONExtractRaw(whole, '$ai_is_error') IN ('true', '\"true\"')"),
    **{name: ("Nullable(String)", f"nullIf(JSONExtractRaw(whole, '$ai_{name}'), '')") for name in HEAVY},
}
_OPTIONS = {
    "transform_null_in": "1",
    "join_use_nulls": "0",
    "max_execution_time": "60",
    "max_ast_elements": "4000000",
    "max_expanded_ast_elements": "4000000",
    "max_query_size": "20000000",
    "max_bytes_before_external_group_by": "0",
    "date_time_output_format": "'iso'",
    "output_format_json_quote_denormals": "1",
    "output_format_json_quote_64bit_integers": "0",
    "output_format_json_named_tuples_as_objects": "0",
    "max_threads": "2",
}
_CODE = re.compile(r"\(([A-Z][A-Z0-9_]+)\)\s*$")
_USER_ERRORS = frozenset(
    [
        "illegal_type_of_argument",
        "no_common_type",
        "not_an_aggregate",
        "unknown_function",
        "type_mismatch",
        "illegal_aggregation",
        "number_of_arguments_doesnt_match",
        "too_many_bytes",
        "cannot_parse_uuid",
        "cannot_parse_bool",
        "invalid_join_on_expression",
        "unknown_table",
        "cannot_compile_regexp",
        "cannot_parse_datetime",
        "cannot_parse_text",
        "cannot_parse_number",
        "cannot_parse_input_assertion_failed",
        "illegal_division",
        "too_few_arguments_for_function",
        "bad_arguments",
        "argument_out_of_bound",
        "cannot_convert_type",
        "ambiguous_identifier",
        "illegal_column",
        "union_all_result_structures_mismatch",
        "multiple_expressions_for_alias",
        "number_of_columns_doesnt_match",
        "value_is_out_of_range_of_data_type",
        "illegal_type_of_column_for_filter",
        "syntax_error",
        "cannot_insert_null_in_ordinary_column",
        "unknown_type",
        "sizes_of_arrays_dont_match",
        "zero_array_or_tuple_index",
    ]
)


@dataclass(frozen=True)
class Found:
    """Rows of an answer."""

    columns: list[str]
    types: list[str]
    rows: list[list[Any]]
    bytes_read: int


class Store:
    """All projects' tables."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = Lock()
        self.session = session.Session(str(folder / "tables"))
        for name, value in _OPTIONS.items():
            self.session.query(f"SET {name} = {value}")

    def create(self, project: str, events: Iterable[dict[str, Any]], *, ai_events: bool, strip: bool) -> None:
        """Create and fill a project's tables."""
        columns = ", ".join(f"{name} {kind}" for name, (kind, _) in _AI_COLUMNS.items())
        database = database_of(project)
        for statement in (
            f"DROP DATABASE IF EXISTS {database}",
            f"CREATE DATABASE {database}",
            _EVENTS.format(database=database),
            f"""CREATE TABLE {database}.ai_events (uuid UUID, event String, timestamp DateTime64(6, 'UTC'),
              team_id Int64, distinct_id String, person_id UUID, person_properties String,
              person_created_at DateTime64(6, 'UTC'), properties String, retention_days Int16 DEFAULT 30, {columns})
              ENGINE = MergeTree ORDER BY (trace_id, timestamp)""",
        ):
            self._do(statement)
        self.insert(project, events, ai_events=ai_events, strip=strip)

    def insert(self, project: str, events: Iterable[dict[str, Any]], *, ai_events: bool, strip: bool) -> None:
        """Add events to a project's tables."""
        path = self._folder / f"load-{project}.jsonl"
        with path.open("w", encoding="utf-8") as file:
            for row in ingest.rows(events, strip=strip):
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
        source = f"file('{path}', 'JSONEachRow', '{_COLUMNS.replace(chr(39), chr(92) + chr(39))}, whole String, lean String')"
        named = ", ".join(re.findall(r"(\w+) (?:UUID|String|DateTime64)", _COLUMNS))
        database = database_of(project)
        self._do(
            f"INSERT INTO {database}.events ({named}, team_id) SELECT {named}, {int(project)} FROM {source}"
        )
        if ai_events:
            names, values = zip(
                *((name, f"{sql} AS {name}") for name, (_, sql) in _AI_COLUMNS.items()), strict=True
            )
            self._do(
                f"""INSERT INTO {database}.ai_events (uuid, event, timestamp, team_id, distinct_id, person_id,
                  person_properties, person_created_at, properties, {", ".join(names)})
                SELECT uuid, event, timestamp, {int(project)}, distinct_id, person_id, person_properties, created_at,
                  if(lean != '', lean, properties), {", ".join(values)} FROM {source} WHERE whole != ''"""
            )
        path.unlink()

    def _do(self, sql: str) -> None:
        with self._lock:
            self.session.query(sql)

    def run(self, sql: str, most_bytes: int) -> Found:
        """Run a statement no longer than so many bytes.

        Raises:
            Refused: ClickHouse would not; the text is its own.
        """
        if len(sql.encode()) > most_bytes:
            raise failed("Query size exceeded.")
        try:
            with self._lock:
                answer = self.session.query(sql, "JSONCompact")
                content = answer.bytes()
        except Exception as error:  # the library has one kind for all that ClickHouse says
            with self._lock:
                self.session.query("SELECT 1", "JSONCompact")  # takes what the failed one had begun to write
            raise _refused(str(error)) from error
        found = json.loads(content)
        types = [column["type"] for column in found["meta"]]
        decoders = [_decoder(kind) for kind in types]
        rows = [[decode(value) for decode, value in zip(decoders, row, strict=True)] for row in found["data"]]
        return Found(
            [column["name"] for column in found["meta"]], types, rows, int(found["statistics"]["bytes_read"])
        )


def database_of(project: str) -> str:
    return f"p{int(project)}"


def _refused(said: str) -> Refused:
    said = said.split("Stack trace:", maxsplit=1)[0].strip()
    code = _CODE.search(said)
    name = code.group(1).lower() if code else "error"
    detail = said.rsplit("DB::Exception:", maxsplit=1)[-1].strip()
    if name in ("too_many_simultaneous_queries", "cannot_schedule_task"):
        return failed("Queries are a little too busy right now. Please try again later.", status=503)
    if name == "timeout_exceeded":
        return failed("Query has hit the max execution time before completing.", status=504)
    if name == "memory_limit_exceeded":
        return failed(
            "Query memory limit exceeded. Try reducing its scope by changing the time range.", status=504
        )
    if name in _USER_ERRORS:
        return invalid(detail, name)
    return failed("ClickHouse error while executing query.") if code else failed(said[:500])


def _decoder(kind: str) -> Callable[[Any], Any]:
    """Give what turns a value ClickHouse wrote as JSON into Python's."""
    name, _, inside = kind.partition("(")
    inside = inside.removesuffix(")")
    if name in ("Nullable", "LowCardinality", "Array"):
        decode = _decoder(inside)
        if name == "Array":
            return lambda value: [decode(each) for each in value]
        return lambda value: None if value is None else decode(value)
    if name == "Tuple":
        decoders = [_decoder(_unnamed(part)) for part in _split(inside)]
        return lambda value: [decode(each) for decode, each in zip(decoders, value, strict=True)]
    if name == "Map":
        decode = _decoder(_split(inside)[1])
        return lambda value: {key: decode(each) for key, each in value.items()}
    if name in ("DateTime", "DateTime64"):
        zone = re.search(r"'([^']+)'", inside)
        local = ZoneInfo(zone.group(1) if zone else "UTC")
        return lambda value: datetime.fromisoformat(value).astimezone(local)
    plain: dict[str, Callable[[Any], Any]] = {"Date": date.fromisoformat, "Date32": date.fromisoformat}
    return float if name.startswith("Float") else plain.get(name, lambda value: value)


def _split(text: str) -> list[str]:
    """Split at commas outside parentheses and quotes."""
    parts, depth, quoted = [""], 0, False
    for sign in text:
        quoted ^= sign == "'"
        depth += 0 if quoted else {"(": 1, ")": -1}.get(sign, 0)
        if sign == "," and not depth and not quoted:
            parts.append("")
        else:
            parts[-1] += sign
    return [part.strip() for part in parts]


def _unnamed(part: str) -> str:
    named = re.match(r"^(?:`[^`]+`|\w+) (\w.*)$", part)
    return named.group(1) if named else part


def written(value: Any) -> Any:
    """Write a value as the API does.

    Raises:
        Refused: It is not a finite number, which JSON cannot hold.
    """
    if isinstance(value, datetime):
        return (
            value.isoformat().replace("+00:00", "Z")
            if value.utcoffset() == UTC.utcoffset(None)
            else value.isoformat()
        )
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        raise failed("Out of range float values are not JSON compliant")
    if isinstance(value, list):
        return [written(each) for each in value]
    return {key: written(each) for key, each in value.items()} if isinstance(value, dict) else value
