"""What is kept between runs.

`StateFolder` is a folder for this user's eyes only; whoever writes into it must be able to. Below it
`reporter.state.entries` keeps answers that can be asked for again, and therefore never fails.
"""

from __future__ import annotations

from pathlib import Path

from reporter.state.folder import StateFolder

__all__ = ["StateFolder", "default_folder"]


def default_folder() -> Path:
    """Give the user's own state folder for this program (``$XDG_STATE_HOME/reporter`` on Linux)."""
    from platformdirs import user_state_dir

    return Path(user_state_dir("reporter", appauthor=False))
