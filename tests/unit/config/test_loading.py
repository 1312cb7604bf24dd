"""Settling settings: precedence, places, and faults a person can mend."""

import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporter import config
from reporter.config import KEYS, Settings
from reporter.errors import UsageError


@pytest.fixture
def toml(tmp_path):
    def write(text, name="reporter.toml"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return write


def test_nothing_given_gives_the_defaults(tmp_path):
    resolved = config.resolve({}, {}, tmp_path)
    assert resolved.settings == Settings()
    assert {origin.kind for origin in resolved.origins.values()} == {"default"}
    assert Settings().since == timedelta(days=98)


def test_flag_beats_environment_beats_file_beats_default(tmp_path, toml):
    toml('paper = "letter"\ntitle = "file"\n')
    flags, environ = {"title": "flag"}, {"REPORTER_TITLE": "environment"}

    def title(flags, environ):
        resolved = config.resolve(flags, environ, tmp_path)
        return resolved.settings.title, resolved.origins["title"].kind

    assert title(flags, environ) == ("flag", "flag")
    assert title({"title": None}, environ) == ("environment", "environment")
    assert title({}, {"REPORTER_TITLE": ""}) == ("file", "file")
    assert config.load({}, {}, tmp_path).paper == "letter"


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.name)
def test_every_setting_can_be_set_in_all_three_places(tmp_path, toml, key):
    table, _, word = key.name.rpartition(".")
    other = {"false": "true", "true": "false"}.get(key.example, key.example)
    toml((f"[{table}]\n" if table else "") + f"{word} = {other}\n")
    toml("phx_abc", "posthog.key")
    from_file = config.resolve({}, {}, tmp_path)
    assert from_file.origins[key.field].kind == "file"
    value = getattr(from_file.settings, key.field)
    if key.field == "fail_on":
        typed = "\n".join(gating.rule.text for gating in value)
    elif key.field == "policy":
        typed = "\n".join(f"{what}={outcome}" for what, outcome in value)
    elif key.field == "gates":
        typed = json.dumps([{"rule": gating.rule.text, "severity": gating.severity} for gating in value])
    elif key.field == "good":
        typed = "\n".join(f"{name}={way}" for name, way in value)
    elif key.field == "mute":
        typed = json.dumps(
            [{name: part for name, part in asdict(one).items() if part} for one in value], default=str
        )
    elif isinstance(value, tuple):
        typed = ",".join(value)
    else:
        typed = other.strip('"')
    from_environment = config.resolve({}, {key.variable: typed}, tmp_path, look_for_file=False)
    assert from_environment.origins[key.field].kind == "environment"
    assert getattr(from_environment.settings, key.field) == value
    from_flag = config.resolve({key.field: typed}, {}, tmp_path, look_for_file=False)
    assert from_flag.origins[key.field] == config.Origin("flag", key.flag)
    assert getattr(from_flag.settings, key.field) == value


def test_all_faults_are_told_at_once_each_with_its_place(tmp_path, toml):
    toml('# comment\nformatt = "html"\n\n[posthog]\nhost = "http://x.example"\n')
    with pytest.raises(UsageError) as caught:
        config.load({"timeout_s": "soon"}, {"REPORTER_PAPER": "a5"}, tmp_path)
    text = str(caught.value)
    assert "4 settings are wrong" in text
    assert "reporter.toml, line 2: there is no setting called 'formatt'; did you mean 'format'?" in text
    assert "reporter.toml, line 5, posthog.host: 'http://x.example' is not allowed" in text
    assert "--timeout: 'soon' is not allowed; give a number of seconds above 0" in text
    assert "REPORTER_PAPER: 'a5' is not allowed; give one of a4, letter" in text


def test_one_fault_names_its_place_as_subject(tmp_path):
    with pytest.raises(UsageError) as caught:
        config.load({"level": "traces"}, {}, tmp_path)
    assert caught.value.subject == "--level"
    assert "did you mean trace?" in caught.value.message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('project_id = "1"', "did you mean 'posthog.project_id'"),
        ('[posthog]\napi_key = "phx_secretsecret"', "a key does not belong in a settings file"),
        ("[post]\nto = 1", "no setting called 'post'"),
        ('posthog = "x"', "no setting called 'posthog'"),
        (
            'posthog.hots = "x"',
            "line 1: there is no setting called 'posthog.hots'; did you mean 'posthog.host'",
        ),
        ("title = 5.5", "line 1, title: 5.5 is not allowed; give a text"),
        ("quiet = 'maybe'", "give true or false"),
        ('now = "x', "this is not TOML"),
        ("a = 1\na = 2", "this is not TOML"),
    ],
)
def test_wrong_files_are_told_in_a_sentence(tmp_path, toml, text, expected):
    toml(text)
    with pytest.raises(UsageError) as caught:
        config.load({}, {}, tmp_path)
    assert expected in str(caught.value)
    assert "secretsecret" not in str(caught.value)


def test_long_wrong_values_are_cut(tmp_path):
    with pytest.raises(UsageError) as caught:
        config.load({"level": "x" * 100_000}, {}, tmp_path)
    assert len(str(caught.value)) < 300


def test_paths_of_a_file_are_meant_from_its_folder(tmp_path, toml):
    toml('source = "events/*.parquet"\nout = "out"\ntemplates = "/abs"\nstate = "~/s"\n', "conf/weekly.toml")
    settings = config.load({"config": "conf/weekly.toml"}, {"HOME": "/home/me"}, tmp_path)
    assert settings.source == "conf/events/*.parquet"
    assert settings.out == Path("conf/out")
    assert settings.templates == Path("/abs")
    assert settings.state == Path("/home/me/s")


@pytest.mark.parametrize("source", ["posthog", "clickhouse://u:p@host/db"])
def test_sources_that_are_no_path_are_not_rebased(tmp_path, toml, source):
    toml(f'source = "{source}"', "conf/weekly.toml")
    assert config.load({"config": "conf/weekly.toml"}, {}, tmp_path).source == source


def test_paths_of_flags_and_variables_stay_as_typed(tmp_path, toml):
    toml("", "conf/weekly.toml")
    settings = config.load({"config": "conf/weekly.toml", "out": "o"}, {"REPORTER_STATE": "s"}, tmp_path)
    assert (settings.out, settings.state) == (Path("o"), Path("s"))


def test_file_named_by_variable_is_read_and_flag_wins(tmp_path, toml):
    toml('title = "one"', "one.toml")
    toml('title = "two"', "two.toml")
    assert config.load({}, {"REPORTER_CONFIG": "one.toml"}, tmp_path).title == "one"
    assert config.load({"config": "two.toml"}, {"REPORTER_CONFIG": "one.toml"}, tmp_path).title == "two"


def test_file_that_was_named_must_exist_and_one_that_was_not_need_not(tmp_path):
    with pytest.raises(UsageError, match="cannot be read") as caught:
        config.load({"config": "none.toml"}, {}, tmp_path)
    assert caught.value.subject == "none.toml"
    with pytest.raises(UsageError, match="cannot be read"):
        config.load({"config": "a\0b"}, {}, tmp_path)
    with pytest.raises(UsageError, match="cannot be read"):
        config.load({"config": str(tmp_path)}, {}, tmp_path)


def test_looking_for_the_file_can_be_turned_off(tmp_path, toml):
    toml('title = "file"')
    assert config.resolve({}, {}, tmp_path, look_for_file=False).settings.title == Settings().title


def test_byte_order_mark_is_no_trouble_and_other_encodings_are(tmp_path):
    (tmp_path / "reporter.toml").write_bytes(b'\xef\xbb\xbftitle = "x"')
    assert config.load({}, {}, tmp_path).title == "x"
    (tmp_path / "reporter.toml").write_bytes(b'title = "\xff"')
    with pytest.raises(UsageError, match="not TOML"):
        config.load({}, {}, tmp_path)


def test_huge_file_is_refused(tmp_path):
    (tmp_path / "reporter.toml").write_bytes(b"#" * 1_100_000)
    with pytest.raises(UsageError, match="too large"):
        config.load({}, {}, tmp_path)


@given(st.text(max_size=80))
def test_any_text_as_a_file_gives_settings_or_a_usage_error(tmp_path_factory, text):
    folder = tmp_path_factory.getbasetemp() / "any-toml"
    folder.mkdir(exist_ok=True)
    (folder / "reporter.toml").write_bytes(text.encode("utf-8", "replace"))
    try:
        assert isinstance(config.load({}, {}, folder), Settings)
    except UsageError as error:
        assert "reporter.toml" in str(error)  # noqa: PT017 (either outcome is right)


def test_misspelt_variable_is_a_fault_and_a_stranger_is_not(tmp_path):
    with pytest.raises(UsageError, match="did you mean REPORTER_SOURCE"):
        config.load({}, {"REPORTER_SORUCE": "x"}, tmp_path)
    assert config.load({}, {"REPORTER_XYZZY_42": "x", "REPORTERS": "y"}, tmp_path) == Settings()


def test_setting_unknown_to_python_callers_is_named(tmp_path):
    with pytest.raises(UsageError, match="'sorce'") as caught:
        config.load({"sorce": "x"}, {}, tmp_path)
    assert "source" in caught.value.hint


def test_clock_comes_from_flag_then_variable_then_source_date_epoch(tmp_path):
    environ = {"SOURCE_DATE_EPOCH": "1795000000"}
    assert config.load({}, environ, tmp_path).now == datetime(2026, 11, 18, 11, 6, 40, tzinfo=UTC)
    environ["REPORTER_NOW"] = "2026-11-20"
    assert config.load({}, environ, tmp_path).now == datetime(2026, 11, 20, tzinfo=UTC)
    assert config.load({"now": "2026-11-21"}, environ, tmp_path).now == datetime(2026, 11, 21, tzinfo=UTC)
    with pytest.raises(UsageError, match="SOURCE_DATE_EPOCH"):
        config.load({}, {"SOURCE_DATE_EPOCH": "soon"}, tmp_path)


def test_no_color_turns_colour_off_unless_told_otherwise(tmp_path):
    assert config.load({}, {}, tmp_path).color is None
    assert config.load({}, {"NO_COLOR": "1"}, tmp_path).color is False
    assert config.load({}, {"NO_COLOR": ""}, tmp_path).color is None
    assert config.load({"color": True}, {"NO_COLOR": "1"}, tmp_path).color is True


def test_quiet_and_verbose_exclude_each_other(tmp_path):
    with pytest.raises(UsageError, match="exclude"):
        config.load({"quiet": True, "verbose": True}, {}, tmp_path)


def test_looking_back_must_end_before_the_clock(tmp_path):
    with pytest.raises(UsageError, match="before the clock"):
        config.load({"since": "2026-11-23", "now": "2026-11-23"}, {}, tmp_path)


def test_key_comes_from_the_variable(tmp_path):
    resolved = config.resolve({}, {"POSTHOG_PERSONAL_API_KEY": " phx_a\n"}, tmp_path)
    assert resolved.settings.api_key is not None
    assert resolved.settings.api_key.reveal() == "phx_a"
    assert resolved.origins["api_key"].name == "POSTHOG_PERSONAL_API_KEY"


def test_key_file_named_by_flag_beats_the_variable_which_beats_a_file_named_in_settings(tmp_path, toml):
    toml("phx_file\n", "key")
    toml('[posthog]\napi_key_file = "key"')
    environ = {"POSTHOG_PERSONAL_API_KEY": "phx_variable"}

    def key(flags, environ):
        found = config.load(flags, environ, tmp_path).api_key
        assert found is not None
        return found.reveal()

    assert key({"api_key_file": "key"}, environ) == "phx_file"
    assert key({}, environ) == "phx_variable"
    assert key({}, {}) == "phx_file"


def test_key_file_is_opened_only_for_the_source_that_needs_it(tmp_path):
    flags = {"api_key_file": "absent"}
    assert config.load({**flags, "source": "x.parquet"}, {}, tmp_path).api_key is None
    with pytest.raises(UsageError, match="key file cannot be read"):
        config.load(flags, {}, tmp_path)


def test_wrong_key_is_never_shown(tmp_path):
    with pytest.raises(UsageError) as caught:
        config.load({}, {"POSTHOG_PERSONAL_API_KEY": "phx_two words"}, tmp_path)
    assert "POSTHOG_PERSONAL_API_KEY" in str(caught.value)
    assert "words" not in str(caught.value).replace("printable characters", "")
    assert caught.value.__cause__ is None
