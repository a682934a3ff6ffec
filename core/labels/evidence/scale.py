"""Scales: the values a field can truly have, and how well each word that is said of it fits them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.labels.evidence.statements import Word
from core.labels.published.schema import AGE_RANGES, LabelField, age_range_of

# Probabilities for very many portraits: half the digits are enough, and take a third of the time.
Numbers = NDArray[np.float32]
Rates = NDArray[np.float64]
Places = NDArray[np.intp]

_STEP_YEARS: Final = 3
_AGE_TOP: Final = 100
AGES: Final = np.arange(0, _AGE_TOP + 1, _STEP_YEARS)
# Beside the labelled years: what people and machines who are right about a person still differ by.
_AGE_SIGMA_YEARS: Final = 3.0
_LABEL_ERRS: Final = 0.05  # of an age that fits but badly: from where on it is called wrong
_OTHER: Final = "\0other"  # what nobody has said may be true as well
_CLOSED: Final = {LabelField.GENDER: ("feminine", "masculine")}


@dataclass(frozen=True, slots=True)
class Scale:
    """The truths of a field (columns), and the words said of it (rows of `right`, `wrong` and `fits`).

    `right` and `wrong` are how likely each word is said by who knows the truth and by who does not, for each truth;
    `fits` how much each word is no error, from 0 to 1. Confusions are counted in `kinds` of truth and word: those of
    ages are the ranges people think in. `spread` holds, for a number of years, how likely a person of one age is of
    another one on a picture so much later; None where persons do not share the field's value.
    """

    right: Numbers
    wrong: Numbers
    fits: Numbers
    kinds: int
    kind_of_truth: Places
    kind_of_word: Places
    is_personal: bool
    is_age: bool

    @property
    def truths(self) -> int:
        """How many values can be true."""
        return len(self.kind_of_truth)

    def spread(self, years: int) -> Numbers:
        """Row by a person's value, column by the value on a picture that was filed so many years later.

        A file's day is not the picture's: anything between no time and all of it may have passed.
        """
        if not self.is_age:
            return np.eye(self.truths, dtype=np.float32)
        apart = AGES[None, :] - AGES[:, None]
        outside = np.maximum(0.0, np.maximum(-apart, apart - years))
        near = np.exp(-0.5 * (outside / _AGE_SIGMA_YEARS) ** 2)
        return np.asarray(near / near.sum(axis=1, keepdims=True), dtype=np.float32)


def scale_of(field: LabelField, words: list[Word]) -> Scale:
    """The scale for the distinct words that are said about a field; they are its rows in their order."""
    return _age_scale(words) if field is LabelField.AGE else _word_scale(field, words)


def _age_scale(words: list[Word]) -> Scale:
    years = np.array([word for word in words if isinstance(word, tuple)], dtype=float).reshape(-1, 2)
    low, high = years[:, :1], years[:, 1:]
    outside = np.maximum(0.0, np.maximum(low - AGES, AGES - high))
    match = np.exp(-0.5 * (outside / _AGE_SIGMA_YEARS) ** 2)
    wide = np.minimum(high - low + _AGE_SIGMA_YEARS * np.sqrt(2 * np.pi), _AGE_TOP - 1.0)
    right, wrong = match / wide, (1 - match) / (_AGE_TOP - wide)
    fits = (1 - _LABEL_ERRS) * right / np.maximum((1 - _LABEL_ERRS) * right + _LABEL_ERRS * wrong, 1e-300)
    names = [name for name, _, _ in AGE_RANGES]
    return Scale(
        right=right.astype(np.float32),
        wrong=wrong.astype(np.float32),
        fits=fits.astype(np.float32),
        kinds=len(names),
        kind_of_truth=np.array([names.index(age_range_of(int(age), int(age))) for age in AGES]),
        kind_of_word=np.array([names.index(age_range_of(*word)) for word in words if isinstance(word, tuple)]),
        is_personal=True,
        is_age=True,
    )


def _word_scale(field: LabelField, words: list[Word]) -> Scale:
    truths = _CLOSED.get(field) or (*(str(word) for word in words), _OTHER)
    at = np.array([truths.index(str(word)) for word in words], dtype=np.intp)
    right = np.zeros((len(words), len(truths)), dtype=np.float32)
    right[np.arange(len(words)), at] = 1.0
    return Scale(
        right=right,
        wrong=((1 - right) / (len(truths) - 1)).astype(np.float32),
        fits=right,
        kinds=len(truths),
        kind_of_truth=np.arange(len(truths)),
        kind_of_word=at,
        is_personal=field is LabelField.GENDER,
        is_age=False,
    )
