"""Settings of how a report reaches its readers."""

from __future__ import annotations

from reporter.config import parse, parse_delivery
from reporter.config.key import DELIVERY, Key

SITUATIONS = ("no_new_run", "stale", "unchanged")
"""What a mail may be left out for."""

DELIVERY_KEYS = (
    Key(
        "email",
        DELIVERY,
        "Send the report by e-mail, once, to the readers in mail.to.",
        parse.switch,
        "false",
        ("--email",),
        table="mail",
        word="send",
    ),
    Key(
        "mail_to",
        DELIVERY,
        "A reader's e-mail address. May be given several times; each gets a mail of their own.",
        parse_delivery.addresses,
        '["Ann <ann@example.org>"]',
        ("--mail-to",),
        "ADDRESS",
        repeats=True,
        table="mail",
        word="to",
    ),
    Key(
        "mail_from",
        DELIVERY,
        "Who mails come from.",
        parse_delivery.address,
        '"Reports <reports@example.org>"',
        table="mail",
        word="from",
    ),
    Key(
        "mail_reply_to",
        DELIVERY,
        "Where answers go, if not to the sender.",
        parse_delivery.address,
        '"team@example.org"',
        table="mail",
        word="reply_to",
    ),
    Key(
        "mail_host",
        DELIVERY,
        "The mail server, with its port where that is not 587 (starttls), 465 (tls) or 25 (plain).",
        parse_delivery.mail_host,
        '"smtp.example.org:587"',
        table="mail",
        word="host",
    ),
    Key(
        "mail_security",
        DELIVERY,
        "How the way to the mail server is kept private: starttls, tls from the first byte, or plain, which"
        " is not private.",
        parse.choice("starttls", "tls", "plain"),
        '"starttls"',
        choices=("starttls", "tls", "plain"),
        table="mail",
        word="security",
    ),
    Key(
        "mail_user",
        DELIVERY,
        "Name to log in to the mail server with.",
        parse.text,
        '"reports@example.org"',
        table="mail",
        word="user",
    ),
    Key(
        "mail_password_file",
        DELIVERY,
        "File that holds the mail server's password. Otherwise REPORTER_MAIL_PASSWORD is used; the password"
        " itself is never a flag or a setting.",
        parse.path,
        '"mail.password"',
        table="mail",
        word="password_file",
        rebased=True,
    ),
    Key(
        "mail_attachment_mb",
        DELIVERY,
        "Largest PDF to attach, in megabytes; 0 attaches none.",
        parse.whole,
        "8",
        table="mail",
        word="attachment_mb",
    ),
    Key(
        "mail_link",
        DELIVERY,
        "Where readers find the whole report: an address, which may hold the fields of --out-pattern.",
        parse_delivery.link,
        '"https://reports.example.org/{date}/report.html"',
        table="mail",
        word="link",
    ),
    Key(
        "mail_unsubscribe",
        DELIVERY,
        "Where a reader can leave: an https or mailto address, sent as List-Unsubscribe.",
        parse_delivery.unsubscribe,
        '"mailto:team@example.org?subject=stop"',
        table="mail",
        word="unsubscribe",
    ),
    Key(
        "mail_skip",
        DELIVERY,
        "What is no reason for a mail: no_new_run (a week has gone by and no job has a new run), stale (every"
        " run is old), unchanged (nothing changed). Otherwise each of these sends a short, calm mail.",
        parse.words(*SITUATIONS),
        '["unchanged"]',
        table="mail",
        word="skip",
    ),
    Key(
        "notify",
        DELIVERY,
        "Post a summary, once, to the chats in notify.file (Slack, Teams, webhooks; extra `notify`).",
        parse.switch,
        "false",
        ("--notify",),
        table="notify",
        word="send",
    ),
    Key(
        "notify_file",
        DELIVERY,
        "File of chat addresses as Apprise writes them, one a line. Otherwise REPORTER_NOTIFY_URLS is used;"
        " they hold secrets and are never a flag or a setting.",
        parse.path,
        '"chats.txt"',
        table="notify",
        word="file",
        rebased=True,
    ),
    Key(
        "upload",
        DELIVERY,
        "Copy the documents to a folder or object store, by its fsspec address such as s3://bucket/reports"
        " (extra `upload`). May be given several times.",
        parse_delivery.uploads,
        '["s3://bucket/reports"]',
        ("--upload",),
        "URL",
        repeats=True,
    ),
    Key(
        "out_pattern",
        DELIVERY,
        "Folder below --out for each report, with the fields {date}, {time}, {week}, {kind} and {project};"
        " `latest` beside it leads to the newest.",
        parse_delivery.pattern,
        '"{date}"',
        ("--out-pattern",),
        "PATTERN",
    ),
    Key(
        "keep",
        DELIVERY,
        "Reports kept in folders of --out-pattern; older ones are deleted. 0 keeps all.",
        parse.whole,
        "0",
        ("--keep",),
        "N",
    ),
)
"""Every setting of delivery, in the order shown."""
