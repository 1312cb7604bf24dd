"""Stand-ins for what other rooms give to a page."""

from __future__ import annotations

import struct
import zlib
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


def png() -> bytes:
    """A white picture of one pixel."""

    def part(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + part(b"IHDR", head)
        + part(b"IDAT", zlib.compress(b"\x00\xff"))
        + part(b"IEND", b"")
    )


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
        "png": png(),
        "width": 880,
        "height": 300,
    }
    return Chart(**(fields | over))  # type: ignore[arg-type]


@pytest.fixture
def assets() -> Assets:
    return Assets()


@pytest.fixture
def make_chart():
    return chart
