"""Processes timed and weighed: the shortest of several runs, and the largest process of a tree."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

REPORTER = (sys.executable, "-m", "reporter")


@dataclass(frozen=True)
class Cost:
    """What a command took."""

    seconds: float
    largest_mb: float
    """Peak memory of the largest process."""
    all_mb: float
    """Peak memory of all its processes together."""


def cost(command: Sequence[str], folder: Path, times: int = 3) -> Cost:
    """Run a command several times; gives the shortest time and the largest memory."""
    found = [_once(command, folder) for _ in range(times)]
    return Cost(
        min(one.seconds for one in found),
        max(one.largest_mb for one in found),
        max(one.all_mb for one in found),
    )


def _once(command: Sequence[str], folder: Path) -> Cost:
    environ = {**os.environ, "XDG_STATE_HOME": str(folder / "state"), "PYTHONWARNINGS": "ignore"}
    begin = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=folder, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    peaks: dict[int, float] = {}
    most = 0.0
    over = threading.Event()

    def watch() -> None:
        nonlocal most
        while not over.wait(0.01):
            now = {pid: _resident_mb(pid) for pid in _tree(process.pid)}
            most = max(most, sum(now.values()))
            for pid, resident in now.items():
                peaks[pid] = max(peaks.get(pid, 0.0), resident)

    watcher = threading.Thread(target=watch)
    watcher.start()
    _, said = process.communicate()
    took = time.perf_counter() - begin
    over.set()
    watcher.join()
    if process.returncode:
        raise RuntimeError(f"{command}: {process.returncode}\n{said[-2000:]}")
    return Cost(took, max(peaks.values(), default=0.0), most)


def _tree(pid: int) -> list[int]:
    found = [pid]
    for one in found:
        try:
            found += map(int, Path(f"/proc/{one}/task/{one}/children").read_text("ascii").split())
        except OSError:
            continue
    return found


def _resident_mb(pid: int) -> float:
    try:
        return (
            int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
        )
    except OSError:
        return 0.0
