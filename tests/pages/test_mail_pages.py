"""The mail as a mail program shows it: on a phone and a desktop, light and dark, with the report's numbers."""

from __future__ import annotations

import base64
import os
import re
import shutil
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, sync_playwright

from reporter import charts, units
from reporter.artifact import Letter
from reporter.render import mail, templates
from reporter.report import Incident, Report
from tests.incidents import incident_report
from tests.reports import report, section, states

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
STATES = states() | {
    "incident": incident_report(hostile=True),
    "ten_of_fifty": report([section(name=f"Job {i}", job_id=str(i), clusters=50, seed=i) for i in range(10)]),
}
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"], "resultTypes": ["violations"]}
needs_browser = pytest.mark.skipif(
    CHROMIUM is None and not os.environ.get("CI"), reason="no Chromium here; CI must have one"
)


def letter(value: Report, **over: Any) -> Letter:
    pictures = () if "note" in over else charts.pictures(value, 2)
    return mail.letter([value], [pictures], charts.page_assets(), env=templates.environment(), **over)


@pytest.fixture(scope="module")
def letters() -> dict[str, Letter]:
    made = {name: letter(value, link="https://reports.example.org/r.html") for name, value in STATES.items()}
    note = "There is no new run since the last mail."
    return made | {"no_new_run": letter(STATES["changed"], note=note, unsubscribe="mailto:x@example.org")}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as engine:
        opened = engine.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


class Reading(HTMLParser):
    """What is on the page: text, and everything that names an address."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[str] = []
        self.addresses: list[tuple[str, str]] = []
        self.alts: list[str] = []
        self._silent = 0
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._silent += tag in ("style", "title")
        held = dict(attrs)
        self.addresses += [
            (tag, held[name] or "") for name in ("href", "src", "background", "action") if name in held
        ]
        self.alts += [held["alt"] or ""] if "alt" in held else []
        assert not [name for name in held if name.startswith("on")]

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in ("style", "title")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.mark.parametrize("name", [*STATES, "no_new_run"])
def test_mail_is_small_and_made_of_what_mail_programs_know(letters: dict[str, Letter], name: str) -> None:
    told = letters[name]
    assert len(told.html.encode()) < mail.LIMIT_BYTES
    assert len(told.pictures) <= 3
    assert len(told.subject) <= 140
    assert "\n" not in told.subject
    seen = Reading(told.html)
    assert not {"script", "svg", "link", "form", "iframe", "object", "embed", "base", "video"} & set(
        seen.tags
    )
    assert "@font-face" not in told.html
    assert "var(" not in told.html
    cids = {f"cid:{cid}" for cid, _ in told.pictures}
    assert {address for tag, address in seen.addresses if tag == "img"} == cids
    assert all(address.startswith(("https://", "mailto:")) for tag, address in seen.addresses if tag == "a")
    assert not [tag for tag, _ in seen.addresses if tag not in ("a", "img")]
    # With pictures off the finding is still there.
    assert all(alt.strip() for alt in seen.alts)


@pytest.mark.parametrize("name", [*STATES, "no_new_run"])
def test_text_twin_and_page_say_the_same_numbers_as_the_report(letters: dict[str, Letter], name: str) -> None:
    told, value = letters[name], STATES.get(name, STATES["changed"])
    html, text = Reading(told.html).text, " ".join(told.text.split())
    numbers = re.compile(r"\$?\d[\d.,]*\d%?")
    seen = set(numbers.findall(html))
    # Chart titles apart, all that the page says is in the text: as many numbers, the same ones.
    assert seen <= set(numbers.findall(text)) | set(
        numbers.findall(" ".join(a for a in Reading(told.html).alts))
    ) | set(numbers.findall(" ".join(p.subtitle for _, p in told.pictures)))
    if isinstance(value.incident, Incident):
        assert units.count(value.incident.overall.during.failed) in text
        return
    if name == "no_new_run":
        assert "There is no new run" in html
        assert "There is no new run" in text
        return
    shown = 0
    for job in value.jobs:
        if job.overall is None or f"{job.overall.metrics.item_count:,}" not in html or job.stale:
            continue
        for figure in (
            units.money(job.overall.estimates.mean_cost_usd.value),
            units.percent(job.overall.estimates.error_rate.value),
        ):
            shown += figure in html and figure in text
    assert shown or all(job.overall is None or job.stale for job in value.jobs)


def test_hostile_titles_are_text(letters: dict[str, Letter]) -> None:
    told = letters["hostile"]
    assert "<script" not in told.html.lower()
    assert "<img src=x" not in told.html.lower()
    assert "{{" not in Reading(told.html).text or "{{" in " ".join(
        c.title for c in STATES["hostile"].jobs[0].clusters
    )
    assert "\x1b" not in told.text


@needs_browser
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    "name", ["changed", "quiet", "incomplete", "hostile", "ten_of_fifty", "incident", "no_new_run"]
)
def test_mail_fits_a_phone_and_a_desktop_fetches_nothing_and_can_be_read(
    browser: Browser, letters: dict[str, Letter], tmp_path: Path, name: str, theme: Any
) -> None:
    told = letters[name]
    markup = told.html
    for cid, picture in told.pictures:
        markup = markup.replace(
            f"cid:{cid}", "data:image/png;base64," + base64.b64encode(picture.png).decode()
        )
    path = tmp_path / "mail.html"
    path.write_text(markup, encoding="utf-8")
    for width in (360, 600):
        context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=theme)
        opened, asked, said = context.new_page(), [], []
        opened.on("request", lambda request, asked=asked: asked.append(request.url))
        opened.on("console", lambda message, said=said: said.append(message.text))
        opened.goto(path.as_uri())
        assert [url for url in asked if not url.startswith("data:")] == [path.as_uri()]
        assert said == []
        assert opened.evaluate("document.documentElement.scrollWidth") <= width
        wide = """() => [...document.querySelectorAll('body *')].filter((e) => e.getClientRects().length
            && e.getBoundingClientRect().right > window.innerWidth + 1).map((e) => e.outerHTML.slice(0, 90))"""
        assert opened.evaluate(wide) == []
        paper = opened.evaluate("getComputedStyle(document.querySelector('.sheet')).backgroundColor")
        assert paper == ("rgb(255, 255, 255)" if theme == "light" else "rgb(23, 25, 28)")
        if width == 360:
            found = Axe().run(opened, options=RULES)
            assert found.response["violations"] == [], found.generate_report()
        context.close()
