"""The table of every setting.

Flags, environment variables, the keys of reporter.toml, the file `reporter init` writes and the
reference in docs/cli.md all come from this one table, so they cannot disagree.
"""

from __future__ import annotations

from reporter.config import parse, parse_gates
from reporter.config.delivery_keys import DELIVERY_KEYS
from reporter.config.key import BEHAVIOUR, DATA, REPORT, RUNS, SECTIONS, Key

__all__ = ["BY_FIELD", "BY_NAME", "FORMATS", "KEYS", "SECTIONS", "Key"]

FORMATS = ("html", "pdf", "json", "md", "junit", "email", "csv", "codequality")


KEYS = (
    Key(
        "source",
        DATA,
        "Where the data comes from: `posthog`; a file, folder or glob of a PostHog batch export (Parquet,"
        " or JSON lines, plain or compressed); or `clickhouse://USER@HOST/DATABASE`.",
        parse.source,
        '"posthog"',
        ("--source",),
        "SOURCE",
        rebased=True,
    ),
    Key(
        "jobs_file",
        DATA,
        "The list of clustering jobs as PostHog's API gives it, for exports and ClickHouse, which do not hold"
        " it.",
        parse.path,
        '"jobs.json"',
        ("--jobs",),
        "FILE",
        rebased=True,
    ),
    Key(
        "host",
        DATA,
        "Where PostHog is.",
        parse.host,
        '"https://us.posthog.com"',
        ("--host",),
        "URL",
        table="posthog",
    ),
    Key(
        "project_id",
        DATA,
        "The PostHog project.",
        parse.project,
        '"12345"',
        ("--project-id",),
        "ID",
        table="posthog",
    ),
    Key(
        "api_key_file",
        DATA,
        "File that holds the personal API key. Otherwise POSTHOG_PERSONAL_API_KEY is used, or the system's"
        " keyring (extra `keyring`); the key itself is never a flag or a setting.",
        parse.path,
        '"posthog.key"',
        ("--api-key-file",),
        "FILE",
        table="posthog",
        rebased=True,
    ),
    Key(
        "clickhouse_password_file",
        DATA,
        "File that holds ClickHouse's password. Otherwise CLICKHOUSE_PASSWORD is used; the password itself is"
        " never a flag or a setting.",
        parse.path,
        '"clickhouse.password"',
        table="clickhouse",
        word="password_file",
        rebased=True,
    ),
    Key(
        "jobs",
        RUNS,
        "Only this job, by id or name. May be given several times.",
        parse.lines,
        '["Default - traces"]',
        ("--job",),
        "ID|NAME",
        repeats=True,
    ),
    Key(
        "level",
        RUNS,
        "Only jobs of this level.",
        parse.choice("trace", "generation", "evaluation"),
        '"trace"',
        ("--level",),
        "LEVEL",
        choices=("trace", "generation", "evaluation"),
    ),
    Key(
        "since",
        RUNS,
        "How far back to look for runs: a date, an ISO time (UTC), or a length such as 30d or 8w.",
        parse.since,
        '"98d"',
        ("--since",),
        "TIME|LENGTH",
    ),
    Key(
        "now",
        RUNS,
        "The clock of the report: a date or ISO time (UTC). Otherwise SOURCE_DATE_EPOCH, else now.",
        parse.moment,
        '"2026-11-23T08:00:00Z"',
        ("--now",),
        "TIME",
    ),
    Key(
        "baseline",
        RUNS,
        "The prior run to compare with: `week` (about 7 days earlier), `previous` (the one just before),"
        " a run id, a date, or a name or file that `reporter ci --save-baseline` kept.",
        parse.text,
        '"week"',
        ("--baseline",),
        "WHICH",
    ),
    Key(
        "previous",
        RUNS,
        "An earlier report.json, or the folder it lies in: its cluster ids, names and findings are carried"
        " on, where no state folder lasts from one report to the next, as in a build.",
        parse.path,
        '"last/report.json"',
        ("--previous",),
        "FILE",
        rebased=True,
    ),
    Key(
        "annotate",
        RUNS,
        "What happened when, such as deploys and incidents, to mark on the trends: a .toml, .json or .csv"
        " file with times and texts.",
        parse.path,
        '"deploys.csv"',
        ("--annotate",),
        "FILE",
        rebased=True,
    ),
    Key(
        "out",
        REPORT,
        "Folder the documents are written to.",
        parse.path,
        '"report"',
        ("-o", "--out"),
        "DIR",
        rebased=True,
    ),
    Key(
        "formats",
        REPORT,
        "Documents to make, with commas between: html, pdf, json, md, junit, email, csv, codequality."
        " Otherwise html, pdf and json.",
        parse.words(*FORMATS),
        '["html", "pdf", "json"]',
        ("-f", "--format"),
        "LIST",
        repeats=True,
    ),
    Key(
        "title",
        REPORT,
        "Title of the report.",
        parse.text,
        '"What people use our AI for"',
        ("--title",),
        "TEXT",
    ),
    Key(
        "redact",
        REPORT,
        "How much text is shown: numbers only, also cluster titles, also short quotes, or all.",
        parse.choice("numbers", "titles", "quotes", "full"),
        '"titles"',
        ("--redact",),
        "HOW",
        choices=("numbers", "titles", "quotes", "full"),
    ),
    Key(
        "min_text_items",
        REPORT,
        "Items a cluster needs for its title, description and errors to be shown.",
        parse.whole,
        "0",
        ("--min-text-items",),
        "N",
    ),
    Key("tz", REPORT, "Time zone of the times shown.", parse.zone, '"UTC"', ("--tz",), "ZONE"),
    Key(
        "paper",
        REPORT,
        "Paper size of the PDF.",
        parse.choice("a4", "letter"),
        '"a4"',
        ("--paper",),
        "SIZE",
        choices=("a4", "letter"),
    ),
    Key(
        "templates",
        REPORT,
        "Folder of your own templates, searched before the built-in ones.",
        parse.path,
        '"templates"',
        ("--templates",),
        "DIR",
        rebased=True,
    ),
    Key(
        "fail_on",
        REPORT,
        "Rule a report must hold, such as 'error_rate <= 5%'. May be given several times.",
        parse_gates.rules,
        '["error_rate <= 5%"]',
        ("--fail-on",),
        "RULE",
        repeats=True,
    ),
    Key(
        "gates",
        REPORT,
        "Rules with more to say of them, as tables [[gates]]: rule; severity (fail or warn), min_n (items a"
        " figure must rest on), and until and reason of a waiver.",
        parse_gates.gates,
        '[{ rule = "total mean_cost_usd +20% surely", severity = "warn" }]',
        word="gates",
    ),
    Key(
        "policy",
        REPORT,
        "What becomes of rules that cannot be judged, such as 'not_comparable=fail': not_enough_data and"
        " not_comparable, pass or fail. May be given several times.",
        parse_gates.policy,
        '["not_comparable=fail"]',
        ("--policy",),
        "WHAT=OUTCOME",
        repeats=True,
    ),
    Key(
        "good",
        REPORT,
        "Which way of a figure is the better one, such as 'mean_tokens=neutral': up, down or neutral. Less is"
        " better of all but share, which is neutral. May be given several times.",
        parse.ways,
        '["mean_tokens=neutral"]',
        ("--good",),
        "FIGURE=WAY",
        repeats=True,
    ),
    Key(
        "mute",
        REPORT,
        "Findings somebody knows about, as tables [[mute]]: kind (errors, cost, latency, tokens, share,"
        " noise, new, gone, split, merged), cluster (a title, /pattern/ or lineage:ID) and job say which;"
        " until and reason are printed with them.",
        parse.mutes,
        '[{ cluster = "Refunds", kind = "cost", until = "2026-12-24", reason = "fix on its way" }]',
        word="mute",
    ),
    *DELIVERY_KEYS,
    Key(
        "state",
        BEHAVIOUR,
        "Folder of what is kept between runs. Otherwise the user's own state folder.",
        parse.path,
        '".reporter"',
        ("--state",),
        "DIR",
        rebased=True,
    ),
    Key("no_cache", BEHAVIOUR, "Keep nothing between runs.", parse.switch, "false", ("--no-cache",)),
    Key(
        "timeout_s",
        BEHAVIOUR,
        "Longest time the whole run may take.",
        parse.seconds,
        "300",
        ("--timeout",),
        "SECONDS",
    ),
    Key(
        "strict",
        BEHAVIOUR,
        "End with exit code 3 when anything in the data had to be warned about.",
        parse.switch,
        "false",
        ("--strict",),
    ),
    Key(
        "quiet",
        BEHAVIOUR,
        "Say nothing on standard error but errors.",
        parse.switch,
        "false",
        ("-q", "--quiet"),
    ),
    Key(
        "verbose", BEHAVIOUR, "Say every step on standard error.", parse.switch, "false", ("-v", "--verbose")
    ),
    Key(
        "log_format",
        BEHAVIOUR,
        "What lines on standard error look like.",
        parse.choice("text", "json"),
        '"text"',
        ("--log-format",),
        "FORM",
        choices=("text", "json"),
    ),
    Key(
        "as_json",
        BEHAVIOUR,
        "Answer with one JSON object on standard output.",
        parse.switch,
        "false",
        ("--json",),
    ),
    Key(
        "color",
        BEHAVIOUR,
        "Colour always or never; otherwise on terminals, unless NO_COLOR is set.",
        parse.switch,
        "true",
        ("--color/--no-color",),
    ),
)
"""Every setting, in the order shown."""

BY_FIELD = {key.field: key for key in KEYS}
BY_NAME = {key.name: key for key in KEYS}
