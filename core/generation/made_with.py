"""Made with: in what a recorded comparison differs from the plan that stands before one's eyes, in short words."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from core.generation.planning import Planned
from core.generation.records.comparison import Comparison, RenderSettings
from core.injection.slots import Slot
from core.injection.wishes import Mode, SideName, Strength, Wishes
from core.references.key import persona_of
from core.references.vocabulary import Role, Term, Vocabulary

_MODES = {Mode.TONE_ONLY: "tone only", Mode.TONE_ANGLE: "tone + angle", Mode.COMPARE: "both sides"}
_NAMES_MAX = 2  # of people, before they are "other people"


def made_with(made: Comparison, planned: Planned, render: RenderSettings, vocabulary: Vocabulary) -> str:
    """What was different of a comparison: `cinematic · low angle, another prompt`; empty where nothing is.

    What has a short name is named as it was then; all else is "another". What follows from something that is named
    (another tone has other references) is not told again, and sides that only one of both has are not compared.
    """
    names = {side.side for side in made.sides} & {side.side for side in planned.sides}
    then = [slot for side in made.sides if side.side in names for slot in side.slots]
    now = [slot for side in planned.sides if side.side in names for slot in side.slots]
    attributes = dict(_attributes(made, planned, vocabulary, has_angle=SideName.TONE_ANGLE in names))
    people = _people(then) if _personas(then) != _personas(now) else ""
    mode = _MODES[made.mode] if made.mode is not planned.injection.wishes.mode else ""
    values = [*attributes.values(), people, mode, *_rendered(made, render)]
    explained = {*attributes, *((Role.MODEL,) if attributes or people else ())}
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


def _rendered(made: Comparison, render: RenderSettings) -> Iterator[str]:
    """Size, model and quality as they were, where others are chosen."""
    if made.size != render.size:
        yield str(made.size)
    if (made.engine, made.model) != (render.engine, render.model):
        yield made.model
    elif made.quality != render.quality:
        yield f"{made.quality} quality"


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
    """What is to be followed more or less closely than usual, of what goes in."""
    said = ((slot.id, wishes.strengths.get(slot.id, Strength.NORMAL)) for slot in slots if slot.key)
    return frozenset((slot_id, strength) for slot_id, strength in said if strength is not Strength.NORMAL)
