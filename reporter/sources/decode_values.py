"""Untrusted single values: JSON text, numbers, words, identifiers, and the list of what is wrong.

Every reader takes the value and where it stands, gives something of a safe type, and writes a fault
instead of raising, so that one pass finds all faults. Nothing here recurses without a bound.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from reporter.sources.base import MAX_FIGURE
from reporter.sources.times import parse_instant
from reporter.units import clean

if TYPE_CHECKING:
    from datetime import datetime

Where: TypeAlias = tuple[str | int | tuple[str], ...]
"""A path below ``$``: a name, an index, or a dictionary key (wrapped in a tuple of its own)."""

MAX_JSON_CHARS = 64 * 2**20
"""Characters of the longest JSON text that is parsed; the largest run PostHog can make has 4 million."""
MAX_FAULTS = 1_000
"""Faults kept; the rest is counted."""
MAX_IDENTIFIER = 300
MAX_TITLE = 2_000
MAX_DESCRIPTION = 20_000
"""Characters kept of identifiers (longer is a fault), titles and descriptions (longer is cut)."""
MAX_WHOLE = 2**53 - 1
"""The largest whole number every JSON reader keeps; beyond it the last digits are anybody's."""

_MAX_NUMBER_CHARS = 64
_MAX_LAYERS = 3
_MAX_DEPTH = 16
_MAX_NODES = 20_000
_SURROGATE = re.compile("[\ud800-\udfff]")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")


class ExcessError(ValueError):
    """A value nested deeper, or holding more, than anything PostHog writes."""


class Faults:
    """Everything found wrong with one payload, in the order found."""

    __slots__ = ("_lines", "_more")

    def __init__(self) -> None:
        """Begin with nothing found."""
        self._lines: list[str] = []
        self._more = 0

    def __len__(self) -> int:
        """Count what was found."""
        return len(self._lines) + self._more

    @property
    def lines(self) -> tuple[str, ...]:
        """One line a fault, ``$.path: reason``; past `MAX_FAULTS` a last line counts the others."""
        if self._more:
            return (*self._lines, f"$: and {self._more:,} more faults")
        return tuple(self._lines)

    def add(self, where: Where, reason: str) -> None:
        """Note one fault.

        Args:
            where: Path of the value.
            reason: What is wrong with it, without control characters.
        """
        if len(self._lines) < MAX_FAULTS:
            self._lines.append(f"{path(where)}: {reason}")
        else:
            self._more += 1

    def number(self, value: object, where: Where, name: str, most: float = MAX_FIGURE) -> float | None:
        """Read a number, also one written as text.

        Returns:
            A number of at most `most` either way. ``None`` for a missing value, ``""``, NaN and infinity
            (which mean that PostHog had nothing to say), for one that is too large, and for a fault.
        """
        if type(value) is float:  # the hot path: most numbers of a run take this exit
            return value if abs(value) <= most else None
        if value is None:
            return None
        number = _as_float(value)
        if number is None and not _is_blank(value):
            self.add((*where, name), f"not a number but {shown(value)}")
            return None
        return number if number is not None and abs(number) <= most else None

    def whole(self, value: object, where: Where, name: str, low: int = 0) -> int | None:
        """Read a whole number of at least `low`, also ``"1500"``, ``1500.0`` and ``"1500.0"``.

        Returns:
            The number; ``None`` for a missing value, ``""``, NaN and infinity, and for a fault.
        """
        if type(value) is int and low <= value <= MAX_WHOLE:
            return value
        number = self.number(value, where, name, most=sys.float_info.max)
        if number is None:
            return None
        if not number.is_integer() or not low <= number <= MAX_WHOLE:
            self.add((*where, name), f"not a whole number of at least {low} but {shown(value)}")
            return None
        return int(number)

    def text(self, value: object, where: Where, name: str, limit: int) -> str:
        """Read words: encodable text of at most `limit` characters, the cut marked by an ellipsis.

        Returns:
            The text; ``""`` for a missing value and for a fault. Numbers become text.
        """
        if value is None:
            return ""
        text = as_text(value)
        if text is None:
            self.add((*where, name), f"not text but {shown(value)}")
            return ""
        # Cut before anything walks through it: ten megabytes then cost no more than the limit.
        return encodable(text) if len(text) <= limit else encodable(text[: limit - 1]) + "\u2026"

    def identifier(self, value: object, where: Where, name: str) -> str:
        """Read an id: text that must not be cut and has no control characters.

        Returns:
            The id without outer white space; ``""`` for a missing one and for a fault.
        """
        if value is None:
            return ""
        text = as_text(value)
        if text is None:
            self.add((*where, name), f"not text but {shown(value)}")
        elif len(text) > MAX_IDENTIFIER:
            self.add((*where, name), f"{len(text):,} characters; an id has at most {MAX_IDENTIFIER}")
        elif _CONTROL.search(text.strip()):
            self.add((*where, name), f"holds control characters: {shown(text)}")
        else:
            return encodable(text.strip())
        return ""

    def instant(self, value: object, where: Where, name: str) -> datetime | None:
        """Read a timestamp that may be unknown.

        Returns:
            An aware UTC time; ``None`` where there is none or it cannot be read. Only a value that
            can be no timestamp at all (an object, a list, true) is a fault.
        """
        if value is None or value == "":
            return None
        if isinstance(value, (bool, Mapping, list, tuple)):
            self.add((*where, name), f"not a time but {shown(value)}")
            return None
        return parse_instant(value)

    def native(self, value: object, where: Where) -> Any:
        """Unpack JSON text, also text that was encoded twice.

        Returns:
            The native value; ``None`` for a missing value, for ``""`` and for a fault.
        """
        for _ in range(_MAX_LAYERS):
            if not isinstance(value, str):
                return value
            if not value.strip():
                return None
            try:
                value = loads(value)
            except ExcessError as error:
                self.add(where, str(error))
                return None
            except ValueError:
                self.add(where, f"not JSON: {shown(value)}")
                return None
        if isinstance(value, str):
            self.add(where, f"still text after {_MAX_LAYERS} layers of JSON: {shown(value)}")
            return None
        return value


def loads(text: str) -> Any:
    """Parse JSON text, tolerating what Python's own writer gets wrong.

    ``NaN`` and ``Infinity`` become ``None``; lone surrogates stay for `encodable` to replace.

    Raises:
        ExcessError: The text is too long, or nested too deeply.
        ValueError: The text is not JSON.
    """
    if len(text) > MAX_JSON_CHARS:
        raise ExcessError(f"{len(text):,} characters of JSON, more than the {MAX_JSON_CHARS:,} that are read")
    try:
        return msgspec.json.decode(text)
    except (ValueError, RecursionError):  # strict, so it refuses NaN, 1e999 and surrogates
        pass
    try:
        return json.loads(text, parse_constant=_nothing)
    except RecursionError:
        raise ExcessError("nested too deeply") from None


def plain(value: object) -> Any:
    """Copy a JSON value so that it can be written again, byte for byte the same for equal input.

    Keys are sorted (PostHog's storage keeps no order), text is made encodable and cut, NaN and
    infinity become ``None``.

    Raises:
        ExcessError: The value is nested too deeply or holds too much.
    """
    budget = _MAX_NODES

    def copy(value: object, depth: int) -> Any:
        nonlocal budget
        budget -= 1
        if budget < 0 or depth > _MAX_DEPTH:
            raise ExcessError("nested too deeply" if budget >= 0 else "holds too many values")
        if isinstance(value, Mapping):
            pairs = ((_cut(str(key)), item) for key, item in value.items())
            return {key: copy(item, depth + 1) for key, item in sorted(pairs, key=lambda pair: pair[0])}
        if isinstance(value, (list, tuple)):
            return [copy(item, depth + 1) for item in value]
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int):
            return value if abs(value) <= MAX_WHOLE else None
        if isinstance(value, float):
            return value if math.isfinite(value) else None
        return _cut(str(value))

    return copy(value, 0)


def as_text(value: object) -> str | None:
    """Give text as it is and a number or truth value in words; ``None`` for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(value) if math.isfinite(value) else ""
    if isinstance(value, int) and abs(value) <= MAX_WHOLE:  # str() refuses thousands of digits
        return str(value)
    return None


def encodable(text: str) -> str:
    """Join split surrogate pairs and replace lone surrogates by U+FFFD, so that UTF-8 can hold the text."""
    if text.isascii() or not _SURROGATE.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def path(where: Where) -> str:
    """Write a path the way faults are read: ``$.clusters[3].traces["abc"].rank``."""
    steps = ["$"]
    for step in where:
        if isinstance(step, tuple):
            steps.append(f"[{quoted(step[0], 80)}]")
        else:
            steps.append(f"[{step}]" if isinstance(step, int) else f".{step}")
    return "".join(steps)


def quoted(text: str, limit: int) -> str:
    """Quote untrusted text on one line, cleaned and cut to `limit` characters."""
    return json.dumps(clean(text, limit), ensure_ascii=False)


def shown(value: object) -> str:
    """Name an untrusted value in a few harmless words."""
    if isinstance(value, str):
        return quoted(value, 60) if value[:1_000].strip() else "empty text"
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value) if abs(value) <= MAX_WHOLE or isinstance(value, float) else "a number too large"
    if isinstance(value, Mapping):
        return "an object"
    return "a list" if isinstance(value, (list, tuple)) else f"a {type(value).__name__}"


def _as_float(value: object) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        # Beyond 2^53 a whole number has lost digits on its way; beyond 2^1024 float() would raise.
        return float(value) if isinstance(value, float) or abs(value) <= 10**300 else None
    if isinstance(value, str) and len(value) <= _MAX_NUMBER_CHARS and "_" not in value and value.isascii():
        try:
            return float(value)
        except ValueError:
            return None
    return None


def _is_blank(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _MAX_NUMBER_CHARS and not value.strip()


def _cut(text: str) -> str:
    return encodable(text) if len(text) <= MAX_TITLE else encodable(text[: MAX_TITLE - 1]) + "\u2026"


def _nothing(_: str) -> None:
    return None
