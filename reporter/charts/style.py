"""The look of the charts: colour tokens for light and dark paper, type, sizes, and their style sheet.

Charts name colours by token only. On the page a token becomes a class that reads a CSS variable, so
that one drawing serves light and dark; in print it becomes its light value.
"""

from __future__ import annotations

import hashlib
from collections.abc import Container, Mapping
from types import MappingProxyType

FONT_FAMILY = "Reporter Sans"
"""Name of the embedded face; the licence of its source reserves the name "Source"."""
FALLBACK_FAMILIES = (
    "Source Sans 3",
    "Noto Sans",
    "Noto Sans CJK SC",
    "Noto Sans Arabic",
    "Noto Naskh Arabic",
    "Noto Color Emoji",
)
"""What a page falls back to for scripts the embedded face lacks."""

WIDE_PX = 880
NARROW_PX = 340
PRINT_PX = 780
"""Set across a page's 174 mm, text of `TEXT_PX` is 8 points high."""
TEXT_PX = 12.5
SMALL_PX = 11.5
REGULAR = 400
STRONG = 600

_LINEAGES_LIGHT = "39a36a 373c8c 7f2407 8e64b7 bc7d19 5b8478 6e2b58 664ea2 8e6a2e 8789aa 8c4a4d 266b76"
_LINEAGES_DARK = "73da9d 646ec3 b7573e c298ef f5b25a 8eb9ab a35c89 9781da c49e62 bbbee1 c37b7d 5c9eaa"


def _lineages(colours: str) -> dict[str, str]:
    return {f"L{i:02d}": f"#{colour}" for i, colour in enumerate(colours.split(), 1)}


LIGHT: Mapping[str, str] = MappingProxyType(
    {
        "paper": "#ffffff",
        "wash": "#f6f5f2",
        "ink": "#1c1e21",
        "soft": "#4d5259",
        "mute": "#676d74",
        "rule": "#d9d7d1",
        "mark": "#7d8288",
        "band": "#e9e7e2",
        "better": "#16518c",
        "worse": "#b24a00",
        **_lineages(_LINEAGES_LIGHT),
    }
)
"""Colour token → hex on white paper."""

DARK: Mapping[str, str] = MappingProxyType(
    {
        "paper": "#17191c",
        "wash": "#1f2226",
        "ink": "#ebe9e4",
        "soft": "#b9bcc0",
        "mute": "#979ca3",
        "rule": "#363a40",
        "mark": "#7d838a",
        "band": "#2a2e33",
        "better": "#8dbcf0",
        "worse": "#ee9448",
        **_lineages(_LINEAGES_DARK),
    }
)
"""Colour token → hex on dark paper."""

TOKENS: Mapping[str, str] = MappingProxyType({colour: token for token, colour in LIGHT.items()})
"""Light hex → token: how a drawn colour finds its class again."""

_LINEAGE_TOKENS = tuple(token for token in LIGHT if token.startswith("L"))


def lineage_token(lineage_id: str) -> str:
    """Give a cluster's colour token, the same in every report as long as its lineage lives.

    Args:
        lineage_id: Any text; equal ids get equal colours.

    Returns:
        One of ``L01`` to ``L12``, by SHA-256 of the id; lineages may share one.
    """
    digest = hashlib.sha256(lineage_id.encode("utf-8", "replace")).digest()
    return _LINEAGE_TOKENS[int.from_bytes(digest[:8], "big") % len(_LINEAGE_TOKENS)]


def css_class_rules() -> str:
    """Write the style sheet that the charts' classes need, in terms of the colour variables.

    Returns:
        CSS for inlining once a page: ``.f-TOKEN`` fills, ``.s-TOKEN`` strokes, ``.b`` is semibold and
        ``.h`` puts a halo of paper around a label that may cross marks.
    """
    family = ", ".join(f'"{name}"' for name in (FONT_FAMILY, *FALLBACK_FAMILIES))
    rules = [
        ".chart{display:block;width:100%;height:auto}",
        f".chart-wide{{max-width:{round(WIDE_PX * 1.1)}px}}",
        f".chart-narrow{{max-width:{round(NARROW_PX * 1.2)}px}}",
        f".chart text{{font-family:{family}, sans-serif;font-size:{TEXT_PX}px;font-weight:{REGULAR}}}",
        ".chart text{stroke:none;font-variant-numeric:tabular-nums}",
        f".chart text.m{{font-size:{SMALL_PX}px}}",
        f".chart text.b{{font-weight:{STRONG}}}",
        ".chart text.h{paint-order:stroke;stroke:var(--paper);stroke-width:3px;stroke-linejoin:round}",
        ".chart .hint{fill:transparent}",
        ".chart .hint:hover{fill:var(--ink);opacity:.06}",
    ]
    for token in LIGHT:
        rules.append(f".chart .f-{token}{{fill:var(--{token})}}")
        rules.append(f".chart .s-{token}{{stroke:var(--{token})}}")
    return "\n".join(rules) + "\n"


def print_rules(used: Container[str]) -> str:
    """Write the style sheet of a drawing for paper: light colours, no variables.

    Args:
        used: Colour classes (``f-ink``, ``s-rule``) to have a rule.
    """
    family = ", ".join(f'"{name}"' for name in (FONT_FAMILY, *FALLBACK_FAMILIES[:-1]))
    rules = [
        f"text{{font-family:{family}, sans-serif;font-size:{TEXT_PX}px;font-weight:{REGULAR}}}",
        f"text.m{{font-size:{SMALL_PX}px}}text.b{{font-weight:{STRONG}}}",
    ]
    for token, colour in LIGHT.items():
        rules += [f".f-{token}{{fill:{colour}}}"] if f"f-{token}" in used else []
        rules += [f".s-{token}{{stroke:{colour}}}"] if f"s-{token}" in used else []
    return "".join(rules)
