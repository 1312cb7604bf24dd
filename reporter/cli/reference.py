"""docs/cli.md, made from the live commands: ``python -m reporter.cli.reference > docs/cli.md``.

A test holds the file against what this module writes, so the reference cannot grow stale.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator

import click

from reporter.cli.command import Command, Setting
from reporter.cli.root import COMMANDS, SECTIONS, root
from reporter.config.key import SECTIONS as SETTING_SECTIONS
from reporter.config.keys import KEYS

_HEAD = """\
# The command line

<!-- Made by `python -m reporter.cli.reference > docs/cli.md`; a test fails when it is stale. -->

`reporter COMMAND [OPTIONS]`. Results go to standard output, everything else to standard error.
Settings come from flags, then environment variables, then `reporter.toml`, then defaults.
"""
_CODES = """\
## Exit codes

| Code | Meaning |
| --- | --- |
| 0 | Done. |
| 1 | A rule failed (`--fail-on`), or `verify` found a difference. |
| 2 | The command line or a setting is wrong. |
| 3 | The source cannot be read, or not all of it; what could be read is written and marked incomplete. |
| 4 | There is nothing to report on. |
| 5 | A document could not be made; the others are written. |
| 6 | A document could not be written or sent. |
| 70 | A bug in reporter; details are kept in a file, named on standard error. |
| 130 | Interrupted (Ctrl-C). |
| 141 | The reader of standard output went away. |
| 143 | The system asked the process to end. |

Where several things went wrong, the first of 70, 2, 6, 5, 3, 4 is given.
"""
_VARIABLES = """\
Besides: `POSTHOG_PERSONAL_API_KEY` holds the API key; `REPORTER_CONFIG` names the settings file;
`SOURCE_DATE_EPOCH` sets the clock where `--now` and `REPORTER_NOW` do not; `NO_COLOR` turns colour off.
A variable holds several jobs or rules one a line. An empty variable counts as not set.
"""


def markdown() -> str:
    """Write the reference."""
    return "\n".join((_HEAD, *_commands(), *_settings(), _CODES))


def _commands() -> Iterator[str]:
    context = click.Context(root, info_name="reporter")
    for section in SECTIONS:
        yield f"## {section}\n"
        for name in (name for name, (_, where, _) in COMMANDS.items() if where == section):
            found = root.get_command(context, name)
            if isinstance(found, click.Group):
                inner = click.Context(found, info_name=name, parent=context)
                for word in found.list_commands(inner):
                    yield from _command(found.get_command(inner, word), word, inner)
            else:
                yield from _command(found, name, context)


def _command(command: click.Command | None, name: str, parent: click.Context) -> Iterator[str]:
    if not isinstance(command, Command):
        raise TypeError(f"{name} is not one of our commands")
    context = click.Context(command, info_name=name, parent=parent)
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    yield f"### {context.command_path}\n"
    yield f"{inspect.cleandoc(command.help or '')}\n"
    yield f"```console\n$ {usage}\n```\n"
    taken = [param.key.field for param in command.params if isinstance(param, Setting)]
    left_out = [f"`{key.flag}`" for key in KEYS if key.flags and key.field not in taken]
    if taken and not left_out:
        yield "Takes every [setting](#settings).\n"
    elif taken:
        flags = ", ".join(f"`{key.flag}`" for key in KEYS if key.field in taken)
        yield f"Takes these [settings](#settings): {flags}, `--config`.\n"
    for option in command.params:
        if isinstance(option, (Setting, click.Argument)) or option.name == "config":
            continue
        yield f"- `{', '.join(option.opts)}`: {getattr(option, 'help', '')}\n"
    yield "```console\n" + "".join(f"$ {example}\n" for example in command.examples) + "```\n"


def _settings() -> Iterator[str]:
    yield "## Settings\n"
    yield "`-c, --config FILE` names the settings file; else `./reporter.toml` is read where there is one.\n"
    for section in SETTING_SECTIONS:
        yield f"### {section}\n"
        yield "| Flag | In reporter.toml | Variable | Meaning |\n| --- | --- | --- | --- |"
        for key in (key for key in KEYS if key.section == section):
            value = "\\|".join(key.choices) or key.metavar.replace("|", "\\|")
            flags = ", ".join(key.flags) + (f" {value}" if value else "")
            shown = f"`{flags}`" if key.flags else ""
            example = key.example.replace("|", "\\|")
            yield f"| {shown} | `{key.name} = {example}` | `{key.variable}` | {key.help} |"
        yield ""
    yield _VARIABLES


if __name__ == "__main__":
    sys.stdout.write(markdown())
