"""Directories: a folder of the listing, and what its place says of every picture in it."""

from __future__ import annotations

from typing import NamedTuple

from core.references.reference import Filter, Sought, place_of
from core.references.vocabulary import GroupProblem, Role, Tags, Vocabulary


class Directory(NamedTuple):
    """A folder with its slash, and what every picture in it has in common."""

    text: str
    role: Role | None = None
    folder: str | None = None
    group: str | None = None
    tone: str | None = None
    angle: str | None = None
    problem: GroupProblem | None = None

    def passes(self, wanted: Filter) -> bool:
        """Whether its pictures pass all parts of the filter that ask for a place."""
        equal = (
            (wanted.role, self.role),
            (wanted.tone, self.tone),
            (wanted.angle, self.angle),
            (wanted.folder, self.folder),
            (wanted.group, self.group),
        )
        return all(want is None or want == have for want, have in equal)

    def is_sought(self, sought: Sought) -> bool:
        """Whether its pictures are found by its place."""
        equal = ((sought.role, self.role), (sought.tone, self.tone), (sought.angle, self.angle))
        return any(want is not None and want == have for want, have in equal)


def directory_at(directory: str, vocabulary: Vocabulary, tags_by_name: dict[str, Tags]) -> Directory:
    """The directory with this path, which has no slash at its end; `tags_by_name` remembers the groups read so far."""
    text = f"{directory}/"
    place = place_of(directory, vocabulary)
    if place is None:
        return Directory(text, problem=GroupProblem.OUTSIDE)
    role, folder, group = place
    if group is None:
        return Directory(text, role, folder, None, None, None, GroupProblem.LOOSE)
    if group not in tags_by_name:
        tags_by_name[group] = vocabulary.tags_of(group)
    tags = tags_by_name[group]
    return Directory(text, role, folder, group, tags.tone, tags.angle, tags.problem)
