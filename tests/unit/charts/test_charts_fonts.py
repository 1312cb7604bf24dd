"""The page's font is a small subset under its own name."""

# ruff: noqa: RUF001 (typographic signs are what is tested)
from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import matplotlib
import pytest
from fontTools.ttLib import TTFont

from reporter.charts import fonts, page_assets, style, typeface


@pytest.mark.parametrize("weight", [400, 600])
def test_face_is_woff2_that_covers_latin_punctuation_and_arrows(weight: int) -> None:
    data = typeface.face(weight)
    assert data[:4] == b"wOF2"
    covered = TTFont(io.BytesIO(data)).getBestCmap()
    for ch in "AZaz09 $%.,–—“”‘’…·×−→▲▼≥≤éüßñøłŐ€":
        assert ord(ch) in covered, ch


@pytest.mark.parametrize("weight", [400, 600])
def test_face_does_not_bear_the_reserved_name(weight: int) -> None:
    names = TTFont(io.BytesIO(typeface.face(weight)))["name"].names
    by_id = {n.nameID: str(n) for n in names}
    assert by_id[1] == style.FONT_FAMILY
    assert not any("source" in by_id[i].lower() for i in (1, 4, 6))
    assert "Open Font License" in by_id[13]


def test_faces_are_small() -> None:
    assert max(len(typeface.face(weight)) for weight in (400, 600)) < 40_000


def test_faces_are_the_same_bytes_in_another_process() -> None:
    code = (
        "import hashlib; from reporter.charts import typeface;"
        "print(hashlib.sha256(typeface.face(400) + typeface.face(600)).hexdigest())"
    )
    found = {
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    }
    assert len(found) == 1


def test_page_assets_hold_what_the_page_embeds() -> None:
    assets = page_assets()
    assert set(assets.fonts) == {400, 600}
    assert assets.light["paper"] == "#ffffff"
    assert assets.dark["paper"] == "#17191c"
    assert assets.swatch("abc") == style.lineage_token("abc")
    assert assets.css == style.css_class_rules()


def test_letters_that_nothing_here_can_draw_are_known() -> None:
    assert fonts.lacking("A\U000f0000é–▲") == "\U000f0000"


def test_font_installed_now_is_noticed_and_a_broken_one_is_passed_over(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken, other = tmp_path / "a-broken.ttf", Path(matplotlib.get_data_path()) / "fonts/ttf/DejaVuSans.ttf"
    broken.write_bytes(b"no font")
    found: list[str] = [str(broken)]
    monkeypatch.setattr(fonts.font_manager, "findSystemFonts", lambda: found)
    assert fonts.lacking("\u0639") == "\u0639"
    found.append(str(other))
    assert not fonts.lacking("\u0639")
