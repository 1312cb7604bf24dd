"""Kept answers: exact, private, bounded; whatever happens to the files, nothing is raised and nothing wrong is read."""

import errno
import gzip
import json
import math
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporter.model import ItemMetrics, Run
from reporter.state import folder as folders
from reporter.state import shelf
from reporter.state.entries import SCHEMA, Entries, Kind
from tests import strategies

READ_AT = datetime(2026, 3, 9, 1, 2, 3, 4, tzinfo=UTC)
NUMBERS = Kind("numbers", "1", tuple[float, ...])
RUN = Kind("run", "1", Run)
ITEM = Kind("item", "1", ItemMetrics)


@pytest.fixture
def told():
    return []


@pytest.fixture
def entries(tmp_path, told):
    return opened(tmp_path / "state", told)


def opened(root, told, **more):
    return Entries(root, **{"host": "https://h.example", "project": "7", "warn": told.append, **more})


def only(entries):
    (path,) = entries.folder.iterdir()
    return path


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def rewrite(path, change):
    """Change what an entry holds, and pack it properly again."""
    inside = json.loads(gzip.decompress(path.read_bytes()))
    change(inside)
    path.write_bytes(gzip.compress(json.dumps(inside).encode()))


def test_entry_comes_back_with_its_moment(entries, told):
    assert entries.read(NUMBERS, "a") is None
    assert not entries.folder.exists()
    entries.write(NUMBERS, "a", (1.5, -0.0, 5e-324, 1e308, 0.1), READ_AT)
    kept = entries.read(NUMBERS, "a")
    assert repr(kept.value) == "(1.5, -0.0, 5e-324, 1e+308, 0.1)"
    assert repr(kept.read_at) == repr(READ_AT)
    assert entries.read(NUMBERS, "b") is None
    assert entries.read(Kind("others", "1", tuple[float, ...]), "a") is None
    assert told == []


@given(strategies.runs())
def test_any_run_comes_back_as_it_was(run):
    with tempfile.TemporaryDirectory() as root:
        entries = opened(Path(root), [])
        entries.write(RUN, "a", run, READ_AT)
        kept = entries.read(RUN, "a").value
        assert kept == run
        assert msgspec.json.encode(kept) == msgspec.json.encode(run)


MOMENTS = st.datetimes(timezones=st.just(UTC)).map(lambda moment: moment.replace(fold=0))


@given(st.floats(), st.none() | MOMENTS, st.text(st.characters(codec="utf-8")))
def test_a_value_comes_back_exactly_or_not_at_all(number, moment, text):
    item = ItemMetrics(
        key=text, cost_usd=number, latency_s=None, tokens_in=None, tokens_out=None, tokens_cached=None,
        error_events=0, calls=0, first_at=moment, last_at=None, has_data=False,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as root:
        entries = opened(Path(root), [])
        entries.write(ITEM, "a", item, READ_AT)
        kept = entries.read(ITEM, "a")
        if math.isfinite(number):
            assert repr(kept.value) == repr(item)
        else:
            assert kept is None


@pytest.mark.parametrize("value", [{"a": (1,)}, {"a": "\ud800"}, {"a": object()}, {"a": math.inf}, {1: 2}])
def test_a_value_json_cannot_hold_is_not_kept(entries, told, value):
    kind = Kind("things", "1", dict)
    entries.write(kind, "a", value, READ_AT)
    assert entries.read(kind, "a") is None
    assert told == []


def test_writing_again_replaces(entries):
    entries.write(NUMBERS, "a", (1.0,), READ_AT)
    entries.write(NUMBERS, "a", (2.0,), READ_AT)
    assert entries.read(NUMBERS, "a").value == (2.0,)
    only(entries)


def test_equal_entries_are_equal_bytes(tmp_path):
    first, second = opened(tmp_path / "a", []), opened(tmp_path / "b", [])
    for each in (first, second):
        each.write(NUMBERS, "a", (1.0,), READ_AT)
    assert only(first).read_bytes() == only(second).read_bytes()


def test_folders_and_files_are_for_their_owner_alone(entries):
    before = os.umask(0)
    try:
        entries.write(NUMBERS, "a", (1.0,), READ_AT)
    finally:
        os.umask(before)
    assert [mode(path) for path in (entries.folder.parent, entries.folder, only(entries))] == [
        0o700,
        0o700,
        0o600,
    ]


def test_names_tell_neither_key_nor_host(entries):
    entries.write(NUMBERS, "../secret id", (1.0,), READ_AT)
    assert "secret" not in only(entries).name
    assert entries.folder.name.removeprefix("posthog-").isalnum()


def test_projects_and_hosts_share_nothing(tmp_path, entries):
    entries.write(NUMBERS, "a", (1.0,), READ_AT)
    for other in ({"project": "8"}, {"host": "https://i.example"}):
        assert opened(tmp_path / "state", [], **other).read(NUMBERS, "a") is None
    assert opened(tmp_path / "state", []).read(NUMBERS, "a").value == (1.0,)


# What is wrong with an entry.


@given(st.data())
def test_whatever_bytes_change_the_answer_is_right_or_missing(data):
    with tempfile.TemporaryDirectory() as root:
        told = []
        entries = opened(Path(root), told)
        entries.write(NUMBERS, "a", (1.0, 2.5, 1e-9), READ_AT)
        path = only(entries)
        whole = path.read_bytes()
        damage = data.draw(st.sampled_from(["flip", "cut", "add", "swap"]))
        at = data.draw(st.integers(0, len(whole) - 1))
        if damage == "flip":
            changed = whole[:at] + bytes([whole[at] ^ 1 << data.draw(st.integers(0, 7))]) + whole[at + 1 :]
        elif damage == "cut":
            changed = whole[:at]
        elif damage == "add":
            changed = whole + data.draw(st.binary(min_size=1, max_size=40))
        else:
            changed = data.draw(st.binary(max_size=80))
        path.write_bytes(changed)
        kept = entries.read(NUMBERS, "a")
        if kept is not None:  # the packing's own header holds a few bytes that mean nothing
            assert (damage, at < 10) == ("flip", True)
            assert (kept.value, kept.read_at, told) == ((1.0, 2.5, 1e-9), READ_AT, [])
        else:
            assert [path.name for path in entries.folder.iterdir()] == [f"{path.name}.corrupt"]
            assert len(told) == 1
        entries.write(NUMBERS, "a", (3.0,), READ_AT)
        assert entries.read(NUMBERS, "a").value == (3.0,)


@pytest.mark.parametrize(
    "change",
    [
        lambda inside: inside.update(key="b"),
        lambda inside: inside.update(value=["1"]),
        lambda inside: inside.update(value=None),
        lambda inside: inside.update(value=[math.nan]),
        lambda inside: inside.update(read_at="2026-03-09T01:02:03"),
        lambda inside: inside.update(read_at=5),
        lambda inside: inside.update(schema="1"),
        lambda inside: inside.pop("schema"),
        lambda inside: inside.pop("value"),
        lambda inside: inside.pop("version"),
    ],
    ids=["other key", "wrong type", "null", "NaN", "naive", "no time", "odd schema", "no schema", "no value", "no version"],
)  # fmt: skip
def test_entry_that_does_not_say_what_it_should_is_set_aside(entries, told, change):
    entries.write(NUMBERS, "a", (1.0,), READ_AT)
    rewrite(only(entries), change)
    assert entries.read(NUMBERS, "a") is None
    assert only(entries).name.endswith(".json.gz.corrupt")
    assert len(told) == 1
    assert "was damaged" in told[0]
    assert only(entries).name in told[0]


def test_nesting_without_end_is_damage(entries, told):
    entries.write(NUMBERS, "a", (1.0,), READ_AT)
    only(entries).write_bytes(gzip.compress(b'{"schema":' + b"[" * 500_000))
    assert entries.read(NUMBERS, "a") is None
    assert len(told) == 1


def test_another_layout_or_version_is_missing_without_a_word(entries, told):
    entries.write(NUMBERS, "a", (1.0,), READ_AT)
    assert entries.read(Kind("numbers", "2", tuple[float, ...]), "a") is None
    rewrite(only(entries), lambda inside: (inside.clear(), inside.update(schema=SCHEMA + 1)))
    assert entries.read(NUMBERS, "a") is None
    assert only(entries).suffix == ".gz"
    entries.write(NUMBERS, "a", (2.0,), READ_AT)
    assert entries.read(NUMBERS, "a").value == (2.0,)
    assert told == []


def test_damage_is_told_once_and_a_handful_is_kept(entries, told):
    for number in range(9):
        entries.write(NUMBERS, str(number), (1.0,), READ_AT)
    for path in entries.folder.iterdir():
        path.write_bytes(b"no")
    assert [entries.read(NUMBERS, str(number)) for number in range(9)] == [None] * 9
    assert len(list(entries.folder.iterdir())) == 5
    assert len(told) == 1


def test_older_damage_gives_way(entries):
    for damage in (b"first", b"second"):
        entries.write(NUMBERS, "a", (1.0,), READ_AT)
        only_entry = next(entries.folder.glob("*.gz"))
        only_entry.write_bytes(damage)
        entries.read(NUMBERS, "a")
    assert only(entries).read_bytes() == b"second"


def test_a_small_file_that_unpacks_without_end_eats_no_memory(tmp_path, told):
    entries = opened(tmp_path, told, largest=2**20)
    entries.write(NUMBERS, "a", (1.0,), READ_AT)
    only(entries).write_bytes(gzip.compress(b"[" + b" " * 200 * 2**20, compresslevel=1))
    tracemalloc.start()
    try:
        assert entries.read(NUMBERS, "a") is None
        assert tracemalloc.get_traced_memory()[1] < 12 * 2**20
    finally:
        tracemalloc.stop()
    assert len(told) == 1


def test_an_entry_one_byte_too_large_is_not_read(tmp_path, told):
    entries = opened(tmp_path, told)
    entries.write(NUMBERS, "a", (1.0,), READ_AT)
    size = len(gzip.decompress(only(entries).read_bytes()))
    assert opened(tmp_path, told, largest=size).read(NUMBERS, "a").value == (1.0,)
    assert opened(tmp_path, told, largest=size - 1).read(NUMBERS, "a") is None


def test_a_file_larger_than_any_entry_is_not_loaded(tmp_path, told):
    entries = opened(tmp_path, told, largest=2**20)
    entries.write(NUMBERS, "a", (1.0,), READ_AT)
    with only(entries).open("r+b") as stream:
        stream.truncate(2**40)  # takes no room
    assert entries.read(NUMBERS, "a") is None
    assert len(told) == 1


def test_an_entry_too_large_is_not_kept(tmp_path, told):
    entries = opened(tmp_path, told, largest=200)
    entries.write(NUMBERS, "a", (0.5,) * 100, READ_AT)
    assert entries.read(NUMBERS, "a") is None
    entries.write(NUMBERS, "a", (0.5,), READ_AT)
    assert entries.read(NUMBERS, "a").value == (0.5,)
    assert told == []


# What may lie where an entry or the folder should.


def test_link_in_place_of_an_entry_is_neither_read_nor_written_through(entries, tmp_path, told):
    entries.write(NUMBERS, "a", (1.0,), READ_AT)
    path = only(entries)
    victim = tmp_path / "victim"
    path.rename(victim)  # a perfect entry, but elsewhere
    content = victim.read_bytes()
    path.symlink_to(victim)
    assert entries.read(NUMBERS, "a") is None
    path.symlink_to(victim)
    entries.write(NUMBERS, "a", (2.0,), READ_AT)
    assert not path.is_symlink()
    assert entries.read(NUMBERS, "a").value == (2.0,)
    assert victim.read_bytes() == content
    assert len(told) == 1


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir], ids=["pipe", "folder"])
def test_what_is_no_file_is_set_aside_without_waiting(entries, told, make):
    entries.write(NUMBERS, "a", (1.0,), READ_AT)
    path = only(entries)
    path.unlink()
    make(path)
    assert entries.read(NUMBERS, "a") is None
    entries.write(NUMBERS, "a", (2.0,), READ_AT)
    assert entries.read(NUMBERS, "a").value == (2.0,)
    assert len(told) == 1


def test_damage_that_cannot_be_set_aside_is_passed_over(entries, told):
    entries.write(NUMBERS, "a", (1.0,), READ_AT)
    path = only(entries)
    path.write_bytes(b"no")
    in_the_way = path.with_name(f"{path.name}.corrupt")
    in_the_way.mkdir()
    assert entries.read(NUMBERS, "a") is None
    assert "passed over" in told[0]
    entries.write(NUMBERS, "a", (2.0,), READ_AT)
    assert entries.read(NUMBERS, "a").value == (2.0,)


def _file(path):
    path.write_text("")


def _link(path):
    path.with_name("elsewhere").mkdir()
    path.symlink_to(path.with_name("elsewhere"))


def _open_to_all(path):
    path.mkdir()
    path.chmod(0o777)


@pytest.mark.parametrize("make", [_file, _link, _open_to_all], ids=["file", "link", "open to all"])
@pytest.mark.parametrize("reading_first", [True, False])
def test_folder_that_cannot_be_trusted_is_told_once_and_not_used(entries, told, make, reading_first):
    entries.folder.parent.mkdir()
    make(entries.folder)
    for _ in range(2):
        if reading_first:
            assert entries.read(NUMBERS, "a") is None
        entries.write(NUMBERS, "a", (1.0,), READ_AT)
        assert entries.read(NUMBERS, "a") is None
    assert len(told) == 1
    assert told[0].endswith("; nothing is kept this time.")
    assert not [path for path in entries.folder.parent.rglob("*") if path.suffix == ".gz"]


def test_file_in_place_of_the_state_folder_is_told(tmp_path, told):
    (tmp_path / "f").write_text("")
    for root in (tmp_path / "f", tmp_path / "f" / "g"):
        entries = opened(root, told)
        entries.write(NUMBERS, "a", (1.0,), READ_AT)
        assert entries.read(NUMBERS, "a") is None
    assert len(told) == 2


def test_folder_of_another_user_is_not_used(entries, told, monkeypatch):
    entries.write(NUMBERS, "a", (1.0,), READ_AT)
    owner = entries.folder.stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    assert entries.read(NUMBERS, "a") is None
    assert ["another user" in sentence for sentence in told] == [True]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_folder_that_can_only_be_read_is_read(entries, told):
    entries.write(NUMBERS, "a", (1.0,), READ_AT)
    entries.folder.chmod(0o500)
    try:
        for _ in range(2):
            entries.write(NUMBERS, "b", (2.0,), READ_AT)
            assert entries.read(NUMBERS, "a").value == (1.0,)
            assert entries.read(NUMBERS, "b") is None
    finally:
        entries.folder.chmod(0o700)
    assert len(told) == 1


def test_a_file_that_cannot_be_opened_is_told_once_and_left(entries, told, monkeypatch):
    entries.write(NUMBERS, "a", (1.0,), READ_AT)

    def fail(*_):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(os, "open", fail)
    for _ in range(2):
        assert entries.read(NUMBERS, "a") is None
        entries.write(NUMBERS, "b", (1.0,), READ_AT)
    assert len(told) == 1
    assert "cannot be used" in told[0]
    assert only(entries).suffix == ".gz"


@pytest.mark.parametrize("late", [True, False])
def test_a_link_that_comes_between_looking_and_opening_is_not_followed(
    entries, tmp_path, told, monkeypatch, late
):
    entries.write(NUMBERS, "a", (1.0,), READ_AT)
    path = only(entries)
    victim = tmp_path / "victim"
    real = os.open

    def swapped(place, *arguments):
        if late:
            path.rename(victim)
            path.symlink_to(victim)
        return real(place, *arguments)

    monkeypatch.setattr(os, "open", swapped)
    assert (entries.read(NUMBERS, "a") is None) == late
    assert len(told) == late


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EDQUOT, errno.EIO])
def test_full_disk_is_told_once_and_what_is_there_is_still_read(entries, told, monkeypatch, number):
    entries.write(NUMBERS, "a", (1.0,), READ_AT)

    def fail(_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    for key in ("b", "c"):
        entries.write(NUMBERS, key, (2.0,), READ_AT)
        assert entries.read(NUMBERS, key) is None
    assert entries.read(NUMBERS, "a").value == (1.0,)
    assert len(told) == 1
    assert os.strerror(number) in told[0]
    only(entries)


def test_files_that_cannot_be_taken_away_stop_the_keeping(entries, told, monkeypatch):
    """What cannot be bounded must not grow."""
    entries.write(NUMBERS, "a", (1.0,), READ_AT)

    def fail(*_, **__):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(shelf, "make_room", fail)
    entries.write(NUMBERS, "b", (2.0,), READ_AT)
    assert entries.read(NUMBERS, "b") is None
    assert entries.read(NUMBERS, "a").value == (1.0,)
    assert ["nothing is kept this time" in sentence for sentence in told] == [True]


# Several at once, and nothing that must not go.


def test_everything_may_be_deleted_at_any_time(entries, told):
    for _ in range(2):
        entries.write(NUMBERS, "a", (1.0,), READ_AT)
        assert entries.read(NUMBERS, "a").value == (1.0,)
        shutil.rmtree(entries.folder.parent)
        assert entries.read(NUMBERS, "a") is None
    assert told == []


def test_folder_deleted_while_it_is_written_to_is_made_again(entries, told, monkeypatch):
    real, left = folders.mkstemp, [1]

    def gone_once(**where):
        if left:
            left.pop()
            shutil.rmtree(entries.folder)
        return real(**where)

    monkeypatch.setattr(folders, "mkstemp", gone_once)
    entries.write(NUMBERS, "a", (1.0,), READ_AT)
    assert entries.read(NUMBERS, "a").value == (1.0,)
    assert told == []


WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from reporter.state.entries import Entries, Kind

kind = Kind("numbers", "1", tuple[float, ...])
entries = Entries(Path(sys.argv[1]), host="h", project="7", warn=print, most_files=6)
for step in range(400):
    key = str(step % 8)
    entries.write(kind, key, (float(key),) * 500, datetime.now(UTC))
    for other in range(8):
        kept = entries.read(kind, str(other))
        assert kept is None or kept.value == (float(other),) * 500
"""


def test_two_processes_at_once_never_read_a_half_and_never_complain(tmp_path):
    command = [sys.executable, "-c", WRITER, str(tmp_path / "state")]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for _ in range(2)]
    assert [process.communicate(timeout=120)[0] for process in both] == [b"", b""]
    assert [process.returncode for process in both] == [0, 0]
    (kept,) = (tmp_path / "state").iterdir()
    assert 1 <= len(list(kept.iterdir())) <= 7  # each makes room for its own one
