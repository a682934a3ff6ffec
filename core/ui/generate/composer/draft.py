"""The draft: what the composer holds beyond its widgets, what they offer, and how a comparison is recalled into it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import streamlit as st

from core.generation.engines.engine import Engine
from core.generation.records.comparison import Comparison, Size
from core.injection import choices
from core.injection.choices import Chosen, Grounds, Overruled
from core.injection.request.fairness import Mend
from core.injection.request.slots import NearMiss
from core.injection.request.wishes import SEED_MAX, Ages, Mode, PersonWish, Strength, Varies, Wishes
from core.references.reference import Reference
from core.studio import Studio
from core.ui.components.fields import tiles
from core.ui.components.fields.prompt_box import set_text
from core.ui.frame.problems import show_problems
from core.ui.frame.session import open_session
from core.ui.frame.state import Key, session_value
from core.ui.frame.words.names import GENDERS
from core.ui.generate.composer.varied import is_balanced, set_varied, strengths_b, varies

AGE_SPAN = (0, 100)  # the whole span of the slider stands for "any age"
FROM_PROMPT = "From prompt"
PERSON_CHOICES = {FROM_PROMPT: PersonWish.AUTO, "Yes": PersonWish.YES, "No": PersonWish.NO}
GENDER_CHOICES = {FROM_PROMPT: None, **{name: gender for gender, name in GENDERS.items()}}
SIZES = {
    "4:5 · 1024 × 1280": Size(width=1024, height=1280),
    "3:4 · 960 × 1280": Size(width=960, height=1280),
    "2:3 · 1024 × 1536": Size(width=1024, height=1536),
    "9:16 · 1152 × 2048": Size(width=1152, height=2048),
    "1:1 · 1024 × 1024": Size(width=1024, height=1024),
    "3:2 · 1536 × 1024": Size(width=1536, height=1024),
    "16:9 · 2048 × 1152": Size(width=2048, height=1152),
    "4:5 large · 2048 × 2560": Size(width=2048, height=2560),
}


@dataclass(frozen=True)
class Draft:
    """Seed, pins, re-rolls and off-switches of the composer, and the picks its tiles were given.

    `recent` are the keys this person was given last time when the seed was drawn; it changes only with the
    seed, so that a plan on screen does not move by itself. `overruled` is what the last act did away with;
    `is_toneless` says that they have agreed to send no tone reference, having switched it off.
    """

    seed: int
    recent: tuple[str, ...] = ()
    tone: str | None = None
    angle: str | None = None
    tone_by_chance: bool = False
    persona: str | None = None
    pins: dict[str, str] = field(default_factory=dict)
    held: dict[str, str] = field(default_factory=dict)
    rerolls: dict[str, int] = field(default_factory=dict)
    off: frozenset[str] = frozenset()
    strengths: dict[str, Strength] = field(default_factory=dict)
    overruled: Overruled | None = None
    is_toneless: bool = False


def draft() -> Draft:
    """The session's draft; a new session starts with a new seed."""
    return session_value(Key.DRAFT, Draft, lambda: Draft(seed=new_seed()))


def set_draft(**changes: object) -> None:
    """Change parts of the draft."""
    st.session_state[Key.DRAFT] = replace(draft(), **changes)  # type: ignore[arg-type]  # fields checked by name


def new_seed() -> int:
    """A seed for the draws, short enough to be read out."""
    return secrets.randbelow(1_000_000)


def pin(slot_id: str, key: str) -> None:
    """Keep this picture in its slot; of a model picture it is the person who is meant, in every slot."""
    _act(lambda wishes, grounds: choices.pin(wishes, slot_id, key, grounds))


def unpin(slot_id: str) -> None:
    """Let the draw decide again; with the last picture that brought them the person goes as well."""
    _act(lambda wishes, grounds: choices.unpin(wishes, slot_id, grounds))


def let_go() -> None:
    """Let go of the pinned person."""
    _act(choices.let_go)


def reroll(slot_id: str) -> None:
    """Take the next picture in the draw's order."""
    _act(lambda wishes, grounds: choices.reroll(wishes, slot_id, grounds))


def switch_off(*slot_ids: str) -> None:
    """Leave these slots empty."""
    _act(lambda wishes, grounds: choices.switch_off(wishes, slot_ids, grounds))


def switch_on(slot_id: str) -> None:
    """Fill the slot again."""
    _act(lambda wishes, grounds: choices.switch_on(wishes, slot_id, grounds))


def loosen(miss: NearMiss) -> None:
    """Change exactly the one wish that a near miss names."""
    _act(lambda wishes, grounds: choices.loosen(wishes, miss, grounds))


def use_references(studio: Studio, references: Sequence[Reference]) -> tuple[tuple[Reference, ...], ...]:
    """Put pictures into their slots, all at once, when Generate is drawn next: only then a draft that the browser has
    kept is back. Raises InputError for one that cannot be injected.

    Where several want the same slot, or show different people, nothing is put in, and those are returned, each time
    together those of which one has to be chosen.
    """
    clashing = choices.clashing(references)
    if not clashing:
        choices.use(_wishes_now(), references, _grounds(studio))
        st.session_state[Key.USED] = [reference.key for reference in references]
        st.session_state[Key.USED_TAKEN] = False
    return clashing


def take_used(studio: Studio) -> None:
    """Put in what was chosen on another page, as far as it is still there. Call before the composer is drawn.

    A browser may hand over a draft of before only after this: then it is put in once more.
    """
    if st.session_state.get(Key.USED_TAKEN, False):
        return
    listed = (studio.catalog.index.get(key) for key in st.session_state.get(Key.USED, ()))
    used = [reference for reference in listed if reference is not None]
    if used:
        st.session_state[Key.USED_TAKEN] = True
        with show_problems():
            _take_over(choices.use(_wishes_now(), used, _grounds(studio)))


def forget_used() -> None:
    """The composer begins anew: what was chosen on another page before is not put in again."""
    st.session_state.pop(Key.USED, None)


def overruled() -> Overruled | None:
    """What the last act overruled, until the next one."""
    return draft().overruled


def take_back() -> None:
    """Undo the act that overruled something: the choices from before it again."""
    said = draft().overruled
    if said is not None:
        _take_over(Chosen(choices.take_back(_wishes_now(), said)))


def set_strength(slot_id: str, widget: str) -> None:
    """Take over how closely a slot's reference is to be followed from its widget."""
    said = st.session_state.get(widget)  # in a callback: whatever somebody has sent
    chosen = next((strength for strength in Strength if strength == said), Strength.NORMAL)
    set_draft(strengths={**draft().strengths, slot_id: chosen})


def shuffle(recent: tuple[str, ...]) -> None:
    """Draw everything anew that is not pinned, away from what this person was given last time."""
    _act(lambda wishes, grounds: choices.shuffle(wishes, new_seed(), grounds))
    set_draft(recent=recent)


def find_acts(studio: Studio, tone: str | None, angle: str | None) -> None:
    """Find what was changed by hand since the last run, and let what it overrules give way.

    Call when the tiles are drawn, and before the folder and the person's fields are.
    """
    now, before = wishes_from_widgets(tone, angle), st.session_state.get(Key.CHOSEN)
    if before is not None and choices.changed(before, now):
        _take_over(choices.made(before, now, _grounds(studio)))


def know_choices(wishes: Wishes) -> None:
    """From what the composer asks for now, whatever changes is an act. Call when all of it is drawn."""
    st.session_state[Key.CHOSEN] = wishes


def hear_late_picks(studio: Studio) -> None:
    """The composer has been set to a draft of the browser's, which may hold picks that no server has heard: they are
    newer than what is pinned. What differs from before is no act.
    """
    st.session_state.pop(Key.CHOSEN, None)
    st.session_state.pop(Key.USED_TAKEN, None)
    now = _wishes_now()
    unheard = replace(now, tone=None, angle=None)
    if (chosen := choices.made(unheard, now, _grounds(studio))).overruled:
        _take_over(chosen)


def _act(act: Callable[[Wishes, Grounds], Chosen]) -> None:
    """Do what a press asks for, after what was changed by hand before it; in a callback, before anything is drawn."""
    with show_problems():
        studio, _ = open_session()
        find_acts(studio, tiles.held(Key.TONE, draft().tone), tiles.held(Key.ANGLE, draft().angle))
        _take_over(act(_wishes_now(), _grounds(studio)))


def _grounds(studio: Studio) -> Grounds:
    reading = studio.planner.reader.read(st.session_state.get(Key.PROMPT) or "")
    return Grounds(studio.catalog.index, studio.planner.labels(), reading)


def _wishes_now() -> Wishes:
    """What the composer asks for, outside of a run that draws it."""
    return wishes_from_widgets(tiles.held(Key.TONE, draft().tone), tiles.held(Key.ANGLE, draft().angle))


def _take_over(chosen: Chosen) -> None:
    """Set the composer to the wishes after an act, and keep what it overruled. Widgets that do not change stay."""
    now, wishes, state = _wishes_now(), chosen.wishes, st.session_state
    for key, before, after in (
        (Key.MODE, now.mode, wishes.mode),
        (Key.FOLDER, now.folder, wishes.folder),
        (Key.PERSON, _label_of(PERSON_CHOICES, now.person), _label_of(PERSON_CHOICES, wishes.person)),
        (Key.GENDER, _label_of(GENDER_CHOICES, now.gender), _label_of(GENDER_CHOICES, wishes.gender)),
        (Key.AGES, _span_of(now.ages), _span_of(wishes.ages)),
    ):
        if before != after:
            state[key] = after
    for key, field_name, before, after in (
        (Key.TONE, "tone", now.tone, wishes.tone),
        (Key.ANGLE, "angle", now.angle, wishes.angle),
    ):
        if before != after:
            tiles.hand_over(key)
            set_draft(**{field_name: after})
    if (now.varies, now.balanced, now.strengths_b) != (wishes.varies, wishes.balanced, wishes.strengths_b):
        set_varied(wishes)
    set_draft(
        seed=wishes.seed,
        persona=wishes.persona,
        pins=wishes.pins,
        held=wishes.held,
        rerolls=wishes.rerolls,
        off=wishes.off,
        strengths=wishes.strengths,
        overruled=chosen.overruled,
    )
    know_choices(_wishes_now())


def wishes_from_widgets(tone: str | None, angle: str | None) -> Wishes:
    """What the composer asks for right now; a widget that holds what it cannot offer has said nothing."""
    state, held = st.session_state, draft()
    return Wishes(
        prompt=state.get(Key.PROMPT) or "",
        mode=next((mode for mode in Mode if mode == state.get(Key.MODE)), Mode.COMPARE),
        tone=tone,
        tone_by_chance=held.tone_by_chance and tone is None,
        angle=angle,
        folder=state.get(Key.FOLDER),
        person=PERSON_CHOICES.get(state.get(Key.PERSON) or FROM_PROMPT, PersonWish.AUTO),
        gender=GENDER_CHOICES.get(state.get(Key.GENDER) or FROM_PROMPT),
        ages=_ages(state.get(Key.AGES)),
        seed=held.seed,
        persona=held.persona,
        pins=held.pins,
        held=held.held,
        rerolls=held.rerolls,
        off=held.off,
        strengths=held.strengths,
        varies=varies(),
        balanced=is_balanced(),
        strengths_b=strengths_b(),
    )


def _ages(said: object) -> Ages | None:
    match said:
        case (int(low), int(high)) if AGE_SPAN[0] <= low <= high <= AGE_SPAN[1] and (low, high) != AGE_SPAN:
            return Ages(low, high)
    return None


def chosen_size() -> Size:
    """The size both sides are made in."""
    return SIZES.get(st.session_state.get(Key.SIZE) or "", next(iter(SIZES.values())))


def engine_choices(studio: Studio) -> dict[str, tuple[Engine, str]]:
    """Every engine with every model, by the words on screen; the default first."""
    return {
        f"{engine.server} · {model}" if engine.server else "Preview, no AI": (engine, model)
        for engine in studio.engines.values()
        for model in engine.models
    }


def chosen_engine(studio: Studio) -> tuple[Engine, str]:
    """The engine and model that are picked."""
    offered = engine_choices(studio)
    return offered.get(st.session_state.get(Key.ENGINE) or "", next(iter(offered.values())))


def recall(comparison: Comparison, studio: Studio) -> None:
    """Put a comparison's whole composer state back, empty slots included. Call before widgets are drawn.

    What was drawn is held as recorded, for the draw also depended on what the person had been given before. The image
    models are those of the record only where they are what it compares, and only as far as they are still offered.
    """
    slots = [slot for side in comparison.sides for slot in side.slots]
    wishes, state = choices.as_recorded(comparison.wishes, slots), st.session_state
    set_text(Key.PROMPT, wishes.prompt)
    state[Key.MODE] = wishes.mode
    state[Key.FOLDER] = wishes.folder
    state[Key.PERSON] = _label_of(PERSON_CHOICES, wishes.person)
    state[Key.GENDER] = _label_of(GENDER_CHOICES, wishes.gender)
    state[Key.AGES] = _span_of(wishes.ages)
    if comparison.size in SIZES.values():
        state[Key.SIZE] = _label_of(SIZES, comparison.size)
    if wishes.mode is Mode.COMPARE:  # a single side knows nothing of what two would vary
        set_varied(wishes)
    state[Key.TAKES] = comparison.takes
    if len(comparison.sides) > 1 and wishes.varies is Varies.MODEL:
        _recall_renders(comparison, studio)
    for key in (Key.TONE, Key.ANGLE):
        tiles.hand_over(key)
    st.session_state[Key.DRAFT] = Draft(
        seed=max(0, min(wishes.seed, SEED_MAX)),
        recent=comparison.recent,
        tone=wishes.tone,
        angle=wishes.angle,
        tone_by_chance=wishes.tone_by_chance,
        persona=wishes.persona,
        pins=wishes.pins,
        held=wishes.held,
        rerolls=wishes.rerolls,
        off=wishes.off,
        strengths=wishes.strengths,
    )
    forget_used()
    st.session_state.pop(Key.CHOSEN, None)


def _recall_renders(comparison: Comparison, studio: Studio) -> None:
    """Set both engines, models and qualities."""
    keys = ((Key.ENGINE, Key.QUALITY), (Key.ENGINE_B, Key.QUALITY_B))
    for (engine_key, quality_key), side in zip(keys, comparison.sides, strict=True):
        render = comparison.render_of(side.side)
        for label, (engine, model) in engine_choices(studio).items():
            if (engine.name, model) == (render.engine, render.model):
                st.session_state[engine_key], st.session_state[quality_key] = label, render.quality


def adopt(wishes: Wishes) -> None:
    """Take these wishes over into the composer, as changed from what it asks for now."""
    _act(lambda now, grounds: choices.adopt(now, wishes, grounds))


def mend(how: Mend) -> None:
    """Make the one change that mends a difference between the sides."""
    _act(lambda wishes, grounds: choices.mend(wishes, how, grounds))


def _span_of(ages: Ages | None) -> tuple[int, int]:
    """The slider's two ends for an age range."""
    return (min(ages.low, AGE_SPAN[1]), min(ages.high, AGE_SPAN[1])) if ages else AGE_SPAN


def _label_of(offered: Mapping[str, object], value: object) -> str:
    return next(label for label, choice in offered.items() if choice == value)
