"""Templates of one's own: list what there is, copy what is to be changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from reporter.cli.command import command, settings_options
from reporter.cli.files import write_whole
from reporter.cli.session import Session
from reporter.cli.table import Column, table
from reporter.errors import DeliveryError

_COLUMNS = (Column("TEMPLATE"), Column("FROM"), Column("WHAT IT IS"))
_PRINTED = ("templates", "quiet", "verbose", "log_format", "as_json", "color")


@click.group(name="templates", short_help="List and copy the templates of the documents.")
def templates() -> None:
    """List and copy the templates of the documents."""


@command("reporter templates list", "reporter templates list --templates mine")
@settings_options(only=_PRINTED)
@click.pass_context
def listed(ctx: click.Context, /, **flags: Any) -> None:
    """List every template, style sheet and script, and where it comes from.

    With --templates DIR it also says which of them your folder replaces.
    """
    from reporter import pipeline

    session = ctx.ensure_object(Session)
    settings = session.settle(flags).settings
    found = pipeline.list_templates(settings)
    if settings.as_json:
        session.console.value([{"name": t.name, "from": t.origin, "about": t.about} for t in found])
        return
    cells = [(t.name, t.origin, t.about) for t in found]
    session.console.document("".join(f"{line}\n" for line in table(_COLUMNS, cells, width=None)))


@command("reporter templates copy page.html", "reporter templates copy --to mine")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default="templates",
    show_default=True,
    metavar="DIR",
    help="Folder to copy into.",
)
@click.option("--force", is_flag=True, help="Replace files that are there.")
@settings_options(only=_PRINTED[1:])
@click.pass_context
def copy(ctx: click.Context, /, names: tuple[str, ...], folder: Path, *, force: bool, **flags: Any) -> None:
    """Copy built-in templates, to change them: the ones named, else all.

    A folder need not hold all of them: what it lacks is taken from the built-in set, and a template can
    extend the built-in one and replace one block.
    """
    from reporter import pipeline

    session = ctx.ensure_object(Session)
    settings = session.settle(flags).settings
    copied = []
    for name, data in pipeline.built_in_templates(names):
        target = folder / name
        try:
            write_whole(target, data, replace=force)
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else error
            raise DeliveryError(f"the file cannot be written: {why}", subject=str(target)) from error
        copied.append(str(target))
    if settings.as_json:
        session.console.value(copied)
        return
    for path in copied:
        session.console.result(path)


listed.name = "list"
templates.add_command(listed)
templates.add_command(copy)
