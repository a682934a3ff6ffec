"""The take's grade: what makes the preview's takes of one side differ, as an image model's do by themselves."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image

from core.images.tone_fidelity import Floats, oklab_samples
from core.images.tone_transfer import recoloured

# In units of `tone_distance` where the middle tones are; about 2 are just noticeable, and 12 are another mood.
_SHIFT: Final = 7.0
# Warm is towards orange in Oklab's a and b, half of its unit there: `tone_distance` counts both twice.
_WARM: Final = np.array([0.35, 0.94], dtype=np.float32) / 2
_HARDER: Final = 2.0  # contrast moves shadows and lights apart, and the middle hardly
_COLOURLESS: Final = 0.014  # of Oklab's chroma, as the tone transfer has it
_SAMPLES_PX: Final = 48
_FURTHER: Final = 3  # takes after the first: they stand evenly around it
_SAID: Final = 0.35  # of the shift; less in one direction is not worth a word


@dataclass(frozen=True, slots=True)
class TakeGrade:
    """How far a further take is moved: lighter or darker, and warmer or cooler; without colours harder or softer.

    `light` and `other` run from -1 to 1 and lie on a circle; the takes of one seed lie a third of it apart, so that no
    two look alike.
    """

    light: float
    other: float

    @classmethod
    def of(cls, seed: int, take: int) -> TakeGrade | None:
        """The grade of a take from 1; the first has none. Both sides of a take have the same: they stay a fair pair."""
        if take == 1:
            return None
        chance = int.from_bytes(hashlib.sha256(f"take\n{seed}".encode()).digest()[:4]) / 2**32
        angle = 2 * math.pi * (chance + (take - 2) / _FURTHER)
        return cls(math.cos(angle), math.sin(angle))

    def laid_over(self, picture: Image.Image) -> tuple[Image.Image, str]:
        """The picture so graded, RGB and of the same size, and what that did in words, like `lighter and cooler`."""
        colours = oklab_samples(picture, _SAMPLES_PX)
        is_colourless = bool(np.quantile(np.hypot(colours[:, 1], colours[:, 2]), 0.95) < _COLOURLESS)

        def change(lab: Floats) -> Floats:
            middle = 4 * lab[:, 0] * (1 - lab[:, 0])  # neither black nor white is moved
            by = _SHIFT / 100 * np.clip(middle, 0, 1)
            moved = lab.copy()
            moved[:, 0] += self.light * by
            if is_colourless:
                moved[:, 0] += _HARDER * self.other * by * np.tanh(6 * (lab[:, 0] - 0.5))
            else:
                moved[:, 1:] += self.other * by[:, None] * _WARM
            return moved

        return recoloured(picture, change), self._words(("softer", "harder") if is_colourless else ("cooler", "warmer"))

    def _words(self, other: tuple[str, str]) -> str:
        said = ((self.light, ("darker", "lighter")), (self.other, other))
        return " and ".join(words[value > 0] for value, words in said if abs(value) > _SAID)
