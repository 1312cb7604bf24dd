# ruff: noqa: S608 -- statements are built of constants and quoted paths
"""Reading export files through DuckDB: one relation over all files, whatever their format and types.

The relation has the columns of `COLUMNS`. Everything DuckDB finds wrong with a file is told here, in
words for the person who has to mend it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import duckdb

from reporter.sources.export.explain import MAX_LINE_BYTES, cut_off, explain, not_an_export
from reporter.sources.export.frames import is_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from reporter.sources.export.files import ExportFile

    Run = Callable[[str], list[tuple[Any, ...]]]

COLUMNS = ("uuid", "event", "distinct_id", "ts", "stamp", "properties", "person_properties")
"""What every part of the relation gives: ids in lower case, ``ts`` and ``stamp`` (when the row was
stored) as UTC, properties as JSON text of an object."""

_WANTED = ("uuid", "event", "distinct_id", "timestamp", "created_at", "_inserted_at", "properties",
           "person_properties")  # fmt: skip
_NEEDED = ("uuid", "event", "timestamp", "properties")
_JSON_TYPES = {name: "JSON" if name.endswith("properties") else "VARCHAR" for name in _WANTED}
_BATCH = 200
"""Files read by one statement."""
_FIRST_LINES = 50
"""Lines looked at to tell whether a file holds events at all."""
_UUID = "-".join("_" * letters for letters in (8, 4, 4, 4, 12))
_PLACE_BYTES = 2**12
"""For each of these in its properties a row takes one more place of a vector; see `Part.in_short_vectors`."""


@dataclass(frozen=True, slots=True)
class Part:
    """Files that one statement can read together."""

    files: tuple[ExportFile, ...]
    aliases: tuple[str, ...]
    """The path each file is opened by; not its own where that would be taken for a pattern."""
    types: tuple[tuple[str, str], ...]
    """Parquet: the types of the columns there are; JSON lines: none."""
    mended: bool = False
    """Whether half characters (lone surrogates), which DuckDB refuses, are replaced while reading."""

    @property
    def sql(self) -> str:
        """A sub-query with the columns of `COLUMNS`."""
        return self._over(lambda rows, _: rows)

    @property
    def in_short_vectors(self) -> str:
        """The same rows, handed on in vectors of at most 8 MB of properties, or of one row.

        DuckDB parses the JSON texts of a whole vector of 2,048 rows before it lets go of the first. Here
        each row fills as many places of a vector as its text is long, and is dropped from all but one.
        """
        return self._over(_in_short_vectors)

    def _over(self, shaped: Callable[[str, str], str]) -> str:
        paths = "[" + ", ".join(map(quoted, self.aliases)) + "]"
        if self.files[0].format == "parquet":
            return _parquet(paths, dict(self.types), shaped, mended=self.mended)
        return _jsonl(paths, self.files[0], shaped, mended=self.mended)


NO_ROWS = (
    "(SELECT NULL::VARCHAR AS uuid, NULL::VARCHAR AS event, NULL::VARCHAR AS distinct_id, "
    "NULL::TIMESTAMP AS ts, NULL::TIMESTAMP AS stamp, NULL::VARCHAR AS properties, "
    "NULL::VARCHAR AS person_properties WHERE false)"
)
"""The relation over no file at all."""


def union(relations: Iterable[str]) -> str:
    """Spell one relation with the rows of many, of none as well."""
    return "(" + " UNION ALL ".join(f"SELECT * FROM {each}" for each in [*relations] or [NO_ROWS]) + ")"


def quoted(text: str) -> str:
    """Write text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def parts_of(run: Run, files: Sequence[ExportFile], aliases: Mapping[str, str]) -> tuple[Part, ...]:
    """Sort files into parts that share format, compression and column types.

    Args:
        run: Runs a statement, used to look at the columns of Parquet files and at first lines.
        files: Files in any order.
        aliases: Path → the path to open instead, for names that would be taken for patterns.

    Returns:
        Parts of at most `_BATCH` files, in a stable order.

    Raises:
        SourceUnreadable: A Parquet file is broken, or is no export of events.
    """
    groups: dict[tuple[str, str, str, tuple[tuple[str, str], ...]], list[ExportFile]] = {}
    for file in sorted(files):
        types: tuple[tuple[str, str], ...] = ()
        if file.format == "parquet":
            types = _parquet_types(run, file, aliases.get(file.path, file.path))
        elif not _holds_events(run, file, aliases.get(file.path, file.path)):
            continue
        groups.setdefault((file.format, file.packing, file.layout, types), []).append(file)
    parts = []
    for (_, _, _, types), group in sorted(groups.items()):
        for start in range(0, len(group), _BATCH):
            files = tuple(group[start : start + _BATCH])
            opened = tuple(aliases.get(file.path, file.path) for file in files)
            parts.append(Part(files=files, aliases=opened, types=types))
    return tuple(parts)


def narrowed(part: Part) -> Iterator[Part]:
    """Give the part file by file, to find the one that fails."""
    for file, alias in zip(part.files, part.aliases, strict=True):
        yield replace(part, files=(file,), aliases=(alias,))


def mended(part: Part) -> Part:
    """Give the part, read with half characters replaced."""
    return replace(part, mended=True)


def may_be_mended(error: duckdb.Error) -> bool:
    """Whether an error can come from half characters in JSON text."""
    text = str(error)
    return "Malformed JSON" in text and "surrogate" in text


def _parquet_types(run: Run, file: ExportFile, alias: str) -> tuple[tuple[str, str], ...]:
    try:
        rows = run(f"DESCRIBE SELECT * FROM read_parquet({quoted(alias)}, hive_partitioning = false)")
    except duckdb.Error as error:
        raise explain(error, file) from error
    types = {str(row[0]): str(row[1]) for row in rows}
    missing = [name for name in _NEEDED if name not in types]
    if missing:
        raise not_an_export(file, missing)
    return tuple((name, types[name]) for name in _WANTED if name in types)


def _holds_events(run: Run, file: ExportFile, alias: str) -> bool:
    """Look at the first lines; False for another ``.json`` that lies beside the export.

    Raises:
        SourceUnreadable: A file named as an export holds something else.
    """
    if file.packing == "zstd" and not is_whole(file.path):
        raise cut_off(file)
    counts = ", ".join(f"count({name})" for name in _NEEDED)
    try:
        rows = run(
            f"SELECT count(*), {counts} FROM (SELECT * FROM {_json_lines(f'[{quoted(alias)}]', file)} "
            f"LIMIT {_FIRST_LINES})"
        )
    except duckdb.Error as error:
        if may_be_mended(error):
            return True
        if file.may_be_passed_over:
            return False
        raise explain(error, file) from error
    total, *found = rows[0]
    missing = [name for name, count in zip(_NEEDED, found, strict=True) if not count]
    if total and missing:
        if file.may_be_passed_over:
            return False
        raise not_an_export(file, missing)
    return True


def _in_short_vectors(rows: str, size: str) -> str:
    """Spell the rows of a relation, each in as many places of a vector as its ``size`` in bytes asks for."""
    places = f"unnest(range(1 + coalesce({size}, 0) // {_PLACE_BYTES}))"
    return f"(SELECT * EXCLUDE (place) FROM (SELECT *, {places} AS place FROM {rows}) WHERE place = 0)"


def _parquet(paths: str, types: dict[str, str], shaped: Callable[[str, str], str], *, mended: bool) -> str:
    """Spell the sub-query for Parquet files whose columns have these types."""
    uuid = _as_text("uuid", types)
    properties = _as_json("properties", types)
    person = _as_json("person_properties", types)
    if mended:
        properties, person = _mend(properties), _mend(person)
    rows = f"read_parquet({paths}, hive_partitioning = false, union_by_name = true)"
    if types["properties"] in ("VARCHAR", "JSON"):
        rows = shaped(rows, "strlen(properties)")
    elif types["properties"] == "BLOB":
        rows = shaped(rows, "octet_length(properties)")
    return _select(
        rows,
        uuid=uuid,
        event=_as_text("event", types),
        distinct_id=_as_text("distinct_id", types),
        ts=_as_instant("timestamp", types),
        stamp=f"coalesce({_as_instant('_inserted_at', types)}, {_as_instant('created_at', types)})",
        properties=properties,
        person_properties=person,
    )


def _jsonl(paths: str, like: ExportFile, shaped: Callable[[str, str], str], *, mended: bool) -> str:
    """Spell the sub-query for JSON lines."""
    if mended:
        # Lines as text, so that half characters can be replaced before anything parses them.
        lines = (
            f"(SELECT * FROM read_csv({paths}, columns = {{line: 'VARCHAR'}}, auto_detect = false, "
            f"header = false, delim = '\x01', quote = '', escape = '', comment = '', "
            f"compression = '{like.packing}', "
            # One longest line a buffer: the default's would hold eight.
            f"max_line_size = {MAX_LINE_BYTES}, buffer_size = {MAX_LINE_BYTES}, hive_partitioning = false) "
            r"WHERE regexp_matches(line, '\S'))"
        )
        fields = f"from_json({_mend('line')}, '{json.dumps(_JSON_TYPES)}')"
        rows = f"(SELECT unnest({fields}) FROM {shaped(lines, 'strlen(line)')})"
    else:
        rows = shaped(_json_lines(paths, like), "strlen(CAST(properties AS VARCHAR))")
    types = dict.fromkeys(_WANTED, "VARCHAR")
    return _select(
        rows,
        uuid="uuid",
        event="event",
        distinct_id="distinct_id",
        ts=_as_instant("timestamp", types),
        stamp=f"coalesce({_as_instant('_inserted_at', types)}, {_as_instant('created_at', types)})",
        properties="CAST(properties AS VARCHAR)",
        person_properties="CAST(person_properties AS VARCHAR)",
    )


def _json_lines(paths: str, like: ExportFile) -> str:
    return (
        f"read_json({paths}, format = '{like.layout}', records = true, columns = {_JSON_TYPES}, "
        f"compression = '{like.packing}', maximum_object_size = {MAX_LINE_BYTES}, hive_partitioning = false)"
    )


def _select(source: str, **columns: str) -> str:
    uuid = columns["uuid"]
    # A UUID written as usual needs no cast, which costs six times as much.
    columns["uuid"] = (
        f"CASE WHEN {uuid} LIKE '{_UUID}' THEN lower({uuid}) "
        f"ELSE coalesce(CAST(TRY_CAST({uuid} AS UUID) AS VARCHAR), lower({uuid})) END"
    )
    for name in ("properties", "person_properties"):
        # Objects that were written as JSON text inside JSON begin with a quote; unwrap them.
        text = columns[name]
        columns[name] = (
            f"CASE WHEN starts_with({text}, '\"') THEN json_extract_string({text}, '$') ELSE {text} END"
        )
    return f"(SELECT {', '.join(f'{columns[name]} AS {name}' for name in COLUMNS)} FROM {source})"


def _as_text(name: str, types: dict[str, str]) -> str:
    kind = types.get(name)
    if kind is None:
        return "CAST(NULL AS VARCHAR)"
    return f"decode({name})" if kind == "BLOB" else f"CAST({name} AS VARCHAR)"


def _as_json(name: str, types: dict[str, str]) -> str:
    kind = types.get(name, "")
    if kind.startswith(("STRUCT", "MAP")):
        return f"CAST(to_json({name}) AS VARCHAR)"
    return _as_text(name, types)


def _as_instant(name: str, types: dict[str, str]) -> str:
    kind = types.get(name)
    if kind is None:
        return "CAST(NULL AS TIMESTAMP)"
    if kind in ("VARCHAR", "BLOB"):
        # Text without an offset is UTC, as the connection's time zone is.
        return f"CAST(TRY_CAST({_as_text(name, types)} AS TIMESTAMPTZ) AS TIMESTAMP)"
    return f"TRY_CAST({name} AS TIMESTAMP)"


def _mend(text: str) -> str:
    r"""Spell the replacement of half characters in JSON text by U+FFFD.

    Escaped backslashes are respelled first, so that every ``\u`` left is an escape; then whole pairs are
    set aside behind a control character, which JSON text cannot hold. Text without any of them, which may
    be long, is left as it is.
    """
    half = r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
    respelled = rf"replace({text}, '\\', '\u005c')"
    pair = r"\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})"
    aside = f"regexp_replace({respelled}, '{pair}', '\x02\\1\x02\\2', 'g')"
    replaced = f"replace(regexp_replace({aside}, '{half}', '\\\\ufffd', 'g'), '\x02', '\\u')"
    return f"CASE WHEN regexp_matches({text}, '{half}') THEN {replaced} ELSE {text} END"
