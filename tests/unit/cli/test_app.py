"""How the program ends: one line for a person, the right exit code, nothing else."""

import errno
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from reporter import __version__
from reporter.cli.root import COMMANDS, SECTIONS, root
from reporter.cli.session import Session
from reporter.report import to_json
from tests.reports import report, states

ROOT = Path(__file__).parents[3]
NO_ROOM = "Free some room there, or point TMPDIR to a folder that can be written."


@pytest.fixture
def program(tmp_path):
    """Call the program in a process of its own."""

    def run(*arguments, **options):
        environ = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "XDG_STATE_HOME": str(tmp_path / "xdg"),
        }
        return subprocess.run(
            [sys.executable, "-m", "reporter", *arguments],
            cwd=tmp_path, env=environ, text=True, check=False, timeout=60,
            **{"capture_output": True, **options},
        )  # fmt: skip

    return run


def test_every_command_has_help_an_example_and_the_help_of_the_table():
    context = click.Context(root)
    for name, (_, section, text) in COMMANDS.items():
        command = root.get_command(context, name)
        assert command is not None
        assert command.name == name
        assert section in SECTIONS
        assert command.get_short_help_str(100) == text
        leaves = list(command.commands.values()) if isinstance(command, click.Group) else [command]
        for leaf in leaves:
            assert leaf.examples
            assert all(example.startswith("reporter ") for example in leaf.examples)
            assert all(p.help for p in leaf.params if isinstance(p, click.Option))


@pytest.mark.parametrize("name", list(COMMANDS))
def test_help_of_every_command_shows_its_examples(name):
    result = CliRunner().invoke(root, [name, "--help"], obj=Session())
    assert result.exit_code == 0
    assert name in ("config", "templates") or "Examples:" in result.output


def test_commands_that_do_not_exist_are_no_stubs(call):
    code, out, err = call("publish")
    assert (code, out) == (2, "")
    assert "error: there is no command 'publish'" in err


@pytest.mark.parametrize("name", ["report", "compare", "jobs", "runs"])
def test_every_shared_option_is_taken_by_every_command_that_reads_a_source(name):
    flags = {
        "--source", "--jobs", "--config", "--job", "--level", "--since", "--now", "--baseline", "--out",
        "--format", "--redact", "--fail-on", "--tz", "--paper", "--templates", "--state", "--no-cache",
        "--timeout", "--strict", "--quiet", "-q", "--verbose", "-v", "--log-format", "--json", "--color",
    }  # fmt: skip
    command = root.get_command(click.Context(root), name)
    assert command is not None
    assert flags <= {flag for param in command.params for flag in param.opts}


@pytest.mark.parametrize(
    ("arguments", "usage", "error"),
    [
        (["repot"], "Usage: reporter [OPTIONS]", "did you mean 'report'?"),
        (["report", "--papr", "a4"], "Usage: reporter report", "--papr"),
        (["report", "--paper", "b5"], "Usage: reporter report", "'b5' is not one of"),
        (["compare", "one"], "Usage: reporter compare [OPTIONS] PRIOR LATEST", "missing argument 'LATEST'"),
        (["schema", "more"], "Usage: reporter schema", "unexpected extra argument"),
    ],
)
def test_wrong_command_lines_end_with_2_and_show_the_usage(call, arguments, usage, error):
    code, out, err = call(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith(usage)
    assert error in err.split("\nerror: ", 1)[1]
    assert "\nhint: See `reporter" in err


def test_no_command_shows_help_on_standard_error(call):
    code, out, err = call()
    assert (code, out) == (2, "")
    assert "Reports:" in err


def test_settings_faults_end_with_2_and_name_their_place(call):
    code, out, err = call("config", "show", "--tz", "Europe/Berlim")
    assert (code, out) == (2, "")
    assert err.startswith("error: --tz: 'Europe/Berlim' is not allowed")


def test_hostile_words_reach_no_terminal(call):
    code, _, err = call("config", "show", "--level", "\x1b]0;pwned\x07\x1b[31m")
    assert code == 2
    assert "\x1b" not in err
    assert "\x07" not in err


def test_password_in_an_address_is_never_shown(call):
    _, out, err = call("config", "show", "--source", "clickhouse://me:hunter2@host/db")
    assert "hunter2" not in out + err
    assert "clickhouse://***@host/db" in out
    assert "hunter2" not in call("config", "show", "--json", "--source", "clickhouse://me:hunter2@host/db")[1]


def test_verify_accepts_a_report_and_names_what_was_changed(call, tmp_path):
    data = to_json(states()["no_run"])
    (tmp_path / "report.json").write_bytes(data)
    assert call("verify", "report.json")[:2] == (0, "Everything holds: sums, bounds and hashes.\n")
    assert json.loads(call("verify", ".", "--json")[1]) == {"ok": True, "problems": []}
    (tmp_path / "report.json").write_bytes(data.replace(b"What people use", b"What nobody uses"))
    code, out, _ = call("verify", "report.json")
    assert code == 1
    assert "content_sha256" in out


def test_verify_of_what_is_no_report_ends_with_2(call, tmp_path):
    assert call("verify", "absent.json")[0] == 2
    (tmp_path / "x.json").write_text("{}")
    code, _, err = call("verify", "x.json")
    assert code == 2
    assert "error: x.json: this is not a report.json" in err


def test_schema_is_json_schema_that_a_report_satisfies(call):
    from jsonschema import Draft202012Validator

    code, out, _ = call("schema")
    assert code == 0
    Draft202012Validator.check_schema(json.loads(out))
    Draft202012Validator(json.loads(out)).validate(json.loads(to_json(report())))


def test_source_that_cannot_be_read_ends_with_a_sentence_and_no_traceback(call):
    code, out, err = call("jobs", "--source", "clickhouse://me:hunter2@host/db")
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert "hunter2" not in err
    assert "Traceback" not in err


def test_errors_are_json_lines_where_asked(call):
    code, _, err = call("report", "--job", "nobody", "--source", "x", "--log-format", "json")
    lines = [json.loads(line) for line in err.splitlines()]
    assert code == 3
    assert lines[-1]["level"] == "error"
    assert (lines[-1]["subject"], lines[-1]["exit_code"]) == ("x", 3)


def test_bug_ends_with_70_and_keeps_the_traceback_in_a_private_file(call, tmp_path, monkeypatch):
    """A command of the test's own stands for a bug: no command of ours is known to have one."""

    @click.command("broken")
    def broken():
        raise ZeroDivisionError("clickhouse://me:hunter2@host and phx_abcdefghijkl and sesame")

    monkeypatch.setenv("POSTHOG_PERSONAL_API_KEY", "sesame")
    monkeypatch.setattr(root, "get_command", lambda *_: broken)
    monkeypatch.setitem(COMMANDS, "broken", ("", "", ""))
    code, out, err = call("broken")
    (path,) = (tmp_path / "xdg" / "reporter").iterdir()
    assert (code, out) == (70, "")
    assert err.startswith("error: this is a bug in reporter: ZeroDivisionError\n")
    assert str(path) in err
    assert "Traceback" not in err
    assert path.stat().st_mode & 0o777 == 0o600
    kept = path.read_text()
    assert "Traceback" in kept
    assert "reporter broken" in kept
    for secret in ("hunter2", "phx_abcdefghijkl", "sesame"):
        assert secret not in kept


def test_bug_whose_file_cannot_be_kept_is_shown_instead(call, tmp_path, monkeypatch):
    @click.command("broken")
    def broken():
        raise ZeroDivisionError("it happens")

    (tmp_path / "xdg").write_text("a file where the folder should be")
    monkeypatch.setattr(root, "get_command", lambda *_: broken)
    monkeypatch.setitem(COMMANDS, "broken", ("", "", ""))
    code, _, err = call("broken")
    assert code == 70
    assert "Traceback" in err
    assert "it happens" in err


@pytest.mark.parametrize(
    ("raised", "expected"), [(KeyboardInterrupt(), 130), (click.Abort(), 130), (EOFError(), 130)]
)
def test_interruption_ends_with_130(call, monkeypatch, raised, expected):
    @click.command("slow")
    def slow():
        raise raised

    monkeypatch.setattr(root, "get_command", lambda *_: slow)
    monkeypatch.setitem(COMMANDS, "slow", ("", "", ""))
    assert call("slow") == (expected, "", "error: interrupted\n")


def test_closed_pipe_is_quiet(program):
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = program("schema", capture_output=False, stdout=writer, stderr=subprocess.PIPE)
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")


def test_full_disk_behind_standard_output_is_told(program):
    with open("/dev/full", "w") as full:  # noqa: PTH123
        done = program("schema", capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 6
    assert done.stderr == "error: standard output cannot be written: No space left on device\n"


def test_full_disk_behind_the_help_is_no_bug(program):
    with open("/dev/full", "w") as full:  # noqa: PTH123
        done = program("--help", capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 6
    assert done.stderr.startswith("error: nothing can be written: No space left on device\nhint: ")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp', '/var/tmp']"),
            "error: nothing can be written: No usable temporary directory found in ['/tmp', '/var/tmp']",
        ),
        (
            OSError(errno.ENOSPC, "No space left on device", "/tmp/reporter-x\x1b"),
            "error: /tmp/reporter-x: nothing can be written: No space left on device",
        ),
        (
            OSError(errno.EROFS, "Read-only file system"),
            "error: nothing can be written: Read-only file system",
        ),
    ],
)
@pytest.mark.parametrize("words", [("demo", "--format", "json"), ("jobs", "--source", "events.jsonl")])
def test_no_room_for_temporary_files_is_told(call, monkeypatch, tmp_path, words, error, told):
    def refused(*_, **__):
        raise error

    (tmp_path / "events.jsonl").write_text("", "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "mkdtemp", refused)
    code, out, said = call(*words)
    assert (code, out) == (6, "")
    assert said.splitlines()[-2:] == [told, "hint: " + NO_ROOM]


@pytest.mark.parametrize("name", [None, "reporter/no-such-file"])
def test_what_is_not_found_otherwise_is_a_bug(call, monkeypatch, tmp_path, name):
    def refused(*_, **__):
        raise FileNotFoundError(errno.ENOENT, "No such file or directory", name)

    (tmp_path / "events.jsonl").write_text("", "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("reporter.sources.export.store.find_files", refused)
    assert call("jobs", "--source", "events.jsonl")[0] == 70


def test_the_process_ends_with_the_code_once_all_is_said_and_every_thread_is_done(tmp_path):
    script = """if True:
        import sys, threading, time
        from reporter import __main__

        def main():
            threading.Thread(target=lambda: (time.sleep(0.3), sys.stdout.write("late"))).start()
            threading.Thread(target=time.sleep, args=[600], daemon=True).start()
            sys.stdout.write("x" * 100_000)
            return 3

        __main__.main = main
        __main__.run()
    """
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env={"PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (3, "")
    assert done.stdout == "x" * 100_000 + "late"


def test_streams_that_are_closed_are_no_trouble(tmp_path):
    command = f"{sys.executable} -m reporter --version >&- 2>&-"
    done = subprocess.run(
        ["sh", "-c", command], cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, check=False, timeout=60
    )
    assert done.returncode == 0


def test_terminal_that_cannot_show_a_character_is_no_bug(tmp_path):
    (tmp_path / "reporter.toml").write_text('title = "請求退款"', encoding="utf-8")
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "latin-1"}
    done = subprocess.run(
        [sys.executable, "-m", "reporter", "config", "show"],
        cwd=tmp_path, env=environ, capture_output=True, encoding="latin-1", check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0
    assert "????" in done.stdout


def test_version(program):
    assert program("--version").stdout == f"reporter {__version__}\n"
