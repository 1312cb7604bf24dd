"""What a build shows: the comment through a real CommonMark renderer, JUnit against the schema, commands of GitHub."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree as ET

import msgspec
import pytest
from markdown_it import MarkdownIt

from reporter.analysis import gates
from reporter.analysis.gate_rules import parse
from reporter.config.settings import Gating
from reporter.render import ci, junit
from reporter.report import Gate, Report
from tests.conftest import NOW
from tests.reports import HOSTILE, report, section, states

RULES = ("error_rate <= 2%", "total mean_cost_usd +1%", "new_share <= 90%", "title:/nobody/ share <= 1%")
STATES = states()


def gated(value: Report, *rules: str, **over: Any) -> Report:
    asked = [Gating(parse(rule), **over) for rule in rules or RULES]
    found, _ = gates.judge(asked, value.jobs, {}, NOW)
    return msgspec.structs.replace(value, kind="ci", gates=found)


class Tags(HTMLParser):
    def __init__(self, markup: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.addresses: list[str] = []
        self.words: list[str] = []
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src")]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def rendered(value: Report, command: str = "") -> Tags:
    text = ci.comment(value, command).data.decode()
    return Tags(MarkdownIt("commonmark", {"html": True}).enable("table").render(text))


@pytest.mark.parametrize("name", STATES)
def test_a_comment_is_short_marked_and_plain(name: str) -> None:
    value = gated(STATES[name])
    text = ci.comment(value, "reporter ci --source 'a b'").data.decode()
    assert text.startswith(ci.MARKER + "\n## ")
    assert len(text) < 60_000
    seen = rendered(value, "reporter ci --source 'a b'")
    assert seen.tags <= {
        "h2", "h3", "p", "table", "thead", "tbody", "tr", "th", "td", "ul", "li", "details", "summary", "hr", "pre",
        "code", "blockquote", "strong",
    }  # fmt: skip
    assert seen.addresses == []
    assert "reporter ci --source 'a b'" in "".join(seen.words)


def test_a_comment_of_ten_jobs_with_fifty_clusters_and_many_rules_fits() -> None:
    value = report([section(name=f"Job {i}", job_id=str(i), clusters=50, seed=i) for i in range(10)])
    rules = [f"error_rate <= 0.{digits:04d}" for digits in range(1, 40)]
    text = ci.comment(gated(value, *rules), "reporter ci").data.decode()
    assert len(text) < 60_000
    assert "Make it again with:" in text
    assert "more in the report" in text


def test_hostile_titles_stay_words_in_a_comment() -> None:
    titles = (*HOSTILE, "![x](https://evil.example/p.png)", "[x](javascript:alert(1))", "@team `code` | a | b", "# h\n- l",
              "</details><script>alert(1)</script>", "::error::broken", "<!-- reporter-ci -->")  # fmt: skip
    value = gated(
        report([section(titles=titles, clusters=len(titles))]), "error_rate <= 0.1%", "share <= 0.1%"
    )
    seen = rendered(value)
    assert not {"script", "img", "a", "em"} & seen.tags
    assert seen.addresses == []
    text = ci.comment(value).data.decode()
    assert text.count("<details>") == text.count("</details>")
    assert text.count(ci.MARKER) == 1
    assert "@team" not in text


def test_the_order_is_verdict_failed_warnings_passed_clusters_unjudged_provenance() -> None:
    value = gated(STATES["changed"])
    warned, _ = gates.judge([Gating(parse("total error_rate <= 0%"), severity="warn")], value.jobs, {}, NOW)
    text = ci.comment(
        msgspec.structs.replace(value, gates=[*value.gates, *warned]), "reporter ci"
    ).data.decode()
    places = [text.index(words) for words in (
        "## \u274c", "### Failed", "### Warnings and waivers", "<summary>Passed: ", "### Default", "<summary>Could not be",
        "Make it again with:",
    )]  # fmt: skip
    assert places == sorted(places)


# What the schema of Jenkins' xUnit plugin (junit-10.xsd) lets us use of JUnit, and no more; counts add up besides.
CHILDREN = {
    "testsuites": {"testsuite"},
    "testsuite": {"testcase"},
    "testcase": {"failure", "skipped", "system-out"},
}
ATTRIBUTES = {
    "testsuites": {"name", "tests", "failures", "errors", "time"},
    "testsuite": {"name", "tests", "failures", "errors", "skipped", "time", "timestamp", "hostname"},
    "testcase": {"classname", "name", "time"},
    "failure": {"message", "type"},
    "skipped": {"message"},
    "system-out": set(),
}


def checked(element: ET.Element) -> None:
    assert set(element.attrib) == ATTRIBUTES[element.tag]
    assert {child.tag for child in element} <= CHILDREN.get(element.tag, set())
    if element.tag in ("testsuites", "testsuite"):
        cases = list(element.iter("testcase"))
        assert int(element.attrib["tests"]) == len(cases)
        assert int(element.attrib["failures"]) == sum(case.find("failure") is not None for case in cases)
        skipped = sum(case.find("skipped") is not None for case in cases)
        assert element.tag == "testsuites" or int(element.attrib["skipped"]) == skipped
    if element.tag == "testcase":
        assert len([child for child in element if child.tag in ("failure", "skipped")]) <= 1
        assert float(element.attrib["time"]) >= 0
    for child in element:
        checked(child)


@pytest.mark.parametrize("name", STATES)
def test_junit_is_what_build_servers_take(name: str) -> None:
    value = gated(STATES[name])
    root = ET.fromstring(junit.junit(value).data)
    checked(root)
    assert [suite.attrib["name"] for suite in root] == list(dict.fromkeys(gate.rule for gate in value.gates))
    assert len(list(root.iter("testcase"))) == len(value.gates)
    assert len(list(root.iter("failure"))) == sum(gate.fails for gate in value.gates)


def test_junit_of_hostile_titles_and_no_rules() -> None:
    titles = (*HOSTILE, "a\x00b\x1b[31m\ud800", "]]>")
    value = gated(report([section(titles=titles, clusters=len(titles))]), "error_rate <= 0.1%")
    checked(ET.fromstring(junit.junit(value).data))
    empty = ET.fromstring(junit.junit(report()).data)
    checked(empty)
    assert empty.attrib["tests"] == "0"


def test_github_reads_one_command_a_broken_rule_and_no_title_makes_another() -> None:
    titles = ("a%0A::error::x, y: z\n::set-output name=x::1", *HOSTILE[:3])
    value = gated(
        report([section(titles=titles, clusters=4)]), "error_rate <= 0.1%", "total error_rate <= 100%"
    )
    lines = list(ci.workflow_commands(value))
    assert len(lines) == sum(gate.fails for gate in value.gates) > 0
    for line in lines:
        assert re.fullmatch(r"::error title=[^:,\n\r]*::[^\n\r]*", line)
        assert "%0A" not in line.replace("%250A", "")
    warned = gated(STATES["changed"], "total error_rate <= 0%", severity="warn")
    assert [line.partition(" ")[0] for line in ci.workflow_commands(warned)] == ["::warning"]


def test_gitlab_gets_one_entry_a_broken_rule_with_a_steady_fingerprint() -> None:
    value = gated(STATES["changed"])
    found = json.loads(ci.code_quality(value).data)
    assert len(found) == sum(gate.fails for gate in value.gates) > 0
    assert len({one["fingerprint"] for one in found}) == len(found)
    moved = [msgspec.structs.replace(gate, value=0.5, sentence="other") for gate in value.gates]
    again = json.loads(ci.code_quality(msgspec.structs.replace(value, gates=moved)).data)
    assert [one["fingerprint"] for one in again] == [one["fingerprint"] for one in found]
    for one in found:
        assert one.keys() == {"description", "check_name", "fingerprint", "severity", "location"}
        assert one["severity"] in ("info", "minor", "major", "critical", "blocker")


def test_a_gate_of_an_older_report_without_a_job_is_shown() -> None:
    gate = Gate(
        rule="x <= 1",
        job_id=None,
        cluster_id=None,
        limit=1,
        value=2,
        low=None,
        high=None,
        outcome="failed",
        fails=True,
    )
    value = msgspec.structs.replace(report(), gates=[gate])
    checked(ET.fromstring(junit.junit(value).data))
    assert "x &lt;= 1" in ci.comment(value).data.decode()
