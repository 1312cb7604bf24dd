"""The palette holds its contrast in light, in dark, in grey and for eyes that see fewer colours."""

from __future__ import annotations

import itertools
import math
import re

import pytest

from reporter.charts import style

SURFACES = ("paper", "wash", "band")
TEXTS = ("ink", "soft", "mute", "better", "worse")
MARKS = ("mark", "soft", "ink", "better", "worse")
PALETTES = {"light": style.LIGHT, "dark": style.DARK}

# Machado, Oliveira and Fernandes, IEEE TVCG 15(6), 2009: severity 1.0, on linear RGB.
PROTANOPIA = (
    (0.152286, 1.052583, -0.204868),
    (0.114503, 0.786281, 0.099216),
    (-0.003882, -0.048116, 1.051998),
)
DEUTERANOPIA = (
    (0.367322, 0.860646, -0.227968),
    (0.280085, 0.672501, 0.047413),
    (-0.011820, 0.042940, 0.968881),
)


def linear(colour: str) -> tuple[float, float, float]:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts)
    return r, g, b


def luminance(colour: str) -> float:
    return sum(w * v for w, v in zip((0.2126, 0.7152, 0.0722), linear(colour), strict=True))


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def lab(rgb: tuple[float, ...]) -> tuple[float, float, float]:
    r, g, b = (min(1.0, max(0.0, v)) for v in rgb)
    x = (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.95047
    y = 0.2126 * r + 0.7152 * g + 0.0722 * b
    z = (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.08883
    fx, fy, fz = (v ** (1 / 3) if v > 0.008856 else 7.787 * v + 16 / 116 for v in (x, y, z))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


def seen(colour: str, matrix: tuple[tuple[float, ...], ...]) -> tuple[float, float, float]:
    rgb = linear(colour)
    return lab(tuple(sum(m * v for m, v in zip(row, rgb, strict=True)) for row in matrix))


@pytest.mark.parametrize("palette", PALETTES)
@pytest.mark.parametrize("text", TEXTS)
def test_text_is_readable_on_paper(palette: str, text: str) -> None:
    colours = PALETTES[palette]
    assert contrast(colours[text], colours["paper"]) >= 4.5


@pytest.mark.parametrize("palette", PALETTES)
@pytest.mark.parametrize(("mark", "surface"), list(itertools.product(MARKS, SURFACES)))
def test_marks_stand_out_from_every_surface(palette: str, mark: str, surface: str) -> None:
    colours = PALETTES[palette]
    assert contrast(colours[mark], colours[surface]) >= 3.0


@pytest.mark.parametrize("palette", PALETTES)
def test_lineage_colours_are_visible_as_lines_beside_their_names(palette: str) -> None:
    colours = PALETTES[palette]
    weakest = min(contrast(colours[t], colours["paper"]) for t in colours if t.startswith("L"))
    assert weakest >= 3.0


@pytest.mark.parametrize("palette", PALETTES)
@pytest.mark.parametrize("matrix", [PROTANOPIA, DEUTERANOPIA], ids=["protanopia", "deuteranopia"])
def test_worse_and_better_differ_for_red_green_blind_eyes(
    palette: str, matrix: tuple[tuple[float, ...], ...]
) -> None:
    colours = PALETTES[palette]
    assert math.dist(seen(colours["worse"], matrix), seen(colours["better"], matrix)) > 40


@pytest.mark.parametrize("palette", PALETTES)
def test_changed_rows_differ_from_quiet_marks_in_grey_or_carry_weight_and_sign(palette: str) -> None:
    colours = PALETTES[palette]
    assert abs(luminance(colours["better"]) - luminance(colours["mark"])) > 0.1
    assert contrast(colours["ink"], colours["mark"]) > 3


def test_both_palettes_name_the_same_tokens_and_no_light_colour_twice() -> None:
    assert set(style.LIGHT) == set(style.DARK)
    assert len(set(style.LIGHT.values())) == len(style.LIGHT)
    assert all(re.fullmatch("#[0-9a-f]{6}", c) for p in PALETTES.values() for c in p.values())


def test_lineage_keeps_its_colour_and_lineages_spread_over_all_twelve() -> None:
    assert style.lineage_token("0123456789ab") == style.lineage_token("0123456789ab")
    spread = {style.lineage_token(f"{i:012x}") for i in range(300)}
    assert spread == {f"L{i:02d}" for i in range(1, 13)}


def test_lineage_colour_takes_even_a_lone_surrogate() -> None:
    assert style.lineage_token("\ud800") in style.LIGHT


def test_sheet_has_a_rule_for_every_token_and_reads_only_variables() -> None:
    css = style.css_class_rules()
    for token in style.LIGHT:
        assert f".f-{token}{{fill:var(--{token})}}" in css
        assert f".s-{token}{{stroke:var(--{token})}}" in css
    assert "#" not in css
    assert "url(" not in css
    assert "<" not in css
