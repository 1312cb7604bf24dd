"""init, config show, completion."""

import json
import tomllib

import pytest

from reporter import config


def test_init_writes_the_commented_file(call, tmp_path):
    assert call("init") == (0, "reporter.toml\n", "")
    assert (tmp_path / "reporter.toml").read_text() == config.template()
    assert tomllib.loads(config.template()) == {"mail": {}, "notify": {}, "posthog": {}, "clickhouse": {}}


def test_init_keeps_a_file_that_is_there_unless_forced(call, tmp_path):
    (tmp_path / "mine.toml").write_text("# mine")
    code, out, err = call("init", "mine.toml")
    assert (code, out) == (2, "")
    assert err == "error: mine.toml: this file exists\nhint: Replace it with --force.\n"
    assert (tmp_path / "mine.toml").read_text() == "# mine"
    assert call("init", "mine.toml", "--force")[0] == 0
    assert (tmp_path / "mine.toml").read_text() == config.template()
    assert [p.name for p in tmp_path.iterdir()] == ["mine.toml"]


def test_init_does_not_write_through_a_link(call, tmp_path):
    (tmp_path / "victim").write_text("keep me")
    (tmp_path / "reporter.toml").symlink_to("victim")
    assert call("init")[0] == 2
    assert call("init", "--force")[0] == 0
    assert (tmp_path / "victim").read_text() == "keep me"


def test_init_makes_the_folder_and_tells_where_it_cannot(call, tmp_path):
    assert call("init", "conf/a.toml")[0] == 0
    (tmp_path / "file").write_text("")
    code, _, err = call("init", "file/a.toml")
    assert code == 6
    assert "cannot be written" in err


def test_config_show_names_the_origin_of_every_value(call, tmp_path, monkeypatch):
    (tmp_path / "reporter.toml").write_text('title = "From file"\nlevel = "trace"\n')
    monkeypatch.setenv("REPORTER_TZ", "Europe/Berlin")
    code, out, _ = call("config", "show", "--paper", "letter", "--level", "generation")
    lines = {line.split()[0]: line for line in out.splitlines()}
    assert code == 0
    assert lines["title"].endswith("reporter.toml, line 1, title")
    assert lines["tz"].endswith("REPORTER_TZ")
    assert lines["paper"].endswith("--paper")
    assert lines["level"].split()[1:] == ["generation", "--level"]
    assert lines["baseline"].split()[1:] == ["week", "default"]


def test_config_show_gives_every_setting_as_json(call, monkeypatch):
    monkeypatch.setenv("POSTHOG_PERSONAL_API_KEY", "phx_verysecret")
    code, out, err = call("config", "show", "--json", "--now", "2026-11-23", "--since", "36h")
    shown = json.loads(out)["settings"]
    assert (code, err) == (0, "")
    assert set(shown) == {key.name for key in config.KEYS} | {
        "posthog.api_key",
        "clickhouse.password",
        "mail.password",
        "notify.urls",
    }
    assert shown["now"] == {"value": "2026-11-23T00:00:00Z", "origin": "flag", "place": "--now"}
    assert shown["since"]["value"] == "36h"
    assert shown["posthog.api_key"] == {
        "value": "set",
        "origin": "environment",
        "place": "POSTHOG_PERSONAL_API_KEY",
    }
    assert "verysecret" not in out


def test_config_show_says_not_set_for_a_missing_key(call):
    assert [
        line.split()[1:3] for line in call("config", "show")[1].splitlines() if "posthog.api_key " in line
    ] == [["not", "set"]]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script_that_asks_the_program(call, shell):
    code, out, _ = call("completion", shell)
    assert code == 0
    assert "_REPORTER_COMPLETE" in out
    assert f"{shell}_complete" in out


@pytest.mark.parametrize(
    ("words", "index", "expected"),
    [
        ("reporter re", 1, {"report", "render"}),
        ("reporter report --pap", 2, {"--paper"}),
        ("reporter render --paper l", 3, {"letter"}),
    ],
)
def test_shell_is_answered(call, monkeypatch, words, index, expected):
    monkeypatch.setenv("_REPORTER_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(index))
    code, out, _ = call()
    assert code == 0
    assert {line.partition(",")[2] for line in out.splitlines()} == expected
