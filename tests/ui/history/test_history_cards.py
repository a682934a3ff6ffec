"""A card shows both sides, and on the half of a side without a picture what became of it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from core.errors import EngineError, EngineFault
from core.generation.records.attempt import AttemptId
from core.generation.records.attempt_status import AttemptPhase, ComparisonStatus, SideStatus
from core.generation.records.comparison import Comparison, Legacy
from core.generation.records.outcome import Outcome, StoredPicture
from core.generation.records.status_reader import conclude_import
from core.injection.request.wishes import Mode, SideName, Varies, Wishes
from core.references.key import encode_key
from core.references.vocabulary import load_vocabulary
from core.studio import VOCABULARY_FILE
from core.ui.components.picture_grid.picture_grid import Card
from core.ui.history.history_cards import comparison_card
from tests.generation.comparisons import SIZE, TONE_ANGLE, TONE_ONLY, comparison
from tests.ui.filmstrip.test_pair import taken

VOCABULARY = load_vocabulary(VOCABULARY_FILE)
BEGAN = datetime(2026, 5, 4, 12, 30, tzinfo=UTC)


def made(of: Comparison, side: SideName, attempt: int = 1) -> Outcome:
    picture = StoredPicture(key=f"{side}-{attempt}.png", etag="1", content_type="image/png", size=SIZE)
    return Outcome.done(AttemptId(of.id, side, attempt), picture, began=BEGAN, ended=BEGAN)


def failed(of: Comparison, side: SideName, attempt: int = 1, kind: EngineFault = EngineFault.REFUSED) -> Outcome:
    return Outcome.failed(
        AttemptId(of.id, side, attempt), EngineError("Not this.", kind=kind), began=BEGAN, ended=BEGAN
    )


def side(name: SideName, *outcomes: Outcome, phase: AttemptPhase) -> SideStatus:
    return SideStatus(side=name, attempt=max(len(outcomes), 1), phase=phase, outcomes=outcomes)


def card(of: Comparison, *sides: SideStatus, starred: bool | None = None) -> Card:
    return comparison_card(ComparisonStatus(comparison=of, sides=sides), VOCABULARY, starred=starred)


def test_both_pictures_stand_on_it_in_the_order_of_the_sides() -> None:
    of = comparison()
    one = side(TONE_ONLY, made(of, TONE_ONLY), phase=AttemptPhase.DONE)
    other = side(TONE_ANGLE, made(of, TONE_ANGLE), phase=AttemptPhase.DONE)
    drawn = card(of, one, other, starred=True)
    assert [half.badge for half in drawn.halves] == ["A", "B"]
    assert [half.alt for half in drawn.halves] == ["Tone only: a portrait", "Tone + angle: a portrait"]
    assert len({half.picture_url for half in drawn.halves}) == 2
    assert None not in {half.picture_url for half in drawn.halves}
    assert drawn.starred is True


@pytest.mark.parametrize(
    ("kind", "phase", "says"),
    [
        (EngineFault.REFUSED, AttemptPhase.FAILED, "Refused"),
        (EngineFault.CANCELLED, AttemptPhase.CANCELLED, "Cancelled"),
        (EngineFault.INTERRUPTED, AttemptPhase.INTERRUPTED, "Interrupted"),
    ],
)
def test_what_became_of_one_side_stands_on_its_half(kind: EngineFault, phase: AttemptPhase, says: str) -> None:
    of = comparison()
    one = side(TONE_ONLY, made(of, TONE_ONLY), phase=AttemptPhase.DONE)
    drawn = card(of, one, side(TONE_ANGLE, failed(of, TONE_ANGLE, kind=kind), phase=phase))
    left, right = drawn.halves
    assert left.picture_url is not None
    assert (right.picture_url, right.problem) == (None, says)


def test_a_newer_attempt_is_said_on_the_picture_of_the_older() -> None:
    of = comparison()
    again = side(TONE_ONLY, made(of, TONE_ONLY), failed(of, TONE_ONLY, 2), phase=AttemptPhase.FAILED)
    working = SideStatus(
        side=TONE_ANGLE, attempt=2, phase=AttemptPhase.RUNNING, outcomes=(made(of, TONE_ANGLE),), since=BEGAN
    )
    assert [half.badge for half in card(of, again, working).halves] == ["A · refused", "B · working"]


def test_a_single_side_has_the_card_to_itself() -> None:
    of = comparison(mode=Mode.TONE_ONLY)
    drawn = card(of, side(TONE_ONLY, made(of, TONE_ONLY), phase=AttemptPhase.DONE))
    assert drawn.halves == ()
    assert drawn.picture_url is not None
    assert drawn.subtitle.startswith("Tone only · Vivid · ")


def test_several_takes_are_counted_and_the_best_scored_pair_is_shown() -> None:
    drawn = comparison_card(taken((51, 60), (None, 90), (70, 72)), VOCABULARY)
    assert "Vivid · 3 takes · " in drawn.subtitle
    assert [half.alt for half in drawn.halves] == ["Tone only, take 3: a portrait", "Tone + angle, take 3: a portrait"]
    third = [f"/image/320/e/{encode_key(f'{name}-take3')}" for name in (TONE_ONLY, TONE_ANGLE)]
    assert [half.picture_url for half in drawn.halves] == third


def test_what_varies_is_said_where_it_is_not_the_angle() -> None:
    wishes = Wishes(prompt="a portrait", mode=Mode.COMPARE, varies=Varies.TONE_WAY)
    (one, other), names = comparison().sides, (SideName.A, SideName.B)
    sides = tuple(record.model_copy(update={"side": name}) for record, name in zip((one, other), names, strict=True))
    of = comparison(wishes=wishes, sides=sides)
    drawn = card(of, *(side(name, made(of, name), phase=AttemptPhase.DONE) for name in names))
    assert drawn.subtitle.startswith("Varies tone's way · Vivid · ")
    assert [half.alt for half in drawn.halves] == ["Tone reference: a portrait", "Tone in words: a portrait"]


def test_an_imported_one_without_its_picture_says_that_there_is_none() -> None:
    of = comparison(mode=Mode.TONE_ONLY, legacy=Legacy(id="7"))
    drawn = comparison_card(conclude_import(of, Legacy(id="7")), VOCABULARY)
    assert (drawn.picture_url, drawn.problem) == (None, "No picture")


def test_no_prompt_and_no_tags_leave_no_gap() -> None:
    of = comparison(tone=None, wishes=Wishes(prompt=" \n", mode=Mode.COMPARE, seed=7), created_at=BEGAN)
    drawn = card(of, *(side(name, phase=AttemptPhase.QUEUED) for name in (TONE_ONLY, TONE_ANGLE)))
    assert (drawn.title, drawn.subtitle[:5]) == ("No prompt", "May 4")
    assert [half.problem for half in drawn.halves] == ["Waiting", "Waiting"]
