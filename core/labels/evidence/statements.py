"""Statements: what is said about one field of one portrait, by whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.labels.published.schema import LabelField

# Both years of an age, a word for every other field.
Word = tuple[int, int] | str


@dataclass(frozen=True, slots=True)
class Assertion:
    """A word that is taken for true unless something speaks against it: of the label, of the folder."""

    source: str
    word: Word


@dataclass(frozen=True, slots=True)
class Opinion:
    """A labeler's word; `sureness` names how sure it said it is, as coarsely as that can be calibrated."""

    labeler: str
    sureness: str
    word: Word


@dataclass(frozen=True, slots=True)
class Ruling:
    """A person's word, and the one that was shown when it was given."""

    reviewer: str
    seen: Word | None
    word: Word


@dataclass(frozen=True, slots=True)
class Statements:
    """Everything said about a field. `shown` is the word that is judged; `before` the one from before people spoke.

    `reported` says that somebody found the picture in a wrong place, and nobody has looked since.
    """

    shown: Word
    before: Word | None
    assertions: tuple[Assertion, ...] = ()
    opinions: tuple[Opinion, ...] = ()
    rulings: tuple[Ruling, ...] = ()
    reported: bool = False


@dataclass(frozen=True, slots=True)
class PortraitStatements:
    """A picture with all that is said about it. `day` is its file's, in days since any day; `persona` who it shows."""

    id: str
    persona: str | None
    day: int
    fields: Mapping[LabelField, Statements]
