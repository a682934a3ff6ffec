"""Sent sides: what one side's request holds, as it would be sent, in the form in which two of them are compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.injection.request.prompt import Section
from core.injection.request.slots import Slot
from core.injection.request.wishes import SideName, Strength, Wishes
from core.references.key import fold
from core.references.vocabulary import Role, Vocabulary


@dataclass(frozen=True, slots=True)
class SentRender:
    """What makes a side's picture: all that is chosen besides the prompt and the references."""

    engine: str
    model: str
    size: str
    quality: str


@dataclass(frozen=True, slots=True)
class SentPicture:
    """One attached picture: its number in the request, what it is for, and what its group's name says of it."""

    number: int
    role: Role
    slot_id: str
    key: str
    etag: str | None
    tone: str | None
    angle: str | None
    persona: str | None
    strength: Strength

    @property
    def who(self) -> str:
        """The person, by folded name; a picture whose name says nobody counts as somebody of its own."""
        return fold(self.persona) if self.persona else f"\0{self.key}"


@dataclass(frozen=True, slots=True)
class SentSide:
    """One side's request. `angle` is what its prompt asks for; without `render` nobody has said yet what makes it."""

    name: SideName
    sections: tuple[Section, ...]
    pictures: tuple[SentPicture, ...]
    angle: str | None = None
    render: SentRender | None = None

    def of(self, role: Role) -> tuple[SentPicture, ...]:
        """The pictures of a role, in the order in which they are attached."""
        return tuple(picture for picture in self.pictures if picture.role is role)

    def text(self, title: str) -> str | None:
        """What a section says; None where the request has no such section."""
        return next((section.text for section in self.sections if section.title == title), None)


def sent_side(
    side: SideName,
    slots: Sequence[Slot],
    sections: tuple[Section, ...],
    *,
    wishes: Wishes,
    angle: str | None,
    vocabulary: Vocabulary,
    render: SentRender | None = None,
) -> SentSide:
    """The request of planned or recorded slots; the tags are what the vocabulary reads in the groups' names today.

    `angle` is the wished one; it counts where the prompt has a section on it.
    """
    strengths, pictures = wishes.strengths_on(side), []
    for number, slot in enumerate((slot for slot in slots if slot.key), start=1):
        tags = vocabulary.tags_of(slot.group or "")
        strength = strengths.get(slot.id, Strength.NORMAL)
        picture = SentPicture(
            number, slot.role, slot.id, slot.key or "", slot.etag, tags.tone, tags.angle, slot.persona, strength
        )
        pictures.append(picture)
    sent = SentSide(side, sections, tuple(pictures), None, render)
    return SentSide(side, sections, tuple(pictures), angle if sent.text("Angle") is not None else None, render)
