"""Every command and format over data that means harm: nothing runs, nothing is fetched, nobody sees a traceback."""

from __future__ import annotations

import csv
import email
import io
import json
import re
import socket
import subprocess
import sys
from datetime import timedelta
from email import policy
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import duckdb
import pypdf
import pytest
from markdown_it import MarkdownIt
from pypdf.generic import StreamObject

from tests import hostile
from tests.e2e.commands import reporter, weighed
from tests.events import NOW, Project

SEEN_BY_NOBODY = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
OURS = re.compile(
    r"https://us\.posthog\.com/[!-~]*|#[\w%.~:-]*|data:(?:font/woff2|image/png);base64,[\w+/=]*"
)
MOST_MB = 400


class Page(HTMLParser):
    """Collects what a page could do harm with."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.scripts = 0
        self.acting: list[str] = []
        self.addresses: list[str] = []
        self.tags: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note scripts, handlers, styles and addresses."""
        self.tags.add(tag)
        self.scripts += tag == "script"
        self.acting += [name for name, _ in attrs if name.startswith("on") or name == "style"]
        self.addresses += [
            value or "" for name, value in attrs if name in ("href", "src", "action", "xlink:href")
        ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("hostile")
    hostile.written(made)
    return made


def run(folder: Path, *arguments: str, data: bool = True) -> subprocess.CompletedProcess[str]:
    given = (
        ["--source", "events.jsonl", "--jobs", "jobs.json", "--now", "2026-11-23T08:00:00Z"] if data else []
    )
    done = reporter(*arguments, *given, cwd=folder)
    assert "Traceback" not in done.stdout + done.stderr
    assert done.returncode in (0, 1), done.stderr
    return done


@pytest.fixture(scope="module")
def latest(folder: Path) -> str:
    listed = json.loads(run(folder, "runs", "--json").stdout)
    return str(listed["runs"][0]["run_id"])


def assert_speaks_plainly(text: str) -> None:
    found = SEEN_BY_NOBODY.search(text)
    assert found is None, repr(text[max(0, found.start() - 40) : found.end() + 20])


def assert_no_formula(text: str) -> None:
    for row in csv.reader(io.StringIO(text)):
        for cell in row:
            assert not re.match(r"[=+@\t\r]|-(?![\d.]+(?:e-?\d+)?$)", cell), cell


@pytest.fixture(scope="module")
def documents(folder: Path) -> Path:
    run(
        folder, "report", "--format", "html,pdf,json,md,junit,email,csv", "--out", "out", "--redact", "quotes",
        "--fail-on", "error_rate <= 5%", "--fail-on", "title:/script|\\{\\{/ avg_cost +10%",
    )  # fmt: skip
    return folder / "out"


def test_the_page_holds_it_as_text(documents: Path) -> None:
    text = (documents / "report.html").read_text("utf-8")
    page = Page(text)
    assert page.scripts == text.count("<script>") == 1
    assert page.acting == []
    assert [one for one in page.addresses if not OURS.fullmatch(one)] == []
    assert not page.tags & {"iframe", "object", "embed", "form", "base", "link", "img"}
    assert "&lt;script&gt;alert(1)" in text
    assert "{{ 7*7 }}" in text
    assert_speaks_plainly(text)


def test_the_pdf_links_to_posthog_alone_and_runs_nothing(documents: Path) -> None:
    read = pypdf.PdfReader(documents / "report.pdf")
    assert not {"/JavaScript", "/OpenAction", "/AA"} & set(read.trailer["/Root"])
    addresses = [
        one.get_object()["/A"]["/URI"]
        for page in read.pages
        for one in page.get("/Annots", ())
        if "/URI" in one.get_object().get("/A", {})
    ]
    assert addresses
    assert [one for one in addresses if not OURS.fullmatch(one)] == []
    assert set(read.attachments) == {"report.json", "clusters.csv"}
    assert "alert(1)" in "".join(page.extract_text() for page in read.pages)


def test_texts_beside_them_are_as_harmless(documents: Path) -> None:
    assert_no_formula((documents / "clusters.csv").read_text("utf-8"))
    summary = (documents / "summary.md").read_text("utf-8")
    assert_speaks_plainly(summary)
    shown = Page(MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(summary))
    assert shown.acting == []
    assert not shown.tags & {"script", "img", "svg", "style"}
    assert [one for one in shown.addresses if not OURS.fullmatch(one)] == []
    ElementTree.parse(documents / "junit.xml")
    letter = email.message_from_bytes((documents / "report.eml").read_bytes(), policy=policy.default)
    assert letter["Bcc"] is None
    body = letter.get_body(("html",))
    assert body is not None
    mail = Page(body.get_content())
    assert mail.scripts == 0
    assert [one for one in mail.acting if one != "style"] == []
    assert [one for one in mail.addresses if not one.startswith("cid:") and not OURS.fullmatch(one)] == []
    assert not (documents.parent / "pwned").exists()


def test_nothing_written_tells_of_this_machine(folder: Path, documents: Path) -> None:
    names = (str(folder), str(Path.home()), str(Path(sys.prefix)), socket.gethostname())
    told = [name for name in names if len(name) > 3]
    assert len(told) >= 3
    pdf = pypdf.PdfReader(documents / "report.pdf")
    objects = [pdf.get_object(number) for number in range(1, int(pdf.trailer["/Size"]))]
    streams = [one.get_data() for one in objects if isinstance(one, StreamObject) and "/Width" not in one]
    assert len(streams) > 10
    held = [path.read_bytes() for path in documents.iterdir()] + streams
    letter = email.message_from_bytes((documents / "report.eml").read_bytes(), policy=policy.default)
    held += [part.get_payload(decode=True) or b"" for part in letter.walk() if not part.is_multipart()]
    for word in told:
        assert not any(word.encode() in bytes_ for bytes_ in held), word


def test_what_was_written_verifies_and_renders_again(folder: Path, documents: Path) -> None:
    assert run(folder, "verify", str(documents / "report.json"), data=False).returncode == 0
    for level in ("titles", "numbers"):
        run(folder, "render", str(documents / "report.json"), "--format", "html,md", "--redact", level,
            "--out", level, data=False)  # fmt: skip


CLOSER = (
    ("jobs",),
    ("jobs", "--json"),
    ("runs",),
    ("cluster", "RUN", "0"),
    ("cluster", "RUN", "3", "--by", "$ai_model", "--json"),
    ("traces", "--since", "2026-11-15T00:00Z", "--until", "2026-11-23T00:00Z", "--csv"),
    ("traces", "--where", "$ai_model=' OR 1=1 --", "--since", "2026-11-15T00:00Z"),
    ("trace", "TRACE", "--redact", "full"),
    ("trace", "TRACE", "--redact", "full", "--json"),
    ("query", "select properties.$ai_model, properties.$ai_error from events", "--redact", "full", "--unbounded"),
    ("query", "select properties.$ai_model, properties.$ai_error from events", "--redact", "full", "--unbounded",
     "--csv"),
)  # fmt: skip


@pytest.mark.parametrize("words", CLOSER, ids=" ".join)
def test_a_closer_look_says_it_without_escapes(folder: Path, latest: str, words: tuple[str, ...]) -> None:
    known = {"RUN": latest, "TRACE": f"{hostile.TEXTS[0]}#0-0-0-3"}
    done = run(folder, *(known.get(word, word) for word in words))
    assert done.returncode == 0
    assert_speaks_plainly(done.stderr)
    if "--json" in words:
        json.loads(done.stdout)
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", done.stdout)
        return
    assert_speaks_plainly(done.stdout)
    if "--csv" in words:
        assert_no_formula(done.stdout)


def test_an_incident_and_a_build_survive_it(folder: Path) -> None:
    run(folder, "incident", "--from", "2026-11-20T00:00Z", "--to", "2026-11-21T00:00Z", "--out", "incident")
    done = run(
        folder, "ci", "--format", "md,junit,codequality,json", "--out", "ci", "--fail-on", "error_rate <= 5%"
    )
    assert done.returncode == 1
    ElementTree.parse(folder / "ci" / "junit.xml")
    json.loads((folder / "ci" / "gl-code-quality-report.json").read_text("utf-8"))
    assert len((folder / "ci" / "summary.md").read_text("utf-8")) < 60_000


def test_memory_stays_small(folder: Path) -> None:
    words = (
        "report",
        "--source",
        "events.jsonl",
        "--now",
        "2026-11-23T08:00:00Z",
        "--out",
        "small",
        "--no-cache",
    )
    done, peak_mb = weighed(*words, cwd=folder, env={})
    assert done.returncode == 0
    assert 50 < peak_mb < MOST_MB


def test_texts_of_ten_megabytes_deep_nesting_and_a_billion_clusters_cost_little(tmp_path: Path) -> None:
    made = Project(3)
    for weeks in (8, 1):
        made.run(NOW - timedelta(days=weeks), [20] * 5, noise=5)
    long = "x" * 10_000_000
    run = [event for event in made.events if event["event"].endswith("_clusters")][-1]
    run["properties"]["$ai_clusters"][0]["title"] = long
    run["properties"]["$ai_clusters"][1]["description"] = "y " * 5_000_000
    calls = [event for event in made.events if event["event"] == "$ai_generation"]
    calls[0]["properties"] |= {"$ai_is_error": True, "$ai_error": long}
    calls[1]["properties"]["$ai_model"] = long
    calls[2]["properties"]["$ai_trace_id"] = long
    calls[3]["distinct_id"] = long
    claimed = json.loads(json.dumps(run)) | {"uuid": made.uuid()}
    claimed["properties"] |= {
        "$ai_clustering_run_id": "77_trace_20261123_075900", "$ai_total_items_analyzed": 10**12,
        "$ai_clusters": [{"cluster_id": c, "size": 10**9, "title": "t", "traces": {}} for c in range(20_000)],
    }  # fmt: skip
    made.events.append(claimed)
    deep = {**calls[4], "uuid": made.uuid(), "properties": "DEEP"}
    made.events.append(deep)
    events = made.write(tmp_path / "events.jsonl")
    nested = '{"a":' * 400 + "1" + "}" * 400
    events.write_text(events.read_text("utf-8").replace('"DEEP"', nested), "utf-8")
    words = ("--source", "events.jsonl", "--now", "2026-11-23T08:00:00Z")
    for command in (("report", "--format", "html,pdf,json,md", "--no-cache"), ("runs",), ("traces", "--csv")):
        done, peak_mb = weighed(*command, *words, cwd=tmp_path, env={})
        assert done.returncode == 0, done.stderr
        assert peak_mb < MOST_MB, command
        assert len(done.stdout) < 100_000
        assert_speaks_plainly(done.stdout + done.stderr)
    report = json.loads((tmp_path / "report" / "report.json").read_text("utf-8"))
    assert [len(cluster["title"]) < 3_000 for cluster in report["jobs"][0]["clusters"]] == [True] * 5
    assert (tmp_path / "report" / "report.html").stat().st_size < 1_000_000


@pytest.mark.parametrize(
    ("form", "many"), [("lines", 30), ("lines with half a character", 30), ("parquet", 20)]
)
def test_many_texts_of_ten_megabytes_in_a_row_take_little_more_room_than_one(
    tmp_path: Path, form: str, many: int
) -> None:
    made = Project(3)
    for weeks in (8, 1):
        made.run(NOW - timedelta(days=weeks), [20] * 5, noise=5)
    calls = [event for event in made.events if event["event"] == "$ai_generation"]
    if "half" in form:
        calls[-1]["properties"]["$ai_output"] = "\ud800"
    made.write(tmp_path / "short.jsonl")
    made.events.sort(key=calls.__contains__)
    for number, call in enumerate(calls[:many]):
        call["properties"]["$ai_input"] = f"{number} " * 3_300_000
    source = tmp_path / "long.jsonl"
    source.write_text("".join(json.dumps(event) + "\n" for event in made.events), "utf-8")
    if form == "parquet":
        # A writer that gives each event a vector of its own would test nothing.
        columns = dict.fromkeys(("uuid", "event", "distinct_id", "timestamp", "properties"), "VARCHAR")
        source = tmp_path / "long.parquet"
        with duckdb.connect() as connection:
            lines = connection.read_json(
                str(tmp_path / "long.jsonl"), columns=columns, maximum_object_size=2**25
            )
            lines.write_parquet(str(source), compression="uncompressed")
    clusters = []
    for name in ("short.jsonl", source.name):
        words = ("report", "--format", "json", "--no-cache", "--now", "2026-11-23T08:00:00Z")
        done, peak_mb = weighed(*words, "--source", name, "--out", name[:5], cwd=tmp_path, env={})
        assert done.returncode == 0, done.stderr
        assert peak_mb < MOST_MB
        report = json.loads((tmp_path / name[:5] / "report.json").read_text("utf-8"))
        clusters.append(report["jobs"][0]["clusters"])
    assert clusters[0] == clusters[1]
    assert sum(cluster["size"] for cluster in clusters[0]) == 100
    sql = """SELECT count(*) AS n, max(length(properties->>'$."$ai_input"')) AS longest FROM events"""
    words = ("query", "--unbounded", sql, "--source", source.name, "--json")
    done, peak_mb = weighed(*words, "--now", "2026-11-23T08:00:00Z", cwd=tmp_path, env={})
    assert done.returncode == 0, done.stderr
    assert peak_mb < MOST_MB
    assert json.loads(done.stdout)["rows"][0][1] >= 6_600_000
