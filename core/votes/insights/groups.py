"""Groups: the same question by tone, angle, person, model and voter, small groups pulled towards the whole.

Of many groups the best looks better than it is, and the fewer scenes it has the more so.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np

from core.votes.evidence import NOT_SAID, Column, Evidence, scores_of
from core.votes.statistics.grouping import Ints
from core.votes.statistics.pulling import pulled_together

_SPREAD_MAX: Final = 0.5  # of means that lie between 0 and 1
_Z: Final = NormalDist().inv_cdf(0.975)
_OWN: Final = 0.8


@dataclass(frozen=True, slots=True)
class Group:
    """One tone, angle, person, model or voter. All groups are exploratory: nothing is ever decided by one.

    `plain` is the mean over its scenes, `preference` what that is once it is pulled towards the whole, with its 95 %
    interval; `own` is how much of it is the group's own, from 0 to 1. `name` None is what says nothing of that kind.
    """

    name: str | None
    scenes: int
    votes: int
    plain: float
    preference: float
    low: float
    high: float
    own: float

    @property
    def is_pulled(self) -> bool:
        """Whether a good part of its figure is the whole's: it is small, or the groups differ little."""
        return self.own < _OWN


def groups_of(evidence: Evidence, rows: Ints, column: Column[str]) -> tuple[Group, ...]:
    """The groups by how many scenes they have, most first; none where nobody says anything of that kind."""
    scores = scores_of(evidence, rows, by=column)
    codes, place = np.unique(column.codes[scores.first], return_inverse=True)
    if not (codes != NOT_SAID).any():
        return ()
    scenes = np.bincount(place)
    votes = np.bincount(place, scores.votes)
    means = np.bincount(place, scores.score) / scenes
    within = (0.25 + ((scores.score - means[place]) ** 2).sum()) / (len(scores) - len(codes) + 1)
    pulled = pulled_together(means, within / scenes, spread_max=_SPREAD_MAX)
    lows, highs = (np.clip(pulled.mean + side * _Z * pulled.deviation, 0, 1) for side in (-1, 1))
    return tuple(
        Group(
            name=column.names[codes[at]] if codes[at] != NOT_SAID else None,
            scenes=int(scenes[at]),
            votes=int(votes[at]),
            plain=float(means[at]),
            preference=float(np.clip(pulled.mean[at], 0, 1)),
            low=float(lows[at]),
            high=float(highs[at]),
            own=float(pulled.own[at]),
        )
        for at in np.argsort(-scenes, kind="stable")
    )
