"""Made with: in what a recorded comparison differs from the plan that stands before one's eyes, in short words."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from core.generation.planning import Planned
from core.generation.records.comparison import Comparison, RenderSettings
from core.injection.request.slots import Slot
from core.injection.request.wishes import Mode, SideName, Strength, Varies, Wishes
from core.references.key import persona_of
from core.references.vocabulary import Role, Term, Vocabulary

_MODES = {Mode.TONE_ONLY: "tone only", Mode.TONE_ANGLE: "tone + angle", Mode.COMPARE: "both sides"}
_VARIED = {
    Varies.ANGLE: "the angle varied",
    Varies.MODEL: "the image model varied",
    Varies.TONE_WAY: "the tone's way varied",
    Varies.STRENGTH: "a strength varied",
}
_NAMES_MAX = 2  # of people, before they are "other people"


def made_with(
    made: Comparison,
    planned: Planned,
    render: RenderSettings,
    vocabulary: Vocabulary,
    *,
    render_b: RenderSettings | None = None,
) -> str:
    """What was different of a comparison: `cinematic · low angle, another prompt`; empty where nothing is.

    `render` is what the plan would be made with, `render_b` side B of it where that differs.

    What has a short name is named as it was then; all else is "another". What follows from something that is named
    (another tone has other references) is not told again, and sides that only one of both has are not compared.
    """
    names = {side.side for side in made.sides} & {side.side for side in planned.sides}
    then = [slot for side in made.sides if side.side in names for slot in side.slots]
    now = [slot for side in planned.sides if side.side in names for slot in side.slots]
    attributes = dict(_attributes(made, planned, vocabulary, has_angle=bool({SideName.TONE_ANGLE, SideName.B} & names)))
    people = _people(then) if _personas(then) != _personas(now) else ""
    mode = _MODES[made.mode] if made.mode is not planned.injection.wishes.mode else ""
    compared = "" if mode else _compared(made.wishes, planned.injection.wishes)
    values = [*attributes.values(), people, mode, compared, *_rendered(made, render, render_b)]
    is_alone = bool(mode) and any(each.is_balanced for each in (made.wishes, planned.injection.wishes))
    explained = {*attributes, *((Role.MODEL,) if attributes or people or compared or is_alone else ())}
    others = [
        "another prompt" if made.wishes.prompt.strip() != planned.injection.wishes.prompt.strip() else "",
        "other references" if _keys(then, explained) != _keys(now, explained) else "",
        "another strength" if _strengths(then, made.wishes) != _strengths(now, planned.injection.wishes) else "",
    ]
    return ", ".join(filter(None, (" · ".join(filter(None, values)), *others)))


def _attributes(
    made: Comparison, planned: Planned, vocabulary: Vocabulary, *, has_angle: bool
) -> Iterator[tuple[Role, str]]:
    """Tone and angle as they were, where the plan has others."""
    settled = planned.injection.settled
    if made.tone != (settled.tone.value if settled.tone else None):
        yield Role.TONE, _name(made.tone, vocabulary.tones) or "no tone"
    if has_angle and made.angle != (settled.angle.value if settled.angle else None):
        yield Role.ANGLE, _name(made.angle, vocabulary.angles) or "no angle"


def _compared(then: Wishes, now: Wishes) -> str:
    """What two sides varied, or else how they were planned, where that is another now."""
    if Mode.COMPARE not in (then.mode, now.mode):
        return ""
    if then.varies is not now.varies:
        return _VARIED[then.varies]
    if then.varies is Varies.ANGLE and then.balanced is not now.balanced:
        return "balanced" if then.balanced else "as each mode alone"
    return ""


def _rendered(made: Comparison, render: RenderSettings, render_b: RenderSettings | None) -> Iterator[str]:
    """Size, model and quality as they were, where others are chosen; those of side B where it had its own."""
    if made.size != render.size:
        yield str(made.size)
    yield from filter(None, (_made_by(made.render, render),))
    own = next((side.render for side in made.sides if side.side is SideName.B), None)
    if own is not None and render_b is not None:
        yield from (f"B {said}" for said in filter(None, (_made_by(own, render_b),)))


def _made_by(then: RenderSettings, now: RenderSettings) -> str:
    if (then.engine, then.model) != (now.engine, now.model):
        return then.model
    return "" if then.quality == now.quality else f"{then.quality} quality"


def _name(term_id: str | None, terms: Iterable[Term]) -> str:
    """A term as it stands in a sentence; a record may name one that the vocabulary has no more."""
    return next((term.name.lower() for term in terms if term.id == term_id), term_id or "")


def _people(slots: Iterable[Slot]) -> str:
    names = sorted(_personas(slots))
    if not names:
        return "no person"
    return " and ".join(names) if len(names) <= _NAMES_MAX else "other people"


def _personas(slots: Iterable[Slot]) -> frozenset[str]:
    """Who goes in."""
    keys = (slot.key for slot in slots if slot.role is Role.MODEL and slot.key)
    return frozenset(persona for key in keys if (persona := persona_of(key)))


def _keys(slots: Iterable[Slot], explained: Collection[Role]) -> list[str | None]:
    """The references side by side, but for the roles whose others are explained, and for places left empty."""
    return [slot.key for slot in slots if slot.key and slot.role not in explained]


def _strengths(slots: Iterable[Slot], wishes: Wishes) -> frozenset[tuple[str, Strength]]:
    """What is to be followed more or less closely than usual, of what goes in; on B where that is what varies."""
    ids = {slot.id for slot in slots if slot.key}
    said = [(each, wishes.strengths.get(each, Strength.NORMAL)) for each in ids]
    if wishes.varies is Varies.STRENGTH:
        said += [(f"{each} on B", strength) for each, strength in wishes.strengths_b.items() if each in ids]
    return frozenset((slot_id, strength) for slot_id, strength in said if strength is not Strength.NORMAL)
