"""The label index: what a wish asks the label of a picture to say."""

from __future__ import annotations

import threading
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from core.labels.published.schema import Label, age_range_of


@dataclass(frozen=True, slots=True)
class Claim:
    """How the person presents, the years that the middle of theirs lies in, both ends included, or their age range.

    `age_range` is one of AGE_RANGES; every label of years is in exactly one.
    """

    gender: str | None = None
    ages: tuple[int, int] | None = None
    age_range: str | None = None

    def made_by(self, label: Label) -> bool:
        """Whether this label says so."""
        return (
            (self.gender is None or label.gender_presentation == self.gender)
            and (self.ages is None or label.fits_age(*self.ages))
            and (self.age_range is None or (label.ages is not None and age_range_of(*label.ages) == self.age_range))
        )


class Labelled(Protocol):
    """A picture as labels know it."""

    @property
    def key(self) -> str:
        """Where it lies."""

    @property
    def etag(self) -> str:
        """Which bytes it is."""


AnyPicture = TypeVar("AnyPicture", bound=Labelled)
_NOTHING, _DISPUTED, _FIRST = range(3)  # what is said of bytes, by number; from the third on it is a label's word
_GROUPS_KEPT: Final = 8


class LabelIndex:
    """What labels say of each picture's bytes, so that a claim asks a few sayings and not very many labels.

    `disputed` are the bytes that lie under several keys whose labels do not say the same.
    """

    def __init__(self, labels: Iterable[Label], *, under: LabelIndex | None = None) -> None:
        """What `labels` say of their bytes holds, whatever was said `under` them; nothing is under that again."""
        self._sayings: list[Label] = list(under._sayings) if under else []
        self._number_of: dict[str, int] = {}
        self._under: Mapping[str, int] = under._number_of if under else {}
        numbers: dict[tuple[str | None, int | None, int | None], int] = {}
        for label in labels:
            says = (label.gender_presentation, label.age_low, label.age_high)
            number = numbers.setdefault(says, _FIRST + len(self._sayings))
            if number == _FIRST + len(self._sayings):
                self._sayings.append(label)
            if self._number_of.setdefault(label.etag, number) != number:
                self._number_of[label.etag] = _DISPUTED
        disputed = {etag for etag, number in self._number_of.items() if number == _DISPUTED}
        outside = under.disputed - self._number_of.keys() if under else set()
        self.disputed: frozenset[str] = frozenset(disputed | outside)
        self._lock = threading.Lock()  # for what follows
        self._kept: dict[int, tuple[Sequence[Labelled], array[int]]] = {}  # by the group's id(), the newest last

    def etags_claiming(self, claim: Claim) -> frozenset[str]:
        """The bytes of which this is said, but for disputed ones."""
        wanted = {_FIRST + at for at, label in enumerate(self._sayings) if claim.made_by(label)}
        before = (etag for etag, number in self._under.items() if number in wanted and etag not in self._number_of)
        return frozenset((*before, *(etag for etag, number in self._number_of.items() if number in wanted)))

    def select(self, claim: Claim, pictures: Sequence[AnyPicture]) -> list[AnyPicture]:
        """Those of whose bytes this is said, and all disputed ones, in their order; quick for very many."""
        makes = [False, True, *(claim.made_by(label) for label in self._sayings)]
        return [picture for picture, said in zip(pictures, self._numbers_of(pictures), strict=True) if makes[said]]

    def _numbers_of(self, pictures: Sequence[Labelled]) -> array[int]:
        """What is said of each picture; kept for the groups that plans asked for last, which are asked for again."""
        if not isinstance(pictures, tuple):  # what may change is not known by its identity
            return self._look_up(pictures)
        with self._lock:
            kept = self._kept.pop(id(pictures), None)
            if kept is None or kept[0] is not pictures:
                kept = pictures, self._look_up(pictures)
            self._kept[id(pictures)] = kept
            if len(self._kept) > _GROUPS_KEPT:
                del self._kept[next(iter(self._kept))]
            return kept[1]

    def _look_up(self, pictures: Iterable[Labelled]) -> array[int]:
        newest, before = self._number_of.get, self._under.get
        said = [newest(picture.etag) or before(picture.etag, _NOTHING) for picture in pictures]
        return array("I", said)  # numbers, which the garbage collector need not walk
