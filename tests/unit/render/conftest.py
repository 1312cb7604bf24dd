"""Stand-ins for what other rooms give to a page."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from reporter.artifact import Chart, ChartTable

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAMES = ("paper", "wash", "ink", "soft", "mute", "rule", "mark", "band", "better", "worse", "L01", "L02")


@dataclass(frozen=True)
class Assets:
    """Colours without meaning, no fonts."""

    css: str = ".chart .f-ink{fill:var(--ink)}"
    fonts: Mapping[int, bytes] = field(default_factory=dict)
    light: Mapping[str, str] = field(
        default_factory=lambda: {name: f"#{i:06x}" for i, name in enumerate(_NAMES)}
    )
    dark: Mapping[str, str] = field(
        default_factory=lambda: {name: f"#ff{i:04x}" for i, name in enumerate(_NAMES)}
    )

    def swatch(self, lineage_id: str) -> str:
        return "L01" if lineage_id < "8" else "L02"


def chart(name: str = "share", job_index: int = 0, **over: object) -> Chart:
    """A chart with one drawing for every medium."""
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 9 9">'
        '<title>drawn {0}</title><path class="f-ink" d="M0 0h9"/></svg>'
    )
    fields: dict[str, object] = {
        "name": name,
        "job_index": job_index,
        "title": f"Finding of {name}",
        "subtitle": "Share of traces, n = 9",
        "alt": f"Alt of {name}",
        "table": ChartTable(columns=("Cluster", "Share"), rows=(("One", "12%"), ("Two", "88%"))),
        "svg": svg.format("wide"),
        "svg_narrow": svg.format("narrow"),
        "svg_print": svg.format("printed"),
        "news": False,
    }
    return Chart(**(fields | over))  # type: ignore[arg-type]


@pytest.fixture
def assets() -> Assets:
    return Assets()


@pytest.fixture
def make_chart():
    return chart
