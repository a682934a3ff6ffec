"""Drawing: which pair of pictures a voter is shown next, and which side stands left.

Of the pairs that pass the filter and that this voter has neither judged nor skipped, nor has before them: those they
are blind to first, `controlled` ones first, those with the fewest votes first, and by lot among equals, so that many
people at once do not judge the same. One ballot in `AGAIN_EVERY` is instead one that they have judged, mirrored:
whether people agree with themselves says how much any vote is worth.
"""

from __future__ import annotations

import heapq
import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from operator import itemgetter
from random import Random
from typing import Final, NamedTuple

from ulid import ULID

from core.generation.records.comparison import TAKES_MAX
from core.votes.ballots.ballots import DrawnBallot
from core.votes.ballots.pairings import Pairing, PicturePair
from core.votes.records.book import Place
from core.votes.records.judgements import SideLetter
from core.votes.records.vote_rows import Pair, VoteRow
from core.votes.records.votes import other_side

AGAIN_EVERY: Final = 20
# As many others lie between a ballot and its repetition at least: nobody should remember what they said.
_BETWEEN: Final = 10
_UNCONTROLLED_LAST: Final = 1e6  # more votes than a pair ever gets
_SEEN_LAST: Final = 2e6


@dataclass(frozen=True, slots=True)
class BallotFilter:
    """Which comparisons to vote on; empty fields do not narrow.

    `days` counts back from now (None for VOTE_DAYS); `person` ordered it, `persona` is on its person references;
    `varies` as in `Varies`. With `include_seen` those come last that this voter is not blind to; else never.
    """

    days: int | None = None
    person: str | None = None
    persona: str | None = None
    tone: str | None = None
    angle: str | None = None
    varies: str | None = None
    include_seen: bool = False

    @property
    def narrows(self) -> bool:
        """Whether anything but a comparison's age, and what the voter has seen, counts."""
        return any((self.person, self.persona, self.tone, self.angle, self.varies))

    def passes(self, pairing: Pairing) -> bool:
        """Whether a comparison is wanted, whatever its age."""
        return (
            (self.person is None or pairing.person == self.person)
            and (self.persona is None or pairing.persona == self.persona)
            and (self.tone is None or pairing.tone == self.tone)
            and (self.angle is None or pairing.angle == self.angle)
            and (self.varies is None or pairing.varies == self.varies)
        )


class Candidate(NamedTuple):
    """A pair that could be shown."""

    pairing: Pairing
    pictures: PicturePair

    @property
    def pair(self) -> Pair:
        """Its name."""
        return Pair(self.pairing.id, self.pictures.take)


@dataclass(frozen=True, slots=True)
class VoterView:
    """What drawing must know of a voter: their standing votes, what they have seen, skipped, and have before them."""

    judged: Mapping[Place, VoteRow]
    seen: Collection[str]
    out: frozenset[Pair]


def candidates_in(pairings: Iterable[Pairing]) -> Iterator[Candidate]:
    """Every take of these comparisons that has both its pictures."""
    return (Candidate(pairing, pictures) for pairing in pairings for pictures in pairing.pairs)


def draw(
    candidates: Mapping[Pair, Candidate],
    voter: VoterView,
    votes_on: Mapping[Pair, int],
    wanted: BallotFilter,
    *,
    count: int,
    lot: Random,
) -> list[Candidate]:
    """Up to `count` pairs that this voter is to judge for the first time."""
    out = voter.out | {place.pair for place in voter.judged if not place.again}
    seen, chance, votes, narrows = voter.seen, lot.random, votes_on.get, wanted.narrows
    # One number each, and no list of them: twenty thousand tuples that stay would set the garbage collector off.
    ranked = (
        (
            (candidate.pairing.id in seen) * _SEEN_LAST
            + (not candidate.pairing.controlled) * _UNCONTROLLED_LAST
            + votes(pair, 0)
            + chance(),
            candidate,
        )
        for pair, candidate in candidates.items()
        if pair not in out
        and (wanted.include_seen or candidate.pairing.id not in seen)
        and (not narrows or wanted.passes(candidate.pairing))
    )
    # so many hold `count` comparisons at least, if there are as many
    first = heapq.nsmallest(TAKES_MAX * count, ranked, key=itemgetter(0))
    return _one_of_each([candidate for _, candidate in first], count)


def repetition(
    candidates: Mapping[Pair, Candidate], voter: VoterView, wanted: BallotFilter, *, lot: Random
) -> tuple[Candidate, SideLetter] | None:
    """A pair that this voter judged blindly some time ago, and which side is to stand left now; None without any."""
    once = sorted((row for place, row in voter.judged.items() if not place.again), key=lambda row: row.time)
    possible = [
        row
        for row in once[:-_BETWEEN]
        if row.pair in candidates
        and row.blind
        and row.comparison not in voter.seen
        and row.pair not in voter.out
        and Place(row.pair, again=True) not in voter.judged
        and wanted.passes(candidates[row.pair].pairing)
        and _shows(candidates[row.pair], row)
    ]
    if not possible:
        return None
    row = possible[lot.randrange(len(possible))]
    return candidates[row.pair], other_side(SideLetter(row.left))


def ballot_of(candidate: Candidate, voter: str, *, folder: str, left: SideLetter | None = None) -> DrawnBallot:
    """The ballot for a pair; the side that stands left is drawn by lot unless it is a repetition, which says it."""
    pictures = candidate.pictures
    return DrawnBallot(
        id=str(ULID()),
        voter=voter,
        comparison=candidate.pairing.id,
        take=pictures.take,
        left=left or (SideLetter.A if secrets.randbits(1) else SideLetter.B),
        again=left is not None,
        folder=folder,
        a=pictures.a.file,
        etag_a=pictures.a.etag,
        b=pictures.b.file,
        etag_b=pictures.b.etag,
    )


def _one_of_each(ranked: list[Candidate], count: int) -> list[Candidate]:
    """The first ones, of each comparison one take: two takes in a row would be judged as one."""
    chosen: dict[str, Candidate] = {}
    for candidate in ranked:
        chosen.setdefault(candidate.pairing.id, candidate)
        if len(chosen) == count:
            break
    return list(chosen.values())


def _shows(candidate: Candidate, row: VoteRow) -> bool:
    """Whether the pair still has the pictures that were judged."""
    return candidate.pictures.etags == (row.etag_a, row.etag_b)
