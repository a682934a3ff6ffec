"""Entry names: what files are called in a ZIP so that every system can unpack all of them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Final

from core.errors import UNSEEN

_NAME_BYTES_MAX: Final = 200  # file systems take 255; the number of a second one comes on top
# What Windows takes in no name: https://learn.microsoft.com/windows/win32/fileio/naming-a-file
_FORBIDDEN: Final = re.compile(r'[<>:"/\\|?*]')
_DEVICES: Final = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)


def entry_names(names: Iterable[str]) -> list[str]:
    """The names in their order, each fit to be a file's and none of them twice, whatever case or Unicode's form."""
    taken: set[str] = set()
    given = []
    for name in map(_fit, names):
        path, number, each = PurePosixPath(name), 1, name
        while each.casefold() in taken:
            number += 1
            each = f"{path.stem} ({number}){path.suffix}"
        taken.add(each.casefold())
        given.append(each)
    return given


def _fit(name: str) -> str:
    """A name without what some system refuses; its end stays, for it says what kind of file it is."""
    bare = UNSEEN.sub("_", _FORBIDDEN.sub("_", unicodedata.normalize("NFC", name))).strip().rstrip(". ") or "_"
    path = PurePosixPath(bare)
    stem, suffix = path.stem, path.suffix[:20]
    while len(f"{stem}{suffix}".encode()) > _NAME_BYTES_MAX:
        stem = stem[:-1]
    return f"_{stem}{suffix}" if _DEVICES.fullmatch(bare) else f"{stem}{suffix}"
