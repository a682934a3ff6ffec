"""Cast votes as evidence: each standing vote with what is known of the comparison it judges."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Iterator, Mapping

from core.injection.wishes import Varies
from core.votes.book import VoteBook
from core.votes.judgements import Judgement, SideFacts, SideLetter
from core.votes.pairings import Pairing, PairPicture
from core.votes.pool import PairingPool
from core.votes.vote_rows import VoteRow


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
            made = self._made = version, tuple(judgements_of(self._book.standing(), self._pool.all()))
        return made[1]


def judgements_of(votes: Iterable[VoteRow], pairings: Mapping[str, Pairing]) -> Iterator[Judgement]:
    """A judgement of each vote; those whose comparison is gone from S3 say nothing about anything, and are left out."""
    scenes: dict[str, str] = {}
    for vote in votes:
        pairing = pairings.get(vote.comparison)
        if pairing is None:
            continue
        scene = scenes.get(pairing.id)
        if scene is None:
            scene = scenes[pairing.id] = scene_of(pairing)
        a, b = _facts(pairing, vote)
        yield Judgement(
            scene=scene,
            comparison=vote.comparison,
            voter=vote.voter,
            winner=vote.winner,
            left=SideLetter(vote.left),
            blind=vote.blind,
            controlled=pairing.controlled,
            time=vote.moment,
            take=vote.take,
            again=vote.again,
            varies=Varies(pairing.varies),
            tone=pairing.tone,
            angle=pairing.angle,
            persona=pairing.persona,
            model=pairing.model,
            reasons=vote.reasons,
            seconds=vote.seconds,
            a=a,
            b=b,
        )


def scene_of(pairing: Pairing) -> str:
    """One text for all comparisons of the same prompt, tone, angle and person; blanks in the prompt do not count."""
    prompt = " ".join(unicodedata.normalize("NFC", pairing.prompt).split())
    return json.dumps([prompt, pairing.tone, pairing.angle, pairing.persona], ensure_ascii=False)


def _facts(pairing: Pairing, vote: VoteRow) -> tuple[SideFacts, SideFacts]:
    """Of both pictures; of one that was made anew since then only what its side is called."""
    pair = next((each for each in pairing.pairs if each.take == vote.take), None)
    shown = ((vote.etag_a, pair.a), (vote.etag_b, pair.b)) if pair else ((vote.etag_a, None), (vote.etag_b, None))
    one, other = (_facts_of(title, etag, made) for title, (etag, made) in zip(pairing.titles, shown, strict=True))
    return one, other


def _facts_of(title: str, etag: str, made: PairPicture | None) -> SideFacts:
    if made is None or made.etag != etag:
        return SideFacts(title=title)
    return SideFacts(title, made.fidelity, made.usd, made.seconds, made.failures)
