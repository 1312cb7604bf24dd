"""What a mail says first, and what it leaves to the report."""

from __future__ import annotations

import re

import msgspec
import pytest

from reporter import charts
from reporter.errors import RenderError
from reporter.render import mail, templates
from reporter.report import Report, Resolved
from tests.reports import calm, report, section, states

ENV, ASSETS = templates.environment(), charts.page_assets()


def written(*reports: Report, **over: object) -> str:
    return mail.letter(reports, [()] * len(reports), ASSETS, env=ENV, **over).text  # type: ignore[arg-type]


def heads(text: str) -> list[str]:
    """Give the headings of jobs told in full: they alone are in capitals."""
    return [
        line for line in text.splitlines() if re.fullmatch(r"[A-Z0-9 -]{5,}", line) and line != "OTHER JOBS"
    ]


def test_the_job_of_the_headline_comes_first_then_by_rank_and_quiet_ones_last() -> None:
    jobs = [
        calm(section(name="Alpha", job_id="a", loud=None, seed=2)),
        section(name="Bravo", job_id="b"),
        section(name="Charlie", job_id="c"),
    ]
    made = report(jobs)
    swapped = sorted(made.findings, key=lambda finding: -finding.job_index)
    first = msgspec.structs.replace(made, findings=swapped)
    assert heads(written(made)) == ["BRAVO", "CHARLIE", "ALPHA"]
    assert heads(written(first)) == ["CHARLIE", "BRAVO", "ALPHA"]
    assert [picture.job_index for picture in charts.pictures(first, 3)] == [2, 2, 1]


def test_only_three_jobs_are_told_in_full() -> None:
    text = written(report([section(name=f"Job {i}", job_id=str(i)) for i in range(8)]))
    assert len(heads(text)) == 3
    assert "OTHER JOBS" in text
    assert text.count("\n- Job ") == 5


def test_a_report_that_is_incomplete_says_so_in_the_subject() -> None:
    letter = mail.letter([states()["incomplete"]], [()], ASSETS, env=ENV)
    assert letter.subject.startswith("Incomplete: ")
    assert "This report is incomplete or needs care:" in letter.text


def test_what_is_over_is_told() -> None:
    over = Resolved(
        job_index=0, kind="cost", metric="mean_cost_usd", direction="up", cluster_id=None, before=0.1, then=0.2, now=0.1,
        low=0.09, high=0.11, told_at="2026-11-15T00:00:00Z", sentence="The average trace is back at $0.10.",
    )  # fmt: skip
    text = written(msgspec.structs.replace(report(), resolved=[over]))
    assert "- Over: The average trace is back at $0.10." in text


def test_two_reports_have_one_verdict() -> None:
    quiet, loud = states()["quiet"], report()
    assert written(quiet, loud).startswith("1 of 2 reports changed. ")
    assert written(quiet, quiet).startswith("No clear change in any of 2 reports.")


def test_nothing_new_is_short() -> None:
    text = written(report(), note="There is no new run since the last mail.")
    assert text.startswith("There is no new run since the last mail.\n")
    assert heads(text) == []
    assert "Newest run: 16" in " ".join(text.split())
    assert len(text) < 700


def test_a_sheet_with_a_colour_there_is_not_is_an_error(tmp_path) -> None:
    (tmp_path / "style").mkdir()
    (tmp_path / "style" / "mail.css").write_text(".p { color: var(--pink); }")
    with pytest.raises(RenderError, match="no colour of this name"):
        mail.letter([report()], [()], ASSETS, env=templates.environment(tmp_path))


def test_a_mail_that_would_be_cut_off_is_an_error(tmp_path) -> None:
    (tmp_path / "mail.html").write_text("<p>{{ 'x' * 100001 }}</p>")
    with pytest.raises(RenderError, match="too long"):
        mail.letter([report()], [()], ASSETS, env=templates.environment(tmp_path))


def test_a_template_of_ones_own_can_replace_a_block(tmp_path) -> None:
    (tmp_path / "mail.html").write_text(
        '{% extends "builtin/mail.html" %}{% block foot %}<p class="p">Ask the platform team.</p>{% endblock %}'
    )
    html = mail.letter([report()], [()], ASSETS, env=templates.environment(tmp_path)).html
    assert "Ask the platform team." in html
    assert "Made by reporter" not in html
    assert re.search(r'<p class="p" style="[^"]*margin: 0 0 6px', html)
