"""Compares simulated runs of known truth with the product's own code: `python -m benchmarks.comparison`.

One table a regime. Pairs with planted events and pairs without any (nulls) are counted apart; the regimes
"weekly text" and "weekly bridged" see the same pairs. Equal arguments give equal numbers, times aside.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter

import numpy as np

from benchmarks.comparison import reference
from benchmarks.comparison.score import CLASSES, KIND_OF, METRIC_KINDS, Tally, score, score_links
from benchmarks.comparison.world import KINDS, LENGTH, STRUCTURAL, draw, inputs, world
from reporter.analysis import findings, section

_MISSED = 0.3
"""Part of the days on which no run was made."""
REGIMES = {"daily": 1, "gap-3": 3, "weekly": 7}


def main() -> None:
    """Simulate, compare, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.comparison", description=__doc__)
    parser.add_argument("--pairs", type=int, default=20, help="pairs with events, a regime")
    parser.add_argument("--nulls", type=int, default=40, help="pairs without, a regime")
    parser.add_argument("--seed", type=int, default=4242)
    parser.add_argument(
        "--kinds", default=",".join(KINDS), help="events to plant in turn, separated by commas"
    )
    parser.add_argument("--planted", type=int, default=3, help="events a pair")
    parser.add_argument("--stick", type=float, default=0.0, help="probability of repeating a wording")
    parser.add_argument("--swallow", type=float, default=0.03, help="chance of a large border move")
    parser.add_argument("--regimes", default=",".join(REGIMES), help="which gaps, separated by commas")
    parser.add_argument("--examples", type=int, default=0, help="examples to print of each mistake")
    asked = parser.parse_args()
    began = time.process_time()
    for regime in asked.regimes.split(","):
        gap = REGIMES[regime]
        names = ("weekly text", "weekly bridged") if regime == "weekly" else (regime,)
        tallies = {(name, null): Tally() for name in names for null in (False, True)}
        others = {key: Tally() for key in tallies}
        for null, count in ((False, asked.pairs), (True, asked.nulls)):
            for number in range(count):
                seed = [asked.seed, gap, int(null), number]
                noise = (asked.stick, asked.swallow)
                kinds = asked.kinds.split(",")
                planted = () if null else _planted(kinds, asked.planted, number)
                mine, theirs = ({name: t[name, null] for name in names} for t in (tallies, others))
                _pair(seed, gap, noise, mine, theirs, planted)
        for name in names:
            print(f"\n== {name}: {asked.pairs} planted pairs, {asked.nulls} null pairs ==")
            _matching("reference, planted", others[name, False])
            _matching("reference, null   ", others[name, True])
            _print(tallies[name, False], tallies[name, True])
            for which in (False, True):
                _examples(tallies[name, which], asked.examples, "null" if which else "planted")
    print(f"\n{time.process_time() - began:.0f} s of processor time")


def _planted(kinds: list[str], count: int, number: int) -> tuple[str, ...]:
    return tuple(kinds[(count * number + i) % len(kinds)] for i in range(count))


def _pair(
    seed: list[int],
    gap: int,
    noise: tuple[float, float],
    tallies: dict[str, Tally],
    references: dict[str, Tally],
    kinds: tuple[str, ...],
) -> None:
    rng = np.random.default_rng(seed)
    *_, null, number = seed
    made = world(rng, gap, kinds, *noise)
    prior, latest = draw(made, LENGTH, rng), draw(made, LENGTH + gap, rng)
    days = range(LENGTH + 1, LENGTH + gap) if gap == LENGTH else ()
    between = tuple(draw(made, end, rng) for end in days if rng.random() > _MISSED)
    for name, tally in tallies.items():
        given = inputs(latest, prior, between if name == "weekly bridged" else ())
        start = time.perf_counter()
        told = section.build(given)
        found = findings.findings([told])
        tally.seconds.append(time.perf_counter() - start)
        score_links(
            references[name],
            (prior, latest),
            reference.links(prior.membership, latest.membership, given.between),
        )
        label = f"{name}{' null' if null else ''} #{number} {kinds}"
        score(tally, label, made, (prior, latest), told, found)


def _part(part: float, whole: float) -> str:
    return f"{100 * part / whole:5.1f} % ({part:.0f}/{whole:.0f})" if whole else "    – "


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")


def _matching(title: str, tally: Tally) -> None:
    precision, recall = _ratio(tally.hits, tally.said), _ratio(tally.hits, tally.true)
    f1 = _ratio(2 * tally.hits, tally.said + tally.true)
    print(f"  {title}: links P {precision:.3f} R {recall:.3f} F1 {f1:.3f} ({tally.true} true)", end="")
    for side in ("latest", "prior"):
        mine = {key[1:]: n for key, n in tally.moves.items() if key[0] == side}
        right = sum(n for (true, said), n in mine.items() if true == said)
        print(f"; {side} accuracy {_ratio(right, sum(mine.values())):.3f}", end="")
    print()
    scores = []
    for word in CLASSES:
        true, said, both = Counter[str](), Counter[str](), Counter[str]()
        for (side, real, got), n in tally.moves.items():
            true[side] += n * (real == word)
            said[side] += n * (got == word)
            both[side] += n * (real == got == word)
        side = "prior" if word == "gone" else "latest"
        if true[side] or said[side]:
            scores.append(f"{word} {_ratio(2 * both[side], true[side] + said[side]):.2f} (n {true[side]})")
    print(f"    F1 by transition: {', '.join(scores)}")


def _print(planted: Tally, null: Tally) -> None:
    times = planted.seconds + null.seconds
    _matching("product, planted", planted)
    _matching("product, null   ", null)
    print("  reports on null pairs with a false alarm:")
    for kind in (
        "any metric",
        *METRIC_KINDS,
        "metric headline",
        "any structural",
        "structural headline",
    ):
        print(f"    {kind:22}{_part(null.alarms[kind], null.pairs)}")
    by_estimate = {e: null.alarms[e] for e in KIND_OF if e != "share" and null.alarms[e]}
    print(f"    by estimate: {by_estimate}")
    for kind in ("noise share", "coverage"):
        print(f"    {kind:22}{_part(null.alarms[kind], null.pairs)}")
    print("  planted changes found (of those the sample can show), and as certain:")
    for kind in KINDS:
        possible = planted.power[kind, "possible"]
        if kind != "renamed":
            found, certain = planted.power[kind, "found"], planted.power[kind, "certain"]
            print(f"    {kind:22}{_part(found, possible)}   certain {_part(certain, possible)}")
    for call in ("changed", "probably_changed"):
        results = {r: planted.calls[call, r] for r in ("right", "small", "wrong", "mislinked")}
        print(f"  metric findings on planted pairs, {call}: {results}", end="; ")
        print(f"null: {sum(n for (c, _), n in null.calls.items() if c == call)}", end="; ")
        news = [planted.structural[call, r] for r in ("right", "wrong")]
        print(f"structural ({', '.join(STRUCTURAL)}): {news[0]} right, {news[1]} wrong")
    print(
        "  95 % intervals that hold the truth: of the use case / of the strayed cluster / of planted changes"
    )
    cover = planted.cover + null.cover
    for metric in (*KIND_OF, *(f"run {m}" for m in KIND_OF)):
        cells = [
            _part(cover[metric, a, "held"], cover[metric, a, "all"]) for a in ("topic", "cluster", "planted")
        ]
        if cover[metric, "topic", "all"]:
            print(f"    {metric:22}" + "".join(f"{cell:26}" for cell in cells))
    pooled = [
        sum(n for (_, a, w), n in cover.items() if (a, w) == ("topic", want)) for want in ("held", "all")
    ]
    print(f"    {'pooled':22}{_part(*pooled)}")
    sure = planted.sure + null.sure
    print("  links by stated confidence, right: ", end="")
    print(
        ", ".join(
            f".{t} {_part(sure[t, 'right'], sure[t, 'all']).strip()}" for t in range(10) if sure[t, "all"]
        )
    )
    print(f"  seconds a comparison: median {np.median(times):.3f}, most {max(times):.3f}")


def _examples(tally: Tally, count: int, which: str) -> None:
    for category, lines in sorted(tally.examples.items()) if count else ():
        print(f"  -- {which}: {category} ({len(lines)})")
        for line in lines[:count]:
            print(f"     {line}")


if __name__ == "__main__":
    main()
