"""Reviewed outputs of the demo: a change of a word or a figure on the first page is seen before it is kept."""

from __future__ import annotations

import email
import email.policy
import subprocess
import sys
from email.message import EmailMessage
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from tests.conftest import Golden


def test_first_page_of_the_demo_reads_as_it_was_reviewed(
    tmp_path: Path, golden: Golden, now: datetime
) -> None:
    command = (
        "demo",
        "--now",
        now.isoformat(),
        "--format",
        "md,csv",
        "--out",
        "out",
        "--quiet",
        "--no-cache",
    )
    subprocess.run([sys.executable, "-m", "reporter", *command], cwd=tmp_path, check=True, timeout=120)
    golden.holds("summary.md", (tmp_path / "out" / "summary.md").read_text(encoding="utf-8"))
    rows = (tmp_path / "out" / "clusters.csv").read_text(encoding="utf-8").splitlines()
    golden.holds("clusters-head.csv", "\n".join(rows[:4]) + "\n")


def test_mail_of_the_demo_reads_as_it_was_reviewed(tmp_path: Path, golden: Golden, now: datetime) -> None:
    command = ("demo", "--now", now.isoformat(), "--format", "email", "--out", "out", "--quiet", "--no-cache")
    subprocess.run([sys.executable, "-m", "reporter", *command], cwd=tmp_path, check=True, timeout=120)
    mail = email.message_from_bytes(
        (tmp_path / "out" / "report.eml").read_bytes(), policy=email.policy.default
    )
    assert isinstance(mail, EmailMessage)
    text = mail.get_body(("plain",))
    assert text is not None
    headers = "".join(f"{name}: {mail[name]}\n" for name in ("From", "To", "Subject", "Date", "List-Id"))
    golden.holds("mail.txt", f"{headers}\n{text.get_content()}".replace("\r\n", "\n"))
