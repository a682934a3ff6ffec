"""A studio at work: the library, its labels and the wishes change step by step, and the plan stays right."""

from __future__ import annotations

import os
import random
from dataclasses import replace

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from core.injection.plan import Injection
from core.injection.request.wishes import Ages, Mode, PersonWish, Wishes
from core.labels.published.schema import Gender, Label
from core.references.index import ReferenceIndex
from core.references.vocabulary import Role
from tests.injection.libraries import A_PERSON, SILENT, label, library, plan, stored
from tests.injection.oracle import ANGLES, CLASH, PEOPLE, ROOTS, TONES, Case, Oracle, Picture
from tests.injection.retrace import Retrace
from tests.injection.test_balance_at_random import balance_problems
from tests.injection.test_fair_choice import offer

CASES = int(os.environ.get("STUDIO_PLAN_CASES", "5000"))
STEPS = 25
FOLDERS = {Role.MODEL: "01. Model", Role.TONE: "02. Tone", Role.ANGLE: "03. Angle"}
IRRELEVANT = (
    "refs/elsewhere/noir.jpg",
    "refs/01. Model/loose.jpg",
    "refs/01. Model/noir/notes.txt",
    "refs/02. Tone/nothing said/x.jpg",
    "studio/generations/x/tone-only-1.png",
)
group_names = st.tuples(
    st.sampled_from([*TONES, CLASH]), st.sampled_from([*ANGLES]), st.sampled_from(["", "x", "컷"])
).map(lambda words: " ".join(filter(None, words)) or "misc")
slots = st.sampled_from(["tone", "angle", "model"])


def tags(name: str) -> tuple[str | None, str | None, bool]:
    """Tone, angle and fitness of a group name as it was put together above."""
    if name.startswith(CLASH):
        return None, None, False
    tone = next((term for text, term in TONES.items() if text and name.startswith(text)), None)
    angle = next((term for text, term in ANGLES.items() if text and text in name), None)
    return tone, angle, (tone, angle) != (None, None)


class StudioAtWork(RuleBasedStateMachine):
    """Whoever renames, uploads, publishes or changes a mind: what does not match never goes in."""

    def __init__(self) -> None:
        super().__init__()
        self.files: dict[str, int] = {}  # size in bytes, by key
        self.labels: dict[str, Label] = {}
        self.wishes = Wishes(balanced=False, prompt="a quiet street", person=PersonWish.YES)
        self.reading = A_PERSON
        self.recent: frozenset[str] = frozenset()

    @initialize(seed=st.integers(0, 999))
    def a_studio_opens(self, seed: int) -> None:
        rng = random.Random(seed)
        self.wishes = replace(self.wishes, seed=seed, tone="noir", angle="low-angle")
        for role in Role:
            for name in ("noir low angle", "noir profile", "느와르 로우앵글"):
                for number in range(rng.randint(0 if role is not Role.MODEL else 1, 3)):
                    self.put(ROOTS[0], role, name.replace("느와르", "파스텔"), rng.choice(PEOPLE), number, 100)
        for picture in self.pictures():
            gender, age = rng.choice([*Gender, None]), rng.choice([20, 30, 40])
            self.labels[picture.key] = label(picture.key, gender, age)

    def put(self, root: str, role: Role, group: str, persona: str, number: int, size: int) -> None:
        self.files[f"{root}/{FOLDERS[role]}/{group}/{persona} {number:02d}.jpg"] = size

    # The library

    @rule(
        root=st.sampled_from(ROOTS),
        role=st.sampled_from([*Role]),
        group=group_names,
        persona=st.sampled_from(PEOPLE),
        number=st.integers(0, 3),
        size=st.sampled_from([100, 100, 100, 0]),
    )
    def a_picture_is_uploaded(self, root: str, role: Role, group: str, persona: str, number: int, size: int) -> None:
        self.put(root, role, group, persona, number, size)

    @rule(key=st.sampled_from(IRRELEVANT))
    def something_irrelevant_is_uploaded(self, key: str) -> None:
        before = self.keys()
        self.files[key] = 100
        assert self.keys() == before

    @rule(pick=st.randoms(use_true_random=False), name=group_names)
    def a_group_is_renamed(self, pick: random.Random, name: str) -> None:
        if place := self.some_place(pick):
            renamed = f"{place.rpartition('/')[0]}/{name}"
            self.files = {
                f"{renamed}/{key.rpartition('/')[2]}" if key.rpartition("/")[0] == place else key: size
                for key, size in self.files.items()
            }

    @rule(pick=st.randoms(use_true_random=False))
    def a_group_is_removed(self, pick: random.Random) -> None:
        if place := self.some_place(pick):
            self.files = {key: size for key, size in self.files.items() if key.rpartition("/")[0] != place}

    @rule(pick=st.randoms(use_true_random=False))
    def a_picture_is_removed(self, pick: random.Random) -> None:
        if self.files:
            del self.files[pick.choice(sorted(self.files))]

    @rule(
        pick=st.randoms(use_true_random=False),
        gender=st.sampled_from([*Gender, None]),
        age=st.sampled_from([None, 20, 30, 40]),
        stale=st.booleans(),
    )
    def labels_are_published(self, pick: random.Random, gender: Gender | None, age: int | None, stale: bool) -> None:
        place = self.some_place(pick)
        for key in [picture.key for picture in self.pictures() if picture.place == place]:
            self.labels[key] = label(key, gender, age, etag=f"{key} as it was before" if stale else None)

    # The wishes

    @rule(tone=st.sampled_from([None, "noir", "noir", "natural-film", "pastel", "beauty"]))
    def a_tone_is_picked(self, tone: str | None) -> None:
        self.wishes = replace(self.wishes, tone=tone)

    @rule(angle=st.sampled_from([None, "low-angle", "low-angle", "profile", "overhead"]))
    def an_angle_is_picked(self, angle: str | None) -> None:
        self.wishes = replace(self.wishes, angle=angle)

    @rule(mode=st.sampled_from([*Mode]))
    def the_mode_is_changed(self, mode: Mode) -> None:
        self.wishes = replace(self.wishes, mode=mode)

    @rule(person=st.sampled_from([*PersonWish]), silent=st.booleans())
    def a_person_is_asked_for_or_not(self, person: PersonWish, silent: bool) -> None:
        self.wishes = replace(self.wishes, person=person)
        self.reading = SILENT if silent else A_PERSON

    @rule(balanced=st.booleans())
    def the_balance_is_chosen(self, balanced: bool) -> None:
        self.wishes = replace(self.wishes, balanced=balanced)

    @rule(gender=st.sampled_from([None, *Gender]))
    def a_gender_is_picked(self, gender: Gender | None) -> None:
        self.wishes = replace(self.wishes, gender=gender)

    @rule(ages=st.sampled_from([None, Ages(18, 29), Ages(30, 39)]))
    def an_age_is_picked(self, ages: Ages | None) -> None:
        self.wishes = replace(self.wishes, ages=ages)

    @rule(prompt=st.sampled_from(["a quiet street", "Ben in a suit", "아라야가 웃는다", "Ada and Ben"]))
    def the_prompt_is_written_anew(self, prompt: str) -> None:
        self.wishes = replace(self.wishes, prompt=prompt)

    @rule(pick=st.randoms(use_true_random=False))
    def another_folder_is_chosen(self, pick: random.Random) -> None:
        self.wishes = replace(self.wishes, folder=pick.choice([None, *self.model_folders()]))

    @rule(pick=st.randoms(use_true_random=False))
    def a_slot_is_pinned_where_it_is(self, pick: random.Random) -> None:
        held = {slot.id: slot.key for side in self.plan().sides for slot in side.slots if slot.key}
        if held:
            slot_id = pick.choice(sorted(held))
            self.wishes = replace(self.wishes, pins=self.wishes.pins | {slot_id: held[slot_id] or ""})

    @rule(pick=st.randoms(use_true_random=False))
    def a_slot_is_rerolled(self, pick: random.Random) -> None:
        held = sorted({slot.id for side in self.plan().sides for slot in side.slots if slot.key})
        if held:
            slot_id, rerolls = pick.choice(held), self.wishes.rerolls
            self.wishes = replace(self.wishes, rerolls={**rerolls, slot_id: rerolls.get(slot_id, 0) + 1})

    @rule(pick=st.randoms(use_true_random=False))
    def a_slot_is_switched_off(self, pick: random.Random) -> None:
        held = sorted({slot.id for side in self.plan().sides for slot in side.slots})
        self.wishes = replace(self.wishes, off=self.wishes.off | {pick.choice(held)})

    @rule()
    def everything_set_by_hand_is_let_go(self) -> None:
        self.wishes = replace(self.wishes, pins={}, rerolls={}, off=frozenset())

    @rule(seed=st.integers(0, 999))
    def a_comparison_is_made_and_the_next_one_begun(self, seed: int) -> None:
        self.recent = frozenset(slot.key for side in self.plan().sides for slot in side.slots if slot.key)
        self.wishes = replace(self.wishes, seed=seed, rerolls={})

    @precondition(lambda self: self.wishes.mode is Mode.COMPARE)
    @rule()
    def the_fair_choice_is_taken(self) -> None:
        _, choice = offer(
            self.index(), self.wishes, self.reading, recent=self.recent, labels=tuple(self.labels.values())
        )
        if choice is not None:
            self.wishes = choice.wishes
            fairness = self.plan().fairness
            assert fairness is not None
            assert fairness.controlled

    # What always holds

    @invariant()
    def what_goes_in_matches_and_what_does_not_stays_out(self) -> None:
        pictures = self.pictures()
        done = self.plan()
        folder = self.wishes.folder or next(iter(self.model_folders()), None)
        retrace = Retrace(pictures, self.labels.values())
        assert [found for side in done.sides for slot in side.slots for found in retrace.problems(slot)] == []
        if folder is not None:  # without any there is nobody to place
            case = Case(tuple(pictures), tuple(self.labels.values()), self.wishes, self.reading, self.recent)
            what_is_wrong = balance_problems(case, done) if self.wishes.is_balanced else Oracle(case).mismatches(done)
            assert what_is_wrong == []
        assert self.plan(turned=True) == done

    def plan(self, *, turned: bool = False) -> Injection:
        if self.wishes.folder not in (None, *self.model_folders()):  # it was renamed or emptied under the designer
            self.wishes = replace(self.wishes, folder=None)
        labels = sorted(self.labels.values(), key=lambda one: one.key, reverse=turned)
        return plan(self.index(), self.wishes, self.reading, labels=labels, recent=self.recent)

    def index(self) -> ReferenceIndex:
        return library(*(stored(key, size_bytes=size) for key, size in self.files.items()))

    def keys(self) -> list[str | None]:
        return [slot.key for side in self.plan().sides for slot in side.slots]

    def pictures(self) -> list[Picture]:
        """The library as the oracle knows it."""
        found = []
        for key, size in self.files.items():
            root, _, rest = key.rpartition("/")[0].rpartition("/")[0].rpartition("/")
            role = next((role for role, folder in FOLDERS.items() if folder == rest), None)
            if role is None or root not in ROOTS or not key.endswith(".jpg"):
                continue
            group, name = key.split("/")[-2:]
            tone, angle, fits = tags(group)
            persona = name.rpartition(" ")[0] or name.removesuffix(".jpg")
            etag = stored(key).etag
            found.append(Picture(root, role, group, tone, angle, fits and size > 0, key, etag, persona, size))
        return found

    def model_folders(self) -> list[str]:
        return sorted({f"{p.root}/{FOLDERS[Role.MODEL]}" for p in self.pictures() if p.role is Role.MODEL})

    def some_place(self, pick: random.Random) -> str | None:
        places = sorted({picture.place for picture in self.pictures()})
        return pick.choice(places) if places else None


StudioAtWork.TestCase.settings = settings(
    max_examples=max(1, CASES // 200),
    stateful_step_count=STEPS,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestAStudioAtWork = StudioAtWork.TestCase
