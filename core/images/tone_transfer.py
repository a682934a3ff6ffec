"""Giving a portrait the colours of a tone reference, held back where a full transfer looks wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from core.images.tone_fidelity import (
    OKLAB_AXES,
    OKLAB_CONES,
    Floats,
    byte_samples,
    linear_to_oklab,
    oklab_samples,
    srgb_to_linear,
)

_Matrix = npt.NDArray[np.floating]

_NODES = 25  # per LUT axis; more are not told apart by eye, and building takes nodes³
_SAMPLES_PX = 64
_LIGHTNESS: Final[Floats] = np.linspace(0, 1, 65, dtype=np.float32)

_FIGURE_LIGHTNESS_GAIN = 0.5
_GROUND_LIGHTNESS_GAIN = 0.64
_COLOUR_GAIN = 0.95
_FARTHEST_SHIFT = 0.2  # in Oklab a, b
_SKIN_HOLD = 0.8
_SKIN_LIGHTNESS_HOLD = 0.3
_NEUTRAL_HOLD = 0.35
_STRETCH = (0.25, 2.2)
_SLOPE = (0.62, 1.45)

_CONES_FROM_LAB: Final[Floats] = np.linalg.inv(OKLAB_AXES.astype(np.float64)).astype(np.float32)
_LIGHT_FROM_CONES: Final[Floats] = np.linalg.inv(OKLAB_CONES.astype(np.float64)).astype(np.float32)


def transfer(content: Image.Image, tone: Image.Image) -> Image.Image:
    """The content in the tone's colours: RGB, the content's size, the same for the same two pictures.

    Per lightness rank the tone's mean colour is met, and around it the spread is moved by the linear
    Monge-Kantorovich map of Pitié & Kokaram, "The linear Monge-Kantorovitch linear colour mapping for
    example-based colour transfer" (2007), all in Oklab. Skin, neutrals and deep shadows are held back;
    colours of the picture's rim (the wall behind a person) are not. Chroma beyond sRGB is bent in softly.
    A colourless tone gives a colourless picture.
    """
    rgb = content if content.mode == "RGB" else content.convert("RGB")
    return rgb.filter(ImageFilter.Color3DLUT(_NODES, _table(rgb, tone)))


def recoloured(picture: Image.Image, change: Callable[[Floats], Floats]) -> Image.Image:
    """The picture with every colour changed, RGB; `change` gets and gives Oklab colours, shape (n, 3)."""
    rgb = picture if picture.mode == "RGB" else picture.convert("RGB")
    changed = change(_lattice().lab)
    return rgb.filter(ImageFilter.Color3DLUT(_NODES, _encoded(changed[:, 0], changed[:, 1:])))


def _table(content: Image.Image, tone: Image.Image) -> Floats:
    """The whole transfer as sRGB 0..1 at the LUT's nodes, red fastest, flat."""
    ours, theirs = oklab_samples(content, _SAMPLES_PX), oklab_samples(tone, _SAMPLES_PX)
    lattice = _lattice()
    lightness, ab = lattice.lab[:, 0], lattice.lab[:, 1:]
    ground = _ground(byte_samples(content, _SAMPLES_PX))
    # A wall may have a skin's hue by chance, but the core of the skin hues is protected wherever it is.
    unguarded = ground * (1 - 0.85 * lattice.skin_core)
    skin = lattice.skin * (1 - unguarded)
    warm = lattice.warm * (1 - unguarded)
    neutral = lattice.neutral * (1 - ground)
    grey = 1 - float(_ramp(np.quantile(np.hypot(theirs[:, 1], theirs[:, 2]), 0.95), 0.006, 0.014))

    full = _matched_lightness(ours[:, 0], theirs[:, 0])
    figure = _at(_partly(full, ours[:, 0], _FIGURE_LIGHTNESS_GAIN), lightness)
    figure = figure + (_SKIN_LIGHTNESS_HOLD + 0.1 * grey) * skin * (lightness - figure)
    behind = _at(_partly(full, ours[:, 0], _GROUND_LIGHTNESS_GAIN + 0.12 * grey), lightness)
    new_lightness = figure + ground * (behind - figure)

    goal, cast = _goal(ours, theirs, full)
    shift = goal - ab
    length = np.hypot(shift[:, 0], shift[:, 1]) + 1e-9
    shift *= (_FARTHEST_SHIFT * np.tanh(length / _FARTHEST_SHIFT) / length)[:, None]
    gain = _COLOUR_GAIN * (1 - _SKIN_HOLD * skin) * (1 - _NEUTRAL_HOLD * neutral)
    gain *= _ramp(lightness, 0.1, 0.6) * (1 - 0.8 * neutral * _ramp(lightness, 0.9, 1.0))
    new_ab = ab + gain[:, None] * shift
    # What was warm keeps most of its red and yellow: no green, no blue faces.
    new_ab += warm[:, None] * np.maximum(ab * np.array([0.75, 0.6], dtype=np.float32) - new_ab, 0)
    new_ab += grey * (cast - new_ab)
    return _encoded(new_lightness, new_ab)


def _goal(ours: Floats, theirs: Floats, full: Floats) -> tuple[Floats, Floats]:
    """Where a plain transfer would send each node's a, b; and the tone's own mean there."""
    lab = _lattice().lab
    # Broad for the content, so that a wall of one colour stays apart from the rest of its picture.
    our_mean, their_mean = _cast(ours, 0.25), _cast(theirs, 0.06)
    our_rest = ours[:, 1:] - _at(our_mean, ours[:, 0])
    their_rest = theirs[:, 1:] - _at(their_mean, theirs[:, 0])
    spread = _monge_kantorovich(our_rest.T @ our_rest / len(ours), their_rest.T @ their_rest / len(theirs))
    cast = _at(their_mean, _at(_sloped(full, ours[:, 0], (0.3, 1.8)), lab[:, 0]))
    goal = cast + (lab[:, 1:] - _at(our_mean, lab[:, 0])) @ spread
    return goal.astype(np.float32), cast


def _monge_kantorovich(ours: _Matrix, theirs: _Matrix) -> Floats:
    """The symmetric map that carries one covariance of a, b onto the other, its stretches kept moderate."""
    noise = np.eye(2) * 0.012**2
    root = _square_root(ours + noise)
    back = np.linalg.inv(root)
    values, vectors = np.linalg.eigh(back @ _square_root(root @ (theirs + noise) @ root) @ back)
    return np.asarray((vectors * np.clip(values, *_STRETCH)) @ vectors.T, dtype=np.float32)


def _square_root(matrix: _Matrix) -> _Matrix:
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T)


def _cast(samples: Floats, width: float) -> Floats:
    """The mean a, b at each of `_LIGHTNESS`, over a Gaussian window; far from all samples, their mean."""
    # Samples are first counted per lightness step: a window over 65 steps costs less than over 4096 samples.
    steps = np.rint(np.clip(samples[:, 0], 0, 1) * (len(_LIGHTNESS) - 1)).astype(np.intp)
    sums = [np.bincount(steps, weights, len(_LIGHTNESS)) for weights in (None, samples[:, 1], samples[:, 2])]
    window = np.exp(-0.5 * ((_LIGHTNESS[:, None] - _LIGHTNESS) / width) ** 2)
    prior = 0.02 * len(samples)
    weight, near_a, near_b = (window @ total for total in sums)
    mean_a, mean_b = samples[:, 1:].mean(axis=0)
    means = (near_a + prior * mean_a, near_b + prior * mean_b)
    return np.asarray(np.stack(means, axis=1) / (weight + prior)[:, None], dtype=np.float32)


def _matched_lightness(ours: Floats, theirs: Floats) -> Floats:
    """The lightness of equal rank in the tone, at each of `_LIGHTNESS`, smoothed."""
    ranks = np.linspace(0, 1, 41)
    # The tiny ramp keeps a picture of one lightness from giving the same abscissa twice.
    matched = np.interp(_LIGHTNESS, np.quantile(ours, ranks) + ranks * 4e-5, np.quantile(theirs, ranks))
    window = np.exp(-0.5 * (np.arange(-6, 7) / 2.5) ** 2)
    return np.convolve(np.pad(matched, 6, mode="edge"), window / window.sum(), "valid").astype(np.float32)


def _partly(full: Floats, ours: Floats, gain: float) -> Floats:
    """Part of the way to the matched lightness, without crushed or hazy blacks and without blown whites."""
    curve = _sloped(_LIGHTNESS + gain * (full - _LIGHTNESS), ours, _SLOPE)
    lift = 1 - 0.8 * (1 - _ramp(_LIGHTNESS, 0, 0.45))
    curve = np.where(curve > _LIGHTNESS, _LIGHTNESS + (curve - _LIGHTNESS) * lift, curve)
    toe = 0.02 + 0.1 * np.exp(np.minimum(curve - 0.12, 0) / 0.1)
    shoulder = 0.985 - 0.085 * np.exp(-np.maximum(curve - 0.9, 0) / 0.085)
    return np.where(curve < 0.12, toe, np.where(curve > 0.9, shoulder, curve)).astype(np.float32)


def _sloped(curve: Floats, ours: Floats, slope: tuple[float, float]) -> Floats:
    """The curve with its slope kept within bounds, unmoved at the content's median lightness."""
    step = float(_LIGHTNESS[1])
    bounded = np.concatenate([[0.0], np.cumsum(np.clip(np.diff(curve), slope[0] * step, slope[1] * step))])
    middle = float(np.median(ours))
    offset = np.interp(middle, _LIGHTNESS, curve) - np.interp(middle, _LIGHTNESS, bounded)
    return np.asarray(bounded + offset, dtype=np.float32)


def _at(values: Floats, lightness: Floats) -> Floats:
    """Values given at `_LIGHTNESS` (one column or more), read at other lightnesses."""
    place = np.clip(lightness, 0, 1) * (len(_LIGHTNESS) - 1)
    below = np.minimum(place.astype(np.intp), len(_LIGHTNESS) - 2)
    part = (place - below).astype(np.float32)
    part = part if values.ndim == 1 else part[:, None]
    return np.asarray(values[below] * (1 - part) + values[below + 1] * part, dtype=np.float32)


def _ground(samples: npt.NDArray[np.uint8]) -> Floats:
    """How much each node's colour belongs to the picture's rim and not to its middle, 0..1."""
    rim, middle = _places()
    behind, before = _density(samples[rim]), _density(samples[middle])
    return _ramp(behind / (behind + before + 0.002), 0.2, 0.95)


def _density(samples: npt.NDArray[np.uint8]) -> Floats:
    nodes = np.rint(samples.astype(np.float32) * ((_NODES - 1) / 255)).astype(np.intp)
    flat = (nodes[:, 2] * _NODES + nodes[:, 1]) * _NODES + nodes[:, 0]
    count = np.bincount(flat, minlength=_NODES**3).astype(np.float32).reshape(_NODES, _NODES, _NODES)
    index = np.arange(_NODES, dtype=np.float32)
    blur = np.exp(-0.5 * ((index[:, None] - index) / 1.8) ** 2)
    count = blur @ (count @ blur)
    return np.asarray(blur @ count.reshape(_NODES, -1) / len(samples), dtype=np.float32).ravel()


@cache
def _places() -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Which samples lie on the rim (top and upper sides), and which where a person is."""
    y, x = (axis.ravel() for axis in np.mgrid[0:_SAMPLES_PX, 0:_SAMPLES_PX] / _SAMPLES_PX)
    rim = (y < 0.12) | ((y < 0.6) & (np.abs(x - 0.5) > 0.4))
    return rim, (np.abs(x - 0.5) < 0.2) & (np.abs(y - 0.45) < 0.25)


@dataclass(frozen=True, slots=True)
class _Lattice:
    """The LUT's nodes, and what their colours alone say about them (0..1 each)."""

    lab: Floats
    skin: Floats
    skin_core: Floats
    warm: Floats
    neutral: Floats


@cache
def _lattice() -> _Lattice:
    levels = srgb_to_linear(np.linspace(0, 1, _NODES, dtype=np.float32))
    blue, green, red = np.meshgrid(levels, levels, levels, indexing="ij")
    lab = linear_to_oklab(np.stack([red, green, blue], axis=-1).reshape(-1, 3))
    chroma = np.hypot(lab[:, 1], lab[:, 2])
    hue = np.degrees(np.arctan2(lab[:, 2], lab[:, 1]))
    skin = _ramp(hue, 5, 28) * (1 - _ramp(hue, 72, 92)) * _ramp(lab[:, 0], 0.12, 0.28)
    return _Lattice(
        lab=lab,
        skin=skin * _ramp(chroma, 0.006, 0.028) * (1 - _ramp(chroma, 0.15, 0.21)),
        skin_core=_ramp(hue, 18, 34) * (1 - _ramp(hue, 62, 80)),
        warm=_ramp(hue, -15, 15) * (1 - _ramp(hue, 85, 110)),
        neutral=np.exp(-((chroma / 0.025) ** 2)).astype(np.float32),
    )


def _encoded(lightness: Floats, ab: Floats) -> Floats:
    """sRGB of Oklab at each node; chroma above 80 % of what sRGB holds bends towards the limit."""
    chroma = np.hypot(ab[:, 0], ab[:, 1]) + np.float32(1e-9)
    limit = np.maximum(_most_chroma(lightness, np.arctan2(ab[:, 1], ab[:, 0])), np.float32(1e-5))
    share = chroma / limit
    over = np.maximum(share - 0.8, 0) / 0.2
    bent = np.where(share > 0.8, 0.8 + 0.2 * over / np.cbrt(1 + over**3), share)
    light = np.clip(_light(np.column_stack([lightness, ab * (bent / share)[:, None]])), 0, 1)
    codes = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** np.float32(1 / 2.4) - 0.055)
    return codes.astype(np.float32).ravel()


def _light(lab: Floats) -> Floats:
    cones = lab @ _CONES_FROM_LAB.T
    return np.asarray(cones * cones * cones @ _LIGHT_FROM_CONES.T, dtype=np.float32)


def _most_chroma(lightness: Floats, hue: Floats) -> Floats:
    """The chroma at which sRGB ends, read bilinearly; hue in radians."""
    table = _chroma_limits()
    rows, columns = table.shape
    place, turn = np.clip(lightness, 0, 1) * (rows - 1), (hue + np.pi) / (2 * np.pi) * (columns - 1)
    row = np.minimum(place.astype(np.intp), rows - 2)
    column = np.clip(turn.astype(np.intp), 0, columns - 2)
    down, right = place - row, turn - column
    low = table[row, column] * (1 - right) + table[row, column + 1] * right
    high = table[row + 1, column] * (1 - right) + table[row + 1, column + 1] * right
    return np.asarray(low * (1 - down) + high * down, dtype=np.float32)


@cache
def _chroma_limits() -> Floats:
    """By lightness (0..1) and hue (-π..π), found by halving."""
    hues = np.linspace(-np.pi, np.pi, 181, dtype=np.float32)
    lightness, hue = np.meshgrid(_LIGHTNESS, hues, indexing="ij")
    low, high = np.zeros_like(lightness), np.full_like(lightness, 0.4)
    for _ in range(12):
        chroma = (low + high) / 2
        light = _light(np.stack([lightness, chroma * np.cos(hue), chroma * np.sin(hue)], axis=-1))
        inside = ((light > -1e-4) & (light < 1 + 1e-4)).all(axis=-1)
        low, high = np.where(inside, chroma, low), np.where(inside, high, chroma)
    return low


def _ramp(value: npt.ArrayLike, start: float, end: float) -> Floats:
    """0 up to start, 1 from end on, smooth between."""
    part = np.clip((np.asarray(value, dtype=np.float32) - start) / (end - start), 0, 1)
    return np.asarray(part * part * (3 - 2 * part), dtype=np.float32)
