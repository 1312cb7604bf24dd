from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporter.state import StateFolder
from reporter.state.documents import Documents


def documents(root: Path) -> Documents:
    return Documents(StateFolder(root, warn=pytest.fail))


def files(root: Path) -> list[Path]:
    return sorted((root / "documents").iterdir())


def test_a_document_comes_back_under_its_own_key_alone(tmp_path: Path) -> None:
    kept = documents(tmp_path)
    kept.put("one", b"<html>")
    assert kept.get("one") == b"<html>"
    assert kept.get("two") is None
    assert documents(tmp_path / "elsewhere").get("one") is None


def test_it_is_for_its_owner_alone_and_named_by_a_hash(tmp_path: Path) -> None:
    documents(tmp_path).put("html of a secret project", b"x")
    (path,) = files(tmp_path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert "secret" not in path.name


@given(st.binary(max_size=200), st.integers(0, 231), st.integers(1, 255))
def test_a_damaged_copy_is_no_copy(data: bytes, place: int, change: int) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        kept = documents(Path(folder))
        kept.put("key", data)
        (path,) = files(Path(folder))
        held = bytearray(path.read_bytes())
        held[place % len(held)] ^= change
        path.write_bytes(held)
        assert kept.get("key") is None


def test_the_ones_unused_for_longest_go(tmp_path: Path) -> None:
    kept = documents(tmp_path)
    for number in range(12):
        kept.put(str(number), b"x" * number)
    for age, path in enumerate(files(tmp_path)):
        os.utime(path, (1_000 + age, 1_000 + age))
    first = next(number for number in range(12) if kept._path(str(number)) == files(tmp_path)[0])
    assert kept.get(str(first)) is not None  # used now
    kept.put("new", b"new")
    assert len(files(tmp_path)) == 12
    assert kept.get(str(first)) is not None
    assert kept.get("new") == b"new"


def test_what_cannot_be_kept_costs_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    kept = documents(tmp_path / "file")
    kept.put("key", b"x")
    assert kept.get("key") is None
    kept = documents(tmp_path)
    kept.put("large", b"x" * (16 * 2**20 + 1))
    assert kept.get("large") is None


@pytest.mark.skipif(os.name != "posix", reason="a matter of modes")
def test_links_and_folders_of_others_are_not_read(tmp_path: Path) -> None:
    kept = documents(tmp_path)
    kept.put("key", b"x")
    (path,) = files(tmp_path)
    whole = path.read_bytes()
    path.unlink()
    (tmp_path / "planted").write_bytes(whole)
    path.symlink_to(tmp_path / "planted")
    assert kept.get("key") is None
    path.unlink()
    path.write_bytes(whole)
    assert kept.get("key") == b"x"
    (tmp_path / "documents").chmod(0o777)
    assert kept.get("key") is None
