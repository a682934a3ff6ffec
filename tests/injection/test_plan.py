"""The plan: what goes into each slot, and why the others stay empty."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import replace
from typing import Literal

import pytest

from core.errors import InjectionError, InputError
from core.injection.plan import Injection, Planner
from core.injection.reading.reader import OfflineReader
from core.injection.request.wishes import SEED_MAX, Ages, Mode, PersonWish, SideName, Wishes
from core.labels.published.label_file import load_published
from core.labels.published.schema import Gender
from core.references.vocabulary import Role
from tests.injection.libraries import (
    A_PERSON,
    ROOT,
    SILENT,
    VOCABULARY,
    angle_of,
    etag_of,
    keys_of,
    label,
    library,
    model_keys,
    models_of,
    plan,
    sample_library,
    stored,
    tone_of,
)

TONE_ONLY, TONE_ANGLE = SideName.TONE_ONLY, SideName.TONE_ANGLE
EYE = "refs/01. Model/a(natural,film) eye-level"
LOW = "refs/01. Model/a(natural,film) low angle"
NOIR_LOW = "refs/01. Model/noir low angle"
STUDIO = (
    f"{EYE}/Ada 01.jpg",
    f"{EYE}/Ben 01.jpg",
    f"{LOW}/Ada 02.jpg",
    f"{LOW}/Ben 02.jpg",
    f"{NOIR_LOW}/Ada 03.jpg",
    "refs/02. Tone/a(natural,film)/meadow.jpg",
    "refs/02. Tone/noir/street.jpg",
    "refs/03. Angle/low angle/stairs.jpg",
    "refs/03. Angle/eye-level/table.jpg",
)
NATURAL_LOW = Wishes(balanced=False, prompt="x", tone="natural-film", angle="low-angle")


def groups_of(injection: Injection, side: SideName) -> list[str | None]:
    return [slot.group for slot in models_of(injection, side) if slot.filled]


class TestModes:
    """The table of the three modes."""

    def test_tone_only_sends_a_tone_no_angle_and_every_model_group_of_the_tone(self) -> None:
        done = plan(library(*STUDIO), replace(NATURAL_LOW, mode=Mode.TONE_ONLY))
        assert [side.side for side in done.sides] == [TONE_ONLY]
        assert tone_of(done, TONE_ONLY).key == "refs/02. Tone/a(natural,film)/meadow.jpg"
        assert angle_of(done, TONE_ONLY).key is None
        assert "Off in this mode" in angle_of(done, TONE_ONLY).why
        assert groups_of(done, TONE_ONLY) == ["a(natural,film) eye-level", "a(natural,film) low angle"]

    def test_tone_and_angle_sends_both_and_only_model_groups_with_both_tags(self) -> None:
        done = plan(library(*STUDIO), replace(NATURAL_LOW, mode=Mode.TONE_ANGLE))
        assert [side.side for side in done.sides] == [TONE_ANGLE]
        assert tone_of(done, TONE_ANGLE).key == "refs/02. Tone/a(natural,film)/meadow.jpg"
        assert angle_of(done, TONE_ANGLE).key == "refs/03. Angle/low angle/stairs.jpg"
        assert groups_of(done, TONE_ANGLE) == ["a(natural,film) low angle"]

    def test_compare_makes_both_sides_as_each_mode_would(self) -> None:
        index = library(*STUDIO)
        both = plan(index, NATURAL_LOW)
        assert [side.side for side in both.sides] == [TONE_ONLY, TONE_ANGLE]
        for mode, side in ((Mode.TONE_ONLY, TONE_ONLY), (Mode.TONE_ANGLE, TONE_ANGLE)):
            alone = plan(index, replace(NATURAL_LOW, mode=mode))
            assert tone_of(alone, side).key == tone_of(both, side).key
            assert angle_of(alone, side).key == angle_of(both, side).key
            assert groups_of(alone, side) == groups_of(both, side)

    def test_a_single_side_has_no_fairness_to_speak_of(self) -> None:
        assert plan(library(*STUDIO), replace(NATURAL_LOW, mode=Mode.TONE_ONLY)).fairness is None

    def test_asking_for_a_side_that_the_mode_does_not_make_is_a_key_error(self) -> None:
        done = plan(library(*STUDIO), replace(NATURAL_LOW, mode=Mode.TONE_ONLY))
        with pytest.raises(KeyError):
            done.side(TONE_ANGLE)

    def test_the_tone_reference_is_the_same_on_both_sides(self) -> None:
        tones = (f"refs/02. Tone/a(natural,film)/{number}.jpg" for number in range(20))
        for seed in range(20):
            done = plan(library(*STUDIO, *tones), replace(NATURAL_LOW, seed=seed))
            assert tone_of(done, TONE_ONLY).key == tone_of(done, TONE_ANGLE).key


class TestNoWish:
    """With nothing wished nothing is guessed."""

    def test_no_tone_leaves_tone_and_models_empty_and_says_why(self) -> None:
        done = plan(library(*STUDIO), Wishes(balanced=False, prompt="x", angle="low-angle"))
        for side in (TONE_ONLY, TONE_ANGLE):
            for slot in (tone_of(done, side), *models_of(done, side)):
                assert slot.key is None
                assert slot.why == "Pick a tone, or let chance pick one."
        assert angle_of(done, TONE_ANGLE).key == "refs/03. Angle/low angle/stairs.jpg"

    def test_no_angle_leaves_the_angle_side_without_angle_and_models(self) -> None:
        done = plan(library(*STUDIO), Wishes(balanced=False, prompt="x", tone="natural-film"))
        for slot in (angle_of(done, TONE_ANGLE), *models_of(done, TONE_ANGLE)):
            assert slot.key is None
            assert slot.why == "Pick an angle, or name one in the prompt."
            assert slot.steps == ()

    def test_no_person_leaves_the_models_empty_and_says_how_to_get_one(self) -> None:
        done = plan(library(*STUDIO), NATURAL_LOW, SILENT)
        assert [slot.why for slot in models_of(done, TONE_ONLY)] == [
            "The prompt asks for no person: set Person to yes to inject one."
        ]
        assert tone_of(done, TONE_ONLY).filled

    def test_a_person_switched_off_by_hand_is_not_read_from_the_prompt(self) -> None:
        done = plan(library(*STUDIO), replace(NATURAL_LOW, prompt="Ada on stairs", person=PersonWish.NO))
        assert [slot.why for slot in models_of(done, TONE_ONLY)] == ["No person: you set it so."]

    def test_a_person_asked_for_by_hand_is_injected_whatever_the_prompt_says(self) -> None:
        done = plan(library(*STUDIO), replace(NATURAL_LOW, person=PersonWish.YES), SILENT)
        assert done.settled.person_from.value == "picked"
        assert model_keys(done, TONE_ONLY)

    def test_a_picked_gender_or_age_asks_for_a_person(self) -> None:
        labels = [label(f"{LOW}/Ben 02.jpg", Gender.MASCULINE, 30)]
        for wishes in (
            replace(NATURAL_LOW, gender=Gender.MASCULINE),
            replace(NATURAL_LOW, ages=Ages(25, 34)),
        ):
            assert model_keys(plan(library(*STUDIO), wishes, SILENT, labels=labels), TONE_ANGLE) == [
                f"{LOW}/Ben 02.jpg"
            ]

    def test_what_is_picked_beats_what_the_prompt_says(self) -> None:
        reading = replace(A_PERSON, tone="noir", angle="eye-level")
        done = plan(library(*STUDIO), Wishes(balanced=False, prompt="x", tone="natural-film"), reading)
        assert (tone_of(done, TONE_ANGLE).wished, tone_of(done, TONE_ANGLE).wished_from) == ("natural-film", "picked")
        assert (angle_of(done, TONE_ANGLE).wished, angle_of(done, TONE_ANGLE).wished_from) == ("eye-level", "prompt")


class TestChance:
    """Chance picks a tone when it is asked to, by the seed."""

    def test_the_tone_drawn_is_one_the_library_has_and_is_marked_as_chance(self) -> None:
        index = library(*STUDIO)
        seen = set()
        for seed in range(40):
            slot = tone_of(plan(index, Wishes(balanced=False, prompt="x", tone_by_chance=True, seed=seed)), TONE_ONLY)
            assert slot.filled
            assert slot.wished_from == "chance"
            seen.add(slot.wished)
        assert seen == {"natural-film", "noir"}

    def test_the_same_seed_draws_the_same_tone(self) -> None:
        wishes = Wishes(balanced=False, prompt="x", tone_by_chance=True, seed=7)
        assert keys_of(plan(library(*STUDIO), wishes)) == keys_of(plan(library(*reversed(STUDIO)), wishes))

    def test_a_tone_in_the_prompt_leaves_nothing_to_chance(self) -> None:
        done = plan(
            library(*STUDIO), Wishes(balanced=False, prompt="x", tone_by_chance=True), replace(A_PERSON, tone="noir")
        )
        assert (tone_of(done, TONE_ONLY).wished, tone_of(done, TONE_ONLY).wished_from) == ("noir", "prompt")

    def test_a_library_without_tones_leaves_chance_nothing_to_draw(self) -> None:
        done = plan(library(f"{EYE}/Ada 01.jpg"), Wishes(balanced=False, prompt="x", tone_by_chance=True))
        assert tone_of(done, TONE_ONLY).key is None


class TestGroups:
    """One reference per group, the first groups in key order, and never one that does not match."""

    def test_each_group_gives_exactly_one_reference(self) -> None:
        keys = [f"refs/01. Model/noir {at}/Ada {number}.jpg" for at in "ab" for number in range(9)]
        chosen = model_keys(plan(library(*keys), Wishes(balanced=False, prompt="x", tone="noir")), TONE_ONLY)
        assert [key.rsplit("/", 1)[0] for key in chosen] == ["refs/01. Model/noir a", "refs/01. Model/noir b"]

    def test_at_most_three_groups_go_in_and_they_are_the_first_in_key_order(self) -> None:
        names = ["noir ㄱ", "noir b", "Noir z", "noir a", "noir +"]
        index = library(*(f"refs/01. Model/{name}/Ada.jpg" for name in names))
        done = plan(index, Wishes(balanced=False, prompt="x", tone="noir"))
        assert groups_of(done, TONE_ONLY) == sorted(names, key=str.encode)[:3]

    @pytest.mark.parametrize("limit", [0, 1, 2, 5])
    def test_the_number_of_groups_is_the_setting(self, limit: int) -> None:
        index = library(*(f"refs/01. Model/noir {name}/Ada.jpg" for name in "abcde"))
        done = plan(index, Wishes(balanced=False, prompt="x", tone="noir"), limit=limit)
        assert len(model_keys(done, TONE_ONLY)) == limit

    def test_no_model_references_allowed_says_which_setting_does_that(self) -> None:
        done = plan(library(*STUDIO), NATURAL_LOW, limit=0)
        assert "MAX_MODEL_REFERENCES" in models_of(done, TONE_ONLY)[0].why

    def test_an_ambiguous_group_is_never_injected_from(self) -> None:
        index = library("refs/01. Model/noir vivid/Ada.jpg", "refs/02. Tone/noir pastel/x.jpg")
        done = plan(index, Wishes(balanced=False, prompt="x", tone="noir"))
        assert keys_of(done) == {TONE_ONLY: [None] * 3, TONE_ANGLE: [None] * 3}

    def test_two_angles_in_one_name_are_as_ambiguous_as_two_tones(self) -> None:
        index = library("refs/01. Model/noir low angle high angle/Ada.jpg")
        assert model_keys(plan(index, Wishes(balanced=False, prompt="x", tone="noir")), TONE_ONLY) == []

    def test_an_untagged_group_is_never_injected_from(self) -> None:
        index = library("refs/01. Model/new/Ada.jpg", "refs/02. Tone/new/x.jpg", "refs/03. Angle/new/y.jpg")
        done = plan(index, Wishes(balanced=False, prompt="x", tone="noir", angle="low-angle"))
        assert {key for keys in keys_of(done).values() for key in keys} == {None}

    def test_a_loose_picture_is_never_injected(self) -> None:
        index = library("refs/01. Model/noir.jpg", "refs/01. Model//Ada.jpg", "refs/02. Tone/noir.jpg")
        done = plan(index, Wishes(balanced=False, prompt="x", tone="noir"))
        assert {key for keys in keys_of(done).values() for key in keys} == {None}

    def test_an_empty_file_is_never_injected(self) -> None:
        index = library(
            stored(f"{NOIR_LOW}/Ada.jpg", size_bytes=0),
            stored("refs/02. Tone/noir/x.jpg", size_bytes=0),
            stored("refs/03. Angle/low angle/y.jpg", size_bytes=0),
        )
        done = plan(index, Wishes(balanced=False, prompt="x", tone="noir", angle="low-angle"))
        assert {key for keys in keys_of(done).values() for key in keys} == {None}

    def test_a_group_of_empty_files_does_not_use_up_a_place(self) -> None:
        empty = stored("refs/01. Model/noir a/Ada.jpg", size_bytes=0)
        index = library(empty, *(f"refs/01. Model/noir {name}/Ada.jpg" for name in "bcd"))
        assert len(model_keys(plan(index, Wishes(balanced=False, prompt="x", tone="noir")), TONE_ONLY)) == 3

    def test_a_tone_folder_inside_a_model_folder_never_gives_a_person(self) -> None:
        index = library("refs/01. Model/noir/Ada.jpg", "refs/01. Model/02. Tone/noir/tree.jpg")
        done = plan(index, Wishes(balanced=False, prompt="x", tone="noir"))
        assert model_keys(done, TONE_ONLY) == ["refs/01. Model/noir/Ada.jpg"]
        assert tone_of(done, TONE_ONLY).key == "refs/01. Model/02. Tone/noir/tree.jpg"

    def test_only_the_chosen_model_folder_gives_models(self) -> None:
        index = library("refs/01. Model/noir/Ada.jpg", "refs/가을/01. Model/noir/Emi.jpg")
        wishes = Wishes(balanced=False, prompt="x", tone="noir", folder="refs/가을/01. Model")
        assert model_keys(plan(index, wishes), TONE_ONLY) == ["refs/가을/01. Model/noir/Emi.jpg"]

    def test_a_folder_typed_in_another_unicode_form_is_found(self) -> None:
        decomposed = unicodedata.normalize("NFD", "refs/가을/01. Model")
        index = library(f"{decomposed}/noir/Emi.jpg")
        assert plan(index, Wishes(balanced=False, prompt="x", folder="refs/가을/01. Model/")).folder == decomposed

    def test_of_twins_that_differ_only_in_unicode_form_the_one_named_exactly_is_taken(self) -> None:
        nfc, nfd = (unicodedata.normalize(form, "refs/가을/01. Model") for form in ("NFC", "NFD"))
        index = library(f"{nfc}/noir/Emi.jpg", f"{nfd}/noir/Ada.jpg")
        assert nfc != nfd
        for folder in (nfc, nfd):
            assert plan(index, Wishes(balanced=False, prompt="x", folder=folder)).folder == folder

    def test_a_folder_that_does_not_exist_is_an_error_that_names_those_that_do(self) -> None:
        with pytest.raises(InjectionError, match=r"refs/01\. Model"):
            plan(library(*STUDIO), Wishes(balanced=False, prompt="x", folder="refs/02. Model"))

    def test_a_library_without_model_folders_still_plans_tone_and_says_how_to_make_one(self) -> None:
        planned = plan(library("refs/02. Tone/noir/x.jpg"), Wishes(balanced=False, prompt="x", tone="noir"), A_PERSON)
        tone, _, model = planned.side(SideName.TONE_ONLY).slots
        assert tone.key == "refs/02. Tone/noir/x.jpg"
        assert model.key is None
        assert "01. Model" in model.why


class TestProject:
    """Tone and angle references come from the designer's project when it has the tag."""

    KEYS = (
        "refs/가을/01. Model/noir low/Emi.jpg",
        "refs/가을/02. Tone/noir/near.jpg",
        "refs/02. Tone/noir/far.jpg",
        "refs/02. Tone/pastel/only here.jpg",
        "refs/가을/03. Angle/low angle/near.jpg",
        "refs/03. Angle/low angle/far.jpg",
        "refs/03. Angle/profile/only here.jpg",
    )
    WISHES = Wishes(balanced=False, prompt="x", folder="refs/가을/01. Model", tone="noir", angle="low-angle")

    def test_the_projects_own_references_come_first_whatever_the_seed(self) -> None:
        for seed in range(30):
            done = plan(library(*self.KEYS), replace(self.WISHES, seed=seed))
            assert tone_of(done, TONE_ANGLE).key == "refs/가을/02. Tone/noir/near.jpg"
            assert angle_of(done, TONE_ANGLE).key == "refs/가을/03. Angle/low angle/near.jpg"

    def test_a_tag_the_project_lacks_comes_from_the_whole_library_and_says_so(self) -> None:
        done = plan(library(*self.KEYS), replace(self.WISHES, tone="pastel", angle="profile"))
        assert tone_of(done, TONE_ANGLE).key == "refs/02. Tone/pastel/only here.jpg"
        assert angle_of(done, TONE_ANGLE).key == "refs/03. Angle/profile/only here.jpg"
        assert "in the whole library" in tone_of(done, TONE_ANGLE).why

    def test_a_project_group_of_empty_files_counts_as_lacking_the_tag(self) -> None:
        empty = stored("refs/가을/02. Tone/noir/near.jpg", size_bytes=0)
        done = plan(library(empty, self.KEYS[0], self.KEYS[2]), self.WISHES)
        assert tone_of(done, TONE_ONLY).key == "refs/02. Tone/noir/far.jpg"

    def test_a_tag_that_is_nowhere_leaves_the_slot_empty_and_lists_what_there_is(self) -> None:
        done = plan(library(*self.KEYS), replace(self.WISHES, tone="neon"))
        slot = tone_of(done, TONE_ONLY)
        assert slot.key is None
        assert slot.why == "No tone group in S3 is tagged neon. The library has noir, pastel."
        assert [(miss.loosen, miss.to, miss.pictures) for miss in slot.near] == [
            ("tone", "noir", 2),
            ("tone", "pastel", 1),
        ]


class TestNarrowing:
    """Gender and age narrow by labels that speak of these very bytes."""

    INDEX = library(f"{LOW}/Ada 02.jpg", f"{LOW}/Ben 02.jpg", f"{LOW}/Cho 02.jpg")
    WISHES = Wishes(prompt="x", mode=Mode.TONE_ANGLE, tone="natural-film", angle="low-angle")

    def keys(self, *labels: object, **wished: object) -> list[str]:
        done = plan(self.INDEX, replace(self.WISHES, **wished), labels=labels)  # type: ignore[arg-type]
        return model_keys(done, TONE_ANGLE)

    def test_only_pictures_labelled_with_the_wished_gender_go_in(self) -> None:
        labels = [label(f"{LOW}/Ada 02.jpg", Gender.FEMININE), label(f"{LOW}/Ben 02.jpg", Gender.MASCULINE)]
        for seed in range(20):
            assert self.keys(*labels, gender=Gender.MASCULINE, seed=seed) == [f"{LOW}/Ben 02.jpg"]
            assert self.keys(*labels, gender=Gender.FEMININE, seed=seed) == [f"{LOW}/Ada 02.jpg"]

    def test_a_missing_label_does_not_count(self) -> None:
        assert self.keys(gender=Gender.MASCULINE) == []

    def test_a_label_without_a_verdict_does_not_count(self) -> None:
        assert self.keys(label(f"{LOW}/Ben 02.jpg", None, None), gender=Gender.MASCULINE) == []

    def test_a_stale_label_does_not_count(self) -> None:
        stale = label(f"{LOW}/Ben 02.jpg", Gender.MASCULINE, 30, etag="what it was before")
        assert self.keys(stale, gender=Gender.MASCULINE) == []
        assert self.keys(stale, ages=Ages(25, 34)) == []

    def test_a_moved_picture_keeps_its_label(self) -> None:
        moved = label("refs/01. Model/elsewhere/B.jpg", Gender.MASCULINE, 30, etag=etag_of(f"{LOW}/Ben 02.jpg"))
        assert self.keys(moved, gender=Gender.MASCULINE, ages=Ages(25, 34)) == [f"{LOW}/Ben 02.jpg"]

    def test_the_middle_of_the_labelled_years_decides(self) -> None:
        labels = [label(f"{LOW}/{name} 02.jpg", None, age) for name, age in (("Ada", 24), ("Ben", 25), ("Cho", 35))]
        for seed in range(20):
            assert self.keys(*labels, ages=Ages(25, 34), seed=seed) == [f"{LOW}/Ben 02.jpg"]

    @pytest.mark.parametrize(("low", "high"), [(34, 25), (-1, 5), (0, 121)])
    def test_ages_that_are_no_range_are_refused(self, low: int, high: int) -> None:
        with pytest.raises(InputError, match="age range"):
            Ages(low, high)

    def test_what_nothing_satisfies_leaves_the_slot_empty_and_names_the_one_wish_to_loosen(self) -> None:
        labels = [label(f"{LOW}/Ada 02.jpg", Gender.FEMININE, 30), label(f"{LOW}/Ben 02.jpg", Gender.MASCULINE, 70)]
        done = plan(self.INDEX, replace(self.WISHES, gender=Gender.MASCULINE, ages=Ages(25, 34)), labels=labels)
        (slot,) = models_of(done, TONE_ANGLE)
        assert slot.key is None
        assert [(miss.loosen, miss.to, miss.pictures) for miss in slot.near] == [
            ("gender", "feminine", 1),
            ("age", "60+", 1),
        ]
        asked = "tagged natural-film, tagged low-angle, labelled masculine, labelled 25–34 years"
        assert slot.why == f"Nothing in “refs/01. Model” is {asked}."

    def test_another_folder_where_every_wish_holds_is_named_first(self) -> None:
        index = library(f"{LOW}/Ada 02.jpg", "refs/z/01. Model/noir low/Emi.jpg", "refs/z/01. Model/noir low/Emi 2.jpg")
        done = plan(index, replace(self.WISHES, tone="noir"))
        (slot,) = models_of(done, TONE_ANGLE)
        assert slot.key is None
        assert (slot.near[0].loosen, slot.near[0].to, slot.near[0].pictures) == ("folder", "refs/z/01. Model", 2)
        assert (slot.near[1].loosen, slot.near[1].to) == ("tone", "natural-film")

    def test_loosening_as_told_fills_the_slot(self) -> None:
        index = library(f"{LOW}/Ada 02.jpg", "refs/01. Model/noir eye-level/Ben.jpg")
        empty = models_of(plan(index, replace(self.WISHES, tone="noir")), TONE_ANGLE)[0]
        for miss in empty.near:
            loosened = replace(self.WISHES, **{"tone": "noir", miss.loosen: miss.to})
            assert len(model_keys(plan(index, loosened), TONE_ANGLE)) == miss.pictures

    def test_a_near_miss_is_never_a_picture_that_must_not_be_injected(self) -> None:
        index = library("refs/01. Model/noir vivid/Ada.jpg", stored("refs/01. Model/pastel/Ada.jpg", size_bytes=0))
        (slot,) = models_of(plan(index, Wishes(prompt="x", mode=Mode.TONE_ONLY, tone="noir")), TONE_ONLY)
        assert slot.near == ()


@pytest.fixture(scope="module")
def shipped() -> Planner:
    return Planner(sample_library(), load_published(ROOT / "labels" / "personas.jsonl"), max_model_references=3)


class TestSampleLibrary:
    """The library that is shipped, with the labels that are shipped."""

    TRUTH = json.loads((ROOT / "samples" / "ground_truth.json").read_text(encoding="utf-8"))

    @pytest.mark.parametrize(
        ("prompt", "other"),
        [
            ("30대 남자가 창가에 서 있다", "feminine"),
            ("카페에 앉아 있는 남성", "feminine"),
            ("할아버지가 벤치에 앉아 있다", "feminine"),
            ("20대 여자가 웃고 있다", "masculine"),
            ("할머니의 초상", "masculine"),
        ],
    )
    @pytest.mark.parametrize("folder", ["refs/01. Model", "refs/2026 가을 캠페인/01. Model"])
    def test_a_person_asked_for_in_korean_never_gets_a_picture_of_the_other_gender(
        self, shipped: Planner, prompt: str, other: str, folder: str
    ) -> None:
        reading = OfflineReader(VOCABULARY).read(prompt)
        assert reading.gender not in (None, other)
        for tone in VOCABULARY.tones:
            for angle in VOCABULARY.angles:
                wishes = Wishes(
                    balanced=False, prompt=prompt, tone=tone.id, angle=angle.id, folder=folder, seed=len(tone.id)
                )
                done = shipped.plan(wishes, reading)
                keys = {
                    slot.key for side in done.sides for slot in side.slots if slot.key and slot.role is not Role.TONE
                }
                assert {self.TRUTH[key]["presentation"] for key in keys} <= {reading.gender}


class TestPersonas:
    """A person who is named is the person who goes in."""

    def test_a_persona_named_in_the_prompt_is_the_one_injected(self) -> None:
        for seed in range(20):
            done = plan(library(*STUDIO), replace(NATURAL_LOW, prompt="Ben in a suit", seed=seed), SILENT)
            assert model_keys(done, TONE_ONLY) == [f"{EYE}/Ben 01.jpg", f"{LOW}/Ben 02.jpg"]
            assert model_keys(done, TONE_ANGLE) == [f"{LOW}/Ben 02.jpg"]

    def test_a_word_in_lower_case_names_nobody(self) -> None:
        index = library(f"{EYE}/May 01.jpg", f"{EYE}/Ada 01.jpg")
        done = plan(index, Wishes(balanced=False, prompt="it may rain", tone="natural-film"), SILENT)
        assert done.settled.persona is None
        assert model_keys(done, TONE_ONLY) == []

    @pytest.mark.parametrize(
        "prompt", ["Big Ben at dusk", "Ben & Jerry's in a bowl", "coffee by Ben", "a street, no Ben"]
    )
    def test_a_name_that_belongs_to_something_else_injects_nobody(self, prompt: str) -> None:
        done = plan(library(*STUDIO), replace(NATURAL_LOW, prompt=prompt), SILENT)
        assert (done.settled.persona, done.settled.person) == (None, False)
        assert model_keys(done, TONE_ONLY) == []

    def test_a_name_that_is_a_word_too_is_a_person_only_beside_one(self) -> None:
        index = library(f"{EYE}/Rose 01.jpg", f"{EYE}/Ada 01.jpg")
        on_a_table = Wishes(balanced=False, prompt="Rose on a table", tone="natural-film")
        assert plan(index, on_a_table, SILENT).settled.persona is None
        picked = plan(index, replace(on_a_table, person=PersonWish.YES), SILENT).settled.persona
        assert picked is not None
        assert picked.value == "Rose"

    @pytest.mark.parametrize("prompt", ["Benjamin in a suit", "a Benny", "BEN"])
    def test_a_part_of_a_word_names_nobody(self, prompt: str) -> None:
        assert plan(library(*STUDIO), replace(NATURAL_LOW, prompt=prompt), SILENT).settled.persona is None

    @pytest.mark.parametrize("prompt", ["아라야가 웃는다", "창가의 아라야", "아라야와 고양이", "아라야, 미소"])
    @pytest.mark.parametrize("typed", ["NFC", "NFD"])
    @pytest.mark.parametrize("named", ["NFC", "NFD"])
    def test_a_korean_name_is_found_before_its_particle_in_either_unicode_form(
        self, prompt: str, named: Literal["NFC", "NFD"], typed: Literal["NFC", "NFD"]
    ) -> None:
        key = unicodedata.normalize(named, f"{EYE}/아라야 01.jpg")
        wishes = Wishes(balanced=False, prompt=unicodedata.normalize(typed, prompt), tone="natural-film")
        done = plan(library(key, f"{EYE}/Ada 01.jpg"), wishes, SILENT)
        assert model_keys(done, TONE_ONLY) == [key]

    def test_the_longer_of_two_names_is_meant(self) -> None:
        index = library(f"{EYE}/Ann 01.jpg", f"{EYE}/Ann Lee 01.jpg")
        done = plan(index, Wishes(balanced=False, prompt="Ann Lee at sea", tone="natural-film"), SILENT)
        assert model_keys(done, TONE_ONLY) == [f"{EYE}/Ann Lee 01.jpg"]

    def test_of_two_people_named_neither_is_taken_for_the_other(self) -> None:
        done = plan(library(*STUDIO), replace(NATURAL_LOW, prompt="Ada and Ben at sea"))
        assert done.settled.persona is None

    def test_a_named_person_without_a_matching_picture_leaves_the_slot_empty(self) -> None:
        done = plan(library(*STUDIO), Wishes(prompt="Ben in a suit", mode=Mode.TONE_ONLY, tone="noir"), SILENT)
        (slot,) = models_of(done, TONE_ONLY)
        assert slot.key is None
        assert {miss.loosen for miss in slot.near} == {"tone", "persona"}

    def test_a_person_who_stands_only_in_another_folder_is_never_replaced_by_somebody_else(self) -> None:
        index = library(*STUDIO, "refs/가을/01. Model/noir/Emi.jpg")
        wishes = Wishes(prompt="Ben in a suit", mode=Mode.TONE_ONLY, tone="noir", folder="refs/가을/01. Model")
        (slot,) = models_of(plan(index, wishes, SILENT), TONE_ONLY)
        assert slot.key is None
        assert slot.wished == "noir + Ben"

    def test_the_same_person_stands_in_every_slot_that_has_them(self) -> None:
        index = library(*STUDIO, f"{EYE}/Cho.jpg", f"{LOW}/Dae.jpg")
        for seed in range(40):
            done = plan(index, replace(NATURAL_LOW, seed=seed))
            people = {slot.persona for side in done.sides for slot in models_of(done, side.side) if slot.filled}
            assert people in ({"Ada"}, {"Ben"})

    def test_a_person_on_both_sides_is_preferred_to_one_in_more_groups_of_one_side(self) -> None:
        index = library(
            "refs/01. Model/noir eye-level 1/Ada.jpg",
            "refs/01. Model/noir eye-level 2/Ada.jpg",
            "refs/01. Model/noir eye-level 2/Ben.jpg",
            "refs/01. Model/noir low angle/Ben.jpg",
        )
        for seed in range(20):
            done = plan(index, Wishes(balanced=False, prompt="x", tone="noir", angle="low-angle", seed=seed))
            assert model_keys(done, TONE_ANGLE) == ["refs/01. Model/noir low angle/Ben.jpg"]
            assert "refs/01. Model/noir eye-level 2/Ben.jpg" in model_keys(done, TONE_ONLY)

    def test_names_that_differ_only_in_case_or_number_are_one_person(self) -> None:
        index = library(f"{EYE}/ada (2).jpg", f"{EYE}/Ben.jpg", f"{LOW}/ADA 05.png")
        for seed in range(20):
            assert model_keys(plan(index, replace(NATURAL_LOW, seed=seed)), TONE_ONLY) == [
                f"{EYE}/ada (2).jpg",
                f"{LOW}/ADA 05.png",
            ]

    def test_a_group_without_that_person_gives_somebody_else_and_says_so(self) -> None:
        index = library(f"{EYE}/Ada 1.jpg", f"{LOW}/Ada 2.jpg", "refs/01. Model/film profile/Ben.jpg")
        done = plan(index, Wishes(prompt="x", tone="natural-film", mode=Mode.TONE_ONLY))
        why = {slot.key: slot.why for slot in models_of(done, TONE_ONLY)}
        assert "no picture of Ada here" in why["refs/01. Model/film profile/Ben.jpg"]

    def test_pictures_whose_names_say_nobody_are_still_used(self) -> None:
        done = plan(library(f"{EYE}/01.jpg", f"{EYE}/02.jpg"), Wishes(balanced=False, prompt="x", tone="natural-film"))
        assert len(model_keys(done, TONE_ONLY)) == 1


class TestRecent:
    """Nobody is given the same picture twice in a row when there is another."""

    def test_what_was_given_last_time_is_not_given_again_while_there_is_something_else(self) -> None:
        keys = [f"refs/01. Model/noir/Ada {number}.jpg" for number in range(3)]
        index = library(*keys, "refs/02. Tone/noir/1.jpg", "refs/02. Tone/noir/2.jpg")
        for seed in range(20):
            wishes = Wishes(prompt="x", mode=Mode.TONE_ONLY, tone="noir", seed=seed)
            first = [key for key in keys_of(plan(index, wishes))[TONE_ONLY] if key]
            again = [key for key in keys_of(plan(index, wishes, recent=first))[TONE_ONLY] if key]
            assert len(first) == len(again) == 2
            assert not set(first) & set(again)

    def test_the_last_choice_is_given_again_when_it_is_the_only_one(self) -> None:
        index = library("refs/01. Model/noir/Ada.jpg", "refs/02. Tone/noir/1.jpg")
        wishes = Wishes(prompt="x", mode=Mode.TONE_ONLY, tone="noir")
        assert keys_of(plan(index, wishes)) == keys_of(plan(index, wishes, recent=[r.key for r in index.references]))

    def test_the_person_comes_before_the_picture_not_given_last_time(self) -> None:
        index = library(f"{EYE}/Ada 01.jpg", f"{LOW}/Ada 02.jpg", f"{LOW}/Ben 02.jpg")
        done = plan(index, NATURAL_LOW, recent=[f"{LOW}/Ada 02.jpg"])
        assert model_keys(done, TONE_ANGLE) == [f"{LOW}/Ada 02.jpg"]

    def test_a_person_given_last_time_makes_way_for_one_as_well_covered(self) -> None:
        recent = [f"{EYE}/Ada 01.jpg", f"{LOW}/Ada 02.jpg"]
        for seed in range(20):
            done = plan(library(*STUDIO), replace(NATURAL_LOW, seed=seed), recent=recent)
            assert model_keys(done, TONE_ANGLE) == [f"{LOW}/Ben 02.jpg"]


class TestPins:
    """A pinned picture stays as long as it matches."""

    INDEX = library(*STUDIO)
    SLOT = f"model:{LOW}"

    def test_a_pinned_picture_goes_in_whatever_the_seed_on_both_sides(self) -> None:
        for seed in range(20):
            done = plan(self.INDEX, replace(NATURAL_LOW, seed=seed, pins={self.SLOT: f"{LOW}/Ben 02.jpg"}))
            assert f"{LOW}/Ben 02.jpg" in model_keys(done, TONE_ONLY)
            assert model_keys(done, TONE_ANGLE) == [f"{LOW}/Ben 02.jpg"]
            assert next(slot for slot in models_of(done, TONE_ANGLE) if slot.filled).pinned

    def test_everybody_else_follows_the_pinned_person(self) -> None:
        for seed in range(20):
            done = plan(self.INDEX, replace(NATURAL_LOW, seed=seed, pins={self.SLOT: f"{LOW}/Ben 02.jpg"}))
            assert model_keys(done, TONE_ONLY) == [f"{EYE}/Ben 01.jpg", f"{LOW}/Ben 02.jpg"]

    def test_a_pin_that_no_longer_matches_empties_the_slot_and_says_so(self) -> None:
        labels = [label(f"{LOW}/Ada 02.jpg", Gender.FEMININE), label(f"{LOW}/Ben 02.jpg", Gender.MASCULINE)]
        wishes = replace(NATURAL_LOW, gender=Gender.FEMININE, pins={self.SLOT: f"{LOW}/Ben 02.jpg"})
        slot = models_of(plan(self.INDEX, wishes, labels=labels), TONE_ANGLE)[0]
        assert (slot.id, slot.key) == (self.SLOT, None)
        assert "pinned" in slot.why
        assert slot.steps[-1].left == 0

    def test_a_pin_whose_group_has_nothing_left_is_not_passed_over_in_silence(self) -> None:
        labels = [label(f"{EYE}/Ada 01.jpg", Gender.FEMININE)]
        wishes = replace(NATURAL_LOW, gender=Gender.FEMININE, pins={self.SLOT: f"{LOW}/Ben 02.jpg"})
        done = plan(self.INDEX, wishes, labels=labels)
        assert model_keys(done, TONE_ONLY) == [f"{EYE}/Ada 01.jpg"]
        for side in (TONE_ONLY, TONE_ANGLE):
            (slot,) = (slot for slot in models_of(done, side) if slot.id == self.SLOT)
            assert slot.key is None
            assert "pinned" in slot.why

    def test_a_pinned_group_keeps_its_place_when_groups_before_it_appear(self) -> None:
        names = ["noir a", "noir b", "noir c", "noir d"]
        index = library(*(f"refs/01. Model/{name}/Ada.jpg" for name in names))
        pins = {"model:refs/01. Model/noir d": "refs/01. Model/noir d/Ada.jpg"}
        done = plan(index, Wishes(prompt="x", tone="noir", mode=Mode.TONE_ONLY, pins=pins))
        assert groups_of(done, TONE_ONLY) == ["noir a", "noir b", "noir d"]

    @pytest.mark.parametrize(("slot_id", "key"), [("tone", "refs/02. Tone/noir/street.jpg"), ("angle", "gone.jpg")])
    def test_a_pinned_tone_or_angle_without_the_tag_leaves_the_slot_empty(self, slot_id: str, key: str) -> None:
        done = plan(self.INDEX, replace(NATURAL_LOW, pins={slot_id: key}))
        (slot,) = (slot for slot in done.side(TONE_ANGLE).slots if slot.id == slot_id)
        assert slot.key is None
        assert "unpin it" in slot.why
        assert slot.steps[-1].left == 0

    def test_a_pinned_tone_may_come_from_outside_the_project(self) -> None:
        far = "refs/02. Tone/noir/far.jpg"
        wishes = replace(TestProject.WISHES, pins={"tone": far})
        assert tone_of(plan(library(*TestProject.KEYS), wishes), TONE_ONLY).key == far

    def test_a_pinned_angle_reference_never_shows_the_other_gender(self) -> None:
        woman = "refs/03. Angle/low angle/Ada.jpg"
        index = library(*STUDIO, woman)
        wishes = replace(NATURAL_LOW, gender=Gender.MASCULINE, pins={"angle": woman})
        slot = angle_of(plan(index, wishes, labels=[label(woman, Gender.FEMININE)]), TONE_ANGLE)
        assert slot.key is None

    def test_recent_pictures_and_rerolls_do_not_move_a_pin(self) -> None:
        key = f"{LOW}/Ben 02.jpg"
        wishes = replace(NATURAL_LOW, pins={self.SLOT: key}, rerolls={self.SLOT: 3})
        assert model_keys(plan(self.INDEX, wishes, recent=[key]), TONE_ANGLE) == [key]


class TestRerolls:
    """Every turn gives another picture while there is another."""

    @pytest.mark.parametrize("seed", range(8))
    def test_each_turn_of_a_tone_gives_another_picture_until_all_were_shown(self, seed: int) -> None:
        index = library(*STUDIO, *(f"refs/02. Tone/noir/{number}.jpg" for number in range(3)))
        shown = [
            tone_of(
                plan(index, Wishes(balanced=False, prompt="x", tone="noir", seed=seed, rerolls={"tone": turn})),
                TONE_ONLY,
            ).key
            for turn in range(5)
        ]
        assert len(set(shown[:4])) == 4
        assert shown[4] == shown[0]

    @pytest.mark.parametrize("seed", range(8))
    def test_each_turn_of_a_model_gives_another_picture_and_both_sides_show_it(self, seed: int) -> None:
        index, slot_id = library(*STUDIO, f"{LOW}/Ada 07.jpg", f"{LOW}/Cho.jpg"), f"model:{LOW}"
        shown = []
        for turn in range(5):
            done = plan(index, replace(NATURAL_LOW, seed=seed, rerolls={slot_id: turn}))
            (key,) = model_keys(done, TONE_ANGLE)
            assert key in model_keys(done, TONE_ONLY)
            shown.append(key)
        assert len(set(shown[:4])) == 4
        assert shown[4] == shown[0]

    @pytest.mark.parametrize("seed", range(8))
    def test_the_other_slots_follow_the_person_a_turn_led_to(self, seed: int) -> None:
        for balanced in (False, True):
            wishes = replace(NATURAL_LOW, seed=seed, rerolls={f"model:{LOW}": 1}, balanced=balanced)
            done = plan(library(*STUDIO), wishes)
            people = {slot.persona for side in done.sides for slot in models_of(done, side.side) if slot.filled}
            assert len(people) == 1
            assert done.fairness is not None
            assert done.fairness.controlled is balanced  # alone, tone only shows the wished angle, too

    @pytest.mark.parametrize("seed", range(8))
    def test_a_turn_shows_another_picture_whichever_slots_were_turned_before(self, seed: int) -> None:
        index = library(*STUDIO, f"{EYE}/Cho 01.jpg", "refs/01. Model/film profile/Ben 09.jpg")
        slots = [f"model:{EYE}", f"model:{LOW}"]

        def shown(rerolls: dict[str, int]) -> dict[str, str | None]:
            done = plan(index, replace(NATURAL_LOW, mode=Mode.TONE_ONLY, seed=seed, rerolls=rerolls))
            return {slot.id: slot.key for slot in models_of(done, TONE_ONLY)}

        for first in range(4):
            for second in range(4):
                rerolls = dict(zip(slots, (first, second), strict=True))
                for slot_id in slots:
                    assert shown(rerolls)[slot_id] != shown({**rerolls, slot_id: rerolls[slot_id] + 1})[slot_id]

    def test_a_turn_without_a_choice_shows_the_same_picture(self) -> None:
        done = plan(library(*STUDIO), Wishes(balanced=False, prompt="x", tone="noir", rerolls={f"model:{NOIR_LOW}": 4}))
        assert model_keys(done, TONE_ONLY) == [f"{NOIR_LOW}/Ada 03.jpg"]


class TestOff:
    """A slot that is switched off is empty, and the rest stays."""

    @pytest.mark.parametrize("slot_id", ["tone", "angle", f"model:{LOW}"])
    def test_a_slot_switched_off_is_empty_and_says_so_and_the_others_stay(self, slot_id: str) -> None:
        index = library(*STUDIO)
        done, before = plan(index, replace(NATURAL_LOW, off=frozenset({slot_id}))), plan(index, NATURAL_LOW)
        for side in (TONE_ONLY, TONE_ANGLE):
            for slot, was in zip(done.side(side).slots, before.side(side).slots, strict=True):
                if was.id == slot_id and was.filled:
                    assert (slot.key, slot.why) == (None, "Switched off by you.")
                else:
                    assert slot.key == was.key

    def test_a_slot_that_is_off_has_no_say_in_who_leads(self) -> None:
        slot_id = f"model:{EYE}"
        wishes = replace(NATURAL_LOW, off=frozenset({slot_id}), pins={slot_id: f"{EYE}/Ben 01.jpg"})
        index = library(*STUDIO)
        seen = {model_keys(plan(index, replace(wishes, seed=seed)), TONE_ANGLE)[0] for seed in range(30)}
        assert seen == {f"{LOW}/Ada 02.jpg", f"{LOW}/Ben 02.jpg"}


class TestTrail:
    """A slot says how it came about, step by step."""

    def test_a_filled_slot_ends_with_one_and_never_grows_on_the_way(self) -> None:
        labels = [label(f"{LOW}/Ben 02.jpg", Gender.MASCULINE, 30)]
        for wishes in (
            NATURAL_LOW,
            replace(NATURAL_LOW, rerolls={f"model:{LOW}": 1, "tone": 2}),
            replace(NATURAL_LOW, pins={f"model:{LOW}": f"{LOW}/Ben 02.jpg"}),
            replace(NATURAL_LOW, gender=Gender.MASCULINE, ages=Ages(20, 40)),
        ):
            done = plan(library(*STUDIO), wishes, labels=labels, recent=[f"{LOW}/Ada 02.jpg"])
            for side in done.sides:
                for slot in side.filled:
                    left = [step.left for step in slot.steps]
                    assert left[-1] == 1
                    assert left == sorted(left, reverse=True)

    def test_an_empty_slot_ends_with_nothing_or_says_why_without_counting(self) -> None:
        for wishes in (
            replace(NATURAL_LOW, tone="neon"),
            replace(NATURAL_LOW, angle="overhead"),
            replace(NATURAL_LOW, gender=Gender.MASCULINE),
            replace(NATURAL_LOW, ages=Ages(0, 3)),
            Wishes(balanced=False, prompt="x"),
        ):
            done = plan(library(*STUDIO), wishes)
            for side in done.sides:
                for slot in side.slots:
                    if not slot.filled:
                        assert slot.why
                        assert not slot.steps or slot.steps[-1].left == 0

    def test_the_trail_names_wish_source_matching_groups_rule_and_seed(self) -> None:
        done = plan(library(*STUDIO), replace(NATURAL_LOW, seed=41))
        slot = models_of(done, TONE_ANGLE)[1]
        assert (slot.wished, slot.wished_from) == ("natural-film + low-angle", "picked")
        assert [(step.step, step.left) for step in slot.steps] == [
            ("in the group “a(natural,film) low angle”", 2),
            ("tagged natural-film", 2),
            ("tagged low-angle", 2),
            (f"same person in every slot that has them: {slot.persona}", 1),
            ("drawn with seed 41", 1),
        ]

    def test_what_was_wished_by_hand_and_by_prompt_is_told_apart(self) -> None:
        reading = replace(A_PERSON, tone="natural-film")
        done = plan(library(*STUDIO), Wishes(balanced=False, prompt="x", angle="low-angle"), reading)
        assert models_of(done, TONE_ANGLE)[0].wished_from == "prompt, picked"

    def test_a_group_of_the_other_side_is_shown_as_left_out_with_its_angle(self) -> None:
        done = plan(library(*STUDIO), NATURAL_LOW)
        assert len(models_of(done, TONE_ONLY)) == len(models_of(done, TONE_ANGLE)) == 2
        left_out = models_of(done, TONE_ANGLE)[0]
        assert [slot.id for slot in models_of(done, TONE_ONLY)] == [slot.id for slot in models_of(done, TONE_ANGLE)]
        assert (left_out.group, left_out.key) == ("a(natural,film) eye-level", None)
        assert left_out.why == "Left out: its angle is eye-level, you asked for low-angle."


class TestDeterminism:
    """The same in gives the same out."""

    @pytest.mark.parametrize("seed", [0, 1, SEED_MAX])
    def test_the_order_of_the_listing_changes_nothing(self, seed: int) -> None:
        wishes = replace(NATURAL_LOW, seed=seed)
        one, other = plan(library(*STUDIO), wishes), plan(library(*reversed(STUDIO)), wishes)
        assert one == other

    def test_seeds_reach_every_candidate(self) -> None:
        index = library(*(f"refs/01. Model/noir/{name} 1.jpg" for name in ("Ada", "Ben", "Cho", "Dae")))
        wishes = Wishes(prompt="x", mode=Mode.TONE_ONLY, tone="noir")
        seen = {model_keys(plan(index, replace(wishes, seed=seed)), TONE_ONLY)[0] for seed in range(100)}
        assert len(seen) == 4
