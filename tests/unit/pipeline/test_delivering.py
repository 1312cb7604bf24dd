"""Who is told what: each reader once a report, calm mails by configuration, and never a silent nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from reporter import units
from reporter.config import Settings
from reporter.deliver.smtp import Refused, Unanswered
from reporter.errors import UsageError
from reporter.pipeline import delivering
from reporter.pipeline.delivering import How
from reporter.report import Report
from tests.reports import calm, report, section, states

MONDAY = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


class Quiet:
    def step(self, text: str) -> None:
        """Say nothing."""


class Somebody:
    """A reader who writes down what they are told."""

    def __init__(self, name: str, *answers: str) -> None:
        self.name = self.ident = name
        self.answers = list(answers)
        self.told: list[str] = []

    def describe(self, about: str) -> str:
        return f"about {about}"

    def send(self, about: str, before_last_byte: Callable[[], None]) -> None:
        answer = self.answers.pop(0) if self.answers else "yes"
        if answer == "no":
            raise Refused("no", subject=self.name)
        before_last_byte()
        if answer == "late no":
            raise Refused("late no", subject=self.name)
        self.told.append(about)
        if answer == "silence":
            raise Unanswered("silence", subject=self.name)
        if answer == "death":
            raise KeyboardInterrupt


def at(moment: datetime, made: Report | None = None) -> Report:
    return msgspec.structs.replace(made or report(), generated_at=units.iso(moment))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(state=tmp_path / "state", now=MONDAY)


def tell(
    readers: list[Somebody], made: Report, settings: Settings, how: How | None = None
) -> list[tuple[str, str]]:
    told, problems = delivering.tell(readers, [made], settings, how or How(), Quiet())
    assert {p.subject for p in problems} == {d.to for d in told if d.state in ("failed", "unknown")}
    return [(one.to, one.state) for one in told]


def test_a_repeated_call_does_nothing_and_says_so(settings: Settings) -> None:
    readers = [Somebody("ann"), Somebody("bob")]
    assert tell(readers, at(MONDAY), settings) == [("ann", "sent"), ("bob", "sent")]
    assert tell(readers, at(MONDAY + timedelta(days=5)), settings) == [("ann", "already"), ("bob", "already")]
    assert [reader.told for reader in readers] == [["report"], ["report"]]
    (told, _), _ = delivering.tell(readers, [at(MONDAY)], settings, How(), Quiet())
    assert told.detail == "sent on 23\u00a0Nov\u00a02026, 08:00\u00a0UTC"


def test_a_new_reader_gets_what_the_others_have(settings: Settings) -> None:
    tell([Somebody("ann")], at(MONDAY), settings)
    assert tell([Somebody("ann"), Somebody("bob")], at(MONDAY), settings) == [
        ("ann", "already"),
        ("bob", "sent"),
    ]


def test_a_new_run_is_a_new_report(settings: Settings) -> None:
    ann = Somebody("ann")
    tell([ann], at(MONDAY), settings)
    job = section()
    assert job.latest is not None
    newer = msgspec.structs.replace(job, latest=msgspec.structs.replace(job.latest, run_id="newer"))
    assert tell([ann], at(MONDAY, report([newer])), settings) == [("ann", "sent")]
    assert ann.told == ["report", "report"]


def test_a_week_without_a_new_run_is_told_once(settings: Settings) -> None:
    ann = Somebody("ann")
    week = timedelta(days=7)
    assert tell([ann], at(MONDAY), settings) == [("ann", "sent")]
    assert tell([ann], at(MONDAY + week), settings) == [("ann", "sent")]
    assert tell([ann], at(MONDAY + week), settings) == [("ann", "already")]
    assert tell([ann], at(MONDAY + 2 * week), replace(settings, mail_skip=("no_new_run",))) == [
        ("ann", "skipped")
    ]
    assert tell([ann], at(MONDAY + 2 * week), settings) == [("ann", "sent")]
    assert ann.told == ["report", "no_new_run", "no_new_run"]


def test_one_who_refuses_does_not_stop_the_others_and_is_asked_again(settings: Settings) -> None:
    ann, bob = Somebody("ann", "no", "late no"), Somebody("bob")
    assert tell([ann, bob], at(MONDAY), settings) == [("ann", "failed"), ("bob", "sent")]
    assert tell([ann, bob], at(MONDAY), settings) == [("ann", "failed"), ("bob", "already")]
    assert tell([ann, bob], at(MONDAY), settings) == [("ann", "sent"), ("bob", "already")]
    assert (ann.told, bob.told) == (["report"], ["report"])


@pytest.mark.parametrize("answer", ["silence", "death"])
def test_what_may_have_arrived_is_not_sent_again_until_asked_for(settings: Settings, answer: str) -> None:
    ann = Somebody("ann", answer)
    try:
        tell([ann], at(MONDAY), settings)
    except KeyboardInterrupt:
        assert answer == "death"
    assert tell([ann], at(MONDAY), settings) == [("ann", "unknown")]
    (told,), (problem,) = delivering.tell([ann], [at(MONDAY)], settings, How(), Quiet())
    assert "may have arrived" in told.detail
    assert "--again" in problem.hint
    assert ann.told == ["report"]
    # A week later the same runs are worth a mail again, and the whole report is in it.
    assert tell([ann], at(MONDAY + timedelta(days=7)), settings) == [("ann", "sent")]
    assert ann.told == ["report", "report"]


def test_again_sends_to_everybody_and_is_remembered(settings: Settings) -> None:
    ann = Somebody("ann")
    tell([ann], at(MONDAY), settings)
    assert tell([ann], at(MONDAY), settings, How(again=True)) == [("ann", "sent")]
    assert tell([ann], at(MONDAY), settings) == [("ann", "already")]
    assert ann.told == ["report", "report"]


def test_dry_run_sends_and_writes_nothing(settings: Settings) -> None:
    ann = Somebody("ann")
    assert tell([ann], at(MONDAY), settings, How(dry_run=True)) == [("ann", "would_send")]
    assert settings.state is not None
    assert not settings.state.exists()
    tell([ann], at(MONDAY), settings)
    assert tell([ann], at(MONDAY), settings, How(dry_run=True)) == [("ann", "already")]
    assert ann.told == ["report"]


def test_without_a_state_folder_only_what_is_asked_for_twice_is_sent(settings: Settings) -> None:
    forgetful = replace(
        settings, no_cache=True, email=True, mail_to=("a@x.org",), mail_from="r@x.org", mail_host="x.org"
    )
    with pytest.raises(UsageError, match="nobody knows what was sent"):
        delivering.check(forgetful, How())
    delivering.check(forgetful, How(again=True))
    ann = Somebody("ann")
    assert tell([ann], at(MONDAY), forgetful, How(again=True)) == [("ann", "sent")]
    assert settings.state is not None
    assert not settings.state.exists()


def test_a_mail_needs_readers_a_sender_and_a_server() -> None:
    with pytest.raises(UsageError, match=r"mails need mail\.to and mail\.from and mail\.host"):
        delivering.check(Settings(email=True), How())


def test_quiet_and_stale_weeks_send_what_the_configuration_says(settings: Settings) -> None:
    quiet = states()["quiet"]
    assert (quiet.verdict, quiet.findings) == ("no_clear_change", [])
    old = report([msgspec.structs.replace(section(), stale=True)])
    for made, situation in ((quiet, "unchanged"), (old, "stale")):
        somebody = Somebody(situation)
        for skipped, state in ((situation, "skipped"), ("no_new_run", "sent")):
            asked = replace(settings, mail_skip=(skipped,))
            assert tell([somebody], at(MONDAY, made), asked) == [(situation, state)]
        assert somebody.told == ["report"]


def test_a_failed_job_is_no_quiet_week(settings: Settings) -> None:
    broken = msgspec.structs.replace(section(), status="failed", latest=None)
    made = msgspec.structs.replace(report([calm(section()), broken]), findings=[], verdict="no_clear_change")
    skipping = replace(settings, mail_skip=("unchanged",))
    assert tell([Somebody("ann")], at(MONDAY, made), skipping) == [("ann", "sent")]


def test_several_reports_share_a_mail_and_a_line_in_the_book(settings: Settings) -> None:
    other = msgspec.structs.replace(report(), source=msgspec.structs.replace(report().source, project_id="7"))
    ann = Somebody("ann")
    for order in ([report(), other], [other, report()]):
        delivering.tell([ann], order, settings, How(), Quiet())
    assert ann.told == ["report"]
    assert tell([ann], at(MONDAY), settings) == [("ann", "sent")]
