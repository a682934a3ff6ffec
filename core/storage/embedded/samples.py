"""The sample library's pictures, as they lie in the installation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

CONTENT_TYPES: Final = {".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".webp": "image/webp"}


@dataclass(frozen=True, slots=True)
class Sample:
    """One file of the library and the key it has in the bucket."""

    key: str
    path: Path

    @property
    def content_type(self) -> str:
        """What the file's name says it is."""
        return CONTENT_TYPES.get(self.path.suffix.lower(), "application/octet-stream")


def samples_in(folder: Path) -> Iterator[Sample]:
    """All samples; the folder's name is the first part of their keys, and hidden files are none."""
    for path in folder.rglob("*"):
        below = path.relative_to(folder)
        if path.is_file() and not any(part.startswith(".") for part in below.parts):
            yield Sample(f"{folder.name}/{below.as_posix()}", path)
