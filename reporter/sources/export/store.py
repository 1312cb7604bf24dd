# ruff: noqa: S608 -- statements are built of constants and quoted paths; values are bound
"""An in-memory DuckDB that holds what is asked often and reads again what is asked seldom.

Loading scans the files once and keeps only the figures of AI events (`for_duckdb.DUCKDB_EVENT`), in columns.
Properties stay in the files: a property somebody asks for is read by one more scan and kept as a narrow
table of its own. Once loaded, the engine can reach nothing on this machine but the export files, and its
settings are locked.
"""

from __future__ import annotations

import glob
import os
import shutil
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import duckdb

from reporter import temporary
from reporter.sources.export import scan
from reporter.sources.export.explain import explain, translated
from reporter.sources.export.files import find_files
from reporter.sources.filters import Condition, Property
from reporter.sources.queries import SUMMARY_EVENTS, TRACE_EVENTS, literals
from reporter.sources.queries.for_duckdb import (
    AI_EVENTS,
    DUCKDB_MACROS,
    DUCKDB_PRINT,
    ai_events,
    printed,
)
from reporter.sources.rows import naive

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from reporter.model import Level, Window

_THREADS = 2
_MEMORY = "384MB"
"""What two threads need to scan Parquet or JSON lines as PostHog exports them; four would not fit."""
_MORE_MEMORY = "2GB"
"""Granted, to one thread, once a statement did not fit `_MEMORY`: Parquet of 100 MB pages, JSON lines of
10 MB, which each thread holds several times."""
_KEEP_BYTES = 2**30
"""Properties of traces up to this size together are kept (in memory, then in the private folder) once a
second trace is asked for; beyond it each trace costs a scan of the files."""
_VECTOR_ROWS = 2_048
_VECTOR_BYTES = 2**25
"""Of properties in one vector: with more, on average 16 kB an event, the user's queries read short ones."""
_SECOND = 2
_ASKED_EVENTS = literals((*TRACE_EVENTS, "$ai_evaluation"))
"""Events whose properties may be grouped by or filtered on."""
_KEPT: Mapping[Property, str] = {
    Property("event", "$ai_model"): "e.model",
    Property("event", "$ai_provider"): "e.provider",
}
"""Properties the table of AI events already holds."""


class Store:
    """Export files behind an SQL connection."""

    def __init__(self, paths: Sequence[str]) -> None:
        """Find and load the files.

        Args:
            paths: Files, folders, globs.

        Raises:
            SourceUnreadable: Nothing was found, or a file cannot be read.
        """
        self._files = find_files(paths)
        self._folder = temporary.folder()
        self._remove = weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self._columns: dict[Property, str] = {}
        self._parts: list[scan.Part] = []
        self._duplicates = 0
        self.nameless = 0
        """AI events without an id or a time, which nothing can be said of."""
        self._traces_read = 0
        self._kept_properties = False
        self._view = False
        try:
            self._connection = duckdb.connect(":memory:", config=self._settings())
            self._connection.execute("SET TimeZone = 'UTC'")
            self._connection.execute("SET enable_progress_bar = false")
            # Columns are read page by page; a whole column of a row group may be larger than all we may take.
            self._connection.execute("SET disable_parquet_prefetching = true")
            self._load()
            self._lock()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Forget everything and remove what was set aside on disk; may be called twice."""
        connection = getattr(self, "_connection", None)
        if connection is not None:
            connection.close()
        self._remove()  # runs once; at the program's end where nobody closed

    def rows(self, sql: str, values: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """Run one statement of our own and give all its rows.

        Raises:
            SourceError: The engine could not answer.
        """
        try:
            return self._run(sql, values)
        except duckdb.Error as error:
            raise translated(error) from error

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The engine itself, for the user's own queries, which `open_view` has to come before."""
        return self._connection

    def want(self, wanted: Sequence[tuple[Sequence[tuple[str, str | None]], Window]]) -> None:
        """Fill the table ``wanted`` with the items to be measured.

        Args:
            wanted: For each run its (key, canonical event id or ``None``) pairs and its window.
                Runs are numbered from 0.
        """
        self.rows(
            "CREATE OR REPLACE TABLE wanted "
            "(run INTEGER, key VARCHAR, id VARCHAR, starts TIMESTAMP, ends TIMESTAMP)"
        )
        for number, (keys, window) in enumerate(wanted):
            if keys:
                self.rows(
                    "INSERT INTO wanted SELECT $run, unnest($keys::VARCHAR[]), unnest($ids::VARCHAR[]), "
                    "$starts::TIMESTAMP, $ends::TIMESTAMP",
                    {
                        "run": number,
                        "keys": [key for key, _ in keys],
                        "ids": [event_id for _, event_id in keys],
                        "starts": naive(window.start),
                        "ends": naive(window.end),
                    },
                )

    def accepts(self, condition: Condition) -> bool:
        """Whether the engine can run a condition at all (a regular expression may be malformed)."""
        blanks = {f"p{index}": "''" for index in range(len(condition.properties))}
        try:
            sql = f"SELECT {condition.sql.format(**blanks)}"
            self._connection.execute(sql, dict(condition.values)).fetchall()
        except duckdb.Error:
            return False
        return True

    def knows(self, properties: Sequence[Property]) -> bool:
        """Whether every one of some properties is set on at least one AI event; true for none at all."""
        if not properties:
            return True
        columns, joins = self.columns(properties)
        counts = ", ".join(f"count({column})" for column in columns)
        return all(self.rows(f"SELECT {counts} FROM {AI_EVENTS} e {joins}")[0])

    def spell(self, condition: Condition) -> tuple[str, str]:
        """Give a condition's joins and its SQL, having read the properties it looks at."""
        columns, joins = self.columns(condition.properties)
        return joins, condition.sql.format(**{f"p{index}": column for index, column in enumerate(columns)})

    def columns(self, properties: Sequence[Property]) -> tuple[list[str], str]:
        """Make properties of AI events available to a query on the table ``ai`` named ``e``.

        Args:
            properties: What is asked for.

        Returns:
            One SQL expression a property (text; NULL where it is not set), and the joins they need.
        """
        known = {*self._columns, *_KEPT}
        missing = [each for each in dict.fromkeys(properties) if each not in known]
        if missing:
            self._read_properties(missing)
        columns = [_KEPT.get(each) or self._columns[each] for each in properties]
        tables = dict.fromkeys(column.split(".")[0] for column in columns if not column.startswith("e."))
        joins = " ".join(f"LEFT JOIN {table} ON {table}.uuid = e.uuid" for table in tables)
        return columns, joins

    def properties(self, uuids: Sequence[str]) -> dict[str, str]:
        """Read the properties of a few events of traces, as JSON text by uuid."""
        self._traces_read += 1
        events = literals(TRACE_EVENTS)
        if self._traces_read == _SECOND:
            size = self.rows(f"SELECT sum(size) FROM {AI_EVENTS} WHERE event IN ({events})")[0][0] or 0
            if size <= _KEEP_BYTES:
                self.rows(f"CREATE TABLE kept AS {self._once({'properties': 'properties'}, events)}")
                self._kept_properties = True
        chosen = "uuid IN (SELECT unnest($ids))"
        source = self._once({"properties": "properties"}, events, chosen)
        if self._kept_properties:
            source = f"SELECT uuid, properties FROM kept WHERE {chosen}"
        return {uuid: text for uuid, text in self.rows(source, {"ids": list(uuids)}) if text is not None}

    def written(
        self, level: Level, keys: Sequence[str], start: datetime, end: datetime
    ) -> list[tuple[str, str | None, str | None]]:
        """Read key, title and bullets (JSON) of what was written of items in [start, end); newest first."""
        event, held = SUMMARY_EVENTS[level]
        item = f"json_extract_string(properties, '$.\"{held}\"')"
        chosen = {
            "item": item if level == "trace" else f"lower({item})",
            "title": "said(json_extract_string(properties, '$.\"$ai_summary_title\"'))",
            "bullets": "json_extract_string(properties, '$.\"$ai_summary_bullets\"')",
            "moment": "ts",
        }
        once = self._once(chosen, f"'{event}'", "ts >= $starts AND ts < $ends")
        rows = self.rows(
            f"SELECT item, title, bullets FROM ({once}) WHERE item IN (SELECT unnest($keys)) "
            "ORDER BY moment DESC, uuid",
            {"keys": list(keys), "starts": start, "ends": end},
        )
        return [(row[0], row[1], row[2]) for row in rows]

    def open_view(self) -> None:
        """Create the view ``events`` over all rows of the files, one a uuid, for the user's queries.

        From here on no setting can be changed: neither by such a query nor by `_run`.
        """
        if self._view:
            return
        # Short vectors cost a query that looks at few columns a third more; long ones must fit the memory.
        vectors = f"SELECT sum(size) AS size FROM {AI_EVENTS} GROUP BY rowid // {_VECTOR_ROWS}"
        (size,) = self.rows(f"SELECT coalesce(max(size), 0) FROM ({vectors})")[0]
        short = size > _VECTOR_BYTES
        rows = scan.union(part.in_short_vectors if short else part.sql for part in self._parts)
        self.rows(
            f"CREATE OR REPLACE TABLE doubled AS SELECT uuid FROM {rows} "
            "WHERE uuid IS NOT NULL GROUP BY uuid HAVING count(*) > 1"
        )
        columns = (
            "uuid, event, distinct_id, ts AS timestamp, TRY_CAST(properties AS JSON) AS properties, "
            "TRY_CAST(person_properties AS JSON) AS person_properties"
        )
        plain = f"SELECT {columns} FROM {rows}"
        if self.rows("SELECT count(*) FROM doubled")[0][0]:
            several = printed(f"{rows} SEMI JOIN doubled USING (uuid)")
            plain += f""" ANTI JOIN doubled USING (uuid) UNION ALL SELECT {columns} FROM {several}
                QUALIFY row_number() OVER (PARTITION BY uuid
                    ORDER BY stamp DESC NULLS LAST, print, properties) = 1"""
        self.rows(f"CREATE VIEW events AS {plain}")
        self._connection.execute("SET lock_configuration = true")
        self._view = True

    def _settings(self) -> dict[str, Any]:
        return {
            "threads": min(_THREADS, os.cpu_count() or 1),
            "memory_limit": _MEMORY,
            "temp_directory": str(Path(self._folder) / "spill"),
            "preserve_insertion_order": False,
            # Else a filter sets the few rows of a vector aside until they are many, however long each is.
            "enable_caching_operators": False,
            # Memory goes back to the system after each query: what follows needs it more than the next scan.
            # In the midst of one only what is large: giving back each megabyte took a quarter of the time.
            "allocator_flush_threshold": "1MB",
            "allocator_bulk_deallocation_flush_threshold": "32MB",
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_community_extensions": False,
        }

    def _run(self, sql: str, values: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """Run one statement; once more, with one thread and more memory, where it did not fit.

        How much a scan takes depends on how far its threads run ahead of each other, so any statement that
        reads the files may be the one.

        Raises:
            duckdb.Error: The engine could not answer.
        """
        try:
            return self._connection.execute(sql, dict(values or {})).fetchall()
        except duckdb.OutOfMemoryException:
            if self._view:
                raise
            self._connection.execute("SET threads = 1")
            self._connection.execute(f"SET memory_limit = '{_MORE_MEMORY}'")
            return self._connection.execute(sql, dict(values or {})).fetchall()

    def _lock(self) -> None:
        aliases = ", ".join(scan.quoted(alias) for part in self._parts for alias in part.aliases)
        self._connection.execute(f"SET allowed_paths = [{aliases}]")
        self._connection.execute("SET enable_external_access = false")

    def _load(self) -> None:
        for macro in DUCKDB_MACROS:
            self._connection.execute(macro)
        self._connection.execute(f"CREATE TABLE {AI_EVENTS} AS {ai_events(scan.NO_ROWS)}")
        for part in scan.parts_of(self._run, self._files, self._aliases()):
            self._parts.append(self._load_part(part))
        where = "uuid IS NULL OR ts IS NULL"
        self.nameless = int(self.rows(f"SELECT count(*) FROM {AI_EVENTS} WHERE {where}")[0][0])
        if self.nameless:
            self.rows(f"DELETE FROM {AI_EVENTS} WHERE {where}")
        self._forget_duplicates()

    def _load_part(self, part: scan.Part) -> scan.Part:
        """Load one part, mended where it has to be; gives the part as it was read."""
        try:
            self._run(f"INSERT INTO {AI_EVENTS} {ai_events(part.in_short_vectors)}")
        except duckdb.Error as error:
            if scan.may_be_mended(error) and not part.mended:
                # Mending holds each text five times. Of long ones two threads would take too much room, and
                # more time than one.
                self._connection.execute("SET threads = 1")
                return self._load_part(scan.mended(part))
            self._blame(part, error)
        return part

    def _blame(self, part: scan.Part, error: duckdb.Error) -> NoReturn:
        """Find the file a part failed for, and raise its error."""
        for single in scan.narrowed(part):
            try:
                self._run(f"SELECT count(COLUMNS(*)) FROM ({ai_events(single.in_short_vectors)})")
            except duckdb.Error as own:
                raise explain(own, single.files[0]) from own
        raise explain(error, part.files[0]) from error

    def _aliases(self) -> dict[str, str]:
        """Link files whose path DuckDB would take for a pattern under a plain name."""
        aliases = {}
        for number, file in enumerate(self._files):
            if glob.has_magic(file.path):
                link = Path(self._folder) / f"link{number}"
                link.symlink_to(file.path)
                aliases[file.path] = str(link)
        return aliases

    def _forget_duplicates(self) -> None:
        """Keep one row a uuid: the one stored last, then the one that sorts first."""
        self.rows(
            f"""CREATE TABLE winners AS
            SELECT uuid, print, rowid AS row FROM (
              SELECT uuid, print, rowid, row_number() OVER (
                  PARTITION BY uuid ORDER BY stamp DESC NULLS LAST, print, properties) AS place
              FROM (SELECT *, rowid, {DUCKDB_PRINT} AS print FROM {AI_EVENTS} SEMI JOIN (
                SELECT uuid FROM {AI_EVENTS} GROUP BY uuid HAVING count(*) > 1) USING (uuid)))
            WHERE place = 1"""
        )
        self._duplicates = int(self.rows("SELECT count(*) FROM winners")[0][0])
        if self._duplicates:
            self.rows(
                f"DELETE FROM {AI_EVENTS} WHERE uuid IN (SELECT uuid FROM winners) "
                "AND rowid NOT IN (SELECT row FROM winners)"
            )

    def _once(self, chosen: Mapping[str, str], events: str, where: str = "true") -> str:
        """Spell a scan that gives one row a uuid of the events named.

        Args:
            chosen: Column name → expression over a row of the files.
            events: SQL literals of event names.
            where: A further condition.

        Returns:
            A SELECT of ``uuid`` and the columns; of equal copies any, of the rest the smallest value.
        """
        every = scan.union(part.in_short_vectors for part in self._parts)
        rows = f"(SELECT * FROM {every} WHERE event IN ({events}) AND uuid IS NOT NULL AND {where})"
        plain = ", ".join(f"{expression} AS {name}" for name, expression in chosen.items())
        once = f"SELECT uuid, {plain} FROM {rows}"
        if not self._duplicates:
            return once
        least = ", ".join(f"min({expression}) AS {name}" for name, expression in chosen.items())
        return f"""{once} ANTI JOIN winners USING (uuid) UNION ALL
            SELECT uuid, {least} FROM {printed(f"{rows} SEMI JOIN winners USING (uuid)")}
            SEMI JOIN winners USING (uuid, print) GROUP BY uuid"""

    def _read_properties(self, properties: Sequence[Property]) -> None:
        """Read properties of AI events into a table of their own."""
        table = f"properties{len(self._columns)}"
        chosen = {}
        for number, each in enumerate(properties):
            holder = "properties" if each.scope == "event" else "person_properties"
            # As a JSON pointer, so that no key can be taken for a path.
            pointer = "/" + each.key.replace("~", "~0").replace("/", "~1")
            chosen[f"given{number}"] = f"said(json_extract_string({holder}, {scan.quoted(pointer)}))"
        self.rows(f"CREATE TABLE {table} AS {self._once(chosen, _ASKED_EVENTS)}")
        self._columns.update({each: f"{table}.given{number}" for number, each in enumerate(properties)})
