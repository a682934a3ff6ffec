"""The sent prompt: the subject as typed, the directives, and what to take from each picture."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.injection.request.slots import Slot
from core.injection.request.wishes import SettledWishes, SideName, Strength, Wishes
from core.references.key import fold
from core.references.vocabulary import Role, Vocabulary

_TAKE = {
    Role.TONE: (
        "tone reference: take its colour palette, contrast, light and grain. "
        "Do not take its subject, objects or composition."
    ),
    Role.ANGLE: (
        "camera angle reference: take its viewpoint, framing and perspective. "
        "Do not take its person, clothes, colours or background."
    ),
    Role.MODEL: ("person reference: keep this person's face, hair and build recognisable. Do not take its background."),
}


_HOW_CLOSELY = {
    Strength.HINT: "Use it as a hint only",
    Strength.STRONG: "Follow it closely",
    Strength.EXACT: "Match it as exactly as you can",
}


@dataclass(frozen=True, slots=True)
class Section:
    """One titled part of the sent prompt; only the subject was typed by a person."""

    title: str
    text: str
    typed: bool = False


def assemble(
    wishes: Wishes, settled: SettledWishes, slots: Sequence[Slot], side: SideName, vocabulary: Vocabulary
) -> tuple[Section, ...]:
    """The sections in the order in which they are sent. Pictures are numbered as they are attached."""
    sections = [Section("Subject", wishes.prompt, typed=True)]
    if settled.tone is not None:
        sections.append(Section("Tone", vocabulary.tone(settled.tone.value).directive))
    if settled.angle is not None and settled.planned_as(side) is SideName.TONE_ANGLE:
        sections.append(Section("Angle", vocabulary.angle(settled.angle.value).directive))
    attached = [slot for slot in slots if slot.filled]
    if attached:
        strengths = wishes.strengths_on(side)
        lines = [_line(number, slot, strengths) for number, slot in enumerate(attached, start=1)]
        people = [number for number, slot in enumerate(attached, start=1) if slot.role is Role.MODEL]
        names = {fold(slot.persona or "") for slot in attached if slot.role is Role.MODEL}
        if len(people) > 1 and len(names) == 1 and "" not in names:
            lines.append(f"Pictures {', '.join(map(str, people))} show the same person.")
        sections.append(Section("Attached pictures", "\n".join(lines)))
    return tuple(sections)


def as_text(sections: Sequence[Section]) -> str:
    """The prompt as it is sent.

    The typed part stands between fences longer than any run of quotes in it, so that nothing typed can
    pass for a section of ours.
    """
    parts = []
    for section in sections:
        if section.typed:
            longest = max(map(len, re.findall('"+', section.text)), default=0)
            fence = '"' * max(3, longest + 1)
            parts.append(f"{section.title}, between the quotes:\n{fence}\n{section.text}\n{fence}")
        else:
            parts.append(f"{section.title}:\n{section.text}")
    return "\n\n".join(parts)


def _line(number: int, slot: Slot, strengths: Mapping[str, Strength]) -> str:
    """What one attached picture is for. The usual strength needs no words."""
    strength = strengths.get(slot.id, Strength.NORMAL)
    closely = "" if strength is Strength.NORMAL else f" {_HOW_CLOSELY[strength]}."
    return f"Picture {number} is a {_TAKE[slot.role]}{closely}"
