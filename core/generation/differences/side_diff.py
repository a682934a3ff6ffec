"""Side differences: in what the requests of two pictures differ, whichever comparisons they are of."""

from __future__ import annotations

import unicodedata
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from core.generation.records.comparison import Comparison, SideRecord
from core.injection.request.slots import Slot
from core.injection.request.wishes import SideName, Strength
from core.references.key import fold
from core.references.vocabulary import Role, Term, Vocabulary

_NONE: Final = "none"
_APART_CHARS: Final = 48  # of what differs in a prompt
_BEFORE_CHARS: Final = 16  # of what stands before it
_ENDINGS: Final = " ,.;:、，。"  # that end no word and stand badly before dots


@dataclass(frozen=True, slots=True)
class ComparedSide:
    """One side of one comparison."""

    comparison: Comparison
    side: SideName

    @property
    def record(self) -> SideRecord:
        """What it was asked for. Raises KeyError for a side that the comparison has not."""
        return self.comparison.side(self.side)


@dataclass(frozen=True, slots=True)
class SideDifference:
    """One thing that is not the same in two requests, and what it is in each."""

    what: str
    left: str
    right: str


@dataclass(frozen=True, slots=True)
class SideDiff:
    """In what two requests differ, and what in them is the same."""

    differences: tuple[SideDifference, ...]
    same: tuple[str, ...]


class _Point(NamedTuple):
    """What is compared, by what it is compared, and how that is told."""

    what: str
    value: Hashable
    words: str


def diff_sides(left: ComparedSide, right: ComparedSide, vocabulary: Vocabulary) -> SideDiff:
    """Compare two requests point by point: what was asked for, what went in, and who made a picture of it."""
    differences, same = [], []
    for one, other in zip(_points(left, vocabulary), _points(right, vocabulary), strict=True):
        if one.value == other.value:
            same.append(one.what)
        else:
            differences.append(SideDifference(one.what, *_told(one, other)))
    return SideDiff(tuple(differences), tuple(same))


def _points(of: ComparedSide, vocabulary: Vocabulary) -> Iterator[_Point]:
    """Always the same points, in the order in which they are told."""
    comparison, slots, render = of.comparison, of.record.slots, of.comparison.render_of(of.side)
    prompt = unicodedata.normalize("NFC", " ".join(comparison.wishes.prompt.split()))
    yield _Point("prompt", prompt, prompt)
    yield _plain("kind", _kind(of).heading)
    yield _plain("tone", _name(vocabulary.tones, comparison.tone))
    yield _plain("angle", _name(vocabulary.angles, comparison.angle) if _kind(of) is SideName.TONE_ANGLE else _NONE)
    yield _people(slots)
    yield _pictures("tone reference", slots, Role.TONE)
    yield _pictures("angle reference", slots, Role.ANGLE)
    yield _pictures("person references", slots, Role.MODEL)
    yield _strengths(of)
    yield _plain("size", str(render.size))
    yield _plain("engine", render.engine)
    yield _plain("image model", render.model)
    yield _plain("quality", render.quality)
    yield _plain("seed", str(comparison.seed))
    yield _plain("made by", comparison.person or "nobody")


def _kind(of: ComparedSide) -> SideName:
    """What was sent, whatever its comparison calls it: A and B are both tone + angle, or both tone only."""
    if of.side not in (SideName.A, SideName.B):
        return of.side
    return SideName.TONE_ANGLE if of.record.asks_for_angle else SideName.TONE_ONLY


def _plain(what: str, words: str) -> _Point:
    return _Point(what, words, words)


def _name(terms: Iterable[Term], term_id: str | None) -> str:
    """A term's name; the id of one that the vocabulary has lost since."""
    return next((term.name for term in terms if term.id == term_id), term_id or _NONE)


def _people(slots: Iterable[Slot]) -> _Point:
    people = {fold(slot.persona): slot.persona for slot in slots if slot.role is Role.MODEL and slot.persona}
    return _Point("person", frozenset(people), _listed(people.values()))


def _pictures(what: str, slots: Iterable[Slot], role: Role) -> _Point:
    """By key and bytes: a picture that was replaced under its name is another one."""
    filled = [slot for slot in slots if slot.role is role and slot.filled]
    return _Point(what, tuple((slot.key, slot.etag) for slot in filled), _listed(slot.name or "" for slot in filled))


def _strengths(of: ComparedSide) -> _Point:
    asked = of.comparison.wishes.strengths_on(of.side)
    unusual = [
        (slot, strength)
        for slot in of.record.slots
        if slot.filled and (strength := asked.get(slot.id, Strength.NORMAL)) is not Strength.NORMAL
    ]
    told = ", ".join(f"{slot.name} {strength.value}" for slot, strength in unusual) or Strength.NORMAL.value
    return _Point("strength", frozenset((slot.id, strength) for slot, strength in unusual), told)


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words) or _NONE


def _told(one: _Point, other: _Point) -> tuple[str, str]:
    """What each is in words that differ where the values do."""
    if one.what == "prompt":
        return _apart(one.words, other.words)
    if one.words == other.words:
        return f"{one.words} (one file)", f"{other.words} (another of this name)"
    return one.words, other.words


def _apart(one: str, other: str) -> tuple[str, str]:
    """Two texts from a few letters before the word at which they part, no longer than can be read in passing."""
    parts = _shared(one, other)
    begins = max(one.rfind(" ", 0, parts) + 1, parts - _BEFORE_CHARS)  # a word may be longer than all that is told
    start = max(0, begins - _BEFORE_CHARS)
    ends = _shared(one[begins:][::-1], other[begins:][::-1])
    return _cut(one, start, ends), _cut(other, start, ends)


def _shared(one: str, other: str) -> int:
    """With how many letters both begin."""
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _cut(text: str, start: int, ends: int) -> str:
    """What of a text is told, with dots where something is left out."""
    until = len(text) - ends
    if ends and (word_ends := text.find(" ", until)) >= 0:
        until = word_ends
    elif ends:
        until = len(text)
    until = min(until, start + _BEFORE_CHARS + _APART_CHARS)
    told = text[start:until].strip()
    if until < len(text):
        told = f"{told.rstrip(_ENDINGS)}…"
    return f"{'…' if start else ''}{told}" or _NONE
