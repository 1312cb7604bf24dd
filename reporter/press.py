"""Documents that show charts, made in processes of their own: a `Report` goes in, an `Artifact` comes out.

Drawing and layout need libraries that take seconds and much memory to load, and none of what reading and
measuring needs. So a `Press` starts its processes early: they load while data is read, work side by side, and
take their memory with them when they end. One draws, and makes the page; the other, where a PDF is wanted,
lays out what the first draws for paper and hands on. A process is told everything through its standard input,
and ends by itself when that closes without a word; what it answers is the document, or why there is none.
"""

from __future__ import annotations

import contextlib
import gc
import os
import shutil
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Literal, Self, TypeAlias, TypeVar

import msgspec

from reporter import temporary
from reporter.artifact import Artifact, Chart
from reporter.errors import DeliveryError, LibraryMissing, RenderError
from reporter.report import Report, from_json, to_json
from reporter.state.documents import Documents

Made = TypeVar("Made")
Document: TypeAlias = Literal["html", "pdf"]

_START = (
    "import os, sys; sys.path[:] = sys.argv[3:]; from reporter import press; "
    "os._exit(getattr(press, sys.argv[1])(*map(int, sys.argv[2].split())))"
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
    """What the process that draws is told."""

    report: bytes
    order: Order
    documents: list[Document]


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


class _Drawn(msgspec.Struct, frozen=True):
    """What the process that lays out is told."""

    report: bytes
    order: Order
    charts: tuple[Chart, ...] = ()
    failed: _Answer | None = None
    """Why there are no charts."""


class PressFault(Exception):
    """A bug showed itself in a process of the press; its traceback is the note of this one."""


class Press:
    """Processes that make documents; a context, at whose end none is left."""

    def __init__(self, documents: Sequence[Document]) -> None:
        """Prepare for these documents."""
        self._documents = tuple(documents)
        self._drawing: subprocess.Popen[bytes] | None = None
        self._layout: subprocess.Popen[bytes] | None = None
        self._threads = ThreadPoolExecutor(2)
        self._folder = ""
        """Where the processes put temporary files: they end without tidying up, or are killed."""

    def __enter__(self) -> Self:
        """Open the press; `start` says what it takes to print."""
        return self

    def start(self) -> None:
        """Start the processes, once; each loads its libraries at once.

        Raises:
            RenderError: The system allows none.
        """
        if not self._documents or self._drawing is not None:
            return
        environ = {name: value for name, value in os.environ.items() if not name.startswith(_PRIVATE)}
        with contextlib.suppress(DeliveryError):  # told by whoever needs it, which is not each of them
            self._folder = environ["TMPDIR"] = temporary.folder()
        subject = " and ".join(f"report.{document}" for document in self._documents)
        try:
            # What is drawn for paper goes from one to the other, and not through this process.
            out, into = os.pipe()
            with os.fdopen(out, "rb") as drawn, os.fdopen(into, "wb") as paper:
                self._drawing = _started("draw", subprocess.PIPE, environ, paper.fileno())
                if "pdf" in self._documents:
                    self._layout = _started("lay_out", drawn, environ)
        except OSError as error:
            self._end()
            raise RenderError(
                f"no process can be started to make it: {error.strerror}", subject=subject
            ) from error
        except BaseException:
            self._end()
            raise

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
        if not self._documents:
            return
        told = to_json(report)
        said: dict[Document, bytes | None] = {}
        keys: dict[Document, str] = {}
        if kept is not None:
            made_by = stamp(order.templates)
            digest = sha256(msgspec.msgpack.encode((told, order))).hexdigest()
            keys = {document: f"{document} {made_by} {digest}" for document in self._documents}
            said = {document: kept.get(key) for document, key in keys.items()}
        missing = [document for document in self._documents if said.get(document) is None]
        if missing:
            self.start()
        asked = self._ask(_Task(told, order, missing)) if missing else {}
        for document in self._documents:
            if (answer := said.get(document)) is not None:
                yield _understood(document, answer, 0)
                continue
            answer, code = asked[document].result()
            if not answer and code == 0:  # what lays out heard nothing and went: what draws knows why
                answer, code = asked["html"].result()
            made = _understood(document, answer, code)
            if kept is not None and isinstance(made, Artifact):
                kept.put(keys[document], answer)
            yield made

    def _ask(self, task: _Task) -> dict[Document, Future[tuple[bytes, int]]]:
        """Put a task; gives what each process will say, and how it will end."""
        told: dict[Document, tuple[subprocess.Popen[bytes] | None, bytes | None]] = {
            "html": (self._drawing, msgspec.msgpack.encode(task)),
            "pdf": (self._layout, None),
        }
        return {
            document: self._threads.submit(_conversation, process, words)
            for document, (process, words) in told.items()
            if process is not None
        }

    def _end(self) -> None:
        running = [process for process in (self._drawing, self._layout) if process is not None]
        for process in running:
            if process.poll() is None:
                process.kill()
            process.wait()
        self._threads.shutdown()
        for process in running:
            for pipe in (process.stdin, process.stdout):
                if pipe is not None and not pipe.closed:
                    pipe.close()
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)


def _started(
    verb: Literal["draw", "lay_out"],
    told_by: int | BinaryIO,
    environ: Mapping[str, str],
    *descriptors: int,
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 -- this interpreter, our own module, words of our own
        [sys.executable, "-c", _START, verb, " ".join(map(str, descriptors)), *sys.path],
        stdin=told_by,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environ,
        pass_fds=descriptors,
    )


def _conversation(process: subprocess.Popen[bytes], task: bytes | None) -> tuple[bytes, int]:
    """Tell a process its task and hear it out; gives what it said and how it ended."""
    said, _ = process.communicate(task)
    return said, process.returncode


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
    from importlib.metadata import PackageNotFoundError, version  # which the processes need not load

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
    return _page(told, order) if kind == "html" else _paper(told, order, _drawn_for_paper(told))


def _page(told: bytes, order: Order) -> Artifact:
    from reporter import charts
    from reporter.render import page, templates

    report = from_json(told)
    drawn = charts.draw(report, page=True, paper=False)
    env = templates.environment(_folder(order))
    return page.html(report, drawn, charts.page_assets(), env=env, command=order.command)


def _drawn_for_paper(told: bytes) -> tuple[Chart, ...]:
    from reporter import charts
    from reporter.render import pdf

    report = from_json(told)
    return charts.draw(report, page=False, paper=True, room=pdf.room(len(report.jobs)))


def _paper(told: bytes, order: Order, drawn: Sequence[Chart]) -> Artifact:
    from reporter import charts
    from reporter.render import pdf, templates

    env, assets = templates.environment(_folder(order)), charts.paper_assets()
    return pdf.pdf(from_json(told), drawn, assets, env=env, paper=order.paper, attachment=told)


def _folder(order: Order) -> Path | None:
    return Path(order.templates) if order.templates else None


def draw(paper: int) -> int:
    """Draw what standard input asks for: for paper, to that descriptor; for the page, which is the answer."""
    with _answering() as channel, os.fdopen(paper, "wb") as onwards:
        _attempted(_ready_to_draw)  # what fails now fails again, and is told then
        told = sys.stdin.buffer.read()
        if not told:
            return 0
        task = msgspec.msgpack.decode(told, type=_Task)
        if "pdf" in task.documents:
            drawn = _attempted(lambda: _drawn_for_paper(task.report))
            failed, drawn = (drawn, ()) if isinstance(drawn, _Answer) else (None, drawn)
            with contextlib.suppress(BrokenPipeError):  # nobody is left to lay it out
                onwards.write(msgspec.msgpack.encode(_Drawn(task.report, task.order, drawn, failed)))
                onwards.close()
        if "html" in task.documents:
            channel.write(msgspec.msgpack.encode(_attempted(lambda: _answer(_page(task.report, task.order)))))
    return 0


def lay_out() -> int:
    """Lay out the PDF that standard input tells of, which is the answer."""
    with _answering() as channel:
        _attempted(_ready_to_lay_out)
        told = sys.stdin.buffer.read()
        if not told:
            return 0
        drawn = msgspec.msgpack.decode(told, type=_Drawn)
        made = drawn.failed or _attempted(lambda: _answer(_paper(drawn.report, drawn.order, drawn.charts)))
        channel.write(msgspec.msgpack.encode(made))
    return 0


def _ready_to_draw() -> None:
    from reporter.charts import draw, page_assets  # noqa: F401
    from reporter.render import page, pdf  # noqa: F401

    page_assets()


def _ready_to_lay_out() -> None:
    from reporter.charts import paper_assets
    from reporter.render import pdf

    paper_assets()
    pdf.available()


@contextlib.contextmanager
def _answering() -> Iterator[BinaryIO]:
    """Give the channel for answers; whatever a library prints must not end up in one."""
    # Each makes one document, and then is gone: looking for cycles to free would be a tenth of its time.
    gc.disable()
    with contextlib.suppress(BrokenPipeError), os.fdopen(os.dup(1), "wb") as channel:
        os.dup2(2, 1)
        try:
            yield channel
        except Exception:  # noqa: BLE001 -- it is told where it can be kept
            channel.write(msgspec.msgpack.encode(_Answer(fault=traceback.format_exc())))


def _answer(made: Artifact) -> _Answer:
    return _Answer(name=made.name, media_type=made.media_type, data=made.data)


def _attempted(attempt: Callable[[], Made]) -> Made | _Answer:
    """Give what an attempt makes, or why it fails."""
    try:
        return attempt()
    except RenderError as error:
        told = (error.message, error.subject, error.hint)
        return _Answer(error=told, missing=isinstance(error, LibraryMissing))
    except Exception:  # noqa: BLE001 -- it is told where it can be kept
        return _Answer(fault=traceback.format_exc())
