"""Tables: everybody's words about one field as numbers, so that very many are weighed at once."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from core.labels.evidence.scale import Numbers, Places, Scale, scale_of
from core.labels.evidence.statements import PortraitStatements, Word
from core.labels.published.schema import LabelField

_Name = TypeVar("_Name", bound=Hashable)
_DAYS_A_YEAR = 365.25
NOTHING = -1
Sureness = tuple[str, str]  # a labeler, and how sure it says it is


class Numbering(dict[_Name, int], Generic[_Name]):
    """Names by number, in the order in which they were first asked for."""

    def __missing__(self, name: _Name) -> int:
        self[name] = number = len(self)
        return number


@dataclass(frozen=True, slots=True)
class Said:
    """Words of one sort: about which portrait (row of the table), and by whom; the columns differ by sort.

    `turns` are the words of each portrait's first, second … one, so that no turn has two about one portrait. `pairs`
    are the distinct rows of the columns, and `pair` is which of them each word is.
    """

    portrait: Places
    columns: tuple[Places, ...]
    turns: tuple[Places, ...]
    pairs: Places
    pair: Places

    def add_up(self, many: int, told: Numbers) -> Numbers:
        """For each of so many portraits the sum of what its words tell; `told` has a row for each of the pairs."""
        total = np.zeros((many, told.shape[1]), dtype=np.float32)
        for turn in self.turns:
            total[self.portrait[turn]] += told[self.pair[turn]]
        return total


@dataclass(frozen=True, slots=True)
class FieldTable:
    """One field of all portraits about which something is said in it.

    Words are rows of the scale, NOTHING where there is none. `assertions` have columns source and word, `opinions`
    labeler, sureness and word, `rulings` reviewer, word that was seen, and word.
    """

    field: LabelField
    scale: Scale
    ids: list[str]
    persona: Places
    years: Places
    shown: Places
    before: Places
    reported: NDArray[np.bool_]
    assertions: Said
    opinions: Said
    rulings: Said
    sources: list[str]
    labelers: list[str]
    sureness: list[Sureness]
    reviewers: list[str]


def table_of(field: LabelField, pictures: Sequence[PortraitStatements]) -> FieldTable | None:
    """The table of a field; None where nothing is said in it."""
    rows = [(picture, picture.fields[field]) for picture in pictures if field in picture.fields]
    if not rows:
        return None
    word, persona = Numbering[Word](), Numbering[str]()
    source, labeler, sureness, reviewer = Numbering[str](), Numbering[str](), Numbering[Sureness](), Numbering[str]()
    assertions, opinions, rulings = [], [], []
    for at, (_, said) in enumerate(rows):
        for claim in said.assertions:
            assertions.append((at, source[claim.source], word[claim.word]))
        for each in said.opinions:
            by = sureness[(each.labeler, each.sureness)]
            opinions.append((at, labeler[each.labeler], by, word[each.word]))
        for ruling in said.rulings:
            seen = NOTHING if ruling.seen is None else word[ruling.seen]
            rulings.append((at, reviewer[ruling.reviewer], seen, word[ruling.word]))
    who = np.array(
        [NOTHING if (name := picture.persona) is None else persona[name] for picture, _ in rows], dtype=np.intp
    )
    shown = np.array([word[said.shown] for _, said in rows], dtype=np.intp)
    before = np.array([NOTHING if said.before is None else word[said.before] for _, said in rows], dtype=np.intp)
    return FieldTable(
        field=field,
        scale=scale_of(field, list(word)),
        ids=[picture.id for picture, _ in rows],
        persona=who,
        years=_years_since_first(who, np.array([picture.day for picture, _ in rows], dtype=np.intp)),
        shown=shown,
        before=before,
        reported=np.array([said.reported for _, said in rows]),
        assertions=_said(assertions, 3),
        opinions=_said(opinions, 4),
        rulings=_said(rulings, 4),
        sources=list(source),
        labelers=list(labeler),
        sureness=list(sureness),
        reviewers=list(reviewer),
    )


def _years_since_first(persona: Places, days: Places) -> Places:
    first = np.full(persona.max(initial=0) + 1, days.max(initial=0))
    named = persona != NOTHING
    np.minimum.at(first, persona[named], days[named])
    return np.where(named, (days - first[persona]) / _DAYS_A_YEAR, 0.0).round().astype(np.intp)


def _said(words: Sequence[tuple[int, ...]], columns: int) -> Said:
    """Words in the order of their portraits."""
    table = np.array(words, dtype=np.intp).reshape(-1, columns)
    portrait = table[:, 0]
    places = np.arange(len(portrait))
    is_first = np.r_[True, portrait[1:] != portrait[:-1]][: len(portrait)]
    turn = places - np.maximum.accumulate(np.where(is_first, places, 0))
    turns = tuple(np.flatnonzero(turn == number) for number in range(int(turn.max(initial=-1)) + 1))
    base = table.max(initial=0) + 2  # NOTHING is -1
    _, first, pair = np.unique(
        (table[:, 1:] + 1) @ base ** np.arange(columns - 1), return_index=True, return_inverse=True
    )
    return Said(portrait, tuple(table[:, 1:].T), turns, table[first, 1:], pair)
