"""Reviewed labels: the published ones under what people have decided since."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from core.labels.published.label_file import FoundLabel, LabelState, PublishedLabels
from core.labels.published.label_index import Said
from core.labels.published.schema import Label


class ReviewedLabels(PublishedLabels):
    """A review holds for its bytes, wherever they lie; all else is as published.

    The published labels are shared, not copied: a save costs what there are decisions, not what there are labels.
    """

    def __init__(self, published: PublishedLabels, reviewed: Iterable[Label], *, version: str) -> None:
        self._newer = {label.etag: label for label in reviewed}
        added = (label for label in self._newer.values() if published.at(label.key) is None)
        super().__init__(added, broken=published.broken, version=version)
        self._published = published
        self._said = Said(self._newer.values(), under=published._said)

    def __len__(self) -> int:
        return len(self._published) + super().__len__()

    def __iter__(self) -> Iterator[Label]:
        yield from map(self._renewed, self._published)
        yield from super().__iter__()

    def at(self, key: str) -> Label | None:
        here = self._published.at(key)
        return super().at(key) if here is None else self._renewed(here)

    def find(self, key: str, etag: str) -> FoundLabel:
        newer = self._newer.get(etag)
        if newer is not None:
            here = self._published.at(key)
            moved = here is not None and here.etag == etag
            return FoundLabel(LabelState.CURRENT, self._renewed(here) if here is not None and moved else newer)
        found = self._published.find(key, etag)
        if found.state is LabelState.CURRENT:
            return found
        stale = self.at(key)
        return FoundLabel(LabelState.MISSING) if stale is None else FoundLabel(LabelState.STALE, stale)

    def _renewed(self, label: Label) -> Label:
        """What people have decided about these bytes, under the key that was published."""
        newer = self._newer.get(label.etag)
        if newer is None or newer.key == label.key:
            return newer or label
        return newer.model_copy(update={"key": label.key})
