"""The model of a field: what is probably true of each portrait, and how reliable everybody is, each from the other."""

from __future__ import annotations

from typing import Final

import numpy as np

from core.labels.evidence.personas import expectations
from core.labels.evidence.reliability import (
    NEW_REVIEWER,
    Opinions,
    confusions,
    expected_wrong,
    reviewer_rates,
    wrong_rates,
)
from core.labels.evidence.scale import Numbers, Places
from core.labels.evidence.table import NOTHING, FieldTable

_ROUNDS: Final = 4  # what changes in later ones is behind the second digit
_REPORT_ODDS: Final = 8.0  # how much oftener a wrong label is reported than a right one
_CORRECTION_ERRS: Final = 0.05  # of corrections that were needed: they are not right either
_TINY: Final = 1e-30


class FieldModel:
    """Learned from a table at once; then it answers for each of its portraits."""

    def __init__(self, table: FieldTable) -> None:
        self._table = table
        labeler, sureness, word = table.opinions.columns
        self._opinions = Opinions(
            table.opinions.portrait,
            labeler,
            sureness,
            table.scale.kind_of_word[word],
            [table.labelers.index(name) for name, _ in table.sureness],
        )
        kinds = table.scale.kinds
        self._expected = np.array([expected_wrong(source) for source in table.sources])
        self._sources = self._expected
        self.confusions = np.full((len(table.sureness), kinds, kinds), 1 / kinds)  # nobody is believed at first
        self._misses = np.full(len(table.reviewers), NEW_REVIEWER[0])
        self._alarms = np.full(len(table.reviewers), NEW_REVIEWER[1])
        for _ in range(_ROUNDS):
            self._learn()
        people = self._ruled()
        self._said = self._without_people() + people
        self.expected = self._expectations(self._said)
        self._people = people

    @property
    def truth(self) -> Numbers:
        """For each portrait how likely each value is, by all that is said."""
        return _shares(self._said, self.expected)

    def wrong(self) -> Numbers:
        """For each portrait how likely the shown label is wrong."""
        return self._mistaken(self.truth, self._table.shown)

    def wrong_before(self) -> Numbers:
        """For each portrait how likely its label from before people spoke was wrong, by all but their word on it."""
        return self._mistaken(_shares(self._said - self._people, self.expected), self._table.before)

    def was_wrong(self) -> Numbers:
        """The same by everything, their word too."""
        return self._mistaken(self.truth, self._table.before)

    def wrong_by_persona(self) -> Numbers:
        """For each portrait how likely the shown label is wrong by the persona's other pictures alone."""
        return self._mistaken(self.expected, self._table.shown)

    def kinds(self) -> Numbers:
        """For each portrait how likely each kind of value is."""
        return self._kinds(self.truth)

    def _learn(self) -> None:
        """One round: what is probably true by the rates so far, then the rates by that."""
        table, scale = self._table, self._table.scale
        said = self._without_people() + self._ruled()
        truth = _shares(said, self._expectations(said))
        source, word = table.assertions.pairs.T
        rate = self._sources[source, None].astype(np.float32)
        right, wrong = (1 - rate) * scale.right[word], rate * scale.wrong[word]
        erring = (wrong / np.maximum(right + wrong, _TINY))[table.assertions.pair]
        erred = np.einsum("wt,wt->w", truth[table.assertions.portrait], erring)
        self._sources = wrong_rates(self._expected, table.assertions.columns[0], erred)
        self.confusions = confusions(self._opinions, self._kinds(truth).astype(np.float64), len(table.labelers))
        reviewer, seen, after = table.rulings.columns
        shown = seen != NOTHING  # who was shown nothing let nothing pass
        mistaken = (truth[table.rulings.portrait] * (1 - scale.fits[seen])).sum(axis=1)
        self._misses, self._alarms = reviewer_rates(
            reviewer[shown], (seen == after)[shown], mistaken[shown], len(table.reviewers)
        )

    def _expectations(self, said: Numbers) -> Numbers:
        if not self._table.scale.is_personal:
            return np.full(said.shape, 1 / said.shape[1], dtype=np.float32)
        likelihood = np.exp(said - said.max(axis=1, keepdims=True))
        return expectations(self._table.scale, likelihood, self._table.persona, self._table.years)

    def _without_people(self) -> Numbers:
        """What label, folder, labelers and reports say of each portrait: logarithms of likelihoods, by truth."""
        table, scale, many = self._table, self._table.scale, len(self._table.ids)
        source, word = table.assertions.pairs.T
        rate = self._sources[source, None].astype(np.float32)
        told = np.log((1 - rate) * scale.right[word] + rate * scale.wrong[word] + _TINY)
        said = table.assertions.add_up(many, told)
        _, sureness, word = table.opinions.pairs.T
        told = np.log(self.confusions[sureness, :, scale.kind_of_word[word]][:, scale.kind_of_truth]).astype(np.float32)
        said += table.opinions.add_up(many, told)
        report = np.log(1 + (_REPORT_ODDS - 1) * (1 - scale.fits[table.shown[table.reported]]))
        said[table.reported] += report
        return said

    def _ruled(self) -> Numbers:
        """What people say: a label that was kept, or one that was changed, and into what."""
        table, scale = self._table, self._table.scale
        reviewer, seen, after = table.rulings.pairs.T
        misses, alarms = (each[reviewer, None].astype(np.float32) for each in (self._misses, self._alarms))
        fits = np.where((seen == NOTHING)[:, None], 0.0, scale.fits[seen])
        kept = fits + (1 - fits) * misses
        needed = fits * alarms + (1 - fits) * (1 - misses)
        into = (1 - _CORRECTION_ERRS) * scale.right[after] + _CORRECTION_ERRS * scale.wrong[after]
        told = np.log(np.where((seen == after)[:, None], kept, needed * into) + _TINY)
        return table.rulings.add_up(len(table.ids), told)

    def _mistaken(self, truth: Numbers, word: Places) -> Numbers:
        return np.asarray((truth * (1 - self._table.scale.fits[word])).sum(axis=1))

    def _kinds(self, truth: Numbers) -> Numbers:
        kinds = self._table.scale.kind_of_truth  # in their order
        return np.add.reduceat(truth, np.searchsorted(kinds, np.arange(self._table.scale.kinds)), axis=1)


def _shares(said: Numbers, expected: Numbers) -> Numbers:
    """For each portrait the probability of each truth."""
    likely = np.exp(said - said.max(axis=1, keepdims=True)) * expected
    return np.asarray(likely / likely.sum(axis=1, keepdims=True))
