"""The index written as plainly as possible: what the compact table is held against."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from core.objects.objects import StoredObject
from core.references.drift import Drift
from core.references.key import is_picture, parent
from core.references.reference import AttributeGroup, Filter, Reference, ReferenceFolder, place_of
from core.references.vocabulary import GroupProblem, Role, Tags, Vocabulary
from core.unicode import searchable


@dataclass(frozen=True)
class PlainIndex:
    """One complete generation of the library; key order is the order of UTF-8 bytes, as in S3."""

    references: tuple[Reference, ...]
    folders: tuple[ReferenceFolder, ...]
    built_at: datetime
    litter: int = 0
    seconds: float = 0.0
    _by_key: dict[str, Reference] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.references)

    def get(self, key: str) -> Reference | None:
        """The reference with exactly this key, or None when S3 does not list it."""
        return self._by_key.get(key)

    def resolve(self, text: str) -> tuple[Reference, ...]:
        """Candidates for a key, a path in another Unicode form, or a bare file name: all, never a guess."""
        exact = self.get(text)
        if exact is not None:
            return (exact,)
        wanted = unicodedata.normalize("NFC", text)
        if "/" in text:
            return tuple(r for r in self.references if unicodedata.normalize("NFC", r.key) == wanted)
        return tuple(r for r in self.references if unicodedata.normalize("NFC", r.name) == wanted)

    def search(self, wanted: Filter) -> tuple[Reference, ...]:
        """All references that pass every part of the filter, in key order."""
        words = searchable(wanted.text).split()
        return tuple(ref for ref in self.references if _passes(ref, wanted, words))

    def drift_since(self, previous: PlainIndex) -> Drift:
        """What differs from an earlier generation."""
        mine, theirs = self._by_key, previous._by_key
        return Drift(
            added=tuple(key for key in mine if key not in theirs),
            removed=tuple(key for key in theirs if key not in mine),
            changed=tuple(k for k, ref in mine.items() if k in theirs and theirs[k].etag != ref.etag),
            since=previous.built_at,
        )


FOLDERS_OF_SYSTEMS = ["@eadir", "#recycle", "#snapshot", "@recycle", "@recently-snapshot", "@__thumb", "__macosx"]
FOLDERS_OF_SYSTEMS += ["$recycle.bin", "recycler", "system volume information", "lost+found"]
FILES_OF_SYSTEMS = ["thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini"]


def is_litter(key: str) -> bool:
    """Whether a system has left this file, by any part of its key."""
    *folders, name = key.split("/")
    hidden = any(part.startswith(".") and part not in (".", "..") for part in (*folders, name))
    return hidden or name.lower() in FILES_OF_SYSTEMS or any(part.lower() in FOLDERS_OF_SYSTEMS for part in folders)


def plain_index(objects: Iterable[StoredObject], vocabulary: Vocabulary) -> PlainIndex:
    """Read folders, groups and tags out of a complete listing."""
    objects = list(objects)
    found = (row for row in objects if is_picture(row.key) and not is_litter(row.key))
    rows = sorted(found, key=lambda row: row.key.encode())
    tags_by_name: dict[str, Tags] = {}
    references: list[Reference] = []
    members: dict[tuple[str, Role], dict[str | None, list[Reference]]] = defaultdict(lambda: defaultdict(list))
    places: dict[str, tuple[Role, str, str | None] | None] = {}
    for row in rows:
        directory = parent(row.key)
        if directory not in places:
            places[directory] = place_of(directory, vocabulary)
        place = places[directory]
        if place is None:
            references.append(_reference(row, None, None, None, None))
            continue
        role, folder, group = place
        if group is not None and group not in tags_by_name:
            tags_by_name[group] = vocabulary.tags_of(group)
        tags = tags_by_name[group] if group is not None else None
        reference = _reference(row, role, folder, group, tags)
        references.append(reference)
        members[folder, role][group].append(reference)
    folders = tuple(
        ReferenceFolder(
            path=folder,
            role=role,
            groups=tuple(
                AttributeGroup(folder, name, role, tags_by_name[name], tuple(refs))
                for name, refs in sorted(groups.items(), key=lambda item: (item[0] or "").encode())
                if name is not None
            ),
            loose=tuple(groups.get(None, ())),
        )
        for (folder, role), groups in sorted(members.items(), key=lambda item: item[0][0].encode())
    )
    return PlainIndex(
        references=tuple(references),
        folders=folders,
        litter=sum(is_litter(row.key) and not row.key.endswith("/") for row in objects),
        built_at=datetime.now(UTC),
        _by_key={ref.key: ref for ref in references},
    )


def _reference(
    row: StoredObject, role: Role | None, folder: str | None, group: str | None, tags: Tags | None
) -> Reference:
    problem = tags.problem if tags else GroupProblem.OUTSIDE if role is None else GroupProblem.LOOSE
    if row.is_archived:
        problem = GroupProblem.ARCHIVED
    if row.size_bytes == 0:
        problem = GroupProblem.UNREADABLE
    return Reference(
        key=row.key,
        etag=row.etag,
        size_bytes=row.size_bytes,
        modified=row.modified,
        role=role,
        folder=folder,
        group=group,
        tone=tags.tone if tags else None,
        angle=tags.angle if tags else None,
        problem=problem,
    )


def _passes(ref: Reference, wanted: Filter, words: Sequence[str]) -> bool:
    equal = (
        (wanted.role, ref.role),
        (wanted.tone, ref.tone),
        (wanted.angle, ref.angle),
        (wanted.folder, ref.folder),
        (wanted.group, ref.group),
    )
    if any(want is not None and want != have for want, have in equal):
        return False
    if wanted.problems_only and ref.problem is None:
        return False
    if not words:
        return True
    name = searchable(ref.key)
    return all(word in name for word in words)
