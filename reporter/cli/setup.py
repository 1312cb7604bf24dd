"""Commands that help to set up: init, config show, completion."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click

from reporter import units
from reporter.cli.command import command, settings_options
from reporter.cli.files import write_whole
from reporter.cli.session import Session
from reporter.cli.table import Column, table
from reporter.errors import DeliveryError, UsageError

_SECRETS = {
    "api_key": "posthog.api_key",
    "clickhouse_password": "clickhouse.password",
    "mail_password": "mail.password",
    "notify_urls": "notify.urls",
}
"""What secrets are called here; none has a place in a file."""
_COLUMNS = (Column("SETTING"), Column("VALUE"), Column("FROM"))


@command("reporter init", "reporter init conf/weekly.toml")
@click.argument("path", type=click.Path(path_type=Path), default="reporter.toml", metavar="[FILE]")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@click.pass_context
def init(ctx: click.Context, path: Path, *, force: bool) -> None:
    """Write a commented reporter.toml.

    Every setting stands in it with its default, as a comment. A file that is there is kept.
    """
    from reporter import config

    session = ctx.ensure_object(Session)
    try:
        write_whole(path, config.template().encode(), replace=force)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise DeliveryError(f"the file cannot be written: {why}", subject=str(path)) from error
    session.console.result(str(path))


@click.group(name="config", short_help="Show the settings and where each came from.")
def config() -> None:
    """Show the settings and where each came from."""


@command("reporter config show", "reporter config show --config conf/weekly.toml --json")
@settings_options()
@click.pass_context
def show(ctx: click.Context, /, **flags: Any) -> None:
    """Show every setting, its value and where it came from.

    Keys and passwords are never shown, only whether they are set.
    """
    from reporter.config import BY_FIELD, Settings

    session = ctx.ensure_object(Session)
    resolved = session.settle(flags)
    rows = []
    for name in (field.name for field in fields(Settings)):
        value, origin = getattr(resolved.settings, name), resolved.origins[name]
        known = BY_FIELD.get(name)
        rows.append((known.name if known else _SECRETS[name], value if known else _set(value), origin))
    if resolved.settings.as_json:
        listed = {
            name: {"value": _plain(value), "origin": origin.kind, "place": origin.name}
            for name, value, origin in rows
        }
        session.console.value({"settings": listed})
        return
    cells = [(name, _shown(value), str(origin)) for name, value, origin in rows]
    session.console.document("".join(f"{line}\n" for line in table(_COLUMNS, cells, width=None)))


config.add_command(show)


@command(
    "reporter completion bash >> ~/.bashrc",
    "reporter completion fish > ~/.config/fish/completions/reporter.fish",
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print a completion script for your shell."""
    from click.shell_completion import ShellComplete, get_completion_class

    from reporter.cli.root import COMPLETE_VARIABLE, root

    kind = get_completion_class(shell)
    if kind is None:
        raise UsageError(f"no completion for {shell} in this version of click")
    # Not `kind.source`: bash's first asks the bash that is installed here for its version.
    script = ShellComplete.source(kind(root, {}, "reporter", COMPLETE_VARIABLE))
    ctx.ensure_object(Session).console.document(script)


def _set(value: object) -> str:
    return "not set" if value is None else "set"


def _plain(value: object) -> object:
    """Turn a value into what JSON can hold, without passwords."""
    if isinstance(value, datetime):
        return units.iso(value)
    if isinstance(value, timedelta):
        hours = value.total_seconds() / 3600
        return f"{hours:g}h" if hours % 24 else f"{hours / 24:g}d"
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    if isinstance(value, (str, Path)):
        from reporter.cli.console import clean

        return clean(str(value))
    return value


def _shown(value: object) -> str:
    plain = _plain(value)
    if plain is None or plain == []:
        return units.UNKNOWN
    if isinstance(plain, bool):
        return "yes" if plain else "no"
    return ", ".join(map(str, plain)) if isinstance(plain, list) else str(plain)
