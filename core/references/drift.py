"""Drift: what changed in S3 between two listings, and which groups were only given another name."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from core.references.key import parent
from core.references.reference import Reference
from core.references.table import ReferenceTable

_SAME_PICTURES_MAX: Final = 16  # of one content; more of them say nothing of where one went


@dataclass(frozen=True, slots=True)
class Move:
    """Pictures that stand in another group now, as `pictures` in number.

    It is a rename when nothing is left under the old path, and nothing was under the new one before.
    """

    before: str
    after: str
    pictures: int
    is_rename: bool


@dataclass(frozen=True, slots=True)
class Drift:
    """What changed in S3 since the index before, as keys in key order; what moved is neither added nor removed."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    since: datetime | None = None
    moves: tuple[Move, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing changed."""
        return not (self.added or self.removed or self.changed or self.moves)


def drift_between(before: ReferenceTable, after: ReferenceTable, *, since: datetime) -> Drift:
    """What a later listing has that an earlier one had not, and the other way round."""
    added, removed, changed = after.drift_since(before)
    new, old = _listed(after, added), _listed(before, removed)
    pairs = list(_pairs(old, new))
    gone, come = {ref.key for ref, _ in pairs}, {ref.key for _, ref in pairs}
    moved = Counter((_place(was), _place(now)) for was, now in pairs)
    return Drift(
        tuple(key for key in added if key not in come),
        tuple(key for key in removed if key not in gone),
        tuple(changed),
        since,
        tuple(
            Move(was, now, pictures, not _has(after, was) and not _has(before, now))
            for (was, now), pictures in sorted(moved.items())
        ),
    )


def _listed(table: ReferenceTable, keys: Iterable[str]) -> list[Reference]:
    return [ref for key in keys if (ref := table.get(key)) is not None]


def _place(ref: Reference) -> str:
    """The path of the group a picture stands in, or of its folder where it stands in none."""
    return f"{ref.folder}/{ref.group}" if ref.group is not None else parent(ref.key)


def _has(table: ReferenceTable, path: str) -> bool:
    return len(table.prefixed(f"{path}/")) > 0


def _pairs(old: Sequence[Reference], new: Sequence[Reference]) -> Iterator[tuple[Reference, Reference]]:
    """Each picture that went, with what came of it: the same content, in the place that took most of its group."""
    came = _Arrivals(new)
    shared: Counter[tuple[str, str]] = Counter()
    for ref in old:
        for place in {_place(each) for each in came.like(ref)[:_SAME_PICTURES_MAX]}:
            shared[_place(ref), place] += 1
    taken: set[str] = set()
    for ref in old:
        free = [each for each in came.like(ref) if each.key not in taken]
        if free:
            now = min(free, key=lambda each: (-shared[_place(ref), _place(each)], each.name != ref.name))
            taken.add(now.key)
            yield ref, now


class _Arrivals:
    """The pictures that came, by what tells them."""

    def __init__(self, references: Iterable[Reference]) -> None:
        self._by_etag: dict[str, list[Reference]] = defaultdict(list)
        self._by_name: dict[tuple[str, int], list[Reference]] = defaultdict(list)
        for ref in references:
            self._by_etag[ref.etag].append(ref)
            self._by_name[ref.name, ref.size_bytes].append(ref)

    def like(self, ref: Reference) -> list[Reference]:
        """Those with the same bytes, as far as S3 tells.

        The etag of an upload in parts does not come of the bytes alone, and the copy that a rename makes has another
        (https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html): there name and size do.
        """
        if found := self._by_etag.get(ref.etag):
            return found
        named = self._by_name.get((ref.name, ref.size_bytes), [])
        return [each for each in named if _is_in_parts(ref) or _is_in_parts(each)]


def _is_in_parts(ref: Reference) -> bool:
    return "-" in ref.etag
