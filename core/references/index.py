"""The reference index: every picture under the library prefix, immutable once built."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Protocol

from core.errors import InjectionError, NotFound
from core.objects.objects import StoredObject
from core.references.drift import Drift, drift_between
from core.references.listing.listing import Listing
from core.references.problems import LibraryProblem, problems_of
from core.references.reference import AttributeGroup, Filter, Reference, ReferenceFolder
from core.references.table import References, ReferenceTable
from core.references.vocabulary import Role, Vocabulary

_WARM_REFERENCES = 200_000  # some 130 MB of objects

NO_MODEL_FOLDER = ReferenceFolder(path="", role=Role.MODEL, groups=())


@dataclass(frozen=True)
class ReferenceIndex:
    """One complete generation of the library; key order is the order of UTF-8 bytes, as in S3."""

    table: ReferenceTable
    folders: tuple[ReferenceFolder, ...]
    vocabulary: Vocabulary
    built_at: datetime
    seconds: float = 0.0

    def __len__(self) -> int:
        return len(self.table)

    @property
    def references(self) -> Sequence[Reference]:
        """Every reference in key order; each is made when it is looked at."""
        return self.table[:]

    def get(self, key: str) -> Reference | None:
        """The reference with exactly this key, or None when S3 does not list it."""
        return self.table.get(key)

    @cached_property
    def problems(self) -> tuple[LibraryProblem, ...]:
        """All that should be mended or looked at, each with what to do, in key order."""
        return tuple(sorted(problems_of(self.table, self.folders, self.vocabulary), key=lambda p: p.where.encode()))

    @cached_property
    def personas(self) -> frozenset[str]:
        """Everyone who stands in a group of some model folder that may be injected from."""
        groups = (group for folder in self.folders_of(Role.MODEL) for group in folder.groups)
        references = (ref for group in groups for ref in group.references)  # not `usable`, which keeps them all
        usable = (ref.persona for ref in references if ref.problem is None and ref.size_bytes)
        return frozenset(persona for persona in usable if persona is not None)

    @property
    def left_out(self) -> dict[str, int]:
        """How many listed files are no part of the library, by reason: `litter`, as in `litter.py`."""
        return {"litter": self.table.litter}

    def warm(self) -> None:
        """Find every persona, and who stands in which group, so that the first designer after a refresh need not wait.

        In a large library only the first groups are made ready: objects of all its pictures would not fit the memory.
        """
        _ = self.personas
        room = _WARM_REFERENCES
        for group in (group for folder in self.folders for group in folder.groups):
            room -= len(group.references)
            if room < 0:
                return
            _ = group.people
            for ref in group.usable:  # plans look these up, and a string works its hash out but once
                hash(ref.key)
                hash(ref.etag)

    def resolve(self, text: str) -> tuple[Reference, ...]:
        """Candidates for a key, a path in another Unicode form, or a bare file name: all, never a guess."""
        return self.table.resolve(text)

    def folders_of(self, role: Role) -> tuple[ReferenceFolder, ...]:
        """Every reference folder with this role, in key order."""
        return tuple(folder for folder in self.folders if folder.role is role)

    def model_folder(self, text: str | None) -> ReferenceFolder:
        """The model folder a designer named, or the first one. Raises InjectionError for an unknown name.

        A library without any model folder has an empty one: tone and angle can be planned all the same.
        """
        folders = self.folders_of(Role.MODEL)
        if text is None:
            return folders[0] if folders else NO_MODEL_FOLDER
        asked = text.rstrip("/")
        exact = next((folder for folder in folders if folder.path == asked), None)
        if exact is not None:
            return exact
        wanted = unicodedata.normalize("NFC", asked)
        for folder in folders:
            if unicodedata.normalize("NFC", folder.path) == wanted:
                return folder
        names = ", ".join(f"“{folder.path}”" for folder in folders) or "none yet"
        raise InjectionError("There is no person folder `{}` in S3. The library has {}.", text, names)

    def group(self, path: str) -> AttributeGroup:
        """The group at this path. Raises NotFound."""
        for folder in self.folders:
            for group in folder.groups:
                if group.path == path:
                    return group
        raise NotFound("There is no group `{key}` in the library.", key=path)

    def search(self, wanted: Filter) -> References:
        """All references that pass every part of the filter, in key order; a page is a slice of it."""
        return self.table.search(wanted)

    def groups_with(self, wanted: Filter) -> tuple[AttributeGroup, ...]:
        """The groups in which a reference passes the filter, in key order."""
        places = self.table.groups_with(wanted)
        groups = (group for folder in self.folders for group in folder.groups)
        return tuple(group for group in groups if (group.folder, group.name) in places)

    def drift_of(self, later: ReferenceTable) -> Drift:
        """What differs in a later listing."""
        return drift_between(self.table, later, since=self.built_at)

    def leaving_out(self, etags: Collection[str]) -> ReferenceIndex:
        """The same generation, with these etags among those that cannot be decoded."""
        table = self.table.leaving_out(etags)
        return replace(self, table=table, folders=table.folders(self.vocabulary))

    def with_archived(self, key: str) -> ReferenceIndex:
        """The same generation, with the picture of this key among those that have to be restored first."""
        table = self.table.with_archived([key])
        return replace(self, table=table, folders=table.folders(self.vocabulary))

    def seen_again(self, *, seconds: float) -> ReferenceIndex:
        """The same generation, found unchanged just now: what was worked out about it stays."""
        again = replace(self, built_at=datetime.now(UTC), seconds=seconds)
        again.__dict__.update({name: value for name, value in vars(self).items() if name not in vars(again)})
        return again


class IndexSource(Protocol):
    """Hands out the newest complete index."""

    @property
    def index(self) -> ReferenceIndex:
        """The index; raises StorageError while there is none."""

    def leave_out(self, etags: Collection[str]) -> None:
        """Serve from now on an index that knows of these etags that they cannot be decoded."""


def build_index(
    listing: Listing | Iterable[StoredObject],
    vocabulary: Vocabulary,
    *,
    library_prefix: str = "",
    without_prefix: str = "",
    unreadable: Collection[str] = (),
) -> ReferenceIndex:
    """Read folders, groups and tags out of a complete listing, as `ReferenceTable.of` does."""
    complete = listing if isinstance(listing, Listing) else Listing.of(listing)
    table = ReferenceTable.of(
        complete, vocabulary, library_prefix=library_prefix, without_prefix=without_prefix, unreadable=unreadable
    )
    return index_over(table, vocabulary)


def index_over(table: ReferenceTable, vocabulary: Vocabulary, *, seconds: float = 0.0) -> ReferenceIndex:
    """A generation over a table that is there; `seconds` is what it took to get it."""
    return ReferenceIndex(table, table.folders(vocabulary), vocabulary, datetime.now(UTC), seconds)
