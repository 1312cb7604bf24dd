"""`Report` to JSON and back, its schema and its hash.

Numbers carry at most 15 significant digits, those of statistics ten, and are never NaN or infinite; keys
keep the order of the classes, so equal reports are equal bytes.
"""

from __future__ import annotations

import hashlib
import json
import math
from typing import Any

import msgspec

from reporter.errors import UsageError
from reporter.report.document import SCHEMA_VERSION, Report

_ESTIMATED = frozenset({"low", "high", "p_value", "q_value", "confidence", "text_similarity"})
"""Keys whose last digits depend on the processor: each has its own order of adding and logarithms."""


def to_json(report: Report) -> bytes:
    """Write a report as UTF-8 JSON: one key a line, lists of numbers and texts on one line."""
    return _utf8(_indented(_tidy(msgspec.to_builtins(report)), "\n") + "\n")


def from_json(data: bytes | str, *, name: str = "report.json") -> Report:
    """Read a report.

    Args:
        data: The JSON text.
        name: What to call it in an error.

    Raises:
        UsageError: It is not JSON, not a report, or of another schema version.
    """
    try:
        version = msgspec.json.decode(data, type=_Versioned).schema_version
        if version != SCHEMA_VERSION:
            raise UsageError(
                f"it has schema version {version!r}, this reporter reads {SCHEMA_VERSION!r}",
                subject=name,
                hint="Render it with the reporter version that wrote it.",
            )
        return msgspec.json.decode(data, type=Report)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(
            f"this is not a report.json: {error}",
            subject=name,
            hint="Give the report.json that `reporter report` wrote.",
        ) from error


def content_hash(report: Report) -> str:
    """Hash what a report says.

    Returns:
        SHA-256 (lower-case hex) of the compact JSON with sorted keys, without the keys
        ``content_sha256`` and ``files``.
    """
    return _hash(_tidy(msgspec.to_builtins(report)))


def _hash(content: dict[str, Any]) -> str:
    del content["content_sha256"], content["files"]
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(_utf8(text)).hexdigest()


def sealed(report: Report) -> Report:
    """Round every number as `to_json` does and fill in ``content_sha256``.

    What is rendered is the sealed report, so that pages and report.json carry the same numbers.
    """
    tidy = msgspec.convert(_tidy(msgspec.to_builtins(report)), Report)
    return msgspec.structs.replace(tidy, content_sha256=_hash(msgspec.to_builtins(tidy)))


def schema() -> dict[str, Any]:
    """Give the JSON Schema (2020-12) of ``report.json``."""
    made = msgspec.json.schema(Report)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "report.json of reporter",
        **made,
    }


def plain(value: msgspec.Struct) -> Any:
    """Give a value as JSON holds it: numbers rounded as in report.json, what is not finite as ``None``."""
    return _tidy(msgspec.to_builtins(value, enc_hook=str))


class _Versioned(msgspec.Struct):
    schema_version: str


def _utf8(text: str) -> bytes:
    """Encode JSON text; a lone surrogate, which UTF-8 cannot hold, becomes a question mark."""
    return text.encode("utf-8", "replace")


def _indented(value: Any, newline: str) -> str:
    """Write JSON for people to read and diff: thousands of plot points must not be a line each."""
    if isinstance(value, dict) and value:
        inner = newline + " "
        names = (json.dumps(key, ensure_ascii=False) for key in value)
        lines = [
            f"{name}: {_indented(item, inner)}" for name, item in zip(names, value.values(), strict=True)
        ]
        return f"{{{inner}{f',{inner}'.join(lines)}{newline}}}"
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        inner = newline + " "
        return f"[{inner}{f',{inner}'.join(_indented(item, inner) for item in value)}{newline}]"
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _tidy(value: Any, digits: int = 15) -> Any:
    """Round floats to significant digits; a number that is not finite becomes ``None``."""
    if isinstance(value, float):
        return float(f"{value:.{digits}g}") if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _tidy(inner, _digits(key, digits)) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_tidy(inner, digits) for inner in value]
    return value


def _digits(key: str, digits: int) -> int:
    return 10 if key in _ESTIMATED or key.endswith("_interval") else digits
