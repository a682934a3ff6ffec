"""The estimate: how far side B is preferred over scenes, how surely that is known, and how much is still missing.

The unit of evidence is the scene, whose votes are averaged first: for its takes and its voters are no independent
witnesses. The interval is a confidence sequence over the scenes' scores in the order in which scenes came in, which no
result can choose (`core.votes.statistics.confidence`). As long as scenes have all their votes when they come in it is
wrong in at most 2.5 % of studios, however often one looks. Votes that a scene gets later move its score where it stands
in that order, and all bets after it are made anew: the theorem does not cover this. The other half of 5 % is kept for
it, which is more than simulations need: decision 058, and Preference in `bench/RESULTS.md`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import NormalDist
from typing import Final

import numpy as np

from core.votes.records.judgements import SideLetter
from core.votes.statistics.confidence import (
    HALF,
    LOG_STAKE,
    Floats,
    Interval,
    bets_after,
    bets_on,
    interval_of,
    intervals_of,
    log_capital,
)

POWER: Final = 0.8
MISSING_MAX: Final = 10_000  # scenes; of more than that nobody would wait for the end
_POWER_Z: Final = NormalDist().inv_cdf(POWER)
_COURSE_POINTS: Final = 60
_COURSE_HALVINGS: Final = 12  # a quarter of a thousandth, which no screen shows


@dataclass(frozen=True, slots=True)
class Estimate:
    """The mean preference for B over scenes, from 0 to 1, with its 95 % confidence sequence; None over no scenes.

    `scenes_missing` is about how many more scenes would decide it with a power of 80 % if the difference is what it is
    now: 0 where it is decided, None where more than MISSING_MAX would, or nothing is known.
    """

    scenes: int
    preference: float | None
    low: float | None
    high: float | None
    scenes_missing: int | None

    @property
    def is_decided(self) -> bool:
        """Whether ½ is outside the interval."""
        return self.decided_for is not None

    @property
    def decided_for(self) -> SideLetter | None:
        """The side that is preferred, once it is decided."""
        if self.low is None or self.high is None or not Interval(self.low, self.high).leaves_out(HALF):
            return None
        return SideLetter.B if self.low >= HALF else SideLetter.A


@dataclass(frozen=True, slots=True)
class CoursePoint:
    """The estimate over the first `scenes` scenes, of which the last came in at `time`, as all votes until now tell it.

    Scenes that came in by then may have got votes later: this is not what the page said on that day.
    """

    time: datetime
    scenes: int
    preference: float
    low: float
    high: float


def estimate_of(scores: Floats) -> Estimate:
    """The estimate from one score a scene, each from 0 to 1, in the order in which the scenes came in."""
    if not len(scores):
        return Estimate(0, None, None, None, None)
    interval = interval_of(scores)
    missing = 0 if interval.leaves_out(HALF) else scenes_missing(scores)
    return Estimate(len(scores), float(scores.mean()), interval.low, interval.high, missing)


def course_of(scores: Floats, since: Floats) -> tuple[CoursePoint, ...]:
    """How preference and interval became what they are, at so many points that a line can be drawn through them.

    `since` is when each scene came in, in seconds since 1970.
    """
    if not len(scores):
        return ()
    ends = sorted({round(end) for end in np.linspace(1, len(scores), _COURSE_POINTS)})
    means = np.cumsum(scores) / np.arange(1, len(scores) + 1)
    intervals = intervals_of(scores, ends, halvings=_COURSE_HALVINGS)
    return tuple(
        CoursePoint(
            datetime.fromtimestamp(float(since[end - 1]), UTC), end, float(means[end - 1]), interval.low, interval.high
        )
        for end, interval in zip(ends, intervals, strict=True)
    )


def scenes_missing(scores: Floats) -> int | None:
    """About how many more scenes it takes until ½ is outside the interval, with a power of 80 %.

    Each further scene is taken for one of those so far, to which one of either extreme is added, so that a few that
    agree are not taken for certain (Laplace's rule of succession). The capital against ½ grows from where it is: after
    k more scenes ln K is about Gaussian with mean ln Kₙ + Σ gᵢ and variance Σ vᵢ, where gᵢ and vᵢ are mean and variance
    of ln(1 + λᵢ(x - ½)). Sought is the first k at which ln(2/α) is exceeded with a probability of 80 %.
    """
    values, weights = _likely(scores)
    mean = float(weights @ values)
    if mean == HALF:
        return None
    for_b = mean > HALF
    towards, ahead = (scores, values) if for_b else (1 - scores, 1 - values)
    variance = (0.25 + len(scores) * float(weights @ (values - mean) ** 2)) / (len(scores) + 1)
    bets = np.minimum(bets_after(len(scores) + np.arange(MISSING_MAX), np.full(MISSING_MAX, variance)), 1)
    gains = np.log1p(bets[:, None] * (ahead - HALF))
    gain = gains @ weights
    spread = np.sqrt(np.cumsum(gains**2 @ weights - gain**2))
    reached = log_capital(towards, bets_on(scores), HALF) + np.cumsum(gain) - _POWER_Z * spread >= LOG_STAKE
    return int(reached.argmax()) + 1 if reached.any() else None


def _likely(scores: Floats) -> tuple[Floats, Floats]:
    """What the next scene may score, to the hundredth, and how likely."""
    values, counts = np.unique(np.round(np.concatenate((scores, [0.0, 1.0])), 2), return_counts=True)
    return values.astype(np.float64), counts / counts.sum()
