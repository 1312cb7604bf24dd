"""What a page must embed for the charts to look as drawn: style rules, fonts and colours."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from reporter.charts import fonts, style


@dataclass(frozen=True, slots=True)
class PageAssets:
    """Type and colour for the page, handed on by the pipeline."""

    css: str
    """Rules for the charts' classes, in terms of variables named after the tokens (``--ink``)."""
    fonts: Mapping[int, bytes]
    """Weight (400, 600) → WOFF2 of the family ``Reporter Sans``."""
    light: Mapping[str, str]
    """Colour token → hex on white paper."""
    dark: Mapping[str, str]
    """Colour token → hex on dark paper."""

    def swatch(self, lineage_id: str) -> str:
        """Give the colour token (``L01`` to ``L12``) of a lineage, as the map uses it."""
        return style.lineage_token(lineage_id)


@functools.cache
def page_assets() -> PageAssets:
    """Give the assets; made once a process."""
    return PageAssets(
        css=style.css_class_rules(),
        fonts=MappingProxyType({weight: fonts.face(weight) for weight in (style.REGULAR, style.STRONG)}),
        light=style.LIGHT,
        dark=style.DARK,
    )
