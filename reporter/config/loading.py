"""Settling the settings: flags over environment over reporter.toml over defaults.

All faults are told at once, each with the place it was found in. Nothing is read but the settings file
and the file of the API key; the environment and the working folder are arguments.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, TypeAlias

from reporter.config import parse
from reporter.config.key import Key
from reporter.config.keys import BY_FIELD, BY_NAME, KEYS
from reporter.config.secret import Secret
from reporter.config.settings import POSTHOG, Settings
from reporter.errors import UsageError

FILE_NAME = "reporter.toml"
KEY_VARIABLE = "POSTHOG_PERSONAL_API_KEY"
SECRETS = {
    "clickhouse_password": "CLICKHOUSE_PASSWORD",  # as ClickHouse's own programs call it
    "mail_password": "REPORTER_MAIL_PASSWORD",
    "notify_urls": "REPORTER_NOTIFY_URLS",
}
"""Secrets the environment alone may hold, by field of `Settings`; a file may be named instead."""
KEYRING_SERVICE = "cluster-reporter"
"""Under this name, and the host as user, the system's keyring may hold the key."""
OriginKind: TypeAlias = Literal["default", "keyring", "file", "environment", "flag"]
_MAX_FILE_BYTES = 1_000_000
_MAX_KEY_FILE_BYTES = 10_000
_SHOWN = 60
"""Longest piece of a wrong value repeated in an error."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value came from."""

    kind: OriginKind
    name: str = ""
    """The flag, variable or place in a file; empty for a default."""

    def __str__(self) -> str:
        """Name the place, or say that it is the default."""
        return self.name or self.kind


@dataclass(frozen=True, slots=True)
class Resolved:
    """Settings and the origin of each."""

    settings: Settings
    origins: Mapping[str, Origin]
    """By field of `Settings`."""

    def chosen(self, field: str) -> bool:
        """Tell whether somebody chose this value, on the command line, in the environment or in a file."""
        return self.origins[field].kind != "default"


@dataclass(frozen=True, slots=True)
class _Raw:
    """A value as it was found, with where."""

    value: object
    origin: Origin
    parse: parse.Parser


@dataclass(frozen=True, slots=True)
class _File:
    """A settings file that was read."""

    shown: str
    """The file as a person would type it."""
    folder: Path
    """Its folder, relative to the working folder unless given absolute."""
    text: str
    values: Mapping[str, object]
    """By name, tables joined with dots."""


def load(flags: Mapping[str, object], environ: Mapping[str, str], cwd: Path) -> Settings:
    """Settle the settings.

    Args:
        flags: What was given on the command line, by field of `Settings`, and ``config`` for the settings
            file. ``None`` and ``()`` mean "not given".
        environ: The environment.
        cwd: The working folder; ``reporter.toml`` is looked for in it.

    Returns:
        Every setting; relative paths are relative to `cwd`.

    Raises:
        UsageError: Something is wrong; every fault is named.
    """
    return resolve(flags, environ, cwd).settings


def resolve(
    flags: Mapping[str, object],
    environ: Mapping[str, str],
    cwd: Path,
    *,
    look_for_file: bool = True,
    asks_keyring: bool = True,
) -> Resolved:
    """Settle the settings as `load` does and tell where each came from.

    Args:
        flags: As for `load`.
        environ: As for `load`.
        cwd: As for `load`.
        look_for_file: Whether ``reporter.toml`` in `cwd` counts; a file that is named always does.
        asks_keyring: Whether the system's keyring, which takes a moment, may be asked for the key.

    Raises:
        UsageError: Something is wrong; every fault is named.
    """
    unknown = [name for name in flags if name not in BY_FIELD and name not in ("config", "api_key")]
    if unknown:
        raise UsageError(f"there is no setting called {unknown[0]!r}", hint=_guess(unknown[0], BY_FIELD))
    file = _file(flags.get("config"), environ, cwd, look_for_file=look_for_file)
    faults = [*_unknown_variables(environ), *(_unknown_keys(file) if file else ())]
    values: dict[str, Any] = {}
    origins = {field.name: Origin("default") for field in fields(Settings)}
    for key in KEYS:
        raw = _winner(key, flags, environ, file)
        if raw is None:
            continue
        try:
            values[key.field] = raw.parse(raw.value)
            origins[key.field] = raw.origin
        except ValueError as error:
            shown = repr(raw.value)
            shown = shown if len(shown) <= _SHOWN else f"{shown[: _SHOWN - 1]}…"
            faults.append(f"{raw.origin}: {shown} is not allowed; {error}")
    if faults:
        raise _failure(faults)
    settings = Settings(**values)
    origin = origins["api_key_file"]
    secret, origins["api_key"] = _api_key(settings, origin, environ, cwd, asks_keyring=asks_keyring)
    given: dict[str, Any] = {f: Secret(environ[name]) for f, name in SECRETS.items() if environ.get(name)}
    origins |= {field: Origin("environment", SECRETS[field]) for field in given}
    settings = Settings(**values, api_key=secret, **given)
    _check_together(settings)
    return Resolved(settings=settings, origins=origins)


def _winner(
    key: Key, flags: Mapping[str, object], environ: Mapping[str, str], file: _File | None
) -> _Raw | None:
    """Find the value of one setting that counts, unread."""
    given = flags.get(key.field)
    if given is not None and given != ():
        return _Raw(given, Origin("flag", key.flag), key.parse)
    if environ.get(key.variable):
        text = environ[key.variable]
        origin = Origin("environment", key.variable)
        return _Raw(_expanded(text, environ) if key.rebased else text, origin, key.parse)
    # Two conventions of the world outside, each with a form of its own.
    if key.field == "now" and environ.get("SOURCE_DATE_EPOCH"):
        return _Raw(environ["SOURCE_DATE_EPOCH"], Origin("environment", "SOURCE_DATE_EPOCH"), parse.epoch)
    if key.field == "color" and environ.get("NO_COLOR"):
        return _Raw(False, Origin("environment", "NO_COLOR"), key.parse)  # noqa: FBT003 (the value itself)
    if file is not None and key.name in file.values:
        value = file.values[key.name]
        if key.rebased and isinstance(value, str):
            value = _rebased(_expanded(value, environ), file.folder)
        line = _line_of(file.text, key.name)
        return _Raw(
            value, Origin("file", f"{file.shown}{f', line {line}' if line else ''}, {key.name}"), key.parse
        )
    return None


def _file(given: object, environ: Mapping[str, str], cwd: Path, *, look_for_file: bool) -> _File | None:
    named = str(given or environ.get("REPORTER_CONFIG") or "")
    path = Path(named or FILE_NAME)
    if not named and not (look_for_file and (cwd / path).is_file()):
        return None
    try:
        with (cwd / path).open("rb") as stream:
            data = stream.read(_MAX_FILE_BYTES + 1)
        if len(data) > _MAX_FILE_BYTES:
            raise UsageError("this is too large for a settings file", subject=str(path))
        text = data.decode("utf-8-sig")
        values = tomllib.loads(text)
    except OSError as error:
        raise UsageError(
            f"the settings file cannot be read: {error.strerror}",
            subject=str(path),
            hint="`reporter init` writes one.",
        ) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"this is not TOML: {error}", subject=str(path)) from error
    except ValueError as error:  # a path with a NUL character
        raise UsageError(f"the settings file cannot be read: {error}", subject=repr(str(path))) from error
    return _File(shown=str(path), folder=path.parent, text=text, values=dict(_flat(values)))


def _flat(values: Mapping[str, Any], table: str = "") -> Iterator[tuple[str, object]]:
    """Join tables to names; only a table that can hold settings is opened."""
    tables = {key.table for key in KEYS}
    for name, value in values.items():
        if isinstance(value, dict) and not table and name in tables:
            yield from _flat(value, name)
        else:
            yield (f"{table}.{name}" if table else name), value


def _unknown_keys(file: _File) -> Iterator[str]:
    for name in file.values:
        if name in BY_NAME:
            continue
        line = _line_of(file.text, name)
        place = f"{file.shown}{f', line {line}' if line else ''}"
        if name.rpartition(".")[2] in ("api_key", "personal_api_key"):
            advice = f"a key does not belong in a settings file; set {KEY_VARIABLE} or posthog.api_key_file"
        elif (field := name.replace(".", "_")) in SECRETS:
            advice = f"it does not belong in a settings file; set {SECRETS[field]}, or name a file"
        else:
            advice = _guess(name, BY_NAME)
        yield f"{place}: there is no setting called {name!r}; {advice[:1].lower()}{advice[1:]}"


def _unknown_variables(environ: Mapping[str, str]) -> Iterator[str]:
    """Name variables that look like ours but are misspelt.

    Other programs may own variables that begin the same way, so only a near miss is a fault.
    """
    prefix = "REPORTER_"
    variables = [key.variable for key in KEYS if key.variable.startswith(prefix)]
    known = [*variables, *SECRETS.values(), "REPORTER_CONFIG"]
    for name in sorted(environ):
        if name.startswith(prefix) and name not in known and environ[name]:
            near = parse.nearest(name.removeprefix(prefix), [word.removeprefix(prefix) for word in known])
            if near:
                yield f"{name}: there is no such variable; did you mean {prefix}{near}?"


def _guess(name: str, known: Mapping[str, object]) -> str:
    near = parse.nearest(name, known) or next((k for k in known if k.endswith(f".{name}")), None)
    return f"Did you mean {near!r}?" if near else "`reporter config show` lists every setting."


def _line_of(text: str, name: str) -> int | None:
    """Find the line a setting stands on; ``None`` for spellings this simple search does not know."""
    table, _, word = name.rpartition(".")
    current = ""
    for number, line in enumerate(text.splitlines(), start=1):
        plain = line.strip()
        if plain.startswith("["):
            current = plain.strip("[] ").partition("]")[0].strip(" \"'")
            if not table and current == word:
                return number
        elif "=" in plain:
            found = plain.partition("=")[0].strip().replace('"', "").replace("'", "")
            if (found == word and current == table) or (not current and found == name):
                return number
    return None


def _expanded(value: str, environ: Mapping[str, str]) -> str:
    """Write ``~/`` out, as a shell would have done for a flag."""
    home = environ.get("HOME")
    return f"{home}/{value[2:]}" if home and value.startswith("~/") else value


def _rebased(value: str, folder: Path) -> str:
    """Make a path of a settings file relative to the working folder; an address stays as it is."""
    return (
        value
        if value.strip() == POSTHOG or "://" in value or not value.strip()
        else str(folder / value.strip())
    )


def _api_key(
    settings: Settings, file_origin: Origin, environ: Mapping[str, str], cwd: Path, *, asks_keyring: bool
) -> tuple[Secret | None, Origin]:
    """Read the key: a file named by flag, else the variable, else a file named otherwise, else the keyring.

    File and keyring are opened only for the source that needs them, so that the same settings work without.
    """
    if environ.get(KEY_VARIABLE) and file_origin.kind != "flag":
        origin = Origin("environment", KEY_VARIABLE)
        raw: str = environ[KEY_VARIABLE]
    elif settings.api_key_file is not None and settings.source == POSTHOG:
        origin = Origin(file_origin.kind, str(settings.api_key_file))
        try:
            with (cwd / settings.api_key_file).open("rb") as stream:
                raw = stream.read(_MAX_KEY_FILE_BYTES).decode("utf-8", "replace")
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else "its name is not a path"
            raise UsageError(
                f"the key file cannot be read: {why}", subject=str(settings.api_key_file)
            ) from error
    else:
        kept = _from_keyring(settings.host) if asks_keyring and settings.source == POSTHOG else None
        if kept is None:
            return None, Origin("default")
        origin, raw = Origin("keyring", f"keyring, {KEYRING_SERVICE}"), kept
    try:
        return Secret(parse.key(raw)), origin
    except ValueError as error:
        raise UsageError(f"this is not an API key; {error}", subject=str(origin)) from None


def secret_in(path: Path) -> Secret:
    """Read a secret from a file, when the moment comes to use it.

    Raises:
        UsageError: It cannot be read, or is empty.
    """
    try:
        with path.open("rb") as stream:
            text = stream.read(_MAX_KEY_FILE_BYTES).decode("utf-8", "replace").strip()
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "its name is not a path"
        raise UsageError(f"the file with the secret cannot be read: {why}", subject=str(path)) from error
    if not text:
        raise UsageError("the file with the secret is empty", subject=str(path))
    return Secret(text)


def _from_keyring(host: str) -> str | None:
    """Ask the system's keyring for the key of a host; ``None`` where there is no keyring or no key in it."""
    try:
        import keyring

        return keyring.get_password(KEYRING_SERVICE, host)
    except Exception:  # noqa: BLE001 (an extra that may be missing; what its backends raise is up to each)
        return None


def _check_together(settings: Settings) -> None:
    if settings.quiet and settings.verbose:
        raise UsageError("these two exclude each other; choose one", subject="--quiet and --verbose")
    if settings.now and isinstance(settings.since, datetime) and settings.since >= settings.now:
        raise UsageError(
            "the time to look back to must lie before the clock of the report",
            subject=f"since {settings.since:%Y-%m-%d %H:%M} UTC, now {settings.now:%Y-%m-%d %H:%M} UTC",
        )


def _failure(faults: Sequence[str]) -> UsageError:
    if len(faults) == 1:
        place, _, rest = faults[0].partition(": ")
        return UsageError(rest, subject=place)
    listed = "\n".join(f"  {fault}" for fault in faults)
    return UsageError(f"{len(faults)} settings are wrong:\n{listed}")
