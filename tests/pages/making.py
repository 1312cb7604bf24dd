"""Documents of made-up reports, each made once however many tests and workers read it.

A PDF takes seconds; tests that ask whether two makings agree make their own.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

import msgspec

from reporter.press import Document, Order, document
from reporter.render.pdf import Paper
from reporter.report import Report, to_json
from tests.once import once


@dataclass(frozen=True)
class Made:
    """A document, and what the engine complained of while it was set."""

    data: bytes
    complaints: tuple[str, ...]


def screen(value: Report) -> str:
    """Give the page of a report."""

    return _made("html", value, Order()).data.decode()


def paper(value: Report, kind: Paper = "a4") -> Made:
    """Give the PDF of a report, with report.json inside."""

    return _made("pdf", value, Order(paper=kind))


class _Heard(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


def _made(kind: Document, value: Report, order: Order) -> Made:
    told = to_json(value)

    def make() -> bytes:
        heard, log = _Heard(), logging.getLogger("weasyprint")
        log.addHandler(heard)
        try:
            data = document(kind, told, order).data
        finally:
            log.removeHandler(heard)
        return msgspec.msgpack.encode((data, heard.lines))

    kept = once(f"{kind} {order.paper} ".encode() + told, make)
    data, lines = msgspec.msgpack.decode(kept, type=tuple[bytes, list[str]])
    return Made(data, tuple(lines))
