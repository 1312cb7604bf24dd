"""The file `reporter init` writes is true: every line works, and every default in it is the default."""

import re

import pytest

from reporter import config
from reporter.config import KEYS, Settings

LINE = re.compile(r"^#(?=[a-z_]+ = )", re.MULTILINE)


def test_as_written_it_changes_nothing(tmp_path):
    (tmp_path / "reporter.toml").write_text(config.template())
    assert config.load({}, {}, tmp_path) == Settings()


def test_every_line_works_when_its_mark_is_taken_away(tmp_path):
    text = LINE.sub("", config.template())
    text = text.replace("verbose = false", "verbose = true").replace("/posthog.key", "")
    (tmp_path / "posthog.key").write_text("phx_abc")
    (tmp_path / "reporter.toml").write_text(text)
    resolved = config.resolve({}, {}, tmp_path)
    assert {key.field for key in KEYS if resolved.origins[key.field].kind == "file"} == {
        key.field for key in KEYS
    }


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.name)
def test_example_is_the_default_where_there_is_one(tmp_path, key):
    default = getattr(Settings(), key.field)
    if default is None or default == ():
        return
    table, _, word = key.name.rpartition(".")
    (tmp_path / "reporter.toml").write_text((f"[{table}]\n" if table else "") + f"{word} = {key.example}\n")
    assert getattr(config.load({}, {}, tmp_path), key.field) == default


def test_every_setting_is_explained_with_its_flag_and_variable():
    text = re.sub(r"\n# ", " ", config.template())
    for key in KEYS:
        assert key.help in text
        assert f"({' '.join(key.flags)}, {key.variable})".replace("(, ", "(") in text


def test_names_are_unique():
    for names in ([k.name for k in KEYS], [k.variable for k in KEYS], [f for k in KEYS for f in k.flags]):
        assert len(set(names)) == len(names)
