"""Writing documents: whole or not at all, report.json last, nothing outside the folder."""

import hashlib
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporter.artifact import Artifact
from reporter.deliver import files
from reporter.errors import DeliveryError


def made(name, data=b"x"):
    return Artifact(name=name, media_type="text/plain", data=data)


def test_every_document_is_written_and_receipted(tmp_path):
    out = tmp_path / "a" / "b"
    receipts = files.write(out, [made("report.html", b"<p>"), made("report.json", b"{}")])
    assert (out / "report.html").read_bytes() == b"<p>"
    assert [(r.name, r.path, r.size_bytes) for r in receipts] == [
        ("report.html", str(out / "report.html"), 3),
        ("report.json", str(out / "report.json"), 2),
    ]
    assert receipts[0].sha256 == hashlib.sha256(b"<p>").hexdigest()
    assert sorted(p.name for p in out.iterdir()) == ["report.html", "report.json"]


def test_writing_again_replaces(tmp_path):
    files.write(tmp_path, [made("a.txt", b"old")])
    files.write(tmp_path, [made("a.txt", b"new")])
    assert (tmp_path / "a.txt").read_bytes() == b"new"


def test_no_documents_make_only_the_folder(tmp_path):
    assert files.write(tmp_path / "new", []) == ()
    assert list((tmp_path / "new").iterdir()) == []


_WATCHED = """
import sys
from pathlib import Path
from reporter.artifact import Artifact
from reporter.deliver import files
seen = []
sys.addaudithook(lambda event, args: seen.append(Path(args[1]).name) if event == "os.rename" else None)
files.write(Path(sys.argv[1]), [Artifact(name, "", b"x") for name in sys.argv[2:]])
print(*seen)
"""


@pytest.mark.parametrize("order", [("report.json", "a.txt", "b.txt"), ("a.txt", "report.json", "b.txt")])
def test_report_json_is_renamed_last(tmp_path, order):
    done = subprocess.run(
        [sys.executable, "-c", _WATCHED, str(tmp_path), *order],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.split() == ["a.txt", "b.txt", "report.json"]


def test_receipts_keep_the_order_given(tmp_path):
    receipts = files.write(tmp_path, [made("report.json"), made("a.txt")])
    assert [r.name for r in receipts] == ["report.json", "a.txt"]


def test_umask_decides_who_may_read(tmp_path):
    before = os.umask(0o027)
    try:
        files.write(tmp_path, [made("a.txt")])
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == 0o640


@pytest.mark.parametrize(
    "name", ["../a", "a/b", "/etc/a", "..", ".", "", ".hidden", "a\0b", "a\nb", "a\\b", "C:a", "ü"]
)
def test_names_that_are_not_plain_are_refused_before_anything_is_written(tmp_path, name):
    with pytest.raises(DeliveryError, match="plain file name"):
        files.write(tmp_path / "out", [made("good.txt"), made(name)])
    assert list(tmp_path.iterdir()) == []


@given(st.text(max_size=40))
def test_any_name_taken_stays_inside_the_folder(tmp_path_factory, name):
    folder = tmp_path_factory.getbasetemp() / "any-name"
    try:
        (receipt,) = files.write(folder / "in", [made(name)])
    except DeliveryError:
        return
    assert (folder / "in" / name).read_bytes() == b"x"
    assert os.path.dirname(receipt.path) == str(folder / "in")  # noqa: PTH120 (the text is the claim)


def test_same_name_twice_is_refused_whatever_its_case(tmp_path):
    with pytest.raises(DeliveryError, match="same name"):
        files.write(tmp_path, [made("a.txt"), made("A.txt")])


def test_link_in_the_way_is_replaced_not_followed(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("keep me")
    out = tmp_path / "out"
    out.mkdir()
    (out / "a.txt").symlink_to(victim)
    files.write(out, [made("a.txt", b"mine")])
    assert victim.read_text() == "keep me"
    assert (out / "a.txt").read_bytes() == b"mine"
    assert not (out / "a.txt").is_symlink()


def test_folder_in_the_way_leaves_the_others_as_they_were(tmp_path):
    files.write(tmp_path, [made("a.txt", b"old")])
    (tmp_path / "b.txt").mkdir()
    with pytest.raises(DeliveryError, match="folder where this file belongs"):
        files.write(tmp_path, [made("a.txt", b"new"), made("b.txt")])
    assert (tmp_path / "a.txt").read_bytes() == b"old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.txt", "b.txt"]


def test_file_in_place_of_the_folder_is_told(tmp_path):
    (tmp_path / "out").write_text("")
    for out in (tmp_path / "out", tmp_path / "out" / "deeper"):
        with pytest.raises(DeliveryError, match="cannot be written") as caught:
            files.write(out, [made("a.txt")])
        assert "--out" in caught.value.hint


def test_impossible_path_is_told(tmp_path):
    for name in ("a\0b", "x" * 300):
        with pytest.raises(DeliveryError, match="cannot be written"):
            files.write(tmp_path / name, [made("a.txt")])


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc")
def test_unwritable_file_system_is_told():
    with pytest.raises(DeliveryError, match="cannot be written"):
        files.write(Path("/proc/self/reporter-out"), [made("a.txt")])


_FULL = """
import resource, signal, sys
from pathlib import Path
from reporter.artifact import Artifact
from reporter.deliver import files
from reporter.errors import DeliveryError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    files.write(Path(sys.argv[1]), [Artifact("a.txt", "", b"new"), Artifact("big.txt", "", b"x" * 5000)])
except DeliveryError as error:
    print(error)
"""


def test_file_that_does_not_fit_leaves_the_folder_as_it_was(tmp_path):
    """A limit on file size stands for a full disk: the write itself fails, after another was staged."""
    files.write(tmp_path, [made("a.txt", b"old")])
    done = subprocess.run(
        [sys.executable, "-c", _FULL, str(tmp_path)], capture_output=True, text=True, check=True, timeout=60
    )
    assert "cannot be written: File too large" in done.stdout
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]
    assert (tmp_path / "a.txt").read_bytes() == b"old"
