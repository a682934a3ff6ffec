"""`python -m core index`: the library as the dashboard sees it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from core.cli.workbench import open_workbench, print_json
from core.errors import legible
from core.references.index import ReferenceIndex
from core.references.reference import AttributeGroup
from core.settings import load_settings


def index(as_json: bool) -> None:
    """List the library straight from S3 and print folders, groups, tags and problems."""
    with open_workbench(load_settings()) as bench:
        built = bench.catalog.refresh()
    if as_json:
        print_json(report(built))
        return
    print(f"{len(built)} pictures in {len(built.folders)} reference folders, listed in {built.seconds:.2f} s")
    for folder in built.folders:
        print(f"\n{legible(folder.path)}  ({folder.role.value})")
        for group in folder.groups:
            tags = group.tags.problem or " + ".join(filter(None, (group.tags.tone, group.tags.angle)))
            print(f"  {legible(group.name):<40} {len(group.references):>5}  {tags}")
    for problem in built.problems:
        print(f"\nProblem: {legible(problem.where)} is {problem.kind.value}")


def report(built: ReferenceIndex) -> dict[str, Any]:
    """The index as JSON data; its shape is part of the command's contract."""
    return {
        "pictures": len(built),
        "folders": [
            {
                "folder": folder.path,
                "role": folder.role.value,
                "groups": [_group(group) for group in folder.groups],
            }
            for folder in built.folders
        ],
        "problems": [asdict(problem) for problem in built.problems],
        "seconds": round(built.seconds, 4),
    }


def _group(group: AttributeGroup) -> dict[str, Any]:
    return {
        "group": group.name,
        "tone": group.tags.tone,
        "angle": group.tags.angle,
        "pictures": len(group.references),
        "problem": group.tags.problem,
    }
