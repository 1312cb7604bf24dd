"""Charts as they are seen: in a browser under a strict policy, in print, and in shades of grey."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import shutil
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from matplotlib import image
from playwright.sync_api import Browser, Page, sync_playwright

from reporter.charts import draw, page_assets
from tests.reports import states

CHROMIUM = shutil.which("chromium")
STATES = states()
OVERLAPS = """() => {
  const found = [];
  for (const svg of document.querySelectorAll("svg")) {
    const frame = svg.getBoundingClientRect();
    const boxes = [...svg.querySelectorAll("text")].map(t => [t.textContent, t.getBoundingClientRect()]);
    boxes.forEach(([name, a], i) => {
      if (a.left < frame.left - 1 || a.right > frame.right + 1) found.push([name, "leaves the sheet"]);
      for (const [other, b] of boxes.slice(i + 1)) {
        const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
        const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
        if (wide > 1.5 && high > 5) found.push([name, other]);
      }
    });
  }
  return found;
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None and not os.environ.get("CI"):
        pytest.skip("no Chromium here; CI must have one")
    with sync_playwright() as play:
        made = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield made
        made.close()


def document(state: str, *, dark: bool, narrow: bool) -> str:
    assets = page_assets()
    palette = assets.dark if dark else assets.light
    faces = "".join(
        f"@font-face{{font-family:'Reporter Sans';font-weight:{weight};"
        f"src:url(data:font/woff2;base64,{base64.b64encode(data).decode()})}}"
        for weight, data in assets.fonts.items()
    )
    variables = ":root{" + "".join(f"--{token}:{colour};" for token, colour in palette.items()) + "}"
    width = 340 if narrow else 880
    css = f"{faces}{variables}{assets.css}body{{margin:0;width:{width}px;background:var(--paper)}}"
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; font-src data:"
    drawings = "".join(c.svg_narrow if narrow else c.svg for c in draw(STATES[state]))
    return (
        f'<!doctype html><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{policy}">'
        f"<style>{css}</style><body>{drawings}"
    )


def opened(browser: Browser, state: str, *, dark: bool, narrow: bool) -> tuple[Page, list[str]]:
    page = browser.new_page(viewport={"width": 360 if narrow else 900, "height": 700})
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.set_content(document(state, dark=dark, narrow=narrow))
    page.evaluate("() => document.fonts.ready.then(() => 1)")
    return page, complaints


def pixels(png: bytes) -> Any:
    """Read a picture as shares of red, green and blue; one stored in grey has three equal ones."""
    read = image.imread(io.BytesIO(png), format="png")
    return np.repeat(read[:, :, None], 3, axis=2) if read.ndim == 2 else read[:, :, :3]


@pytest.mark.parametrize("state", ["changed", "quiet", "fifty_clusters", "one_cluster", "no_prior"])
@pytest.mark.parametrize("narrow", [False, True], ids=["wide", "narrow"])
def test_labels_set_by_a_browser_neither_touch_nor_leave_the_sheet(
    browser: Browser, state: str, narrow: bool
) -> None:
    page, complaints = opened(browser, state, dark=False, narrow=narrow)
    try:
        assert page.evaluate(OVERLAPS) == []
        assert complaints == []
    finally:
        page.close()


def test_hostile_titles_run_nothing_and_break_no_policy(browser: Browser) -> None:
    page, complaints = opened(browser, "hostile", dark=False, narrow=False)
    try:
        assert complaints == []
        assert page.evaluate("() => document.querySelectorAll('script, img, foreignObject').length") == 0
        assert page.evaluate("() => document.querySelectorAll('svg').length") == 10
    finally:
        page.close()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_drawings_take_the_colours_of_the_page(browser: Browser, dark: bool) -> None:
    page, _ = opened(browser, "changed", dark=dark, narrow=False)
    try:
        seen = pixels(page.screenshot(full_page=True))
    finally:
        page.close()
    palette = page_assets().dark if dark else page_assets().light
    for token in ("paper", "worse", "ink"):
        colour = np.array([int(palette[token][i : i + 2], 16) / 255 for i in (1, 3, 5)])
        assert (np.abs(seen - colour).max(axis=2) < 0.02).sum() > 50, token


def shot(browser: Browser, svg: str) -> Any:
    """Render a drawing for paper as it is, without the page's style sheet."""
    page = browser.new_page(viewport={"width": 820, "height": 900})
    try:
        page.set_content(f'<!doctype html><body style="margin:0">{svg}')
        return pixels(page.locator("svg").screenshot())
    finally:
        page.close()


@pytest.mark.parametrize("state", ["changed", "hostile", "fifty_clusters"])
def test_print_drawings_are_on_white_and_cut_nothing_off_at_the_sides(browser: Browser, state: str) -> None:
    for chart in draw(STATES[state], page=False, paper=True):
        seen = shot(browser, chart.svg_print)
        corners = seen[[0, 0, -1, -1], [0, -1, 0, -1]]
        assert (corners > 0.99).all(), chart.name
        inked = (seen.min(axis=2) < 0.5).mean()
        assert 0.001 < inked < 0.3, chart.name
        if chart.name != "map":
            assert (seen[-2:] > 0.7).all(), chart.name


def test_in_shades_of_grey_the_changed_row_is_still_heavier_than_its_neighbours(browser: Browser) -> None:
    chart = next(c for c in draw(STATES["changed"], page=False, paper=True) if c.name == "errors")
    grey = shot(browser, chart.svg_print) @ np.array([0.2126, 0.7152, 0.0722])
    top, step = 24, 26 * 0.66
    plot = slice(290, 650)
    rows = [slice(round(top + i * step + 2), round(top + (i + 1) * step - 2)) for i in range(3)]
    dark = [(grey[row, plot] < 0.6).sum() for row in rows]
    assert dark[0] > 1.5 * max(dark[1:])
