"""Why a portrait waits for a person, each reason in the sentence that the page shows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from core.labels.decisions.reviews import Event, FieldChange, Kind, Reviews, Save, Value
from core.labels.decisions.second_looks import is_doubly_reviewed
from core.labels.machine.labeler import Proposal
from core.labels.published.label_file import FoundLabel, LabelState
from core.labels.published.schema import Gender, LabelField, LabelSource
from core.labels.queue.assessment import Assessment
from core.labels.queue.queue import PortraitFacts, QueueItem, ReviewState, Why, order_of
from core.references.reference import Reference
from core.references.vocabulary import Role
from tests.labels.review.services import proposed

TIME = datetime(2026, 11, 22, tzinfo=UTC)
KEY = "refs/01. Model/noir low angle/Ada.jpg"
ETAG = next(f"{number}" for number in range(1000) if is_doubly_reviewed(f"{number}"))
PORTRAIT = Reference(KEY, ETAG, 1000, TIME, Role.MODEL, "refs/01. Model", "noir low angle", "noir", "low-angle", None)


def item(*proposals: Proposal, reviews: Reviews | None = None) -> QueueItem:
    """The portrait as the queue has it after these proposals and reviews."""
    decisions = (reviews or Reviews()).of_picture(ETAG)
    book = Assessment()
    book.keep([PortraitFacts(PORTRAIT, FoundLabel(LabelState.MISSING), None, proposals, decisions)])
    return book.items[KEY]


def machine(
    source: LabelSource,
    *,
    gender: Gender | None = Gender.FEMININE,
    age: tuple[int, int] | None = (25, 34),
    sure: float = 0.9,
    tone: str | None = None,
) -> Proposal:
    return proposed(KEY, ETAG, gender=gender, age=age, sure=sure, source=source, tone=tone)


def said(number: int, reviewer: str, *, second: bool = False, **values: Value) -> Save:
    changes = tuple(FieldChange(field=LabelField(name), after=value) for name, value in values.items())
    event = Event(id=f"{number}", kind=Kind.CORRECT, key=KEY, etag=ETAG, changes=changes, second=second)
    return Save(number=number, reviewer=reviewer, time=TIME, events=(event,))


def whys(found: QueueItem) -> list[Why]:
    return [reason.why for reason in found.reasons]


def says(found: QueueItem) -> list[str]:
    return [reason.says for reason in found.reasons]


def test_a_picture_of_which_nothing_is_known_says_so() -> None:
    assert says(item()) == ["Neither a person nor a machine has said anything about it."]


def test_a_label_that_contradicts_the_folder_names_both_words() -> None:
    found = item(machine(LabelSource.OPENAI, tone="vivid"))
    assert says(found) == ["The folder says noir, the label says vivid."]


def test_an_unsure_labeler_is_quoted_with_what_it_is_unsure_of() -> None:
    found = item(machine(LabelSource.OPENAI, sure=0.3))
    assert says(found) == ["The labeler is unsure: gender presentation 30%, age 30%."]


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        ((25, 34), (30, 44), False),  # they overlap
        ((30, 44), (25, 34), False),
        ((20, 24), (29, 34), False),  # five years are rounding
        ((20, 24), (30, 34), True),
        ((30, 34), (20, 24), True),
    ],
)
def test_labelers_disagree_on_an_age_when_more_than_five_years_lie_between_their_ranges(
    one: tuple[int, int], other: tuple[int, int], apart: bool
) -> None:
    found = item(machine(LabelSource.OPENAI, age=one), machine(LabelSource.LOCAL, age=other))
    assert (Why.LABELERS_DISAGREE in whys(found)) is apart


def test_a_labeler_that_is_unsure_of_the_age_disagrees_with_nobody() -> None:
    found = item(machine(LabelSource.OPENAI), machine(LabelSource.LOCAL, age=None))
    assert whys(found) == [Why.NOT_REVIEWED]


def test_two_reviewers_of_whom_one_is_unsure_of_the_age_wait_for_a_third_and_not_in_the_queue() -> None:
    saves = [said(1, "ann", age=(25, 34)), said(2, "bo", second=True, age=None)]
    found = item(machine(LabelSource.OPENAI), reviews=Reviews.of(saves))
    assert (found.state, says(found)) == (ReviewState.DISAGREEMENT, [])


def test_ones_own_review_is_no_reason_to_look_a_second_time() -> None:
    found = item(machine(LabelSource.OPENAI), reviews=Reviews.of([said(1, "ann", age=(25, 34))]))
    assert whys(found) == [Why.SECOND_LOOK]
    assert whys(found.for_reviewer("ann")) == []
    assert whys(found.for_reviewer("bo")) == [Why.SECOND_LOOK]


def test_a_reported_match_stays_a_reason_for_who_reviewed_it_before() -> None:
    found = item(machine(LabelSource.OPENAI), reviews=Reviews.of([said(1, "ann", age=(25, 34))]))
    reported = replace(found, reasons=(replace(found.reasons[0], why=Why.WRONG_MATCH), *found.reasons))
    assert whys(reported.for_reviewer("ann")) == [Why.WRONG_MATCH]


def test_of_two_about_which_nothing_else_is_known_the_less_sure_one_comes_first() -> None:
    sure = {each: item(machine(LabelSource.OPENAI, sure=each)) for each in (0.95, 0.7, 0.3)}
    ordered = sorted(sure, key=lambda each: order_of(sure[each], "ann"))
    assert ordered == [0.3, 0.7, 0.95]
