# ruff: noqa: S608 -- statements over files of our own making
"""Writing hand-made events as the files a batch export would have left."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import duckdb

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

Event = dict[str, Any]


def lines_of(events: Sequence[Event]) -> bytes:
    """Give events as JSON lines."""
    return "".join(json.dumps(event) + "\n" for event in events).encode()


def write_jsonl(folder: Path, events: Sequence[Event], name: str = "events.jsonl") -> Path:
    """Write JSON lines; a name that ends in ``.gz`` or ``.zst`` packs them."""
    path = folder / name
    data = lines_of(events)
    if name.endswith(".gz"):
        data = gzip.compress(data, mtime=0)
    if name.endswith(".zst"):
        with duckdb.connect() as engine:
            rows = [line.decode() for line in data.splitlines()]
            engine.execute("CREATE TABLE rows AS SELECT unnest($1) AS line", [rows])
            engine.execute(
                f"COPY rows TO '{path}' (FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER '\x01', "
                "COMPRESSION zstd)"
            )
        return path
    path.write_bytes(data)
    return path


def write_parquet(folder: Path, events: Sequence[Event], name: str = "events.parquet") -> Path:
    """Write Parquet as PostHog does: properties as JSON text, times as UTC timestamps."""
    path = folder / name
    columns = list(dict.fromkeys(key for event in events for key in event))
    with duckdb.connect() as engine:
        engine.execute("SET TimeZone = 'UTC'")
        engine.execute(f"CREATE TABLE rows ({', '.join(f'{column} VARCHAR' for column in columns)})")
        texts = [[_text(event.get(column)) for event in events] for column in columns]
        engine.execute(
            f"INSERT INTO rows SELECT {', '.join(f'unnest(${n}::VARCHAR[])' for n in range(1, len(columns) + 1))}",
            texts,
        )
        chosen = ", ".join(
            f"{column}::TIMESTAMPTZ AS {column}"
            if column in ("timestamp", "created_at", "_inserted_at")
            else column
            for column in columns
        )
        quoted = str(path).replace("'", "''")
        engine.execute(f"COPY (SELECT {chosen} FROM rows) TO '{quoted}' (FORMAT parquet, COMPRESSION zstd)")
    return path


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value)
