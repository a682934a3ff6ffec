"""A designer at work: whatever is chosen and in whatever order, no choice is dropped without a word."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from core.errors import InputError
from core.injection import choices
from core.injection.choices import Chosen, Grounds, explicit
from core.injection.plan import Injection, Planner
from core.injection.request.slots import Slot
from core.injection.request.wishes import Ages, Mode, PersonWish, Varies, Wishes
from core.labels.published.label_file import LabelSet
from core.labels.published.schema import Gender
from core.references.index import build_index
from core.references.key import fold, persona_of
from core.references.reference import Reference
from core.references.vocabulary import Role
from tests.injection.libraries import VOCABULARY, keys_of, models_of
from tests.injection.oracle import LIMIT, Case, Oracle, Picture, some_case
from tests.injection.retrace import Retrace
from tests.injection.test_balance_at_random import balance_problems

CASES = int(os.environ.get("STUDIO_PLAN_CASES", "5000"))
randoms = st.integers(0, 9999).map(random.Random)  # of one number each: a failure is made small quickly


class DesignerAtWork(RuleBasedStateMachine):
    """One library; what is asked for changes act by act."""

    planned: tuple[tuple[Wishes, frozenset[str]], Injection] | None = None

    @initialize(rng=randoms, has_nameless=st.booleans())
    def a_draft_begins(self, rng: random.Random, has_nameless: bool) -> None:
        case = some_case(rng)
        pictures = list(case.pictures)
        if has_nameless:
            pictures = [_unnamed(p) if rng.random() < 0.3 else p for p in pictures]
        self.case = replace(case, pictures=tuple({p.key: p for p in pictures}.values()))
        self.has_nameless = has_nameless
        self.index = build_index(sorted(self.case.rows, key=lambda row: row.key.encode()), VOCABULARY)
        self.grounds = Grounds(self.index, LabelSet(case.labels), case.reading)
        self.wishes = replace(case.wishes, folder=case.wishes.folder or self.index.model_folder(None).path)
        self.listed = [ref for ref in self.index.references if ref.group is not None and ref.problem is None]

    # What is done by hand

    @rule(tone=st.sampled_from([None, "noir", "noir", "natural-film", "pastel", "beauty"]))
    def a_tone_is_picked(self, tone: str | None) -> None:
        self.do(choices.pick_tone(self.wishes, tone, self.grounds), {"tone"})

    @rule(angle=st.sampled_from([None, "low-angle", "low-angle", "profile", "overhead"]))
    def an_angle_is_picked(self, angle: str | None) -> None:
        self.do(choices.pick_angle(self.wishes, angle, self.grounds), {"angle"})

    @rule(person=st.sampled_from([*PersonWish]))
    def a_person_is_asked_for_or_not(self, person: PersonWish) -> None:
        self.do(choices.set_person(self.wishes, person, self.grounds), {"person"})

    @rule(gender=st.sampled_from([None, *Gender]))
    def a_gender_is_picked(self, gender: Gender | None) -> None:
        self.do(choices.set_gender(self.wishes, gender, self.grounds), {"gender"})

    @rule(ages=st.sampled_from([None, Ages(18, 24), Ages(25, 34), Ages(60, 100)]))
    def an_age_is_picked(self, ages: Ages | None) -> None:
        self.do(choices.set_ages(self.wishes, ages, self.grounds), {"age"})

    @rule(rng=randoms)
    def another_folder_is_chosen(self, rng: random.Random) -> None:
        folder = rng.choice(self.index.folders_of(Role.MODEL)).path
        self.do(choices.set_folder(self.wishes, folder, self.grounds), {"folder"})

    @rule(mode=st.sampled_from([*Mode]))
    def another_mode_is_chosen(self, mode: Mode) -> None:
        self.do(choices.set_mode(self.wishes, mode, self.grounds))

    @rule(balanced=st.booleans())
    def the_balance_is_chosen(self, balanced: bool) -> None:
        self.do(choices.set_balanced(self.wishes, balanced, self.grounds), {"balanced"})

    @rule(varies=st.sampled_from([Varies.ANGLE, *Varies]))
    def another_factor_is_chosen(self, varies: Varies) -> None:
        self.do(choices.set_varies(self.wishes, varies, self.grounds), {"varies"})
        assert varies is not Varies.STRENGTH or len(self.wishes.strengths_b) == 1

    @rule(rng=randoms)
    def a_difference_is_mended(self, rng: random.Random) -> None:
        fairness = self.plan().fairness
        mends = [each for each in fairness.differences if each.mend] if fairness else []
        if mends:
            difference = rng.choice(mends)
            assert difference.mend is not None
            own = {"balanced", *(f"off {slot_id}" for slot_id in difference.mend.slots)}
            self.do(choices.mend(self.wishes, difference.mend, self.grounds), own)
            after = self.plan().fairness
            assert after is not None
            assert difference.what not in {each.what for each in after.differences}

    @rule(rng=randoms)
    def several_fields_are_changed_before_anybody_looks(self, rng: random.Random) -> None:
        now = replace(
            self.wishes,
            tone=rng.choice([self.wishes.tone, "noir", "pastel"]),
            person=rng.choice([self.wishes.person, PersonWish.NO]),
            gender=rng.choice([self.wishes.gender, Gender.FEMININE, Gender.MASCULINE]),
        )
        own = {"tone", "person", "gender"} & set(choices.changed(self.wishes, now))
        chosen = choices.made(self.wishes, now, self.grounds)
        self.do(chosen, own | ({"person", "gender"} if chosen.overruled else set()))  # they may overrule each other

    @rule(prompt=st.sampled_from(["a quiet street", "Ben in a suit", "아라야가 웃는다", "Ada and Ben"]))
    def the_prompt_is_written_anew(self, prompt: str) -> None:
        self.wishes = replace(self.wishes, prompt=prompt)

    # What is done in a slot

    @rule(rng=randoms)
    def a_candidate_is_pinned(self, rng: random.Random) -> None:
        slot = rng.choice(self.slots())
        offered = self.planner().candidates(self.plan(), slot)
        if offered:
            picked = rng.choice(offered)
            self.do(choices.pin(self.wishes, slot.id, picked.key, self.grounds))
            self.is_put_in([picked])

    @rule(rng=randoms)
    def a_slot_is_unpinned(self, rng: random.Random) -> None:
        if self.wishes.pins:
            slot_id = rng.choice(sorted(self.wishes.pins))
            persona = self.wishes.persona
            others = [key for at, key in self.wishes.pins.items() if at.startswith("model:") and at != slot_id]
            keeps = persona is not None and any(fold(persona_of(key) or "") == fold(persona) for key in others)
            self.do(choices.unpin(self.wishes, slot_id, self.grounds), {f"pin {slot_id}", "persona"})
            assert self.wishes.persona == (persona if keeps or not slot_id.startswith("model:") else None)

    @rule(rng=randoms)
    def a_slot_is_rerolled(self, rng: random.Random) -> None:
        slot = rng.choice(self.slots())
        if slot.key and slot.choices > 1:
            person = self.wishes.persona
            self.do(choices.reroll(self.wishes, slot.id, self.grounds))
            shown = [now.key for now in self.slots() if now.id == slot.id]
            assert slot.key not in shown, "a turn shows another picture"
            assert self.wishes.persona == person

    @rule(rng=randoms)
    def a_slot_is_switched_off(self, rng: random.Random) -> None:
        self.do(choices.switch_off(self.wishes, [rng.choice(self.slots()).id], self.grounds))

    @rule(rng=randoms)
    def a_slot_is_switched_on(self, rng: random.Random) -> None:
        if self.wishes.off:
            slot_id = rng.choice(sorted(self.wishes.off))
            self.do(choices.switch_on(self.wishes, slot_id, self.grounds), {f"off {slot_id}"})

    @rule(rng=randoms)
    def a_near_miss_is_taken(self, rng: random.Random) -> None:
        empty = [slot for slot in self.slots() if slot.near]
        if empty:
            miss = rng.choice(rng.choice(empty).near)
            about = {"persona": "persona", "pin": f"pin {miss.to}"}.get(miss.loosen, miss.loosen)
            theirs = {f"pin {at}" for at in self.wishes.pins} if miss.loosen == "persona" else set()
            self.do(choices.loosen(self.wishes, miss, self.grounds), {about} | theirs)

    # What is done to all

    @rule(seed=st.integers(0, 999))
    def all_is_shuffled(self, seed: int) -> None:
        self.do(choices.shuffle(self.wishes, seed, self.grounds))
        assert self.wishes.held == {}

    @rule(rng=randoms, several=st.integers(1, 3))
    def pictures_are_used_from_references(self, rng: random.Random, several: int) -> None:
        picked = rng.sample(self.listed, min(several, len(self.listed)))
        if any(map(choices.lacks_its_tag, picked)) or choices.clashing(picked):
            with pytest.raises(InputError):
                choices.use(self.wishes, picked, self.grounds)
        elif picked:
            before = self.wishes
            self.do(choices.use(self.wishes, picked, self.grounds))
            assert (self.wishes.prompt, self.wishes.mode) == (before.prompt, before.mode)
            self.is_put_in(picked)

    @rule()
    def a_record_of_this_is_opened(self) -> None:
        made = self.plan()
        slots = [slot for side in made.sides for slot in side.slots]
        opened = choices.as_recorded(self.wishes, slots)
        assert opened.pins == self.wishes.pins
        self.wishes = opened
        assert keys_of(self.plan()) == keys_of(made)
        assert keys_of(self.plan(frozenset(self.index.table[at].key for at in range(len(self.index))))) == keys_of(made)

    # What always holds

    @invariant()
    def every_choice_is_in_force_or_shown_as_impossible(self) -> None:
        done, wishes = self.plan(), self.wishes
        assert wishes.tone in (None, done.settled.tone and done.settled.tone.value)
        assert wishes.angle in (None, done.settled.angle and done.settled.angle.value)
        for slot in self.slots():
            assert slot.filled or slot.why
            assert not (slot.filled and slot.id in wishes.off)
            pin = wishes.pins.get(slot.id)
            assert pin in (None, slot.key) or not slot.filled
        shown = {slot.id for slot in self.slots()} | {*choices.waiting(wishes, self.slots())}
        assert all(at in shown or (wishes.persona and at.startswith("model:")) for at in wishes.pins)
        if wishes.persona is not None:
            self.one_person_alone(done, wishes)
        keep = [persona_of(key) for at, key in wishes.pins.items() if at.startswith("model:")]
        assert wishes.persona is not None or not any(keep)

    @invariant()
    def nothing_that_does_not_match_goes_in(self) -> None:
        done = self.plan()
        retrace = Retrace(self.case.pictures, self.case.labels)
        assert [found for slot in self.slots() for found in retrace.problems(slot)] == []
        case = Case(self.case.pictures, self.case.labels, self.wishes, self.case.reading, self.case.recent)
        is_alone = self.wishes.mode is not Mode.COMPARE or self.wishes.varies is Varies.ANGLE
        if not self.has_nameless and is_alone and not self.wishes.is_balanced:
            assert Oracle(case).mismatches(done) == []
        if not self.has_nameless and self.wishes.is_balanced:
            assert balance_problems(case, done) == []

    @invariant()
    def the_same_slot_has_the_same_place_on_both_sides(self) -> None:
        done = self.plan()
        if len(done.sides) == 2:
            assert [s.id for s in done.sides[0].slots] == [s.id for s in done.sides[1].slots]

    def one_person_alone(self, done: Injection, wishes: Wishes) -> None:
        """Every slot shows who is pinned, or nobody; a side without anybody says why."""
        assert wishes.person is not PersonWish.NO
        for side in done.sides:
            models = models_of(done, side.side)
            filled = {fold(slot.persona or "") for slot in models if slot.filled}
            assert filled <= {fold(wishes.persona or "")}
            assert filled or all(slot.why for slot in models)

    def is_put_in(self, picked: Iterable[Reference]) -> None:
        """What was put in is pinned, and nothing that speaks against it stands in its way."""
        for reference in picked:
            slot_id = choices.slot_of(reference)
            assert self.wishes.pins[slot_id] == reference.key
            assert slot_id not in self.wishes.off
            if reference.role is Role.MODEL:
                assert self.wishes.persona == reference.persona
                assert self.wishes.person is not PersonWish.NO
            elif reference.role is Role.TONE:
                assert self.plan().settled.tone
                assert self.wishes.tone in (None, reference.tone)

    def do(self, chosen: Chosen, own: set[str] = frozenset()) -> None:  # type: ignore[assignment]
        """Every other choice stays, or is named as what gave way; and taking it back brings all of them again."""
        before, after = explicit(self.wishes), explicit(chosen.wishes)
        lost = {about for about, value in before.items() if after.get(about) != value} - own
        said = chosen.overruled
        assert said is not None if lost else said is None or own, (lost, said)
        if said is not None:
            words = said.says
            theirs = self.wishes.persona if "persona" in lost else None
            for about in lost:
                assert self.named(about, theirs) in words, (about, words)
            assert explicit(choices.take_back(chosen.wishes, said)) == before
        self.wishes = chosen.wishes

    def named(self, about: str, theirs: str | None) -> str:
        """A word that has to stand in the sentence on what gave way."""
        kind, _, slot_id = about.partition(" ")
        if kind == "pin":
            key = self.wishes.pins[slot_id]
            is_theirs = theirs is not None and fold(persona_of(key) or "") == fold(theirs)
            return theirs if is_theirs and theirs else key.rpartition("/")[2]
        if kind == "off":
            return slot_id.rpartition("/")[2]
        words: dict[str, Callable[[], str]] = {
            "tone": lambda: "the tone ",
            "angle": lambda: "the angle ",
            "folder": lambda: str(self.wishes.folder),
            "person": lambda: "Person: ",
            "gender": lambda: "Gender: ",
            "age": lambda: f"Age: {self.wishes.ages}",
            "persona": lambda: str(self.wishes.persona),
            "varies": lambda: "Varies: ",
            "balanced": lambda: "As each mode alone",
        }
        return words[kind]()

    def planner(self) -> Planner:
        return Planner(self.index, LabelSet(self.case.labels), max_model_references=LIMIT)

    def plan(self, recent: frozenset[str] | None = None) -> Injection:
        asked = self.wishes, self.case.recent if recent is None else recent
        if self.planned is None or self.planned[0] != asked:
            self.planned = asked, self.planner().plan(self.wishes, self.case.reading, recent=asked[1])
        return self.planned[1]

    def slots(self) -> list[Slot]:
        return [slot for side in self.plan().sides for slot in side.slots]


def _unnamed(picture: Picture) -> Picture:
    """The same picture under a name that says nobody."""
    place, _, name = picture.key.rpartition("/")
    return replace(picture, key=f"{place}/{name.rpartition(' ')[2]}", persona="")


DesignerAtWork.TestCase.settings = settings(
    max_examples=max(1, CASES // 200),
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
TestADesignerAtWork = DesignerAtWork.TestCase
