"""Cast votes as evidence: each standing vote with what is known of the comparison it judges."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from operator import attrgetter
from typing import Final

from core.concurrency.garbage import without_rounds
from core.injection.request.wishes import Varies
from core.votes.ballots.pairings import Pairing, PairPicture
from core.votes.ballots.pool import PairingPool
from core.votes.records.book import VoteBook
from core.votes.records.judgements import JudgedPair, Judgement, SideFacts, SideLetter
from core.votes.records.vote_rows import VoteRow

_SHOWN: Final = attrgetter("comparison", "take", "etag_a", "etag_b")  # the same pictures are one pair for all votes
_SCENE: Final = json.JSONEncoder(ensure_ascii=False)
_SIDES: Final = {each.value: each for each in SideLetter}


class CastVotes:
    """The standing votes of a bucket as evidence, made anew when something has changed; for any number of threads."""

    def __init__(self, book: VoteBook, pool: PairingPool) -> None:
        self._book = book
        self._pool = pool
        self._made: tuple[tuple[int, int], tuple[Judgement, ...]] | None = None

    @property
    def version(self) -> tuple[int, int]:
        """Another one as soon as the judgements may be others."""
        return self._book.version, self._pool.version

    def judgements(self) -> tuple[Judgement, ...]:
        """A judgement of each vote that is known by now, the earliest first."""
        version, made = self.version, self._made
        if made is None or made[0] != version:
            with without_rounds():
                made = self._made = version, tuple(judgements_of(self._book.standing(), self._pool.all()))
        return made[1]


def judgements_of(votes: Iterable[VoteRow], pairings: Mapping[str, Pairing]) -> Iterator[Judgement]:
    """A judgement of each vote; those whose comparison is gone from S3 say nothing about anything, and are left out."""
    pairs: dict[tuple[str, int, str, str], JudgedPair] = {}
    for vote in votes:
        shown = _SHOWN(vote)
        pair = pairs.get(shown)
        if pair is None and (pairing := pairings.get(vote.comparison)) is not None:
            pair = pairs[shown] = _pair_of(pairing, vote)
        if pair is not None:
            yield Judgement(
                pair=pair,
                voter=vote.voter,
                winner=vote.winner,
                left=_SIDES[vote.left],
                blind=vote.blind,
                time=vote.moment,
                again=vote.again,
                reasons=vote.reasons,
                seconds=vote.seconds,
            )


def _pair_of(pairing: Pairing, vote: VoteRow) -> JudgedPair:
    a, b = _facts(pairing, vote)
    return JudgedPair(
        scene=scene_of(pairing),
        comparison=pairing.id,
        controlled=pairing.controlled,
        take=vote.take,
        varies=Varies(pairing.varies),
        tone=pairing.tone,
        angle=pairing.angle,
        persona=pairing.persona,
        model=pairing.model,
        a=a,
        b=b,
    )


def scene_of(pairing: Pairing) -> str:
    """One text for all comparisons of the same prompt, tone, angle and person; blanks in the prompt do not count."""
    prompt = " ".join(unicodedata.normalize("NFC", pairing.prompt).split())
    return _SCENE.encode([prompt, pairing.tone, pairing.angle, pairing.persona])


def _facts(pairing: Pairing, vote: VoteRow) -> tuple[SideFacts, SideFacts]:
    """Of both pictures; of one that was made anew since then only what its side is called."""
    title_a, title_b = pairing.titles
    for pair in pairing.pairs:
        if pair.take == vote.take:
            return _facts_of(title_a, vote.etag_a, pair.a), _facts_of(title_b, vote.etag_b, pair.b)
    return SideFacts(title_a), SideFacts(title_b)


def _facts_of(title: str, etag: str, made: PairPicture) -> SideFacts:
    if made.etag != etag:
        return SideFacts(title)
    return SideFacts(title, made.fidelity, made.usd, made.seconds, made.failures)
