"""What a run ended with: files and verdict on standard output, trouble on standard error, an exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reporter import units
from reporter.cli.console import clean
from reporter.errors import SourceError

if TYPE_CHECKING:
    from reporter.cli.console import Console
    from reporter.config import Settings
    from reporter.pipeline import Outcome

GATE_FAILED = 1
_PRECEDENCE = (70, 2, 6, 5, 3, 4)
"""Which exit code tells most where several things went wrong: a document missing before data missing."""
_WARNINGS_SHOWN = 5
_STATES = {
    "sent": "sent",
    "already": "nothing to do",
    "skipped": "not sent",
    "unknown": "not sent",
    "would_send": "would be sent",
    "failed": "not sent",
}


def tell(outcome: Outcome, settings: Settings, console: Console) -> int:
    """Print what a run made and what went wrong.

    Args:
        outcome: What the pipeline gave back.
        settings: The settings it ran with.
        console: Where to print.

    Returns:
        The exit code.
    """
    code = exit_code(outcome, settings)
    if settings.as_json:
        console.value(_as_json(outcome, code))
    else:
        for receipt in outcome.receipts:
            console.document(f"{clean(receipt.path)}  {size(receipt.size_bytes)}\n")
        console.result(outcome.report.headline, strong=True)
        for delivery in outcome.deliveries:
            console.document(f"{clean(delivery.to)}  {_STATES[delivery.state]}{_detail(delivery.detail)}\n")
    for note in outcome.notes:
        console.warning(note)
    caveats = outcome.report.warnings
    for caveat in caveats[:_WARNINGS_SHOWN]:
        console.warning(caveat.message)
    if len(caveats) > _WARNINGS_SHOWN:
        console.warning(f"{units.plural(len(caveats) - _WARNINGS_SHOWN, 'more warning')}: see the report.")
    for problem in outcome.problems:
        console.error(problem)
    if settings.strict and caveats and not outcome.problems:
        found = units.plural(len(caveats), "warning")
        console.error(
            SourceError(f"the report carries {found}", subject="--strict", hint="They are listed above.")
        )
    return code


def exit_code(outcome: Outcome, settings: Settings) -> int:
    """Settle the exit code: trouble first, then failed gates, then success."""
    codes = {problem.exit_code for problem in outcome.problems}
    if settings.strict and outcome.report.warnings:
        codes.add(SourceError.exit_code)
    if codes:
        return next((code for code in _PRECEDENCE if code in codes), max(codes))
    return GATE_FAILED if any(gate.fails for gate in outcome.report.gates) else 0


def size(length: int) -> str:
    """Write a length in bytes for people: ``812 B``, ``98 kB``, ``1.2 MB`` (powers of 1,000)."""
    if length < 1_000:
        return f"{length} B"
    if length < 999_500:
        return f"{length / 1e3:.0f} kB"
    return f"{length / 1e6:.1f} MB"


def _detail(text: str) -> str:
    return f": {clean(text)}" if text else ""


def _as_json(outcome: Outcome, code: int) -> dict[str, object]:
    report = outcome.report
    return {
        "exit_code": code,
        "verdict": report.verdict,
        "headline": report.headline,
        "content_sha256": report.content_sha256,
        "files": [
            {"name": r.name, "path": r.path, "size_bytes": r.size_bytes, "sha256": r.sha256}
            for r in outcome.receipts
        ],
        "deliveries": [{"to": d.to, "state": d.state, "detail": d.detail} for d in outcome.deliveries],
        "warnings": [{"code": w.code, "job_id": w.job_id, "message": w.message} for w in report.warnings],
        "notes": list(outcome.notes),
        "problems": [
            {"exit_code": p.exit_code, "message": p.message, "subject": p.subject, "hint": p.hint}
            for p in outcome.problems
        ],
    }
