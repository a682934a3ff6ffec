"""Judging: how likely each field of each label is wrong, from everything that is said about all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from core.labels.evidence.model import FieldModel
from core.labels.evidence.scale import Numbers
from core.labels.evidence.statements import PortraitStatements
from core.labels.evidence.table import NOTHING, FieldTable, table_of
from core.labels.published.schema import LabelField

_AGAINST: Final = 1.5  # a labeler's word counts as a reason from so many times the odds
_DOUBTS: Final = 0.5
_DIGITS: Final = 4


class FieldJudgement(NamedTuple):
    """One field of one label.

    `wrong` is how likely the label is wrong in it, `before` how likely the one was from before people spoke about this
    picture, by everything but their word, and `was_wrong` the same with their word; None where nothing was said before.
    `persona_doubts` says that the persona's other pictures lead one to expect another value, `against` names the
    labelers whose word makes one doubt.
    """

    wrong: float
    before: float | None = None
    was_wrong: float | None = None
    persona_doubts: bool = False
    against: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reliability:
    """The share of a labeler's words in a field that is probably right, of so many."""

    share: float
    words: int


@dataclass(frozen=True, slots=True)
class Judgement:
    """All labels, by the picture's id and field, and how reliable each labeler is, by field and name."""

    fields: Mapping[str, Mapping[LabelField, FieldJudgement]]
    labelers: Mapping[tuple[LabelField, str], Reliability]


def judge(pictures: Sequence[PortraitStatements]) -> Judgement:
    """Judge every field of every picture: the same for the same words, whoever computes it."""
    fields: dict[str, dict[LabelField, FieldJudgement]] = {picture.id: {} for picture in pictures}
    labelers: dict[tuple[LabelField, str], Reliability] = {}
    for field in LabelField:
        table = table_of(field, pictures)
        if table is None:
            continue
        model = FieldModel(table)
        for id, judged in zip(table.ids, _judgements(table, model), strict=True):
            fields[id][field] = judged
        labelers |= {(field, name): found for name, found in _reliabilities(table, model).items()}
    return Judgement(fields, labelers)


def _judgements(table: FieldTable, model: FieldModel) -> list[FieldJudgement]:
    wrong, before, was_wrong = map(_rounded, (model.wrong(), model.wrong_before(), model.was_wrong()))
    doubts = (model.wrong_by_persona() > _DOUBTS).tolist() if table.scale.is_personal else [False] * len(wrong)
    against: dict[int, list[str]] = {}
    for at, name in _opponents(table, model):
        against.setdefault(at, []).append(name)
    was = (table.before != NOTHING).tolist()
    return [
        FieldJudgement(
            wrong=wrong[at],
            before=before[at] if was[at] else None,
            was_wrong=was_wrong[at] if was[at] else None,
            persona_doubts=doubts[at],
            against=tuple(against.get(at, ())),
        )
        for at in range(len(wrong))
    ]


def _rounded(shares: Numbers) -> list[float]:
    rounded: list[float] = shares.astype(np.float64).round(_DIGITS).tolist()
    return rounded


def _opponents(table: FieldTable, model: FieldModel) -> list[tuple[int, str]]:
    """The labelers whose word speaks against what is shown, as much as it has proved to be worth."""
    portrait = table.opinions.portrait
    labeler, sureness, word = table.opinions.columns
    said, shown = table.scale.kind_of_word[word], table.scale.kind_of_word[table.shown[portrait]]
    odds = model.confusions[sureness, said, said] / model.confusions[sureness, shown, said]
    found = np.flatnonzero((said != shown) & (odds >= _AGAINST))
    return [(int(portrait[at]), table.labelers[labeler[at]]) for at in found]


def _reliabilities(table: FieldTable, model: FieldModel) -> dict[str, Reliability]:
    labeler, _, word = table.opinions.columns
    right = model.kinds()[table.opinions.portrait, table.scale.kind_of_word[word]]
    words = np.bincount(labeler, minlength=len(table.labelers))
    share = np.bincount(labeler, weights=right, minlength=len(table.labelers)) / np.maximum(words, 1)
    return {name: Reliability(float(share[at]), int(words[at])) for at, name in enumerate(table.labelers)}
