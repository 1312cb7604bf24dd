"""What changed inside matched clusters and in the whole run, and how sure that is.

All tests of a job are judged together: `probably_changed` is past a false discovery rate of 10 %,
`changed` also past Holm at 5 % with guards against clusters that are not quite the same. Both need an
effect worth a person's time that moves of the borders do not explain. Nothing is tested that has too
little data.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, TypeAlias

from reporter.analysis import borders, contrast, inference
from reporter.analysis.borders import Moves
from reporter.analysis.matching import Matched
from reporter.analysis.trials import ROW_OF, Side, Trial, trials
from reporter.report import Call, MetricChange, Ratio

FDR = 0.10
FAMILYWISE = 0.05
SAME, LIKELY = 0.9, 0.6
"""Confidence of a link from which both clusters count as the same, and as probably the same."""
_ITEM_EVIDENCE, _PURITY, _LIKELY_PURITY = 0.5, 0.6, 0.4
_TEXT_PURITY, _TEXT_SHARE_RATIO = 0.9, 1.25
Wanted: TypeAlias = Literal["up", "down", "neutral"]
"""Which way of a figure is the better one."""
GOOD: Mapping[str, Wanted] = MappingProxyType({name: "down" for name in ROW_OF if name != "share"})
"""Unless told otherwise: less is better of everything but volume, which is neutral."""
Trust: TypeAlias = Literal["certain", "likely", "none"]
"""How good a link is: for a change to be called certain, probable, or not at all."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A pair of sides to compare."""

    name: int | None
    """Latest cluster id; ``None`` for the whole run."""
    prior: Side
    latest: Side
    trust: Trust
    moved: Moves = borders.UNKNOWN
    tau: float = contrast.TAU
    """Spread by which re-clustering alone moves its share, log scale."""


def trust(link: Matched, share_ratio: float, *, look_alikes: bool) -> Trust:
    """Say what a link is good enough for.

    A change is certain only of what surely is the same cluster. On item evidence: confidence at least 0.9,
    and at least 0.6 of the items on both sides agree (0.4 for a probable change). On words alone an
    undetected split or merge would look like a change of cost, so the words must fit each other alone (0.9),
    and the share must have stayed within a quarter. An unmatched cluster that may belong to one of the two
    rules out both.

    Args:
        link: The match.
        share_ratio: Latest share / prior share.
        look_alikes: Whether an unmatched cluster may belong to one of the two.
    """
    if link.confidence < LIKELY or not link.backbone or look_alikes:
        return "none"
    if link.item_evidence >= _ITEM_EVIDENCE:
        if link.purity < _LIKELY_PURITY:
            return "none"
        return "certain" if link.confidence >= SAME and link.purity >= _PURITY else "likely"
    steady = 1 / _TEXT_SHARE_RATIO <= share_ratio <= _TEXT_SHARE_RATIO
    return "certain" if link.confidence >= SAME and link.purity >= _TEXT_PURITY and steady else "likely"


def compare(
    subjects: Sequence[Subject], seed: int, wanted: Mapping[str, Wanted] = GOOD
) -> dict[int | None, dict[str, MetricChange]]:
    """Compare all subjects of one job and judge their tests together.

    Every row (a cluster's share, cost, latency, tokens, errors) enters the family of tests once, with the
    smallest p-value of its estimates times their number (Bonferroni within the row). An estimate is judged by
    what its own p-value, times that number, would be in the place of its row's.

    Args:
        subjects: Clusters matched one to one, the noise, and the whole run.
        seed: Fixes all draws.
        wanted: Estimate → which way is the better one; what is not named is neutral.

    Returns:
        Subject name → estimate name → change. The whole run has no share.
    """
    tested = [
        (subject, trial)
        for subject in subjects
        for trial in trials(
            subject.prior,
            subject.latest,
            subject.moved,
            seed,
            subject.tau,
            whole=subject.name is None,
        )
    ]
    rows: dict[tuple[int | None, str], list[int]] = defaultdict(list)
    for index, (subject, trial) in enumerate(tested):
        if trial.tested:
            rows[subject.name, ROW_OF[trial.metric]].append(index)
    own = {
        i: min(1.0, len(row) * (tested[i][1].contrast.p_value or 0.0)) for row in rows.values() for i in row
    }
    smallest = [min(own[i] for i in row) for row in rows.values()]
    q_values, adjusted = {}, {}
    for place, row in enumerate(rows.values()):
        for i in row:
            q_values[i] = _placed(inference.benjamini_hochberg, smallest, place, own[i])
            adjusted[i] = _placed(inference.holm, smallest, place, own[i])
    made: dict[int | None, dict[str, MetricChange]] = {subject.name: {} for subject in subjects}
    for index, (subject, trial) in enumerate(tested):
        call: Call = "not_enough_data"
        if index in q_values:
            call = "no_clear_change"
            if q_values[index] <= FDR and trial.candidate and subject.trust != "none":
                sure = subject.trust == "certain" and adjusted[index] <= FAMILYWISE and not trial.driven_by
                call = "changed" if sure else "probably_changed"
        way = wanted.get(trial.metric, "neutral")
        made[subject.name][trial.metric] = _change(trial, q_values.get(index), call, way)
    return made


def _placed(
    adjust: Callable[[Sequence[float]], list[float]], p_values: Sequence[float], place: int, p_value: float
) -> float:
    """Adjust one p-value as a member of a family in which it takes the given place."""
    return adjust([*p_values[:place], p_value, *p_values[place + 1 :]])[place]


def _change(trial: Trial, q_value: float | None, call: Call, wanted: Wanted) -> MetricChange:
    c = trial.contrast
    moved = wanted != "neutral" and bool(c.difference)
    ratio = None if c.ratio is None else Ratio(value=c.ratio, low=c.ratio_low, high=c.ratio_high)
    return MetricChange(
        prior=trial.prior,
        latest=trial.latest,
        difference=c.difference,
        low=c.low,
        high=c.high,
        ratio=ratio,
        p_value=None if q_value is None else c.p_value,
        q_value=q_value,
        call=call,
        good=((c.difference or 0.0) > 0) == (wanted == "up") if moved else None,
        raw_difference=trial.raw,
        method=None if c.low is None else c.method,
        driven_by=list(trial.driven_by),
    )
