"""What holds for tests of pages."""

from __future__ import annotations

from pathlib import Path

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Count no lines here: layout and browsers run millions that are not ours, each at twice its price."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("no_cover")
