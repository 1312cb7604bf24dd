"""Charts of a report, drawn with matplotlib: pure functions from `Report` to `Chart`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reporter.charts.assets import PageAssets, page_assets, paper_assets

if TYPE_CHECKING:
    from reporter.charts.gallery import draw, pictures

__all__ = ["PageAssets", "draw", "page_assets", "paper_assets", "pictures"]


def __getattr__(name: str) -> Any:
    """Load what draws on first use: it takes half a second, and assets are wanted without."""
    if name in __all__:
        from reporter.charts import gallery

        return getattr(gallery, name)
    raise AttributeError(name)
