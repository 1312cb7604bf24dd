"""Printing: marks, colour, progress; nothing hostile, nothing twice."""

import io
import json
import sys

import pytest

from reporter.cli.console import Console, clean
from reporter.cli.progress import shown
from reporter.errors import UsageError


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch):
    """Give a function that puts a terminal in place; pytest swaps the streams again after fixtures ran."""

    def begin(kind="xterm"):
        stream = Terminal()
        monkeypatch.setattr(sys, "stderr", stream)
        monkeypatch.setenv("TERM", kind)
        return stream

    return begin


def test_error_is_told_with_subject_and_hint(capsys):
    Console().error(UsageError("it broke", subject="a.json", hint="Mend it."), usage="Usage: reporter x")
    assert capsys.readouterr().err == "Usage: reporter x\nerror: a.json: it broke\nhint: Mend it.\n"


def test_further_lines_of_an_error_are_set_in_so_that_they_cannot_pose_as_another(capsys):
    Console().error(UsageError("two things\nerror: fake"))
    assert capsys.readouterr().err == "error: two things\n  error: fake\n"


def test_colour_follows_the_setting(capsys):
    Console(color=True).result("x", strong=True)
    Console(color=False).result("x", strong=True)
    Console().result("x", strong=True)
    assert capsys.readouterr().out == "\x1b[1mx\x1b[0m\nx\nx\n"


def test_json_values_are_one_line_of_ascii(capsys):
    Console().value({"a": "ü\n\u202e\x1b"})
    out = capsys.readouterr().out
    assert out.isascii()
    assert out.count("\n") == 1
    assert "\x1b" not in out
    assert json.loads(out) == {"a": "ü\n\u202e\x1b"}


@pytest.mark.parametrize("address", ["clickhouse://me:hunter2@host/db", "https://hunter2@host"])
def test_passwords_in_addresses_are_masked(address):
    assert "hunter2" not in clean(f"cannot reach {address}!")


def test_long_text_is_cut():
    assert len(clean("x" * 10_000_000)) == 2000


def steps(console, *, verbose=False):
    with shown(console, verbose=verbose) as progress:
        progress.step("reading\x1b[2J events")
        progress.step("drawing")


def test_pipe_gets_no_progress_unless_asked(capsys):
    steps(Console())
    assert capsys.readouterr().err == ""


def test_verbose_says_every_step_on_a_line(capsys):
    steps(Console(), verbose=True)
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition(" s] ")[2] for line in lines] == ["reading[2J events", "drawing"]


def test_json_lines_are_asked_for_by_the_log_format(capsys):
    steps(Console(json_lines=True))
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(line["level"], line["message"]) for line in lines] == [
        ("info", "reading[2J events"),
        ("info", "drawing"),
    ]
    assert all(line["elapsed_s"] >= 0 for line in lines)


def test_terminal_gets_one_live_line_that_is_taken_away(terminal):
    stream = terminal()
    steps(Console())
    text = stream.getvalue()
    assert "drawing…" in text
    assert "\n" not in text
    assert text.endswith("\r\x1b[2K")
    assert "\x1b[2J" not in text


def test_live_line_is_taken_away_after_a_fault(terminal):
    stream = terminal()
    with pytest.raises(ZeroDivisionError), shown(Console(), verbose=False) as progress:
        progress.step(str(1 / 0))
    assert stream.getvalue().endswith("\r\x1b[2K")


@pytest.mark.parametrize("console", [Console(quiet=True), Console(quiet=True, json_lines=True)])
def test_quiet_says_nothing(terminal, console):
    stream = terminal()
    steps(console)
    assert stream.getvalue() == ""


def test_dumb_terminal_gets_no_live_line(terminal):
    stream = terminal("dumb")
    steps(Console())
    assert stream.getvalue() == ""
