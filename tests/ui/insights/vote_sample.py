"""Generated votes: told to the indexes of a studio in this process as if S3 held them, or written into a bucket."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from ulid import ULID

from core.generation.records.attempt import AttemptId, this_server
from core.generation.records.comparison import Comparison, RenderSettings, SideRecord
from core.generation.records.history import History
from core.generation.records.outcome import Cost, Outcome, StoredPicture
from core.injection.request.wishes import SideName, Strength, Varies, Wishes
from core.references.vocabulary import Role
from core.storage.s3 import Store
from core.studio import Studio
from core.votes.ballots.pairings import Pairing, PairPicture, PicturePair
from core.votes.records.vote_rows import VoteRow
from core.votes.records.voters import VoterList
from core.votes.records.votes import Reason, Vote
from tests.generation.comparisons import comparison, png, slot

BEGAN = datetime(2026, 9, 1, 9, tzinfo=UTC)
_TONES = ("natural-film", "vivid", "cinematic", "beauty", "noir", "pastel")
_ANGLES = ("low-angle", "overhead", "profile", "close-up")
_PERSONS = ("Ada", "Bo", "Chidi", "Dalia", "하늘", None)


def cast(
    studio: Studio,
    *,
    voters: tuple[str, ...] = ("kim@studio.example", "bo@studio.example", "lee@studio.example"),
    **how: object,
) -> list[Pairing]:
    """Votes as `sample` makes them, for this studio to know."""
    made, rows = sample([studio.voters.id_of(voter) for voter in voters], **how)  # type: ignore[arg-type]  # whatever `sample` takes
    for pairing in made:
        studio.pairings._note(pairing.id, pairing)
    for row in rows:
        studio.vote_store.book.note(row.id, row)
    return made


def fill(store: Store, prefix: str, voters: Iterable[str], **how: object) -> None:
    """Votes as `sample` makes them, with their comparisons, written below a prefix as servers write them."""
    known = VoterList(voters={f"voter{number}": email for number, email in enumerate(voters, start=1)})
    store.put(f"{prefix}votes/voters.json", known.model_dump_json().encode(), content_type="application/json")
    made, rows = sample(list(known.voters), **how)  # type: ignore[arg-type]  # whatever `sample` takes
    history = History(store, app_prefix=prefix, server=this_server(), list_pages=None)
    with ThreadPoolExecutor(8) as workers:
        of = dict(workers.map(lambda pairing: _write_comparison(history, pairing), made))
        list(workers.map(lambda row: _write_vote(store, prefix, row, of[row.comparison]), rows))


def sample(
    voters: Sequence[str],
    *,
    comparisons: int,
    votes: int,
    preference: float = 0.64,
    left: float = 0.5,
    blind: float = 1.0,
    varies: Varies = Varies.ANGLE,
    titles: tuple[str, str] = ("Tone only", "Tone + angle"),
    personas: Sequence[str | None] = _PERSONS,
    seed: int = 21,
) -> tuple[list[Pairing], list[VoteRow]]:
    """So many comparisons, each with a scene of its own, and so many votes on them in a little over two months."""
    chance = random.Random(seed)
    made = [_pairing(chance, number, varies, titles, personas) for number in range(comparisons)]
    rows = [
        _vote(chance, made[number % comparisons], voters, preference, left=left, blind=blind) for number in range(votes)
    ]
    return made, rows


def _write_comparison(history: History, pairing: Pairing) -> tuple[str, list[tuple[str, str]]]:
    """Record, pictures and outcomes; its id, with key and etag of both pictures."""
    at = ULID.from_str(pairing.id).datetime
    record = _comparison(pairing).model_copy(update={"created_at": at})
    history.add(record)
    written = []
    for side, picture in zip(record.sides, (pairing.pairs[0].a, pairing.pairs[0].b), strict=True):
        of = AttemptId(pairing.id, side.side, 1)
        key, etag = history.add_picture(of, png(size=(24, 30)))
        made = StoredPicture(key=key, etag=etag, content_type="image/png", size=record.size, fidelity=picture.fidelity)
        ended = at + timedelta(seconds=picture.seconds or 0)
        history.add_outcome(Outcome.done(of, made, began=at, ended=ended, cost=Cost(usd=picture.usd)))
        written.append((key, etag))
    return pairing.id, written


def _comparison(pairing: Pairing) -> Comparison:
    varies = Varies(pairing.varies)
    exact = {"tone": Strength.EXACT} if varies is Varies.STRENGTH else {}
    person = [slot(f"refs/01. Model/a/{pairing.persona} 01.jpg", "e", Role.MODEL)] if pairing.persona else []
    names = (SideName.TONE_ONLY, SideName.TONE_ANGLE) if varies is Varies.ANGLE else (SideName.A, SideName.B)
    made_by = pairing.titles if varies is Varies.MODEL else (pairing.model,) * 2
    return comparison(
        id=pairing.id,
        person=pairing.person,
        wishes=Wishes(prompt=pairing.prompt, tone=pairing.tone, varies=varies, strengths_b=exact),
        tone=pairing.tone,
        angle=pairing.angle,
        model=pairing.model,
        controlled=pairing.controlled,
        sides=tuple(
            SideRecord(
                side=name,
                slots=tuple(person),
                sections=(),
                prompt=pairing.prompt,
                render=RenderSettings(engine="test", model=model),
            )
            for name, model in zip(names, made_by, strict=True)
        ),
    )


def _write_vote(store: Store, prefix: str, row: VoteRow, pictures: Sequence[tuple[str, str]]) -> None:
    a, b = ({"key": key, "etag": etag} for key, etag in pictures)
    said = {name: getattr(row, name) for name in Vote.model_fields if name in VoteRow._fields}
    vote = Vote.model_validate({**said, "a": a, "b": b, "time": row.moment})
    day = f"{ULID.from_str(row.ballot).datetime:%Y/%m/%d}"
    store.put(
        f"{prefix}votes/cast/{day}/{vote.id}.json", vote.model_dump_json().encode(), content_type="application/json"
    )


def _pairing(
    chance: random.Random, number: int, varies: Varies, titles: tuple[str, str], personas: Sequence[str | None]
) -> Pairing:
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
        persona=chance.choice(personas),
        model="gpt-image-2",
        varies=varies.value,
        controlled=number % 12 != 5,
        a=SideName.TONE_ONLY.value,
        b=SideName.TONE_ANGLE.value,
        titles=titles,
        pairs=(PicturePair(1, *files),),
    )


def _vote(
    chance: random.Random, pairing: Pairing, voters: Sequence[str], preference: float, *, left: float, blind: float
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
