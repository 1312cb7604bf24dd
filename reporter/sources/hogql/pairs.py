"""Two questions at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Thread

IN_FLIGHT = 2
"""Queries under way at once; PostHog runs three a project, for everybody who uses it."""


def in_pairs(tasks: Sequence[Callable[[], None]]) -> None:
    """Run tasks two at a time, each pair after the one before has ended.

    Pairs, not a queue: the longest chain of requests then is half their number whatever each takes. Threads
    are daemons, so that a deadline or Ctrl-C need not wait for a server.

    Args:
        tasks: Each keeps its own outcome; what one raises is raised here when its pair has ended.
    """
    for first in range(0, len(tasks), IN_FLIGHT):
        raised: list[BaseException] = []

        def run(task: Callable[[], None], raised: list[BaseException] = raised) -> None:
            try:
                task()
            except BaseException as error:  # noqa: BLE001 (raised again by the thread that waits)
                raised.append(error)

        threads = [Thread(target=run, args=(task,), daemon=True) for task in tasks[first : first + IN_FLIGHT]]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if raised:
            raise raised[0]
