"""One press settles a persona's field for all its pictures: what gets the value, what is left, and its exact undo."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest

from core.errors import AccessDenied, InputError
from core.labels.decisions.reviews import Value
from core.labels.decisions.second_looks import is_doubly_reviewed
from core.labels.published.schema import Gender, LabelField
from core.labels.queue.queue import QueueItem
from core.labels.review.review_service import SECOND_LOOK_FIRST
from core.labels.review.verdicts import ReviewConflict, accept
from core.viewer import Viewer
from tests.labels.portraits import DESIGNER, OPS, OTHER, jpeg
from tests.labels.review.services import ReviewFixture, correct, proposed
from tests.support.s3.moto_server import moto_server, with_bucket
from tests.support.s3.servers import S3Server

GROUP = "refs/01. Model/noir low angle"
GENDER = LabelField.GENDER
DATA = {number: jpeg(number) for number in range(60)}


def etag_of(number: int) -> str:
    return hashlib.md5(DATA[number], usedforsecurity=False).hexdigest()


SINGLE = [number for number in DATA if not is_doubly_reviewed(etag_of(number))][:5]
DOUBLE = next(number for number in DATA if is_doubly_reviewed(etag_of(number)))
ADA = {f"{GROUP}/Ada {number:02d}.jpg": number for number in SINGLE[:4]}
TWICE = f"{GROUP}/Ada {DOUBLE:02d}.jpg"
BEN = f"{GROUP}/Ben 01.jpg"
KEYS = {**ADA, TWICE: DOUBLE, BEN: SINGLE[4]}
ODD, *OTHERS = ADA


@pytest.fixture(scope="module")
def moto() -> Iterator[S3Server]:
    with moto_server() as server:
        yield server


@pytest.fixture
def at(moto: S3Server) -> ReviewFixture:
    """A machine says feminine of everybody, and masculine of one of Ada's pictures."""
    said = tuple(
        proposed(key, etag_of(number), gender=Gender.MASCULINE if key == ODD else Gender.FEMININE)
        for key, number in KEYS.items()
    )
    return ReviewFixture(with_bucket(moto, {key: DATA[number] for key, number in KEYS.items()}), shipped=said)


def item(at: ReviewFixture, key: str = ODD, viewer: Viewer = OPS) -> QueueItem:
    return at.reviews.item(viewer, key)


def genders(at: ReviewFixture) -> dict[str, Value]:
    """What stands, by key."""
    current = at.live.current
    found = {key: current.find(key, etag_of(number)).current for key, number in KEYS.items()}
    return {key: None if label is None else label.gender_presentation for key, label in found.items()}


def test_all_pictures_of_the_persona_get_the_value_in_one_save_and_nobody_elses(at: ReviewFixture) -> None:
    done = at.reviews.settle(OPS, item(at), GENDER, "feminine", id_prefix="press")
    assert {each.key for each in done.pictures} == {*ADA, TWICE}
    assert done.left == ()
    assert (at.log.number, len(done.receipt.events)) == (1, 5)
    assert genders(at) == {**dict.fromkeys([*ADA, TWICE], "feminine"), BEN: None}


def test_one_press_takes_its_pictures_doubt_away_and_does_not_end_their_review(at: ReviewFixture) -> None:
    before = item(at).fields[GENDER]
    at.reviews.settle(OPS, item(at), GENDER, "feminine", id_prefix="press")
    after = item(at)
    assert before > 0.5 > 0.05 > after.fields[GENDER]
    assert not any(each.reviewed for each in after.persona_pictures)
    assert {each.decided_by[GENDER] for each in after.persona_pictures} == {OPS.email}


def test_what_a_person_decided_otherwise_is_left_and_named_and_what_they_decided_alike_is_not_written_again(
    at: ReviewFixture,
) -> None:
    at.reviews.save(OTHER, [correct(item(at, OTHERS[0], OTHER), {GENDER: "masculine"}, id="otherwise")])
    at.reviews.save(OTHER, [accept(item(at, OTHERS[1], OTHER), id="alike")])
    done = at.reviews.settle(OPS, item(at), GENDER, "feminine", id_prefix="press")
    assert [(each.key, each.values[GENDER], each.decided_by[GENDER]) for each in done.left] == [
        (OTHERS[0], "masculine", OTHER.email)
    ]
    assert OTHERS[1] in {each.key for each in done.pictures}
    assert len(done.receipt.events) == 3
    assert genders(at)[OTHERS[0]] == "masculine"


def test_what_another_server_saved_in_between_is_left_too(at: ReviewFixture, moto: S3Server) -> None:
    shown = item(at)
    there = ReviewFixture(S3Server(**{**_fields(moto), "bucket": at.store.bucket}))
    there.log.refresh()
    first = there.reviews.item(OTHER, OTHERS[0])
    there.reviews.set_field(OTHER, [first], GENDER, "masculine", id_prefix="otherwise")
    done = at.reviews.settle(OPS, shown, GENDER, "feminine", id_prefix="press")
    assert [each.key for each in done.left] == [OTHERS[0]]
    assert genders(at)[OTHERS[0]] == "masculine"
    assert genders(at)[ODD] == "feminine"


def _fields(server: S3Server) -> dict[str, object]:
    return {name: getattr(server, name) for name in server.__dataclass_fields__}


def test_somebody_elses_decision_on_the_shown_portrait_in_between_is_a_conflict_and_writes_nothing(
    at: ReviewFixture,
) -> None:
    shown = item(at)
    at.reviews.save(OTHER, [correct(item(at, ODD, OTHER), {GENDER: None}, id="otherwise")])
    before = genders(at)
    with pytest.raises(ReviewConflict):
        at.reviews.settle(OPS, shown, GENDER, "feminine", id_prefix="press")
    assert genders(at) == before


def test_undo_is_exact_and_takes_the_whole_press_back(at: ReviewFixture) -> None:
    at.reviews.save(OTHER, [correct(item(at, OTHERS[0], OTHER), {GENDER: "masculine"}, id="otherwise")])
    before, facts = genders(at), [item(at, key) for key in ADA]
    done = at.reviews.settle(OPS, item(at), GENDER, "feminine", id_prefix="press")
    at.reviews.undo(OPS, done.receipt.events)
    assert genders(at) == before
    assert [each.shown for each in (item(at, key) for key in ADA)] == [each.shown for each in facts]
    assert [each.fields for each in (item(at, key) for key in ADA)] == [each.fields for each in facts]


def test_a_press_that_is_sent_twice_counts_once(at: ReviewFixture) -> None:
    shown = item(at)
    first = at.reviews.settle(OPS, shown, GENDER, "feminine", id_prefix="press")
    again = at.reviews.settle(OPS, shown, GENDER, "feminine", id_prefix="press")
    assert again.receipt.events == ()
    assert at.log.number == 1
    assert {each.key for each in again.pictures} == {each.key for each in first.pictures}


def test_a_picture_that_waits_for_its_second_look_is_left_and_tells_nobody_what_the_first_one_said(
    at: ReviewFixture,
) -> None:
    at.reviews.save(OTHER, [correct(item(at, TWICE, OTHER), {GENDER: "masculine"}, id="first")])
    (beside,) = [each for each in item(at).elsewhere if each.key == TWICE]
    assert (beside.values[GENDER], beside.decided_by) == ("feminine", {}), "what the machine said, and no reviewer"
    done = at.reviews.settle(OPS, item(at), GENDER, "feminine", id_prefix="press")
    assert [each.key for each in done.left] == [TWICE]
    assert genders(at)[TWICE] == "masculine"
    with pytest.raises(InputError, match="second look"):
        at.reviews.settle(OPS, item(at, TWICE), GENDER, "feminine", id_prefix="other")
    assert "second look" in SECOND_LOOK_FIRST


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        (LabelField.TONE, "noir", "Only age, gender and hair belong to a person"),
        (GENDER, None, "say what is right"),
        (GENDER, "neither", "feminine or masculine"),
    ],
)
def test_what_cannot_be_settled_is_refused_in_a_sentence(
    at: ReviewFixture, field: LabelField, value: Value, sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence):
        at.reviews.settle(OPS, item(at), field, value, id_prefix="press")
    assert at.log.number == 0


def test_only_reviewers_settle(at: ReviewFixture) -> None:
    shown = item(at)
    with pytest.raises(AccessDenied):
        at.reviews.settle(DESIGNER, shown, GENDER, "feminine", id_prefix="press")
    with pytest.raises(AccessDenied):
        at.reviews.ranking(DESIGNER)
    with pytest.raises(AccessDenied):
        at.reviews.outlook(DESIGNER)
