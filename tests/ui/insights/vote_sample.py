"""Generated votes for a studio in this process, told to its indexes as if S3 held them: a bucket is not filled."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from ulid import ULID

from core.injection.wishes import SideName, Varies
from core.studio import Studio
from core.votes.pairings import Pairing, PairPicture, PicturePair
from core.votes.vote_rows import VoteRow
from core.votes.votes import Reason

BEGAN = datetime(2026, 9, 1, 9, tzinfo=UTC)
_TONES = ("natural-film", "vivid", "cinematic", "beauty", "noir", "pastel")
_ANGLES = ("low-angle", "overhead", "profile", "close-up")
_PERSONS = ("Ada", "Bo", "Chidi", "Dalia", "하늘")


def cast(
    studio: Studio,
    *,
    comparisons: int,
    votes: int,
    preference: float = 0.64,
    left: float = 0.5,
    blind: float = 1.0,
    varies: Varies = Varies.ANGLE,
    titles: tuple[str, str] = ("Tone only", "Tone + angle"),
    voters: tuple[str, ...] = ("kim@studio.example", "bo@studio.example", "lee@studio.example"),
    seed: int = 21,
) -> list[Pairing]:
    """So many comparisons, each with a scene of its own, and so many votes on them in a little over two months."""
    chance = random.Random(seed)
    made = [_pairing(chance, number, varies, titles) for number in range(comparisons)]
    for pairing in made:
        studio.pairings._note(pairing.id, pairing)
    ids = [studio.voters.id_of(voter) for voter in voters]
    order = list(range(votes))
    for number in order:
        row = _vote(chance, made[number % comparisons], ids, preference, left=left, blind=blind)
        studio.vote_store.book.note(row.id, row)
    return made


def _pairing(chance: random.Random, number: int, varies: Varies, titles: tuple[str, str]) -> Pairing:
    at = BEGAN + timedelta(hours=chance.uniform(0, 1600))
    etag = f"{varies.value}{number}"
    files = [
        PairPicture(f"{side}.png", f"{side}{etag}", chance.uniform(mean - 15, mean + 15), 21.0, usd, number % 9 == 0)
        for side, mean, usd in (("a", 61, 0.04), ("b", 66, 0.05))
    ]
    return Pairing(
        id=str(ULID.from_datetime(at)),
        etag=etag,
        person="kim@studio.example",
        prompt=f"a portrait, number {number}",
        tone=_TONES[int(chance.triangular(0, len(_TONES), 0))],
        angle=chance.choice(_ANGLES),
        persona=chance.choice((*_PERSONS, None)),
        model="gpt-image-2",
        varies=varies.value,
        controlled=number % 12 != 5,
        a=SideName.TONE_ONLY.value,
        b=SideName.TONE_ANGLE.value,
        titles=titles,
        pairs=(PicturePair(1, *files),),
    )


def _vote(
    chance: random.Random, pairing: Pairing, voters: list[str], preference: float, *, left: float, blind: float
) -> VoteRow:
    at = ULID.from_str(pairing.id).datetime + timedelta(minutes=chance.uniform(1, 600))
    stands = chance.choice("ab")
    lot = chance.random()
    if lot < 0.12:
        answer = "tie"
    elif lot < 0.17:
        answer = "both-bad"
    elif chance.random() < abs(left - 0.5) * 2:
        answer = "left"
    else:
        wins = "b" if chance.random() < preference else "a"
        answer = "left" if wins == stands else "right"
    reasons = chance.sample([each.value for each in Reason], chance.choice((0, 0, 1, 2)))
    (pair,) = pairing.pairs
    ballot = str(ULID.from_datetime(at))
    return VoteRow(
        id=ballot,
        etag="e",
        ballot=ballot,
        voter=voters[min(int(chance.expovariate(0.9)), len(voters) - 1)],
        time=at.timestamp(),
        comparison=pairing.id,
        take=1,
        etag_a=pair.a.etag,
        etag_b=pair.b.etag,
        left=stands,
        answer=answer,
        reasons=tuple(reasons),
        seconds=chance.uniform(1, 9),
        blind=chance.random() < blind,
        again=chance.random() < 0.06,
    )
