"""Documents of made-up reports, each made once however many tests and workers read it.

A PDF takes seconds; tests that ask whether two makings agree make their own.
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import msgspec
from filelock import FileLock

from reporter.press import Document, Order, document
from reporter.render.pdf import Paper
from reporter.report import Report, to_json


@dataclass(frozen=True)
class Made:
    """A document, and what the engine complained of while it was set."""

    data: bytes
    complaints: tuple[str, ...]


def screen(value: Report) -> str:
    """Give the page of a report."""

    return _once("html", value, Order()).data.decode()


def paper(value: Report, kind: Paper = "a4") -> Made:
    """Give the PDF of a report, with report.json inside."""

    return _once("pdf", value, Order(paper=kind))


class _Heard(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


def _once(kind: Document, value: Report, order: Order) -> Made:
    folder, told = Path(os.environ["DOCUMENTS_OF_TESTS"]), to_json(value)
    place = folder / sha256(f"{kind} {order.paper} ".encode() + told).hexdigest()
    with FileLock(f"{place}.lock"):
        if not place.exists():
            heard, log = _Heard(), logging.getLogger("weasyprint")
            log.addHandler(heard)
            try:
                data = document(kind, told, order).data
            finally:
                log.removeHandler(heard)
            place.write_bytes(msgspec.msgpack.encode((data, heard.lines)))
        data, lines = msgspec.msgpack.decode(place.read_bytes(), type=tuple[bytes, list[str]])
    return Made(data, tuple(lines))
