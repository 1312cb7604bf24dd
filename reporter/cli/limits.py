"""Ending a run from outside: a deadline, Ctrl-C, or the system asking the process to go.

Libraries written in C swallow what a signal handler raises and raise something of their own instead
(DuckDB says "Query interrupted"). So the handler also notes which signal came, and the end of the work is
judged by that note.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from reporter.errors import SourceError

TERMINATED = 143
_AGAIN_S = 15.0
"""Seconds after which the deadline rings again, should somebody have swallowed it."""


class _Stop(BaseException):
    """Unwinds the work; not an `Exception`, so that nobody takes it for a fault of the data."""


@contextmanager
def limited(timeout_s: float) -> Iterator[None]:
    """Run a block under a deadline, open to Ctrl-C and termination.

    Outside the main thread, and where there is no such timer (Windows), the block runs without a limit.

    Args:
        timeout_s: Longest time the block may take, in seconds.

    Raises:
        SourceError: The block took longer.
        KeyboardInterrupt: Ctrl-C was pressed.
        SystemExit: The process was asked to end.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return
    came: list[int] = []
    leaving = False

    def note(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 (the signature of a handler)
        came.append(number)
        if not leaving:
            raise _Stop

    before = {
        number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
    }
    signal.setitimer(signal.ITIMER_REAL, timeout_s, _AGAIN_S)
    try:
        yield
    except BaseException:
        leaving = True
        if came:
            raise _meaning(came[0], timeout_s) from None
        raise
    finally:
        leaving = True
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)


def _meaning(number: int, timeout_s: float) -> BaseException:
    if number == signal.SIGINT:
        return KeyboardInterrupt()
    if number == signal.SIGTERM:
        return SystemExit(TERMINATED)
    return SourceError(
        f"the run took longer than {timeout_s:g} s and was stopped",
        subject="--timeout",
        hint="Allow more with --timeout SECONDS, or ask for less with --job, --level or --since.",
    )
