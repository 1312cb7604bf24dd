"""The HTML page in a real browser: nothing blocked, fetched, cut off or inaccessible."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import msgspec
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Dialog, Page, sync_playwright

from reporter import charts
from reporter.render import page, templates
from reporter.report import Bridge, Driver, Gate, Report
from tests.incidents import incident_report
from tests.pages import making
from tests.reports import HOSTILE, report, section, states

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def everything() -> Report:
    """A report with the parts the ordinary states lack: a bridge, gates, PostHog's own figures, drivers."""
    job = section(clusters=6)
    driver = Driver(dimension="model", value="m" * 90, contribution=0.6, latest_items=90, prior_items=10)
    baked = {"avg_cost": 0.5, "item_count": 12, "error_rate": 0.1}
    gate = Gate(
        rule="title:/refund/i p95_latency_s <= 12s",
        job_id=None,
        cluster_id=None,
        limit=12,
        value=13,
        low=None,
        high=None,
        outcome="failed",
    )
    job = msgspec.structs.replace(
        job,
        clusters=[msgspec.structs.replace(c, posthog_metrics=baked, drivers=[driver]) for c in job.clusters],
        bridge=Bridge(
            prior=2_321,
            latest=2_946,
            volume=69,
            coverage=13,
            mix=275,
            unit_cost=268,
            intervals={"mix": (200, 350)},
            lines=[],
        ),
    )
    return report([job, section(level="generation", deleted=True, clusters=4, loud=None)], gates=[gate])


STATES = states() | {
    "everything": everything(),
    "incident": incident_report(hostile=True),
}
WIDTHS = (320, 360, 768, 1280, 3840)
OPEN = "document.querySelectorAll('details').forEach((d) => { d.open = true; })"
# The strokes of a drawing are hidden from assistive technology: its title speaks for it.
SCOPE = {"exclude": [[".drawing g"]]}
# Of what passes one node is enough: finding all of them is most of the work.
VIOLATIONS = {"resultTypes": ["violations"]}
RULES = VIOLATIONS | {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}
REPEATING = ("ten_jobs", "fifty_clusters")
"""States whose folded parts hold what others show, many times over."""
# Dark changes colours and nothing else: a test below holds the sheet to that.
COLOURS = VIOLATIONS | {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}

pytestmark = pytest.mark.skipif(
    CHROMIUM is None and not os.environ.get("CI"), reason="no Chromium here; CI must have one"
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as engine:
        opened = engine.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    made: dict[str, Path] = {}
    for name, value in STATES.items():
        made[name] = folder / f"{name}.html"
        made[name].write_text(making.screen(value), "utf-8")
    return made


class Visit:
    """One opened page with everything the browser complained about."""

    def __init__(
        self, browser: Browser, path: Path, *, width: int = 1280, theme: str = "light", script: bool = True
    ) -> None:
        self.context = browser.new_context(
            viewport={"width": width, "height": 800},
            color_scheme=theme,
            java_script_enabled=script,
            reduced_motion="reduce",
        )
        self.page: Page = self.context.new_page()
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("dialog", self._dialog)
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(path.as_uri())

    def _dialog(self, dialog: Dialog) -> None:
        self.said.append(f"dialog {dialog.message}")
        dialog.dismiss()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()


def overflow(page: Page) -> Any:
    return page.evaluate(
        """() => [document.documentElement.scrollWidth - window.innerWidth,
          [...document.querySelectorAll('body *')]
            .filter((e) => !e.closest('svg, .scroll, .skip, .unseen, thead')
            && e.getClientRects().length && e.getBoundingClientRect().right > window.innerWidth + 1)
            .slice(0, 3).map((e) => e.outerHTML.slice(0, 120))]"""
    )


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", STATES)
def test_page_is_silent_fetches_nothing_and_fits_every_width(
    browser: Browser, pages: dict[str, Path], name: str, theme: str
) -> None:
    with Visit(browser, pages[name], theme=theme) as visit:
        for width in WIDTHS if theme == "light" else (360, 1280):
            visit.page.set_viewport_size({"width": width, "height": 800})
            assert overflow(visit.page) == [0, []], f"{width} px"
        visit.page.evaluate(OPEN)
        visit.page.set_viewport_size({"width": 360, "height": 800})
        assert overflow(visit.page) == [0, []], "opened details"
        assert visit.said == []
        assert [url for url in visit.asked if not url.startswith(("file:", "data:"))] == []
        assert len([url for url in visit.asked if url.startswith("file:")]) == 1


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", STATES)
def test_axe_finds_nothing(browser: Browser, pages: dict[str, Path], name: str, theme: str) -> None:
    with Visit(browser, pages[name], theme=theme) as visit:
        if name not in REPEATING:
            visit.page.evaluate(OPEN)
        for width in (360, 1280):
            visit.page.set_viewport_size({"width": width, "height": 800})
            response = (
                Axe().run(visit.page, context=SCOPE, options=RULES if theme == "light" else COLOURS).response
            )
            assert "color-contrast" in {rule["id"] for rule in response["passes"]}
            found = response["violations"]
            told = [
                (v["id"], [(n["html"][:160], n["failureSummary"][:200]) for n in v["nodes"][:3]])
                for v in found
            ]
            assert told == [], f"{width} px"


def test_dark_changes_variables_and_nothing_else(pages: dict[str, Path]) -> None:
    text = pages["changed"].read_text(encoding="utf-8")
    (sheet,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    dark = re.findall(r"prefers-color-scheme: dark\) \{ (.*?) \}\s*\}", sheet)
    assert len(dark) == sheet.count("prefers-color-scheme") == 1
    assert re.fullmatch(r":root \{ (--\w+: #[0-9a-f]{6};\s*)+", dark[0] + " ")


def test_hostile_text_does_not_run(browser: Browser, tmp_path: Path) -> None:
    bad = HOSTILE[0]
    value = report([section(titles=HOSTILE, clusters=9, name=bad)], title=bad, headline=bad)
    path = tmp_path / "report.html"
    path.write_bytes(
        page.html(value, charts.draw(value), charts.page_assets(), env=templates.environment()).data
    )
    with Visit(browser, path) as visit:
        assert visit.page.locator("h1").inner_text() == bad
        assert visit.page.locator("img").count() == 0
        assert visit.page.locator("script").count() == 1
        assert visit.said == []


def test_everything_reads_without_scripts(browser: Browser, pages: dict[str, Path]) -> None:
    with Visit(browser, pages["changed"], script=False) as visit:
        text = visit.page.locator("main").inner_text()
        for words in ("Data import mapping", "$0.030", "57 of 409", "All clusters", "Method", "Provenance"):
            assert words in text


@pytest.mark.parametrize(
    ("table", "head"),
    [("ledger", "Mean cost"), ("errors", "Traces"), ("errors", "Calls"), ("changed", "Dollars")],
)
def test_heading_sorts_the_table_and_keeps_outliers_and_unknowns_last(
    browser: Browser, table: str, head: str
) -> None:
    with Visit(browser, ROOT / "sample_reports" / "weekly" / "report.html") as visit:
        first = visit.page.locator(f"table.{table}").first
        button = first.locator("th button", has_text=re.compile(f"^{head}$"))

        def keys() -> list[str]:
            cells = first.locator(f"tbody tr:not(.noise) td[data-label='{head}']")
            found: list[str] = cells.evaluate_all("es => es.map(e => e.dataset.sort)")
            return found

        known = [float(key) for key in keys() if key]
        unknown = len(keys()) - len(known)
        assert len(set(known)) > 1
        for way, wanted in (
            ("descending", sorted(known, reverse=True)),
            ("ascending", sorted(known)),
        ):
            button.click()
            assert first.locator(f"th[aria-sort={way}]").count() == 1
            assert first.locator("th[aria-sort]").count() == 1
            assert [float(key) for key in keys()[: len(known)]] == wanted
            assert keys()[len(known) :] == [""] * unknown
        if table == "ledger":
            assert first.locator("tbody tr").last.get_attribute("class") == "noise"


SORTED = """table => [...table.tHead.rows[0].cells].flatMap((head, column) => {
  const button = head.querySelector("button");
  const keys = () => [...table.tBodies[0].rows].map(row => row.cells[column].dataset.sort);
  if (!button || column === 0 || table.querySelector("tr.noise")) return [];
  const before = keys();
  button.click();
  return [[before, keys()]];
})"""


@pytest.mark.parametrize("sample", ["weekly", "incident"])
def test_data_of_charts_and_tables_of_an_incident_sort_too(browser: Browser, sample: str) -> None:
    with Visit(browser, ROOT / "sample_reports" / sample / "report.html") as visit:
        sorted_columns = 0
        for table in visit.page.locator("table.sortable").all():
            for before, after in table.evaluate(SORTED):
                if not all(re.fullmatch(r"-?[\d.]+(e[+-]\d+)?|", key) for key in before):
                    continue  # words
                known = [float(key) for key in before if key]
                assert [float(key) for key in after if key] == sorted(known, reverse=True)
                assert after[len(known) :] == [""] * (len(before) - len(known))
                sorted_columns += len(set(known)) > 1
        assert sorted_columns > 10


def test_filter_hides_what_does_not_match(browser: Browser, pages: dict[str, Path]) -> None:
    with Visit(browser, pages["changed"]) as visit:
        for width in (1280, 360):
            visit.page.set_viewport_size({"width": width, "height": 800})
            visit.page.get_by_label("Filter clusters by their words").fill("webhook")
            assert visit.page.locator(".ledger tbody tr:visible").count() == 1
            visit.page.get_by_label("Filter clusters by their words").fill("")
            assert visit.page.locator(".ledger tbody tr:visible").count() == 12


@pytest.mark.parametrize("name", ["changed", "quiet", "stale", "not_comparable", "no_run"])
def test_verdict_stands_on_the_first_screen_of_a_phone(
    browser: Browser, pages: dict[str, Path], name: str
) -> None:
    with Visit(browser, pages[name], width=360) as visit:
        for selector in ("h1", ".state"):
            box = visit.page.locator(selector).first.bounding_box()
            assert box is not None
            assert box["y"] + box["height"] < 420


def test_phone_gets_its_own_drawing(browser: Browser, pages: dict[str, Path]) -> None:
    with Visit(browser, pages["changed"], width=360) as visit:
        assert visit.page.locator(".drawing.narrow").first.is_visible()
        assert not visit.page.locator(".drawing.wide").first.is_visible()
        visit.page.set_viewport_size({"width": 1280, "height": 800})
        assert visit.page.locator(".drawing.wide").first.is_visible()
        assert not visit.page.locator(".drawing.narrow").first.is_visible()


def test_dark_reaches_the_screen_but_never_the_printer(browser: Browser, pages: dict[str, Path]) -> None:
    paper = "getComputedStyle(document.body).backgroundColor"
    with Visit(browser, pages["changed"], theme="dark") as visit:
        assert visit.page.evaluate(paper) == "rgb(23, 25, 28)"
        visit.page.emulate_media(media="print", color_scheme="dark")
        assert visit.page.evaluate(paper) == "rgb(255, 255, 255)"


def test_digits_line_up(browser: Browser, pages: dict[str, Path]) -> None:
    with Visit(browser, pages["changed"]) as visit:
        assert visit.page.evaluate("document.fonts.check('15px \"Reporter Sans\"')")
        ends = visit.page.eval_on_selector_all(
            ".ledger td[data-label='Mean cost']",
            "es => [...new Set(es.map(e => Math.round(e.getBoundingClientRect().right)))]",
        )
        assert len(ends) == 1


def test_keyboard_reaches_the_skip_link_first(browser: Browser, pages: dict[str, Path]) -> None:
    with Visit(browser, pages["changed"]) as visit:
        visit.page.keyboard.press("Tab")
        assert visit.page.evaluate("document.activeElement.className") == "skip"
        assert visit.page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
