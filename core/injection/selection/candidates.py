"""Candidates: the pictures of one model group that meet every wish, and the steps that left them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from core.injection.request.slots import Rule, Trail
from core.injection.selection.narrowing import Narrowing
from core.references.key import fold
from core.references.reference import AttributeGroup, Reference


@dataclass(frozen=True)
class Candidates:
    """A group with the pictures in it that meet every wish."""

    group: AttributeGroup
    references: tuple[Reference, ...]
    trail: Trail
    twin: Candidates | None = None
    is_beyond: bool = False  # the number of groups a side may have, and named only for its pin

    def like(self, other: Candidates) -> Candidates:
        """These, with the people of the other side's told apart only once where the pictures are the same."""
        same = other is not self and other.references is self.references
        return replace(self, twin=other) if same else self

    @property
    def slot_id(self) -> str:
        """The slot this group fills; the same on both sides, so that a pin holds on both."""
        return f"model:{self.group.path}"

    @cached_property
    def by_person(self) -> Mapping[str, tuple[Reference, ...]]:
        """The pictures of each person, by folded persona."""
        return self.twin.by_person if self.twin else self.group.people_among(self.references)

    def of(self, persona: str | None) -> tuple[Reference, ...]:
        """The pictures of one person."""
        return self.by_person.get(fold(persona), ()) if persona is not None else ()


def narrow(group: AttributeGroup, wanted: Sequence[Narrowing]) -> Candidates:
    """Narrow a group by every wish, each step written down."""
    left: Sequence[Reference] = group.usable
    trail = Trail()
    trail.note(Rule.GROUP, f"in the group “{group.name}”", group.references, group.path)
    for narrowing in wanted:
        left = narrowing.left_of(group, left)
        narrowing.note(trail, len(left))
    return Candidates(group, tuple(left), trail)
