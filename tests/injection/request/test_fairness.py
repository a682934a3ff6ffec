"""Fairness: nothing but the declared factor may differ, whatever else does is named, and what mends it is proven."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.injection.plan import Injection
from core.injection.request.fairness import Difference, Fairness, MendAct, judge
from core.injection.request.prompt import Section
from core.injection.request.sent import SentPicture, SentRender, SentSide
from core.injection.request.wishes import PersonWish, SideName, Strength, Varies, Wishes
from core.references.vocabulary import Role
from tests.injection.libraries import SILENT, library, model_keys, plan, sample_library

EYE, LOW = "refs/01. Model/noir eye-level", "refs/01. Model/noir low angle"
REST = ("refs/02. Tone/noir/street.jpg", "refs/03. Angle/low angle/stairs.jpg")
WISHES = Wishes(prompt="x", tone="noir", angle="low-angle")
ALONE = replace(WISHES, balanced=False)
PREVIEW = SentRender("preview", "colour-transfer", "1024×1280", "medium")


def picture(number: int, role: Role, name: str, **known: object) -> SentPicture:
    fields: dict[str, object] = {"tone": "noir", "angle": None, "persona": None, "strength": Strength.NORMAL}
    return SentPicture(
        number,
        role,
        f"{role.value}:{name}",
        f"refs/{role.value}/{name}",
        name,
        **(fields | known),  # type: ignore[arg-type]
    )


TONE = picture(1, Role.TONE, "street.jpg")
STAIRS = picture(2, Role.ANGLE, "stairs.jpg", angle="low-angle", tone=None)
SUBJECT, DIRECTIVE = Section("Subject", "x", typed=True), Section("Angle", "From below.")
ONE = SentSide(
    SideName.TONE_ONLY,
    (SUBJECT,),
    (TONE, picture(2, Role.MODEL, "Ada 1.jpg", angle="eye-level", persona="Ada")),
    None,
    PREVIEW,
)
OTHER = SentSide(
    SideName.TONE_ANGLE,
    (SUBJECT, DIRECTIVE),
    (TONE, STAIRS, picture(3, Role.MODEL, "Ada 2.jpg", angle="low-angle", persona="Ada")),
    "low-angle",
    PREVIEW,
)


def verdict(injection: Injection) -> Fairness:
    assert injection.fairness is not None
    return injection.fairness


def named(fairness: Fairness) -> dict[str, Difference]:
    return {difference.what: difference for difference in fairness.differences}


def test_a_pair_that_differs_in_the_angle_alone_is_controlled() -> None:
    assert judge(ONE, OTHER) == Fairness(())


@pytest.mark.parametrize(
    ("what", "one"),
    [
        ("engine", replace(ONE, render=replace(PREVIEW, engine="openai"))),
        ("image model", replace(ONE, render=replace(PREVIEW, model="another"))),
        ("quality", replace(ONE, render=replace(PREVIEW, quality="high"))),
        ("size", replace(ONE, render=replace(PREVIEW, size="1024×1024"))),
        ("prompt", replace(ONE, sections=(Section("Subject", "y", typed=True),))),
        ("prompt", replace(ONE, sections=(SUBJECT, Section("Tone", "In noir.")))),
        ("prompt", replace(ONE, sections=(SUBJECT, DIRECTIVE))),
        ("tone reference", replace(ONE, pictures=ONE.pictures[1:])),
        ("tone reference", replace(ONE, pictures=(replace(TONE, etag="other bytes"), *ONE.pictures[1:]))),
        ("angle reference", replace(ONE, pictures=(*ONE.pictures, STAIRS))),
        ("number of person references", replace(ONE, pictures=(*ONE.pictures, ONE.pictures[1]))),
        ("number of person references", replace(ONE, pictures=ONE.pictures[:1])),
        ("person", replace(ONE, pictures=(TONE, replace(ONE.pictures[1], persona="Ben")))),
        ("person", replace(ONE, pictures=(TONE, replace(ONE.pictures[1], persona=None)))),
        ("angle of the person", replace(ONE, pictures=(TONE, replace(ONE.pictures[1], angle="low-angle")))),
        ("tone of the person", replace(ONE, pictures=(TONE, replace(ONE.pictures[1], tone=None)))),
        ("strength", replace(ONE, pictures=(TONE, replace(ONE.pictures[1], strength=Strength.EXACT)))),
        ("strength", replace(ONE, pictures=(replace(TONE, strength=Strength.HINT), ONE.pictures[1]))),
        (
            "attached pictures",
            replace(ONE, sections=(SUBJECT, Section("Attached pictures", "Something nobody foresaw."))),
        ),
    ],
)
def test_every_field_that_differs_beside_the_angle_is_named(what: str, one: SentSide) -> None:
    fairness = judge(one, OTHER)
    assert not fairness.controlled
    assert what in named(fairness)
    assert all(difference.says for difference in fairness.differences)


def test_people_in_another_order_are_a_difference() -> None:
    ben = picture(3, Role.MODEL, "Ben.jpg", angle="eye-level", persona="Ben")
    one = replace(ONE, pictures=(*ONE.pictures, ben))
    other = replace(OTHER, pictures=(TONE, STAIRS, replace(ben, angle="low-angle"), OTHER.pictures[2]))
    assert "order" in named(judge(one, other))


@pytest.mark.parametrize("factor", [Varies.MODEL, Varies.TONE_WAY, Varies.STRENGTH])
def test_two_sides_that_are_the_same_vary_nothing(factor: Varies) -> None:
    one, other = replace(OTHER, name=SideName.A), replace(OTHER, name=SideName.B)
    assert not judge(one, other, factor).controlled or factor is Varies.TONE_WAY
    in_words = replace(other, pictures=other.pictures[1:])
    assert judge(one, in_words, Varies.TONE_WAY).controlled


def test_each_factor_may_differ_in_itself_and_in_nothing_else() -> None:
    one, other = replace(OTHER, name=SideName.A), replace(OTHER, name=SideName.B)
    changed = {
        Varies.MODEL: replace(other, render=replace(PREVIEW, engine="openai", model="gpt-image-2", quality="high")),
        Varies.TONE_WAY: replace(other, pictures=other.pictures[1:]),
        Varies.STRENGTH: replace(other, pictures=(replace(TONE, strength=Strength.EXACT), *other.pictures[1:])),
    }
    for factor in changed:
        for differs, side in changed.items():
            assert judge(one, side, factor).controlled == (factor is differs), (factor, differs)


def test_another_size_is_no_part_of_the_model_that_varies() -> None:
    other = replace(OTHER, render=replace(PREVIEW, model="gpt-image-2", size="1024×1024"))
    assert list(named(judge(OTHER, other, Varies.MODEL))) == ["size"]


def test_two_strengths_at_once_are_one_too_many() -> None:
    pictures = tuple(replace(each, strength=Strength.EXACT) for each in OTHER.pictures[:2])
    assert not judge(OTHER, replace(OTHER, pictures=(*pictures, OTHER.pictures[2])), Varies.STRENGTH).controlled


def test_as_each_mode_alone_a_person_who_already_shows_the_angle_is_named_and_balance_mends_it() -> None:
    done = plan(library(*REST, f"{EYE}/Ada 1.jpg", f"{LOW}/Ada 2.jpg"), ALONE)
    assert model_keys(done, SideName.TONE_ONLY) == [f"{EYE}/Ada 1.jpg", f"{LOW}/Ada 2.jpg"]
    found = named(verdict(done))
    assert set(found) == {"number of person references", "angle of the person"}
    assert found["number of person references"].says == "Tone only has 2 person references and tone + angle 1."
    for difference in found.values():
        assert difference.mend is not None
        assert difference.mend.act is MendAct.BALANCE
        again = plan(library(*REST, f"{EYE}/Ada 1.jpg", f"{LOW}/Ada 2.jpg"), difference.mend.applied_to(ALONE))
        assert verdict(again).controlled


def test_a_strength_of_one_side_alone_is_mended_by_following_both_alike() -> None:
    index = library(*REST, f"{EYE}/Ada 1.jpg", f"{LOW}/Ada 2.jpg")
    wishes = replace(WISHES, strengths={f"model:{EYE}": Strength.EXACT})
    (difference,) = verdict(plan(index, wishes)).differences
    assert difference.what == "strength"
    assert difference.mend is not None
    assert verdict(plan(index, difference.mend.applied_to(wishes))).controlled


def test_an_angle_reference_that_is_switched_off_is_mended_by_switching_it_on() -> None:
    (difference,) = verdict(plan(library(*REST), replace(WISHES, off=frozenset({"angle"})), SILENT)).differences
    assert difference.what == "angle"
    assert difference.mend is not None
    assert difference.mend.says == "Switch the angle reference on"


def test_a_mend_that_would_mend_nothing_is_not_offered() -> None:
    (difference,) = verdict(plan(library(REST[0]), WISHES, SILENT)).differences
    assert (difference.what, difference.mend) == ("angle", None)


def test_no_angle_to_add_is_a_difference_of_its_own() -> None:
    done = plan(library(*REST, f"{EYE}/Ada.jpg"), replace(WISHES, angle=None), SILENT)
    assert list(named(verdict(done))) == ["angle"]


def test_an_angle_reference_that_is_missing_is_made_up_for_by_the_models_angle() -> None:
    assert verdict(plan(library(REST[0], f"{EYE}/Ada 1.jpg", f"{LOW}/Ada 2.jpg"), WISHES)).controlled


def test_nothing_that_carries_the_angle_is_not_controlled() -> None:
    done = plan(library(REST[0], f"{EYE}/Ada 1.jpg"), replace(WISHES, person=PersonWish.NO))
    assert list(named(verdict(done))) == ["angle"]


def test_people_without_a_name_are_never_taken_for_each_other() -> None:
    done = plan(library(*REST, f"{EYE}/01.jpg", f"{LOW}/02.jpg"), ALONE)
    assert "01.jpg" in named(verdict(done))["person"].says
    assert not verdict(plan(library(*REST, f"{EYE}/01.jpg", f"{LOW}/02.jpg"), WISHES)).controlled


@pytest.mark.parametrize("seed", range(10))
def test_a_library_in_which_somebody_stands_on_both_sides_always_gives_a_fair_pair(seed: int) -> None:
    people = ("Ada", "Ben", "Cho", "Dae")
    index = library(*REST, *(f"{EYE}/{name} 1.jpg" for name in people), f"{LOW}/Cho 2.jpg", f"{LOW}/Eva.jpg")
    assert verdict(plan(index, replace(WISHES, seed=seed))).controlled


def test_the_tones_way_sends_words_alone_to_b_and_all_else_to_both() -> None:
    done = plan(sample_library(), Wishes(prompt="a woman", tone="cinematic", angle="low-angle", varies=Varies.TONE_WAY))
    one, other = done.sides
    assert (one.side, other.side) == (SideName.A, SideName.B)
    assert [slot.key for slot in one.filled[1:]] == [slot.key for slot in other.filled]
    assert verdict(done).controlled


def test_the_strength_varies_in_one_slot_of_b() -> None:
    wishes = Wishes(prompt="a woman", tone="cinematic", varies=Varies.STRENGTH)
    assert not verdict(plan(sample_library(), wishes)).controlled
    stronger = replace(wishes, strengths_b={"tone": Strength.EXACT})
    assert verdict(plan(sample_library(), stronger)).controlled
