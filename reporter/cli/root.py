"""The list of commands, and a group that imports a command only when it is called.

``reporter --help`` is printed from this table alone; a test holds the table against the commands.
"""

from __future__ import annotations

from importlib import import_module

import click

from reporter import __version__

COMPLETE_VARIABLE = "_REPORTER_COMPLETE"
SECTIONS = ("Reports", "Looking around", "Looking closer", "Setting up")
COMMANDS = {
    "report": ("reporter.cli.reports", "Reports", "Report on the latest run of every job."),
    "ci": ("reporter.cli.ci", "Reports", "Report for a build, and fail it where a rule is broken."),
    "compare": ("reporter.cli.reports", "Reports", "Report on any two runs of one level."),
    "incident": ("reporter.cli.incident", "Reports", "Report on an incident: which clusters broke."),
    "demo": ("reporter.cli.reports", "Reports", "Report on bundled events: no key, no network."),
    "render": ("reporter.cli.documents", "Reports", "Make documents again from a report.json, offline."),
    "send": ("reporter.cli.documents", "Reports", "E-mail a report that was built."),
    "verify": ("reporter.cli.documents", "Reports", "Recompute the sums and hashes of a report.json."),
    "jobs": ("reporter.cli.lists", "Looking around", "List jobs with their latest and prior run."),
    "runs": ("reporter.cli.lists", "Looking around", "List runs, newest first."),
    "cluster": ("reporter.cli.drill", "Looking closer", "Show one cluster and its items."),
    "traces": ("reporter.cli.drill", "Looking closer", "List traces of a window, a run or a cluster."),
    "trace": ("reporter.cli.drill", "Looking closer", "Show one trace as a tree."),
    "query": ("reporter.cli.drill", "Looking closer", "Put a query of your own."),
    "doctor": (
        "reporter.cli.doctor",
        "Setting up",
        "Check key, project, data, mail server, fonts and folders.",
    ),
    "cron": ("reporter.cli.cron", "Setting up", "Print what makes a machine send the report every week."),
    "init": ("reporter.cli.setup", "Setting up", "Write a commented reporter.toml."),
    "config": ("reporter.cli.setup", "Setting up", "Show the settings and where each came from."),
    "templates": ("reporter.cli.templates", "Setting up", "List and copy the templates of the documents."),
    "schema": ("reporter.cli.documents", "Setting up", "Print the JSON Schema of report.json."),
    "completion": ("reporter.cli.setup", "Setting up", "Print a completion script for your shell."),
}
"""By name: the module that holds it (under the same name), its heading, its short help."""


class LazyGroup(click.Group):
    """A group of commands that are imported one at a time."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        """Give the names of all commands, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 (as above)
        """Import one command."""
        if cmd_name not in COMMANDS:
            return None
        found = getattr(import_module(COMMANDS[cmd_name][0]), cmd_name)
        assert isinstance(found, click.Command)  # noqa: S101 (the table is ours; a test walks it)
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that was called.

        Raises:
            click.UsageError: There is none of that name.
        """
        name = args[0]
        if name not in COMMANDS and not name.startswith("-") and not ctx.resilient_parsing:
            from reporter.config.parse import nearest

            near = nearest(name, COMMANDS)
            raise click.UsageError(
                f"there is no command {name!r}" + (f"; did you mean {near!r}?" if near else ""), ctx
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 (as above)
        """Print the table under its headings."""
        for section in SECTIONS:
            with formatter.section(section):
                formatter.write_dl(
                    [(name, text) for name, (_, where, text) in COMMANDS.items() if where == section]
                )

    def shell_complete(
        self, ctx: click.Context, incomplete: str
    ) -> list[click.shell_completion.CompletionItem]:
        """Complete a command's name from the table."""
        from click.shell_completion import CompletionItem

        items = [
            CompletionItem(name, help=text)
            for name, (_, _, text) in COMMANDS.items()
            if name.startswith(incomplete)
        ]
        return items + click.Command.shell_complete(self, ctx, incomplete)


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Try `reporter demo`. Every command explains itself: reporter report --help",
)
@click.version_option(__version__, "-V", "--version", prog_name="reporter", message="%(prog)s %(version)s")
@click.pass_context
def root(ctx: click.Context) -> None:
    """Turn PostHog's LLM-analytics clusters into reports people act on."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help(), err=True)
        ctx.exit(2)
