"""Second looks: blind whatever was published in between, left out where they were not, and what a third decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.labels.decisions.reviews import Event, FieldChange, Kind, Reviews, Save, Value, reviewed_label, value_in
from core.labels.decisions.second_looks import Publishing, disagreements_of, is_doubly_reviewed, label_before, two_looks
from core.labels.machine.labeler import Proposal
from core.labels.published.label_file import FoundLabel, LabelState
from core.labels.published.schema import Gender, Label, LabelField, LabelSource
from core.labels.queue.assessment import Assessment
from core.labels.queue.queue import PortraitFacts, QueueItem, ReviewState
from core.labels.review.verdicts import accept, event_of, undo_of
from core.references.reference import Reference
from core.references.vocabulary import Role
from tests.labels.review.services import correct, proposed

TIME = datetime(2026, 11, 22, tzinfo=UTC)
KEY = "refs/01. Model/noir low angle/Ada.jpg"
ETAG = next(f"{number}" for number in range(1000) if is_doubly_reviewed(f"{number}"))
PORTRAIT = Reference(KEY, ETAG, 1000, TIME, Role.MODEL, "refs/01. Model", "noir low angle", "noir", "low-angle", None)
NOMINAL = Label(
    key=KEY,
    etag=ETAG,
    age_low=25,
    age_high=34,
    age_range="25–34",
    gender_presentation=Gender.FEMININE,
    hair="black short",
    source=LabelSource.NOMINAL,
)
BY_HAND = NOMINAL.model_copy(update={"source": LabelSource.HUMAN, "reviewer": "zoe"})
MACHINE = proposed(KEY, ETAG, age=(35, 44), sure=0.7)
NEWER = proposed(KEY, ETAG, gender=Gender.MASCULINE, age=(18, 24), sure=0.4)
STARTS = ((NOMINAL, (MACHINE,)), (NOMINAL, ()), (None, (MACHINE,)), (None, ()), (BY_HAND, ()), (BY_HAND, (MACHINE,)))
VALUES: dict[LabelField, tuple[Value, ...]] = {
    LabelField.AGE: ((25, 34), (60, 120), (45, 59), None),
    LabelField.GENDER: ("feminine", "masculine", None),
    LabelField.HAIR: ("black short", "grey long", None),
    LabelField.NOTES: ("looks tired", None),
}


@dataclass
class Studio:
    """A portrait with everything that is done to it: reviews in their order, publications, newer proposals."""

    published: Label | None
    proposals: tuple[Proposal, ...]
    saves: list[Save] = field(default_factory=list)

    @property
    def reviews(self) -> Reviews:
        return Reviews.of(self.saves)

    def item(self, reviewer: str) -> QueueItem:
        """The portrait as this person's desk, card and drawer are made of it."""
        decisions = self.reviews.of_picture(ETAG)
        found = FoundLabel(LabelState.CURRENT if self.published else LabelState.MISSING, self.published)
        book = Assessment()
        book.keep([PortraitFacts(PORTRAIT, found, self.published, self.proposals, decisions)])
        return book.items[KEY].for_reviewer(reviewer)

    def save(self, reviewer: str, *events: Event | None) -> None:
        number = len(self.saves) + 1
        kept = tuple(event for event in events if event is not None)
        self.saves.append(Save(number=number, reviewer=reviewer, time=TIME + timedelta(seconds=number), events=kept))

    def review(self, reviewer: str, values: dict[LabelField, Value]) -> dict[LabelField, Value]:
        """Accept what is shown, or correct it; what each field said that is decided on, second looks apart."""
        item, name = self.item(reviewer), f"{len(self.saves)}"
        if not values and all(value_in(item.shown, each) is None for each in LabelField):
            return {}  # there is nothing to accept
        verdict = correct(item, values, id=name) if values else accept(item, id=name)
        machine = self.proposals[0].label if self.proposals else None
        event = event_of(verdict, reviewer, self.reviews, machine=machine, published=self.published)
        self.save(reviewer, event)
        fields = () if event.second else [change.field for change in event.changes]
        return {each: value_in(item.shown, each) for each in fields}

    def undo(self, at: int) -> None:
        made = [(save.reviewer, event) for save in self.saves for event in save.events]
        if made:
            reviewer, event = made[at % len(made)]
            self.save(reviewer, undo_of(event, self.reviews))

    def publish(self) -> None:
        self.published = reviewed_label(self.published, self.reviews.of_picture(ETAG))

    def forget_originals(self) -> None:
        """As saves were before they kept what had been published."""
        self.saves = [
            save.model_copy(
                update={"events": tuple(each.model_copy(update={"original": None}) for each in save.events)}
            )
            for save in self.saves
        ]


corrections = st.dictionaries(st.sampled_from(list(VALUES)), st.none(), max_size=3).flatmap(
    lambda fields: st.fixed_dictionaries({each: st.sampled_from(VALUES[each]) for each in fields})
)
acts = st.lists(
    st.one_of(
        st.tuples(st.just("review"), st.sampled_from(["ann", "bo", "cy"]), corrections),
        st.tuples(st.just("undo"), st.integers(0, 20), st.none()),
        st.tuples(st.sampled_from(["publish", "label anew", "forget originals"]), st.none(), st.none()),
    ),
    max_size=10,
)


@given(st.sampled_from(STARTS), acts)
@example((NOMINAL, ()), [("review", "ann", {LabelField.AGE: (60, 120)}), ("publish", None, None)])
@example((None, (MACHINE,)), [("review", "ann", {}), ("publish", None, None), ("forget originals", None, None)])
def test_no_sequence_of_reviews_and_publishes_makes_a_second_look_see_what_somebody_decided(
    start: tuple[Label | None, tuple[Proposal, ...]], done: Sequence[tuple[str, object, object]]
) -> None:
    """Nor whose decision it was: each field says what it said when it was first decided on."""
    studio, before = Studio(*start), dict[LabelField, Value]()
    for act, who, values in done:
        if act == "review":
            before = studio.review(str(who), dict(values)) | before  # type: ignore[call-overload]
        elif act == "undo":
            studio.undo(int(who))  # type: ignore[call-overload]
        elif act == "publish":
            studio.publish()
        elif act == "forget originals":
            studio.forget_originals()
        else:
            studio.proposals = (NEWER, *studio.proposals)
        item = studio.item("dee")
        if item.state is not ReviewState.SECOND_LOOK:
            continue
        assert {each: value_in(item.shown, each) for each in before} == before
        reviewers = {save.reviewer for save in studio.saves}
        assert item.shown is None or item.shown.reviewer not in reviewers
        assert (item.decided_by, dict(item.fields)) == ((), {})


def test_the_blind_label_is_the_machines_own_with_how_sure_it_was() -> None:
    studio = Studio(None, (MACHINE,))
    studio.review("ann", {LabelField.AGE: (60, 120)})
    studio.publish()
    studio.forget_originals()
    assert studio.item("bo").shown == MACHINE.label


def test_a_portrait_of_which_nothing_was_known_is_shown_as_that_to_the_second_reviewer() -> None:
    studio = Studio(None, ())
    studio.review("ann", {LabelField.AGE: (60, 120)})
    studio.publish()
    studio.forget_originals()
    assert studio.item("bo").shown is None


def test_a_second_look_that_is_made_now_is_blind_also_after_a_publish() -> None:
    studio = Studio(NOMINAL, ())
    studio.review("ann", {LabelField.AGE: (60, 120)})
    studio.publish()
    studio.review("bo", {})
    looks = two_looks(studio.reviews.of_picture(ETAG))
    assert looks is not None
    assert looks.was_blind(Publishing(TIME, 1, is_first=False))


def older(first: Value, second: Value, *, before: Value, seen: Value) -> Reviews:
    """Two looks from before second looks said whether they were blind."""

    def said(number: int, reviewer: str, change: FieldChange, *, is_second: bool) -> Save:
        event = Event(id=f"{number}", kind=Kind.ACCEPT, key=KEY, etag=ETAG, changes=(change,), second=is_second)
        return Save(number=number, reviewer=reviewer, time=TIME + timedelta(hours=number), events=(event,))

    one = FieldChange(field=LabelField.GENDER, before=before, after=first)
    other = FieldChange(field=LabelField.GENDER, before=seen, after=second)
    return Reviews.of([said(1, "ann", one, is_second=False), said(2, "bo", other, is_second=True)])


IN_BETWEEN, AFTERWARDS = TIME + timedelta(hours=1, minutes=30), TIME + timedelta(hours=3)


@pytest.mark.parametrize(
    ("first", "seen", "publishing", "is_blind"),
    [
        ("masculine", "masculine", None, False),  # the first one's word was on the screen
        (
            "masculine",
            "feminine",
            Publishing(IN_BETWEEN, 1, is_first=False),
            True,
        ),  # it was not, whatever was published
        ("feminine", "feminine", None, True),  # nothing was ever published
        ("feminine", "feminine", Publishing(IN_BETWEEN, 1, is_first=True), False),
        ("feminine", "feminine", Publishing(IN_BETWEEN, 0, is_first=True), True),  # without the first one's decision
        ("feminine", "feminine", Publishing(AFTERWARDS, 2, is_first=True), True),
        ("feminine", "feminine", Publishing(AFTERWARDS, 2, is_first=False), False),  # nobody knows about the one before
    ],
)
def test_an_older_second_look_counts_where_it_was_blind(
    first: str, seen: str, publishing: Publishing | None, is_blind: bool
) -> None:
    looks = two_looks(older(first, "feminine", before="feminine", seen=seen).of_picture(ETAG))
    assert looks is not None
    assert looks.was_blind(publishing) is is_blind


class TestThird:
    """Where two looks differ a third person's word holds, and the two stay what they were."""

    @staticmethod
    def third(value: Value, *, number: int = 3, reviewer: str = "cy") -> Save:
        change = FieldChange(field=LabelField.GENDER, before="masculine", after=value)
        event = Event(id=f"{number}", kind=Kind.CORRECT, key=KEY, etag=ETAG, changes=(change,), third=True, whole=False)
        return Save(number=number, reviewer=reviewer, time=TIME + timedelta(hours=number), events=(event,))

    def test_two_who_say_the_same_leave_nothing_to_decide(self) -> None:
        reviews = older("feminine", "feminine", before="masculine", seen="masculine")
        assert disagreements_of(reviews.of_picture(ETAG)) == ()

    def test_a_disagreement_names_both_and_then_the_third(self) -> None:
        reviews = older("masculine", "feminine", before="feminine", seen="feminine")
        (case,) = disagreements_of(reviews.of_picture(ETAG))
        assert (case.first.reviewer, case.first.value) == ("ann", "masculine")
        assert (case.second.reviewer, case.second.value, case.third) == ("bo", "feminine", None)
        decided = (reviews | Reviews.of([self.third("feminine")])).of_picture(ETAG)
        (case,) = disagreements_of(decided)
        assert case.third is not None
        assert (case.third.reviewer, case.third.value) == ("cy", "feminine")
        assert decided.values[LabelField.GENDER] == "feminine"
        looks = two_looks(decided)
        assert looks is not None
        assert [word.value for word in looks.words[LabelField.GENDER]] == ["masculine", "feminine"]

    def test_a_second_look_that_is_made_anew_wants_a_third_anew(self) -> None:
        reviews = older("masculine", "feminine", before="feminine", seen="feminine") | Reviews.of([self.third(None)])
        second = next(made.event for made in reviews.of_picture(ETAG) if made.event.second)
        undo = Save(number=4, reviewer="bo", time=TIME, events=(undo_of(second, reviews),))  # type: ignore[arg-type]
        again = second.model_copy(update={"id": "again"})
        reviews = reviews | Reviews.of([undo, Save(number=5, reviewer="bo", time=TIME, events=(again,))])
        (case,) = disagreements_of(reviews.of_picture(ETAG))
        assert case.third is None

    def test_words_that_people_write_freely_are_not_compared(self) -> None:
        hair = {"field": LabelField.HAIR}
        saves = [
            save.model_copy(
                update={
                    "events": tuple(
                        each.model_copy(
                            update={"changes": tuple(change.model_copy(update=hair) for change in each.changes)}
                        )
                        for each in save.events
                    )
                }
            )
            for save in self._saves()
        ]
        assert disagreements_of(Reviews.of(saves).of_picture(ETAG)) == ()

    @staticmethod
    def _saves() -> list[Save]:
        reviews = older("masculine", "feminine", before=None, seen=None)
        return [
            Save(number=made.number, reviewer=made.reviewer, time=made.time, events=(made.event,)) for made in reviews
        ]


def test_without_decisions_the_label_from_before_is_the_published_one_else_the_weightiest_machines() -> None:
    nothing = Reviews().of_picture(ETAG)
    assert label_before(NOMINAL, [MACHINE.label], nothing) is NOMINAL
    assert label_before(None, [NEWER.label, MACHINE.label], nothing) is NEWER.label
    assert label_before(None, [], nothing) is None
