"""The least a document costs: the same charts drawn, the same page laid out, and no other work.

``floor.py REPORT.json html`` draws the charts of the page; ``html,pdf`` also those of paper, and lays out the PDF
from markup that was made before; ``floor.py EVENTS.parquet extract`` reads the figures of every AI event.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path


def extract(path: str) -> None:
    """Read and extract what reporter reads of each event, and keep nothing."""
    import duckdb

    from reporter.sources.queries.for_duckdb import DUCKDB_GIVEN

    engine = duckdb.connect(config={"threads": min(4, os.cpu_count() or 1)})
    columns = ", ".join(f"count(given[{number}])" for number in range(1, 20))
    engine.execute(
        f"SELECT {columns} FROM (SELECT {DUCKDB_GIVEN} AS given FROM read_parquet('{path}') "
        "WHERE starts_with(event, '$ai_'))"
    ).fetchall()


def drawn(path: Path, formats: str) -> None:
    """Draw, and lay out the markup kept beside the report, which is made where it is not."""
    from reporter import charts
    from reporter.render.pdf import room
    from reporter.report import from_json

    report = from_json(path.read_bytes())
    charts.draw(report, page=True, paper=False)
    if "pdf" not in formats:
        return
    paper = charts.draw(report, page=False, paper=True, room=room(len(report.jobs)))
    kept = path.with_suffix(f".{report.content_sha256[:12]}.html")
    if not kept.exists():
        from reporter.render import pdf, templates

        kept.write_text(pdf.markup(report, paper, charts.page_assets(), env=templates.environment()), "utf-8")
    import weasyprint

    weasyprint.HTML(string=kept.read_text("utf-8")).write_pdf(pdf_variant="pdf/ua-1")


if __name__ == "__main__":
    if sys.argv[2] == "extract":
        extract(sys.argv[1])
    else:
        drawn(Path(sys.argv[1]), sys.argv[2])
