"""Thumbnails of a 12-megapixel JPEG against naive Pillow, and presigned URLs against boto3's, in turns.

`python -m bench.thumbnails` puts its section into RESULTS.md; with `--print-only` it leaves that alone.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import io
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial

import numpy as np
from PIL import Image

from bench.listing import machine
from bench.results import write_section
from core.images.thumbnails import THUMBNAIL_SIDES, encode_webp
from core.storage.client import Reach
from core.storage.presign import VALID_S, Presigner
from core.storage.s3 import Store

HEADING = "## Thumbnails and presigned URLs"
PHOTO_PX = (4000, 3000)
QUALITY = {320: 78, 960: 84}  # the same for both
BUCKET = "bench"
ACCESS_KEY, SECRET_KEY = "bench", "bench-bench"
BATCH = 500


def photo(grain: int) -> bytes:
    """A JPEG with a smooth ground and so many levels of grain on it: a clean studio's, or a camera's at night."""
    dice = np.random.default_rng(3)
    width, height = PHOTO_PX
    coarse = dice.integers(0, 256, (height // 250, width // 250, 3), dtype=np.uint8)
    ground = np.asarray(Image.fromarray(coarse).resize(PHOTO_PX, Image.Resampling.BICUBIC), dtype=np.int16)
    noise = dice.integers(-grain, grain + 1, (height, width, 1), dtype=np.int16)
    out = io.BytesIO()
    Image.fromarray(np.clip(ground + noise, 0, 255).astype(np.uint8)).save(out, "JPEG", quality=92)
    return out.getvalue()


def naive(data: bytes, side: int) -> bytes:
    """What one writes first."""
    out = io.BytesIO()
    with Image.open(io.BytesIO(data)) as image:
        small = image.convert("RGB")
        small.thumbnail((side, side))
        small.save(out, "WEBP", quality=QUALITY[side])
    return out.getvalue()


def in_turns(ways: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median seconds of each way, after one round that does not count."""
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for way in ways.values():
        way()
    for _ in range(rounds):
        for name, way in ways.items():
            started = time.perf_counter()
            way()
            spent[name].append(time.perf_counter() - started)
    return {name: statistics.median(times) for name, times in spent.items()}


def presigning(rounds: int) -> dict[str, float]:
    """Seconds for BATCH URLs of different keys."""
    store = Store(Reach(BUCKET, "http://127.0.0.1:9", ACCESS_KEY, SECRET_KEY))
    presigner = Presigner(store)
    keys = [f"refs/01. Model/a(natural,film) eye-level/Araya {number:05d}.jpg" for number in range(BATCH)]

    def by_boto3() -> None:
        for key in keys:
            params = {"Bucket": BUCKET, "Key": key, "ResponseContentType": "image/jpeg"}
            store.client.s3.generate_presigned_url("get_object", Params=params, ExpiresIn=VALID_S)

    def ours() -> None:
        for key in keys:
            presigner.url(key, content_type="image/jpeg")

    return in_turns({"ours": ours, "theirs": by_boto3}, rounds)


def report(rows: dict[str, dict[str, float]], rounds: int) -> str:
    """The section as Markdown; `rows` holds milliseconds."""
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("pillow", "boto3"))
    return "\n".join(
        [
            HEADING,
            "",
            f"{datetime.now(UTC):%Y-%m-%d} · {machine()} · Python {platform.python_version()}, {versions}.",
            f"`python -m bench.thumbnails` makes this section. Load average: {os.getloadavg()[0]:.1f}.",
            "",
            f"JPEGs of {PHOTO_PX[0]}×{PHOTO_PX[1]} pixels, from their bytes to WebP; "
            f"medians of {rounds} rounds in turns.",
            "The usual way is Pillow's open, convert, thumbnail, save, and boto3's generate_presigned_url.",
            "",
            "| ms | ours | the usual way | times as fast |",
            "|---|---|---|---|",
            *(
                f"| {name} | {found['ours']:.3g} | {found['theirs']:.3g} | {found['theirs'] / found['ours']:.1f} |"
                for name, found in rows.items()
            ),
            "",
        ]
    )


def main() -> None:
    """Run everything."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--print-only", action="store_true", help="leave RESULTS.md as it is")
    asked = parser.parse_args()
    rows = {}
    for name, grain in {"smooth": 0, "grainy": 12}.items():
        data = photo(grain)
        for side in THUMBNAIL_SIDES:
            ways = {"ours": partial(encode_webp, data, side), "theirs": partial(naive, data, side)}
            medians = in_turns(ways, asked.rounds)
            rows[f"{side} px of a {name} one, {len(data) / 1e6:.1f} MB"] = {way: s * 1e3 for way, s in medians.items()}
    rows["a presigned URL"] = {name: spent * 1e3 / BATCH for name, spent in presigning(asked.rounds).items()}
    section = report(rows, asked.rounds)
    print(section)
    if not asked.print_only:
        write_section(HEADING, section)


if __name__ == "__main__":
    main()
