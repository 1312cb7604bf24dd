from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reporter.errors import RenderError
from reporter.render import page, templates
from reporter.report import Gate
from tests.reports import HOSTILE, report, section, states

if TYPE_CHECKING:
    from pathlib import Path

    from reporter.report import Report

STATES = states()
ENV = templates.environment()


class Markup(HTMLParser):
    """Collects what a test asks about: tags, attributes, ids, text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1] not in ("style", "script"):
            self.text.append(data)

    def values(self, name: str) -> list[str]:
        return [value for _, key, value in self.attributes if key == name]


def made(value: Report, assets, charts=()) -> str:
    return page.html(value, charts, assets, env=ENV).data.decode()


@pytest.mark.parametrize("name", STATES)
def test_every_state_renders_with_one_heading_and_unique_ids(name: str, assets, make_chart) -> None:
    seen = Markup(made(STATES[name], assets, [make_chart("share"), make_chart("map")]))
    assert seen.tags.count("h1") == 1
    ids = seen.values("id")
    assert len(ids) == len(set(ids))
    inside = {target[1:] for target in seen.values("href") if target.startswith("#")}
    assert inside <= set(ids)
    assert set(seen.values("aria-labelledby")) <= set(ids)


@pytest.mark.parametrize("name", STATES)
def test_page_holds_nothing_the_policy_forbids(name: str, assets) -> None:
    seen = Markup(made(STATES[name], assets))
    assert not {"form", "iframe", "object", "embed", "base", "link"} & set(seen.tags)
    assert not seen.values("style")
    assert not [key for _, key, _ in seen.attributes if key.startswith("on")]
    assert all(href.startswith(("#", "http://", "https://")) for href in seen.values("href"))
    outside = [a for a in re.findall(r"<a [^>]+>", made(STATES[name], assets)) if 'href="http' in a]
    assert all('rel="noopener noreferrer"' in a for a in outside)


def test_policy_names_the_hashes_of_what_is_really_there(assets) -> None:
    text = made(STATES["changed"], assets)
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', text)
    assert policy is not None
    for kind, directive in (("style", "style-src"), ("script", "script-src")):
        inner = re.search(rf"<{kind}>(.*?)</{kind}>", text, re.DOTALL)
        assert inner is not None
        digest = base64.b64encode(hashlib.sha256(inner[1].encode()).digest()).decode()
        assert f"{directive} &#39;sha256-{digest}&#39;" in policy[1]
    assert text.count("<style") == 1
    assert text.count("<script") == 1
    assert policy[1].startswith("default-src &#39;none&#39;")


def test_page_is_the_same_bytes_every_time(assets, make_chart) -> None:
    charts = [make_chart("share")]
    assert made(STATES["changed"], assets, charts) == made(report(), assets, charts)


@pytest.mark.parametrize("hostile", [text for text in HOSTILE if "<" in text or "{" in text])
def test_hostile_text_appears_as_text(hostile: str, assets) -> None:
    job = section(titles=(hostile,), name=hostile, clusters=4)
    text = made(report([job], title=hostile, headline=hostile), assets)
    seen = Markup(text)
    assert seen.tags.count("script") == 1
    assert "img" not in seen.tags
    assert " ".join(hostile.split()) in " ".join("".join(seen.text).split())


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(min_size=1, max_size=80))
def test_no_text_ever_adds_an_element(text: str, assets) -> None:
    plain = Markup(
        made(report([section(titles=("a",), name="a", clusters=4)], title="a", headline="a"), assets)
    )
    other = Markup(
        made(report([section(titles=(text,), name=text, clusters=4)], title=text, headline=text), assets)
    )
    assert plain.tags == other.tags


def test_every_cluster_has_a_deep_link(assets) -> None:
    ids = Markup(made(STATES["incomplete"], assets)).values("id")
    assert {"job-1", "job-2", "job-1-outliers", *(f"job-1-cluster-{i}" for i in range(11))} <= set(ids)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (
            "changed",
            (
                "What changed",
                "Data import mapping",
                "▲",
                "Changed",
                "Probably changed",
                "+$12.40",
                "Coming and going",
                "of 18,522",
            ),
        ),
        ("quiet", ("Nothing needs you this week.", "No cluster changed")),
        ("no_prior", ("First run: nothing to compare with yet.",)),
        ("not_comparable", ("max_samples differs", "prior run: $0.031", "Not comparable")),
        ("stale", ("The newest run ended on 16 Nov 2026", "Stale")),
        (
            "incomplete",
            ("This report is incomplete", "Travel desk", "Could not be read", "expected a number"),
        ),
        ("no_run", ("No run of this job was stored", "1,000 items a week")),
        ("evaluation", ("Pass rate", "82%", "Groundedness, LLM judge", "N/a rate")),
        ("generation", ("No job (runs started without one)",)),
        ("noise_only", ("Outliers",)),
        ("hostile", ("Cluster 8 (untitled)", "请求退款与账单争议的客户支持对话")),
    ],
)
def test_state_is_said_in_words(name: str, words: tuple[str, ...], assets) -> None:
    text = " ".join("".join(Markup(made(STATES[name], assets)).text).split())
    for word in words:
        assert word in text


def test_uncompared_job_shows_no_change_column(assets) -> None:
    for name in ("no_prior", "not_comparable"):
        text = made(STATES[name], assets)
        assert '<h3 id="job-1-changed"' not in text
        assert 'data-label="Change"' not in text
    assert 'data-label="Change"' in made(STATES["quiet"], assets)


def test_colour_of_a_change_appears_only_with_a_call(assets) -> None:
    quiet = made(STATES["quiet"], assets).split("<body>")[1]
    assert 'class="worse"' not in quiet
    assert "▲" not in quiet
    assert "▼" not in quiet


def test_deleted_and_disabled_jobs_are_marked(assets) -> None:
    text = made(report([section(deleted=True), section(enabled=False)]), assets)
    assert "Deleted job" in text
    assert "Disabled job" in text


def test_untrusted_address_is_no_link(assets) -> None:
    job = section(clusters=3)
    bad = msgspec.structs.replace(job.clusters[0], url="javascript:alert(1)")
    text = made(report([msgspec.structs.replace(job, clusters=[bad, *job.clusters[1:]])]), assets)
    assert "javascript" not in text


def test_chart_stands_with_title_drawings_and_numbers(assets, make_chart) -> None:
    text = made(STATES["changed"], assets, [make_chart("share", title="A <b> finding")])
    assert "A &lt;b&gt; finding</h3>" in text
    assert "drawn wide" in text
    assert "drawn narrow" in text
    assert "88%" in text


def test_users_block_replaces_ours(assets, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(
        '{% extends "builtin/page.html" %}{% block footer %}<footer>ours</footer>{% endblock %}'
    )
    env = templates.environment(tmp_path)
    text = page.html(STATES["quiet"], [], assets, env=env).data.decode()
    assert "<footer>ours</footer>" in text
    assert "Nothing needs you this week." in text


@pytest.mark.parametrize("bad", [{"ink": "red;}"}, {"ink}": "#000000"}, {"ink": "#00000g"}])
def test_colour_that_could_leave_the_sheet_is_refused(bad: dict[str, str], assets) -> None:
    with pytest.raises(RenderError, match="colour token"):
        made(STATES["quiet"], replace(assets, dark=bad))


def test_style_sheet_that_ends_its_element_is_refused(assets) -> None:
    with pytest.raises(RenderError, match="its own end"):
        made(STATES["quiet"], replace(assets, css="a{}</STYLE><script>"))


def test_times_follow_the_reports_zone(assets) -> None:
    text = made(report([section(loud=None)], timezone="Asia/Tokyo"), assets)
    assert "23 Nov 2026, 17:00\u00a0JST".replace("23 Nov 2026", "23\u00a0Nov\u00a02026") in text


def test_gates_are_listed(assets) -> None:
    gate = Gate(
        rule="error_rate <= 5%",
        job_id=None,
        cluster_id=None,
        limit=0.05,
        value=0.1,
        low=None,
        high=None,
        outcome="failed",
        fails=True,
        job_index=0,
        sentence="“Refunds”: error_rate 10%; the limit is 5.0%.",
    )
    text = made(report([section()], gates=[gate]), assets)
    assert "error_rate &lt;= 5%" in text
    assert "“Refunds”: error_rate 10%; the limit is 5.0%." in text
    assert "1 of 1 rule is broken, in 1 place." in text
