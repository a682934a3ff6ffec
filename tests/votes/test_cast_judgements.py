"""Cast votes as evidence: each with what is known of its pair, which is worked out once for all votes on it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from core.injection.request.wishes import Varies
from core.votes.ballots.pairings import Pairing, PairPicture, PicturePair
from core.votes.cast_judgements import judgements_of
from core.votes.records.judgements import SideFacts, SideLetter, Winner
from core.votes.records.vote_rows import VoteRow
from core.votes.records.votes import Answer, winner_of

PAIRING = Pairing(
    id="01KAM8K4T0YZ7C4D0Q7H7P3N5E",
    etag="e",
    person="kim@studio.example",
    prompt="  A portrait\nin a café ",
    tone="vivid",
    angle=None,
    persona="Ada",
    model="test-1",
    varies="angle",
    controlled=True,
    a="tone-only",
    b="tone-angle",
    titles=("Tone only", "Tone + angle"),
    pairs=tuple(
        PicturePair(
            take,
            PairPicture("tone-only-1.png", f"a{take}", 60.0, 4.0, 0.02, 0),
            PairPicture("tone-angle-1.png", f"b{take}", None, 5.0, None, 1),
        )
        for take in (1, 2)
    ),
)
VOTE = VoteRow(
    id="01KAM8K4T0YZ7C4D0Q7H7P3N5F",
    etag="v",
    ballot="01KAM8K4T0YZ7C4D0Q7H7P3N5F",
    voter="ann",
    time=1_790_000_000.5,
    comparison=PAIRING.id,
    take=1,
    etag_a="a1",
    etag_b="b1",
    left="b",
    answer="left",
    reasons=("tone",),
    seconds=2.5,
    blind=True,
)
PAIRINGS = {PAIRING.id: PAIRING}


def test_a_judgement_is_the_vote_and_what_is_known_of_its_pair() -> None:
    [found] = judgements_of([VOTE], PAIRINGS)
    assert (found.voter, found.winner, found.left) == ("ann", Winner.B, SideLetter.B)
    assert (found.reasons, found.seconds, found.blind, found.again) == (("tone",), 2.5, True, False)
    assert found.time == datetime.fromtimestamp(1_790_000_000.5, UTC)
    pair = found.pair
    assert (pair.scene, pair.varies) == ('["A portrait in a café", "vivid", null, "Ada"]', Varies.ANGLE)
    assert pair.a == SideFacts("Tone only", 60.0, 0.02, 4.0, 0)
    assert pair.b == SideFacts("Tone + angle", None, None, 5.0, 1)


def test_votes_on_the_same_pictures_share_what_is_known_of_them() -> None:
    """A hundred thousand votes are on a fifth as many pairs: what is known of these is worked out and counted once."""
    votes = [VOTE, VOTE._replace(voter="ben"), VOTE._replace(take=2, etag_a="a2", etag_b="b2")]
    first, second, other = judgements_of(votes, PAIRINGS)
    assert first.pair is second.pair
    assert (other.pair.take, other.pair.scene) == (2, first.pair.scene)


@pytest.mark.parametrize(
    ("changed", "known"),
    [({"etag_a": "old"}, (False, True)), ({"etag_b": "old"}, (True, False)), ({"take": 3}, (False, False))],
)
def test_of_a_picture_that_was_made_anew_since_then_only_its_sides_name_is_known(
    changed: dict[str, object], known: tuple[bool, bool]
) -> None:
    votes = [VOTE, VOTE._replace(**changed)]  # type: ignore[arg-type]  # of one field each
    as_it_is, before = judgements_of(votes, PAIRINGS)
    assert (before.pair.a.title, before.pair.b.title) == PAIRING.titles
    assert (before.pair.a == as_it_is.pair.a, before.pair.b == as_it_is.pair.b) == known


def test_votes_whose_comparison_is_gone_say_nothing() -> None:
    assert list(judgements_of([VOTE, VOTE], {})) == []


@pytest.mark.parametrize("answer", list(Answer))
@pytest.mark.parametrize("left", list(SideLetter))
def test_a_row_says_of_the_sides_what_its_vote_said(answer: Answer, left: SideLetter) -> None:
    assert VOTE._replace(answer=answer.value, left=left.value).winner is winner_of(answer, left)
