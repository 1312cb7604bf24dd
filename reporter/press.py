"""Documents that show charts, each made in a process of its own: a `Report` goes in, an `Artifact` comes out.

Drawing and layout need libraries that take seconds and much memory to load, and none of what reading and
measuring needs. So a `Press` starts its processes first: they load while data is read, work side by side, and
take their memory with them when they end. A process is told everything through its standard input, and ends
by itself when that closes without a word; what it answers is the document, or why there is none.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import TracebackType
from typing import Literal, Self, TypeAlias

import msgspec

from reporter.artifact import Artifact
from reporter.errors import LibraryMissing, RenderError
from reporter.report import Report, from_json, to_json
from reporter.state.documents import Documents

Document: TypeAlias = Literal["html", "pdf"]

_START = (
    "import sys; sys.path[:] = sys.argv[2:]; from reporter.press import main; sys.exit(main(sys.argv[1]))"
)
"""Finds what this process would find, and nothing that lies in the working folder."""
_PRIVATE = ("POSTHOG_", "REPORTER_", "CLICKHOUSE_")
_SOURCES = (".py", ".html", ".css", ".js", ".txt", ".md", ".json")
_FONTS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.fonts", "~/.local/share/fonts")
_LIBRARIES = ("font-source-sans-pro", "fonttools", "jinja2", "matplotlib", "numpy", "uharfbuzz", "weasyprint")
_OUT_OF_MEMORY_HINT = "The machine may be out of memory: make fewer formats at once with --format."


class Order(msgspec.Struct, frozen=True):
    """What to make of a report."""

    templates: str | None = None
    """Folder of the user's own templates."""
    paper: Literal["a4", "letter"] = "a4"
    command: str = ""
    """What makes the report again, for those who read it in a build."""


class _Task(msgspec.Struct, frozen=True):
    report: bytes
    order: Order


class _Answer(msgspec.Struct, frozen=True):
    """A document, or why there is none."""

    name: str = ""
    media_type: str = ""
    data: bytes = b""
    error: tuple[str, str, str] | None = None
    """Message, subject and hint."""
    missing: bool = False
    """Whether what fails is a library that is not there."""
    fault: str = ""
    """The traceback of what nobody expected."""


class PressFault(Exception):
    """A bug showed itself in a process of the press; its traceback is the note of this one."""


class Press:
    """Processes that make documents; a context, at whose end none is left."""

    def __init__(self, documents: Sequence[Document]) -> None:
        """Start a process for each document; each loads its libraries at once."""
        self._documents = tuple(documents)
        self._running: dict[Document, subprocess.Popen[bytes]] = {}
        self._threads = ThreadPoolExecutor(max(1, len(self._documents)))

    def __enter__(self) -> Self:
        """Start the processes.

        Raises:
            RenderError: The system allows none.
        """
        environ = {name: value for name, value in os.environ.items() if not name.startswith(_PRIVATE)}
        try:
            for document in self._documents:
                self._running[document] = _started(document, environ)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End what still runs."""
        self._end()

    def make(
        self, report: Report, order: Order, kept: Documents | None = None
    ) -> Iterator[Artifact | RenderError]:
        """Make all documents side by side; can be asked once.

        Args:
            report: What to say.
            order: How.
            kept: Documents of earlier reports; one of the same report, made by the same program, is taken.

        Yields:
            Each document in the order given, or why there is none.

        Raises:
            PressFault: A process met a bug of ours.
        """
        if not self._running:
            return
        task = msgspec.msgpack.encode(_Task(to_json(report), order))
        made_by = stamp(order.templates) if kept is not None else ""
        asked: list[tuple[Document, str, bytes | None, Future[tuple[bytes, bytes]] | None]] = []
        for document, process in self._running.items():
            key = f"{document} {made_by} {sha256(task).hexdigest()}"
            said = kept.get(key) if kept is not None else None
            told = None if said is not None else self._threads.submit(process.communicate, task)
            asked.append((document, key, said, told))
        for document, key, said, told in asked:
            answer = said if told is None else told.result()[0]
            made = _understood(document, answer or b"", self._running[document].returncode or 0)
            if told is not None and kept is not None and isinstance(made, Artifact):
                kept.put(key, answer or b"")
            yield made

    def _end(self) -> None:
        for process in self._running.values():
            if process.poll() is None:
                process.kill()
            process.wait()
        self._threads.shutdown()
        for process in self._running.values():
            for pipe in (process.stdin, process.stdout):
                if pipe is not None and not pipe.closed:
                    pipe.close()


def _started(document: Document, environ: Mapping[str, str]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(  # noqa: S603 -- this interpreter, our own module, words of our own
            [sys.executable, "-c", _START, document, *sys.path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environ,
        )
    except OSError as error:
        raise RenderError(
            f"no process can be started to make it: {error.strerror}", subject=f"report.{document}"
        ) from error


def _understood(document: Document, said: bytes, code: int) -> Artifact | RenderError:
    subject = f"report.{document}"
    try:
        answer = msgspec.msgpack.decode(said, type=_Answer)
    except msgspec.DecodeError:
        ended = f"signal {signal.Signals(-code).name}" if code < 0 else f"code {code}"
        return RenderError(
            f"the process that makes it ended early ({ended})", subject=subject, hint=_OUT_OF_MEMORY_HINT
        )
    if answer.fault:
        fault = PressFault(f"the process that makes {subject} met a bug")
        fault.add_note(answer.fault)
        raise fault
    if answer.error is not None:
        message, about, hint = answer.error
        return (LibraryMissing if answer.missing else RenderError)(message, subject=about, hint=hint)
    return Artifact(name=answer.name, media_type=answer.media_type, data=answer.data)


def stamp(templates: str | None) -> str:
    """Tell apart what makes documents: our code and templates, the user's, libraries and fonts."""
    own = Path(__file__).resolve().parent
    folders = [own, own.parent / "templates", *([Path(templates)] if templates else [])]
    files = (path for folder in folders for path in sorted(folder.rglob("*")) if path.suffix in _SOURCES)
    fonts = (Path(base) for root in _FONTS for base, _, _ in os.walk(Path(root).expanduser()))
    told = sha256()
    for path in (*files, *fonts):
        with contextlib.suppress(OSError):
            seen = path.stat()
            told.update(f"{path} {seen.st_size} {seen.st_mtime_ns}\n".encode("utf-8", "surrogateescape"))
    for name in _LIBRARIES:
        with contextlib.suppress(PackageNotFoundError):
            told.update(f"{name} {version(name)}\n".encode())
    return f"{sys.version} {told.hexdigest()}"


def document(kind: Document, told: bytes, order: Order) -> Artifact:
    """Draw the charts of one document and set it, in this process.

    Args:
        kind: Which document.
        told: The report, as JSON; a PDF holds it as it is.
        order: How.

    Raises:
        RenderError: A template is wrong, or asks for something outside.
        LibraryMissing: What lays text out is not installed.
    """
    from reporter import charts
    from reporter.render import page, pdf, templates

    report = from_json(told)
    environment = templates.environment(Path(order.templates) if order.templates else None)
    if kind == "html":
        pictures = charts.draw(report, page=True, paper=False)
        return page.html(report, pictures, charts.page_assets(), env=environment, command=order.command)
    pictures = charts.draw(report, page=False, paper=True, room=pdf.room(len(report.jobs)))
    return pdf.pdf(
        report, pictures, charts.paper_assets(), env=environment, paper=order.paper, attachment=told
    )


def _load(kind: Document) -> None:
    """Import what a document will need, while there is nothing else to do."""
    from reporter import charts
    from reporter.render import page, pdf  # noqa: F401

    if kind == "pdf":
        charts.paper_assets()
        pdf.available()
    else:
        charts.page_assets()


def main(kind: Document) -> int:
    """Make one document: the task comes on standard input, the answer goes to standard output."""
    # One document, and then the process is gone: looking for cycles to free would be a tenth of its time.
    gc.disable()
    # Whatever a library prints must not end up in the answer.
    channel = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        _load(kind)
        told = sys.stdin.buffer.read()
        if not told:
            return 0
        task = msgspec.msgpack.decode(told, type=_Task)
        made = document(kind, task.report, task.order)
        answer = _Answer(name=made.name, media_type=made.media_type, data=made.data)
    except RenderError as error:
        answer = _Answer(
            error=(error.message, error.subject, error.hint), missing=isinstance(error, LibraryMissing)
        )
    except Exception:  # noqa: BLE001 -- it is told where it can be kept
        answer = _Answer(fault=traceback.format_exc())
    try:
        with channel:
            channel.write(msgspec.msgpack.encode(answer))
    except BrokenPipeError:
        return 1
    return 0
