"""`python -m core index`: the library as the dashboard sees it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any, Final

from core.cli.workbench import open_workbench, print_json
from core.errors import legible
from core.images.thumbnails import Thumbnails
from core.references.file_names.litter import LITTER_WORDS
from core.references.index import ReferenceIndex
from core.references.key import unicode_form
from core.references.problems import LibraryProblem, LibraryWarning, folded, has_twin
from core.references.reference import AttributeGroup
from core.references.vocabulary import GroupProblem
from core.settings import load_settings
from core.studio import Studio

_REASONS_MAX: Final = 200  # each is asked of S3


def index(as_json: bool, *, check: bool) -> None:
    """List the library straight from S3 and print folders, groups, tags and problems.

    With `check` every picture is opened that no server has opened yet.
    """
    opened = None
    with open_workbench(load_settings()) as bench:
        built = bench.catalog.refresh()
        if check:
            opened = _open_all(bench, len(built), quiet=as_json)
            built = bench.catalog.refresh()
        problems = list(_with_reasons(built, bench.thumbnails))
    if as_json:
        print_json(report(built, problems, opened=opened))
    else:
        print_index(built, problems, opened=opened)


def _open_all(bench: Studio, pictures: int, *, quiet: bool) -> int:
    """Open what nobody has opened, and return how many that were."""
    from rich.console import Console  # a tenth of the start, which no other command waits for
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("opening pictures"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=quiet) as bar:
        task = bar.add_task("", total=pictures)
        return bench.readability.check_all(
            lambda done, all_of_them: bar.update(task, completed=done, total=all_of_them)
        )


def _with_reasons(built: ReferenceIndex, thumbnails: Thumbnails) -> Iterator[LibraryProblem]:
    """The problems; those of the first pictures that cannot be opened say why not."""
    asked = 0
    for problem in built.problems:
        ref = built.get(problem.where) if problem.kind is GroupProblem.UNREADABLE else None
        if ref is not None and ref.size_bytes and asked < _REASONS_MAX:
            asked += 1
            yield replace(problem, says=f"It is never drawn. {thumbnails.why_unreadable(ref.etag)}")
        else:
            yield problem


def print_index(built: ReferenceIndex, problems: list[LibraryProblem], *, opened: int | None) -> None:
    """The index for people; many pictures of one folder with the same problem are one line."""
    print(f"{len(built)} pictures in {len(built.folders)} reference folders, listed in {built.seconds:.2f} s")
    if built.table.litter:
        print(f"{built.table.litter} files left out: {LITTER_WORDS}")
    if opened is not None:
        print(f"{opened} of them opened just now, {len(built.table.unreadable_references)} of all cannot be")
    for folder in built.folders:
        print(f"\n{legible(folder.path)}  ({folder.role.value})")
        for group in folder.groups:
            tags = group.tags.problem or " + ".join(filter(None, (group.tags.tone, group.tags.angle)))
            form = f"  {unicode_form(group.name)}" if has_twin(built.table, group.path) else ""
            print(f"  {legible(group.name):<40} {len(group.references):>5}  {tags}{form}")
    for problem in folded(problems):
        noun = "Warning" if isinstance(problem.kind, LibraryWarning) else "Problem"
        print(f"\n{noun}: {legible(problem.where)} is {problem.kind.value}\n  {legible(problem.says)}")


def report(built: ReferenceIndex, problems: list[LibraryProblem], *, opened: int | None = None) -> dict[str, Any]:
    """The index as JSON data; its shape is part of the command's contract.

    After a check it says how many were opened for it, and of each problem what to do.
    """
    listed = [asdict(problem) for problem in problems]
    return {
        "pictures": len(built),
        "left_out": built.left_out,
        "folders": [
            {
                "folder": folder.path,
                "role": folder.role.value,
                "groups": [_group(group) for group in folder.groups],
            }
            for folder in built.folders
        ],
        "problems": listed
        if opened is not None
        else [{"kind": each["kind"], "where": each["where"]} for each in listed],
        "seconds": round(built.seconds, 4),
    } | ({} if opened is None else {"opened": opened, "unreadable": len(built.table.unreadable_references)})


def _group(group: AttributeGroup) -> dict[str, Any]:
    return {
        "group": group.name,
        "tone": group.tags.tone,
        "angle": group.tags.angle,
        "pictures": len(group.references),
        "problem": group.tags.problem,
    }
