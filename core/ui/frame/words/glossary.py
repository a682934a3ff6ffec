"""Tooltips: the terms that a screen cannot do without, each in the words of `docs/glossary.md`."""

from __future__ import annotations

from typing import Final

CONTROLLED_HELP: Final = (
    "The two requests, compared field by field as they would be sent, differ in what varies and in nothing else. With "
    "“controlled: no” something else differs too, which is named, and a comparison says less."
)
BALANCED_HELP: Final = (
    "Both sides get equally many person references of the same person. As each mode alone, which is the other choice, "
    "each side gets what its mode by itself would."
)
TAKES_HELP: Final = (
    "How many pictures of each side are made: an image model answers differently each time, so one proves little. Each "
    "is a call of its own."
)
UNPRICED_HELP: Final = "Charged, or perhaps charged, at a price nobody knows here. It is not free."
FIDELITY_HELP: Final = (
    "How near the picture's colours come to its tone reference: 100 is the same distribution of colours, "
    "50 is 12 units away, where 2 units are just noticeable and black to white is 100."
)
