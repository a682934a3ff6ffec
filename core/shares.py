"""Shares: so many of so many, and how surely that is known."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist
from typing import Final

_Z: Final = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True, slots=True)
class Share:
    """`right` of `count`, with Wilson's 95 % interval; None for the bounds of nothing.

    Wilson, E. B. (1927): Probable inference, the law of succession, and statistical inference. JASA 22, 209–212.
    """

    right: int
    count: int
    low: float | None
    high: float | None

    @classmethod
    def of(cls, right: int, count: int) -> Share:
        """The share with its interval: (p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n)."""
        if not count:
            return cls(0, 0, None, None)
        share, widened = right / count, _Z**2 / count
        middle = share + widened / 2
        half = _Z * sqrt(share * (1 - share) / count + widened / count / 4)
        low, high = ((middle + side * half) / (1 + widened) for side in (-1, 1))
        return cls(right, count, low if right else 0.0, high if right < count else 1.0)  # exactly, whatever is rounded

    @property
    def share(self) -> float | None:
        """Between 0 and 1; None for nothing."""
        return self.right / self.count if self.count else None
