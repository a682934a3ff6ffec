"""Resampling: 95 % intervals for figures that are made of sums over scenes.

The bootstrap of Efron, B. (1979): Bootstrap methods: another look at the jackknife. Annals of Statistics 7, 1–26; 95 %
by percentiles. Scenes are drawn, not votes, for the votes of one scene are no independent witnesses. Unlike the
estimate's own interval these hold for one look.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from core.votes.statistics.confidence import Floats

_DRAWS: Final = 1000
_GROUPS_MAX: Final = 400
_SEED: Final = 21  # the same votes give the same figures every time
_BOUNDS: Final = (2.5, 97.5)


def bootstrapped(sums: Floats, figure: Callable[[Floats], Floats]) -> tuple[float, float] | None:
    """The interval of a figure; None from fewer than two scenes, or where most draws leave it undefined.

    `sums` has a row for each scene, of all that the figure needs. `figure` makes of totals of shape (draws, columns) an
    array of shape (draws,), NaN where it is not defined. Many scenes are put into groups by lot first: the sums of such
    groups vary as those of scenes do.
    """
    if len(sums) < 2:
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
    low, high = np.percentile(defined, _BOUNDS)
    return float(low), float(high)


def summed(of_scene: npt.NDArray[np.int64], columns: Floats) -> Floats:
    """Rows added up by their scene: one row for each scene that has any, in the order of its number."""
    _, place = np.unique(of_scene, return_inverse=True)
    return np.stack([np.bincount(place, column) for column in columns.T], axis=1)
