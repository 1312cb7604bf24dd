"""What is costly to make is made once in a run of the tests, whichever worker or server asks first."""

from __future__ import annotations

import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from filelock import FileLock

SHARED = "MADE_ONCE_BY_TESTS"
"""The environment's name for the folder that all workers, and the servers they start, put things in."""


def once(key: bytes, make: Callable[[], bytes]) -> bytes:
    """Give what was made under a key, making it where nobody has; outside a run of the tests it is made anew.

    Args:
        key: All that what is made depends on.
        make: Makes it.
    """
    shared = os.environ.get(SHARED)
    if not shared:
        return make()
    place = Path(shared) / sha256(key).hexdigest()
    with FileLock(f"{place}.lock"):
        if not place.exists():
            place.write_bytes(make())
        return place.read_bytes()
