"""What each act means: whose person is pinned, which picture waits, what gives way and how it is said."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.errors import InputError
from core.injection import choices
from core.injection.choices import Chosen, Grounds
from core.injection.plan import Injection, Planner
from core.injection.reading.reader import Reading
from core.injection.request.slots import ANYTHING, Loosen, NearMiss
from core.injection.request.wishes import Ages, Mode, PersonWish, SideName, WishedFrom, Wishes
from core.labels.published.label_file import LabelSet
from core.labels.published.schema import Gender, Label
from core.references.index import ReferenceIndex
from core.references.reference import Reference
from tests.injection.libraries import A_PERSON, SILENT, label, library, model_keys, models_of, plan, tone_of

MODEL = "refs/01. Model"
NOIR, NOIR_LOW, PASTEL, VIVID = (f"{MODEL}/{name}" for name in ("noir", "noir low angle", "pastel", "vivid"))
ADA, BEN, CHIOMA = f"{NOIR}/Ada 01.jpg", f"{NOIR_LOW}/Ben 01.jpg", f"{VIVID}/Chioma.jpg"
STREET, GARDEN = "refs/02. Tone/noir/street.jpg", "refs/02. Tone/pastel/garden.jpg"
STAIRS, DOOR = "refs/03. Angle/low angle/stairs.jpg", "refs/03. Angle/profile/door.jpg"
NAMELESS = f"{NOIR}/07.jpg"
INDEX = library(
    ADA, NAMELESS, BEN, CHIOMA, STREET, GARDEN, STAIRS, DOOR,
    f"{NOIR}/Ben 03.jpg", f"{NOIR_LOW}/Ada 02.jpg", f"{PASTEL}/Ada 05.jpg", f"{PASTEL}/Ben 05.jpg",
    "refs/b/01. Model/noir/Ada 09.jpg", "refs/b/01. Model/noir/Ben 09.jpg",
)  # fmt: skip
LABELS = (label(ADA, Gender.FEMININE, 27), label(f"{PASTEL}/Ada 05.jpg", Gender.FEMININE, 27))
WISHES = Wishes(prompt="x", balanced=False, mode=Mode.TONE_ONLY, tone="noir", folder=MODEL)
SLOT = f"model:{NOIR}"


def grounds(reading: Reading = A_PERSON, labels: tuple[Label, ...] = LABELS) -> Grounds:
    return Grounds(INDEX, LabelSet(labels), reading)


def planned(wishes: Wishes, reading: Reading = A_PERSON, *, index: ReferenceIndex = INDEX) -> Injection:
    return plan(index, wishes, reading, labels=LABELS)


def people(done: Injection) -> set[str | None]:
    return {slot.persona for side in done.sides for slot in models_of(done, side.side) if slot.filled}


def says(chosen: Chosen) -> str:
    return chosen.overruled.says if chosen.overruled else ""


def picture(key: str) -> Reference:
    found = INDEX.get(key)
    assert found is not None
    return found


class TestThePersonOfAPin:
    """A pinned model picture means its person; the picture itself stands where its group is in the plan."""

    PINNED = choices.pin(WISHES, SLOT, ADA, grounds()).wishes

    def test_every_slot_shows_them_and_the_picture_stands_in_its_own_group(self) -> None:
        for seed in range(10):
            done = planned(replace(self.PINNED, seed=seed))
            assert model_keys(done, SideName.TONE_ONLY) == [ADA, f"{NOIR_LOW}/Ada 02.jpg"]

    def test_another_tone_keeps_the_person_and_the_first_tone_brings_the_picture_back(self) -> None:
        pastel = choices.pick_tone(self.PINNED, "pastel", grounds())
        assert (says(pastel), people(planned(pastel.wishes))) == ("", {"Ada"})
        back = choices.pick_tone(pastel.wishes, "noir", grounds()).wishes
        assert ADA in model_keys(planned(back), SideName.TONE_ONLY)

    def test_a_tone_without_the_person_leaves_the_slot_empty_and_offers_what_would_do(self) -> None:
        vivid = choices.pick_tone(self.PINNED, "vivid", grounds()).wishes
        (slot,) = models_of(planned(vivid), SideName.TONE_ONLY)
        assert (slot.key, slot.why) == (None, "No picture of Ada is tagged vivid.")
        assert [(miss.loosen, miss.to, miss.pictures) for miss in slot.near] == [
            ("tone", "noir", 2),
            ("tone", "pastel", 1),
            ("persona", ANYTHING, 1),
        ]
        anybody = choices.loosen(vivid, slot.near[2], grounds())
        assert (says(anybody), people(planned(anybody.wishes))) == ("", {"Chioma"})

    def test_in_another_folder_they_are_looked_for_and_the_picture_waits_in_its_own(self) -> None:
        elsewhere = choices.set_folder(self.PINNED, "refs/b/01. Model", grounds()).wishes
        assert people(planned(elsewhere)) == {"Ada"}
        assert elsewhere.pins == {SLOT: ADA}

    def test_a_folder_without_them_says_so_and_names_the_one_that_has_them(self) -> None:
        index = library(ADA, "refs/b/01. Model/noir/Ben 09.jpg")
        (slot,) = models_of(planned(replace(self.PINNED, folder="refs/b/01. Model"), index=index), SideName.TONE_ONLY)
        assert slot.why == "No picture of Ada lies in “refs/b/01. Model”."
        assert NearMiss(Loosen.FOLDER, MODEL, 1) in slot.near

    def test_the_person_goes_with_the_last_picture_that_brought_them(self) -> None:
        second = choices.pin(self.PINNED, f"model:{PASTEL}", f"{PASTEL}/Ada 05.jpg", grounds()).wishes
        one = choices.unpin(second, SLOT, grounds()).wishes
        none = choices.unpin(one, f"model:{PASTEL}", grounds()).wishes
        assert (one.persona, none.persona, none.pins) == ("Ada", None, {})

    def test_a_name_that_says_nobody_pins_its_picture_alone(self) -> None:
        chosen = choices.pin(WISHES, SLOT, NAMELESS, grounds())
        assert (chosen.wishes.persona, chosen.wishes.pins) == (None, {SLOT: NAMELESS})
        assert NAMELESS in model_keys(planned(chosen.wishes), SideName.TONE_ONLY)

    def test_a_picture_that_names_nobody_waits_while_its_group_is_not_in_the_plan(self) -> None:
        def waits(wishes: Wishes) -> tuple[str, ...]:
            return choices.waiting(wishes, models_of(planned(wishes), SideName.TONE_ONLY))

        pinned = choices.pin(WISHES, SLOT, NAMELESS, grounds()).wishes
        pastel = choices.pick_tone(pinned, "pastel", grounds()).wishes
        assert (waits(pinned), waits(pastel)) == ((), (SLOT,))
        assert waits(choices.pick_tone(self.PINNED, "pastel", grounds()).wishes) == ()  # Ada is looked for

    def test_they_come_before_a_name_a_gender_and_an_age_of_the_prompt_and_the_trail_says_so(self) -> None:
        reading = replace(A_PERSON, gender="masculine", age_low=50, age_high=59)
        done = planned(replace(self.PINNED, prompt="Ben in a suit"), reading)
        assert people(done) == {"Ada"}
        (step,) = (step for step in models_of(done, SideName.TONE_ONLY)[0].steps if step.value == "Ada")
        assert step.step == "of Ada, pinned by you, which counts before the prompt’s Ben, masculine, 50–59"
        assert (done.settled.persona and done.settled.persona.source) is WishedFrom.PICKED

    def test_a_prompt_without_people_shows_them_all_the_same(self) -> None:
        assert people(planned(self.PINNED, SILENT)) == {"Ada"}

    def test_one_pin_more_than_a_side_may_have_is_said_in_its_slot(self) -> None:
        keys = [f"{MODEL}/noir {letter}/Ada.jpg" for letter in "abcd"]
        pins = {f"model:{key.rpartition('/')[0]}": key for key in keys}
        done = plan(library(*keys), replace(WISHES, persona="Ada", pins=pins))
        beyond = next(slot for slot in models_of(done, SideName.TONE_ONLY) if not slot.filled)
        assert beyond.id == f"model:{MODEL}/noir d"
        assert beyond.why == "Pinned by you, and beyond the 3 groups that a side may have: switch another off."


class TestTheNewestChoice:
    """What an older choice gives way to is named, and can be taken back."""

    ADA_PINNED = choices.pin(WISHES, SLOT, ADA, grounds()).wishes

    def test_of_two_people_who_are_pinned_the_newest_counts(self) -> None:
        chosen = choices.pin(self.ADA_PINNED, f"model:{NOIR_LOW}", BEN, grounds())
        assert says(chosen) == "You pinned “Ben 01.jpg”: the pinned person Ada gave way."
        assert people(planned(chosen.wishes)) == {"Ben"}

    @pytest.mark.parametrize(
        ("person", "said"),
        [(PersonWish.NO, "You set Person to No: the pinned person Ada gave way."), (PersonWish.YES, "")],
    )
    def test_nobody_counts_before_somebody_who_was_pinned(self, person: PersonWish, said: str) -> None:
        chosen = choices.set_person(self.ADA_PINNED, person, grounds())
        assert says(chosen) == said
        assert (chosen.wishes.persona is None) == (person is PersonWish.NO)
        if chosen.overruled:
            assert choices.take_back(chosen.wishes, chosen.overruled) == self.ADA_PINNED

    def test_a_gender_that_the_labels_deny_lets_the_person_go_and_one_they_grant_does_not(self) -> None:
        man = choices.set_gender(self.ADA_PINNED, Gender.MASCULINE, grounds())
        assert says(man) == "You set Gender to Man: the pinned person Ada gave way."
        woman = choices.set_gender(self.ADA_PINNED, Gender.FEMININE, grounds())
        assert (says(woman), woman.wishes.persona) == ("", "Ada")

    def test_an_age_that_the_labels_deny_lets_the_person_go(self) -> None:
        assert says(choices.set_ages(self.ADA_PINNED, Ages(60, 100), grounds())).endswith(
            "the pinned person Ada gave way."
        )
        assert says(choices.set_ages(self.ADA_PINNED, Ages(25, 34), grounds())) == ""

    def test_what_no_label_says_denies_nothing_and_the_slot_says_that_nothing_fits(self) -> None:
        chosen = choices.set_gender(self.ADA_PINNED, Gender.MASCULINE, grounds(labels=()))
        assert (says(chosen), chosen.wishes.persona) == ("", "Ada")
        (slot,) = models_of(plan(INDEX, chosen.wishes, A_PERSON), SideName.TONE_ONLY)[:1]
        assert slot.key is None

    def test_a_picture_that_denies_the_gender_and_age_that_were_picked_makes_them_give_way(self) -> None:
        wishes = replace(WISHES, gender=Gender.MASCULINE, ages=Ages(60, 100), person=PersonWish.NO)
        chosen = choices.pin(wishes, SLOT, ADA, grounds())
        assert says(chosen) == "You pinned “Ada 01.jpg”: Person: No, Gender: Man and Age: 60–100 gave way."
        assert ADA in model_keys(planned(chosen.wishes), SideName.TONE_ONLY)

    def test_somebody_after_nobody(self) -> None:
        nobody = replace(WISHES, person=PersonWish.NO)
        assert says(choices.set_gender(nobody, Gender.FEMININE, grounds())) == (
            "You set Gender to Woman: Person: No gave way."
        )

    def test_a_tone_makes_a_pinned_tone_picture_of_another_one_give_way(self) -> None:
        chosen = choices.pick_tone(replace(WISHES, pins={"tone": STREET}), "pastel", grounds())
        assert says(chosen) == "You picked Pastel: the pinned “street.jpg” gave way."
        assert tone_of(planned(chosen.wishes), SideName.TONE_ONLY).key == GARDEN

    def test_a_pinned_tone_picture_makes_the_tile_follow(self) -> None:
        chosen = choices.pin(WISHES, "tone", GARDEN, grounds())
        assert (chosen.wishes.tone, says(chosen)) == ("pastel", "You pinned “garden.jpg”: the tone Noir gave way.")

    def test_the_same_for_angles(self) -> None:
        low = replace(WISHES, mode=Mode.COMPARE, angle="low-angle", pins={"angle": STAIRS})
        picked = choices.pick_angle(low, "profile", grounds())
        assert says(picked) == "You picked Profile: the pinned “stairs.jpg” gave way."
        followed = choices.pin(low, "angle", DOOR, grounds())
        assert followed.wishes.angle == "profile"
        assert says(followed) == "You pinned “door.jpg”: the angle Low angle and the pinned “stairs.jpg” gave way."

    def test_a_pinned_tone_picture_counts_before_what_the_prompt_says_later(self) -> None:
        from_prompt = replace(A_PERSON, tone="noir")
        chosen = choices.pin(replace(WISHES, tone=None), "tone", STREET, grounds(from_prompt))
        assert (chosen.wishes.tone, says(chosen)) == (None, "")
        later = planned(chosen.wishes, replace(A_PERSON, tone="pastel"))
        assert tone_of(later, SideName.TONE_ONLY).key == STREET
        assert later.settled.tone is not None
        assert (later.settled.tone.value, later.settled.tone.source) == ("noir", WishedFrom.PICKED)

    def test_a_pin_switches_its_slot_on(self) -> None:
        chosen = choices.pin(replace(WISHES, off=frozenset({"tone"})), "tone", STREET, grounds())
        assert says(chosen) == "You pinned “street.jpg”: the switched-off slot “tone” gave way."

    def test_off_leaves_the_pin_waiting(self) -> None:
        off = choices.switch_off(self.ADA_PINNED, [SLOT], grounds())
        assert (says(off), off.wishes.pins) == ("", {SLOT: ADA})
        assert ADA in model_keys(planned(choices.switch_on(off.wishes, SLOT, grounds()).wishes), SideName.TONE_ONLY)

    def test_a_turn_of_a_pinned_slot_keeps_the_person_and_shows_another_picture(self) -> None:
        index = library(ADA, f"{NOIR}/Ada 04.jpg", f"{NOIR}/Ben 03.jpg")
        chosen = choices.reroll(self.ADA_PINNED, SLOT, grounds())
        assert says(chosen) == "You re-rolled a slot: the pinned “Ada 01.jpg” gave way."
        for seed in range(10):
            done = plan(index, replace(chosen.wishes, seed=seed))
            assert model_keys(done, SideName.TONE_ONLY) == [f"{NOIR}/Ada 04.jpg"]

    def test_shuffle_keeps_pins_and_lets_go_of_all_else(self) -> None:
        wishes = replace(self.ADA_PINNED, held={"tone": STREET}, rerolls={"tone": 2})
        shuffled = choices.shuffle(wishes, 5, grounds()).wishes
        assert (shuffled.seed, shuffled.pins, shuffled.persona) == (5, {SLOT: ADA}, "Ada")
        assert (shuffled.held, shuffled.rerolls) == ({}, {})


class TestUse:
    """Pictures from References go into their slots, and nothing else moves."""

    def test_a_model_picture_leaves_tone_angle_and_the_persons_fields_as_they_are(self) -> None:
        wishes = replace(WISHES, tone="pastel", angle="profile")
        chosen = choices.use(wishes, [picture(ADA)], grounds())
        assert says(chosen) == ""
        assert chosen.wishes == replace(wishes, persona="Ada", pins={SLOT: ADA})
        assert people(planned(chosen.wishes)) == {"Ada"}

    def test_the_folder_follows_a_picture_from_another_one(self) -> None:
        chosen = choices.use(WISHES, [picture("refs/b/01. Model/noir/Ben 09.jpg")], grounds())
        assert chosen.wishes.folder == "refs/b/01. Model"
        assert says(chosen) == "You put in “Ben 09.jpg”: the person folder “refs/01. Model” gave way."

    def test_several_go_in_together(self) -> None:
        chosen = choices.use(WISHES, [picture(key) for key in (ADA, GARDEN, STAIRS)], grounds())
        assert chosen.wishes.pins == {SLOT: ADA, "tone": GARDEN, "angle": STAIRS}
        assert says(chosen) == "You put in “Ada 01.jpg”, “garden.jpg” and “stairs.jpg”: the tone Noir gave way."

    def test_two_for_one_slot_and_two_people_are_asked_about(self) -> None:
        assert choices.clashing([picture(ADA), picture(GARDEN)]) == ()
        tones = (picture(STREET), picture(GARDEN))
        assert choices.clashing([*tones, picture(ADA)]) == (tones,)
        two = (picture(ADA), picture(BEN))
        assert choices.clashing(two) == (two,)
        with pytest.raises(InputError, match="choose one for each"):
            choices.use(WISHES, two, grounds())

    def test_what_cannot_be_injected_is_refused_by_name(self) -> None:
        loose = library(*[f"{MODEL}/loose.jpg"]).references[0]
        with pytest.raises(InputError, match=r"loose\.jpg"):
            choices.use(WISHES, [loose], grounds())


class TestOpening:
    """A record that is opened shows what it drew, as recorded, and pins nothing that was not."""

    INDEX = library(STREET, GARDEN, "refs/02. Tone/noir/bridge.jpg", ADA, f"{NOIR}/Ben 03.jpg", f"{PASTEL}/Ben 05.jpg",
                    f"{PASTEL}/Ada 05.jpg", f"{PASTEL}/Chioma.jpg")  # fmt: skip

    def opened(self, wishes: Wishes = WISHES) -> tuple[Injection, Wishes]:
        made = plan(self.INDEX, wishes)
        return made, choices.as_recorded(wishes, [slot for side in made.sides for slot in side.slots])

    def shown(self, wishes: Wishes) -> list[str | None]:
        done = plan(self.INDEX, wishes, recent=[STREET, ADA])
        return [slot.key for slot in done.side(SideName.TONE_ONLY).slots]

    def test_the_plan_is_what_was_recorded_and_says_so(self) -> None:
        for seed in range(10):
            made, opened = self.opened(replace(WISHES, seed=seed))
            assert opened.pins == {}
            assert self.shown(replace(opened, seed=seed + 1)) == [s.key for s in made.side(SideName.TONE_ONLY).slots]
            assert "as recorded" in tone_of(plan(self.INDEX, opened), SideName.TONE_ONLY).why

    def test_another_tone_lets_go_without_a_word_and_keeps_the_face(self) -> None:
        for seed in range(10):
            made, opened = self.opened(replace(WISHES, seed=seed))
            chosen = choices.pick_tone(opened, "pastel", Grounds(self.INDEX, LabelSet(()), A_PERSON))
            assert chosen.overruled is None
            done = plan(self.INDEX, chosen.wishes)
            assert tone_of(done, SideName.TONE_ONLY).key == GARDEN
            assert people(done) == people(made)

    def test_a_turn_shows_another_picture_than_the_recorded_one(self) -> None:
        for seed in range(10):
            made, opened = self.opened(replace(WISHES, seed=seed))
            turned = choices.reroll(opened, "tone", grounds()).wishes
            assert self.shown(turned)[0] not in (None, tone_of(made, SideName.TONE_ONLY).key)

    def test_a_turn_to_another_person_takes_the_other_slots_along(self) -> None:
        index = library(ADA, f"{NOIR}/Ben 03.jpg", f"{NOIR_LOW}/Ada 02.jpg", BEN)
        made = plan(index, WISHES)
        opened = choices.as_recorded(WISHES, made.sides[0].slots)
        turned = choices.reroll(opened, SLOT, grounds()).wishes
        after = people(plan(index, turned))
        assert len(after) == 1
        assert after != people(made)

    def test_a_pin_stays_a_pin_and_an_old_record_without_a_person_names_theirs_where_all_slots_show_them(self) -> None:
        pinned = replace(WISHES, pins={SLOT: ADA})
        _, opened = self.opened(pinned)
        assert (opened.pins, opened.persona) == ({SLOT: ADA}, "Ada")
        assert SLOT not in opened.held
        index = library(ADA, f"{NOIR_LOW}/Chioma.jpg")
        mixed = plan(index, pinned)
        assert choices.as_recorded(pinned, mixed.sides[0].slots).persona is None


class TestNearMisses:
    """Each changes the one wish that it names, and gives the pictures that it says."""

    @pytest.mark.parametrize(
        ("miss", "changed"),
        [
            (NearMiss(Loosen.TONE, "pastel", 1), {"tone": "pastel"}),
            (NearMiss(Loosen.ANGLE, "profile", 1), {"angle": "profile"}),
            (NearMiss(Loosen.FOLDER, "refs/b/01. Model", 1), {"folder": "refs/b/01. Model"}),
            (NearMiss(Loosen.PERSONA, "Ben", 1), {"persona": "Ben"}),
            (NearMiss(Loosen.GENDER, "feminine", 1), {"gender": Gender.FEMININE}),
            (NearMiss(Loosen.GENDER, ANYTHING, 1), {"gender": None}),
            (NearMiss(Loosen.AGE, "60+", 1), {"ages": Ages(60, 120)}),
            (NearMiss(Loosen.AGE, ANYTHING, 1), {"ages": None}),
            (NearMiss(Loosen.PERSON, "yes", 1), {"person": PersonWish.YES}),
            (NearMiss(Loosen.MODE, "compare", 1), {"mode": Mode.COMPARE}),
            (NearMiss(Loosen.PIN, "tone", 1), {"pins": {}}),
        ],
    )
    def test_exactly_the_one_wish_changes(self, miss: NearMiss, changed: dict[str, object]) -> None:
        wishes = replace(WISHES, gender=Gender.MASCULINE, ages=Ages(30, 39), pins={"tone": STREET})
        if miss.loosen == Loosen.TONE:
            wishes = replace(wishes, pins={})
        assert choices.loosen(wishes, miss, grounds()).wishes == replace(wishes, **changed)  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        "miss", [NearMiss("colour", "red", 1), NearMiss("tone, angle", "x", 1), NearMiss("age", "x", 1)]
    )
    def test_one_that_nobody_knows_is_refused(self, miss: NearMiss) -> None:
        with pytest.raises(InputError, match="change it in the composer"):
            choices.loosen(WISHES, miss, grounds())

    def test_the_angle_that_was_asked_for_comes_last(self) -> None:
        index = library(f"{MODEL}/noir profile/Ada.jpg", f"{MODEL}/pastel low angle/Ada.jpg")
        wishes = replace(WISHES, mode=Mode.TONE_ANGLE, angle="low-angle")
        (slot,) = models_of(plan(index, wishes), SideName.TONE_ANGLE)
        assert [miss.loosen for miss in slot.near] == ["tone", "angle"]

    def test_somebody_is_offered_where_the_prompt_asks_for_nobody(self) -> None:
        (slot,) = models_of(planned(WISHES, SILENT), SideName.TONE_ONLY)
        assert [(miss.loosen, miss.to, miss.pictures) for miss in slot.near] == [("person", "yes", 5)]

    def test_a_pinned_angle_waits_on_the_tone_only_side_with_a_way_out(self) -> None:
        done = planned(replace(WISHES, pins={"angle": STAIRS}))
        slot = next(slot for slot in done.side(SideName.TONE_ONLY).slots if slot.id == "angle")
        assert slot.why.endswith("The picture you pinned waits.")
        assert slot.near == (NearMiss(Loosen.MODE, "compare", 1),)


class TestCandidates:
    """What could stand in a slot, in the order of the draw."""

    PLANNER = Planner(INDEX, LabelSet(LABELS), max_model_references=3)

    def candidates(self, wishes: Wishes, slot_id: str) -> list[str]:
        done = self.PLANNER.plan(wishes, A_PERSON)
        slot = next(slot for side in done.sides for slot in side.slots if slot.id == slot_id)
        return [reference.key for reference in self.PLANNER.candidates(done, slot)]

    def test_the_first_is_what_was_drawn(self) -> None:
        for seed in range(10):
            wishes = replace(WISHES, seed=seed)
            done = self.PLANNER.plan(wishes, A_PERSON)
            for slot in done.side(SideName.TONE_ONLY).filled:
                assert self.candidates(wishes, slot.id)[0] == slot.key

    def test_the_pinned_person_comes_first_and_everybody_else_can_take_their_place(self) -> None:
        for seed in range(10):
            wishes = replace(WISHES, seed=seed, persona="Ben")
            found = self.candidates(wishes, SLOT)
            assert found[0] == f"{NOIR}/Ben 03.jpg"
            assert set(found) == {f"{NOIR}/Ben 03.jpg", ADA, NAMELESS}

    def test_a_slot_that_is_off_has_candidates_and_one_of_no_group_has_none(self) -> None:
        assert self.candidates(replace(WISHES, off=frozenset({"tone"})), "tone") == [STREET]
        assert self.candidates(replace(WISHES, person=PersonWish.NO), "model") == []
        assert self.candidates(replace(WISHES, tone=None), "tone") == []
