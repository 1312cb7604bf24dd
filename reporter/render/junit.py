"""Outcomes of rules as JUnit XML, which build servers show: a rule is a suite, a cluster a test case."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from reporter import units
from reporter.artifact import Artifact
from reporter.render import facts

if TYPE_CHECKING:
    from reporter.report import Gate, Report

_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SKIPPED = {
    "waived": "waived",
    "not_enough_data": "not enough data",
    "not_comparable": "not comparable",
}


def junit(report: Report) -> Artifact:
    """Write the outcomes of all rules; a report without rules is one suite without a case.

    What fails a build is a failure, what only warns has its sentence in the output, and what could not be
    judged or is waived is skipped, with the reason.
    """
    root = ET.Element("testsuites", name=_text(report.title))
    rules = list(dict.fromkeys(gate.rule for gate in report.gates)) or ["(no rule)"]
    for rule in rules:
        mine = [gate for gate in report.gates if gate.rule == rule]
        suite = ET.SubElement(
            root,
            "testsuite",
            name=_text(rule),
            tests=str(len(mine)),
            failures=str(sum(gate.fails for gate in mine)),
            errors="0",
            skipped=str(sum(not gate.fails and gate.outcome in _SKIPPED for gate in mine)),
            time="0",
            timestamp=report.generated_at.removesuffix("Z"),
            hostname="reporter",
        )
        for gate in mine:
            _case(suite, gate, report)
    for key in ("tests", "failures", "errors"):  # Jenkins' schema knows no other sum here
        root.set(key, str(sum(int(suite.get(key, "0")) for suite in root)))
    root.set("time", "0")
    ET.indent(root)
    data = ET.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n"
    return Artifact(name="junit.xml", media_type="application/xml", data=data)


def _case(suite: ET.Element, gate: Gate, report: Report) -> None:
    section = report.jobs[gate.job_index] if gate.job_index is not None else None
    cluster = (
        next((c for c in section.clusters if c.cluster_id == gate.cluster_id), None) if section else None
    )
    if gate.cluster_id is None:
        name = "whole run" if section else "no cluster found"
    else:
        name = cluster.title if cluster else "outliers"
    case = ET.SubElement(
        suite,
        "testcase",
        classname=_text(facts.heading(section) if section else "reporter"),
        name=_text(f"{name} [{gate.cluster_id}]" if gate.cluster_id is not None else name),
        time="0",
    )
    if gate.fails:
        failure = ET.SubElement(case, "failure", message=_text(gate.sentence), type=gate.outcome)
        failure.text = _text(f"{gate.rule}\n{gate.sentence}")
    elif gate.outcome in _SKIPPED:
        why = f": {gate.reason}" if gate.reason else ""
        ET.SubElement(case, "skipped", message=_text(f"{_SKIPPED[gate.outcome]}{why}. {gate.sentence}"))
    elif gate.outcome != "passed":
        ET.SubElement(case, "system-out").text = _text(gate.sentence)


def _text(text: str) -> str:
    return _ILLEGAL.sub("", "\n".join(units.clean(line, 600) for line in text.split("\n")))
