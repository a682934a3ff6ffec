"""Tone transfer against the usual way (Reinhard et al. 2001, every pixel in numpy), one run on one core."""

from __future__ import annotations

import os

# One core for both; numpy reads these when it is loaded.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import statistics
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from core.images.tone_fidelity import OKLAB_AXES, OKLAB_CONES, linear_to_oklab, srgb_to_linear  # noqa: E402
from core.images.tone_transfer import transfer  # noqa: E402  # needs the path set above

SIDE_PX = 1024
ROUNDS = 7


def reinhard(content: Image.Image, tone: Image.Image) -> Image.Image:
    """Mean and deviation per Oklab axis, on every pixel: what one writes first."""
    ours, theirs = (
        linear_to_oklab(srgb_to_linear(np.asarray(picture, dtype=np.float32) / 255)) for picture in (content, tone)
    )
    axes = (0, 1)
    lab = (ours - ours.mean(axes)) * (theirs.std(axes) / ours.std(axes)) + theirs.mean(axes)
    light = np.clip((lab @ np.linalg.inv(OKLAB_AXES).T) ** 3 @ np.linalg.inv(OKLAB_CONES).T, 0, 1)
    codes = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return Image.fromarray((codes * 255 + 0.5).astype(np.uint8))


def main() -> None:
    """Print both costs in ms per megapixel (medians of alternating rounds) and their ratio."""
    samples = ROOT / "samples" / "refs"
    with (
        Image.open(min(samples.glob("01. Model/*/*.jpg"))) as portrait,
        Image.open(min(samples.glob("02. Tone/*/*.jpg"))) as reference,
    ):
        content, tone = (picture.convert("RGB").resize((SIDE_PX, SIDE_PX)) for picture in (portrait, reference))
    ways = {"tone transfer": transfer, "per-pixel Reinhard": reinhard}
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for way in ways.values():
        way(content, tone)
    for _ in range(ROUNDS):
        for name, way in ways.items():
            started = time.perf_counter()
            way(content, tone)
            spent[name].append((time.perf_counter() - started) * 1e9 / SIDE_PX**2)
    costs = {name: statistics.median(times) for name, times in spent.items()}
    for name, cost in costs.items():
        print(f"{name:20} {cost:8.1f} ms per megapixel")
    print(f"{'ratio':20} {costs['per-pixel Reinhard'] / costs['tone transfer']:8.1f} times as fast")


if __name__ == "__main__":
    main()
