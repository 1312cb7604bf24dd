"""Schedules: each snippet is what its system takes, holds no secret, and calls the program that is here."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from reporter.cli.schedules import SNIPPETS, Schedule

SECRETS = ("POSTHOG_PERSONAL_API_KEY", "REPORTER_MAIL_PASSWORD")


def schedule(**over: Any) -> Schedule:
    fields: dict[str, Any] = {
        "day": 0, "hour": 7, "minute": 30, "tz": "Europe/Berlin", "program": "/usr/local/bin/reporter",
        "config": "/etc/reporter/reporter.toml", "now": datetime(2026, 11, 23, 8, tzinfo=UTC),
    }  # fmt: skip
    return Schedule(**(fields | over))


def checked(schema: str, text: str, folder: Path) -> None:
    """Hold a file against a schema that comes with check-jsonschema."""
    path = folder / "file.yml"
    path.write_text(text)
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("kind", SNIPPETS)
def test_a_snippet_names_secrets_and_holds_none(kind: str) -> None:
    text = SNIPPETS[kind](schedule())
    assert all(name in text for name in SECRETS)
    assert not re.search(r"(KEY|PASSWORD)\s*[=:]\s*[A-Za-z0-9]", text)
    assert text.endswith("\n")
    assert "report" in text
    assert "--email" in text


@pytest.mark.parametrize(
    ("when", "utc"),
    [
        (datetime(2026, 11, 23, 8, tzinfo=UTC), "30 6 * * 1"),
        (datetime(2026, 7, 6, 8, tzinfo=UTC), "30 5 * * 1"),
        # The clock changes between today and the next due day: the offset of that day counts.
        (datetime(2026, 10, 24, 8, tzinfo=UTC), "30 6 * * 1"),
    ],
)
def test_utc_follows_the_zone(when: datetime, utc: str) -> None:
    assert schedule(now=when).cron_utc == utc


def test_utc_may_be_another_day() -> None:
    assert schedule(tz="Asia/Tokyo", hour=7, minute=30).cron_utc == "30 22 * * 0"
    assert schedule(tz="America/Los_Angeles", day=6, hour=20, minute=0).cron_utc == "0 4 * * 1"


def test_workflow_and_pipeline_are_what_github_and_gitlab_take(tmp_path: Path) -> None:
    checked("vendor.github-workflows", SNIPPETS["github"](schedule()), tmp_path)
    checked("vendor.gitlab-ci", SNIPPETS["gitlab"](schedule()), tmp_path)
    workflow = yaml.safe_load(SNIPPETS["github"](schedule()))
    assert workflow[True]["schedule"] == [{"cron": "30 6 * * 1"}]
    steps = workflow["jobs"]["report"]["steps"]
    saved = next(step for step in steps if step.get("uses", "").startswith("actions/cache/save"))
    # A mail that went out is remembered also when another could not be sent.
    assert saved["if"] == "always()"


def test_cronjob_is_what_kubernetes_takes() -> None:
    import kubernetes_validate

    claim, job = yaml.safe_load_all(SNIPPETS["kubernetes"](schedule(minute=5)))
    for resource in (claim, job):
        kubernetes_validate.validate(resource, "1.31", strict=True)
    spec = job["spec"]
    assert (spec["schedule"], spec["timeZone"], spec["concurrencyPolicy"]) == (
        "5 7 * * 1",
        "Europe/Berlin",
        "Forbid",
    )
    pod = spec["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    mounted = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    assert {volume["name"] for volume in pod["volumes"]} == mounted.keys()
    assert {"/state", "/out", "/tmp", "/etc/reporter"} == set(mounted.values())


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")
def test_units_are_what_systemd_takes(tmp_path: Path) -> None:
    program = tmp_path / "a reporter"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    text = SNIPPETS["systemd"](schedule(program=str(program), config=f"{tmp_path}/100%/reporter.toml"))
    service, timer = re.split(r"(?m)^# /etc/systemd/system/reporter\.(?:service|timer)\n", text)[1:]
    (tmp_path / "reporter.service").write_text(service)
    (tmp_path / "reporter.timer").write_text(timer)
    command = [
        "systemd-analyze",
        "verify",
        "--man=no",
        str(tmp_path / "reporter.service"),
        str(tmp_path / "reporter.timer"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    said = [line for line in done.stderr.splitlines() if "reporter" in line]
    assert said == []
    (when,) = re.findall(r"OnCalendar=(.*)", timer)
    shown = subprocess.run(["systemd-analyze", "calendar", when], capture_output=True, text=True, check=False)
    assert shown.returncode == 0, shown.stderr
    assert "Mon *-*-* 07:30:00 Europe/Berlin" in shown.stdout


def test_the_line_of_a_crontab_runs_with_its_secrets(tmp_path: Path) -> None:
    folder = tmp_path / "it's 100% here"
    folder.mkdir()
    program = folder / "reporter"
    program.write_text(
        f"#!{sys.executable}\nimport json, os, sys\n"
        f"json.dump([sys.argv[1:], os.environ.get('REPORTER_MAIL_PASSWORD')], open({str(tmp_path / 'said')!r}, 'w'))\n"
    )
    program.chmod(0o755)
    (folder / "reporter.env").write_text("REPORTER_MAIL_PASSWORD='a b'\n")
    text = SNIPPETS["crontab"](schedule(program=str(program), config=str(folder / "reporter.toml")))
    (line,) = [line for line in text.splitlines() if line and not line.startswith(("#", "CRON_TZ"))]
    minute, hour, day, month, weekday, command = line.split(" ", 5)
    assert (minute, hour, day, month, weekday) == ("30", "7", "*", "*", "1")
    assert "CRON_TZ=Europe/Berlin" in text
    # cron ends a command at a bare percent sign and takes the backslash off the others.
    assert not re.search(r"(?<!\\)%", command)
    subprocess.run(["/bin/sh", "-c", command.replace("\\%", "%")], check=True, env={})
    arguments, password = json.loads((tmp_path / "said").read_text())
    assert arguments == ["report", "--email", "--config", str(folder / "reporter.toml"), "-q"]
    assert password == "a b"


def test_the_command_prints_for_the_settings_here(call: Any) -> None:
    code, out, err = call(
        "cron", "crontab", "--at", "fri 18:05", "--tz", "UTC", "--config", "conf/weekly.toml"
    )
    assert (code, err) == (0, "")
    assert "\n5 18 * * 5 " in out
    assert "CRON_TZ" not in out
    (config,) = re.findall(r"--config (\S+)", out)
    assert Path(shlex.split(config)[0]).is_absolute()
    assert config.endswith("conf/weekly.toml")


@pytest.mark.parametrize("at", ["25:00", "Mon 24:00", "Mon 07:60", "Someday 07:30", ""])
def test_a_time_that_is_none_is_refused(call: Any, at: str) -> None:
    code, _, err = call("cron", "crontab", "--at", at)
    assert code == 2
    assert "give a day and a time" in err
