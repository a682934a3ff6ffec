"""The reference index: every picture under the library prefix, immutable once built."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property

from core.errors import InjectionError, ReferenceNotFound
from core.objects import StoredObject
from core.references.attributes import GroupProblem, Role, Tags, Vocabulary
from core.references.key import file_name, folded, is_picture, parent, persona_of


@dataclass(frozen=True, slots=True)
class Reference:
    """One picture of the library and what its place says about it.

    `folder` is the key prefix of its reference folder without the trailing slash, `group` the name of
    the attribute group; both are None for a picture outside any reference folder, and `group` alone is
    None for a loose one.
    """

    key: str
    etag: str
    size_bytes: int
    modified: datetime
    role: Role | None
    folder: str | None
    group: str | None
    tone: str | None
    angle: str | None
    problem: GroupProblem | None

    @property
    def name(self) -> str:
        """The file name."""
        return file_name(self.key)

    @property
    def persona(self) -> str | None:
        """Who is in the picture, by its file name."""
        return persona_of(self.key)


@dataclass(frozen=True)
class AttributeGroup:
    """A direct subfolder of a reference folder; its name carries the tags."""

    folder: str
    name: str
    role: Role
    tags: Tags
    references: tuple[Reference, ...]

    @property
    def path(self) -> str:
        """The key prefix of the group without the trailing slash."""
        return f"{self.folder}/{self.name}"

    @cached_property
    def usable(self) -> tuple[Reference, ...]:
        """The references that may be injected: none of an ambiguous group, no empty file."""
        if self.tags.problem is not None:
            return ()
        return tuple(ref for ref in self.references if ref.size_bytes > 0)


@dataclass(frozen=True, slots=True)
class ReferenceFolder:
    """A folder named `NN. Model`, `NN. Tone` or `NN. Angle`, with its groups in key order."""

    path: str
    role: Role
    groups: tuple[AttributeGroup, ...]
    loose: tuple[Reference, ...] = ()

    @property
    def project(self) -> str:
        """The folder around it: where a designer's own tone and angle references are looked for."""
        return parent(self.path)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something an operator should mend by renaming or moving in S3."""

    kind: GroupProblem
    where: str


@dataclass(frozen=True, slots=True)
class Filter:
    """What a person narrows the library to; empty fields do not narrow."""

    text: str = ""
    role: Role | None = None
    tone: str | None = None
    angle: str | None = None
    folder: str | None = None
    group: str | None = None
    problems_only: bool = False


@dataclass(frozen=True, slots=True)
class Drift:
    """What changed in S3 since the index before, as keys in key order."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    since: datetime | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing changed."""
        return not (self.added or self.removed or self.changed)


@dataclass(frozen=True)
class ReferenceIndex:
    """One complete generation of the library; key order is the order of UTF-8 bytes, as in S3."""

    references: tuple[Reference, ...]
    folders: tuple[ReferenceFolder, ...]
    built_at: datetime
    seconds: float = 0.0
    _by_key: dict[str, Reference] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.references)

    def get(self, key: str) -> Reference | None:
        """The reference with exactly this key, or None when S3 does not list it."""
        return self._by_key.get(key)

    @cached_property
    def problems(self) -> tuple[Problem, ...]:
        """Ambiguous and untagged groups, and loose pictures, in key order."""
        found = [
            Problem(group.tags.problem, group.path)
            for folder in self.folders
            for group in folder.groups
            if group.tags.problem is not None
        ]
        found += [Problem(GroupProblem.LOOSE, ref.key) for folder in self.folders for ref in folder.loose]
        return tuple(sorted(found, key=lambda problem: problem.where.encode()))

    @cached_property
    def personas(self) -> frozenset[str]:
        """Everyone who stands in a group of some model folder that may be injected from."""
        groups = (group for folder in self.folders_of(Role.MODEL) for group in folder.groups)
        return frozenset(ref.persona for group in groups for ref in group.usable if ref.persona is not None)

    def resolve(self, text: str) -> tuple[Reference, ...]:
        """Candidates for a key, a path in another Unicode form, or a bare file name: all, never a guess."""
        exact = self.get(text)
        if exact is not None:
            return (exact,)
        wanted = unicodedata.normalize("NFC", text)
        if "/" in text:
            return tuple(r for r in self.references if unicodedata.normalize("NFC", r.key) == wanted)
        return tuple(r for r in self.references if unicodedata.normalize("NFC", r.name) == wanted)

    def folders_of(self, role: Role) -> tuple[ReferenceFolder, ...]:
        """Every reference folder with this role, in key order."""
        return tuple(folder for folder in self.folders if folder.role is role)

    def model_folder(self, text: str | None) -> ReferenceFolder:
        """The model folder a designer named, or the first one. Raises InjectionError."""
        folders = self.folders_of(Role.MODEL)
        if not folders:
            raise InjectionError(
                "The library has no model folder yet: make one in S3 named like `01. Model`, "
                "with a subfolder for each tone and angle."
            )
        if text is None:
            return folders[0]
        asked = text.rstrip("/")
        exact = next((folder for folder in folders if folder.path == asked), None)
        if exact is not None:
            return exact
        wanted = unicodedata.normalize("NFC", asked)
        for folder in folders:
            if unicodedata.normalize("NFC", folder.path) == wanted:
                return folder
        names = ", ".join(f"`{folder.path}`" for folder in folders)
        raise InjectionError(f"There is no model folder `{text}` in S3. The library has {names}.")

    def group(self, path: str) -> AttributeGroup:
        """The group at this path. Raises ReferenceNotFound."""
        for folder in self.folders:
            for group in folder.groups:
                if group.path == path:
                    return group
        raise ReferenceNotFound(f"There is no group `{path}` in the library.", key=path)

    def search(self, wanted: Filter) -> tuple[Reference, ...]:
        """All references that pass every part of the filter, in key order."""
        words = folded(wanted.text).split()
        return tuple(ref for ref in self.references if _passes(ref, wanted, words))

    def drift_since(self, previous: ReferenceIndex) -> Drift:
        """What differs from an earlier generation."""
        mine, theirs = self._by_key, previous._by_key
        return Drift(
            added=tuple(key for key in mine if key not in theirs),
            removed=tuple(key for key in theirs if key not in mine),
            changed=tuple(k for k, ref in mine.items() if k in theirs and theirs[k].etag != ref.etag),
            since=previous.built_at,
        )


def build_index(objects: Iterable[StoredObject], vocabulary: Vocabulary) -> ReferenceIndex:
    """Read folders, groups and tags out of a complete listing."""
    rows = sorted((row for row in objects if is_picture(row.key)), key=lambda row: row.key.encode())
    tags_by_name: dict[str, Tags] = {}
    references: list[Reference] = []
    members: dict[tuple[str, Role], dict[str | None, list[Reference]]] = defaultdict(lambda: defaultdict(list))
    places: dict[str, tuple[Role, str, str | None] | None] = {}
    for row in rows:
        directory = parent(row.key)
        if directory not in places:
            places[directory] = _place(directory, vocabulary)
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
    return ReferenceIndex(
        references=tuple(references),
        folders=folders,
        built_at=datetime.now(UTC),
        _by_key={ref.key: ref for ref in references},
    )


def _place(directory: str, vocabulary: Vocabulary) -> tuple[Role, str, str | None] | None:
    """Role, folder path and group of a directory; None outside every reference folder.

    The innermost reference folder counts: a `02. Tone` inside a model folder holds tone references,
    and must never be injected as a person.
    """
    parts = directory.split("/")
    for at in range(len(parts) - 1, -1, -1):
        role = vocabulary.role_of(parts[at])
        if role is not None:
            group = (parts[at + 1] or None) if at + 1 < len(parts) else None  # `//` names no group
            return role, "/".join(parts[: at + 1]), group
    return None


def _reference(
    row: StoredObject, role: Role | None, folder: str | None, group: str | None, tags: Tags | None
) -> Reference:
    problem = GroupProblem.LOOSE if role is not None and group is None else tags.problem if tags else None
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
    name = folded(ref.key)
    return all(word in name for word in words)
