"""What a user waits for, as ratios taken in one run: ``make bench``, or parts: ``python benchmarks/run.py start peers``.

Seconds differ between machines and hours; ratios hardly do. Nothing here fails: it prints. Peers are measured where
the environment names them: MULTIQC, NBCONVERT and CHROMIUM (programs), EVIDENTLY (a Python that has it).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from measuring import REPORTER, Cost, cost

NOW = "2026-11-23T08:00:00Z"
HERE = Path(__file__).resolve().parent
PARTS = ("start", "documents", "peers", "curves")


def show(rows: list[tuple[str, Cost, int | None]], to: str) -> None:
    """Print costs, each beside one of them."""
    base = next(taken.seconds for name, taken, _ in rows if name == to)
    print(f"\n{'':44}{'s':>8}{'x ' + to[:16]:>18}{'largest':>9}{'all':>7} MB{'kB':>8}")
    for name, taken, size in rows:
        kilobytes = "" if size is None else f"{size / 1000:8.0f}"
        print(
            f"{name:44}{taken.seconds:8.3f}{taken.seconds / base:18.2f}{taken.largest_mb:9.0f}{taken.all_mb:7.0f}   {kilobytes:>8}"
        )


def start(folder: Path) -> None:
    """Measure what nobody should have to wait for."""
    cases = {
        "import click": (sys.executable, "-c", "import click"),
        "python -c pass": (sys.executable, "-c", "pass"),
        "reporter --help": (*REPORTER, "--help"),
        "reporter --version": (*REPORTER, "--version"),
        "reporter report --help": (*REPORTER, "report", "--help"),
    }
    show([(name, cost(command, folder, 9), None) for name, command in cases.items()], "import click")


def made(folder: Path, name: str, *words: str) -> Path:
    """Make a report.json of bundled events."""
    subprocess.run([*REPORTER, "demo", "--now", NOW, "--format", "json", "--out", name, "--quiet", *words],
                   cwd=folder, check=True, capture_output=True)  # fmt: skip
    return folder / name / "report.json"


def documents(folder: Path) -> None:
    """Hold making documents against drawing the same charts and laying out the same page, and nothing else."""
    rows: list[tuple[str, Cost, int | None]] = []
    for name, words in (("3 jobs, 17 charts", ("--level", "trace")), ("6 jobs, 40 charts", ())):
        report = made(folder, "made", *words)
        for formats in ("html", "html,pdf"):
            floor = cost((sys.executable, str(HERE / "floor.py"), str(report), formats), folder)
            rows.append((f"{name}: floor, {formats}", floor, None))
            ours = cost((*REPORTER, "render", str(report), "--format", formats, "--out", "out"), folder)
            rows.append((f"{name}: reporter render, {formats}", ours, size(folder / "out", formats)))
        whole = cost((*REPORTER, "demo", "--now", NOW, "--out", "whole", *words), folder)
        rows.append((f"{name}: events to html, pdf, json", whole, None))
    show(rows, "3 jobs, 17 charts: floor, html")


def size(folder: Path, formats: str) -> int:
    """Add up the bytes of documents."""
    return sum((folder / f"report.{name}").stat().st_size for name in formats.split(","))


def peers(folder: Path) -> None:
    """Hold a report of about 15 charts against what others make of as many."""
    subprocess.run([sys.executable, str(HERE / "peers.py"), str(folder)], check=True)
    environ = os.environ.get
    report = made(folder, "ours", "--level", "trace")
    rows: list[tuple[str, Cost, int | None]] = []
    if program := environ("MULTIQC"):
        command = (program, "-f", "-q", "--no-version-check", "-o", "mqo", "mq")
        rows.append(("MultiQC, html, 15 plots", cost(command, folder), None))
        rows[-1] = (*rows[-1][:2], (folder / "mqo" / "multiqc_report.html").stat().st_size)
    for formats in ("html", "html,pdf"):
        command = (*REPORTER, "render", str(report), "--format", formats, "--out", "out")
        rows.append(
            (f"reporter render, {formats}, 17 charts", cost(command, folder), size(folder / "out", formats))
        )
    if program := environ("EVIDENTLY"):
        taken = cost((program, "evidently_peer.py", "ev.html"), folder)
        rows.append(("Evidently DataDrift, html, 15 columns", taken, (folder / "ev.html").stat().st_size))
    if program := environ("NBCONVERT"):
        taken = cost((program, "--execute", "--to", "html", "charts.ipynb", "--output", "nb.html"), folder)
        rows.append(("nbconvert, html, 15 charts", taken, (folder / "nb.html").stat().st_size))
    if program := environ("CHROMIUM") or shutil.which("chromium"):
        command = (program, "--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer",
                   "--print-to-pdf=ch.pdf", (folder / "out" / "report.html").as_uri())  # fmt: skip
        taken = cost(command, folder)
        rows.append(("Chromium, pdf of our html", taken, (folder / "ch.pdf").stat().st_size))
    show(rows, rows[0][0])


def curves(folder: Path) -> None:
    """Show how time and memory grow with events, runs, jobs, clusters and items."""
    rows: list[tuple[str, Cost, int | None]] = []
    for events, jobs, runs, clusters, items in (
        (100_000, 1, 2, 15, 300),
        (100_000, 1, 13, 15, 300), (100_000, 10, 2, 15, 300),
        (100_000, 1, 2, 50, 300), (100_000, 1, 2, 15, 1_500),
        (1_000_000, 1, 2, 15, 300), (1_000_000, 10, 13, 15, 1_500),
    ):  # fmt: skip
        numbers = [str(number) for number in (events, jobs, runs, clusters, items)]
        subprocess.run(
            [sys.executable, str(HERE / "events.py"), str(folder / "events.parquet"), *numbers], check=True
        )
        name = f"{events:,} events, {jobs} x {runs} runs, {clusters} x {items:,}"
        for formats in ("json", "html,pdf,json"):
            command = (*REPORTER, "report", "--source", "events.parquet", "--now", NOW, "--no-cache",
                       "--format", formats, "--out", "grown")  # fmt: skip
            rows.append((f"{name}: {formats}", cost(command, folder, 2), None))
        bare = cost(
            (sys.executable, str(HERE / "floor.py"), str(folder / "events.parquet"), "extract"), folder, 2
        )
        rows.append((f"{name}: DuckDB extracts", bare, None))
    show(rows, rows[0][0])


def main() -> None:
    """Run the parts named, or all."""
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores;", end=" ")
    print(", ".join(f"{name} {version(name)}" for name in ("matplotlib", "weasyprint", "duckdb", "numpy")))
    for part in sys.argv[1:] or PARTS:
        with tempfile.TemporaryDirectory() as folder:
            globals()[part](Path(folder))


if __name__ == "__main__":
    main()
