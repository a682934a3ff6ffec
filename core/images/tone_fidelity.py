"""How near the colours of one picture are to the colours of another, for the eye."""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

Floats = npt.NDArray[np.float32]

# Björn Ottosson, "A perceptual color space for image processing" (2020),
# https://bottosson.github.io/posts/oklab/: linear sRGB → cone response → cube root → Oklab.
OKLAB_CONES: Final[Floats] = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ],
    dtype=np.float32,
)
OKLAB_AXES: Final[Floats] = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ],
    dtype=np.float32,
)

_SIDE_PX = 48
_DIRECTIONS = 24
_HALF_SCORE_DISTANCE = 12.0


def srgb_to_linear(encoded: Floats) -> Floats:
    """Light from sRGB codes, both 0..1 (IEC 61966-2-1)."""
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4).astype(np.float32)


_LIGHT_OF_BYTE: Final[Floats] = srgb_to_linear(np.linspace(0, 1, 256, dtype=np.float32))


def linear_to_oklab(light: Floats) -> Floats:
    """Oklab of linear sRGB 0..1; the last axis is r, g, b in and L, a, b out."""
    return np.asarray(np.cbrt(light @ OKLAB_CONES.T) @ OKLAB_AXES.T, dtype=np.float32)


def byte_samples(picture: Image.Image, side_px: int) -> npt.NDArray[np.uint8]:
    """A picture as side_px × side_px box averages in sRGB bytes, shape (side_px², 3)."""
    rgb = picture if picture.mode == "RGB" else picture.convert("RGB")
    small = rgb.resize((side_px, side_px), Image.Resampling.BOX, reducing_gap=2.0)
    return np.asarray(small, dtype=np.uint8).reshape(-1, 3)


def oklab_samples(picture: Image.Image, side_px: int) -> Floats:
    """The same box averages in Oklab: L in 0..1, a and b within about ±0.35."""
    return linear_to_oklab(_LIGHT_OF_BYTE[byte_samples(picture, side_px)])


def tone_distance(a: Image.Image, b: Image.Image) -> float:
    """How far the colours of `a` must travel to become those of `b`; where they sit does not count.

    Sliced 1-Wasserstein distance (Bonneel et al. 2015) over fixed directions in Oklab with a and b
    doubled, as CSS Color's ΔE_OK2 weighs them. The unit is a hundredth of Oklab lightness: black to white is
    100, a picture made lighter by 0.05 all over is 5 away, and about 2 is just noticeable.
    """
    # The mean of |cos| over a sphere is 1/2: twice the mean travel along the slices makes an even shift
    # by d measure d.
    return 200.0 * float(np.abs(_slices(a) - _slices(b)).mean())


def tone_fidelity(picture: Image.Image, tone: Image.Image) -> float:
    """How well a picture keeps to a tone reference's colours, 0..100: 100 / (1 + (distance / 12)²).

    100: the same colours. Above 80: reads as the same tone, as do two references of one tone.
    50: related, but a person sees two moods. Below 20: another tone altogether.
    Lightness and colour count; what the pictures show does not.
    """
    return 100.0 / (1.0 + (tone_distance(picture, tone) / _HALF_SCORE_DISTANCE) ** 2)


def _slices(picture: Image.Image) -> Floats:
    weighted = oklab_samples(picture, _SIDE_PX) * np.array([1, 2, 2], dtype=np.float32)
    return np.sort(_directions() @ weighted.T, axis=1)


@cache
def _directions() -> Floats:
    """Directions evenly over the half sphere (a Fibonacci lattice): the other half measures the same."""
    index = np.arange(_DIRECTIONS) + 0.5
    height = index / _DIRECTIONS
    turn = np.pi * (1 + 5**0.5) * index
    radius = np.sqrt(1 - height**2)
    return np.stack([height, radius * np.cos(turn), radius * np.sin(turn)], axis=1).astype(np.float32)
