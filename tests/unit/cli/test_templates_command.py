"""`reporter templates`: what there is, and copies of it."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from reporter.cli.root import root
from reporter.cli.session import Session
from reporter.render import templates


def run(*args: str) -> tuple[int, str]:
    result = CliRunner().invoke(root, ["templates", *args], obj=Session())
    return result.exit_code, result.output


def test_every_template_is_listed_and_says_what_it_is() -> None:
    code, said = run("list", "--json")
    assert code == 0
    rows = json.loads(said)
    folder = templates.built_in_folder()
    names = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert {row["name"] for row in rows} == names
    assert all(row["about"] for row in rows)
    assert {row["from"] for row in rows} == {"built-in"}
    assert "partials/ledger.html" in run("list")[1]


def test_a_folder_of_ones_own_is_told_apart(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("{# Mine. #}")
    rows = {row["name"]: row for row in json.loads(run("list", "--json", "--templates", str(tmp_path))[1])}
    assert rows["page.html"] == {"name": "page.html", "from": str(tmp_path), "about": "Mine"}
    assert rows["print.html"]["from"] == "built-in"


def test_a_copy_is_the_built_in_one_and_is_not_overwritten(tmp_path: Path) -> None:
    code, said = run("copy", "partials/ledger.html", "--to", str(tmp_path))
    copied = tmp_path / "partials" / "ledger.html"
    assert (code, said.strip()) == (0, str(copied))
    assert copied.read_bytes() == (templates.built_in_folder() / "partials/ledger.html").read_bytes()
    copied.write_text("mine")
    assert run("copy", "partials/ledger.html", "--to", str(tmp_path))[0] != 0
    assert copied.read_text() == "mine"
    assert run("copy", "partials/ledger.html", "--to", str(tmp_path), "--force")[0] == 0
    assert copied.read_text() != "mine"


def test_without_a_name_all_are_copied(tmp_path: Path) -> None:
    code, said = run("copy", "--to", str(tmp_path / "new"), "--json")
    assert code == 0
    assert len(json.loads(said)) == len(list((tmp_path / "new").rglob("*.*"))) > 20


def test_an_unknown_name_copies_nothing(tmp_path: Path) -> None:
    code, _ = run("copy", "page.html", "../../etc/passwd", "--to", str(tmp_path / "new"))
    assert code != 0
    assert not (tmp_path / "new").exists()
