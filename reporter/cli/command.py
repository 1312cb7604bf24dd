"""What our commands share: options made from the table of settings, help under headings, examples."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import click

from reporter.config.key import SECTIONS, Key
from reporter.config.keys import KEYS
from reporter.config.settings import Settings

SENDING = ("email", "mail_to", "notify")
"""Settings of telling readers."""
DELIVERY = (*SENDING, "upload", "out_pattern", "keep")
"""Settings of bringing documents anywhere but into a folder."""
_OTHER = "Other"


class Setting(click.Option):
    """An option that sets one setting; its value goes to `reporter.config` as it was typed."""

    def __init__(self, key: Key) -> None:
        """Make the option of a setting."""
        kind: click.ParamType[Any] | None = None
        if key.choices:
            kind = click.Choice(key.choices, case_sensitive=False)
        elif key.rebased:
            kind = click.Path()  # for completion by the shell; nothing is checked here
        switch = not key.metavar
        super().__init__(
            [key.field, *key.flags],
            help=f"{key.help} [default: {default}]" if (default := default_of(key)) else key.help,
            type=click.BOOL if switch else kind,
            is_flag=switch or None,
            default=None,
            multiple=key.repeats,
            metavar=None if switch or key.choices else key.metavar,
        )
        self.section = key.section
        self.key = key


class Command(click.Command):
    """A command whose options stand under headings and whose help ends with examples."""

    examples: tuple[str, ...] = ()

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Print the options, those of settings under their headings."""
        found: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is not None and not isinstance(param, click.Argument):
                found.setdefault(getattr(param, "section", _OTHER), []).append(record)
        for section in (*SECTIONS, _OTHER):
            if section in found:
                with formatter.section("Options" if list(found) == [_OTHER] else section):
                    formatter.write_dl(found[section])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 (click's signature)
        """Print the examples, one a line, unwrapped so that they can be copied."""
        with formatter.section("Examples"):
            for example in self.examples:
                formatter.write(f"{'':>{formatter.current_indent}}{example}\n")


def command(*examples: str) -> Callable[[Callable[..., Any]], Command]:
    """Make a command of a function.

    Args:
        examples: Command lines that show what it is for.
    """

    def make(function: Callable[..., Any]) -> Command:
        made = click.command(cls=Command)(function)
        made.examples = examples
        return made

    return make


def settings_options(
    *, without: Collection[str] = (), only: Collection[str] | None = None
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command an option for every setting, and ``--config``.

    Args:
        without: Fields of `Settings` it has no use for.
        only: The only fields it has a use for; all if not given.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        options = [
            Setting(key)
            for key in KEYS
            if key.flags and key.field not in without and (only is None or key.field in only)
        ]
        config = click.Option(
            ["-c", "--config"],
            type=click.Path(),
            metavar="FILE",
            help="The settings file. Otherwise ./reporter.toml, where there is one.",
        )
        config.section = SECTIONS[-1]  # type: ignore[attr-defined]  # read back by `Command.format_options`
        behaviour = next(
            (i for i, option in enumerate(options) if option.section == SECTIONS[-1]), len(options)
        )
        params: list[click.Option] = [*options[:behaviour], config, *options[behaviour:]]
        # click keeps a function's options here, last first, until a command is made of it.
        function.__click_params__ = [*getattr(function, "__click_params__", []), *reversed(params)]  # type: ignore[attr-defined]
        return function

    return decorate


def sending_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command that tells readers its options for doing so, which no file may set."""
    again = click.option("--again", is_flag=True, help="Send also to whom it was sent before.")
    dry = click.option("--dry-run", is_flag=True, help="Say what would be sent to whom; send nothing.")
    return again(dry(function))


def default_of(key: Key) -> str:
    """Give a setting's default as a person would type it; empty where there is none to speak of."""
    value = getattr(Settings(), key.field)
    return "" if value is None or value is False or value == () else key.example.strip('"')
