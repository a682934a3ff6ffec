"""Trust numbers: counted by hand on small cases, and against published examples."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from core.labels.decisions.agreement import agreement_of, compare
from core.labels.decisions.reviews import Event, FieldChange, Kind, Reviews, Save, Value
from core.labels.published.schema import Gender, Label, LabelField, LabelSource
from tests.labels.review.services import proposed

TIME = datetime(2026, 11, 22, tzinfo=UTC)


def said(number: int, reviewer: str, etag: str, *, second: bool = False, **values: Value) -> Save:
    changes = tuple(FieldChange(field=LabelField(name), after=value) for name, value in values.items())
    event = Event(id=f"{number}", kind=Kind.CORRECT, key=etag, etag=etag, changes=changes, second=second)
    return Save(number=number, reviewer=reviewer, time=TIME, events=(event,))


def test_fields_are_compared_where_both_have_an_opinion() -> None:
    ages = LabelField.AGE
    gender = LabelField.GENDER
    machine: dict[str, dict[LabelField, Value]] = {
        "a": {ages: (20, 24), gender: "feminine"},
        "b": {ages: (30, 40), gender: "masculine"},
        "c": {gender: "feminine"},
        "d": {ages: (20, 24)},
    }
    people: dict[str, dict[LabelField, Value]] = {
        "a": {ages: (18, 24), gender: "feminine"},
        "b": {ages: (60, 70), gender: "feminine"},
        "c": {gender: None},
    }
    found = compare("m", machine, "reviews", people)
    assert found.pictures == 3
    assert (found.fields[gender].right, found.fields[gender].count) == (1, 3)
    assert (found.fields[ages].right, found.fields[ages].count) == (1, 2)
    assert found.confusion[gender] == {
        ("feminine", "feminine"): 1,
        ("feminine", "masculine"): 1,
        ("unsure", "feminine"): 1,
    }
    by_range = {row.age_range: row for row in found.ages}
    assert (by_range["60+"].bias, by_range["60+"].mean_error) == (-30.0, 30.0)
    assert (by_range["18–24"].bias, by_range["all"].count) == (1.0, 2)


def test_alpha_is_one_where_all_agree_and_below_zero_where_all_differ() -> None:
    def both(pairs: list[tuple[str, str]]) -> float | None:
        saves = []
        for at, (one, other) in enumerate(pairs):
            saves.append(said(2 * at + 1, "ann", f"{at}", gender_presentation=one))
            saves.append(said(2 * at + 2, "bo", f"{at}", second=True, gender_presentation=other))
        return agreement_of({}, Reviews.of(saves), []).reviewers[LabelField.GENDER].alpha

    f, m = "feminine", "masculine"
    assert both([(f, f), (m, m)]) == 1.0
    assert both([(f, m), (m, f)]) == pytest.approx(-0.5)  # 1 - 1 / (2·2·2 / (4·3)): every pair differs
    assert both([(f, f), (f, f)]) is None, "with one word only, agreement cannot be told from habit"
    assert both([]) is None


def test_a_labeler_is_not_judged_on_the_examples_it_was_shown_and_nominal_values_are_named_so() -> None:
    few = proposed("k", "shown")
    few = few.model_copy(update={"label": few.label.model_copy(update={"shots": 3})})
    proposals = {
        "shown": (few,),
        "other": (few.model_copy(update={"label": few.label.model_copy(update={"etag": "other"})}),),
    }
    nominal = [
        Label(key=name, etag=name, gender_presentation=Gender.FEMININE, source=LabelSource.NOMINAL)
        for name in proposals
    ]
    reviews = Reviews.of([said(1, "ann", "other", gender_presentation="masculine")])
    numbers = agreement_of(proposals, reviews, nominal, shown_answers=frozenset({"shown"}))
    assert [(row.against, row.pictures) for row in (*numbers.accuracy, *numbers.nominal)] == [
        ("reviews", 1),
        ("nominal", 1),
    ]
    assert numbers.accuracy[0].fields[LabelField.GENDER].right == 0
    assert numbers.nominal[0].fields[LabelField.GENDER].right == 1


def test_every_two_labelers_are_compared_with_each_other() -> None:
    words = ((LabelSource.OPENAI, Gender.FEMININE), (LabelSource.LOCAL, None), (LabelSource.NOMINAL, Gender.MASCULINE))
    machines = tuple(proposed("k", "e", gender=gender, source=source) for source, gender in words)
    numbers = agreement_of({"e": machines}, Reviews(), [])
    local, nominal, openai = "local local", "nominal nominal", "openai openai"
    assert [(row.said_by, row.against, row.pictures) for row in numbers.labelers] == [
        (local, nominal, 1),
        (local, openai, 1),
        (nominal, openai, 1),
    ]
    shares = [row.fields[LabelField.GENDER] for row in numbers.labelers]
    assert [(share.right, share.count) for share in shares] == [(0, 0), (0, 0), (0, 1)]
    assert [row.fields[LabelField.AGE].right for row in numbers.labelers] == [1, 1, 1]
    assert (numbers.reviewed, numbers.nominal) == (0, ())
