"""Claims: what a wish asks the label of a picture to say."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Protocol

from core.labels.schema import Label


@dataclass(frozen=True, slots=True)
class Claim:
    """How the person presents, or the years that the middle of theirs lies in, both ends included."""

    gender: str | None = None
    ages: tuple[int, int] | None = None

    def made_by(self, label: Label) -> bool:
        """Whether this label says so."""
        return (self.gender is None or label.gender_presentation == self.gender) and (
            self.ages is None or label.fits_age(*self.ages)
        )


@dataclass(frozen=True, slots=True)
class Claimed:
    """Etags: `surely` of the bytes whose every label makes the claim, `partly` of those whose labels differ by key."""

    surely: AbstractSet[str]
    partly: AbstractSet[str]


class Labelled(Protocol):
    """A picture as labels know it."""

    @property
    def key(self) -> str:
        """Where it lies."""

    @property
    def etag(self) -> str:
        """Which bytes it is."""
