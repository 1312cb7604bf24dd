"""Running the command line as a user does: another process, a clean environment."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def reporter(
    *arguments: str, cwd: Path, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command line in a clean environment."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("POSTHOG_", "REPORTER_"))} | {
        "XDG_STATE_HOME": str(cwd / "state")
    }
    return subprocess.run(
        [sys.executable, "-m", "reporter", *arguments],
        cwd=cwd,
        env=clean | (env or {}),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


_WEIGHED = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
print("PEAK", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024, file=sys.stderr)
sys.exit(code)
"""


def weighed(*arguments: str, cwd: Path, env: dict[str, str]) -> tuple[subprocess.CompletedProcess[str], int]:
    """Run the command line as `reporter` does; gives the memory of its largest process too, in megabytes.

    From a small process of its own, for a process begins with the peak of the one it was forked from.
    """
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("POSTHOG_", "REPORTER_"))}
    done = subprocess.run(
        [sys.executable, "-c", _WEIGHED, sys.executable, "-m", "reporter", *arguments],
        cwd=cwd, env={**clean, "XDG_STATE_HOME": str(cwd / "state"), **env}, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    said, _, peak = done.stderr.rpartition("PEAK")
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout, said), int(peak)
