"""The sample reports in the repository are those that today's code makes of the bundled events."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pypdf import PdfReader

SAMPLES = Path(__file__).parents[2] / "sample_reports"
NAMES = ("ci-failing", "ci-passing", "incident", "quiet", "weekly")
ON_PAPER = ("incident", "quiet", "weekly")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("samples")
    subprocess.run([sys.executable, str(SAMPLES / "make.py"), str(folder)], check=True, timeout=300)
    return folder


def tags(node: object) -> Iterator[tuple[str, str]]:
    """Walk the tags of a PDF in reading order: role and alternative text."""
    if isinstance(node, list):
        for child in node:
            yield from tags(child)
    elif hasattr(node, "get_object"):
        found = node.get_object()
        if isinstance(found, list):
            yield from tags(found)
        elif isinstance(found, dict):
            if "/S" in found:
                yield str(found["/S"]), str(found.get("/Alt", ""))
            yield from tags(found.get("/K", []))


def read(path: Path) -> tuple[list[str], list[tuple[str, str]]]:
    """Give the text of every page, and the tags."""
    pdf = PdfReader(io.BytesIO(path.read_bytes()))
    texts = [page.extract_text() for page in pdf.pages]
    return texts, list(tags(pdf.trailer["/Root"]["/StructTreeRoot"]))


@pytest.mark.parametrize("name", NAMES)
def test_sample_is_what_todays_code_makes(made: Path, name: str) -> None:
    kept, fresh = SAMPLES / name, made / name
    files = sorted(path.name for path in fresh.iterdir())
    assert files == sorted(path.name for path in kept.iterdir())
    assert set(files) > {"report.html", "report.json", "report.pdf" if name in ON_PAPER else "junit.xml"}
    # Fonts of the system may differ between machines, so of a PDF text and tags are compared, and no byte.
    stale = [f for f in files if f != "report.pdf" and (fresh / f).read_bytes() != (kept / f).read_bytes()]
    if stale == ["report.json"]:
        # It holds the hash of the PDF beside it.
        without = [
            "".join(line for line in text.splitlines(keepends=True) if '"sha256"' not in line)
            for text in ((folder / "report.json").read_text(encoding="utf-8") for folder in (kept, fresh))
        ]
        stale = [] if without[0] == without[1] else stale
    assert not stale, f"{', '.join(stale)} of sample_reports/{name} differ: look at them, then `make samples`"
    if name not in ON_PAPER:
        return
    texts, roles = read(fresh / "report.pdf")
    assert len(roles) > 100
    assert (texts, roles) == read(kept / "report.pdf"), f"the PDF of sample_reports/{name} reads otherwise"


def test_samples_show_what_their_names_say() -> None:
    first = {name: (SAMPLES / name / "summary.md").read_text(encoding="utf-8") for name in NAMES}
    assert "Nothing needs you this week" in first["quiet"]
    assert "Nothing needs you this week" not in first["weekly"]
    assert "clusters failed more than usual" in first["incident"]
    assert "rules are broken" in first["ci-failing"]
    assert "No rule of 4 is broken" in first["ci-passing"]
