"""What remains: how many labels are probably still wrong, how sure that is, and how many reviews would halve it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from core.labels.evidence.scale import Rates

# How far the probabilities are believed before reviews have confirmed them: as if so many wrong labels had been
# foretold, and found. Those that look suspicious are counted apart from those that do not.
_FORETOLD: Final = 2.0
_SUSPICIOUS: Final = 0.2
_DRAWS: Final = 4000
_STEPS: Final = np.linspace(0.01, 0.99, 50)
_SEED: Final = 20
_NOTHING: Final = 0.5  # wrong labels; fewer are not worth a review
_REVIEW_FINDS: Final = 0.9
_INTERVAL: Final = (5.0, 95.0)


@dataclass(frozen=True, slots=True)
class Foretold:
    """How likely a label was wrong before a person looked, whether they changed it, and how likely it was wrong now.

    Who accepts everything finds nothing: what people say is weighed before it counts against what was foretold.
    """

    wrong: float
    is_changed: bool
    was_wrong: float


@dataclass(frozen=True, slots=True)
class Remaining:
    """How many labels are probably still wrong, with a 90 % interval: `low` to `high`.

    `halved_by` is how many reviews in the queue's order would bring the number down to half; None where reviews alone
    cannot, and 0 where there is nothing to halve.
    """

    labels: int
    wrong: float
    low: int
    high: int
    halved_by: int | None


@dataclass(frozen=True, slots=True)
class Check:
    """The random tenth as a test of the estimate: how many of it people have looked at, foretold and found wrong.

    `holds` says that what was found lies where 90 of 100 such findings would.
    """

    looked_at: int
    foretold: float
    found: int
    holds: bool


def remaining_of(waiting: Sequence[float], judged: Sequence[float], found: Sequence[Foretold]) -> Remaining:
    """The estimate from how likely each label is wrong: of those that wait for a person, and of those judged by one.

    `found` are labels that people have looked at: where they found more wrong ones than were foretold, there are more
    among the waiting ones, too. What is drawn at random for the interval is the same every time.
    """
    draws = np.random.default_rng(_SEED)
    waits = np.sort(np.array(waiting, dtype=float))[::-1]
    closed = np.array(judged, dtype=float)
    expected, wrong = np.zeros_like(waits), _drawn(closed, _factors([], draws), draws)
    for is_suspicious in (True, False):
        part = (waits >= _SUSPICIOUS) == is_suspicious
        factors = _factors([each for each in found if (each.wrong >= _SUSPICIOUS) == is_suspicious], draws)
        wrong += _drawn(waits[part], factors, draws)
        expected[part] = _scaled(waits[part], float(np.median(factors)))
    labels, total = len(waits) + len(closed), float(expected.sum() + closed.sum())
    low, high = np.percentile(np.minimum(wrong, labels), _INTERVAL)
    return Remaining(labels, round(total, 1), int(low), int(np.ceil(high)), _halved_by(expected, total))


def check_of(found: Sequence[Foretold]) -> Check:
    """What people found in some labels, against what was foretold of them."""
    foretold = np.array([each.wrong for each in found], dtype=float)
    wrong = sum(each.is_changed for each in found)
    draws = np.random.default_rng(_SEED)
    likely = _drawn(foretold, _factors([], draws), draws)
    low, high = np.percentile(likely, _INTERVAL)
    return Check(len(found), round(float(foretold.sum()), 1), wrong, bool(low <= wrong <= high))


def _factors(found: Sequence[Foretold], draws: np.random.Generator) -> Rates:
    """By how much the odds of being wrong may have to be multiplied, by what was foretold and what was found."""
    shape = _FORETOLD + 1 / 3 + sum(each.was_wrong for each in found)  # by a third, half of the factors are below 1
    rate = _FORETOLD + sum(each.wrong for each in found)
    return draws.gamma(shape, 1 / rate, _DRAWS)


def _scaled(wrong: Rates, factor: float) -> Rates:
    return np.asarray(factor * wrong / np.maximum(1 - wrong + factor * wrong, np.finfo(float).tiny))


def _drawn(wrong: Rates, factors: Rates, draws: np.random.Generator) -> Rates:
    """How many of some labels are wrong, once for each draw: the rare ones by Poisson's law, the others by Gauss's."""
    likely = np.stack([_scaled(wrong, factor) for factor in np.quantile(factors, _STEPS)])
    at = draws.integers(len(_STEPS), size=len(factors))
    is_rare = wrong < _SUSPICIOUS
    rare, others = likely[:, is_rare], likely[:, ~is_rare]
    mean, spread = others.sum(axis=1), np.sqrt((others * (1 - others)).sum(axis=1))
    many = np.clip(np.round(draws.normal(mean[at], spread[at])), 0, others.shape[1])
    return np.asarray(many + draws.poisson(rare.sum(axis=1)[at]), dtype=np.float64)


def _halved_by(expected: Rates, total: float) -> int | None:
    """How many reviews bring the number down to half; a review finds what is wrong all but now and then."""
    if total < _NOTHING:
        return 0
    enough = np.flatnonzero(np.cumsum(expected * _REVIEW_FINDS) >= total / 2)
    return int(enough[0]) + 1 if len(enough) else None
