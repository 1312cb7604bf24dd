"""The GitHub action and the GitLab template: against the systems' own schemas, their shell steps executed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
GITLAB = yaml.safe_load((ROOT / "ci" / "gitlab.yml").read_text(encoding="utf-8"))
# The program is stood in for by one that writes down how it was called.
SAID = "import json, os, sys\njson.dump([sys.argv[1:], sorted(n for n in os.environ if n.startswith('REPORTER_'))], open({!r}, 'w'))\n"


def checked(schema: str, path: Path) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_both_are_what_their_systems_take(tmp_path: Path) -> None:
    checked("vendor.github-actions", ROOT / "action.yml")
    extended = {**GITLAB, "report": {"extends": ".cluster-report"}}
    (tmp_path / ".gitlab-ci.yml").write_text(yaml.safe_dump(extended))
    checked("vendor.gitlab-ci", tmp_path / ".gitlab-ci.yml")


def test_no_input_of_the_action_is_part_of_a_command() -> None:
    for step in ACTION["runs"]["steps"]:
        assert "${{" not in step.get("run", "")


def report_step() -> dict[str, Any]:
    step: dict[str, Any] = next(step for step in ACTION["runs"]["steps"] if step.get("id") == "report")
    return step


def called(folder: Path, **inputs: str) -> tuple[list[str], list[str]]:
    """Run the step of the action with inputs; gives the words the program was called with, and our variables."""
    program = folder / "reporter" / "bin" / "reporter"
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(f"#!{sys.executable}\n" + SAID.format(str(folder / "said")))
    program.chmod(0o755)
    defaults = {name: str(value.get("default", "")) for name, value in ACTION["inputs"].items()}
    step = report_step()
    env = {"PATH": os.environ["PATH"], "RUNNER_TEMP": str(folder), "REPORTER_TZ": "UTC"}
    for name, value in step["env"].items():
        key = value.removeprefix("${{ inputs.").removesuffix(" }}")
        env[name] = {**defaults, **inputs}[key]
    subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        env=env,
        cwd=folder,
        check=True,
    )
    words, variables = json.loads((folder / "said").read_text())
    return words, variables


def test_the_step_calls_the_program_with_what_was_given_and_no_more(tmp_path: Path) -> None:
    assert called(tmp_path) == (["ci", "--out", "reporter-report"], ["REPORTER_TZ"])
    words, variables = called(
        tmp_path,
        **{
            "fail-on": "error_rate <= 5%\n\ntitle:/it's $(touch hacked)/i share <= 10%\n",
            "source": "events/*.parquet; touch hacked",
            "baseline": "release-1",
            "deployed-at": "2026-11-20T14:00Z",
            "config": "a b.toml",
            "arguments": "--policy not_comparable=fail --title 'Two words; $(touch hacked)'",
            "out": "out",
        },
    )
    assert words == [
        "ci", "--out", "out", "--source", "events/*.parquet; touch hacked", "--baseline", "release-1",
        "--deployed-at", "2026-11-20T14:00Z", "--config", "a b.toml", "--fail-on", "error_rate <= 5%",
        "--fail-on", "title:/it's $(touch hacked)/i share <= 10%", "--policy", "not_comparable=fail",
        "--title", "Two words; $(touch hacked)",
    ]  # fmt: skip
    assert variables == ["REPORTER_TZ"]
    assert not (tmp_path / "hacked").exists()


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package as small as can be, whose program says that it was called."""
    path = tmp_path / "stand_in-1-py3-none-any.whl"
    info = "stand_in-1.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("stand_in.py", "import sys\n\ndef main():\n    print('called with', *sys.argv[1:])\n")
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: stand-in\nVersion: 1\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/entry_points.txt", "[console_scripts]\nreporter = stand_in:main\n")
        wheel.writestr(f"{info}/RECORD", "")
    return path


def test_the_steps_that_install_leave_a_program(tmp_path: Path, package: Path) -> None:
    env = {
        "PATH": os.environ["PATH"],
        "PIP_NO_INDEX": "1",
        "HOME": str(tmp_path),
        "RUNNER_TEMP": str(tmp_path / "github"),
    }
    (tmp_path / "github").mkdir()
    install = ACTION["runs"]["steps"][0]
    shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c"]
    subprocess.run([*shell, install["run"]], env=env | {"REPORTER_ACTION_VERSION": str(package)}, check=True)
    done = subprocess.run(
        [tmp_path / "github" / "reporter" / "bin" / "reporter", "ci"], capture_output=True, check=True
    )
    assert done.stdout == b"called with ci\n"
    job = GITLAB[".cluster-report"]
    lines = [
        line.replace("/tmp/reporter", str(tmp_path / "gitlab"))
        for line in (*job["before_script"], *job["script"])
    ]
    done = subprocess.run(
        [*shell, "\n".join(lines)],
        env=env | job["variables"] | {"REPORTER_VERSION": str(package)},
        capture_output=True,
        check=True,
    )
    assert done.stdout == b"called with ci --explain\n"


def test_a_broken_rule_fails_the_step(tmp_path: Path) -> None:
    program = tmp_path / "reporter" / "bin" / "reporter"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    step = report_step()
    env = {"PATH": os.environ["PATH"], "RUNNER_TEMP": str(tmp_path), **dict.fromkeys(step["env"], "")}
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]], env=env, check=False
    )
    assert done.returncode == 1


def test_every_output_of_the_action_is_one_the_command_writes() -> None:
    from reporter.cli import ci

    source = Path(ci.__file__).read_text(encoding="utf-8")
    for name, output in ACTION["outputs"].items():
        assert output["value"] == f"${{{{ steps.report.outputs.{name} }}}}"
        assert f'"{name}"' in source


@pytest.mark.parametrize("path", ["junit", "codequality"])
def test_gitlab_finds_what_the_command_writes(path: str) -> None:
    job = GITLAB[".cluster-report"]
    assert job["artifacts"]["reports"][path].startswith(job["variables"]["REPORTER_OUT"] + "/")
    (line,) = job["script"]
    assert line.startswith("/tmp/reporter/bin/reporter ci")
