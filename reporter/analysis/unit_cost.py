"""What a unit cost is made of: calls per item, model mix, tokens per call, price per token.

A cell's mean cost is calls per item times the sum over models of share of calls, tokens per call and price
per token; its change is split into what each of the four factors did.
"""

from __future__ import annotations

from itertools import product
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Values: TypeAlias = NDArray[np.float64]
Places: TypeAlias = NDArray[np.int64]
PARTS = ("calls_per_item", "model_mix", "tokens_per_call", "price_per_token")
WEIGHTS = (1 / 4, 1 / 12, 1 / 12, 1 / 4)
"""Shapley weights of four players, by how many of the other three have moved already."""


class Usage(NamedTuple):
    """What the items of cells used, as often as each was drawn."""

    items: Values
    """Items with data, (side, draw, cell)."""
    calls: Values
    """Calls, (side, draw, use), a use being one model in one cell."""
    tokens: Values
    """Tokens, of the same shape; unknown as 0."""
    cost: Values
    """US dollars, of the same shape; unknown as 0."""


def effects(usage: Usage, cell_of: Places) -> Values:
    """Split the change of each cell's mean cost between its sides.

    Method: Shapley value over the four factors (Shorrocks 1999). The value is a sum over models, so that each
    model's product of four is split by itself. A model called on one side only has that side's tokens per
    call and price on both: all it does is mix. One that costs and has no tokens on a side counts one token a
    call on both, so that what its calls cost is its price; one with neither keeps the other side's price.
    What has a cost and no call, as spans may, is in no part.

    Args:
        usage: What was used.
        cell_of: The cell of each use (use,), ascending.

    Returns:
        US dollars an item by part, draw and cell (4, draw, cell), in order of `PARTS`; not a number where a
        cell has no calls on a side.
    """
    calls, tokens, cost = usage.calls, np.maximum(usage.tokens, 0.0), usage.cost
    called = calls > 0
    untold = (called & (tokens == 0) & (cost != 0)).any(axis=0)
    tokens = np.where(untold, calls, tokens)
    in_cell = _by_cell(calls, cell_of, usage.items.shape[-1])
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        factors = (
            (in_cell / usage.items)[..., cell_of],
            calls / in_cell[..., cell_of],
            _either(np.where(called, tokens / calls, np.nan)),
            _either(np.where(called & (tokens > 0), cost / tokens, np.nan)),
        )
        split = np.stack([_effect(factors, moved) for moved in range(len(PARTS))])
    found = _by_cell(np.where(np.isfinite(split), split, 0.0), cell_of, usage.items.shape[-1])
    return np.where((in_cell > 0).all(axis=0), found, np.nan)


def _effect(factors: tuple[Values, ...], moved: int) -> Values:
    """Give the Shapley value of one factor of a product, factors being (side, ...)."""
    others = [factor for place, factor in enumerate(factors) if place != moved]
    total = np.zeros(factors[moved].shape[1:])
    for state in product((0, 1), repeat=len(others)):
        around = np.full(total.shape, WEIGHTS[sum(state)])
        for factor, side in zip(others, state, strict=True):
            around *= factor[side]
        total += around
    return np.asarray(total * (factors[moved][1] - factors[moved][0]), dtype=np.float64)


def _either(values: Values) -> Values:
    """Fill what is not known on one side (first axis) by the other's, and by 0 what is known on neither."""
    filled = np.where(np.isnan(values), values[::-1], values)
    return np.where(np.isnan(filled), 0.0, filled)


def _by_cell(values: Values, cell_of: Places, width: int) -> Values:
    """Add up uses, the last axis, by their cells."""
    total = np.zeros((*values.shape[:-1], width))
    if cell_of.size:
        present, starts = np.unique(cell_of, return_index=True)
        total[..., present] = np.add.reduceat(values, starts, axis=-1)
    return total
