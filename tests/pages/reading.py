"""A PDF read back with poppler: its words with their boxes, page by page."""

from __future__ import annotations

import html
import re
import subprocess
from dataclasses import dataclass

_PAGE = re.compile(r'<page width="([\d.]+)" height="([\d.]+)">(.*?)</page>', re.DOTALL)
_LINE = re.compile(r"<line [^>]*>(.*?)</line>", re.DOTALL)
_WORD = re.compile(r'<word xMin="([-\d.]+)" yMin="([-\d.]+)" xMax="([-\d.]+)" yMax="([-\d.]+)">(.*?)</word>')


@dataclass(frozen=True)
class Word:
    """One word and its box in points, from the top left."""

    left: float
    top: float
    right: float
    bottom: float
    text: str


@dataclass(frozen=True)
class PdfPage:
    """One page."""

    width: float
    height: float
    lines: tuple[tuple[Word, ...], ...]

    @property
    def words(self) -> list[Word]:
        """Every word, in the order it stands in the file."""
        return [word for line in self.lines for word in line]

    @property
    def body(self) -> list[tuple[Word, ...]]:
        """Lines between running header and footer, from top to bottom."""
        inside = [line for line in self.lines if line[0].top > 40 and line[0].bottom < self.height - 40]
        return sorted(inside, key=lambda line: line[0].bottom)


def pages(data: bytes) -> list[PdfPage]:
    """Read the pages of a PDF."""
    done = subprocess.run(
        ["pdftotext", "-bbox-layout", "-", "-"], input=data, capture_output=True, check=True
    )
    made = []
    for width, height, body in _PAGE.findall(done.stdout.decode()):
        lines = [
            tuple(
                Word(float(a), float(b), float(c), float(d), html.unescape(text))
                for a, b, c, d, text in _WORD.findall(line)
            )
            for line in _LINE.findall(body)
        ]
        made.append(PdfPage(float(width), float(height), tuple(line for line in lines if line)))
    return made


def touching(page: PdfPage) -> list[tuple[str, str]]:
    """Find words that lie on each other."""
    found = []
    words = sorted(page.words, key=lambda w: w.top)
    for i, a in enumerate(words):
        for b in words[i + 1 :]:
            if b.top > a.bottom:
                break
            wide = min(a.right, b.right) - max(a.left, b.left)
            high = min(a.bottom, b.bottom) - max(a.top, b.top)
            if wide > 1.2 and high > 0.55 * min(a.bottom - a.top, b.bottom - b.top):
                found.append((a.text, b.text))
    return found
