"""The verdict of an incident in words: what was shown, never a cause."""

from __future__ import annotations

from reporter import units
from reporter.report import Effect, Incident, VerdictWord


def verdict_and_headline(incident: Incident, tz: str) -> tuple[VerdictWord, str]:
    """Give the verdict and one sentence for it; no title is in it, so that it needs no redaction.

    Args:
        incident: What was measured.
        tz: Zone of the times shown.
    """
    affected = [c for c in incident.clusters if c.verdict == "affected"]
    overall = incident.overall
    if affected:
        known = len(incident.clusters)
        who = f"{len(affected)} of {units.plural(known, 'cluster')} failed more than usual"
        return "changed", f"{who}, {_when(incident, tz)}: {_excess(overall)}."
    if overall.p_value is None:
        return "not_enough_data", f"Too few calls before it to say what is usual: {_counted(overall)}."
    if overall.onset_at is not None:
        where = "no run covers the time" if incident.status == "no_run" else "no cluster alone shows it"
        return "changed", f"Calls failed more than usual, {_when(incident, tz)}: {_excess(overall)}; {where}."
    return "no_clear_change", f"Calls did not fail more than usual: {_counted(overall)}."


def _when(incident: Incident, tz: str) -> str:
    if incident.onset_at is None:
        return "at a time not known"
    if incident.recovered_at is None:
        return f"since {units.moment(incident.onset_at, tz)}, no end shown"
    return units.period(incident.onset_at, incident.recovered_at, tz)


def _excess(effect: Effect) -> str:
    excess = effect.excess_failed
    if excess is None or excess.low <= 0:  # one cluster may have broken while all together fail as usual
        return _counted(effect)
    expected = effect.during.failed - excess.value
    # The interval is that of the expected number: what failed is known.
    low, high = (max(0, round(value)) for value in (excess.low, excess.high))
    return (
        f"{units.count(effect.during.failed)} of {units.count(effect.during.calls)} calls failed, about "
        f"{units.count(round(excess.value))} more than the {units.count(round(expected))} to be expected "
        f"(95% {units.count(low)} to {units.count(high)})"
    )


def _counted(effect: Effect) -> str:
    during, before = effect.during, effect.before
    return (
        f"{units.of(during.failed, during.calls)} calls ({units.percent(during.failed_share)}) failed, "
        f"{units.percent(before.failed_share)} before"
    )
