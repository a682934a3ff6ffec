"""Problems of the library: what operators should mend or look at, and in a sentence what to do."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from typing import Final

from core.references.key import file_name, parent, unicode_form
from core.references.reference import AttributeGroup, Reference, ReferenceFolder
from core.references.table import ReferenceTable
from core.references.vocabulary import GroupProblem, Role, TagKind, Vocabulary

UNEVEN_RATIO: Final = 20  # so many times the pictures of a group beside it
UNEVEN_PICTURES_MIN: Final = 100  # small groups are never even
_OF_PICTURES: Final = (GroupProblem.LOOSE, GroupProblem.OUTSIDE, GroupProblem.ARCHIVED, GroupProblem.UNREADABLE)
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/restoring-objects-retrieval-options.html
_RESTORE: Final = (
    "In an archive of S3, and not drawn until restored: “Initiate restore” in the S3 console, or aws s3api "
    "restore-object --bucket BUCKET --key KEY --restore-request Days=30. That takes up to 5 hours from GLACIER, up to "
    "12 from DEEP_ARCHIVE, and up to 48 at the bulk price; what is restored is found by itself."
)
_NAMED_ONE_BY_ONE: Final = 3  # pictures of one folder with the same problem; what is archived is so by folders
_ANGLES_NAMED: Final = 4  # beside all tones


class LibraryWarning(StrEnum):
    """What serves as it is, and is probably not meant."""

    TWIN = "twin"  # another name beside it differs in its Unicode form alone
    UNEVEN = "uneven"  # a group beside it has the same tags and far fewer pictures


@dataclass(frozen=True, slots=True)
class LibraryProblem:
    """Something an operator should mend by renaming or moving in S3, or look at; `where` is a key or a path."""

    kind: GroupProblem | LibraryWarning
    where: str
    says: str


def problems_of(
    table: ReferenceTable, folders: Sequence[ReferenceFolder], vocabulary: Vocabulary
) -> Iterator[LibraryProblem]:
    """Everything that is amiss, in no order."""
    for folder in folders:
        for group in folder.groups:
            if group.tags.problem is not None:
                yield LibraryProblem(group.tags.problem, group.path, group_problem_words(group, vocabulary))
        yield from (_of_picture(GroupProblem.LOOSE, ref) for ref in folder.loose)
        yield from _uneven(folder)
    yield from (_of_picture(GroupProblem.OUTSIDE, ref) for ref in table.outside)
    for ref in table.archived_references:
        if ref.problem is GroupProblem.ARCHIVED:  # else nothing would come of restoring it
            yield _of_picture(GroupProblem.ARCHIVED, ref)
    yield from (_of_picture(GroupProblem.UNREADABLE, ref) for ref in table.unreadable_references)
    yield from _twins(table)


def group_problem_words(group: AttributeGroup, vocabulary: Vocabulary) -> str:
    """Why nothing of a group is drawn, with the words of its name that say so, or words that would do."""
    if group.tags.problem is GroupProblem.AMBIGUOUS:
        clashes = "; ".join(filter(None, (_clash_words(group, kind, vocabulary) for kind in TagKind)))
        return f"Tagged twice: {clashes}. Nothing of it is drawn: leave only one of them in its name."
    near = vocabulary.nearest_word(group.name)
    guess = f" “{near[0]}” may be meant for “{near[1]}”." if near else ""
    would_do = _words_that_would_do(group, vocabulary)
    return f"Untagged: nothing of it is drawn, for no word of its name is known.{guess} {would_do}"


def picture_problem_words(kind: GroupProblem, ref: Reference) -> str:
    """Why a picture is not drawn, and what to do."""
    if kind is GroupProblem.UNREADABLE:
        if ref.size_bytes == 0:
            return "The file is empty: upload it again, or remove it."
        return "It cannot be opened as a picture and is never drawn; its tile says why. Upload it again, or remove it."
    if kind is GroupProblem.ARCHIVED:
        return _RESTORE
    if kind is GroupProblem.LOOSE:
        return "In no group, and so never drawn: move it into a folder beside it that is named after a tag."
    return (
        "In no folder named like “01. Model”, “02. Tone” or “03. Angle”, and so never drawn: move it into a group of "
        "one."
    )


def folded(problems: Iterable[LibraryProblem]) -> tuple[LibraryProblem, ...]:
    """The same in fewer lines: many pictures of one folder with the same problem are one. Warnings come last."""
    lines: dict[tuple[object, ...], list[LibraryProblem]] = defaultdict(list)
    for problem in problems:
        is_of_picture = problem.kind in _OF_PICTURES
        lines[problem.kind, problem.says, parent(problem.where) if is_of_picture else problem.where].append(problem)
    found = chain.from_iterable(_in_few_lines(same) for same in lines.values())
    return tuple(sorted(found, key=lambda problem: isinstance(problem.kind, LibraryWarning)))


def _in_few_lines(same: list[LibraryProblem]) -> Iterable[LibraryProblem]:
    first = same[0]
    if len(same) <= (1 if first.kind is GroupProblem.ARCHIVED else _NAMED_ONE_BY_ONE):
        return same
    return (LibraryProblem(first.kind, f"{parent(first.where)}/", f"{len(same):,} files. {first.says}"),)


def has_twin(table: ReferenceTable, path: str) -> bool:
    """Whether a key, or a folder's path, stands beside one that looks the same."""
    place, name = parent(path), file_name(path)
    if name.isascii():
        return False
    others = {unicodedata.normalize(form, name) for form in ("NFC", "NFD")} - {name}
    beside = [f"{place}/{other}" if place else other for other in others]
    return any(table.get(each) is not None or len(table.prefixed(f"{each}/")) > 0 for each in beside)


def _clash_words(group: AttributeGroup, kind: TagKind, vocabulary: Vocabulary) -> str:
    """The words of a name that mean different tones, or angles; nothing where at most one is meant."""
    said = {term.id: f"“{words}” ({term.name})" for words, term in vocabulary.words_in(group.name) if term.kind is kind}
    if len(said) < 2:
        return ""
    *first, last = said.values()
    return f"{', '.join(first)} and {last} are different {kind.value}s"


def _of_picture(kind: GroupProblem, ref: Reference) -> LibraryProblem:
    return LibraryProblem(kind, ref.key, picture_problem_words(kind, ref))


def _words_that_would_do(group: AttributeGroup, vocabulary: Vocabulary) -> str:
    tones = vocabulary.words_that_would_do(TagKind.TONE, group.name)
    angles = vocabulary.words_that_would_do(TagKind.ANGLE, group.name)
    if group.role is Role.ANGLE:
        return f"Words that would do: {', '.join(angles)}."
    if group.role is Role.TONE:
        return f"Words that would do: {', '.join(tones)}."
    return f"Words that would do: {', '.join(tones)}; and for the angle {', '.join(angles[:_ANGLES_NAMED])} and others."


def _uneven(folder: ReferenceFolder) -> Iterator[LibraryProblem]:
    """Groups that hold many times the pictures of one beside them with the same tags."""
    alike: dict[tuple[str | None, str | None], list[AttributeGroup]] = defaultdict(list)
    for group in folder.groups:
        if group.is_injectable:
            alike[group.tags.tone, group.tags.angle].append(group)
    for groups in alike.values():
        small = min(groups, key=lambda group: len(group.references))
        for group in groups:
            pictures, few = len(group.references), len(small.references)
            if pictures >= max(UNEVEN_PICTURES_MIN, UNEVEN_RATIO * few):
                says = (
                    f"It has {pictures:,} pictures, and “{small.name}” beside it, with the same tags, has {few:,}. A "
                    f"group is drawn first and then a picture in it: each of the small one comes {pictures // few:,} "
                    "times as often. Merge them, or tell them apart by a tag."
                )
                yield LibraryProblem(LibraryWarning.UNEVEN, group.path, says)


def _twins(table: ReferenceTable) -> Iterator[LibraryProblem]:
    """Names beside each other that only bytes tell apart: of folders, then of files."""
    for names in _alike(_with_parents(table.paths)):
        for path in names:
            counts = [
                (unicode_form(file_name(each)), len(table.prefixed(f"{each}/"))) for each in names if each != path
            ]
            others = ", ".join(f"{form} with {_pictures(count)}" for form, count in counts)
            mine = f"{unicode_form(file_name(path))} with {_pictures(len(table.prefixed(f'{path}/')))}"
            says = f"It looks like another folder beside it: this one is {mine}, the other {others}."
            yield LibraryProblem(LibraryWarning.TWIN, path, f"{says} Merge them, or rename one.")
    for keys in _alike(ref.key for ref in table.not_ascii):
        for key in keys:
            others = ", ".join(unicode_form(file_name(each)) for each in keys if each != key)
            says = (
                f"It looks like another file beside it: this one is {unicode_form(file_name(key))}, the other {others}."
            )
            yield LibraryProblem(LibraryWarning.TWIN, key, f"{says} Remove or rename one.")


def _alike(paths: Iterable[str]) -> Iterator[list[str]]:
    """Paths in the same folder whose names are one in NFC."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for path in paths:
        found[parent(path), unicodedata.normalize("NFC", file_name(path))].append(path)
    return (sorted(names) for names in found.values() if len(names) > 1)


def _with_parents(paths: Iterable[str]) -> Iterable[str]:
    """The folders, and those they lie in, each once."""
    parts = (path.split("/") for path in paths)
    return dict.fromkeys(chain.from_iterable(("/".join(each[: at + 1]) for at in range(len(each))) for each in parts))


def _pictures(count: int) -> str:
    return f"{count:,} picture" if count == 1 else f"{count:,} pictures"
