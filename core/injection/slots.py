"""Slots: the places of an injection, each filled or empty, each with its reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from core.references.attributes import Role
from core.references.key import file_name, persona_of
from core.references.reference import Reference


@dataclass(frozen=True, slots=True)
class Step:
    """One narrowing: what was asked, and how many pictures were left after it."""

    step: str
    left: int


@dataclass(frozen=True, slots=True)
class NearMiss:
    """The one wish to loosen, the value that would do, and how many pictures that gives."""

    loosen: str
    to: str
    pictures: int


@dataclass(frozen=True, slots=True)
class Slot:
    """One place in a side. `key` and `etag` are None when it is empty; `why` always says why.

    `id` is `tone`, `angle` or `model:<group path>`; pins, re-rolls and off-switches go by it.
    """

    id: str
    role: Role
    key: str | None
    etag: str | None
    group: str | None
    folder: str | None
    wished: str | None
    wished_from: str | None
    why: str
    steps: tuple[Step, ...]
    choices: int = 0
    pinned: bool = False
    near: tuple[NearMiss, ...] = ()

    @property
    def filled(self) -> bool:
        """Whether a reference goes in."""
        return self.key is not None

    @property
    def persona(self) -> str | None:
        """Who is in the picture."""
        return persona_of(self.key) if self.key else None

    @property
    def name(self) -> str | None:
        """The picture's file name."""
        return file_name(self.key) if self.key else None


@dataclass
class Trail:
    """Writes down each narrowing as it happens."""

    steps: list[Step] = field(default_factory=list)

    def note(self, step: str, left: Sequence[Reference] | int) -> None:
        """Record a step and what it left."""
        self.steps.append(Step(step, left if isinstance(left, int) else len(left)))

    def done(self) -> tuple[Step, ...]:
        """The steps so far."""
        return tuple(self.steps)
