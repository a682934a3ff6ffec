"""A past comparison made again with something changed: the rest goes in as recorded, or not at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InjectionError, InputError
from core.generation.idempotency import IdempotencyKeys
from core.generation.ordering import Orders
from core.generation.planning import ComparisonPlanner, Planned, record_of
from core.generation.records.comparison import Comparison, Legacy, RenderSettings, SideRecord, Size
from core.generation.spending.budget import Budgets, DailyLimits
from core.generation.spending.ledger import Ledger
from core.generation.variation import Changes, SlotChange, Variation, variation
from core.generation.variations import Variations
from core.injection.plan import Planner
from core.injection.reading.reader import OfflineReader, Reading
from core.injection.request.prompt import as_text, assemble
from core.injection.request.slots import Slot
from core.injection.request.wishes import Mode, SideName, Strength, Varies, Wishes
from core.injection.tag_names import with_names
from core.labels.published.label_file import LabelSet
from core.references.index import ReferenceIndex
from core.references.key import persona_of
from core.references.vocabulary import Role
from core.viewer import PersonRole, Viewer
from tests.generation.comparisons import PricedEngine, StudioFixture
from tests.injection.libraries import A_PERSON, VOCABULARY, library, sample_library, stored

TONE_ONLY, TONE_ANGLE = SIDES = SideName.TONE_ONLY, SideName.TONE_ANGLE
A, B = SideName.A, SideName.B
TALL, WIDE = Size(width=1024, height=1280), Size(width=1536, height=1024)
BERT = Viewer("bert@studio", PersonRole.DESIGNER)
FOLDER = "refs/01. Model"
TONES, ANGLES = (
    ("natural-film", "vivid", "cinematic", "beauty"),
    ("eye-level", "low-angle", "three-quarter", "overhead"),
)
_INDEX: ReferenceIndex = sample_library()


def record(
    mode: Mode = Mode.COMPARE, *, index: ReferenceIndex = _INDEX, recent: tuple[str, ...] = (), **wishes: Any
) -> Comparison:
    """A comparison planned from the sample library, as it is recorded."""
    asked = {"tone": "cinematic", "angle": "low-angle", "folder": FOLDER, "seed": 11} | wishes
    wished = Wishes(prompt="a woman in a red coat", mode=mode, **({"balanced": False} | asked))
    injection = Planner(index, LabelSet(()), max_model_references=3).plan(wished, A_PERSON)
    sides = []
    for plan in injection.sides:
        sections = assemble(wished, injection.settled, plan.slots, plan.side, VOCABULARY)
        sides.append(SideRecord(side=plan.side, slots=plan.slots, sections=sections, prompt=as_text(sections)))
    planned = Planned(injection, tuple(sides), index.built_at, "1", recent)
    return record_of(planned, RenderSettings(engine="test", model="test-1", size=TALL), "anna@studio")


def again(comparison: Comparison, *, index: ReferenceIndex = _INDEX, **changes: Any) -> Variation:
    planner = Planner(index, LabelSet(()), max_model_references=3)

    def plan(wishes: Wishes, reading: Reading, recent: tuple[str, ...]) -> Any:
        return with_names(planner.plan(wishes, reading, recent=recent), VOCABULARY)

    return variation(comparison, Changes(**changes), plan=plan, index=index, vocabulary=VOCABULARY)


def slots_of(sides: tuple[SideRecord, ...], side: SideName, role: Role) -> list[Slot]:
    (found,) = (each for each in sides if each.side is side)
    return [slot for slot in found.slots if slot.role is role]


def without(*keys: str) -> ReferenceIndex:
    """The sample library after these pictures have left it."""
    return library(*(stored(ref.key, etag=ref.etag) for ref in _every() if ref.key not in keys))


@cache
def _every() -> list[Any]:
    folders = (folder for role in Role for folder in _INDEX.folders_of(role))
    return [ref for folder in folders for group in folder.groups for ref in group.references]


def key_of(comparison: Comparison, side: SideName, role: Role) -> str:
    return next(slot.key for slot in slots_of(comparison.sides, side, role) if slot.key)


def test_what_had_just_been_given_is_on_record_and_passed_over_again() -> None:
    """Without it the same wishes and the same seed would not make the same picks."""
    recent = (key_of(record(), TONE_ANGLE, Role.MODEL),)
    passed_on: list[tuple[str, ...]] = []

    def plan(wishes: Wishes, reading: Reading, given: tuple[str, ...]) -> Any:
        passed_on.append(given)
        return Planner(_INDEX, LabelSet(()), max_model_references=3).plan(wishes, reading, recent=given)

    made = record(recent=recent)
    assert made.recent == recent
    variation(made, Changes(angle="eye-level"), plan=plan, index=_INDEX, vocabulary=VOCABULARY)
    assert passed_on == [recent]


# ---- what changes, and what does not ---------------------------------------------------------------------


def test_another_ratio_sends_both_sides_as_recorded_to_the_letter() -> None:
    made = record()
    new = again(made, size=WIDE)
    assert new.sides == made.sides
    assert new.render == made.render.model_copy(update={"size": WIDE})
    assert new.says == ("Size: 1024×1280 → 1536×1024",)
    assert {place.change for place in new.places} == {SlotChange.KEPT}
    new.check()


def test_one_side_alone_is_that_side_as_recorded() -> None:
    made = record()
    new = again(made, side=TONE_ANGLE)
    assert new.sides == made.sides[1:]
    assert new.injection.wishes.mode is Mode.TONE_ANGLE
    assert new.injection.fairness is None
    assert new.says == ("Only tone + angle is made",)


def test_another_angle_leaves_the_tone_only_side_and_the_tone_reference_alone() -> None:
    """Where each side is planned as its mode alone."""
    made = record(balanced=False)
    new = again(made, angle="three-quarter")
    assert new.sides[0] == made.sides[0]
    assert slots_of(new.sides, TONE_ANGLE, Role.TONE) == slots_of(made.sides, TONE_ANGLE, Role.TONE)
    (angle,) = slots_of(new.sides, TONE_ANGLE, Role.ANGLE)
    assert (angle.wished, angle.wished_from) == ("three-quarter", "picked")
    assert all(
        "three-quarter" in (slot.group or "") for slot in slots_of(new.sides, TONE_ANGLE, Role.MODEL) if slot.key
    )
    assert new.says == ("Angle: Low angle → Three-quarter",)
    assert VOCABULARY.angle("three-quarter").directive in new.sides[1].prompt


def test_another_angle_shows_the_person_of_the_side_that_stays() -> None:
    made = record()
    new = again(made, angle="three-quarter")
    stays = {slot.persona for slot in slots_of(new.sides, TONE_ONLY, Role.MODEL) if slot.key}
    assert {slot.persona for slot in slots_of(new.sides, TONE_ANGLE, Role.MODEL) if slot.key} <= stays
    alone = again(made, angle="three-quarter", side=TONE_ANGLE)
    assert alone.sides == new.sides[1:], "the side that is not made counts in the draw all the same"


def test_another_tone_keeps_the_angle_reference_and_draws_tone_and_people_anew() -> None:
    made = record()
    new = again(made, tone="vivid")
    assert slots_of(new.sides, TONE_ANGLE, Role.ANGLE) == slots_of(made.sides, TONE_ANGLE, Role.ANGLE)
    one, other = (slots_of(new.sides, side, Role.TONE)[0] for side in SIDES)
    assert one == other
    assert one.wished == "vivid"
    people = [slot for side in SIDES for slot in slots_of(new.sides, side, Role.MODEL) if slot.key]
    assert people
    assert all("vivid" in (slot.group or "") for slot in people)
    assert new.injection.fairness is not None
    changed = {(place.side, place.role): place.change for place in new.places}
    assert changed[TONE_ONLY, Role.TONE] is SlotChange.NEW
    assert changed[TONE_ANGLE, Role.ANGLE] is SlotChange.KEPT


def test_a_slot_that_was_switched_off_stays_off() -> None:
    made = record(off=frozenset({"angle"}))
    (angle,) = slots_of(again(made, angle="overhead").sides, TONE_ANGLE, Role.ANGLE)
    assert (angle.key, angle.why) == (None, "Switched off by you.")


def test_a_tone_that_chance_picked_is_the_recorded_one_from_now_on() -> None:
    made = record(tone=None, tone_by_chance=True)
    assert made.tone is not None
    new = again(made, angle="overhead")
    assert (new.injection.wishes.tone, new.injection.wishes.tone_by_chance) == (made.tone, False)
    assert slots_of(new.sides, TONE_ANGLE, Role.TONE) == slots_of(made.sides, TONE_ANGLE, Role.TONE)


def test_it_says_that_the_prompt_still_speaks_of_the_tone_it_named() -> None:
    made = record(tone=None).model_copy(update={"reading": replace(A_PERSON, tone="cinematic"), "tone": "cinematic"})
    assert again(made, tone="vivid").says == (
        "Tone: Cinematic → Vivid",
        "The prompt stays as typed, and still speaks of cinematic",
    )


# ---- balanced sides, and one thing varied ----------------------------------------------------------------


@pytest.mark.parametrize("angle", ANGLES)
def test_another_angle_of_a_balanced_pair_leaves_it_fair_wherever_a_new_plan_would_be(angle: str) -> None:
    """Who tone only shows stays where it still fits; where it shows the new angle, others are drawn."""
    for seed in range(4):
        made = record(seed=seed, angle="low-angle" if angle != "low-angle" else "overhead")
        new, fresh = again(made, angle=angle), record(seed=seed, angle=angle)
        assert slots_of(new.sides, TONE_ONLY, Role.TONE) == slots_of(made.sides, TONE_ONLY, Role.TONE)
        assert new.injection.fairness is not None
        assert new.injection.fairness.controlled or not fresh.controlled
        shown = [slot for slot in slots_of(new.sides, TONE_ONLY, Role.MODEL) if slot.key]
        assert new.injection.fairness.controlled <= all(angle not in (slot.group or "") for slot in shown)


def of_two_ways(varies: Varies, **wishes: Any) -> Comparison:
    """A record with sides A and B and two takes of each."""
    made = record(varies=varies, **wishes)
    high = RenderSettings(engine="test", model="test-2", size=TALL, quality="high")
    sides = made.sides
    if varies is Varies.MODEL:
        sides = (sides[0], sides[1].model_copy(update={"render": high}))
    return made.model_copy(update={"sides": sides, "takes": 2})


@pytest.mark.parametrize("varies", [Varies.MODEL, Varies.TONE_WAY, Varies.STRENGTH])
def test_another_size_sends_a_and_b_as_recorded_with_takes_and_renders(varies: Varies) -> None:
    made = of_two_ways(varies, strengths_b={"tone": Strength.EXACT})
    new = again(made, size=WIDE)
    assert [(side.side, side.prompt, side.slots) for side in new.sides] == [
        (side.side, side.prompt, side.slots) for side in made.sides
    ]
    assert (new.takes, new.injection.wishes.varies) == (2, varies)
    assert new.render.size == WIDE
    assert (new.render_b is not None) == (varies is Varies.MODEL)
    assert new.render_b is None or (new.render_b.model, new.render_b.size) == ("test-2", WIDE)


@pytest.mark.parametrize("varies", [Varies.MODEL, Varies.TONE_WAY, Varies.STRENGTH])
def test_another_angle_goes_to_both_a_and_b(varies: Varies) -> None:
    made = of_two_ways(varies, strengths_b={"tone": Strength.EXACT})
    new = again(made, angle="overhead")
    for side in (A, B):
        (angle,) = slots_of(new.sides, side, Role.ANGLE)
        assert angle.wished == "overhead"
    assert [slot.key for slot in slots_of(new.sides, A, Role.MODEL)] == [
        slot.key for slot in slots_of(new.sides, B, Role.MODEL)
    ]


@pytest.mark.parametrize(
    ("varies", "side"), [(varies, side) for varies in Varies if varies is not Varies.ANGLE for side in (A, B)]
)
def test_one_of_a_and_b_alone_is_sent_as_recorded_and_called_what_it_is(varies: Varies, side: SideName) -> None:
    made = of_two_ways(varies, strengths_b={"tone": Strength.EXACT})
    new = again(made, side=side)
    (alone,), recorded = new.sides, made.side(side)
    assert (alone.side, alone.slots, alone.prompt) == (TONE_ANGLE, recorded.slots, recorded.prompt)
    assert new.render == made.render_of(side)
    assert new.render_b is None
    assert new.says == (f"Only {side.heading} is made",)
    wishes = new.injection.wishes
    assert (wishes.mode, wishes.varies, wishes.strengths) == (
        Mode.TONE_ANGLE,
        Varies.ANGLE,
        made.wishes.strengths_on(side),
    )
    planned = Planner(_INDEX, LabelSet(()), max_model_references=3).plan(wishes, made.reading)
    sent = [slot.key for slot in planned.sides[0].slots if slot.key]
    assert sent == [slot.key for slot in recorded.slots if slot.key], "opened in Generate it plans the same again"


def test_without_an_angle_one_of_a_and_b_alone_is_tone_only() -> None:
    made = of_two_ways(Varies.MODEL, angle=None)
    assert [side.side for side in again(made, side=B).sides] == [TONE_ONLY]
    with pytest.raises(InputError, match="has no side “Tone only”"):
        again(made, side=TONE_ONLY)
    assert [side.side for side in again(made, side=B, angle="overhead").sides] == [TONE_ANGLE]


# ---- what is missing -------------------------------------------------------------------------------------


def test_a_kept_reference_that_has_left_s3_stays_in_its_slot_as_missing_and_nothing_can_be_sent() -> None:
    made = record()
    gone = key_of(made, TONE_ANGLE, Role.ANGLE)
    new = again(made, index=without(gone), tone="vivid")
    assert slots_of(new.sides, TONE_ANGLE, Role.ANGLE)[0].key == gone
    assert [slot.key for slot in new.missing] == [gone]
    with pytest.raises(InputError, match="no longer in S3") as refused:
        new.check()
    assert gone in refused.value.message


def test_a_picture_that_has_changed_behind_its_key_is_missing_too() -> None:
    made = record()
    key = key_of(made, TONE_ONLY, Role.TONE)
    changed = library(*(stored(ref.key, etag="0" * 32 if ref.key == key else ref.etag) for ref in _every()))
    assert [slot.key for slot in again(made, index=changed, size=WIDE).missing] == [key]


def test_what_is_drawn_anew_anyway_may_be_missing() -> None:
    made = record()
    gone = key_of(made, TONE_ONLY, Role.TONE)
    again(made, index=without(gone), tone="vivid").check()


def test_missing_references_are_redrawn_only_when_asked_for_and_then_it_says_so() -> None:
    made = record()
    gone = key_of(made, TONE_ONLY, Role.TONE)
    new = again(made, index=without(gone), size=WIDE, redraw_missing=True)
    new.check()
    one, other = (slots_of(new.sides, side, Role.TONE)[0] for side in SIDES)
    assert one.key == other.key != gone
    assert one.wished == "cinematic"
    assert slots_of(new.sides, TONE_ONLY, Role.MODEL) == slots_of(made.sides, TONE_ONLY, Role.MODEL)
    assert "Other references are drawn in place of those that have left S3" in new.says
    assert [(place.role, place.change) for place in new.places if place.then_is_gone] == [
        (Role.TONE, SlotChange.NEW)
    ] * 2


# ---- what cannot be --------------------------------------------------------------------------------------


@pytest.mark.parametrize("changes", [{}, {"tone": "cinematic", "angle": "low-angle", "size": TALL}])
def test_the_same_again_is_refused_for_that_is_a_replay(changes: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="Nothing is different"):
        again(record(), **changes).check()


@pytest.mark.parametrize(
    ("mode", "changes", "says"),
    [
        (Mode.TONE_ONLY, {"angle": "overhead"}, "sends no angle"),
        (Mode.COMPARE, {"angle": "overhead", "side": TONE_ONLY}, "sends no angle"),
        (Mode.TONE_ONLY, {"side": TONE_ANGLE}, "no side “Tone \\+ angle”: choose Tone only"),
    ],
)
def test_a_change_that_would_change_nothing_is_refused_and_not_ignored(
    mode: Mode, changes: dict[str, Any], says: str
) -> None:
    with pytest.raises(InputError, match=says):
        again(record(mode), **changes)


def test_a_tone_nobody_knows_is_refused() -> None:
    with pytest.raises(InjectionError, match="sepia"):
        again(record(), tone="sepia")


def test_an_imported_record_was_never_planned_and_says_so() -> None:
    imported = record().model_copy(update={"legacy": Legacy(id="7")})
    with pytest.raises(InputError, match="open it in Generate"):
        again(imported, tone="vivid")


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 50),
    tone=st.sampled_from([None, *TONES]),
    angle=st.sampled_from([None, *ANGLES]),
    size=st.sampled_from([None, TALL, WIDE]),
    side=st.sampled_from([None, *SIDES]),
    balanced=st.booleans(),
    gone=st.sets(st.sampled_from([(side, role) for side in SIDES for role in Role]), max_size=2),
    redraw=st.booleans(),
)
def test_whatever_is_changed_nothing_goes_in_that_is_neither_recorded_nor_what_was_asked_for(
    seed: int,
    tone: str | None,
    angle: str | None,
    size: Size | None,
    side: SideName | None,
    balanced: bool,
    gone: set[tuple[SideName, Role]],
    redraw: bool,
) -> None:
    """Every reference that may be sent is in S3 as planned; what differs from the record belongs to the change."""
    made = record(seed=seed, balanced=balanced)
    keys = [slot.key for of, role in gone for slot in slots_of(made.sides, of, role) if slot.key]
    index = without(*keys)
    if side is TONE_ONLY:
        angle = None
    new = again(made, index=index, tone=tone, angle=angle, size=size, side=side, redraw_missing=redraw)
    assert [record.side for record in new.sides] == ([side] if side else list(SIDES))
    for place in new.places:
        if place.now and place.now.key and place.change is not SlotChange.MISSING:
            listed = index.get(place.now.key)
            assert listed is not None
            assert listed.etag == place.now.etag
        if place.change is not SlotChange.NEW:
            continue
        was_lost = place.role in {role for _, role in gone} and redraw
        by_tone = tone not in (None, made.tone) and place.role in (Role.TONE, Role.MODEL)
        by_angle = angle not in (None, made.angle) and place.role in (Role.ANGLE, Role.MODEL)
        goes_along = balanced and side is None and place.role is Role.MODEL
        assert by_tone or (by_angle and (place.side is TONE_ANGLE or goes_along)) or was_lost
    if redraw:
        assert new.missing == ()


# ---- ordered ---------------------------------------------------------------------------------------------


class ObjectFiles:
    """A library as it is now."""

    def __init__(self, index: ReferenceIndex) -> None:
        self.index = index


@pytest.fixture
def engine() -> PricedEngine:
    return PricedEngine()


def variations(
    studio: StudioFixture, engine: PricedEngine, object_files: ObjectFiles, *, daily_usd: float | None = None
) -> Variations:
    runner = studio.runner(engine)
    ledger = Ledger(studio.history(), studio.store, {"test": engine}, app_prefix=studio.prefix)
    keys = IdempotencyKeys(studio.store, app_prefix=studio.prefix, at_work=lambda name: runner.status(name).busy)
    orders = Orders(runner, {"test": engine}, keys, Budgets(ledger, lambda: DailyLimits(daily_usd)))
    planner = ComparisonPlanner(object_files, lambda: LabelSet(()), OfflineReader(VOCABULARY), VOCABULARY, 3)
    return Variations(planner, orders)


def test_the_new_record_names_what_it_was_made_from_and_holds_what_was_sent(
    studio: StudioFixture, engine: PricedEngine
) -> None:
    made = record()
    before = datetime.now(UTC)
    new = variations(studio, engine, ObjectFiles(_INDEX)).order(made, Changes(tone="vivid", size=WIDE), BERT)
    stored_as = studio.history().get(new.id)
    assert (stored_as.made_from, stored_as.replay_of, stored_as.person) == (made.id, None, "bert@studio")
    assert (stored_as.tone, stored_as.angle, stored_as.size) == ("vivid", "low-angle", WIDE)
    assert stored_as.created_at >= before
    assert stored_as.sides == again(made, tone="vivid", size=WIDE).sides
    assert stored_as.wishes.tone == "vivid"


def test_a_variation_is_estimated_before_it_is_sent_and_refused_over_budget(
    studio: StudioFixture, engine: PricedEngine
) -> None:
    made, at = record(), variations(studio, engine, ObjectFiles(_INDEX), daily_usd=0.05)
    both, one = (at.of(made, Changes(tone="vivid", side=side)) for side in (None, TONE_ONLY))
    assert at.orders.estimate(at.planned(both), both.render) == pytest.approx(0.08)
    assert at.orders.estimate(at.planned(one), one.render) == pytest.approx(0.04)
    with pytest.raises(InputError, match="budget"):
        at.order(made, Changes(tone="vivid"), BERT)
    assert studio.keys() == set()
    at.order(made, Changes(tone="vivid", side=TONE_ONLY), BERT)


def test_nothing_is_recorded_or_sent_while_a_reference_is_missing(studio: StudioFixture, engine: PricedEngine) -> None:
    made = record()
    at = variations(studio, engine, ObjectFiles(without(key_of(made, TONE_ONLY, Role.TONE))))
    with pytest.raises(InputError, match="no longer in S3"):
        at.replay(made, BERT)
    with pytest.raises(InputError, match="no longer in S3"):
        at.order(made, Changes(size=WIDE), BERT)
    assert studio.keys() == set()
    assert engine.requests == []


def test_what_is_kept_on_the_other_side_is_not_said_to_be_pinned_by_a_person() -> None:
    new = again(record(), angle="eye-level")
    told = [text for side in new.sides for slot in side.slots for text in (slot.why, *(s.step for s in slot.steps))]
    assert not [text for text in told if "pinned by you" in text.lower()]
    assert any("as recorded" in text for text in told)
    assert new.injection.wishes.pins == {}


def test_a_variation_keeps_the_person_that_was_pinned_and_what_was_pinned_in_slots_that_stay() -> None:
    tone = key_of(record(), TONE_ONLY, Role.TONE)
    persona = persona_of(key_of(record(), TONE_ANGLE, Role.MODEL))
    made = record(persona=persona, pins={"tone": tone})
    new = again(made, angle="eye-level").injection.wishes
    assert (new.persona, new.pins) == (persona, {"tone": tone})
    other = again(made, tone="vivid").injection
    assert (other.wishes.persona, other.wishes.pins) == (persona, {})
    people = {slot.persona for side in other.sides for slot in side.slots if slot.role is Role.MODEL and slot.key}
    assert people <= {persona}
