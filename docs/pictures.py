"""Take the pictures of the README from the sample reports: `make pictures` (Chromium and poppler needed)."""

from __future__ import annotations

import base64
import io
import subprocess
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import sync_playwright

from reporter import charts
from reporter.render import mail, templates
from reporter.report import from_json

ROOT = Path(__file__).resolve().parents[1]
IMAGES = Path(__file__).with_name("images")
SCREENS: tuple[tuple[str, str, int, int, Literal["light", "dark"]], ...] = (
    ("weekly", "weekly", 1180, 1180, "light"),
    ("phone", "weekly", 390, 844, "light"),
    ("phone-dark", "weekly", 390, 844, "dark"),
    ("quiet", "quiet", 390, 844, "light"),
)
"""Picture, sample, width and height in CSS pixels, theme."""
PAGES = (("paper-1", 1), ("paper-2", 2))
"""Picture and page of the weekly PDF."""


def keep(name: str, data: bytes) -> None:
    """Write a picture with as few colours as it needs: 256, without dithering."""
    image = Image.open(io.BytesIO(data)).convert("RGB")
    small = image.quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    small.save(IMAGES / f"{name}.png", optimize=True)


def posted(sample: str) -> str:
    """The mail about a sample, its pictures inside, as a mail program shows it."""
    told = from_json((ROOT / "sample_reports" / sample / "report.json").read_bytes())
    letter = mail.letter(
        [told], [charts.pictures(told, 2)], charts.page_assets(), env=templates.environment()
    )
    html = letter.html
    for cid, picture in letter.pictures:
        html = html.replace(f"cid:{cid}", "data:image/png;base64," + base64.b64encode(picture.png).decode())
    return html


def main() -> None:
    """Take every picture again."""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for name, sample, width, height, theme in SCREENS:
            page = browser.new_page(
                viewport={"width": width, "height": height}, color_scheme=theme, device_scale_factor=1.5
            )
            page.goto((ROOT / "sample_reports" / sample / "report.html").as_uri())
            keep(name, page.screenshot())
            page.close()
        page = browser.new_page(viewport={"width": 390, "height": 844}, device_scale_factor=1.5)
        page.set_content(posted("weekly"))
        keep("mail", page.screenshot())
        browser.close()
    pdf = ROOT / "sample_reports" / "weekly" / "report.pdf"
    for name, number in PAGES:
        command = ("pdftoppm", "-r", "90", "-f", str(number), "-l", str(number), "-png", str(pdf))
        keep(name, subprocess.run(command, check=True, capture_output=True).stdout)  # noqa: S603


if __name__ == "__main__":
    main()
