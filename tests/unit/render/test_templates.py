from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporter.errors import RenderError
from reporter.render import templates

if TYPE_CHECKING:
    from pathlib import Path


def test_built_in_folder_holds_every_document() -> None:
    folder = templates.built_in_folder()
    assert {"page.html", "print.html"} <= {path.name for path in folder.iterdir()}


def test_every_built_in_template_parses() -> None:
    env = templates.environment()
    names = [
        str(p.relative_to(templates.built_in_folder())) for p in templates.built_in_folder().rglob("*.html")
    ]
    assert len(names) > 10
    for name in names:
        env.get_template(name)


@given(st.text())
def test_data_is_escaped_and_never_a_template(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.mktemp("own")
    (folder / "one.html").write_text("<p>{{ value }}</p>")
    out = templates.render(templates.environment(folder), "one.html", value=text + "{{ 7*7 }}<b>")
    assert out.endswith("{{ 7*7 }}&lt;b&gt;</p>")
    assert "<" not in out[3:-4]


def test_escaping_does_not_depend_on_the_file_name(tmp_path: Path) -> None:
    (tmp_path / "page.html.j2").write_text("{{ value }}")
    assert templates.render(templates.environment(tmp_path), "page.html.j2", value="<i>") == "&lt;i&gt;"


def test_users_folder_wins_and_can_extend_the_built_in_page(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(
        '{% extends "builtin/page.html" %}{% block masthead %}mine{% endblock %}'
    )
    env = templates.environment(tmp_path)
    assert "{% block masthead %}mine" in templates.source(env, "page.html")
    assert templates.source(env, "builtin/page.html").startswith("{# The HTML page")
    assert templates.source(env, "style/page.css") == templates.source(env, "builtin/style/page.css")


def test_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(RenderError, match="does not exist"):
        templates.environment(tmp_path / "nowhere")


def test_missing_template_is_named(tmp_path: Path) -> None:
    (tmp_path / "one.html").write_text('{% include "nowhere.html" %}')
    with pytest.raises(RenderError, match=r"nowhere\.html"):
        templates.render(templates.environment(tmp_path), "one.html")


def test_syntax_error_names_template_and_line(tmp_path: Path) -> None:
    (tmp_path / "one.html").write_text("fine\n{% if %}\n")
    with pytest.raises(RenderError, match=r"one\.html: line 2"):
        templates.render(templates.environment(tmp_path), "one.html")


def test_undefined_value_names_template_and_line(tmp_path: Path) -> None:
    (tmp_path / "partials").mkdir()
    (tmp_path / "partials" / "two.html").write_text("a\nb\n{{ nothing.here }}\n")
    (tmp_path / "one.html").write_text('{% include "partials/two.html" %}')
    with pytest.raises(RenderError, match=r"partials/two\.html: line 3: 'nothing' is undefined") as caught:
        templates.render(templates.environment(tmp_path), "one.html")
    assert caught.value.exit_code == 5
    assert "builtin/page.html" in caught.value.hint


def test_wrong_operation_in_a_template_names_its_line(tmp_path: Path) -> None:
    (tmp_path / "one.html").write_text("\n{{ 1 + 'a' }}")
    with pytest.raises(RenderError, match=r"one\.html: line 2"):
        templates.render(templates.environment(tmp_path), "one.html")


def test_cause_of_a_fault_while_rendering_is_kept(tmp_path: Path) -> None:
    (tmp_path / "one.html").write_text("{{ value }}")

    class Broken:
        def __str__(self) -> str:
            raise ZeroDivisionError

    with pytest.raises(RenderError) as caught:
        templates.render(templates.environment(tmp_path), "one.html", value=Broken())
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_style_sheet_is_read_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "style").mkdir()
    (tmp_path / "style" / "page.css").write_bytes(b"a { b: {{ 1 }} }\r\n")
    assert templates.source(templates.environment(tmp_path), "style/page.css") == "a { b: {{ 1 }} }\n"


def test_missing_style_sheet_is_told() -> None:
    with pytest.raises(RenderError, match="missing"):
        templates.source(templates.environment(), "style/nowhere.css")
