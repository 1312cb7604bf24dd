"""The way in: run a command, and answer every way it can end with a line for a person and an exit code.

Expected failures are one ``error:`` line and a hint. What nobody expected goes to a file, whole, and is
told in one line. This is the only place that turns exceptions into exit codes.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper

import click

from reporter import temporary
from reporter.cli.console import Console
from reporter.cli.root import COMPLETE_VARIABLE, root
from reporter.cli.session import Session
from reporter.errors import ReporterError, UsageError

INTERRUPTED = 130
PIPE_CLOSED = 141
_BUG = 70
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``reporter``.

    Args:
        argv: The arguments without the program's name; those of the process if not given.

    Returns:
        The exit code: 0 done, 1 a gate or a check failed, 2-6 as in `reporter.errors`, 70 our bug, 130
        interrupted, 141 standard output was closed by its reader.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    session = Session()
    if isinstance(sys.stdout, TextIOWrapper):
        # A terminal that cannot show a character gets a question mark, not a traceback.
        sys.stdout.reconfigure(errors="replace")
    try:
        return _run(arguments, session)
    except click.ClickException as error:
        return _usage(error, session.console)
    except ReporterError as error:
        session.console.error(error)
        return error.exit_code
    except (KeyboardInterrupt, click.Abort, EOFError):
        session.console.line("interrupted", "error")
        return INTERRUPTED
    except BrokenPipeError:
        _silence_stdout()
        return PIPE_CLOSED
    except Exception as error:  # noqa: BLE001 (the last net: the one place where a bug is caught, and told)
        return _unforeseen(error, arguments, session)


def _run(arguments: list[str], session: Session) -> int:
    instruction = os.environ.get(COMPLETE_VARIABLE)
    if instruction:
        from click.shell_completion import shell_complete

        return shell_complete(root, {}, "reporter", COMPLETE_VARIABLE, instruction)
    try:
        with root.make_context("reporter", arguments, obj=session) as context:
            root.invoke(context)
    except click.exceptions.Exit as end:
        return end.exit_code
    return 0


def _usage(error: click.ClickException, console: Console) -> int:
    """Tell what is wrong with a command line, and how it should look."""
    context = getattr(error, "ctx", None)
    usage, hint = "", ""
    if context is not None:
        usage = context.get_usage()
        hint = f"See `{context.command_path} --help`."
    message = error.format_message().strip()
    console.error(UsageError(message[:1].lower() + message[1:].rstrip("."), hint=hint), usage=usage)
    return UsageError.exit_code


def _unforeseen(error: Exception, arguments: Sequence[str], session: Session) -> int:
    """Tell that nothing can be written, wherever that came up; anything else is our bug."""
    if not isinstance(error, OSError) or error.errno not in _FULL:
        return _bug(error, arguments, session)
    told = temporary.no_room(error)
    session.console.error(told)
    return told.exit_code


def _bug(error: Exception, arguments: Sequence[str], session: Session) -> int:
    from reporter.cli import crash

    try:
        path = crash.keep(error, arguments, session.state_folder())
    except (ReporterError, OSError):
        # Better on the screen than lost.
        sys.stderr.write(crash.text(error, arguments))
        where = "The details are above"
    else:
        where = f"The details are in {path}"
    message = f"this is a bug in reporter: {type(error).__name__}"
    session.console.error(ReporterError(message, hint=f"{where}; please report it with them."))
    return _BUG


def _silence_stdout() -> None:
    """Send what is still buffered nowhere, so that the interpreter does not complain on its way out."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
    except (OSError, ValueError):
        return
