"""The sentences of a report: computed from numbers, neutral about causes.

A sentence is made from a finding and the section it points into, so that it can be made again after the
section's titles were redacted.
"""

from __future__ import annotations

from reporter import units
from reporter.report import Finding, JobSection, MetricChange, Redaction, Resolved, TransitionEntry

NOUNS = {
    "trace": ("trace", "traces"),
    "generation": ("generation", "generations"),
    "evaluation": ("evaluation", "evaluations"),
}
_NET = ("share-growth-net", "share-growth-bridged")
_LONG, _SHORT = 80, 48
_DRIVEN = {
    1: "Driven by a single trace: without the {} it would have gone the other way.",
    2: "Driven by a few traces: without the two {} it would have gone the other way.",
    3: "Driven by a few traces: without the three {} it would have gone the other way.",
}
_GREATEST = {"mean_cost_usd": "dearest", "mean_latency_s": "slowest", "mean_tokens": "largest"}
_DISSOLVED = 0.5
"""Part of a gone cluster's known items that must be noise now for it to have dissolved."""


def title_of(cluster_id: int, title: str, redaction: Redaction, *, prior: bool = False) -> str:
    """Give the name a cluster goes by at a redaction level."""
    if redaction != "numbers":
        return title
    if cluster_id < 0:
        return "Outliers"
    return f"Prior cluster {cluster_id}" if prior else f"Cluster {cluster_id}"


def sentence(finding: Finding, section: JobSection, *, short: bool = False) -> str:
    """Write a finding as one sentence.

    Args:
        finding: The finding.
        section: The section it belongs to, titles already redacted.
        short: Leave the interval out and cut titles shorter, for a headline.
    """
    width = _SHORT if short else _LONG
    if finding.kind in ("new", "gone", "split", "merged"):
        return _structure(finding, section, width)
    if finding.kind == "coverage":
        return _outside(finding, short=short)
    name = finding.metric or ""
    change = _change(finding, section)
    subject = cluster_title(section, finding.cluster_id, width)
    one, many = NOUNS[section.job.level]
    each = f"an {one}" if one[0] in "aeiou" else f"a {one}"
    whole = finding.cluster_id is None
    probably = "probably " if finding.call == "probably_changed" else ""
    way = {"up": "up", "down": "down", "none": "unchanged"}[finding.direction]
    latest, prior = _write(name, finding.latest), _write(name, finding.prior)
    per = "" if whole else f" {each}"
    slow = f"the slowest 5% of the sampled {many}" if whole else f"the slowest 5% of {subject}"
    told = {
        "mean_cost_usd": f"{subject} costs {latest}{per}",
        "median_cost_usd": f"{subject} typically costs {latest}{per} (median)",
        "mean_latency_s": f"{subject} takes {latest}{per}",
        "median_latency_s": f"{subject} typically takes {latest}{per} (median)",
        "p95_latency_s": f"{slow[0].upper()}{slow[1:]} take {latest} or longer",
        "mean_tokens": f"{subject} uses {latest} tokens{per}",
        "error_rate": f"{latest} of the sampled {many} fail"
        if whole
        else f"{subject} fails in {latest} of its {many}",
        "share": f"{subject} holds {latest} of the sampled {many}",
    }.get(name, f"{subject}: {latest}")
    few = _DRIVEN.get(len(change.driven_by)) if change else None
    driven = f" {few.format(_GREATEST[name])}" if few and name in _GREATEST and not short else ""
    return f"{told}, {probably}{way} from {prior} ({_moved(name, finding, change, short=short)}).{driven}"


def over(found: Resolved, section: JobSection, tz: str) -> str:
    """Write what is over as one sentence."""
    subject = cluster_title(section, found.cluster_id, _LONG)
    now, then, before = (_write(found.metric, value) for value in (found.now, found.then, found.before))
    what = {"cost": "cost", "latency": "latency", "tokens": "tokens", "errors": "error rate"}[found.kind]
    way = "rise" if found.direction == "up" else "fall"
    on = units.day(found.told_at, tz)
    told = f"the {way} from {before} to {then}, told for the run to {on}, is over"
    return f"{subject} is back at {now} ({what}): {told}."


def _outside(finding: Finding, *, short: bool) -> str:
    """Tell of a change in cost that what was clustered cannot explain."""
    more = "more" if finding.direction == "up" else "less"
    amount = units.money(abs(finding.impact_usd or 0.0))
    interval = ""
    if not short and finding.low is not None and finding.high is not None:
        low, high = units.money(finding.low, signed=True), units.money(finding.high, signed=True)
        interval = f" (95% interval {low} to {high})"
    return (
        f"About {amount} {more} than before was probably spent outside what the sample stands for: "
        f"very large traces and busy hours{interval}."
    )


def cluster_title(section: JobSection, cluster_id: int | None, width: int) -> str:
    """Quote a cluster's title; the noise and the whole run are named in plain words."""
    if cluster_id is None:
        return f"The average {NOUNS[section.job.level][0]}"
    if cluster_id < 0:
        return "The group of outliers"
    found = next((c.title for c in section.clusters if c.cluster_id == cluster_id), "")
    return _quoted(found, cluster_id, width)


def _quoted(title: str, cluster_id: int, width: int) -> str:
    return f"“{units.clean(title, width) or f'Cluster {cluster_id} (untitled)'}”"


def _change(finding: Finding, section: JobSection) -> MetricChange | None:
    if finding.cluster_id is None:
        change = section.overall.change if section.overall else None
    else:
        everything = [*section.clusters, *([section.noise] if section.noise else [])]
        change = next((c.change for c in everything if c.cluster_id == finding.cluster_id), None)
    return change.metrics.get(finding.metric or "") if change else None


def _write(metric: str, value: float | None) -> str:
    if metric.endswith("_usd"):
        return units.money(value)
    if metric.endswith("_s"):
        return units.seconds(value)
    return units.tokens(value) if metric == "mean_tokens" else units.percent(value)


def _moved(metric: str, finding: Finding, change: MetricChange | None, *, short: bool) -> str:
    if metric in ("share", "error_rate"):
        difference = change.difference if change else None
        moved = units.points(difference)
        net = " net of re-clustering" if change and change.method in _NET else ""
        if short or finding.low is None or finding.high is None:
            return moved + net
        return f"{moved}{net}; 95% interval {units.points(finding.low)} to {units.points(finding.high)}"
    moved = units.change(finding.prior, finding.latest)
    ratio = change.ratio if change else None
    if short or ratio is None or ratio.low is None or ratio.high is None:
        return moved
    return f"{moved}; 95% interval {units.change(1.0, ratio.low)} to {units.change(1.0, ratio.high)}"


def _structure(finding: Finding, section: JobSection, width: int) -> str:
    many = NOUNS[section.job.level][1]
    sure = finding.call == "changed"
    if finding.kind == "new":
        cluster = next((c for c in section.clusters if c.cluster_id == finding.cluster_id), None)
        held = (
            f": {units.count(cluster.size)} {many}, {units.percent(cluster.share)} of the run"
            if cluster
            else ""
        )
        return f"{cluster_title(section, finding.cluster_id, width)} {'is' if sure else 'looks'} new{held}."
    if finding.kind == "gone":
        gone = next((g for g in section.gone if g.prior_cluster_id == finding.prior_cluster_id), None)
        name = _quoted(gone.title, gone.prior_cluster_id, width) if gone else "A cluster"
        held = (
            f": it held {units.percent(finding.prior)} of the {many} before"
            if finding.prior is not None
            else ""
        )
        lost = next(
            (t.noise_share for t in section.transitions if t.prior == [finding.prior_cluster_id]), None
        )
        if lost is not None and lost >= _DISSOLVED:
            return f"{name} {'' if sure else 'probably '}dissolved into the outliers{held}."
        return f"{name} {'is' if sure else 'seems'} gone{held}."
    entry = next(
        (t for t in section.transitions if t.kind == finding.kind and finding.cluster_id in t.latest), None
    )
    if entry is None:
        return f"{cluster_title(section, finding.cluster_id, width)} {finding.kind}."
    return _regrouped(entry, section, width, "" if sure else "probably ")


def _regrouped(entry: TransitionEntry, section: JobSection, width: int, probably: str) -> str:
    old = {p.prior_cluster_id: p for p in section.prior_clusters}
    prior = [_quoted(old[i].title, i, width) if i in old else f"“Cluster {i}”" for i in entry.prior]
    latest = [cluster_title(section, i, width) for i in entry.latest]
    if entry.kind == "split":
        return f"{prior[0]} {probably}split into {_listed(latest)}."
    return f"{_listed(prior)} {probably}merged into {latest[0]}."


def _listed(names: list[str]) -> str:
    shown = names if len(names) <= 3 else [*names[:2], f"{len(names) - 2} more"]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
