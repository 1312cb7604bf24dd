"""A made-up project whose truth is known: use cases with traffic, cost and errors, clustered again daily."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmarks.comparison.wording import Topic, label, topics
from reporter.analysis.section import SectionInput
from reporter.analysis.selection import JobRuns, choose_prior
from reporter.model import (
    NOISE,
    Cluster,
    Item,
    ItemMetrics,
    Job,
    MemberCluster,
    Membership,
    Run,
    RunHeader,
    Totals,
    Window,
)

Values: TypeAlias = NDArray[np.float64]
Generator: TypeAlias = np.random.Generator
KINDS = ("split", "cost", "merged", "errors", "new", "share", "gone", "renamed")
STRUCTURAL = ("split", "merged", "new", "gone")
LENGTH, DAYS = 7, 14
BACKGROUND = 0.05
"""Traffic that belongs to no use case."""
LEAST = 8
"""Smallest cluster; less is noise."""
_EPOCH = datetime(2026, 3, 2, tzinfo=UTC)
_JOB = "0d2f6c1e-58f3-4b7a-9d1c-7a3e5b9c2f10"
MEASURES = ("cost", "latency", "tokens", "errors")


@dataclass(frozen=True, slots=True)
class Event:
    """Something that really changed after the prior run."""

    kind: str
    topics: tuple[int, ...]
    """Places in the world's topics; two for a merge."""
    at: int
    """Run end from which a change of the clustering shows, in days."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A run with its truth."""

    run: Run
    rows: tuple[ItemMetrics, ...]
    totals: Totals
    units: dict[int, frozenset[int]]
    """Cluster id → the (topic, half) units it is made of."""
    end: int
    leak: Values
    """Per topic: part of its items that went to the neighbour."""
    lost: Values
    """Per topic: part of its items that went to noise."""

    @property
    def membership(self) -> Membership:
        """The run as the product fetches it between two others."""
        return Membership(
            self.run.header.run_id,
            tuple(
                MemberCluster(c.cluster_id, c.title, c.description, tuple(sorted(i.key for i in c.items)))
                for c in self.run.clusters
            ),
        )


@dataclass(slots=True)
class World:
    """One invented project over two weeks. Units are numbered twice the topic's place plus the half."""

    topics: list[Topic]
    neighbour: list[int]
    events: list[Event]
    gap: int
    stick: float
    swallow: float
    """Chance that a topic loses 15 to 35 % of its items to its neighbour in a run."""
    sample: int
    rates: Values
    """Expected items, (units + background, days)."""
    means: dict[str, Values]
    """Measure → expected value of an item, same shape."""
    pool: dict[str, NDArray[np.generic]] = field(default_factory=dict)
    """All items: unit, day, border score and the four measures."""


def world(rng: Generator, gap: int, kinds: tuple[str, ...], stick: float, swallow: float) -> World:
    """Invent a project.

    Args:
        rng: Fixes everything.
        gap: Days between the two runs.
        kinds: Events to plant, each on topics of its own.
        stick: Probability that a label repeats its canonical wording.
        swallow: Chance that a topic loses a good part of its items to its neighbour in a run.
    """
    chosen, neighbour = _choose(rng)
    count = len(chosen)
    shares = np.maximum(rng.lognormal(0, 0.6, count), 0.0)
    shares = np.maximum(shares / shares.sum(), 0.03)
    shares *= (1 - BACKGROUND) / shares.sum()
    volume = float(rng.uniform(120, 280))
    half = rng.uniform(0.35, 0.65, count)
    base = np.append(np.stack([shares * half, shares * (1 - half)], axis=1).ravel(), BACKGROUND)
    rates = np.repeat((base * volume)[:, None], DAYS, axis=1)
    shape = (len(base), 1)
    spread = np.repeat(rng.uniform(0.5, 1.1, count + 1), 2)[: len(base), None]
    centre = np.repeat(rng.normal(-4.2, 0.8, count + 1), 2)[: len(base), None]
    centre = centre + rng.normal(0, 0.2, shape)
    slow, slowness = rng.normal(1.2, 0.6, shape), rng.uniform(0.4, 0.8, shape)
    size = rng.normal(7.0, 0.6, shape)
    errors = np.repeat(rng.uniform(0.0, 0.04, count + 1), 2)[: len(base), None] * np.ones(DAYS)
    dearer = np.ones((len(base), DAYS))
    events = _plant(rng, kinds, neighbour, gap)
    for event in events:
        mine = [2 * topic + side for topic in event.topics for side in (0, 1)]
        if event.kind == "cost":
            dearer[mine, LENGTH:] = 2.5
        elif event.kind == "errors":
            errors[mine, :LENGTH], errors[mine, LENGTH:] = 0.02, 0.18
        elif event.kind == "share":
            rates[mine, LENGTH:] *= 2
        elif event.kind == "new":
            rates[mine] *= LENGTH / gap
            rates[mine, :LENGTH] = 0
        elif event.kind == "gone":
            rates[mine] *= LENGTH / gap
            rates[mine, gap:] = 0
    made = World(
        topics=chosen,
        neighbour=neighbour,
        events=events,
        gap=gap,
        stick=stick,
        swallow=swallow,
        sample=int(volume * LENGTH * rng.uniform(0.25, 0.95)),
        rates=rates,
        means={
            "cost": dearer * np.exp(centre + spread**2 / 2),
            "latency": np.exp(slow + slowness**2 / 2) * np.ones(DAYS),
            "tokens": np.exp(size + 0.25 / 2) * np.ones(DAYS),
            "errors": errors,
        },
    )
    busy = rng.gamma(100.0, 0.01, rates.shape)
    counts = rng.poisson(rates * busy)
    unit, day = (np.repeat(place.ravel(), counts.ravel()) for place in np.indices(rates.shape))
    total = len(unit)
    own = rng.normal(size=(3, total))
    made.pool = {
        "unit": unit,
        "day": day,
        "border": rng.random(total),
        "cost": dearer[unit, day] * np.exp(centre[unit, 0] + spread[unit, 0] * own[0]),
        "latency": np.exp(slow[unit, 0] + slowness[unit, 0] * own[1]),
        "tokens": np.exp(size[unit, 0] + 0.5 * (0.6 * own[0] + 0.8 * own[2])),
        "errors": rng.random(total) < errors[unit, day],
    }
    return made


def _choose(rng: Generator) -> tuple[list[Topic], list[int]]:
    """Take two to four topics from each of several domains; the neighbour is one of the same domain."""
    known = topics()
    chosen: list[Topic] = []
    neighbour: list[int] = []
    domains = rng.permutation(len({topic.domain for topic in known}))[: int(rng.integers(4, 6))]
    for domain in domains:
        mine = [topic for topic in known if topic.domain == domain]
        picked = [mine[i] for i in rng.permutation(len(mine))[: int(rng.integers(2, 5))]]
        start = len(chosen)
        neighbour += [start + (i + 1) % len(picked) for i in range(len(picked))]
        chosen += picked
    return chosen, neighbour


def _plant(rng: Generator, kinds: tuple[str, ...], neighbour: list[int], gap: int) -> list[Event]:
    free = [int(i) for i in rng.permutation(len(neighbour))]
    events = []
    for kind in kinds:
        wanted = [i for i in free if kind != "merged" or neighbour[i] in free]
        if not wanted:
            continue
        touched = (wanted[0], neighbour[wanted[0]]) if kind == "merged" else (wanted[0],)
        free = [i for i in free if i not in touched]
        events.append(Event(kind, touched, LENGTH + int(rng.integers(1, gap + 1))))
    return events


def draw(made: World, end: int, rng: Generator) -> Drawn:
    """Sample a window, cluster it with errors, and label the clusters."""
    pool = made.pool
    inside = np.flatnonzero((pool["day"] >= end - LENGTH) & (pool["day"] < end))
    taken = np.sort(rng.permutation(inside)[: made.sample])
    count = len(made.topics)
    leak, lost = rng.uniform(0.01, 0.06, count), rng.uniform(0.02, 0.08, count)
    swallowed = rng.random(count) < made.swallow
    leak = np.where(swallowed, rng.uniform(0.15, 0.35, count), leak)
    groups = _groups(made, end)
    home = _assign(made, end, taken, leak, lost, rng)
    where = np.array([groups[unit] if unit >= 0 else NOISE for unit in home])
    keep_all = not made.events
    sizes = {int(c): int((where == c).sum()) for c in np.unique(where)}
    kept = [c for c, n in sizes.items() if c != NOISE and (n >= LEAST or keep_all)]
    order = [kept[i] for i in rng.permutation(len(kept))]
    clusters, units = [], {}
    for number, group in enumerate(order):
        units[number] = frozenset(unit for unit, owner in enumerate(groups) if owner == group)
        title, text = _label(made, units[number], end, rng)
        clusters.append(cluster(number, title, text, taken[where == group]))
    rest = taken[~np.isin(where, kept)]
    if len(rest):
        clusters.append(cluster(NOISE, "Outliers", "Items that fit nowhere", rest))
    header = run_header(end, len(taken), made.sample)
    totals = Totals(
        items=len(inside),
        calls=len(inside),
        cost_usd=float(pool["cost"][inside].sum()),
        tokens=float(pool["tokens"][inside].sum()),
        error_events=int(pool["errors"][inside].sum()),
    )
    return Drawn(
        run=Run(header, tuple(clusters)),
        rows=tuple(_row(pool, int(i)) for i in taken),
        totals=totals,
        units=units,
        end=end,
        leak=leak,
        lost=lost,
    )


def _groups(made: World, end: int) -> list[int]:
    """Say which cluster each unit belongs to in a run: one a topic, unless split or merged by then."""
    groups = [unit // 2 for unit in range(2 * len(made.topics))]
    for event in made.events:
        first = event.topics[0]
        if end >= event.at and event.kind == "split":
            groups[2 * first + 1] = len(made.topics) + first
        if end >= event.at and event.kind == "merged":
            groups[2 * event.topics[1]] = groups[2 * event.topics[1] + 1] = first
    return [*groups, NOISE]


def _assign(
    made: World, end: int, taken: NDArray[np.int64], leak: Values, lost: Values, rng: Generator
) -> NDArray[np.int64]:
    """Move items over borders: half of them the same ones in every run, half at random."""
    unit = made.pool["unit"][taken].astype(np.int64)
    regular = unit < 2 * len(made.topics)
    score = np.where(rng.random(len(taken)) < 0.5, made.pool["border"][taken], rng.random(len(taken)))
    topic = np.where(regular, unit // 2, 0)
    side = rng.integers(0, 2, len(taken))
    away = 2 * np.array(made.neighbour)[topic] + side
    there = made.rates[:, end - LENGTH : end].sum(axis=1) > 0
    strays = rng.random(len(taken)) < 0.2
    anywhere = rng.integers(0, 2 * len(made.topics), len(taken))
    moved = np.where(score < leak[topic], away, np.where(score < leak[topic] + lost[topic], -1, unit))
    moved = np.where(regular, moved, np.where(strays, anywhere, -1))
    # Nothing strays to a use case that nobody has in this window.
    return np.where(there[moved] | (moved < 0), moved, -1)


def _label(made: World, units: frozenset[int], end: int, rng: Generator) -> tuple[str, str]:
    parts = []
    for unit in sorted(units):
        place, half = divmod(unit, 2)
        topic = made.topics[place]
        if any(e.kind == "renamed" and place in e.topics for e in made.events):
            topic = _renamed(topic, later=end > LENGTH)
        parts.append((topic, half))
    cache: dict[int, Topic] = {}
    return label(tuple((cache.setdefault(t.index, t), half) for t, half in parts), rng, made.stick)


def _renamed(topic: Topic, *, later: bool) -> Topic:
    """Give the topic half of its words, the other half in later runs."""
    part = slice(1, None, 2) if later else slice(0, None, 2)
    return Topic(
        topic.index,
        topic.domain,
        topic.names[part],
        (topic.facets[0][part], topic.facets[1][part]),
        topic.who[part],
        topic.places[part],
    )


def cluster(number: int, title: str, text: str, items: NDArray[np.int64]) -> Cluster:
    """Make a cluster of items, nearest to the centre first by name."""
    names = sorted(key(int(i)) for i in items)
    members = tuple(Item(name, name, rank, 0.1, 0.0, 0.0, None) for rank, name in enumerate(names))
    return Cluster(number, title, text, members, None, None, None)


def run_header(end: int, items: int, most: int) -> RunHeader:
    """Describe a run whose window ends on a day."""
    stop = _EPOCH + timedelta(days=end)
    return RunHeader(
        run_id=f"7_trace_{stop:%Y%m%d_%H%M%S}_{_JOB}",
        level="trace",
        job_id=_JOB,
        job_name="Simulated",
        label=None,
        window=Window(stop - timedelta(days=LENGTH), stop),
        items=items,
        emitted_at=stop + timedelta(minutes=20),
        params={"clustering_method": "hdbscan", "max_samples": most},
        event_uuid=f"run-{end}",
    )


def figures(index: int, cost: float, latency: float, tokens: float, errors: int) -> ItemMetrics:
    """Describe what one item cost, took, used and broke."""
    return ItemMetrics(
        key=key(index),
        cost_usd=cost,
        latency_s=latency,
        tokens_in=0.8 * tokens,
        tokens_out=0.2 * tokens,
        tokens_cached=None,
        error_events=errors,
        calls=1,
        first_at=None,
        last_at=None,
        has_data=True,
    )


def key(index: int) -> str:
    """Name an item."""
    return f"i{index:06d}"


def _row(pool: dict[str, NDArray[np.generic]], index: int) -> ItemMetrics:
    cost, latency, tokens = (float(pool[name][index]) for name in MEASURES[:3])
    return figures(index, cost, latency, tokens, int(pool["errors"][index]))


def expected(
    made: World, end: int, units: frozenset[int] | None, drawn: Drawn | None = None
) -> dict[str, float]:
    """Give the true share and means of a use case in a window.

    Args:
        made: The world.
        end: End of the window, in days.
        units: The units it is made of; ``None`` for everything.
        drawn: With a run, the truth of its cluster, items that strayed over borders included.
    """
    days = slice(end - LENGTH, end)
    rates = made.rates[:, days]
    weight = np.zeros(len(rates))
    weight[list(range(len(rates)) if units is None else units)] = 1
    if drawn is not None and units is not None:
        inside = weight.copy()
        for unit in range(2 * len(made.topics)):
            topic = unit // 2
            near = 2 * made.neighbour[topic]
            into = inside[near : near + 2].mean()
            stay = 1 - drawn.leak[topic] - drawn.lost[topic]
            weight[unit] = inside[unit] * stay + into * drawn.leak[topic]
    flow = rates * weight[:, None]
    told = {name: float((flow * values[:, days]).sum() / flow.sum()) for name, values in made.means.items()}
    return told | {"share": float(flow.sum() / rates.sum())}


def inputs(latest: Drawn, prior: Drawn, between: tuple[Drawn, ...] = ()) -> SectionInput:
    """Make what the product is given."""
    headers = (latest.run.header, prior.run.header)
    return SectionInput(
        group=JobRuns(Job(_JOB, "Simulated", "trace", enabled=True), headers),
        latest=latest.run,
        prior=prior.run,
        choice=choose_prior(latest.run.header, headers, "previous"),
        now=latest.run.header.window.end + timedelta(hours=8),
        host="https://posthog.example",
        project_id="7",
        redaction="titles",
        latest_rows=latest.rows,
        prior_rows=prior.rows,
        latest_totals=latest.totals,
        prior_totals=prior.totals,
        between=tuple(run.membership for run in between),
    )
