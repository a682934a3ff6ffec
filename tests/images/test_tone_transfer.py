"""Tone transfer: every portrait comes nearer to every tone, and stays a portrait."""

from __future__ import annotations

from functools import cache
from itertools import cycle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.images.tone_fidelity import oklab_samples, tone_distance, tone_fidelity
from core.images.tone_transfer import transfer

SAMPLES = Path(__file__).parents[2] / "samples" / "refs"
TONES = sorted((SAMPLES / "02. Tone").glob("*/*.jpg"))
TONE_FOLDERS = sorted({path.parent.name for path in TONES})
PORTRAITS = sorted(
    path for path in SAMPLES.rglob("*.jpg") if {"01. Model", "03. Angle"} & set(path.relative_to(SAMPLES).parts)
)


@cache
def small(path: Path) -> Image.Image:
    with Image.open(path) as picture:
        picture.draft("RGB", (112, 112))
        return picture.convert("RGB").resize((64, 64), Image.Resampling.BOX)


def tone(folder: str) -> Image.Image:
    return small(next(path for path in TONES if path.parent.name == folder))


def flat(*colour: int, size: tuple[int, int] = (32, 40)) -> Image.Image:
    return Image.new("RGB", size, colour)


def grey_ramp() -> Image.Image:
    row = np.arange(256, dtype=np.uint8)
    return Image.fromarray(np.tile(row, (64, 1))).convert("RGB")


def chroma(picture: Image.Image) -> np.ndarray:
    lab = oklab_samples(picture, 64)
    return np.hypot(lab[:, 1], lab[:, 2])


def hue_degrees(colour: np.ndarray) -> float:
    return float(np.degrees(np.arctan2(colour[2], colour[1])))


def test_the_sample_library_is_there() -> None:
    assert len(TONES) >= 28
    assert len(PORTRAITS) >= 80


@pytest.mark.parametrize("folder", TONE_FOLDERS)
def test_every_portrait_comes_nearer_to_every_tone(folder: str) -> None:
    farther, references = [], cycle(path for path in TONES if path.parent.name == folder)
    for portrait, reference in zip(PORTRAITS, references, strict=False):  # the tone's references by turns
        before = tone_distance(small(portrait), small(reference))
        after = tone_distance(transfer(small(portrait), small(reference)), small(reference))
        if not after < before:
            farther.append(f"{portrait.stem} → {reference.stem}: {before:.2f} → {after:.2f}")
    assert not farther


def test_the_same_pictures_give_the_same_bytes() -> None:
    portrait, reference = small(PORTRAITS[0]), tone("neon night")
    assert transfer(portrait, reference).tobytes() == transfer(portrait.copy(), reference.copy()).tobytes()


def test_neither_picture_is_changed() -> None:
    portrait, reference = small(PORTRAITS[0]).copy(), tone("neon night").copy()
    before = portrait.tobytes(), reference.tobytes()
    transfer(portrait, reference)
    assert (portrait.tobytes(), reference.tobytes()) == before


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (7, 1), (61, 83)])
def test_the_size_stays(size: tuple[int, int]) -> None:
    result = transfer(small(PORTRAITS[0]).resize(size), tone("noir"))
    assert (result.mode, result.size) == ("RGB", size)


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "CMYK", "P", "1"])
def test_other_modes_come_back_as_rgb(mode: str) -> None:
    result = transfer(small(PORTRAITS[0]).convert(mode), tone("noir").convert(mode))
    assert (result.mode, result.size) == ("RGB", (64, 64))


DEGENERATE = {
    "black": flat(0, 0, 0),
    "white": flat(255, 255, 255),
    "red": flat(255, 0, 0),
    "blue": flat(0, 0, 255),
    "grey pixel": flat(128, 128, 128, size=(1, 1)),
    "portrait": small(PORTRAITS[0]),
}


@pytest.mark.parametrize("content", DEGENERATE)
@pytest.mark.parametrize("reference", DEGENERATE)
def test_pictures_without_variety_are_no_trouble(content: str, reference: str) -> None:
    result = transfer(DEGENERATE[content], DEGENERATE[reference])
    assert result.size == DEGENERATE[content].size
    assert 0 <= tone_fidelity(result, DEGENERATE[reference]) <= 100


@pytest.mark.parametrize("folder", TONE_FOLDERS)
def test_a_noir_reference_leaves_no_colour_and_a_coloured_one_some(folder: str) -> None:
    strongest = max(float(chroma(transfer(small(path), tone(folder))).max()) for path in PORTRAITS[::8])
    assert (strongest < 0.004) == (folder == "noir")


@pytest.mark.parametrize("folder", TONE_FOLDERS)
def test_neutrals_before_a_coloured_wall_take_a_moderate_cast_and_black_none(folder: str) -> None:
    portrait = flat(110, 60, 150, size=(64, 64))
    portrait.paste(grey_ramp().resize((28, 36)), (18, 14))
    cast = chroma(transfer(portrait, tone(folder))).reshape(64, 64)[20:44, 18:46].max(axis=0)
    assert cast[0] < 0.01
    assert cast.max() < 0.11


@pytest.mark.parametrize("folder", [folder for folder in TONE_FOLDERS if folder != "noir"])
@pytest.mark.parametrize("skin", [(92, 60, 46), (141, 98, 81), (198, 134, 107), (226, 191, 169)])
def test_skin_stays_skin(folder: str, skin: tuple[int, int, int]) -> None:
    """A face in the middle before a grey wall: never green, never blue, still the hue of a face."""
    portrait = flat(150, 150, 150, size=(64, 64))
    portrait.paste(skin, (20, 12, 44, 46))
    before, after = (
        oklab_samples(picture.crop((26, 20, 38, 40)), 4).mean(axis=0)
        for picture in (portrait, transfer(portrait, tone(folder)))
    )
    assert after[1] > 0.3 * before[1]
    assert abs(hue_degrees(after) - hue_degrees(before)) < 25
    assert abs(after[0] - before[0]) < 0.2


@pytest.mark.parametrize("folder", TONE_FOLDERS)
def test_lighter_greys_stay_lighter(folder: str) -> None:
    """No banding and no reversal: the steps of a grey ramp keep their order and stay small."""
    light = np.asarray(transfer(grey_ramp(), tone(folder)).convert("L"), dtype=np.int16)[0]
    steps = np.diff(light)
    assert steps.min() >= -1
    assert steps.max() <= 5


@pytest.mark.parametrize("portrait", PORTRAITS[::9], ids=lambda path: path.stem)
def test_a_picture_in_its_own_tone_changes_little(portrait: Path) -> None:
    assert tone_distance(transfer(small(portrait), small(portrait)), small(portrait)) < 2


def test_distance_is_zero_to_itself_symmetric_and_in_hundredths_of_lightness() -> None:
    black, white = flat(0, 0, 0), flat(255, 255, 255)
    one, other = tone("noir"), tone("neon night")
    assert tone_distance(one, one) == 0
    assert tone_distance(one, other) == tone_distance(other, one)
    assert tone_distance(black, white) == pytest.approx(100, abs=1)


def test_fidelity_tells_pictures_of_one_tone_from_pictures_of_two() -> None:
    same, different = [], []
    for number, first in enumerate(TONES):
        for second in TONES[:number]:
            bucket = same if first.parent == second.parent else different
            bucket.append(tone_fidelity(small(first), small(second)))
    above = np.mean(np.array(same)[:, None] > np.array(different))
    assert above > 0.95
    assert np.median(same) > 80
    assert np.median(different) < 20
    assert tone_fidelity(small(TONES[0]), small(TONES[0])) == 100
