"""Documents made in processes of their own: the same bytes, every failure told, and no process left."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from pathlib import Path

import pytest

from reporter import press
from reporter.artifact import Artifact
from reporter.errors import LibraryMissing, RenderError
from reporter.press import Order, Press, PressFault
from reporter.report import sealed, to_json
from reporter.state import StateFolder
from reporter.state.documents import Documents
from tests.reports import report, section

REPORT = sealed(report([section(clusters=2)]))


def pids(used: Press) -> list[int]:
    used.start()
    return [process.pid for process in (used._drawing, used._layout) if process is not None]


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_a_document_is_the_one_this_process_would_make() -> None:
    order = Order(paper="letter", command="reporter ci --job x")
    with Press(["html", "pdf"]) as used:
        made = list(used.make(REPORT, order))
    assert made == [
        press.document("html", to_json(REPORT), order),
        press.document("pdf", to_json(REPORT), order),
    ]


def test_the_same_report_is_not_drawn_twice_and_another_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = Documents(StateFolder(tmp_path, warn=pytest.fail))
    order = Order()
    with Press(["html"]) as used:
        (made,) = used.make(REPORT, order, kept)
    with Press(["html"]) as used:
        assert list(used.make(REPORT, order, kept)) == [made]
        assert used._drawing is None  # nobody was called to make it
    other = sealed(report([section(clusters=3)]))
    (tmp_path / "own").mkdir()
    changes = {"report": (other, order), "order": (REPORT, Order(command="reporter ci")),
               "templates": (REPORT, Order(templates=str(tmp_path / "own")))}  # fmt: skip
    for name, (told, how) in changes.items():
        (tmp_path / "own" / "page.html").write_text('{% extends "builtin/page.html" %}')
        with Press(["html"]) as used:
            os.kill(pids(used)[0], signal.SIGKILL)
            (lost,) = used.make(told, how, kept)
        assert isinstance(lost, RenderError), name
    monkeypatch.setattr("importlib.metadata.version", lambda _: "another")
    with Press(["html"]) as used:
        os.kill(pids(used)[0], signal.SIGKILL)
        (lost,) = used.make(REPORT, order, kept)
    assert isinstance(lost, RenderError)


@pytest.mark.parametrize("first", ["html", "pdf"])
def test_beside_a_document_that_is_kept_the_other_is_made(tmp_path: Path, first: press.Document) -> None:
    kept = Documents(StateFolder(tmp_path, warn=pytest.fail))
    with Press([first]) as used:
        (made,) = used.make(REPORT, Order(), kept)
    with Press(["html", "pdf"]) as used:
        both = list(used.make(REPORT, Order(), kept))
    assert made in both
    assert both == [press.document(kind, to_json(REPORT), Order()) for kind in ("html", "pdf")]


def test_a_failure_is_not_kept(tmp_path: Path) -> None:
    kept = Documents(StateFolder(tmp_path / "state", warn=pytest.fail))
    (tmp_path / "page.html").write_text("{{ nonsense.here }}")
    with Press(["html"]) as used:
        (failed,) = used.make(REPORT, Order(templates=str(tmp_path)), kept)
    assert isinstance(failed, RenderError)
    assert not (tmp_path / "state").exists()


def test_no_temporary_file_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """WeasyPrint sets fonts aside, and a process that ends at once does not tidy up."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with Press(["pdf"]) as used:
        (made,) = used.make(REPORT, Order())
        assert isinstance(made, Artifact)
        assert any(path.is_file() for path in tmp_path.rglob("*"))
    assert list(tmp_path.iterdir()) == []


def test_without_a_place_for_temporary_files_the_page_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(**_: str) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "mkdtemp", refused)
    with Press(["html"]) as used:
        (made,) = used.make(REPORT, Order())
    assert isinstance(made, Artifact)


def test_no_process_is_left_when_nothing_was_asked() -> None:
    with Press(["html", "pdf"]) as used:
        started = pids(used)
        assert len(started) == 2
        assert pids(used) == started
        assert not any(map(gone, started))
    assert all(map(gone, started))


def test_processes_end_by_themselves_when_their_parent_is_gone() -> None:
    with Press(["html", "pdf"]) as used:
        used.start()
        assert used._drawing is not None
        assert used._drawing.stdin is not None
        used._drawing.stdin.close()  # what a parent that was killed leaves
        assert used._drawing.wait(timeout=60) == 0
        assert used._layout is not None
        assert used._layout.wait(timeout=60) == 0


@pytest.mark.parametrize(("killed", "survives"), [(0, {}), (1, {"report.html"})])
def test_a_process_that_is_killed_is_told(killed: int, survives: set[str]) -> None:
    with Press(["html", "pdf"]) as used:
        os.kill(pids(used)[killed], signal.SIGKILL)
        made = list(used.make(REPORT, Order()))
    assert {document.name for document in made if isinstance(document, Artifact)} == set(survives)
    lost = [document for document in made if isinstance(document, RenderError)]
    assert [error.subject for error in lost] == [
        name for name in ("report.html", "report.pdf") if name not in survives
    ]
    assert all("SIGKILL" in error.message for error in lost)


@pytest.mark.parametrize("library", ["matplotlib", "tinycss2"])
def test_what_fails_while_it_loads_is_told_once_it_is_asked(tmp_path: Path, library: str) -> None:
    (tmp_path / f"{library}.py").write_text("raise RuntimeError('it is broken')")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(tmp_path))
        with Press(["pdf"]) as used, pytest.raises(PressFault) as caught:
            list(used.make(REPORT, Order()))
    assert "it is broken" in caught.value.__notes__[0]


def test_a_template_that_fails_there_is_told_here(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("{{ nonsense.here }}")
    with Press(["html"]) as used:
        (failed,) = used.make(REPORT, Order(templates=str(tmp_path)))
    assert isinstance(failed, RenderError)
    assert not isinstance(failed, LibraryMissing)
    assert "page.html" in failed.subject + failed.message


def test_a_bug_there_is_a_bug_here() -> None:
    with Press(["pdf"]) as used, pytest.raises(PressFault) as caught:
        list(used.make(REPORT, Order(paper="a3")))  # type: ignore[arg-type]
    assert "Traceback" in caught.value.__notes__[0]


def test_secrets_of_the_environment_are_not_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSTHOG_PERSONAL_API_KEY", "phx_secret")
    monkeypatch.setenv("REPORTER_MAIL_PASSWORD", "hunter2")
    with Press(["html"]) as used:
        environ, until = b"", time.monotonic() + 60
        while not environ and time.monotonic() < until:  # empty until the program has begun
            environ = Path(f"/proc/{pids(used)[0]}/environ").read_bytes()
    assert b"PATH=" in environ
    assert b"phx_secret" not in environ
    assert b"hunter2" not in environ
