"""The trail of a slot: why this picture, step by step, in the words of whoever planned it."""

from __future__ import annotations

from functools import partial

from core.injection.request.slots import Slot, Step
from core.injection.request.wishes import WishedFrom
from core.injection.tag_names import in_screen_words
from core.references.vocabulary import Vocabulary
from core.ui.frame.words.markdown import Markdown, code, fill, joined
from core.ui.generate.slots.near_miss_words import near_miss_words

_SOURCES: dict[str | None, str] = {
    WishedFrom.PICKED: "picked by you",
    WishedFrom.PROMPT: "read from the prompt",
    WishedFrom.CHANCE: "by chance",
}


def trail(slot: Slot, name: str, vocabulary: Vocabulary) -> Markdown:
    """The whole explanation of a slot; records of before tags had names on screen are put into them, too."""
    said = partial(in_screen_words, vocabulary)
    lines = [fill("**{}**: {}", name, said(slot.why))]
    if slot.wished:
        lines.append(fill("Wished: {} ({})", said(slot.wished), slot.wished_from))
    if slot.steps:
        rows = joined("", (fill("\n| {}{} | {:,} |", said(step.step), _source(step), step.left) for step in slot.steps))
        lines.append(fill("| Step | Left |\n|---|---:|{}", rows))
    if slot.key:
        lines.append(code(slot.key))
    lines += [fill("- {}", near_miss_words(miss, slot, vocabulary)) for miss in slot.near]
    return joined("\n\n", lines)


def _source(step: Step) -> Markdown:
    return fill(" :gray[· {}]", _SOURCES[step.source]) if step.source in _SOURCES else fill("")
