"""Small portraits with real bytes, a bucket to put them in, and people to review them."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from core.labels.machine.instructions import load_instructions
from core.labels.machine.labeler import Portrait
from core.references.vocabulary import load_vocabulary
from core.viewer import PersonRole, Viewer

ROOT = Path(__file__).parents[2]
VOCABULARY = load_vocabulary(ROOT / "labels" / "attributes.toml")
INSTRUCTIONS = load_instructions(ROOT / "labels" / "labeling.toml", ROOT / "labels" / "shots")
APP = "studio/"


def jpeg(number: int, *, width: int = 48, height: int = 64) -> bytes:
    """A picture of one colour that no other number has."""
    colour = (number * 16 % 256, number // 16 * 16 % 256, 128)
    out = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(out, "JPEG")
    return out.getvalue()


def portrayed(number: int, data: bytes | None = None) -> Portrait:
    """A picture as a labeler gets it."""
    return Portrait(f"refs/01. Model/noir low angle/Ada {number:02d}.jpg", f"{number:032x}", data or jpeg(number))


OPS = Viewer("ops@studio.example", PersonRole.OPS)
OTHER = Viewer("other@studio.example", PersonRole.OPS)
DESIGNER = Viewer("designer@studio.example", PersonRole.DESIGNER)
