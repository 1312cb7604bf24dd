"""How likely two clusters are the same by their words alone (`reporter.analysis.titles`), no model.

The labels are written anew in every run, so similarity is judged against the competition (margins),
never by a cut-off of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy import sparse

Matrix: TypeAlias = NDArray[np.float64]
_Terms: TypeAlias = tuple[NDArray[np.uint64], NDArray[np.intp]]
"""The terms of a text, as sorted hashes, and how often each occurs."""

_INTERCEPT, _CHARS, _WORDS, _ROW, _COLUMN = -1.67, 3.85, 9.43, 8.62, 9.32
_WEIGHTS = np.cumprod(np.full(6, 0x9E37_79B9_7F4A_7C15, dtype=np.uint64))
"""Multilinear hashing of code points, modulo 2**64."""
_KEPT = 1_024
"""Texts whose terms are kept: a run is compared with several others, under 5 kB a cluster as a rule."""
_WORD = re.compile(r"[^\W_]{2,}")
_STOP = frozenset(
    """
    about after all also among an and any are around as at be because been before being between both but
    by can could did do does doing during each etc ever every few for from get gets getting had has have
    having he her here him his how if in into is it its just like many may me more most much my no nor
    not of off often on once one only or other others our out over own per same she should since so some
    such than that the their them then there these they this those through to too under until up us use
    used user users uses using various very via was we were what when where which while who whom whose
    why will with within without would you your
    """.split()  # noqa: SIM905 (a hundred quoted words would be harder to read)
)


@dataclass(frozen=True, slots=True)
class Likeness:
    """Text evidence between the clusters of two runs."""

    probability: Matrix
    """Shape (prior, latest): chance (0-1) that a pair is the same cluster, by its words."""
    similarity: Matrix
    """Shape (prior, latest): mean of the two cosines, 0-1."""


def likeness(prior: Sequence[str], latest: Sequence[str]) -> Likeness:
    """Compare every prior text with every latest one.

    Method: logistic regression on two TF-IDF cosines, fitted on both runs together (characters 3-5; words cut
    to six letters without stop words; inverse document frequency ``ln((1+n)/(1+df)) + 1``), and on the
    margins by which a pair leads its row and its column: the lead over the best competitor, negative for a
    pair that trails. A text that is empty is like nothing.

    Args:
        prior: Texts made by `document`.
        latest: Texts made by `document`.
    """
    shape = (len(prior), len(latest))
    if 0 in shape:
        return Likeness(np.zeros(shape), np.zeros(shape))
    chars = _cosines(prior, latest, _grams)
    words = _cosines(prior, latest, _stems)
    similarity = (chars + words) / 2
    logit = (
        _INTERCEPT
        + _CHARS * chars
        + _WORDS * words
        + _ROW * _margins(similarity)
        + _COLUMN * _margins(similarity.T).T
    )
    known = np.outer([bool(text) for text in prior], [bool(text) for text in latest])
    return Likeness(np.where(known, 1 / (1 + np.exp(-logit)), 0.0), similarity)


def _margins(similarity: Matrix) -> Matrix:
    """Give each entry's lead over its best competitor in the row (0 where it has none)."""
    if similarity.shape[1] == 1:
        return similarity.copy()
    ordered = np.sort(similarity, axis=1)
    best, second = ordered[:, -1:], ordered[:, -2:-1]
    leads = similarity == best
    alone = leads.sum(axis=1, keepdims=True) == 1
    return np.asarray(similarity - np.where(leads & alone, second, best), dtype=np.float64)


def _cosines(prior: Sequence[str], latest: Sequence[str], cut: Callable[[str], _Terms]) -> Matrix:
    found = [cut(text) for text in (*prior, *latest)]
    terms, indices = np.unique(np.concatenate([hashes for hashes, _ in found]), return_inverse=True)
    if not len(terms):
        return np.zeros((len(prior), len(latest)))
    starts = np.cumsum([0, *(len(hashes) for hashes, _ in found)])
    values = np.concatenate([counts for _, counts in found]).astype(np.float64)
    values *= (np.log((1 + len(found)) / (1 + np.bincount(indices))) + 1)[indices]
    table = sparse.csr_array((values, indices, starts), shape=(len(found), len(terms)))
    norms = np.sqrt(np.asarray(table.multiply(table).sum(axis=1)).ravel())
    norms[norms == 0] = 1.0
    product = np.asarray((table[: len(prior)] @ table[len(prior) :].T).todense())
    cosines = product / np.outer(norms[: len(prior)], norms[len(prior) :])
    return np.asarray(np.clip(cosines, 0.0, 1.0), dtype=np.float64)


@lru_cache(_KEPT)
def _grams(text: str) -> _Terms:
    codes = np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32)
    return _counted([sliding_window_view(codes, n) for n in (3, 4, 5) if len(codes) >= n])


@lru_cache(_KEPT)
def _stems(text: str) -> _Terms:
    stems = [word[:6] for word in _WORD.findall(text) if word not in _STOP]
    return _counted([np.array(stems, dtype="U6").view(np.uint32).reshape(-1, 6)] if stems else [])


def _counted(terms: Sequence[NDArray[np.uint32]]) -> _Terms:
    """Count the terms of one text, given as tables of code points with a row for each term."""
    # One more, so that a NUL at the end counts.
    hashed = [(term.astype(np.uint64) + 1) @ _WEIGHTS[: term.shape[1]] for term in terms]
    return np.unique(np.concatenate([np.empty(0, np.uint64), *hashed]), return_counts=True)
