"""The state folder: private, whole files only, damage set aside."""

import os
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporter.errors import UsageError
from reporter.state import StateFolder, default_folder


@pytest.fixture
def told():
    return []


@pytest.fixture
def folder(tmp_path, told):
    return StateFolder(tmp_path / "a" / "state", warn=told.append)


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_folder_and_files_are_for_their_owner_alone(folder):
    before = os.umask(0)
    try:
        path = folder.write("crash.txt", b"x")
    finally:
        os.umask(before)
    assert (mode(folder.path), mode(path)) == (0o700, 0o600)


def test_nothing_is_made_before_the_first_write(folder):
    assert folder.read_json("lineage.json") is None
    assert not folder.path.exists()


def test_json_comes_back_as_it_was_written(folder, told):
    folder.write_json("lineage.json", {"b": [1, None, "ü"], "a": 0.5})
    assert folder.read_json("lineage.json") == {"b": [1, None, "ü"], "a": 0.5}
    assert told == []


def test_writing_again_replaces_and_leaves_nothing_else(folder):
    folder.write_json("a.json", 1)
    folder.write_json("a.json", 2)
    assert folder.read_json("a.json") == 2
    assert [p.name for p in folder.path.iterdir()] == ["a.json"]


def test_what_a_killed_write_left_is_removed_by_the_next_one(folder):
    folder.prepare()
    old, new, other = (folder.path / name for name in (".a.json.x1.tmp", ".a.json.x2.tmp", ".b.json.x3.tmp"))
    for left in (old, new, other):
        left.write_bytes(b"half")
    for left in (old, other):
        os.utime(left, (0, 0))
    folder.write("a.json", b"{}")
    assert sorted(path.name for path in folder.path.iterdir()) == sorted([new.name, other.name, "a.json"])
    folder.write("b.json", b"{}")
    assert not other.exists()


@pytest.mark.parametrize("damage", [b"", b'{"a":', b"\xff\xfe\x00", b"[" * 200_000])
def test_damaged_file_is_set_aside_and_told(folder, told, damage):
    folder.write("a.json", damage)
    assert folder.read_json("a.json") is None
    assert (folder.path / "a.json.corrupt").read_bytes() == damage
    assert not (folder.path / "a.json").exists()
    assert len(told) == 1
    assert "a.json.corrupt" in told[0]


def test_not_a_number_is_refused(folder):
    with pytest.raises(ValueError, match="JSON compliant"):
        folder.write_json("a.json", float("nan"))


def test_link_is_not_read_through(folder, tmp_path):
    secret = tmp_path / "secret.json"
    secret.write_text("1")
    folder.write_json("other.json", 0)
    (folder.path / "a.json").symlink_to(secret)
    with pytest.raises(UsageError, match="cannot be used"):
        folder.read_json("a.json")


def test_link_is_replaced_not_written_through(folder, tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("keep me")
    folder.write_json("other.json", 0)
    (folder.path / "a.json").symlink_to(victim)
    folder.write_json("a.json", 1)
    assert victim.read_text() == "keep me"
    assert not (folder.path / "a.json").is_symlink()


def test_folder_open_to_everybody_is_refused(tmp_path, told):
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    with pytest.raises(UsageError, match="other users") as caught:
        StateFolder(shared, warn=told.append).write("a", b"")
    assert "--state" in caught.value.hint
    assert list(shared.iterdir()) == []


def test_file_in_place_of_the_folder_is_a_usage_error(tmp_path, told):
    (tmp_path / "f").write_text("")
    with pytest.raises(UsageError, match="cannot be used"):
        StateFolder(tmp_path / "f", warn=told.append).write("a", b"")
    with pytest.raises(UsageError, match="cannot be used"):
        StateFolder(tmp_path / "f" / "g", warn=told.append).write("a", b"")


def test_failed_write_leaves_no_temporary_file(folder):
    folder.write("a", b"1")
    (folder.path / "b").mkdir()
    with pytest.raises(UsageError):
        folder.write("b", b"2")
    assert sorted(p.name for p in folder.path.iterdir()) == ["a", "b"]


@given(
    st.text(max_size=30).filter(lambda s: "/" in s or s in {"", ".", ".."} or "\0" in s or s.startswith("."))
)
def test_names_that_could_leave_the_folder_are_refused(name):
    folder = StateFolder(default_folder(), warn=print)
    with pytest.raises(ValueError, match="plain file name"):
        folder.read_json(name)


def test_default_folder_follows_the_xdg_variable(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert default_folder() == tmp_path / "reporter"
