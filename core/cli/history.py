"""`python -m core history`: what operators do to the history."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TextIO

from core.cli.workbench import open_workbench, print_json
from core.errors import InputError, legible
from core.generation.backfill.backfill import Backfill, ImportResult, ImportState
from core.generation.backfill.legacy_paths import Pointing
from core.generation.backfill.legacy_records import read_lines
from core.settings import load_settings

COUNTED = (ImportState.LINKED, ImportState.ALREADY, ImportState.AMBIGUOUS, ImportState.MISSING, ImportState.INVALID)


def backfill(file: Path, *, apply: bool, report: Path | None, as_json: bool) -> None:
    """Point older records to the keys they mean and, with `apply`, write those that are linked.

    Every record counts once; records that are not linked are no failure of the command.
    """
    counts: Counter[ImportState] = Counter()
    with ExitStack() as ending:
        lines = read_lines(file)
        opened = ending.enter_context(_open(report)) if report else None
        studio = ending.enter_context(open_workbench(load_settings()))
        index = studio.catalog.refresh()
        work = Backfill(studio.history, studio.store, index, library_prefix=studio.settings.s3_library_prefix)
        for result in work.run(lines, apply=apply):
            counts[result.state] += 1
            if opened is not None:
                opened.write(json.dumps(result_report(result), ensure_ascii=False) + "\n")
            if not as_json and result.state in (ImportState.AMBIGUOUS, ImportState.MISSING, ImportState.INVALID):
                print(_summary(result))
    if as_json:
        print_json({"read": counts.total(), **{fate.value: counts[fate] for fate in COUNTED}})
        return
    print(f"{counts.total()} read: " + ", ".join(f"{counts[fate]} {fate.value}" for fate in COUNTED))
    if not apply:
        print("Nothing was written: --apply writes the linked ones.")


def result_report(result: ImportResult) -> dict[str, Any]:
    """A line of the report file."""
    return {
        "line": result.line,
        "id": result.id,
        "outcome": result.state.value,
        "comparison": result.comparison,
        "reason": result.reason,
        "references": [{"role": role.value, **_pointing(pointing)} for role, pointing in result.references],
        "output": _pointing(result.output) if result.output else None,
    }


def _pointing(pointing: Pointing) -> dict[str, Any]:
    return {
        "text": pointing.text,
        "key": pointing.key,
        "by": pointing.by.value if pointing.by else None,
        "candidates": list(pointing.candidates),
    }


def _summary(result: ImportResult) -> str:
    return f"line {result.line}, {result.state.value}: {legible('; '.join(_problems(result)) or result.reason)}"


def _problems(result: ImportResult) -> Iterator[str]:
    for role, pointing in result.references:
        if pointing.key is None:
            could_be = ", ".join(f"`{key}`" for key in pointing.candidates) or "nothing in the library"
            yield f"the {role.value} reference `{pointing.text}` could be {could_be}"


def _open(report: Path) -> TextIO:
    try:
        return report.open("w", encoding="utf-8")
    except OSError as err:
        raise InputError("The report `{}` cannot be written: {}.", report, err.strerror) from err
