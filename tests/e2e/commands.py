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
