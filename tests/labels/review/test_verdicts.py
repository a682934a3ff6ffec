"""Verdicts by themselves: what a lost race says, and what an undo takes back."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from core.labels.decisions.reviews import Event, FieldChange, Kind, Reviews, Save, Value, check_value
from core.labels.published.schema import LabelField, LabelSource
from core.labels.review.verdicts import FieldConflict, ReviewConflict, undo_of

TIME = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


def theirs(field: LabelField, value: Value) -> FieldConflict:
    return FieldConflict("refs/01. Model/noir/Ada.jpg", "etag", field, value, "ann@studio.example", TIME)


@pytest.mark.parametrize(
    ("conflicts", "sentence"),
    [
        (
            [theirs(LabelField.AGE, (30, 39))],
            "has just set the age of Ada.jpg to 30–39: nothing was saved, look again.",
        ),
        (
            [theirs(LabelField.GENDER, "feminine")],
            "has just set the gender presentation of Ada.jpg to feminine: nothing was saved, look again.",
        ),
        (
            [theirs(LabelField.HAIR, None), theirs(LabelField.TONE, "noir"), theirs(LabelField.ANGLE, None)],
            "has just set the hair of Ada.jpg to unsure and 2 more: nothing was saved, look again.",
        ),
    ],
)
def test_a_lost_race_says_in_one_sentence_who_set_what(conflicts: list[FieldConflict], sentence: str) -> None:
    assert ReviewConflict(conflicts).message == f"ann@studio.example {sentence}"


def test_a_lost_race_says_field_by_field_what_others_decided() -> None:
    conflicts = [theirs(LabelField.AGE, (30, 39)), theirs(LabelField.HAIR, "검은 단발")]
    assert ReviewConflict(conflicts).conflicts == tuple(conflicts)


def test_an_undo_turns_every_change_around_and_keeps_what_the_machine_had_said() -> None:
    change = FieldChange(
        field=LabelField.AGE, before=(20, 24), after=(30, 39), seen=(25, 34), seen_from=LabelSource.OPENAI
    )
    event = Event(id="one", kind=Kind.CORRECT, key="k", etag="a", changes=(change,), second=True)
    reviews = Reviews.of([Save(number=1, reviewer="ann", time=TIME, events=(event,))])
    undo = undo_of(event, reviews)
    assert undo is not None
    assert (undo.kind, undo.undoes, undo.key, undo.etag, undo.second) == (Kind.UNDO, "one", "k", "a", True)
    assert undo.changes == (change.model_copy(update={"before": (30, 39), "after": (20, 24)}),)


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        (LabelField.AGE, (40, 30), "an age is two years, the lower one first"),
        (LabelField.GENDER, "somebody", "gender presentation is feminine or masculine, or nothing"),
        (LabelField.HAIR, " ", "hair is a word or nothing"),
        (LabelField.FRAMING, "sideways", "framing is one of .+, .+, or nothing"),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_those_that_can(field: LabelField, value: Value, sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        check_value(field, value)
