"""Selection: which judgements a question is asked of, which of them count, and why the others do not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Final

import numpy as np

from core.injection.request.wishes import Varies
from core.votes.evidence import NOT_SAID, Contrast, Evidence, Marks
from core.votes.statistics.grouping import Ints

_DAY_S: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class Filters:
    """Which judgements a question is asked of. Days are UTC's, both are included; None leaves nothing out.

    `contrast` says what is compared where that is not always the same: two image models, or two strengths.
    """

    varies: Varies = Varies.ANGLE
    since: date | None = None
    until: date | None = None
    contrast: Contrast | None = None
    tone: str | None = None
    angle: str | None = None
    persona: str | None = None
    model: str | None = None
    voter: str | None = None
    include_seen: bool = False

    @property
    def is_part(self) -> bool:
        """Whether one part was picked out, of which there are many."""
        return any(part is not None for part in (self.tone, self.angle, self.persona, self.model, self.voter))


class Standing(StrEnum):
    """Whether a vote counts for a question, or the first reason why it does not."""

    COUNTED = "counted"
    NOT_ASKED = "not asked"  # it is about another question, or outside the filters
    OTHER_CONTRAST = "other contrast"  # something else was compared, like two other image models
    SEEN = "seen"  # the voter had seen the sides named
    UNCONTROLLED = "uncontrolled"  # the sides differ in more than what varies
    REPEATED = "repeated"  # the voter had judged the pair before


STANDINGS: Final = tuple(Standing)  # COUNTED first: what no reason is true of


@dataclass(frozen=True, slots=True)
class LeftOut:
    """How many votes of the question do not count, by `Standing`, each under the first reason that is true of it.

    `repeated` votes that were shown mirrored tell how well people agree with themselves.
    """

    seen: int = 0
    uncontrolled: int = 0
    repeated: int = 0
    other_contrasts: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.seen + self.uncontrolled + self.repeated + self.other_contrasts


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """Which judgements count for a question: `standing` of each as its place in STANDINGS.

    `contrasts` are all that the question has been asked of, with the votes of each, the most frequent first.
    """

    standing: Ints
    contrast: Contrast | None
    contrasts: tuple[tuple[Contrast, int], ...]

    @property
    def counted(self) -> Ints:
        """The places of those that count, in the order of their times."""
        return self.places(Standing.COUNTED)

    @property
    def repeats(self) -> Ints:
        """The places of those that would count if their voters had not judged the pair before."""
        return self.places(Standing.REPEATED)

    @property
    def left_out(self) -> LeftOut:
        """How many do not count, and why."""
        return LeftOut(
            seen=len(self.places(Standing.SEEN)),
            uncontrolled=len(self.places(Standing.UNCONTROLLED)),
            repeated=len(self.places(Standing.REPEATED)),
            other_contrasts=len(self.places(Standing.OTHER_CONTRAST)),
        )

    def places(self, standing: Standing) -> Ints:
        """Which judgements stand so."""
        return np.flatnonzero(self.standing == STANDINGS.index(standing))


def select(evidence: Evidence, filters: Filters) -> Selection:
    """What counts of what the filters leave; without a contrast, of the one that has most votes."""
    asked, codes, names = _asked(evidence, filters), evidence.contrast.codes, evidence.contrast.names
    votes = np.bincount(codes[asked & (codes != NOT_SAID)], minlength=len(names))
    most = int(votes.argmax()) if votes.any() else NOT_SAID
    chosen = evidence.contrast.code_of(filters.contrast) if filters.contrast else most
    reasons = {
        Standing.NOT_ASKED: ~asked,
        Standing.OTHER_CONTRAST: (codes != NOT_SAID) & (codes != chosen),
        Standing.SEEN: ~(evidence.is_blind | filters.include_seen),
        Standing.UNCONTROLLED: ~evidence.is_controlled,
        Standing.REPEATED: evidence.is_repeated,
    }
    standing = np.select(list(reasons.values()), [STANDINGS.index(each) for each in reasons])
    return Selection(
        standing=standing.astype(np.int64),
        contrast=filters.contrast or (names[chosen] if chosen >= 0 else None),
        contrasts=tuple((names[at], int(votes[at])) for at in np.argsort(-votes, kind="stable") if votes[at]),
    )


def _asked(evidence: Evidence, filters: Filters) -> Marks:
    """The judgements that the question is asked of, whether they count or not."""
    codes = evidence.varies.codes
    asked: Marks = (codes == NOT_SAID) | (codes == evidence.varies.code_of(filters.varies))
    for column, word in (
        (evidence.tone, filters.tone),
        (evidence.angle, filters.angle),
        (evidence.persona, filters.persona),
        (evidence.model, filters.model),
        (evidence.voter, filters.voter),
    ):
        if word is not None:
            asked &= column.codes == column.code_of(word)
    if filters.since is not None:
        asked &= evidence.time >= _midnight(filters.since)
    if filters.until is not None:
        asked &= evidence.time < _midnight(filters.until) + _DAY_S
    return asked


def _midnight(day: date) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()
