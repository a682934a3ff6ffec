"""References: one picture, the group and folder it stands in, and how they are narrowed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Final

from core.references.key import file_name, fold, parent, persona_of
from core.references.vocabulary import GroupProblem, Role, Tags, Vocabulary

# So many times fewer than all of a group, and it is quicker to read their names than to look all others up.
_FEW: Final = 16


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
    def is_archived(self) -> bool:
        """Whether S3 hands its bytes out only after somebody has restored them."""
        return self.problem is GroupProblem.ARCHIVED

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
    references: Sequence[Reference]

    @property
    def path(self) -> str:
        """The key prefix of the group without the trailing slash."""
        return f"{self.folder}/{self.name}"

    @property
    def is_injectable(self) -> bool:
        """Whether its name allows it and something is in it; asking costs nothing, however large it is."""
        return self.tags.problem is None and len(self.references) > 0

    @property
    def example(self) -> Reference | None:
        """Its first picture that can be shown, as far as anybody has tried."""
        hidden = (GroupProblem.ARCHIVED, GroupProblem.UNREADABLE)
        return next((ref for ref in self.references if ref.problem not in hidden), None)

    @cached_property
    def usable(self) -> tuple[Reference, ...]:
        """The references that may be injected: none of an ambiguous group, none empty, unreadable or archived."""
        if self.tags.problem is not None:
            return ()
        return tuple(ref for ref in self.references if ref.size_bytes > 0 and ref.problem is None)

    @cached_property
    def people(self) -> Mapping[str, tuple[Reference, ...]]:
        """The usable references of each person, by folded persona; kept, for every plan asks for it."""
        return by_person(self.usable)

    def people_among(self, references: Sequence[Reference]) -> Mapping[str, tuple[Reference, ...]]:
        """The same of some of its usable references."""
        if len(references) == len(self.usable):
            return self.people
        if len(references) * _FEW < len(self.usable):
            return by_person(references)
        kept = {ref.key for ref in references}
        among = ((name, tuple([ref for ref in refs if ref.key in kept])) for name, refs in self.people.items())
        return {name: refs for name, refs in among if refs}


@dataclass(frozen=True, slots=True)
class ReferenceFolder:
    """A folder named `NN. Model`, `NN. Tone` or `NN. Angle`, with its groups in key order."""

    path: str
    role: Role
    groups: tuple[AttributeGroup, ...]
    loose: Sequence[Reference] = ()

    @property
    def project(self) -> str:
        """The folder around it: where a designer's own tone and angle references are looked for."""
        return parent(self.path)


@dataclass(frozen=True, slots=True)
class Sought:
    """One thing that is searched for: a picture is found by any of what stands here.

    Its key has all of `words`, which are in the form in which texts are searched (with `at_word_start` not behind a
    letter from a to z: a woman's file is no man's); its place has this role or this tag; or its bytes, or it itself,
    are among those of which somebody else knows that they are meant.
    """

    words: tuple[str, ...] = ()
    at_word_start: bool = False
    role: Role | None = None
    tone: str | None = None
    angle: str | None = None
    etags: frozenset[str] = frozenset()
    keys: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Filter:
    """What a person narrows the library to; empty fields do not narrow.

    Each word of `text` stands in the key of what passes, and everything that is `sought` is found.
    """

    text: str = ""
    role: Role | None = None
    tone: str | None = None
    angle: str | None = None
    folder: str | None = None
    group: str | None = None
    problems_only: bool = False
    sought: tuple[Sought, ...] = ()


def by_person(references: Iterable[Reference]) -> dict[str, tuple[Reference, ...]]:
    """References by folded persona, in their order; those that name nobody are left out."""
    people: dict[str, list[Reference]] = {}
    for ref in references:
        persona = ref.persona
        if persona is not None:
            people.setdefault(fold(persona), []).append(ref)
    return {name: tuple(refs) for name, refs in people.items()}


def place_of(directory: str, vocabulary: Vocabulary) -> tuple[Role, str, str | None] | None:
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
