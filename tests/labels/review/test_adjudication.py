"""A third decides, over a real S3: who may, what becomes of the label, and what two thirds at once come to."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from core.errors import AccessDenied, InputError
from core.labels.decisions.reviews import Kind
from core.labels.decisions.second_looks import is_doubly_reviewed
from core.labels.published.schema import Gender, LabelField
from core.labels.queue.queue import QueueFilter, ReviewState
from core.labels.review.adjudication import Adjudication, Case
from core.labels.review.review_service import SECOND_LOOK_FIRST
from core.labels.review.verdicts import ReviewConflict, Verdict, accept
from core.viewer import PersonRole, Viewer
from tests.labels.portraits import DESIGNER, OPS, OTHER, jpeg
from tests.labels.review.services import ReviewFixture, correct, proposed
from tests.support.s3.moto_server import moto_server, with_bucket
from tests.support.s3.servers import S3Server

THIRD = Viewer("third@studio.example", PersonRole.ADMIN)
FOURTH = Viewer("fourth@studio.example", PersonRole.OPS)


def etag_of(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


PICTURE = next(data for number in range(200) if is_doubly_reviewed(etag_of(data := jpeg(number))))
SINGLE = next(data for number in range(200) if not is_doubly_reviewed(etag_of(data := jpeg(number))))
KEY, PLAIN = "refs/01. Model/noir low angle/Ada 01.jpg", "refs/01. Model/noir low angle/Ada 02.jpg"
PICTURES = {KEY: PICTURE, PLAIN: SINGLE}


@pytest.fixture(scope="module")
def moto() -> Iterator[S3Server]:
    with moto_server() as server:
        yield server


@pytest.fixture
def bucket(moto: S3Server) -> S3Server:
    return with_bucket(moto, {KEY: PICTURE, PLAIN: SINGLE})


def server(bucket: S3Server) -> ReviewFixture:
    """One of several servers, at which a machine has labelled everything."""
    return ReviewFixture(bucket, shipped=tuple(proposed(key, etag_of(data)) for key, data in PICTURES.items()))


def disagree(at: ReviewFixture) -> None:
    """Two reviewers differ on how a portrait presents, and the first says why."""
    said = {LabelField.GENDER: "masculine", LabelField.NOTES: "a beard, in the shadow"}
    at.reviews.save(OPS, [correct(at.reviews.item(OPS, KEY), said, id="one")])
    at.reviews.save(OTHER, [accept(at.reviews.item(OTHER, KEY), id="two")])


def only_case(of: Adjudication, viewer: Viewer = THIRD) -> Case:
    (case,) = of.cases(viewer)
    return case


def test_it_waits_for_a_third_with_both_words_and_why(bucket: S3Server) -> None:
    at = server(bucket)
    disagree(at)
    assert at.reviews.counts(THIRD).disagreements == 1
    case = only_case(at.adjudication())
    assert (case.reference.key, case.is_open, case.blind) == (KEY, True, True)
    (gender,) = case.fields
    assert (gender.first.reviewer, gender.first.value, gender.first.note) == (
        OPS.email,
        "masculine",
        "a beard, in the shadow",
    )
    assert (gender.second.reviewer, gender.second.value, gender.second.note) == (OTHER.email, "feminine", None)
    assert KEY not in [item.reference.key for item in at.reviews.queue(THIRD, QueueFilter())]


@pytest.mark.parametrize("value", ["masculine", "feminine", None])
def test_the_thirds_word_becomes_the_label_and_the_agreement_keeps_the_two(bucket: S3Server, value: str | None) -> None:
    at = server(bucket)
    disagree(at)
    at.adjudication().decide(THIRD, only_case(at.adjudication()), LabelField.GENDER, value, id="three")
    other = server(bucket)
    other.log.refresh()
    label = other.live.current.find(KEY, etag_of(PICTURE)).current
    assert label is not None
    assert (label.gender_presentation, label.reviewer) == (Gender(value) if value else None, THIRD.email)
    case = only_case(other.adjudication())
    (gender,) = case.fields
    assert not case.is_open
    assert gender.third is not None
    assert (gender.first.value, gender.second.value, gender.third.reviewer) == ("masculine", "feminine", THIRD.email)
    assert other.reviews.counts(THIRD).disagreements == 0
    assert other.reviews.history(THIRD, etag_of(PICTURE))[0].third
    assert other.reviews.item(OPS, KEY).state is ReviewState.REVIEWED


@pytest.mark.parametrize("one_of_the_two", [OPS, OTHER])
def test_neither_of_the_two_decides(bucket: S3Server, one_of_the_two: Viewer) -> None:
    at = server(bucket)
    disagree(at)
    case = only_case(at.adjudication(), one_of_the_two)
    with pytest.raises(AccessDenied, match="somebody else decides"):
        at.adjudication().decide(one_of_the_two, case, LabelField.GENDER, "feminine", id="three")
    assert at.log.number == 2


def test_whoever_does_not_review_neither_sees_nor_decides(bucket: S3Server) -> None:
    at = server(bucket)
    disagree(at)
    case = only_case(at.adjudication())
    with pytest.raises(AccessDenied):
        at.adjudication().cases(DESIGNER)
    with pytest.raises(AccessDenied):
        at.adjudication().decide(DESIGNER, case, LabelField.GENDER, "feminine", id="three")


def test_of_two_thirds_the_second_is_told_what_the_first_decided(bucket: S3Server) -> None:
    at, other = server(bucket), server(bucket)
    disagree(at)
    other.log.refresh()
    seen = only_case(other.adjudication(), FOURTH)
    at.adjudication().decide(THIRD, only_case(at.adjudication()), LabelField.GENDER, "masculine", id="three")
    with pytest.raises(ReviewConflict) as lost:
        other.adjudication().decide(FOURTH, seen, LabelField.GENDER, "feminine", id="four")
    assert (lost.value.conflicts[0].reviewer, lost.value.conflicts[0].value) == (THIRD.email, "masculine")
    other.adjudication().decide(FOURTH, seen, LabelField.GENDER, "masculine", id="five")  # the same: nothing to write
    at.adjudication().decide(THIRD, seen, LabelField.GENDER, "masculine", id="three")  # sent twice
    other.log.refresh()
    assert other.log.number == 3


def test_a_decision_that_is_taken_back_waits_again_and_a_look_that_is_taken_back_waits_for_nothing(
    bucket: S3Server,
) -> None:
    at = server(bucket)
    disagree(at)
    case = only_case(at.adjudication())
    at.adjudication().decide(THIRD, case, LabelField.GENDER, "feminine", id="three")
    at.reviews.undo(THIRD, ["three"])
    assert only_case(at.adjudication()).is_open
    at.reviews.undo(OTHER, ["two"])
    with pytest.raises(InputError, match="nothing to decide"):
        at.adjudication().decide(THIRD, case, LabelField.GENDER, "feminine", id="four")
    assert at.adjudication().cases(THIRD) == []


@pytest.mark.parametrize("value", ["a man", (20, 30)])
def test_a_value_that_cannot_be_is_refused(bucket: S3Server, value: object) -> None:
    at = server(bucket)
    disagree(at)
    with pytest.raises(InputError):
        at.adjudication().decide(
            THIRD,
            only_case(at.adjudication()),
            LabelField.GENDER,
            value,  # type: ignore[arg-type]
            id="three",
        )


class TestNothingLeaks:
    """Until the second look is made, nothing a second reviewer asks for says what the first decided."""

    @staticmethod
    def reviewed(bucket: S3Server) -> ReviewFixture:
        at = server(bucket)
        at.reviews.save(OPS, [correct(at.reviews.item(OPS, KEY), {LabelField.GENDER: "masculine"}, id="one")])
        return at

    def test_the_history_is_kept_from_the_second_reviewer_alone(self, bucket: S3Server) -> None:
        at = self.reviewed(bucket)
        assert at.reviews.is_blind_to(OTHER, etag_of(PICTURE))
        assert at.reviews.history(OTHER, etag_of(PICTURE)) == []
        assert at.reviews.history(OPS, etag_of(PICTURE)) != []
        assert at.reviews.history(DESIGNER, etag_of(PICTURE)) != []
        at.reviews.save(OTHER, [accept(at.reviews.item(OTHER, KEY), id="two")])
        assert at.reviews.history(OTHER, etag_of(PICTURE)) != []

    def test_no_filter_finds_it_by_what_was_decided(self, bucket: S3Server) -> None:
        at = self.reviewed(bucket)
        found = at.reviews.queue(OTHER, QueueFilter(gender=Gender.MASCULINE, everything=True))
        assert [item.reference.key for item in found] == []
        assert at.reviews.queue(OTHER, QueueFilter(reviewer=OPS.email)) == []

    def test_a_bulk_edit_leaves_it_and_a_race_does_not_tell(self, bucket: S3Server) -> None:
        at = server(bucket)
        before = [at.reviews.item(OTHER, key) for key in (KEY, PLAIN)]
        at.reviews.save(OPS, [correct(before[0], {LabelField.GENDER: "masculine"}, id="one")])
        done = at.reviews.set_field(OTHER, before, LabelField.GENDER, None, id_prefix="bulk")
        assert (len(done.events), done.left) == (1, (etag_of(PICTURE),))
        with pytest.raises(InputError, match="second look"):
            at.reviews.set_field(OTHER, before[:1], LabelField.GENDER, None, id_prefix="alone")
        raced = Verdict(
            "raced",
            Kind.CORRECT,
            KEY,
            etag_of(PICTURE),
            {LabelField.GENDER: "feminine"},
            {LabelField.GENDER: None},
            whole=False,
        )
        with pytest.raises(InputError) as told:
            at.reviews.save(OTHER, [raced])
        assert told.value.message == SECOND_LOOK_FIRST

    def test_a_portrait_that_is_lent_stands_behind_the_others_and_says_to_whom(self, bucket: S3Server) -> None:
        at, other = server(bucket), server(bucket)
        mine = at.reviews.lend(OPS, at.reviews.queue(OPS, QueueFilter())[:1], desk="1", ahead=())
        theirs = other.reviews.lend(OTHER, other.reviews.queue(OTHER, QueueFilter()), desk="2", ahead=())
        assert theirs[-1].reference == mine[0].reference
        assert theirs[-1].lent is not None
        assert (theirs[-1].lent.name, theirs[0].lent) == (OPS.email, None)
        assert theirs[-1].lent.until > datetime.now(UTC)
        receipt = other.reviews.save(OTHER, [accept(theirs[-1], id="all the same")])
        assert receipt.events == ("all the same",)
        other.reviews.give_back(OTHER, "2")
        at.reviews.give_back(OPS, "1")
        assert all(item.lent is None for item in other.reviews.lend(OTHER, theirs, desk="2", ahead=()))
