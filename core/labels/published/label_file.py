"""Published labels: the file that travels with the repository, looked up by reference."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from core.errors import LabelError
from core.labels.published.label_index import AnyPicture, Claim, Labelled, Said
from core.labels.published.schema import Label, parse_label


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


class PublishedLabels:
    """Labels by key, and by etag for pictures that were moved or renamed since."""

    def __init__(self, labels: Iterable[Label], *, broken: tuple[BrokenLine, ...] = (), version: str = "none") -> None:
        self._by_key = {label.key: label for label in labels}
        self._by_etag = {label.etag: label for label in self._by_key.values()}
        self._said = Said(self._by_key.values())
        self.broken = broken
        self.version = version

    def __len__(self) -> int:
        return len(self._by_key)

    def __iter__(self) -> Iterator[Label]:
        return iter(self._by_key.values())

    def at(self, key: str) -> Label | None:
        """The label of this key, whichever bytes it speaks of."""
        return self._by_key.get(key)

    def find(self, key: str, etag: str) -> FoundLabel:
        """The label for these bytes: by key if it speaks of them, else by etag, else stale or missing."""
        here = self._by_key.get(key)
        if here is not None and here.etag == etag:
            return FoundLabel(LabelState.CURRENT, here)
        moved = self._by_etag.get(etag)
        if moved is not None:
            return FoundLabel(LabelState.CURRENT, moved)
        if here is not None:
            return FoundLabel(LabelState.STALE, here)
        return FoundLabel(LabelState.MISSING)

    def making(self, claim: Claim, pictures: Sequence[AnyPicture]) -> tuple[AnyPicture, ...]:
        """Those of the pictures whose current label makes the claim, in their order; quick for very many."""
        made = self._said.making(claim, pictures)
        if not self._said.disputed:
            return tuple(made)
        return tuple(p for p in made if p.etag not in self._said.disputed or self._makes(claim, p))

    def _makes(self, claim: Claim, picture: Labelled) -> bool:
        label = self.find(picture.key, picture.etag).current
        return label is not None and claim.made_by(label)


def load_published(path: Path) -> PublishedLabels:
    """Read `labels/personas.jsonl`. A broken line is reported with its number and left out."""
    if not path.is_file():
        return PublishedLabels(())
    raw = path.read_bytes()
    labels: dict[str, Label] = {}
    broken: list[BrokenLine] = []
    for number, line in enumerate(raw.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            label = parse_label(line.decode("utf-8"))
        except UnicodeDecodeError:
            broken.append(BrokenLine(number, "The line is not UTF-8."))
            continue
        except LabelError as err:
            broken.append(BrokenLine(number, err.message))
            continue
        if label.key in labels:
            broken.append(BrokenLine(number, f"{label.key} has a label already, on an earlier line."))
            continue
        labels[label.key] = label
    version = hashlib.sha256(raw).hexdigest()[:12]
    return PublishedLabels(labels.values(), broken=tuple(broken), version=version)
