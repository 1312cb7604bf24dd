"""Charts of a report, drawn with matplotlib: pure functions from `Report` to `Chart`."""

from reporter.charts.assets import PageAssets, page_assets, paper_assets
from reporter.charts.gallery import draw, pictures

__all__ = ["PageAssets", "draw", "page_assets", "paper_assets", "pictures"]
