"""Loading, while data is read, what is needed once it is there: libraries that take a second."""

from __future__ import annotations

from contextlib import suppress
from threading import Thread

from reporter.press import Press


def begin(press: Press) -> None:
    """Start the processes of the press, and load what measures and compares in a thread of its own.

    Who needs a module before it is there waits for it, as for any import. The thread is no daemon: a process
    that ends in the midst of it, because nothing could be read, waits for it rather than be taken apart
    around a library that is being loaded.

    Raises:
        RenderError: The system allows no process.
    """
    press.start()
    Thread(target=_load, name="loading").start()


def _load() -> None:
    with suppress(Exception):  # told where it is needed
        from reporter.analysis import findings, gates, redact, section  # noqa: F401
