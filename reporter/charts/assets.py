"""What a page must embed for the charts to look as drawn: style rules, fonts and colours."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from reporter.charts import style, typeface


@dataclass(frozen=True, slots=True)
class PageAssets:
    """Type and colour for the page, handed on by the pipeline."""

    css: str
    """Rules for the charts' classes, in terms of variables named after the tokens (``--ink``)."""
    fonts: Mapping[int, bytes]
    """Weight (400, 600) → font file of the family ``Reporter Sans``: WOFF2 for a page, TrueType for paper."""
    light: Mapping[str, str]
    """Colour token → hex on white paper."""
    dark: Mapping[str, str]
    """Colour token → hex on dark paper."""

    def swatch(self, lineage_id: str) -> str:
        """Give the colour token (``L01`` to ``L12``) of a lineage, as the map uses it."""
        return style.lineage_token(lineage_id)


@functools.cache
def page_assets() -> PageAssets:
    """Give the assets of a page; made once a process."""
    return _assets(packed=True)


@functools.cache
def paper_assets() -> PageAssets:
    """Give the assets of paper, whose fonts are unpacked as soon as they are packed; made once a process."""
    return _assets(packed=False)


def _assets(*, packed: bool) -> PageAssets:
    weights = (style.REGULAR, style.STRONG)
    return PageAssets(
        css=style.css_class_rules(),
        fonts=MappingProxyType({weight: typeface.face(weight, packed=packed) for weight in weights}),
        light=style.LIGHT,
        dark=style.DARK,
    )
