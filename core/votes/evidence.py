"""Evidence: judgements as columns, so that one question after the other can be asked of a hundred thousand of them."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime
from enum import StrEnum
from math import nan
from operator import attrgetter
from typing import Any, Final, Generic, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from core.injection.wishes import Varies
from core.votes.judgements import Judgement, SideLetter, Winner
from core.votes.statistics.confidence import Floats

Ints: TypeAlias = npt.NDArray[np.int64]
Marks: TypeAlias = npt.NDArray[np.bool_]

NOT_SAID: Final = -1
WINNERS: Final = tuple(Winner)
SCORES: Final = {Winner.A: 0.0, Winner.B: 1.0, Winner.TIE: 0.5, Winner.BOTH_BAD: nan}
_DAY_S: Final = 86_400.0
_IN_ORDER: Final = attrgetter(
    *("time", "scene", "comparison", "take", "voter", "again", "winner", "left", "blind", "controlled")
)
_TITLES: Final = attrgetter("a.title", "b.title")

Word = TypeVar("Word", bound=Hashable)


@dataclass(frozen=True, slots=True, eq=False)
class Column(Generic[Word]):
    """A word for each judgement, as its place in `names`; NOT_SAID where there is none."""

    codes: Ints
    names: tuple[Word, ...]

    @classmethod
    def of(cls, words: Iterable[Word | None]) -> Column[Word]:
        """The words, each once in `names`, in the order in which they first come."""
        words = tuple(words)
        names = tuple(word for word in dict.fromkeys(words) if word is not None)
        places: dict[Word | None, int] = {None: NOT_SAID}
        places.update((word, at) for at, word in enumerate(names))
        return cls(_ints(map(places.__getitem__, words)), names)

    def code_of(self, word: Word) -> int:
        """A word's place; for one that nobody said, a number that no judgement has."""
        return self.names.index(word) if word in self.names else NOT_SAID - 1


@dataclass(frozen=True, slots=True)
class Contrast:
    """What is compared with what: the titles of sides A and B."""

    a: str
    b: str


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
class Facts:
    """What is known of one side's pictures, a number for each judgement; NaN where nobody knows."""

    fidelity: Floats
    usd: Floats
    seconds: Floats
    failures: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """All judgements in the order of their times, as columns. `pair` is scene, comparison and take in one number.

    `score` is how far a vote is for B: 1, ½ for a tie, 0 for A, and NaN where both are bad. `first` is the place of
    this voter's first judgement of the same pair, which is its own place unless the judgement is `repeated`.
    """

    judgements: tuple[Judgement, ...]
    time: Floats  # seconds since 1970
    scene: Column[str]
    voter: Column[str]
    pair: Ints
    tone: Column[str]
    angle: Column[str]
    persona: Column[str]
    model: Column[str]
    contrast: Column[Contrast]
    varies: Column[Varies]
    winner: Ints  # place in WINNERS
    is_left_b: Marks
    score: Floats
    is_blind: Marks
    is_controlled: Marks
    is_repeated: Marks
    first: Ints
    response_s: Floats
    reasons: tuple[Ints, Column[str]]  # a judgement's place and one reason it gives, for each of its reasons
    facts: tuple[Facts, Facts]  # of A and of B

    def __len__(self) -> int:
        return len(self.judgements)


def evidence_of(judgements: Iterable[Judgement]) -> Evidence:
    """The columns; whatever order the judgements come in, the result is the same.

    Two image models may be compared either way round: all such pairs are turned to how the first of them stood.
    """
    rows, contrast = _turned(sorted(judgements, key=_IN_ORDER))
    said = _Said(rows)
    scene, voter = Column.of(said("scene")), Column.of(said("voter"))
    pair = _joined(scene, _joined(Column.of(said("comparison")), Column.of(said("take"))))
    _, firsts, place = np.unique(_joined(voter, pair), return_index=True, return_inverse=True)
    first = firsts[place]
    winner = _ints(map({each: at for at, each in enumerate(WINNERS)}.__getitem__, said("winner")))
    reasons = [(at, reason) for at, given in enumerate(said("reasons")) for reason in dict.fromkeys(given)]
    return Evidence(
        judgements=tuple(rows),
        time=_floats(map(datetime.timestamp, said("time"))),
        scene=scene,
        voter=voter,
        pair=pair,
        tone=Column.of(said("tone")),
        angle=Column.of(said("angle")),
        persona=Column.of(said("persona")),
        model=Column.of(said("model")),
        contrast=contrast,
        varies=Column.of(said("varies")),
        winner=winner,
        is_left_b=_marks(left is SideLetter.B for left in said("left")),
        score=np.array([SCORES[each] for each in WINNERS])[winner],
        is_blind=_marks(said("blind")),
        is_controlled=_marks(said("controlled")),
        is_repeated=(first != np.arange(len(rows))) | _marks(said("again")),
        first=first,
        response_s=said.numbers("seconds"),
        reasons=(_ints(at for at, _ in reasons), Column.of(reason for _, reason in reasons)),
        facts=(_facts_of(said, SideLetter.A), _facts_of(said, SideLetter.B)),
    )


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


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """One score from 0 to 1 for each scene, in the order in which scenes came in; `scene` is each one's code.

    `first` is the place of the judgement with which it came in, and `pairs` and `votes` are how many were averaged.
    """

    scene: Ints
    score: Floats
    first: Ints
    pairs: Ints
    votes: Ints

    def __len__(self) -> int:
        return len(self.scene)


def scores_of(evidence: Evidence, rows: Ints, *, by: Column[str] | None = None) -> Scores:
    """The scenes of these places: the votes of a pair are averaged first, then the pairs of a scene, alike each.

    Both bad says nothing of which is better: a scene has a score, and comes in, with its first other vote. With `by` a
    scene has a score for each word of that column, as if the others had not voted.
    """
    rows = rows[~np.isnan(evidence.score[rows])]
    pair, scene = evidence.pair[rows], evidence.scene.codes[rows]
    if by is not None:
        words = len(by.names) + 1
        pair, scene = (codes * words + by.codes[rows] for codes in (pair, scene))
    _, pair_at, of_pair = np.unique(pair, return_index=True, return_inverse=True)
    _, scene_at, of_scene = np.unique(scene, return_index=True, return_inverse=True)
    pair_votes, pair_scene = np.bincount(of_pair), of_scene[pair_at]
    pair_score = np.bincount(of_pair, evidence.score[rows]) / pair_votes
    pairs = np.bincount(pair_scene)
    score = np.bincount(pair_scene, pair_score) / pairs
    order = np.argsort(scene_at)
    first = rows[scene_at[order]]
    return Scores(evidence.scene.codes[first], score[order], first, pairs[order], np.bincount(of_scene)[order])


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


def _turned(rows: list[Judgement]) -> tuple[list[Judgement], Column[Contrast]]:
    """The judgements with every contrast the way round in which it came first."""
    titles = [pair if None not in pair else None for pair in map(_TITLES, rows)]
    kept: dict[tuple[str, str], tuple[str, str]] = {}
    for pair in dict.fromkeys(titles):
        if pair is not None:
            kept[pair] = kept.get((pair[1], pair[0]), pair)
    if any(pair != first for pair, first in kept.items()):
        rows = [
            _other_way_round(row) if pair and kept[pair] != pair else row
            for row, pair in zip(rows, titles, strict=True)
        ]
    column = Column.of(pair and kept[pair] for pair in titles)
    return rows, Column(column.codes, tuple(Contrast(*pair) for pair in column.names))


def _joined(column: Column[Any], other: Column[Any] | Ints) -> Ints:
    """One number for each pair of a word and another, from 0 on."""
    codes = other.codes if isinstance(other, Column) else other
    joined = column.codes * (int(codes.max(initial=0)) + 1) + codes
    return np.asarray(np.unique(joined, return_inverse=True)[1], dtype=np.int64)


def _other_way_round(row: Judgement) -> Judgement:
    winner = {Winner.A: Winner.B, Winner.B: Winner.A}.get(row.winner, row.winner)
    left = SideLetter.A if row.left is SideLetter.B else SideLetter.B
    return replace(row, winner=winner, left=left, a=row.b, b=row.a)


class _Said:
    """What the judgements say, name by name."""

    def __init__(self, rows: Sequence[Judgement]) -> None:
        self._rows = rows

    def __call__(self, name: str) -> tuple[Any, ...]:
        """What each of them says under a name, dotted where it is a side's."""
        return tuple(map(attrgetter(name), self._rows))

    def numbers(self, name: str) -> Floats:
        """The same of a number that may not be known: NaN then."""
        return np.array(self(name), dtype=np.float64)


def _facts_of(said: _Said, side: SideLetter) -> Facts:
    return Facts(*(said.numbers(f"{side}.{each.name}") for each in fields(Facts)))


def _floats(values: Iterable[float]) -> Floats:
    return np.fromiter(values, dtype=np.float64)


def _ints(values: Iterable[int]) -> Ints:
    return np.fromiter(values, dtype=np.int64)


def _marks(values: Iterable[bool]) -> Marks:
    return np.fromiter(values, dtype=np.bool_)
