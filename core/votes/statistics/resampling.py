"""Resampling: 95 % intervals for figures that are made of sums over scenes.

The bootstrap of Efron, B. (1979): Bootstrap methods: another look at the jackknife. Annals of Statistics 7, 1–26; 95 %
by percentiles. Scenes are drawn, not votes, for the votes of one scene are no independent witnesses. Unlike the
estimate's own interval these hold for one look.

Plain percentiles of draws are too narrow by √((n-1)/n), and as if the spread were known: of 10 scenes they hold 90 % of
the time. So they are taken further out, at Φ(±t √(n/(n-1))) with Student's t of n - 1 degrees of freedom (expanded
percentiles). Hesterberg, T. (2015): What teachers should know about the bootstrap. American Statistician 69, 371–386.
Of fewer than five scenes all draws together do not reach far enough: then no interval is told.
"""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from statistics import NormalDist
from typing import Final

import numpy as np

from core.votes.statistics.confidence import Floats
from core.votes.statistics.grouping import Ints, grouped

_DRAWS: Final = 1000
_SCENES_MIN: Final = 5
_GROUPS_MAX: Final = 400
_SEED: Final = 21  # the same votes give the same figures every time
_GAUSS: Final = NormalDist()
_Z: Final = _GAUSS.inv_cdf(0.975)


def bootstrapped(sums: Floats, figure: Callable[[Floats], Floats]) -> tuple[float, float] | None:
    """The interval of a figure; None from fewer than five scenes, or where most draws leave it undefined.

    `sums` has a row for each scene, of all that the figure needs. `figure` makes of totals of shape (draws, columns) an
    array of shape (draws,), NaN where it is not defined. Many scenes are put into groups by lot first: the sums of such
    groups vary as those of scenes do.
    """
    if len(sums) < _SCENES_MIN:
        return None
    lots = np.random.default_rng(_SEED)
    if len(sums) > _GROUPS_MAX:
        group = lots.permutation(len(sums)) % _GROUPS_MAX
        sums = np.stack([np.bincount(group, column) for column in sums.T], axis=1)
    times = lots.multinomial(len(sums), np.full(len(sums), 1 / len(sums)), size=_DRAWS)
    figures = figure(times @ sums)
    defined = figures[~np.isnan(figures)]
    if len(defined) < _DRAWS / 2:
        return None
    outside = 100 * _GAUSS.cdf(-_t_quantile(len(sums) - 1) * sqrt(len(sums) / (len(sums) - 1)))
    low, high = np.percentile(defined, (outside, 100 - outside))
    return float(low), float(high)


def _t_quantile(freedom: int) -> float:
    """What Student's t is below with 97.5 %.

    Abramowitz, M. and Stegun, I. (1964): Handbook of mathematical functions, 26.7.5; from four degrees of freedom on
    right to a hundredth.
    """
    z, n = _Z, freedom
    return (
        z
        + (z**3 + z) / (4 * n)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * n**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * n**3)
    )


def summed(of_scene: Ints, columns: Floats) -> Floats:
    """Rows added up by their scene: one row for each scene that has any, in the order of its number."""
    place = grouped(of_scene).place
    return np.stack([np.bincount(place, column) for column in columns.T], axis=1)
