"""Agreement: whether voters say the same of the same pair, as each other and as themselves, and whether left wins."""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import Final

import numpy as np

from core.shares import Share
from core.votes.evidence import WINNERS, Evidence
from core.votes.records.judgements import Winner
from core.votes.statistics.confidence import HALF, Floats, Interval, interval_of
from core.votes.statistics.grouping import Ints, grouped
from core.votes.statistics.resampling import bootstrapped, summed

_RARE: Final = 0.025  # how likely no difference at all may still be at the end of an interval


@dataclass(frozen=True, slots=True)
class Agreement:
    """Krippendorff's alpha over the pairs that several people judged: 1 is full agreement, 0 is chance.

    None where it is not defined: no pair was judged twice, or everybody said the same one thing.
    """

    pairs: int
    alpha: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class LeftBias:
    """How often the left picture was chosen where one was, with a confidence sequence; None where none was.

    Which side stands left is drawn by lot: without bias each such vote is a fair coin, whatever the pictures.
    """

    votes: int
    share: float | None
    low: float | None
    high: float | None

    @property
    def is_biased(self) -> bool:
        """Whether ½ is outside the interval: then the votes are less sure than they look."""
        return self.low is not None and self.high is not None and Interval(self.low, self.high).leaves_out(HALF)


def agreement_of(evidence: Evidence, rows: Ints) -> Agreement:
    """Between voters, over the four answers taken as names (nominal); the interval is drawn over scenes."""
    first, place = grouped(evidence.pair[rows])
    counts = np.bincount(place * len(WINNERS) + evidence.winner[rows], minlength=len(first) * len(WINNERS))
    counts = counts.reshape(len(first), len(WINNERS)).astype(np.float64)
    is_shared = counts.sum(axis=1) > 1
    scene = evidence.scene.codes[rows[first]]
    return alpha_of(counts[is_shared], scene[is_shared])


def alpha_of(counts: Floats, scene: Ints) -> Agreement:
    """Alpha of units by answers: how often each answer was given to each unit, two or more answers a unit.

    α = 1 - Dₒ/Dₑ, with Dₒ = 1/n Σᵤ (nᵤ² - Σ꜀ nᵤ꜀²)/(nᵤ - 1) and Dₑ = (n² - Σ꜀ n꜀²)/(n(n - 1)).
    Krippendorff, K. (2011): Computing Krippendorff's alpha-reliability. University of Pennsylvania.
    Where nobody ever differed no draw would either: then Dₒ at the interval's low end is as large as it may still be
    with no difference in so many scenes, 1 - 0.025^(1/scenes).
    """
    units, given = len(counts), counts.sum(axis=1)
    if not units:
        return Agreement(0, None, None, None)
    differing = (given**2 - (counts**2).sum(axis=1)) / (given - 1)
    sums = np.column_stack([differing, counts])
    alpha = float(_alphas(sums.sum(axis=0, keepdims=True))[0])
    if np.isnan(alpha):
        return Agreement(units, None, None, None)
    if not differing.any():
        return Agreement(units, alpha, _lowest_without_difference(sums.sum(axis=0), len(np.unique(scene))), 1.0)
    bounds = bootstrapped(summed(scene, sums), _alphas)
    return Agreement(units, alpha, *(bounds or (None, None)))


def self_agreement_of(evidence: Evidence, repeats: Ints) -> Share:
    """How often voters gave the same answer to a pair that came to them again, mirrored."""
    first = evidence.first[repeats]
    mirrored = evidence.is_left_b[repeats] != evidence.is_left_b[first]
    is_same = evidence.winner[repeats] == evidence.winner[first]
    return Share.of(int((is_same & mirrored).sum()), int(mirrored.sum()))


def left_bias_of(evidence: Evidence, rows: Ints) -> LeftBias:
    """Over all votes that chose a picture, in the order of their times."""
    winner = evidence.winner[rows]
    chose_a, chose_b = winner == WINNERS.index(Winner.A), winner == WINNERS.index(Winner.B)
    chose_left = (chose_b == evidence.is_left_b[rows])[chose_a | chose_b].astype(np.float64)
    if not len(chose_left):
        return LeftBias(0, None, None, None)
    interval = interval_of(chose_left)
    return LeftBias(len(chose_left), float(chose_left.mean()), interval.low, interval.high)


def _alphas(totals: Floats) -> Floats:
    """Of rows of Σ(nᵤ² - Σnᵤ꜀²)/(nᵤ - 1) and n꜀; NaN where only one answer was given."""
    differing, answers = totals[:, 0], totals[:, 1:]
    given = answers.sum(axis=1)
    expected = (given**2 - (answers**2).sum(axis=1)) / (given - 1)
    return np.asarray(1 - np.divide(differing, expected, out=np.full(len(totals), np.nan), where=expected > 0))


def _lowest_without_difference(totals: Floats, scenes: int) -> float:
    given = totals[1:].sum()
    expected = (given**2 - (totals[1:] ** 2).sum()) / (given * (given - 1))
    return float(max(-1.0, 1 - -np.expm1(log(_RARE) / scenes) / expected))
