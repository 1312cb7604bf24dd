"""Snippets that run a report every week: crontab, systemd, Kubernetes, GitHub and GitLab.

Each keeps what must last (the state folder), takes secrets from where that system keeps them, and never has
one in a command line.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
IMAGE = "cluster-reporter"
"""Name of the image that the Dockerfile makes."""
_SECRETS = ("POSTHOG_PERSONAL_API_KEY", "REPORTER_MAIL_PASSWORD")


@dataclass(frozen=True, slots=True)
class Schedule:
    """When what is run."""

    day: int
    """0 is Monday."""
    hour: int
    minute: int
    tz: str
    """IANA name of the zone the time is in."""
    program: str
    """The program as a path, or its name."""
    config: str
    """The settings file, absolute."""
    now: datetime
    """Today, for what must be given in UTC."""

    @property
    def command(self) -> list[str]:
        """The call, word by word."""
        return [self.program, "report", "--email", "--config", self.config]

    @property
    def day_name(self) -> str:
        """The day: ``Mon``."""
        return DAYS[self.day]

    @property
    def cron(self) -> str:
        """The time as cron writes it, in the schedule's own zone."""
        return f"{self.minute} {self.hour} * * {(self.day + 1) % 7}"

    @property
    def cron_utc(self) -> str:
        """The same in UTC, by the zone's offset today."""
        zone = ZoneInfo(self.tz)
        local = self.now.astimezone(zone)
        ahead = (self.day - local.weekday()) % 7
        due = (local + timedelta(days=ahead)).replace(hour=self.hour, minute=self.minute, second=0)
        at = due.astimezone(UTC)
        return f"{at.minute} {at.hour} * * {at.isoweekday() % 7}"


def crontab(at: Schedule) -> str:
    """Write a line for ``crontab -e``."""
    folder = at.config.rpartition("/")[0]
    secrets = shlex.quote(f"{folder}/reporter.env")
    call = f"set -a; . {secrets}; set +a; exec {shlex.join(at.command)}".replace("%", "\\%")
    zone = (
        ""
        if at.tz == "UTC"
        else f"# CRON_TZ is known to cronie; other crons take the machine's zone.\nCRON_TZ={at.tz}\n"
    )
    return f"""\
# Every {at.day_name} at {at.hour:02d}:{at.minute:02d}, {at.tz}. Edit with: crontab -e
# {folder}/reporter.env (chmod 600) holds {" and ".join(f"{name}=..." for name in _SECRETS)}
# cron mails you what goes wrong, and nothing else.
{zone}{at.cron} {call} -q >/dev/null
"""


def systemd(at: Schedule) -> str:
    """Write a service and its timer."""
    call = " ".join(_unit(word) for word in at.command)
    folder = at.config.rpartition("/")[0]
    zone = "" if at.tz == "UTC" else f" {at.tz}"
    return f"""\
# /etc/systemd/system/reporter.service
[Unit]
Description=Weekly report on AI clusters
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
DynamicUser=yes
StateDirectory=reporter
CacheDirectory=reporter
WorkingDirectory=%S/reporter
Environment=REPORTER_STATE=%S/reporter/state REPORTER_OUT=%S/reporter/report MPLCONFIGDIR=%C/reporter
# {folder}/reporter.env (chmod 600) holds {" and ".join(f"{name}=..." for name in _SECRETS)}
EnvironmentFile={folder}/reporter.env
ExecStart={call}
ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=yes
NoNewPrivileges=yes

# /etc/systemd/system/reporter.timer
[Unit]
Description=Every {at.day_name} at {at.hour:02d}:{at.minute:02d}, {at.tz}

[Timer]
OnCalendar={at.day_name} *-*-* {at.hour:02d}:{at.minute:02d}:00{zone}
Persistent=true

[Install]
WantedBy=timers.target

# systemctl daemon-reload && systemctl enable --now reporter.timer
"""


def kubernetes(at: Schedule) -> str:
    """Write a CronJob with the settings, and a claim for what must last."""
    return f"""\
# kubectl create secret generic reporter {" ".join(f"--from-literal={name}=..." for name in _SECRETS)}
# kubectl create configmap reporter --from-file=reporter.toml
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: reporter-state
spec:
  accessModes: [ReadWriteOnce]
  resources:
    requests:
      storage: 1Gi
---
apiVersion: batch/v1
kind: CronJob
metadata:
  name: reporter
spec:
  schedule: {json.dumps(at.cron)}
  timeZone: {json.dumps(at.tz)}
  concurrencyPolicy: Forbid
  startingDeadlineSeconds: 21600
  jobTemplate:
    spec:
      backoffLimit: 2
      template:
        spec:
          restartPolicy: Never
          securityContext:
            runAsNonRoot: true
            runAsUser: 10001
            fsGroup: 10001
          containers:
            - name: reporter
              image: {IMAGE}:latest
              args: ["report", "--email", "--config", "/etc/reporter/reporter.toml"]
              envFrom:
                - secretRef:
                    name: reporter
              securityContext:
                readOnlyRootFilesystem: true
                allowPrivilegeEscalation: false
                capabilities:
                  drop: [ALL]
              resources:
                requests:
                  cpu: 500m
                  memory: 512Mi
                limits:
                  memory: 1Gi
              volumeMounts:
                - name: settings
                  mountPath: /etc/reporter
                  readOnly: true
                - name: state
                  mountPath: /state
                - name: out
                  mountPath: /out
                - name: scratch
                  mountPath: /tmp
          volumes:
            - name: settings
              configMap:
                name: reporter
            - name: state
              persistentVolumeClaim:
                claimName: reporter-state
            - name: out
              emptyDir: {{}}
            - name: scratch
              emptyDir: {{}}
"""


def github(at: Schedule) -> str:
    """Write a scheduled workflow."""
    secrets = "\n".join(f"          {name}: ${{{{ secrets.{name} }}}}" for name in _SECRETS)
    return f"""\
# .github/workflows/reporter.yml, beside a reporter.toml at the top of the repository
# GitHub's schedules are in UTC: this is {at.hour:02d}:{at.minute:02d} {at.tz} today; a clock change moves it.
name: Weekly report
on:
  schedule:
    - cron: {json.dumps(at.cron_utc)}
  workflow_dispatch: {{}}
permissions:
  contents: read
concurrency:
  group: weekly-report
  cancel-in-progress: false
jobs:
  report:
    runs-on: ubuntu-latest
    timeout-minutes: 20
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with:
          python-version: "3.13"
      - name: Install
        run: |
          sudo apt-get update -qq
          sudo apt-get install -qq -y libpango-1.0-0 libpangoft2-1.0-0 fonts-noto-core
          pip install cluster-reporter
      # What was sent before must last from one run to the next.
      - uses: actions/cache/restore@v4
        with:
          path: .reporter-state
          key: reporter-state-${{{{ github.run_id }}}}
          restore-keys: reporter-state-
      - name: Report
        run: reporter report --email --state .reporter-state --out report
        env:
{secrets}
      - uses: actions/cache/save@v4
        if: always()
        with:
          path: .reporter-state
          key: reporter-state-${{{{ github.run_id }}}}
      - uses: actions/upload-artifact@v4
        if: always()
        with:
          name: report
          path: report
"""


def gitlab(at: Schedule) -> str:
    """Write a job for scheduled pipelines."""
    return f"""\
# .gitlab-ci.yml, beside a reporter.toml at the top of the repository
# Build > Pipeline schedules > New schedule: {at.cron}, time zone {at.tz}
# Settings > CI/CD > Variables, masked: {", ".join(_SECRETS)}
weekly-report:
  image: python:3.13-slim
  rules:
    - if: $CI_PIPELINE_SOURCE == "schedule"
  resource_group: weekly-report
  timeout: 20 minutes
  # What was sent before must last from one run to the next.
  cache:
    key: reporter-state
    paths: [.reporter-state]
    when: always
  before_script:
    - apt-get update -qq
    - apt-get install -qq -y libpango-1.0-0 libpangoft2-1.0-0 fonts-noto-core
    - pip install cluster-reporter
  script:
    - reporter report --email --state .reporter-state --out report
  artifacts:
    paths: [report]
    when: always
    expire_in: 90 days
"""


def _unit(word: str) -> str:
    """Quote a word as systemd reads it."""
    plain = word.replace("%", "%%").replace("$", "$$")
    return plain if all(ch.isalnum() or ch in "/._-+:%$=" for ch in plain) else json.dumps(plain)


SNIPPETS: dict[str, Callable[[Schedule], str]] = {
    "crontab": crontab,
    "systemd": systemd,
    "kubernetes": kubernetes,
    "github": github,
    "gitlab": gitlab,
}
"""By name: what writes it."""
