"""Tooltips: the terms that a screen cannot do without, each in the words of `docs/glossary.md`."""

from __future__ import annotations

from typing import Final

CONTROLLED_HELP: Final = (
    "The two sides differ in the angle alone: same tone reference, same people, same settings. With “controlled: no” "
    "something else differs too, which is named, and a comparison says less."
)
UNPRICED_HELP: Final = "Charged, or perhaps charged, at a price nobody knows here. It is not free."
FIDELITY_HELP: Final = (
    "How near the picture's colours come to its tone reference: 100 is the same distribution of colours, "
    "50 is 12 units away, where 2 units are just noticeable and black to white is 100."
)
