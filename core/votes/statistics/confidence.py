"""Confidence sequences: intervals for the mean of bounded observations that hold however often one looks.

Hedged capital: Waudby-Smith, I. and Ramdas, A. (2023): Estimating means of bounded random variables by betting. Journal
of the Royal Statistical Society B 86, 1–27, https://arxiv.org/abs/2010.09686, theorem 3. For every candidate mean m two
gamblers bet against it, one that the mean is higher and one that it is lower:

    K⁺ₙ(m) = Πᵢ (1 + min(λᵢ, c/m) (xᵢ - m))        K⁻ₙ(m) = Πᵢ (1 - min(λᵢ, c/(1-m)) (xᵢ - m))

    λᵢ = √(2 ln(2/α) / (σ²ᵢ₋₁ (i+p) ln(e + i/p)))   σ²ᵢ = (¼ + Σⱼ≤ᵢ (xⱼ - μⱼ)²) / (i+1)   μᵢ = (½ + Σⱼ≤ᵢ xⱼ) / (i+1)

If m is the mean of every observation given those before it, neither capital ever reaches 2/α with a probability above
α/2 (Ville's inequality), whatever the observations' distribution between 0 and 1 and whatever bets are made, as long as
each is made before its observation is seen. The interval is all m at which both are below; K⁺ falls with m and K⁻
rises, so its ends are found by halving.

α is 0.025 and not 0.05: the other half is kept for observations that change after they were bet on, as a scene's score
does when it gets another vote. The theorem does not cover that; decision 058 says what was measured.

The authors' own bets (equation 26) have i ln(i+1) where these have (i+p) ln(e + i/p): they learn most from the first
few dozen observations. With p = 50 the first are bet on as if fifty were planned. That is wider below 40 observations
and narrower above: 200 votes of 0 or 1 with α = 0.05 give 1.5 times the width of an interval for one look, theirs 1.75.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import e, log
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]

ALPHA: Final = 0.025
HALF: Final = 0.5
LOG_STAKE: Final = log(2 / ALPHA)  # what either gambler's capital has to reach, as a logarithm
_PLANNED: Final = 50  # p
_VARIANCE: Final = 0.25  # of what may come before anything has: no bounded observations have more
_MOST_STAKED: Final = 0.5  # c: the share of the capital that a bet may lose
_HALVINGS: Final = 24
_TOGETHER: Final = 16  # factors that are multiplied before a logarithm is taken: each lies between ½ and 1 + ½/m


@dataclass(frozen=True, slots=True)
class Interval:
    """From `low` to `high`, both between 0 and 1: all that is not known is the whole of it."""

    low: float = 0.0
    high: float = 1.0

    def leaves_out(self, value: float) -> bool:
        """Whether the value is none of those that the observations agree with."""
        return not self.low < value < self.high


def interval_of(observations: Floats) -> Interval:
    """The confidence sequence at its present end; observations from 0 to 1 in the order in which they came.

    That order, and when to stop, must not be chosen by what the next observations say.
    """
    return intervals_of(observations, [len(observations)])[0]


def intervals_of(observations: Floats, ends: list[int], *, halvings: int = _HALVINGS) -> list[Interval]:
    """The same after the first `end` observations, for each end; the more halvings, the more exact.

    The ends are rounded outwards: an interval that leaves ½ out does so with every number of halvings.
    """
    bets = bets_on(observations)
    mirrored = 1 - observations
    return [
        Interval(
            _lowest(observations[:end], bets[:end], halvings),
            1 - _lowest(mirrored[:end], bets[:end], halvings),
        )
        for end in ends
    ]


def bets_on(observations: Floats) -> Floats:
    """λ for each observation, from those before it alone; of several sequences at once along the last axis."""
    count = np.arange(1, observations.shape[-1] + 1)
    means = (HALF + np.cumsum(observations, axis=-1)) / (count + 1)
    variances = (_VARIANCE + np.cumsum((observations - means) ** 2, axis=-1)) / (count + 1)
    before = np.concatenate((np.full_like(variances[..., :1], _VARIANCE), variances[..., :-1]), axis=-1)
    return bets_after(count - 1, before)


def bets_after(count: npt.NDArray[np.int64], variances: Floats) -> Floats:
    """λ for the next observation after `count` of them with this variance."""
    reached = count + 1
    return np.asarray(np.sqrt(2 * LOG_STAKE / (variances * (reached + _PLANNED) * np.log(e + reached / _PLANNED))))


def log_capital(observations: Floats, bets: Floats, mean: float) -> float:
    """ln K⁺ at this candidate mean; of mirrored observations and `1 - mean` it is ln K⁻."""
    factors = 1 + np.minimum(bets, _MOST_STAKED / mean) * (observations - mean)
    whole = len(factors) - len(factors) % _TOGETHER
    products = factors[:whole].reshape(-1, _TOGETHER).prod(axis=1)
    return float(np.log(products).sum() + np.log(factors[whole:]).sum())


def _lowest(observations: Floats, bets: Floats, halvings: int) -> float:
    """The lower end of the interval, rounded down: where K⁺ comes to be below 2/α."""
    refuted, open_ = 0.0, 1.0
    for _ in range(halvings):
        middle = (refuted + open_) / 2
        if log_capital(observations, bets, middle) >= LOG_STAKE:
            refuted = middle
        else:
            open_ = middle
    return refuted
