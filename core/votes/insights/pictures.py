"""Pictures: what those of each side are beside what people think of them, and what a preferred one takes to get."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from core.votes.evidence import WINNERS, Evidence
from core.votes.records.judgements import SideLetter, Winner
from core.votes.statistics.confidence import Floats
from core.votes.statistics.grouping import Ints, grouped
from core.votes.statistics.resampling import bootstrapped, summed

_FOR_B: Final = {Winner.A: 0.0, Winner.B: 1.0, Winner.TIE: 0.5, Winner.BOTH_BAD: 0.0}
_FOR_A: Final = {Winner.A: 1.0, Winner.B: 0.0, Winner.TIE: 0.5, Winner.BOTH_BAD: 0.0}


@dataclass(frozen=True, slots=True)
class Taken:
    """What the pictures of one side took together, over the `pairs` of which it is known for both sides.

    `each` is that for each preferred picture, None where none was preferred.
    """

    pairs: int
    total: float
    each: float | None


@dataclass(frozen=True, slots=True)
class SideFigures:
    """One side's pictures in the judged pairs. `preferred` adds up the share of each pair's votes that are for it.

    A tie is half a vote for either, both bad is none: a picture nobody wants was paid for all the same. None where
    nothing is known of any pair. `usd` leaves unpriced pairs out, which is not the same as free.
    """

    side: SideLetter
    pictures: int
    preferred: float
    fidelity: float | None
    failures: Taken | None
    seconds: Taken | None
    usd: Taken | None


@dataclass(frozen=True, slots=True)
class FidelityDifference:
    """How much nearer B comes to its tone than A: the mean of B - A over pairs, in points of fidelity (-100 to 100).

    The interval is drawn over scenes and holds for one look; None from fewer than five scenes.
    """

    pairs: int
    mean: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Pictures:
    """Both sides, and how far their fidelity lies apart, None where it is known of no pair."""

    a: SideFigures
    b: SideFigures
    fidelity_difference: FidelityDifference | None


def pictures_of(evidence: Evidence, rows: Ints) -> Pictures:
    """The figures of all pairs that these places judge, each pair once."""
    at, place = grouped(evidence.pair[rows])
    first = rows[at]
    votes = np.bincount(place)
    shares = tuple(
        np.bincount(place, np.array([worth[each] for each in WINNERS])[evidence.winner[rows]]) / votes
        for worth in (_FOR_A, _FOR_B)
    )
    a, b = (_side(evidence, first, shares[at], at) for at in range(2))
    return Pictures(a, b, _difference(evidence, first))


def _side(evidence: Evidence, first: Ints, preferred: Floats, at: int) -> SideFigures:
    own = evidence.facts[at]
    fidelity = own.fidelity[first]
    known = fidelity[~np.isnan(fidelity)]
    return SideFigures(
        side=tuple(SideLetter)[at],
        pictures=len(first),
        preferred=float(preferred.sum()),
        fidelity=float(known.mean()) if len(known) else None,
        failures=_taken([facts.failures[first] for facts in evidence.facts], preferred, at),
        seconds=_taken([facts.seconds[first] for facts in evidence.facts], preferred, at),
        usd=_taken([facts.usd[first] for facts in evidence.facts], preferred, at),
    )


def _taken(sides: list[Floats], preferred: Floats, at: int) -> Taken | None:
    """Pairs of which one side alone is known would make the other look cheap."""
    known = ~np.isnan(sides[0] + sides[1])
    if not known.any():
        return None
    total, gained = float(sides[at][known].sum()), float(preferred[known].sum())
    return Taken(int(known.sum()), total, total / gained if gained else None)


def _difference(evidence: Evidence, first: Ints) -> FidelityDifference | None:
    a, b = (facts.fidelity[first] for facts in evidence.facts)
    known = ~np.isnan(a + b)
    if not known.any():
        return None
    differences = (b - a)[known]
    columns = np.column_stack([differences, np.ones(len(differences))])
    sums = summed(evidence.scene.codes[first][known], columns)
    low, high = bootstrapped(sums, lambda totals: np.asarray(totals[:, 0] / totals[:, 1])) or (None, None)
    return FidelityDifference(len(differences), float(differences.mean()), low, high)
