"""The shape of a topic: what one kind of customers of the invented company asks for.

Tallyfern, its customers, their questions and every text about them are made up; nothing here is
taken from a real product or a real conversation.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Topic:
    """One kind of request, how often it comes, what serving it takes, and how it is described."""

    key: str
    feature: str
    """``assistant``, ``doc-intake`` or ``support-bot``."""
    share: tuple[tuple[float, float], ...]
    """(day, share of all traces) knots, linear between them and flat outside; day 0 is the latest run's."""
    model: str
    """Model that answers."""
    tokens_in: int
    """Median input tokens of an answering call."""
    tokens_out: int
    """Median output tokens of an answering call."""
    sigma: float
    """Standard deviation of the logarithm of tokens and latencies."""
    lookups: int
    """Usual number of tool calls before the answer; 0 for none."""
    place: tuple[float, float]
    """Where the topic's island lies on the map."""
    spread: tuple[float, float]
    """Half-lengths of the island along its long and short axis."""
    titles: tuple[str, ...]
    """Wordings a labeller may choose for whole traces."""
    answer_titles: tuple[str, ...]
    """Wordings a labeller may choose for single generations."""
    lines: tuple[tuple[str, str], ...]
    """Facts for descriptions, each in two wordings."""
    asks: tuple[str, ...]
    """What users wrote."""
    gists: tuple[str, ...]
    """One-line summaries of such a trace."""
    halves: tuple[str, str] = ("", "")
    """Titles when a run splits the topic in two; empty where none does."""


def share(topic: Topic, day: float) -> float:
    """Give the topic's share of traffic on a day (day 0 is the latest run's).

    Args:
        topic: The topic.
        day: Days since day 0; negative before.

    Returns:
        Linear interpolation between the topic's knots, constant before the first and after the last.
    """
    knots = topic.share
    if day <= knots[0][0]:
        return knots[0][1]
    for (left, low), (right, high) in pairwise(knots):
        if day <= right:
            return low + (high - low) * (day - left) / (right - left)
    return knots[-1][1]
