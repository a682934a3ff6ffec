"""Legacy paths: which S3 key an old record means by a file name, a local path or a URL.

A text is read in every way it may have been written: as it is, with backslashes, percent-encoded once or
twice, with `+` for spaces; of a URL its path counts, without the bucket. The readings are held against the
index in three steps, and the first step that finds anything decides:

1. exact: a reading is a key.
2. path: a reading is a key but for Unicode form, `.`, `..` and doubled slashes, or it ends with a whole key,
   from the library prefix on or from the folder right below it.
3. name: a reading's file name is that of keys anywhere in the index.

Only when all three find nothing is a trailing `_tone2`, `_angle1` or `_model` taken off the name. Several
keys are several candidates: there is no choosing between them.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import unquote, unquote_plus, urlsplit

_URL: Final = re.compile(r"(?:https?|s3|file)://", re.IGNORECASE)
_S3_HOST: Final = re.compile(r"s3[.-]", re.IGNORECASE)  # path style; virtual hosts begin with the bucket
_DRIVE: Final = re.compile(r"[A-Za-z]:(?=[\\/])")
_STAGED: Final = re.compile(r"image_ref_\d+", re.IGNORECASE)
_ROLE_SUFFIX: Final = re.compile(r"_(?:tone|angle|model)\d*(?=\.[^./\\]+$|$)", re.IGNORECASE)


class FoundBy(StrEnum):
    """The step that found a key."""

    EXACT = "exact"
    PATH = "path"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class Pointing:
    """What a text points to: one key, several that it might mean, or none."""

    text: str
    candidates: tuple[str, ...] = ()
    by: FoundBy | None = None

    @property
    def key(self) -> str | None:
        """The one key it means."""
        return self.candidates[0] if len(self.candidates) == 1 else None


class KeyFinder:
    """Finds the keys that texts mean, among those of an index."""

    def __init__(self, keys: Iterable[str], *, library_prefix: str, bucket: str) -> None:
        self._bucket = bucket
        self._root = _parts(library_prefix)
        self._keys = set(keys)
        self._by_name: dict[str, list[str]] = defaultdict(list)
        for key in sorted(self._keys, key=str.encode):
            self._by_name[_nfc(key.rsplit("/", 1)[-1])].append(key)

    def find(self, text: str) -> Pointing:
        """The keys that a text may mean."""
        readings = self.readings(text)
        without_suffix = [shorter for one in readings if (shorter := _ROLE_SUFFIX.sub("", one)) != one]
        return self._find_in(text, readings) or self._find_in(text, without_suffix) or Pointing(text)

    def readings(self, text: str) -> list[str]:
        """Every path that a text may have been written for, the likeliest first."""
        text = text.strip()
        paths = [text]
        if _URL.match(text):
            paths = list(self._paths_in(text))
        elif "\\" in text:
            paths.append(_DRIVE.sub("", text).replace("\\", "/"))
        decoded = [unquote(path) for path in paths]
        plus = [unquote_plus(path) for path in paths]
        twice = [unquote(path) for path in decoded]
        urls_are_encoded = [*decoded, *plus, *twice, *paths]
        return list(dict.fromkeys(urls_are_encoded if _URL.match(text) else [*paths, *decoded, *plus, *twice]))

    def _paths_in(self, url: str) -> Iterator[str]:
        """The key as the URL has it, still encoded: without the bucket where that stands in the path."""
        try:
            parts = urlsplit(url)
        except ValueError:  # what looks like a host and is none
            yield url
            return
        path = parts.path
        if parts.scheme.lower() == "s3":
            path = url.split("://", 1)[1].partition("/")[2]  # not a real URL: `?` and `#` belong to the key
            yield path
            return
        path = path.removeprefix("/")
        first, _, rest = path.partition("/")
        if rest and (unquote(first) == self._bucket or _S3_HOST.match(parts.netloc)):
            yield rest
        yield path

    def _find_in(self, text: str, readings: list[str]) -> Pointing | None:
        for reading in readings:
            if reading in self._keys:
                return Pointing(text, (reading,), FoundBy.EXACT)
        for reading in readings:
            if keys := self._by_path(_path_parts(reading)):
                return Pointing(text, keys, FoundBy.PATH)
        for reading in readings:
            parts = _path_parts(reading)
            if keys := tuple(self._by_name.get(parts[-1], ()) if parts else ()):
                return Pointing(text, keys, FoundBy.NAME)
        return None

    def _by_path(self, path: tuple[str, ...]) -> tuple[str, ...]:
        """The keys whose whole path this one ends with; none where only the name is the same."""
        if len(path) < 2:
            return ()
        alike = {key: _parts(key) for key in self._by_name.get(path[-1], ())}
        if same := tuple(key for key, parts in alike.items() if parts == path):
            return same
        size = len(self._root)
        anchors = [at for at in range(len(path)) if size and path[at : at + size] == self._root]
        if anchors:  # the path says where the library begins: what follows is the key, or the key is stale
            return tuple(key for key, parts in alike.items() if any(path[at:] == parts for at in anchors))
        shared = {key: _shared_end(parts, path) for key, parts in alike.items()}
        longest = max(shared.values(), default=0)
        best = tuple(key for key in alike if shared[key] == longest)
        is_whole = any(longest >= max(2, len(alike[key]) - size) for key in best)
        return best if is_whole else ()


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _parts(path: str) -> tuple[str, ...]:
    """A path's names in NFC, without empty ones and dots."""
    parts: list[str] = []
    for part in _nfc(path).split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
    return tuple(parts)


def _path_parts(path: str) -> tuple[str, ...]:
    """The same of a local path: without its drive, and without the folder a picture was staged in."""
    parts = _parts(_DRIVE.sub("", path))
    staged = [at for at, part in enumerate(parts[:-1]) if _STAGED.fullmatch(part)]
    return parts[staged[-1] + 1 :] if staged else parts


def _shared_end(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    count = 0
    for mine, theirs in zip(reversed(one), reversed(other), strict=False):
        if mine != theirs:
            break
        count += 1
    return count
