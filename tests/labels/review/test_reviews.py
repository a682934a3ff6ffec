"""Reviews as sets of decisions: joined in any order they come to the same, and none is ever lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.labels.decisions.reviews import (
    Event,
    FieldChange,
    Kind,
    Reviews,
    Save,
    check_value,
    reviewed_label,
)
from core.labels.published.schema import Label, LabelField, LabelSource

START = datetime(2026, 11, 22, 9, tzinfo=UTC)
ETAGS = ("a", "b", "c")


@st.composite
def logs(draw: st.DrawFn) -> list[Save]:
    """Logs as they can arise: each event once, undos behind what they undo, about the same picture."""
    saves: list[Save] = []
    made: list[Event] = []
    for number in range(1, draw(st.integers(0, 8)) + 1):
        events = []
        for at in range(draw(st.integers(1, 3))):
            undone = draw(st.sampled_from([*made, None])) if made else None
            if undone is not None:
                event = Event(id=f"{number}-{at}", kind=Kind.UNDO, key="k", etag=undone.etag, undoes=undone.id)
            else:
                gender = draw(st.sampled_from(["feminine", "masculine", None]))
                event = Event(
                    id=f"{number}-{at}",
                    kind=draw(st.sampled_from([Kind.ACCEPT, Kind.CORRECT, Kind.SKIP])),
                    key="k",
                    etag=draw(st.sampled_from(ETAGS)),
                    changes=(FieldChange(field=LabelField.GENDER, after=gender),),
                    second=draw(st.booleans()),
                )
            events.append(event)
            made.append(event)
        time = START + timedelta(seconds=number)
        saves.append(
            Save(number=number, reviewer=draw(st.sampled_from(["ann", "bo"])), time=time, events=tuple(events))
        )
    return saves


def folded(saves: list[Save]) -> Reviews:
    return Reviews.of(saves)


class TestJoining:
    """Two servers that have read different parts of the log end up with the same."""

    @given(logs(), st.data())
    def test_joining_is_associative_whatever_the_parts(self, saves: list[Save], data: st.DataObject) -> None:
        parts = [data.draw(st.lists(st.sampled_from(saves))) if saves else [] for _ in range(3)]
        one, two, three = map(folded, parts)
        assert (one | two) | three == one | (two | three)

    @given(logs(), st.data())
    def test_joining_is_commutative(self, saves: list[Save], data: st.DataObject) -> None:
        one, two = (folded(data.draw(st.lists(st.sampled_from(saves))) if saves else []) for _ in range(2))
        assert one | two == two | one

    @given(logs())
    def test_joining_with_itself_changes_nothing(self, saves: list[Save]) -> None:
        reviews = folded(saves)
        assert reviews | reviews == reviews
        assert reviews | Reviews() == reviews

    @given(logs(), st.integers(0, 8))
    def test_a_log_read_in_two_parts_is_the_log_read_at_once(self, saves: list[Save], at: int) -> None:
        assert folded(saves[:at]) | folded(saves[at:]) == folded(saves)

    @given(logs())
    def test_nothing_is_lost(self, saves: list[Save]) -> None:
        events = [event.id for save in saves for event in save.events]
        assert sorted(made.event.id for made in folded(saves)) == sorted(events)


class TestUndo:
    """An undo is a decision too."""

    @given(logs())
    def test_an_undone_decision_does_not_stand_and_every_other_one_does(self, saves: list[Save]) -> None:
        reviews = folded(saves)
        for etag in reviews.etags:
            decisions = reviews.of_picture(etag)
            force = decisions.in_force
            undone = {made.event.undoes for made in force if made.event.kind is Kind.UNDO}
            assert {made.event.id for made in decisions} - {made.event.id for made in force} == undone & {
                made.event.id for made in decisions
            }

    def test_undoing_an_undo_brings_the_decision_back(self) -> None:
        events = [said("1", "feminine"), undo("2", "1"), undo("3", "2")]
        reviews = one_each(events)
        assert [made.event.id for made in reviews.of_picture("a").standing] == ["1"]
        assert reviews.of_picture("a").values == {LabelField.GENDER: "feminine"}

    def test_what_was_said_before_holds_again(self) -> None:
        reviews = one_each([said("1", "feminine"), said("2", "masculine"), undo("3", "2")])
        assert reviews.of_picture("a").values[LabelField.GENDER] == "feminine"

    def test_what_somebody_said_since_stays(self) -> None:
        reviews = one_each([said("1", "feminine"), said("2", None), undo("3", "1")])
        assert reviews.of_picture("a").values == {LabelField.GENDER: None}


class TestLabel:
    """What the decisions make of a label."""

    BASE = Label(
        key="k",
        etag="a",
        age_low=20,
        age_high=30,
        age_range="25–34",
        hair="black bob",
        source=LabelSource.OPENAI,
        model="gpt-5-mini",
        confidence={LabelField.AGE: 0.7, LabelField.HAIR: 0.9},
    )

    def test_a_decided_field_is_the_persons_and_the_others_stay_the_machines(self) -> None:
        event = Event(
            id="1", kind=Kind.CORRECT, key="k", etag="a", changes=(FieldChange(field=LabelField.AGE, after=(40, 50)),)
        )
        label = reviewed_label(self.BASE, one_each([event]).of_picture("a"))
        assert label is not None
        assert (label.ages, label.age_range, label.hair) == ((40, 50), "45–59", "black bob")
        assert (label.source, label.reviewer) == (LabelSource.HUMAN, "ann")
        assert label.confidence == {LabelField.HAIR: 0.9}

    def test_unsure_takes_a_value_away(self) -> None:
        event = Event(id="1", kind=Kind.CORRECT, key="k", etag="a", changes=(FieldChange(field=LabelField.AGE),))
        label = reviewed_label(self.BASE, one_each([event]).of_picture("a"))
        assert label is not None
        assert (label.ages, label.age_range) == (None, None)

    def test_a_skip_and_a_second_look_change_nothing(self) -> None:
        skip = Event(id="1", kind=Kind.SKIP, key="k", etag="a")
        second = said("2", "masculine").model_copy(update={"second": True})
        assert reviewed_label(self.BASE, one_each([skip, second]).of_picture("a")) is self.BASE

    @given(logs())
    def test_the_label_of_any_log_is_a_valid_one(self, saves: list[Save]) -> None:
        reviews = folded(saves)
        for etag in reviews.etags:
            label = reviewed_label(None, reviews.of_picture(etag))
            assert label is None or Label.model_validate_json(label.model_dump_json()) == label

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            (LabelField.AGE, (40, 30)),
            (LabelField.AGE, "thirty"),
            (LabelField.GENDER, "somebody"),
            (LabelField.GENDER, (1, 2)),
            (LabelField.FRAMING, "sideways"),
            (LabelField.HAIR, "  "),
        ],
    )
    def test_a_value_a_field_cannot_have_is_refused(self, field: LabelField, value: object) -> None:
        with pytest.raises(ValueError, match=r"age|gender|framing|hair"):
            check_value(field, value)  # type: ignore[arg-type]  # that is the point


def said(event: str, gender: str | None) -> Event:
    change = FieldChange(field=LabelField.GENDER, after=gender)
    return Event(id=event, kind=Kind.CORRECT, key="k", etag="a", changes=(change,))


def undo(event: str, undoes: str) -> Event:
    return Event(id=event, kind=Kind.UNDO, key="k", etag="a", undoes=undoes)


def one_each(events: list[Event]) -> Reviews:
    return Reviews.of(
        Save(number=number, reviewer="ann", time=START, events=(event,)) for number, event in enumerate(events, 1)
    )
