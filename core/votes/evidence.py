"""Evidence: judgements as columns, so that one question after the other can be asked of a hundred thousand of them."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from math import nan
from operator import attrgetter, itemgetter
from typing import Any, Final, Generic, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from core.concurrency.garbage import without_rounds
from core.injection.request.wishes import Varies
from core.votes.records.judgements import JudgedPair, Judgement, SideFacts, SideLetter, Winner
from core.votes.statistics.confidence import Floats
from core.votes.statistics.grouping import Ints, grouped

Marks: TypeAlias = npt.NDArray[np.bool_]

NOT_SAID: Final = -1
WINNERS: Final = tuple(Winner)
SCORES: Final = {Winner.A: 0.0, Winner.B: 1.0, Winner.TIE: 0.5, Winner.BOTH_BAD: nan}
_IN_ORDER: Final = attrgetter(
    *("time", "pair.scene", "pair.comparison", "pair.take", "voter", "again", "winner", "left", "blind"),
    "pair.controlled",
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

    def at(self, rows: Ints) -> Column[Word]:
        """The words of these rows, by the same places."""
        return Column(self.codes[rows], self.names)

    def code_of(self, word: Word) -> int:
        """A word's place; for one that nobody said, a number that no judgement has."""
        return self.names.index(word) if word in self.names else NOT_SAID - 1


@dataclass(frozen=True, slots=True)
class Contrast:
    """What is compared with what: the titles of sides A and B."""

    a: str
    b: str


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


@without_rounds()
def evidence_of(judgements: Iterable[Judgement]) -> Evidence:
    """The columns; whatever order the judgements come in, the result is the same.

    Two image models may be compared either way round: all such pairs are turned to how the first of them stood.
    """
    rows, time = _in_order(judgements)
    pairs = _pairs_of(rows)
    is_turned = _is_other_way_round(pairs.names)
    if is_turned.any():
        rows = [_turned(row) if turn else row for row, turn in zip(rows, is_turned[pairs.codes], strict=True)]
        pairs = _pairs_of(rows)
    said = _Said(rows, Judgement._fields)
    of_pair, shown = _Said(pairs.names, JudgedPair._fields), pairs.codes
    scene, voter = of_pair.column("scene"), said.column("voter")
    pair = _joined(scene, _joined(of_pair.column("comparison"), of_pair.column("take")))[shown]
    first = _firsts(voter.codes * (int(pair.max(initial=0)) + 1) + pair)
    winner = _ints(map({each: at for at, each in enumerate(WINNERS)}.__getitem__, said("winner")))
    reasons = [(at, reason) for at, given in enumerate(said("reasons")) for reason in dict.fromkeys(given)]
    return Evidence(
        judgements=tuple(rows),
        time=time,
        scene=scene.at(shown),
        voter=voter,
        pair=pair,
        tone=of_pair.column("tone").at(shown),
        angle=of_pair.column("angle").at(shown),
        persona=of_pair.column("persona").at(shown),
        model=of_pair.column("model").at(shown),
        contrast=_contrasts_of(pairs.names).at(shown),
        varies=of_pair.column("varies").at(shown),
        winner=winner,
        is_left_b=_marks(left is SideLetter.B for left in said("left")),
        score=np.array([SCORES[each] for each in WINNERS])[winner],
        is_blind=_marks(said("blind")),
        is_controlled=_marks(of_pair("controlled"))[shown],
        is_repeated=(first != np.arange(len(rows))) | _marks(said("again")),
        first=first,
        response_s=_numbers(said("seconds")),
        reasons=(_ints(at for at, _ in reasons), Column.of(reason for _, reason in reasons)),
        facts=(_facts_of(of_pair("a"), shown), _facts_of(of_pair("b"), shown)),
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
        pair, scene = (codes * words + by.codes[rows] - NOT_SAID for codes in (pair, scene))
    (pair_at, of_pair), (scene_at, of_scene) = grouped(pair), grouped(scene)
    pair_votes, pair_scene = np.bincount(of_pair), of_scene[pair_at]
    pair_score = np.bincount(of_pair, evidence.score[rows]) / pair_votes
    pairs = np.bincount(pair_scene)
    score = np.bincount(pair_scene, pair_score) / pairs
    order = np.argsort(scene_at)
    first = rows[scene_at[order]]
    return Scores(evidence.scene.codes[first], score[order], first, pairs[order], np.bincount(of_scene)[order])


def _in_order(judgements: Iterable[Judgement]) -> tuple[list[Judgement], Floats]:
    """By time, those of one moment by all else that tells them apart; and the times, in seconds since 1970."""
    rows = sorted(judgements, key=attrgetter("time"))
    time = _floats(row.time.timestamp() for row in rows)
    if (np.diff(time) == 0).any():
        rows.sort(key=_IN_ORDER)
    return rows, time


def _pairs_of(rows: Iterable[Judgement]) -> Column[JudgedPair]:
    """What each judges. Most share their pair with others, and whether two are one object is seen at a glance."""
    pairs = tuple(row.pair for row in rows)
    places = Column.of(map(id, pairs)).codes
    return Column.of({id(pair): pair for pair in pairs}.values()).at(places)


def _is_other_way_round(pairs: Sequence[JudgedPair]) -> Marks:
    """Of which pairs the contrast stands the other way round than where it came first."""
    kept: dict[tuple[str | None, ...], tuple[str | None, ...]] = {}
    for titles in dict.fromkeys(map(_TITLES, pairs)):
        kept[titles] = titles if None in titles else kept.get(titles[::-1], titles)
    return _marks(kept[titles] != titles for titles in map(_TITLES, pairs))


def _contrasts_of(pairs: Sequence[JudgedPair]) -> Column[Contrast]:
    """What each compares, where both sides have titles."""
    column = Column.of(None if None in titles else titles for titles in map(_TITLES, pairs))
    return Column(column.codes, tuple(Contrast(*titles) for titles in column.names))


def _firsts(codes: Ints) -> Ints:
    """For each number of a column the row at which it first stands."""
    found = grouped(codes)
    return found.first[found.place]


def _joined(column: Column[Any], other: Column[Any] | Ints) -> Ints:
    """One number for each pair of a word and another, from 0 on."""
    codes = other.codes if isinstance(other, Column) else other
    joined = column.codes * (int(codes.max(initial=0)) + 1) + codes
    return grouped(joined).place


def _turned(row: Judgement) -> Judgement:
    winner = {Winner.A: Winner.B, Winner.B: Winner.A}.get(row.winner, row.winner)
    left = SideLetter.A if row.left is SideLetter.B else SideLetter.B
    return row._replace(winner=winner, left=left, pair=row.pair._replace(a=row.pair.b, b=row.pair.a))


class _Said:
    """What so many say, name by name."""

    def __init__(self, rows: Sequence[tuple[Any, ...]], names: Sequence[str]) -> None:
        self._rows = rows
        self._places = {name: at for at, name in enumerate(names)}

    def __call__(self, name: str) -> Iterator[Any]:
        """What each of them says under a name."""
        return map(itemgetter(self._places[name]), self._rows)

    def column(self, name: str) -> Column[Any]:
        """The same as a column."""
        return Column.of(self(name))


def _facts_of(sides: Iterable[SideFacts], shown: Ints) -> Facts:
    said = _Said(tuple(sides), SideFacts._fields)
    return Facts(*(_numbers(said(each.name))[shown] for each in fields(Facts)))


def _numbers(values: Iterable[float | None]) -> Floats:
    """NaN for what is not known."""
    return np.array(tuple(values), dtype=np.float64)


def _floats(values: Iterable[float]) -> Floats:
    return np.fromiter(values, dtype=np.float64)


def _ints(values: Iterable[int]) -> Ints:
    return np.fromiter(values, dtype=np.int64)


def _marks(values: Iterable[bool]) -> Marks:
    return np.fromiter(values, dtype=np.bool_)
