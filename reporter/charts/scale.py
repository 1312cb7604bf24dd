"""Scales from values to pixels, with a few round values to rule them by."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_CLOSE = 1e-9
_SECOND_TIERS = (
    (0.001, 0.01, 0.1, 1.0, 10.0, 60.0, 600.0, 3600.0, 36000.0),
    (0.002, 0.005, 0.02, 0.05, 0.2, 0.5, 2.0, 5.0, 20.0, 30.0, 120.0, 300.0, 1200.0, 1800.0, 7200.0, 18000.0),
)
_TICK_LEAST = 2
_MINUTE_S, _HOUR_S = 60.0, 3600.0


@dataclass(frozen=True, slots=True)
class Scale:
    """A linear or logarithmic axis between two pixel positions."""

    low: float
    high: float
    start_px: float
    end_px: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """Place a value; one beyond the ends is placed at the end."""
        low, high, at = self.low, self.high, value
        if self.log:
            low, high, at = math.log(low), math.log(high), math.log(max(value, self.low))
        part = min(1.0, max(0.0, (at - low) / (high - low)))
        return self.start_px + part * (self.end_px - self.start_px)

    def holds(self, value: float) -> bool:
        """Say whether a value lies on the axis, its ends included."""
        return self.low - _CLOSE * abs(self.low) <= value <= self.high + _CLOSE * abs(self.high)


def linear_ticks(low: float, high: float, most: int) -> tuple[float, ...]:
    """Choose at most so many round values, evenly spaced, from `low` to `high` (both inclusive)."""
    raw = (high - low) / max(1, most - 1)
    if raw <= 0 or not math.isfinite(raw):
        return (low,)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(s * power for s in _STEPS if s * power >= raw * (1 - _CLOSE))
    first = math.ceil(low / step - _CLOSE)
    last = math.floor(high / step + _CLOSE)
    return tuple(round(i * step, 12) for i in range(first, last + 1))


def money_ticks(low: float, high: float, most: int) -> tuple[float, ...]:
    """Choose round dollars (1, 2, 5 and powers of ten) on a logarithmic axis."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    decades = tuple(float(f"1e{p}") for p in range(first, last + 1))
    between = tuple(float(f"{m}e{p}") for p in range(first, last + 1) for m in (2, 5))
    return _sparse((decades, between), low, high, most)


def seconds_ticks(low: float, high: float, most: int) -> tuple[float, ...]:
    """Choose round times (milliseconds, seconds, minutes, hours) on a logarithmic axis."""
    return _sparse(_SECOND_TIERS, low, high, most)


def percent_label(value: float) -> str:
    """Write a tick of a share axis: ``0%``, ``2.5%``, ``10%``."""
    return f"{round(value * 100, 6):g}%"


def money_label(usd: float) -> str:
    """Write a tick of a dollar axis: ``$0.02``, ``$5``, ``$2k``."""
    if usd >= 1000:
        return f"${usd / 1e6:g}M" if usd >= 1e6 else f"${usd / 1000:g}k"
    if usd >= 1:
        return f"${usd:g}"
    return f"${usd:.{max(2, -math.floor(math.log10(usd) + _CLOSE))}f}"


def seconds_label(seconds: float) -> str:
    """Write a tick of a time axis: ``50 ms``, ``2 s``, ``10 min``, ``1 h``."""
    if seconds < 1:
        return f"{round(seconds * 1000, 6):g}\u00a0ms"
    if seconds < _MINUTE_S:
        return f"{seconds:g}\u00a0s"
    if seconds < _HOUR_S:
        return f"{seconds / _MINUTE_S:g}\u00a0min"
    return f"{seconds / _HOUR_S:g}\u00a0h"


Ticks = Callable[[float, float, int], tuple[float, ...]]


def log_ends(values: Sequence[float]) -> tuple[float, float]:
    """Choose the ends of a logarithmic axis around positive values; never less than a factor of two."""
    low, high = min(values), max(values)
    middle = math.sqrt(low) * math.sqrt(high)
    spread = max(high / low, 2.0) ** 0.5 * 1.06
    return middle / spread, middle * spread


def _sparse(tiers: tuple[tuple[float, ...], ...], low: float, high: float, most: int) -> tuple[float, ...]:
    """Take coarse values, refine them while they stay few, thin them out while they are too many."""
    coarse = [v for v in tiers[0] if low <= v <= high]
    fine = sorted([*coarse, *(v for v in tiers[1] if low <= v <= high)])
    chosen = fine if len(fine) <= most else coarse
    if len(chosen) < _TICK_LEAST <= len(fine):
        # Too few powers of ten, too many in between: keep the ones spread most evenly.
        chosen = fine[:: math.ceil(len(fine) / most)]
    while len(chosen) > most:
        chosen = chosen[::2]
    return tuple(chosen)
