"""Whether a Zstandard file is all there, told from its frames without unpacking them.

DuckDB takes the end of a cut file for the end of its data, and what is missing would be missed by nobody.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

_FRAME = 0xFD2FB528
_SKIPPABLE = range(0x184D2A50, 0x184D2A60)
_DICTIONARY_BYTES = (0, 1, 2, 4)
_CONTENT_BYTES = (0, 2, 4, 8)
_RLE = 1


def is_whole(path: str) -> bool:
    """Walk the frames of a file.

    Args:
        path: A file said to be Zstandard.

    Returns:
        False where the last frame ends early, where the file is empty, or where it is something else.

    References:
        RFC 8878, sections 3.1.1 (frames, blocks) and 3.1.2 (skippable frames).
    """
    size = Path(path).stat().st_size
    if size == 0:
        return False
    with Path(path).open("rb") as file:
        while file.tell() < size:
            if not _skip_frame(file) or file.tell() > size:
                return False
    return True


def _skip_frame(file: BinaryIO) -> bool:
    magic = _number(file, 4)
    if magic in _SKIPPABLE:
        length = _number(file, 4)
        return length is not None and file.seek(length, 1) > 0
    descriptor = _number(file, 1)
    if magic != _FRAME or descriptor is None:
        return False
    single = descriptor >> 5 & 1
    content = _CONTENT_BYTES[descriptor >> 6] or single
    file.seek((not single) + _DICTIONARY_BYTES[descriptor & 3] + content, 1)
    last = False
    while not last:
        block = _number(file, 3)
        if block is None:
            return False
        last = bool(block & 1)
        file.seek(1 if block >> 1 & 3 == _RLE else block >> 3, 1)
    file.seek(4 if descriptor >> 2 & 1 else 0, 1)  # a checksum
    return True


def _number(file: BinaryIO, length: int) -> int | None:
    """Read a little-endian number; ``None`` at the end of the file."""
    data = file.read(length)
    return int.from_bytes(data, "little") if len(data) == length else None
