"""Published labels: the file that travels with the repository, line by line, and its labels looked up by reference."""

from __future__ import annotations

import hashlib
from codecs import BOM_UTF8
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from core.errors import LabelError
from core.labels.published.label_index import AnyPicture, Claim, LabelIndex, Labelled
from core.labels.published.schema import Label, parse_label
from core.unicode import is_utf16


class LabelState(StrEnum):
    """What a label is worth for the picture it is looked up for."""

    CURRENT = "current"
    STALE = "stale"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class FoundLabel:
    """A label as it applies to one picture: only a current one says anything about its bytes."""

    state: LabelState
    label: Label | None = None

    @property
    def current(self) -> Label | None:
        """The label, unless the picture has changed since."""
        return self.label if self.state is LabelState.CURRENT else None


@dataclass(frozen=True, slots=True)
class BrokenLine:
    """A line of the label file that could not be used; the others serve."""

    line: int
    reason: str


class LabelSet:
    """Labels by key, and by etag for pictures that were moved or renamed since; never changed once made."""

    def __init__(self, labels: Iterable[Label], *, broken: tuple[BrokenLine, ...] = (), version: str = "none") -> None:
        self._by_key = {label.key: label for label in labels}
        self._by_etag = {label.etag: label for label in self._by_key.values()}
        self._index = LabelIndex(self._by_key.values())
        self._newer: Mapping[str, Label] = {}  # by etag
        self._added: Mapping[str, Label] = {}  # those of the newer ones whose key has no other label, by key
        self.broken = broken
        self.version = version

    def under(self, newer: Iterable[Label], *, version: str) -> LabelSet:
        """These labels under newer ones, each of which holds for its bytes, wherever they lie.

        What is here is shared, not copied: it costs what there are newer ones. Not to be asked of its own result.
        """
        result = copy(self)
        result._newer = {label.etag: label for label in newer}
        result._added = {label.key: label for label in result._newer.values() if label.key not in self._by_key}
        result._index = LabelIndex(result._newer.values(), under=self._index)
        result.version = version
        return result

    def __len__(self) -> int:
        return len(self._by_key) + len(self._added)

    def __iter__(self) -> Iterator[Label]:
        yield from map(self._renew, self._by_key.values())
        yield from self._added.values()

    def at(self, key: str) -> Label | None:
        """The label of this key, whichever bytes it speaks of."""
        here = self._by_key.get(key)
        return self._added.get(key) if here is None else self._renew(here)

    def of_bytes(self, etag: str) -> Label | None:
        """The label of these bytes, wherever they lie."""
        return self._newer.get(etag) or self._by_etag.get(etag)

    def find(self, key: str, etag: str) -> FoundLabel:
        """The label for these bytes: by key if it speaks of them, else by etag, else stale or missing."""
        here = self._by_key.get(key)
        if here is not None and here.etag == etag:
            return FoundLabel(LabelState.CURRENT, self._renew(here))
        moved = self.of_bytes(etag)
        if moved is not None:
            return FoundLabel(LabelState.CURRENT, moved)
        stale = self.at(key)
        return FoundLabel(LabelState.MISSING) if stale is None else FoundLabel(LabelState.STALE, stale)

    @property
    def disputed(self) -> frozenset[str]:
        """The bytes that lie under several keys whose labels do not say the same."""
        return self._index.disputed

    def etags_claiming(self, claim: Claim) -> frozenset[str]:
        """The bytes whose label makes the claim, but for disputed ones, which `select` tells apart by their keys."""
        return self._index.etags_claiming(claim)

    def select(self, claim: Claim, pictures: Sequence[AnyPicture]) -> tuple[AnyPicture, ...]:
        """Those of the pictures whose current label makes the claim, in their order; quick for very many."""
        found, disputed = self._index.select(claim, pictures), self._index.disputed
        if disputed:
            found = [each for each in found if each.etag not in disputed or self._makes(claim, each)]
        return tuple(found)

    def _makes(self, claim: Claim, picture: Labelled) -> bool:
        label = self.find(picture.key, picture.etag).current
        return label is not None and claim.made_by(label)

    def _renew(self, label: Label) -> Label:
        """What newer ones say about these bytes, under the key that was here."""
        newer = self._newer.get(label.etag)
        if newer is None or newer.key == label.key:
            return newer or label
        return newer.model_copy(update={"key": label.key})


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """What a label file holds: labels by key, their lines as they were written by key, and what cannot be used."""

    labels: dict[str, Label]
    lines: dict[str, bytes]
    broken: tuple[BrokenLine, ...]


def numbered_lines(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The lines that are not blank, with their numbers from 1. Only a line feed ends one: others stand in texts.

    A byte order mark in front is none of the first line.
    """
    data = data.removeprefix(BOM_UTF8)
    return ((number, line) for number, line in enumerate(data.split(b"\n"), start=1) if line.strip())


def version_of(data: bytes) -> str:
    """The version of a label file: what its bytes hash to."""
    return hashlib.sha256(data).hexdigest()[:12]


def parse_file(data: bytes) -> ParsedFile:
    """Read a label file. A broken line is reported with its number and left out."""
    parsed, broken = ParsedFile({}, {}, ()), []
    if is_utf16(data):
        return replace(parsed, broken=(BrokenLine(1, "The file is UTF-16: save it as UTF-8."),))
    for number, line in numbered_lines(data):
        try:
            label = parse_label(line.decode("utf-8"))
        except (UnicodeDecodeError, LabelError) as err:
            broken.append(BrokenLine(number, err.message if isinstance(err, LabelError) else "The line is not UTF-8."))
            continue
        if label.key in parsed.labels:
            broken.append(BrokenLine(number, f"{label.key} has a label already, on an earlier line."))
            continue
        parsed.labels[label.key], parsed.lines[label.key] = label, line
    return replace(parsed, broken=tuple(broken))


def parse_whole(data: bytes) -> ParsedFile:
    """What a label file holds. Raises LabelError with the number of the first line that is wrong."""
    parsed = parse_file(data)
    if parsed.broken:
        first = parsed.broken[0]
        raise LabelError("labels/personas.jsonl, line {}: {} Mend it, then publish.", first.line, first.reason)
    return parsed


@dataclass(frozen=True, slots=True)
class LabelFile:
    """The file at `path` as something to write.

    `replace` puts new bytes into the place of certain old ones in one step, and says whether they were still there.
    """

    path: Path
    replace: Callable[[Path, bytes, bytes], bool]

    def read(self) -> bytes:
        """The file as it lies there; empty where there is none. Raises LabelError if it cannot be read."""
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return b""
        except OSError as err:
            raise LabelError("labels/personas.jsonl cannot be read: {}. Mend it, then publish.", err.strerror) from err

    def write(self, data: bytes, *, instead_of: bytes) -> bool:
        """Whether it could be written: not on a read-only file system, nor in somebody else's file.

        Raises LabelError when it holds something else by now.
        """
        try:
            is_replaced = self.replace(self.path, data, instead_of)
        except OSError:
            return False
        if not is_replaced:
            raise LabelError(
                "labels/personas.jsonl was changed at this very moment, and was left as it is: look again."
            )
        return True


def load_published(path: Path) -> LabelSet:
    """Read `labels/personas.jsonl`; no file is no labels."""
    if not path.is_file():
        return LabelSet(())
    data = path.read_bytes()
    parsed = parse_file(data)
    return LabelSet(parsed.labels.values(), broken=parsed.broken, version=version_of(data))
