"""Personas: what the other pictures of a person say about one of them."""

from __future__ import annotations

from typing import Final

import numpy as np

from core.labels.evidence.scale import Numbers, Places, Scale

_ONE_PERSON: Final = 0.95  # of the names that several pictures share, how many are of one person
_ROWS: Final = 64
_NOT_THEM: Final = 0.005  # of a person's pictures, how many show somebody else


def expectations(scale: Scale, likelihood: Numbers, persona: Places, years: Places) -> Numbers:
    """What each picture's persona leads one to expect before the picture itself is looked at; rows sum to 1.

    `likelihood` is what is said of each picture (rows) for each truth, `persona` the number of its persona, -1 for
    none, `years` how much later than the persona's first picture it was filed. A name may be one person's, whose
    pictures then mostly have one value, or a mere name (`IMG`), whose pictures have nothing to do with each other;
    which it is, the persona's other pictures say themselves. No picture is evidence about itself.
    """
    truths = scale.truths
    flat = np.full(truths, 1 / truths, dtype=np.float32)
    expected = np.tile(flat, (len(likelihood), 1))
    counts = np.bincount(persona[persona >= 0]) if (persona >= 0).any() else np.zeros(0, dtype=int)
    several = np.flatnonzero((persona >= 0) & (counts[persona] > 1)) if len(counts) else np.zeros(0, dtype=np.intp)
    if not len(several):
        return expected
    several = several[np.argsort(persona[several], kind="stable")]
    who, later = persona[several], years[several]
    seen = likelihood[several]
    spreads = {int(apart): scale.spread(int(apart)) for apart in np.unique(later)}
    told = np.empty_like(seen)  # for each value of the person, how likely is what is said of this picture
    for apart, spread in spreads.items():
        told[later == apart] = _times(seen[later == apart], spread.T)
    odds = np.log((1 - _NOT_THEM) * told / seen.mean(axis=1, keepdims=True) + _NOT_THEM)
    starts = np.flatnonzero(np.r_[True, who[1:] != who[:-1]])
    together = np.add.reduceat(odds, starts)[np.cumsum(np.r_[True, who[1:] != who[:-1]]) - 1]
    others = together - odds
    top = np.maximum(others.max(axis=1, keepdims=True), 0.0)
    person = flat * np.exp(others - top)
    one, none = _ONE_PERSON * person.sum(axis=1), (1 - _ONE_PERSON) * np.exp(-top[:, 0])
    here = np.empty_like(seen)
    for apart, spread in spreads.items():
        here[later == apart] = _times(person[later == apart], spread)
    found = _ONE_PERSON * (1 - _NOT_THEM) * here
    found += (_ONE_PERSON * _NOT_THEM * person.sum(axis=1) + none)[:, None] * flat
    expected[several] = found / (one + none)[:, None]
    return expected


def _times(rows: Numbers, matrix: Numbers) -> Numbers:
    """The matrix product, a few rows at a time: for many, BLAS wakes threads that a busy server has no cores for."""
    return np.concatenate([rows[at : at + _ROWS] @ matrix for at in range(0, len(rows), _ROWS)])
