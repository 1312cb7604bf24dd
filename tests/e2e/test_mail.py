"""The mail as cron sends it: from the command line, through a real server, killed anywhere, never twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest

from reporter.report import sealed, to_json
from tests.e2e.commands import reporter
from tests.events import NOW, Project
from tests.reports import report, section
from tests.servers.mail import PASSWORD, USER, MailServer, serving

pytestmark = pytest.mark.filterwarnings("ignore:.*will be removed in version 2.0:DeprecationWarning")
READERS = ("ann@example.org", "bob@example.org", "cy@example.org")


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A report that was built, and settings that say who reads it."""
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "report.json").write_bytes(to_json(sealed(report([section(clusters=4)]))))
    return tmp_path


def configure(folder: Path, told: MailServer, **over: str) -> None:
    lines = {
        "to": json.dumps(list(READERS)),
        "from": '"Reports <reports@example.org>"',
        "host": f'"127.0.0.1:{told.port}"',
    }
    written = "".join(f"{name} = {value}\n" for name, value in (lines | over).items())
    (folder / "reporter.toml").write_text(f'state = "state"\n[mail]\n{written}')


@pytest.fixture
def server(built: Path) -> Iterator[MailServer]:
    with serving("plain") as told:
        configure(built, told, security='"plain"')
        yield told


def test_sent_by_a_private_way_after_a_login_and_no_secret_anywhere(built: Path) -> None:
    with serving("starttls", login=True, authority=built / "ca.pem") as told:
        configure(built, told, user=f'"{USER}"')
        env = {"SSL_CERT_FILE": str(built / "ca.pem"), "REPORTER_MAIL_PASSWORD": PASSWORD}
        done = reporter("send", "-v", cwd=built, env=env)
        assert (done.returncode, len(told.received)) == (0, 3), done.stderr
        wrong = reporter(
            "send", "-v", "--again", cwd=built, env=env | {"REPORTER_MAIL_PASSWORD": "open sesame!"}
        )
        assert wrong.returncode == 6
        assert "did not let reports@example.org in" in wrong.stderr
    written = [path.read_bytes() for path in built.rglob("*") if path.is_file()]
    said = [text.encode() for text in (done.stdout, done.stderr, wrong.stdout, wrong.stderr)]
    for secret in (PASSWORD, "open sesame!"):
        assert not any(
            secret.encode() in each for each in (*written, *said, *(one.data for one in told.received))
        )
    assert told.private == [True] * 3


def test_a_second_call_is_a_no_op_with_a_clear_line(built: Path, server: MailServer) -> None:
    first, second = (reporter("send", cwd=built) for _ in range(2))
    assert first.returncode == second.returncode == 0
    assert [line.split("  ")[1].split(":")[0] for line in first.stdout.splitlines()[1:]] == ["sent"] * 3
    assert [line.split("  ")[1].split(" on ")[0] for line in second.stdout.splitlines()[1:]] == [
        "nothing to do: sent"
    ] * 3
    assert Counter(one.reader for one in server.received) == dict.fromkeys(READERS, 1)


def test_one_refused_reader_is_named_and_the_others_have_their_mail(built: Path, server: MailServer) -> None:
    server.refuse = {READERS[0]: ["550 no such user"]}
    done = reporter("send", "--json", cwd=built)
    assert done.returncode == 6
    told = json.loads(done.stdout)["deliveries"]
    assert [(one["to"], one["state"]) for one in told] == list(
        zip(READERS, ("failed", "sent", "sent"), strict=True)
    )
    assert "550 no such user" in done.stderr
    assert READERS[0] in done.stderr


def test_a_dry_run_shows_everything_and_sends_nothing(built: Path, server: MailServer) -> None:
    done = reporter("send", "--dry-run", cwd=built)
    assert done.returncode == 0
    for reader in READERS:
        assert f"{reader}  would be sent: “" in done.stdout
    assert (server.received, server.tries) == ([], [])
    assert not (built / "state").exists()


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("moment", ["rcpt", "whole", "answered"])
@pytest.mark.parametrize("reader", READERS[:2])
def test_killed_anywhere_each_reader_has_one_mail_or_the_log_says_why_not(
    built: Path, server: MailServer, reader: str, moment: str, again: bool
) -> None:
    running: list[subprocess.Popen[bytes]] = []

    def kill(to: str) -> None:
        if to == reader and running[0].poll() is None:
            os.kill(running[0].pid, signal.SIGKILL)
            running[0].wait()

    server.at = {moment: kill}
    command = [sys.executable, "-m", "reporter", "send", "-q"]
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("POSTHOG_", "REPORTER_"))}
    process = subprocess.Popen(
        command, cwd=built, env=clean, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    running.append(process)
    process.wait(60)
    assert process.returncode == -signal.SIGKILL
    server.at = {}
    rerun = reporter("send", *(["--again"] if again else []), cwd=built)
    mails = Counter(one.reader for one in server.received)
    sure = [name for name in READERS if READERS.index(name) < READERS.index(reader)]
    if again:
        assert rerun.returncode == 0
        assert all(mails[name] >= 1 for name in READERS)
        ids = [one.message["Message-ID"] for one in server.of(reader)]
        assert len(set(ids)) == 1, "a copy can be told by its id"
        return
    assert mails == dict.fromkeys(READERS, 1)
    assert f"{reader}  sent" in rerun.stdout if moment == "rcpt" else "may have arrived" in rerun.stderr
    assert rerun.returncode == (0 if moment == "rcpt" else 6)
    assert all(f"{name}  nothing to do" in rerun.stdout for name in sure)


def test_two_crons_at_once_send_one_mail_a_reader(built: Path, server: MailServer) -> None:
    command = [sys.executable, "-m", "reporter", "send"]
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("POSTHOG_", "REPORTER_"))}
    both = [
        subprocess.Popen(
            command, cwd=built, env=clean, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    said = [process.communicate(timeout=100)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert Counter(one.reader for one in server.received) == dict.fromkeys(READERS, 1)
    assert sorted(text.count("nothing to do") for text in said) == [0, 3]


def test_the_doctor_greets_the_mail_server_and_sends_nothing(built: Path) -> None:
    with serving("starttls", login=True, authority=built / "ca.pem") as told:
        configure(built, told, user=f'"{USER}"')
        asked = ("doctor", "--source", "nothing.jsonl", "--json")
        found = []
        for password in (PASSWORD, "wrong secret"):
            env = {"SSL_CERT_FILE": str(built / "ca.pem"), "REPORTER_MAIL_PASSWORD": password}
            done = reporter(*asked, cwd=built, env=env)
            assert password not in done.stdout + done.stderr
            found += [check for check in json.loads(done.stdout)["checks"] if check["name"] == "mail server"]
    assert [check["outcome"] for check in found] == ["pass", "fail"]
    assert "private (starttls), logged in as reports@example.org" in found[0]["found"]
    assert "did not let" in found[1]["found"]
    assert told.received == []


def test_a_monday_its_repetition_and_a_week_without_a_new_run(built: Path, server: MailServer) -> None:
    project = Project(1)
    project.run(NOW - timedelta(days=7, hours=7), [40, 30, 25], noise=8)
    project.run(NOW - timedelta(hours=7), [42, 28, 26], noise=9)
    events = project.write(built / "events.jsonl")
    settings = (built / "reporter.toml").read_text()
    (built / "reporter.toml").write_text(
        f'source = "{events.name}"\nout_pattern = "{{date}}"\nout = "out"\n{settings}'
    )

    def monday(weeks: int) -> tuple[subprocess.CompletedProcess[str], list[EmailMessage]]:
        now = f"{NOW + timedelta(weeks=weeks):%Y-%m-%dT%H:%M:%SZ}"
        before = len(server.received)
        done = reporter("report", "--email", "--now", now, "--upload", f"file://{built}/shared", cwd=built)
        return done, [one.message for one in server.received[before:]]

    done, mails = monday(0)
    assert done.returncode == 0, done.stderr
    assert [mail["To"] for mail in mails] == list(READERS)
    assert len({mail["Message-ID"] for mail in mails}) == 3
    made = json.loads((built / "out" / "latest" / "report.json").read_bytes())
    for folder in ("out", "shared"):
        assert (built / folder / f"{NOW:%Y-%m-%d}" / "report.json").is_file()
    assert (built / "shared" / "latest" / "report.html").is_file()
    (paper,) = (part for part in mails[0].walk() if part.get_content_type() == "application/pdf")
    assert paper.get_content() == (built / "out" / "latest" / "report.pdf").read_bytes()
    html, text = (body.get_content() for kind in ("html", "plain") if (body := mails[0].get_body((kind,))))
    assert mails[0]["Subject"] in made["headline"]
    for number in (made["jobs"][0]["latest"]["items"], made["jobs"][0]["overall"]["metrics"]["error_count"]):
        assert f"{number:,}" in html
        assert f"{number:,}" in text

    done, mails = monday(0)
    assert (done.returncode, mails) == (0, [])
    assert done.stdout.count("nothing to do: sent on") == 3

    done, mails = monday(1)
    assert done.returncode == 0, done.stderr
    assert {mail["Subject"] for mail in mails} == {"There is no new run since the last mail"}
    assert not any(part.get_content_type() == "application/pdf" for part in mails[0].walk())

    with (built / "reporter.toml").open("a") as stream:
        stream.write('skip = ["stale", "no_new_run"]\n')
    done, mails = monday(2)
    assert (done.returncode, mails) == (0, [])
    assert done.stdout.count("not sent: every run is old, and mail.skip says") == 3


def test_what_cannot_be_sent_is_refused_before_the_work(built: Path, server: MailServer) -> None:
    (built / "reporter.toml").write_text('[mail]\nto = ["ann@example.org"]\n')
    done = reporter("report", "--source", "nowhere", "--email", cwd=built)
    assert done.returncode == 2
    assert "mails need mail.from and mail.host" in done.stderr
    assert server.received == []


def test_two_reports_share_one_mail(built: Path, server: MailServer) -> None:
    (built / "other").mkdir()
    (built / "other" / "report.json").write_bytes(
        to_json(sealed(report([section(name="Desk")], title="Desk")))
    )
    done = reporter("send", "report", "other", cwd=built)
    assert done.returncode == 0, done.stderr
    assert Counter(one.reader for one in server.received) == dict.fromkeys(READERS, 1)
    text = server.received[0].message.get_body(("plain",))
    assert text is not None
    assert "1 of 2 reports changed" in text.get_content()
    assert "Desk" in text.get_content()
