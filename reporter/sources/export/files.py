"""Finding the files of a batch export: which paths the user meant, and how each file is to be read.

Names alone decide here; nothing is opened. What a file holds is `scan`'s concern.
"""

from __future__ import annotations

import glob
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from reporter.errors import SourceUnreadable

if TYPE_CHECKING:
    from collections.abc import Sequence

Format: TypeAlias = Literal["parquet", "jsonl"]

_PARQUET = re.compile(r"\.parquet(\.[a-z0-9]+)?$", re.IGNORECASE)
_JSONL = re.compile(r"\.(?P<kind>jsonl|ndjson|json)(\.(?P<packing>[a-z0-9]+))?$", re.IGNORECASE)
_MANIFEST = re.compile(r"_manifest\.json$", re.IGNORECASE)
_PACKINGS = {None: "none", "gz": "gzip", "gzip": "gzip", "zst": "zstd", "zstd": "zstd"}
_UNPACK_WITH = {
    "br": "brotli --decompress --keep",
    "lz4": "lz4 --decompress --keep",
    "sz": "snzip --decompress --keep",
    "bz2": "bunzip2 --keep",
    "xz": "unxz --keep",
    "zip": "unzip",
}
_REMOTE = re.compile(r"^[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_FORMATS_HINT = "Give Parquet or JSON lines (.jsonl, .jsonl.gz, .jsonl.zst): files, a folder, or a glob."


@dataclass(frozen=True, slots=True, order=True)
class ExportFile:
    """One file of an export."""

    path: str
    """Absolute path, links resolved."""
    format: Format
    packing: str
    """DuckDB's word for the compression of JSON lines; ``none`` for Parquet, which packs itself."""
    layout: str
    """DuckDB's word for how JSON lies in the file: ``newline_delimited``, or ``auto`` for ``.json``."""
    named: bool
    """Whether the user named this very file; a found ``.json`` without events is passed over."""

    @property
    def name(self) -> str:
        """The file's own name, for messages."""
        return Path(self.path).name

    @property
    def may_be_passed_over(self) -> bool:
        """Whether this may be some other ``.json`` that lies beside the export."""
        return self.layout == "auto" and not self.named


def find_files(paths: Sequence[str]) -> tuple[ExportFile, ...]:
    """Find the export files that files, folders and globs stand for.

    Folders are searched recursively; hidden files and manifests are passed over. A file reached on two
    ways is taken once.

    Args:
        paths: Files, folders or globs, in any order.

    Returns:
        The files, sorted by path.

    Raises:
        SourceUnreadable: A path does not exist, holds no export file, or is packed in a way that cannot
            be read.
    """
    if not paths:
        raise SourceUnreadable("no export file was named", hint=_FORMATS_HINT)
    found: dict[str, ExportFile] = {}
    for path in paths:
        for file in _expand(path):
            known = found.get(file.path)
            if known is None or file.named:
                found[file.path] = file
    return tuple(sorted(found.values()))


def _expand(path: str) -> list[ExportFile]:
    if _REMOTE.match(path):
        raise SourceUnreadable(
            "exports are read from files on this machine only", subject=path, hint="Download the files first."
        )
    expanded = os.path.expanduser(path)  # noqa: PTH111 -- lets an unknown ~user stand
    if "\x00" in expanded:
        raise SourceUnreadable("a path cannot hold a null character", subject=path.replace("\x00", "\\0"))
    if os.path.isfile(expanded):  # noqa: PTH113 -- answers False to a name too long, where pathlib raises
        return [_named(expanded)]
    if os.path.isdir(expanded):  # noqa: PTH112 -- the same
        files = [file for file in map(_found, _walk(expanded)) if file]
    elif glob.has_magic(expanded):
        files = _glob(expanded)
    else:
        raise SourceUnreadable("there is no such file or folder", subject=path, hint=_FORMATS_HINT)
    if not files:
        raise SourceUnreadable("no export file was found here", subject=path, hint=_FORMATS_HINT)
    return files


def _glob(pattern: str) -> list[ExportFile]:
    """Expand a glob; folders it names are searched, files it names must look like exports."""
    files: list[ExportFile] = []
    for match in glob.iglob(pattern, recursive=True):  # noqa: PTH207 -- pathlib refuses absolute patterns
        candidates = _walk(match) if Path(match).is_dir() else [match]
        files += [file for file in map(_found, candidates) if file]
    return files


def _walk(folder: str) -> list[str]:
    def refuse(error: OSError) -> None:
        raise SourceUnreadable(
            "this folder cannot be opened", subject=str(error.filename), hint="Check its permissions."
        ) from error

    return [
        str(Path(base) / name)
        for base, _, names in os.walk(folder, onerror=refuse, followlinks=False)
        for name in names
        if not name.startswith(".")
    ]


def _named(path: str) -> ExportFile:
    file = _classify(path, named=True)
    if file is None:
        raise SourceUnreadable("this is not the name of an export file", subject=path, hint=_FORMATS_HINT)
    return file


def _found(path: str) -> ExportFile | None:
    return _classify(path, named=False)


def _classify(path: str, *, named: bool) -> ExportFile | None:
    """Tell from its name how a file is read; ``None`` for names that are no export's."""
    if _MANIFEST.search(path) or not Path(path).is_file():
        return None
    real = os.path.realpath(path)
    if _PARQUET.search(path):
        return ExportFile(path=real, format="parquet", packing="none", layout="", named=named)
    jsonl = _JSONL.search(path)
    if not jsonl:
        return None
    packing = jsonl["packing"].lower() if jsonl["packing"] else None
    if packing not in _PACKINGS:
        if packing not in _UNPACK_WITH:
            return None
        raise SourceUnreadable(
            f"JSON lines packed as .{packing} cannot be read",
            subject=Path(path).name,
            hint=f"Unpack it first: {_UNPACK_WITH[packing]} FILE; or export with gzip, or as Parquet.",
        )
    layout = "auto" if jsonl["kind"].lower() == "json" else "newline_delimited"
    return ExportFile(path=real, format="jsonl", packing=_PACKINGS[packing], layout=layout, named=named)
