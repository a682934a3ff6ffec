"""A checkout that a test may publish into, and the real command that does it."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from bench.checkout import copy_of_the_checkout
from core.labels.published.schema import LabelField
from core.labels.review.verdicts import accept
from tests.labels.portraits import OPS, jpeg
from tests.labels.review.services import ReviewFixture, correct, proposed
from tests.support.processes.commands import Done, core
from tests.support.s3.moto_server import with_bucket
from tests.support.s3.servers import S3Server
from tests.support.timeouts import LONG_S

GROUP = "refs/01. Model/noir"
PICTURES = {f"{GROUP}/Ada {number:02d}.jpg": jpeg(number) for number in range(6)}
KEYS = list(PICTURES)


def etag(key: str) -> str:
    """What S3 calls this picture's bytes."""
    return hashlib.md5(PICTURES[key], usedforsecurity=False).hexdigest()


def checkout_in(folder: Path, lines: int = 0) -> Path:
    """A copy whose label file speaks of two of the pictures, and of so many that are in no bucket."""
    checkout = copy_of_the_checkout(folder)
    nowhere = [f'{{"key":"refs/x/{at:05d}.jpg","etag":"e{at}","source":"nominal"}}' for at in range(lines)]
    here = [f'{{"key":"{key}","etag":"{etag(key)}","source":"nominal"}}' for key in (KEYS[1], KEYS[3])]
    (checkout / "labels" / "personas.jsonl").write_text("\n".join([*here, *nowhere]) + "\n")
    return checkout


def reviewed_bucket(server: S3Server) -> S3Server:
    """The pictures, and three reviews of them: one label is corrected, two are new."""
    bucket = with_bucket(server, PICTURES)
    at = ReviewFixture(bucket, shipped=tuple(proposed(key, etag(key)) for key in KEYS))
    at.reviews.save(OPS, [accept(at.reviews.item(OPS, key), id=key) for key in (KEYS[0], KEYS[5])])
    at.reviews.save(OPS, [correct(at.reviews.item(OPS, KEYS[3]), {LabelField.HAIR: "grey"}, id="third")])
    return bucket


def labels(checkout: Path, *words: str, environ: Mapping[str, str], largest_file: int = 0) -> Done:
    """Run `python -m core labels …` of this checkout; with `largest_file` the kernel refuses it a longer file."""
    if not largest_file:
        return core("labels", *words, environ=environ, cwd=checkout)
    done = subprocess.run(
        ["prlimit", f"--fsize={largest_file}", sys.executable, "-B", "-m", "core", "labels", *words],
        cwd=checkout,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", **environ},
        capture_output=True,
        timeout=LONG_S,
        check=False,
    )
    return Done(done.returncode, done.stdout.decode(), done.stderr.decode())
