"""Measures what a user waits for, as ratios to a bare interpreter timed in the same minute: `make bench`.

Seconds differ between machines and between hours; ratios hardly do. Nothing here fails: it prints.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

NOW = "2026-11-23T08:00:00Z"
CASES = (
    ("python -c pass", ("-c", "pass"), 9),
    ("reporter --version", ("-m", "reporter", "--version"), 9),
    ("reporter --help", ("-m", "reporter", "--help"), 9),
    ("reporter report --help", ("-m", "reporter", "report", "--help"), 9),
    ("demo, json", ("-m", "reporter", "demo", "--now", NOW, "--format", "json"), 3),
    ("demo, html and json", ("-m", "reporter", "demo", "--now", NOW, "--format", "html,json"), 3),
    ("demo, html, pdf and json", ("-m", "reporter", "demo", "--now", NOW, "--format", "html,pdf,json"), 2),
)


def seconds(arguments: tuple[str, ...], folder: str) -> float:
    """Time one process from its start to its end."""
    begin = time.perf_counter()
    subprocess.run([sys.executable, *arguments], cwd=folder, check=True, capture_output=True)
    return time.perf_counter() - begin


def main() -> None:
    """Print the shortest of several runs of each case, and the sizes of what the last one wrote."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_STATE_HOME"] = folder
        best = {
            name: min(seconds(arguments, folder) for _ in range(times)) for name, arguments, times in CASES
        }
        bare = best[CASES[0][0]]
        print(f"{'':28}{'s':>8}{'x bare':>9}")
        for name, took in best.items():
            print(f"{name:28}{took:8.3f}{took / bare:9.1f}")
        for path in sorted(Path(folder, "demo-report").iterdir()):
            print(f"{path.name:28}{path.stat().st_size / 1024:8.0f} kB")
    peak_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"{'peak memory':28}{peak_mb:8.0f} MB")


if __name__ == "__main__":
    main()
