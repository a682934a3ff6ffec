"""The sent prompt shows both sides: what both are sent stands there once, what one is sent says which."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from core.generation.records.comparison import SideRecord
from core.injection.request.prompt import Section
from core.injection.request.wishes import SideName
from core.ui.generate.header.sent_prompt import parts_of
from tests.support.timeouts import LONG_S

SUBJECT, TONE = Section("Subject", "Ada", typed=True), Section("Tone", "Teal and orange.")
ANGLE = Section("Angle", "From below.")
ONE, OTHER = (Section("Attached pictures", f"Picture 1 is {what}.") for what in ("a tone", "an angle"))


def side(name: SideName, *sections: Section) -> SideRecord:
    return SideRecord(side=name, slots=(), sections=sections, prompt="")


def told(*sides: SideRecord) -> list[tuple[str, str]]:
    return [(part.section.title, part.letters) for part in parts_of(sides)]


def test_what_both_are_sent_stands_there_once_and_the_rest_in_the_order_of_sending() -> None:
    assert told(
        side(SideName.TONE_ONLY, SUBJECT, TONE, ONE), side(SideName.TONE_ANGLE, SUBJECT, TONE, ANGLE, OTHER)
    ) == [("Subject", "AB"), ("Tone", "AB"), ("Angle", "B"), ("Attached pictures", "A"), ("Attached pictures", "B")]


def test_of_two_image_models_everything_is_the_same() -> None:
    sides = [side(name, SUBJECT, TONE, ONE) for name in (SideName.A, SideName.B)]
    assert told(*sides) == [("Subject", "AB"), ("Tone", "AB"), ("Attached pictures", "AB")]


def test_a_side_that_is_sent_no_picture_lacks_that_part_alone() -> None:
    assert told(side(SideName.A, SUBJECT, TONE, ONE), side(SideName.B, SUBJECT, TONE))[-1] == ("Attached pictures", "A")


def draw() -> None:
    from core.injection.request.wishes import SideName
    from core.ui.generate.header.sent_prompt import sent_prompt
    from tests.ui.generate.header.test_sent_prompt import ONE, SUBJECT, TONE, side

    sides = side(SideName.A, SUBJECT, TONE, ONE), side(SideName.B, SUBJECT, TONE)
    sent_prompt(sides, {SideName.A: "Tone reference", SideName.B: "Tone in words"})


def test_it_says_what_each_side_is_and_whose_each_part() -> None:
    app = AppTest.from_function(draw).run(timeout=LONG_S)
    assert not app.exception
    assert [said.value for said in app.markdown] == ["**A** Tone reference · **B** Tone in words"]
    assert [said.value for said in app.caption] == [
        "Subject · as typed · both",
        "Tone · added · both",
        "Attached pictures · added · A only",
    ]
