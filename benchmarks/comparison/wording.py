"""What a labeller might write about a cluster: the same use case, worded anew in every run."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

_TITLES = ("{a}", "{a} and {b}", "{a}: {d}", "Help with {a}", "{a} questions", "{d} ({a})", "Handling {a}")
_FIRST = (
    "{who} ask about {a}, mostly {d}.",
    "Requests around {a} where {who} want {d}.",
    "- {a} for {who}; {d} comes up again and again",
    "The assistant is asked by {who} to deal with {a}, for instance {d}.",
    "Conversations on {a}. Typical: {d}.",
)
_SECOND = (
    "Also {d}, with regard to {place}.",
    "- {d} and {place}",
    "Some mention {d} or {place}.",
    "Answers explain {d} step by step.",
    "Many include {b} and {d}.",
)


@dataclass(frozen=True, slots=True)
class Topic:
    """One use case with the words it can be described in."""

    index: int
    domain: int
    names: tuple[str, ...]
    facets: tuple[tuple[str, ...], tuple[str, ...]]
    """Details of its two halves, which a split tears apart."""
    who: tuple[str, ...]
    places: tuple[str, ...]


@cache
def topics() -> tuple[Topic, ...]:
    """Read the invented topics; neighbours in the file belong to one domain."""
    found: list[Topic] = []
    domain, who, places = -1, (), ()
    for line in Path(__file__).with_name("topics.txt").read_text("utf-8").splitlines():
        if line.startswith("["):
            domain += 1
            who, places = (_listed(part) for part in line.partition("]")[2].split(";"))
        elif line and not line.startswith("#"):
            names, first, second = (_listed(part) for part in line.split("|"))
            found.append(Topic(len(found), domain, names, (first, second), who, places))
    return tuple(found)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(","))


def label(parts: tuple[tuple[Topic, int], ...], rng: np.random.Generator, stick: float) -> tuple[str, str]:
    """Write a title and a description for a cluster.

    Args:
        parts: The (topic, facet) pairs the cluster holds.
        rng: Source of the wording.
        stick: Probability of repeating the canonical wording.
    """
    if rng.random() < stick:
        rng = np.random.default_rng([zlib.crc32(repr([(t.index, f) for t, f in parts]).encode())])
    mine = list(dict.fromkeys(topic for topic, _ in parts))
    lead = mine[int(rng.integers(len(mine)))]
    # A labeller names both of two merged use cases more often than not.
    other = next((t for t in mine if t is not lead), lead)
    details = [phrase for topic, facet in parts for phrase in topic.facets[facet]]
    first, second, third = (details[i] for i in rng.permutation(len(details) + 3)[:3] % len(details))
    name = _one(lead.names, rng)
    words = {
        "a": name,
        "b": _one(tuple(n for n in other.names if n != name) or other.facets[0], rng),
        "who": _one(lead.who, rng),
        "place": _one(lead.places, rng),
    }
    title = _one(_TITLES, rng).format(d=first, **words)
    words["a"] = _one(lead.names, rng)
    if other is not lead:
        words["a"] += f" and {_one(other.names, rng)}"
    opening = _one(_FIRST, rng).format(d=second, **words)
    closing = _one(_SECOND, rng).format(d=third, **words)
    return _upper(title), f"{_upper(opening)}\n{_upper(closing)}"


def _one(choices: tuple[str, ...], rng: np.random.Generator) -> str:
    return choices[int(rng.integers(len(choices)))]


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
