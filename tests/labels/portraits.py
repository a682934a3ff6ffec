"""Small portraits with real bytes, a bucket to put them in, and people to review them."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from core.errors import AccessDenied
from core.labels.instructions import load_instructions
from core.labels.labeler import Portrayed
from core.references.attributes import load_vocabulary

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


def portrayed(number: int, data: bytes | None = None) -> Portrayed:
    """A picture as a labeler gets it."""
    return Portrayed(f"refs/01. Model/noir low angle/Ada {number:02d}.jpg", f"{number:032x}", data or jpeg(number))


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody at the review desk."""

    email: str
    may: bool = True

    def require_review(self) -> None:
        if not self.may:
            raise AccessDenied("Your role (designer) does not include this: ask an admin of the studio.")


OPS = Person("ops@studio.example")
OTHER = Person("other@studio.example")
DESIGNER = Person("designer@studio.example", may=False)
