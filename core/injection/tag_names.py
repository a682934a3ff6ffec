"""Tag names: what a plan says to people calls tones, angles and genders as the screen does, never by their ids."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from core.injection.plan import Injection
from core.injection.request.fairness import Fairness
from core.injection.request.slots import Slot
from core.references.vocabulary import Vocabulary


def with_names(injection: Injection, vocabulary: Vocabulary) -> Injection:
    """The same plan in the words of the screen; what code reads of it (`wished`, the values of steps) stays."""
    said = partial(in_screen_words, vocabulary)
    sides = tuple(
        replace(side, slots=tuple(_slot_in_words(slot, said) for slot in side.slots)) for side in injection.sides
    )
    return replace(injection, sides=sides, fairness=_fairness_in_words(injection.fairness, said))


def in_screen_words(vocabulary: Vocabulary, sentence: str) -> str:
    """One sentence of a plan, of an old record too."""
    said = vocabulary.in_names(sentence)
    return said.replace("labelled feminine", "labelled as a woman").replace("labelled masculine", "labelled as a man")


def _slot_in_words(slot: Slot, said: Callable[[str], str]) -> Slot:
    steps = tuple(replace(step, step=said(step.step)) for step in slot.steps)
    return replace(slot, why=said(slot.why), steps=steps)


def _fairness_in_words(fairness: Fairness | None, said: Callable[[str], str]) -> Fairness | None:
    if fairness is None:
        return None
    differences = tuple(replace(one, says=said(one.says)) for one in fairness.differences)
    return replace(fairness, differences=differences, note=said(fairness.note))
