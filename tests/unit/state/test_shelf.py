"""The bounds of what is kept: oldest-used goes first, all projects count, nothing of anybody else's is touched."""

import os
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporter.state import shelf
from reporter.state.entries import Entries, Kind

READ_AT = datetime(2026, 3, 9, tzinfo=UTC)
TEXT = Kind("text", "1", str)


@pytest.fixture
def root(tmp_path):
    return tmp_path / "state"


def opened(root, project="7", **bounds):
    def fail(sentence):
        raise AssertionError(sentence)

    return Entries(root, host="h", project=project, warn=fail, **bounds)


def put(entries, key, age, value="x"):
    """Keep a value and say that it was last used `age` seconds ago."""
    entries.write(TEXT, key, value, READ_AT)
    path = entries.folder / shelf.file_name("text", key)
    os.utime(path, (path.stat().st_mtime - age,) * 2)
    return path


def test_the_file_unused_for_longest_gives_way(root):
    entries = opened(root, most_files=3)
    for key, age in (("a", 40), ("b", 50), ("c", 20)):
        put(entries, key, age)
    assert entries.read(TEXT, "b").value == "x"  # and is the newest now
    put(entries, "d", 0)
    assert [key for key in "abcd" if entries.read(TEXT, key)] == ["b", "c", "d"]


def test_files_of_all_projects_count(root):
    first, second = opened(root, "7", most_files=2), opened(root, "8", most_files=2)
    put(first, "a", 30)
    put(second, "a", 20)
    put(second, "b", 10)
    assert first.read(TEXT, "a") is None
    assert shelf.info(root)[0] == 2


def test_bytes_are_bounded(root):
    noise = os.urandom(3_000).hex()
    entries = opened(root, most_bytes=12_000)
    for number in range(12):
        put(entries, str(number), 100 - number, noise)
        assert shelf.info(root)[1] <= 12_000
    assert [number for number in range(12) if entries.read(TEXT, str(number))] == [9, 10, 11]


def test_one_entry_larger_than_everything_may_be_is_not_kept(root):
    entries = opened(root, most_bytes=2_000)
    put(entries, "small", 10)
    entries.write(TEXT, "large", os.urandom(3_000).hex(), READ_AT)
    assert entries.read(TEXT, "large") is None
    assert entries.read(TEXT, "small").value == "x"


def test_a_write_that_was_killed_and_damage_make_room_too(root):
    entries = opened(root, most_files=2)
    path = put(entries, "a", 10)
    path.rename(shelf.aside(path))
    killed, young = (entries.folder / f".{path.name[:40]}.{word}.tmp" for word in ("abc_1234", "def_5678"))
    for path in (killed, young):
        path.write_bytes(b"half")
    os.utime(killed, (1, 1))
    put(entries, "b", 0)
    assert not killed.exists()
    assert young.exists()  # somebody is at it
    put(entries, "c", 0)
    assert sorted(path.suffix for path in entries.folder.iterdir()) == [".gz", ".gz", ".tmp"]


def test_what_is_not_ours_is_neither_counted_nor_taken_away(root, tmp_path):
    entries = opened(root, most_files=1)
    path = put(entries, "a", 10)
    others = [root / "crash-1.txt", root / "notes" / path.name, entries.folder / "notes.txt"]
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    others.append(elsewhere / path.name)
    (root / ("posthog-" + "0" * 16)).symlink_to(elsewhere)
    (root / ("posthog-" + "1" * 16)).write_text("a file")
    for other in others:
        other.parent.mkdir(exist_ok=True)
        other.write_bytes(b"mine")
        os.utime(other, (1, 1))
    put(entries, "b", 0)
    assert shelf.info(root)[0] == 1
    shelf.clear(root)
    assert [other.read_bytes() for other in others] == [b"mine"] * 4


def test_clear_leaves_nothing_and_may_come_twice(root):
    assert shelf.info(root) == (0, 0)
    shelf.clear(root)
    paths = [put(opened(root, project), "a", 0) for project in "78"]
    assert shelf.info(root) == (2, sum(path.stat().st_size for path in paths))
    shelf.clear(root)
    shelf.clear(root)
    assert list(root.iterdir()) == []


@given(st.text(), st.text(), st.text(), st.text())
def test_names_differ_where_what_they_name_does(host, project, other_host, other_project):
    names = {shelf.folder_name(host, project), shelf.folder_name(other_host, other_project)}
    same = f"{host}\n{project}" == f"{other_host}\n{other_project}"
    assert len(names) == (1 if same else 2)
    assert (shelf.file_name("run", host) == shelf.file_name("run", project)) == (host == project)
