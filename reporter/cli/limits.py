"""Ending a run from outside: a deadline, Ctrl-C, or the system asking the process to go.

Libraries written in C swallow what a signal handler raises and raise something of their own instead
(DuckDB says "Query interrupted"). So the handler also notes which signal came, and the end of the work is
judged by that note. And they may wait for threads of their own where no handler of ours runs; so some
seconds after a signal that did not end the work, a watchdog ends the process.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from reporter.errors import SourceError

TERMINATED = 143
_INTERRUPTED = 130
_GRACE_S = 10.0
"""Seconds the work is given to clean up after a signal, before the process is ended."""


class _Stop(BaseException):
    """Unwinds the work; not an `Exception`, so that nobody takes it for a fault of the data."""


@contextmanager
def limited(timeout_s: float, *, grace_s: float = _GRACE_S) -> Iterator[None]:
    """Run a block under a deadline, open to Ctrl-C and termination.

    Outside the main thread, and where there is no such timer (Windows), the block runs without a limit.

    Args:
        timeout_s: Longest time the block may take, in seconds.
        grace_s: How long cleaning up may take after that, in seconds; then the process is ended.

    Raises:
        SourceError: The block took longer.
        KeyboardInterrupt: Ctrl-C was pressed.
        SystemExit: The process was asked to end.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return
    came: list[int] = []
    watchdogs: list[threading.Timer] = []
    leaving = False

    def watch(delay_s: float, number: int) -> None:
        watchdog = threading.Timer(delay_s, _end_process, (number, timeout_s))
        watchdog.daemon = True
        watchdogs.append(watchdog)
        watchdog.start()

    def note(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 (the signature of a handler)
        came.append(number)
        if not leaving:
            watch(grace_s, number)
            raise _Stop

    before = {
        number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
    }
    watch(timeout_s + grace_s, signal.SIGALRM)  # for a library in which not even the handler runs
    signal.setitimer(signal.ITIMER_REAL, timeout_s)
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
        for watchdog in watchdogs:
            watchdog.cancel()
        for number, handler in before.items():
            signal.signal(number, handler)


def _end_process(number: int, timeout_s: float) -> None:
    """End the process from a thread: nothing is cleaned up, but nobody waits for ever."""
    meaning = _meaning(number, timeout_s)
    if isinstance(meaning, SourceError):
        code, text = meaning.exit_code, meaning.message
    else:
        code, text = (_INTERRUPTED if number == signal.SIGINT else TERMINATED), "interrupted"
    sys.stderr.write(f"error: {text}; it did not stop by itself\n")
    sys.stderr.flush()
    os._exit(code)


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
