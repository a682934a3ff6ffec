"""Drawn pictures: what goes into a comparison can be opened, which is found out before it is sent."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from core.errors import InputError, NotFound
from core.generation.records.comparison import SideRecord
from core.images.memory import BYTES_MAX
from core.images.readability import Picture
from core.injection.slots import Slot
from core.references.index import IndexSource


class Readable(Protocol):
    """Knows, or finds out, whether pictures can be opened; as in `core/images/readability.py`."""

    def is_readable(self, picture: Picture) -> bool:
        """Whether it can be; raises StorageError and Overloaded."""

    def unreadable_among(self, pictures: Iterable[Picture], *, patience_s: float) -> frozenset[str]:
        """The etags of those that cannot be, as far as that is known after so long."""


@dataclass(frozen=True, slots=True)
class _Drawn:
    key: str
    etag: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class DrawnPictures:
    """Looks at what was drawn; what cannot be opened is left out of the index at once, and so of the next plan."""

    catalog: IndexSource
    readable: Readable

    def leave_out_unreadable(self, sides: Iterable[SideRecord], *, patience_s: float) -> bool:
        """Whether any of the pictures turned out, within this time, to be none."""
        found = self.readable.unreadable_among(map(self._picture, _filled(sides)), patience_s=patience_s)
        if found:
            self.catalog.leave_out(found)
        return bool(found)

    def check(self, sides: Iterable[SideRecord]) -> None:
        """Raise InputError if anything that would be sent cannot be opened.

        Raises StorageError and Overloaded while that cannot be found out. What has left S3 is not this one's to say.
        """
        for slot in _filled(sides):
            with suppress(NotFound):
                if not self.readable.is_readable(self._picture(slot)):
                    self.catalog.leave_out((slot.etag or "",))
                    raise InputError(
                        "`{}` cannot be opened as a picture, so nothing was sent: let another be drawn, or upload it "
                        "again.",
                        slot.key,
                    )

    def _picture(self, slot: Slot) -> Picture:
        listed = self.catalog.index.get(slot.key or "")
        return _Drawn(slot.key or "", slot.etag or "", listed.size_bytes if listed else BYTES_MAX)


def _filled(sides: Iterable[SideRecord]) -> Collection[Slot]:
    """What the sides send, each picture once."""
    return {slot.etag: slot for side in sides for slot in side.slots if slot.key and slot.etag}.values()
