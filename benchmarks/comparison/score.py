"""What the product said about a pair of runs, held against the truth."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from benchmarks.comparison.world import STRUCTURAL, Drawn, World, expected
from reporter.report import Change, Finding, JobSection, MetricChange

METRIC_KINDS = ("share", "cost", "latency", "tokens", "errors")
KIND_OF = {
    "share": "share",
    "mean_cost_usd": "cost",
    "mean_latency_s": "latency",
    "mean_tokens": "tokens",
    "error_rate": "errors",
    "median_cost_usd": "cost",
    "median_latency_s": "latency",
    "p95_latency_s": "latency",
}
_MEANS = ("share", "mean_cost_usd", "mean_latency_s", "mean_tokens", "error_rate")
_CALLED = ("probably_changed", "changed")
CLASSES = ("continued", "split", "merged", "new", "gone")


@dataclass(slots=True)
class Truth:
    """Which clusters really belong together, and what became of them."""

    links: set[tuple[int, int]]
    latest: dict[int, str]
    prior: dict[int, str]

    def only(self, latest_id: int) -> int | None:
        """Give the one prior cluster a latest one continues."""
        if self.latest.get(latest_id) != "continued":
            return None
        return next(a for a, b in self.links if b == latest_id)


@dataclass(slots=True)
class Tally:
    """Counts over many pairs; `Counter` keys are named where they are filled."""

    pairs: int = 0
    hits: int = 0
    said: int = 0
    true: int = 0
    moves: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """(side, truth, said) → clusters."""
    alarms: Counter[str] = field(default_factory=Counter)
    """Kind of false alarm → reports that hold one."""
    power: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(event, planted | possible | found | certain) → events."""
    cover: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """(estimate, topic | cluster | planted, all | held) → intervals."""
    calls: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(call, right | small | wrong | mislinked) → metric findings of clusters."""
    sure: Counter[tuple[int, str]] = field(default_factory=Counter)
    """(confidence in tenths, all | right) → links."""
    structural: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(call, right | wrong) → findings on clusters that came, went, split or merged."""
    seconds: list[float] = field(default_factory=list)
    examples: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Category → what was said and what was true."""


def truth(prior: Drawn, latest: Drawn) -> Truth:
    """Read the truth off the units of the clusters."""
    return _words(
        {(a, b) for a, mine in prior.units.items() for b, theirs in latest.units.items() if mine & theirs},
        prior,
        latest,
    )


def _words(links: set[tuple[int, int]], prior: Drawn, latest: Drawn) -> Truth:
    """Tell what became of every cluster from its links."""
    children, parents = Counter(a for a, _ in links), Counter(b for _, b in links)
    now = {b: "new" if not parents[b] else "merged" if parents[b] > 1 else "continued" for b in latest.units}
    before = {
        a: "gone" if not children[a] else "split" if children[a] > 1 else "continued" for a in prior.units
    }
    for a, b in links:
        if now[b] == "continued" and children[a] > 1:
            now[b] = "split"
        if before[a] == "continued" and parents[b] > 1:
            before[a] = "merged"
    return Truth(links, now, before)


def score_links(tally: Tally, runs: tuple[Drawn, Drawn], said: set[tuple[int, int]]) -> None:
    """Add what some other matching says of a pair: its links, and the transitions that follow from them."""
    prior, latest = runs
    real = truth(prior, latest)
    tally.pairs += 1
    tally.hits += len(said & real.links)
    tally.said += len(said)
    tally.true += len(real.links)
    told = _words(said, prior, latest)
    for side, words, known in (("latest", told.latest, real.latest), ("prior", told.prior, real.prior)):
        for cluster_id, wanted in known.items():
            tally.moves[side, wanted, words[cluster_id]] += 1


def score(
    tally: Tally,
    name: str,
    made: World,
    runs: tuple[Drawn, Drawn],
    section: JobSection,
    found: list[Finding],
) -> None:
    """Add one compared pair to the counts.

    Args:
        tally: The counts.
        name: What to call the pair in examples.
        made: The world both runs come from.
        runs: Prior, latest.
        section: What the product built.
        found: What the product put before the reader.
    """
    prior, latest = runs
    real = truth(prior, latest)
    tally.pairs += 1
    _links(tally, name, runs, real, section)
    right = {
        c.cluster_id: only
        for c in section.clusters
        if c.change is not None
        and c.change.transition in ("continued", "renamed")
        and (only := real.only(c.cluster_id)) is not None
        and c.change.prior_cluster_ids == [only]
    }
    _coverage(tally, made, runs, section, right)
    _calls(tally, name, made, runs, right, found)
    _structural(tally, name, real, section, found)
    if made.events:
        _power(tally, name, made, runs, real, found)
    else:
        _alarms(tally, found)


def _title(section: JobSection, cluster_id: int | None) -> str:
    return next((c.title for c in section.clusters if c.cluster_id == cluster_id), str(cluster_id))


def _links(tally: Tally, name: str, runs: tuple[Drawn, Drawn], real: Truth, section: JobSection) -> None:
    said = {
        (link.prior_cluster_id, c.cluster_id): link
        for c, change in _changed(section)
        for link in change.links
    }
    tally.hits += len(said.keys() & real.links)
    tally.said += len(said)
    tally.true += len(real.links)
    for pair, link in said.items():
        tenth = min(9, int(link.confidence * 10))
        tally.sure[tenth, "all"] += 1
        tally.sure[tenth, "right"] += pair in real.links
    words = {c.cluster_id: c.change.transition for c in section.clusters if c.change is not None}
    before = {c.prior_cluster_id: c.transition for c in section.prior_clusters}
    titles = {c.cluster_id: (c.title, c.size) for c in runs[0].run.clusters}
    for side, told, known in (("latest", words, real.latest), ("prior", before, real.prior)):
        for cluster_id, wanted in known.items():
            got = "continued" if told[cluster_id] == "renamed" else told[cluster_id]
            tally.moves[side, wanted, got] += 1
            if got == wanted:
                continue
            mine = [pair for pair in said if pair[side == "latest"] == cluster_id]
            theirs = [pair for pair in real.links if pair[side == "latest"] == cluster_id]
            spoken = _title(section, cluster_id) if side == "latest" else titles[cluster_id]
            extra = [
                f"{'extra' if pair in said else 'missed'} {pair} {_facts(runs, pair)}"
                + (f" conf {said[pair].confidence:.2f} {said[pair].evidence}" if pair in said else "")
                for pair in sorted({*mine} ^ {*theirs})
            ]
            tally.examples[f"{wanted} told as {got}"].append(f"{name} {side} {spoken!r}: {'; '.join(extra)}")


def _facts(runs: tuple[Drawn, Drawn], pair: tuple[int, int]) -> str:
    """Describe both clusters of a pair by title, size and items they share."""
    a, b = (next(c for c in run.run.clusters if c.cluster_id == i) for run, i in zip(runs, pair, strict=True))
    both = len({i.key for i in a.items} & {i.key for i in b.items})
    return f"{a.title!r} ({a.size}) → {b.title!r} ({b.size}), {both} items in both"


def _changed(section: JobSection) -> list[tuple[object, Change]]:
    return [(c, c.change) for c in section.clusters if c.change is not None]


def _value(change: MetricChange, metric: str, before: dict[str, float], now: dict[str, float]) -> bool | None:
    """Say whether the interval holds the truth; ``None`` without an interval or a known truth."""
    kind = KIND_OF[metric]
    if metric == "error_rate":
        if change.low is None or change.high is None:
            return None
        return change.low <= now[kind] - before[kind] <= change.high
    if change.ratio is None or change.ratio.low is None or change.ratio.high is None:
        return None
    if metric not in _MEANS and abs(math.log(now[kind] / before[kind])) > 1e-9:
        return None
    return change.ratio.low <= now[kind] / before[kind] <= change.ratio.high


def _coverage(
    tally: Tally, made: World, runs: tuple[Drawn, Drawn], section: JobSection, right: dict[int, int]
) -> None:
    latest = runs[1]
    whole = section.overall.change if section.overall else None
    for metric, change in (whole.metrics if whole else {}).items():
        if metric in _MEANS:
            ends = [expected(made, run.end, None) for run in runs]
            _add(tally, f"run {metric}", "topic", _value(change, metric, *ends))
    for cluster, change in _changed(section):
        only = right.get(cluster.cluster_id)
        if only is None:
            continue
        units = latest.units[cluster.cluster_id]
        plain = [expected(made, run.end, units) for run in runs]
        strayed = [expected(made, run.end, units, run) for run in runs]
        for metric, told in change.metrics.items():
            _add(tally, metric, "topic", _value(told, metric, *plain))
            if metric in _MEANS:
                _add(tally, metric, "cluster", _value(told, metric, *strayed))
                if _moved(KIND_OF[metric], *plain) > 1.1:
                    _add(tally, metric, "planted", _value(told, metric, *plain))


def _add(tally: Tally, metric: str, against: str, held: bool | None) -> None:  # noqa: FBT001
    if held is not None:
        tally.cover[metric, against, "all"] += 1
        tally.cover[metric, against, "held"] += held


def _moved(kind: str, before: dict[str, float], now: dict[str, float]) -> float:
    """Give by what factor a figure really changed, at least 1; for errors 1 + 10 times the points."""
    if kind == "errors":
        return 1 + 10 * abs(now[kind] - before[kind])
    return math.exp(abs(math.log(now[kind] / before[kind])))


def _calls(
    tally: Tally,
    name: str,
    made: World,
    runs: tuple[Drawn, Drawn],
    right: dict[int, int],
    found: list[Finding],
) -> None:
    latest = runs[1]
    for one in found:
        if one.kind not in METRIC_KINDS or one.cluster_id is None or one.cluster_id < 0:
            continue
        result = "mislinked"
        about = ""
        if one.cluster_id in right:
            units = latest.units[one.cluster_id]
            before, now = (expected(made, run.end, units) for run in runs)
            same_way = (now[one.kind] > before[one.kind]) == (one.direction == "up")
            factor = _moved(one.kind, before, now)
            result = (
                "right" if same_way and factor > 1.1 else "small" if same_way and factor > 1.03 else "wrong"
            )
            about = f"true {before[one.kind]:.4g} → {now[one.kind]:.4g}"
        tally.calls[one.call, result] += 1
        if result in ("wrong", "mislinked"):
            size = next(c.size for c in latest.run.clusters if c.cluster_id == one.cluster_id)
            tally.examples[f"{one.call}, {result}"].append(
                f"{name} ({size} items, q {one.q_value or 0:.3g}) {one.sentence} {about}"
            )


def _structural(tally: Tally, name: str, real: Truth, section: JobSection, found: list[Finding]) -> None:
    for one in found:
        if one.kind not in STRUCTURAL:
            continue
        if one.kind == "gone":
            wanted = real.prior.get(one.prior_cluster_id or 0)
        else:
            wanted = real.latest.get(one.cluster_id or 0)
        tally.structural[one.call, "right" if wanted == one.kind else "wrong"] += 1
        if wanted != one.kind:
            sure = [t.confidence for t in section.transitions if t.kind == one.kind]
            text = f"{name} {one.sentence} true: {wanted}; confidences {[round(s, 2) for s in sure]}"
            tally.examples[f"{one.call} {one.kind}, wrong"].append(text)


def _power(
    tally: Tally,
    name: str,
    made: World,
    runs: tuple[Drawn, Drawn],
    real: Truth,
    found: list[Finding],
) -> None:
    prior, latest = runs
    for event in made.events:
        mine = {2 * topic + half for topic in event.topics for half in (0, 1)}
        now = {i for i, units in latest.units.items() if units & mine}
        before = {i for i, units in prior.units.items() if units & mine}
        kind = event.kind
        tally.power[kind, "planted"] += 1
        if kind == "renamed":
            continue
        states = {real.prior[i] for i in before} if kind == "gone" else {real.latest[i] for i in now}
        if states != ({kind} if kind in STRUCTURAL else {"continued"}):
            continue  # the sample holds too little of it
        tally.power[kind, "possible"] += 1
        told = [
            one
            for one in found
            if one.kind == kind
            and (one.prior_cluster_id in before if kind == "gone" else one.cluster_id in now)
            and (kind in STRUCTURAL or one.direction == "up")
        ]
        tally.power[kind, "found"] += bool(told)
        tally.power[kind, "certain"] += any(one.call == "changed" for one in told)
        if not told:
            sizes = [c.size for c in latest.run.clusters if c.cluster_id in now]
            were = [c.size for c in prior.run.clusters if c.cluster_id in before]
            tally.examples[f"{kind} missed"].append(f"{name} {sorted(mine)} sizes {were} → {sizes}")


def _alarms(tally: Tally, found: list[Finding]) -> None:
    metric = [one for one in found if one.kind in METRIC_KINDS]
    for kind in METRIC_KINDS:
        tally.alarms[kind] += any(one.kind == kind for one in metric)
    for estimate in {one.metric for one in metric if one.metric}:
        tally.alarms[estimate] += 1
    tally.alarms["any metric"] += bool(metric)
    tally.alarms["metric headline"] += any(one.call == "changed" for one in metric)
    news = [one for one in found if one.kind in STRUCTURAL]
    tally.alarms["any structural"] += bool(news)
    tally.alarms["structural headline"] += any(one.call == "changed" for one in news)
    tally.alarms["coverage"] += any(one.kind == "coverage" for one in found)
    tally.alarms["noise share"] += any(one.kind == "noise" for one in found)
