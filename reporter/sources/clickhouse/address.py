"""Where ClickHouse is and how its table is called, read from one address."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

from reporter.errors import UsageError
from reporter.sources.queries.for_clickhouse import COLUMNS, NAME, Events
from reporter.sources.wire import is_near

_HINT = (
    "Write clickhouse://USER@HOST/DATABASE, and after a question mark what differs: table=events, "
    "team=team_id, column.timestamp=created, secure=no (for this machine alone)."
)
_SECURE_PORT, _PLAIN_PORT = 8443, 8123
_YES, _NO = ("yes", "true", "1"), ("no", "false", "0")


@dataclass(frozen=True, slots=True)
class Address:
    """What an address says."""

    embedded: bool
    """Whether the engine runs in this process, over a folder of its own."""
    place: str
    """The server's address (``https://host:8443``), or the engine's folder (empty: in memory)."""
    user: str
    events: Events
    shown: str
    """What it is called in messages and reports: host and table, or the embedded engine and its table."""


def parse(text: str, project_id: str | None = None) -> Address:
    """Read an address.

    Args:
        text: ``clickhouse://[USER@]HOST[:PORT][/DATABASE][?…]`` or ``chdb://[FOLDER][?database=…]``. Options:
            ``table`` (``events``), ``team`` (the column with the project's number, ``team_id``; empty for
            none), ``column.NAME`` for each of `COLUMNS` that has another name, ``secure`` (``yes``).
        project_id: Number of the project whose rows are meant; ``None`` for all rows.

    Raises:
        UsageError: It is none; says what is wrong. A password in it is refused, for addresses end up in logs.
    """
    try:
        parts = urlsplit(text)
        options = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
        port, host = parts.port, parts.hostname or ""
    except ValueError as error:
        raise UsageError(f"this is no address: {error}", subject="--source", hint=_HINT) from None
    shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    if parts.password is not None:
        hint = "Leave it out, for addresses end up in logs and lists of processes: set CLICKHOUSE_PASSWORD."
        raise UsageError("a password stands in the address", subject=shown, hint=hint)

    def refused(why: str) -> UsageError:
        return UsageError(why, subject=shown, hint=_HINT)

    embedded = parts.scheme == "chdb"
    database = options.pop("database", "") if embedded else unquote(parts.path).strip("/")
    secure = options.pop("secure", "yes").lower()
    table, team = options.pop("table", "events"), options.pop("team", "team_id")
    columns = {name: options.pop(f"column.{name}") for name in COLUMNS if f"column.{name}" in options}
    if options:
        raise refused(f"there is no option {min(options)!r}")
    for name in filter(None, (table, database, team, *columns.values())):
        if not NAME.fullmatch(name):
            raise refused(f"{name!r} cannot name a database, table or column")
    events = Events(database or None, table, columns, _project(team, project_id))
    if embedded:
        folder = unquote(f"{parts.netloc}{parts.path}")
        called = f"chdb://{database or 'default'}/{table}"
        return Address(embedded=True, place=folder, user="", events=events, shown=called)
    name = f"[{host}]" if ":" in host else host
    wrong = _wrong(name, secure)
    if wrong:
        raise refused(wrong)
    tls = secure in _YES
    return Address(
        embedded=False,
        place=f"{'https' if tls else 'http'}://{name}:{port or (_SECURE_PORT if tls else _PLAIN_PORT)}",
        user=unquote(parts.username or "default"),
        events=events,
        shown=f"clickhouse://{name}/{database or 'default'}/{table}",
    )


def _wrong(host: str, secure: str) -> str:
    """Say why a server cannot be asked like this; empty where it can."""
    if not host:
        return "no host is named"
    if secure not in (*_YES, *_NO):
        return f"secure is yes or no, not {secure!r}"
    if secure in _NO and not is_near(host):
        return "without TLS the password would go over the network as it is, so only this machine is asked"
    return ""


def _project(team: str, project_id: str | None) -> tuple[str, int] | None:
    """Give the column and the number that tell a project's rows apart; ``None`` where all rows are meant."""
    if project_id is None or not team:
        return None
    if not (project_id.isascii() and project_id.isdigit()):
        raise UsageError("a project in ClickHouse is a number", subject=f"--project-id {project_id}")
    return team, int(project_id)
