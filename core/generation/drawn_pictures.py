"""Drawn pictures: what goes into a comparison can be opened, which is found out before it is sent."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from typing import Final, Protocol

from core.errors import InputError, NotFound, ObjectArchived
from core.generation.records.comparison import SideRecord
from core.images.memory import BYTES_MAX
from core.images.readability import Picture
from core.injection.request.slots import Slot
from core.references.index import IndexSource

_BESIDE_MAX: Final = 32
_ARCHIVED: Final = "`{}` lies in an archive of S3, so nothing was sent: let another be drawn, or restore it first."


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
    is_archived: bool = False


@dataclass(frozen=True, slots=True)
class DrawnPictures:
    """Looks at what was drawn; what cannot be opened is left out of the index at once, and so of the next plan."""

    catalog: IndexSource
    readable: Readable

    def leave_out_unreadable(self, sides: Iterable[SideRecord], *, patience_s: float) -> bool:
        """Whether any of the pictures turned out, within this time, to be none, or to lie in an archive.

        Where one is, some of its group are looked at with it: an upload that went wrong seldom broke one file, and each
        that is drawn next costs another plan.
        """
        slots, ends_at = _filled(sides), time.monotonic() + patience_s
        known = {slot.key for slot in slots if self._is_archived(slot)}
        found = self.readable.unreadable_among(map(self._picture, slots), patience_s=patience_s)
        if found:
            beside = chain.from_iterable(self._beside(slot.key or "") for slot in slots if slot.etag in found)
            left_s = max(0.0, ends_at - time.monotonic())
            self.catalog.leave_out(found | self.readable.unreadable_among(beside, patience_s=left_s))
        return bool(found) or any(self._is_archived(slot) for slot in slots if slot.key not in known)

    def check(self, sides: Iterable[SideRecord]) -> None:
        """Raise InputError if anything that would be sent cannot be opened.

        Raises StorageError and Overloaded while that cannot be found out. What has left S3 is not this one's to say.
        """
        for slot in _filled(sides):
            with suppress(NotFound):
                if self._is_archived(slot):
                    raise InputError(_ARCHIVED, slot.key)
                try:
                    is_readable = self.readable.is_readable(self._picture(slot))
                except ObjectArchived as err:
                    raise InputError(_ARCHIVED, slot.key) from err
                if not is_readable:
                    self.catalog.leave_out((slot.etag or "",))
                    raise InputError(
                        "`{}` cannot be opened as a picture, so nothing was sent: let another be drawn, or upload it "
                        "again.",
                        slot.key,
                    )

    def _beside(self, key: str) -> Sequence[Picture]:
        """Pictures of the group that this one is in, as many as can be looked at while somebody waits."""
        index = self.catalog.index
        listed = index.get(key)
        if listed is None or listed.folder is None or listed.group is None:
            return ()
        return index.group(f"{listed.folder}/{listed.group}").usable[:_BESIDE_MAX]

    def _is_archived(self, slot: Slot) -> bool:
        listed = self.catalog.index.get(slot.key or "")
        return listed is not None and listed.is_archived

    def _picture(self, slot: Slot) -> Picture:
        listed = self.catalog.index.get(slot.key or "")
        return _Drawn(slot.key or "", slot.etag or "", listed.size_bytes if listed else BYTES_MAX)


def _filled(sides: Iterable[SideRecord]) -> Collection[Slot]:
    """What the sides send, each picture once."""
    return {slot.etag: slot for side in sides for slot in side.slots if slot.key and slot.etag}.values()
