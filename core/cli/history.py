"""`python -m core history`: what operators do to the history."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TextIO

from core.cli.workbench import open_workbench, print_json
from core.errors import InputError
from core.generation.backfill.backfill import Backfill, Fate, Verdict
from core.generation.backfill.legacy_paths import Pointing
from core.generation.backfill.legacy_records import read_lines
from core.settings import load_settings

COUNTED = (Fate.LINKED, Fate.ALREADY, Fate.AMBIGUOUS, Fate.MISSING, Fate.INVALID)


def backfill(file: Path, *, apply: bool, report: Path | None, as_json: bool) -> None:
    """Point older records to the keys they mean and, with `apply`, write those that are linked.

    Every record counts once; records that are not linked are no failure of the command.
    """
    counts: Counter[Fate] = Counter()
    with ExitStack() as ending:
        lines = read_lines(file)
        opened = ending.enter_context(_opened(report)) if report else None
        studio = ending.enter_context(open_workbench(load_settings()))
        index = studio.catalog.refresh()
        work = Backfill(studio.history, studio.store, index, library_prefix=studio.settings.s3_library_prefix)
        for verdict in work.run(lines, apply=apply):
            counts[verdict.fate] += 1
            if opened is not None:
                opened.write(json.dumps(verdict_report(verdict), ensure_ascii=False) + "\n")
            if not as_json and verdict.fate in (Fate.AMBIGUOUS, Fate.MISSING, Fate.INVALID):
                print(_told(verdict))
    if as_json:
        print_json({"read": counts.total(), **{fate.value: counts[fate] for fate in COUNTED}})
        return
    print(f"{counts.total()} read: " + ", ".join(f"{counts[fate]} {fate.value}" for fate in COUNTED))
    if not apply:
        print("Nothing was written: --apply writes the linked ones.")


def verdict_report(verdict: Verdict) -> dict[str, Any]:
    """A line of the report file."""
    return {
        "line": verdict.line,
        "id": verdict.id,
        "outcome": verdict.fate.value,
        "comparison": verdict.comparison,
        "reason": verdict.reason,
        "references": [{"role": role.value, **_pointing(pointing)} for role, pointing in verdict.references],
        "output": _pointing(verdict.output) if verdict.output else None,
    }


def _pointing(pointing: Pointing) -> dict[str, Any]:
    return {
        "text": pointing.text,
        "key": pointing.key,
        "by": pointing.by.value if pointing.by else None,
        "candidates": list(pointing.candidates),
    }


def _told(verdict: Verdict) -> str:
    return f"line {verdict.line}, {verdict.fate.value}: " + ("; ".join(_problems(verdict)) or verdict.reason)


def _problems(verdict: Verdict) -> Iterator[str]:
    for role, pointing in verdict.references:
        if pointing.key is None:
            could_be = ", ".join(f"`{key}`" for key in pointing.candidates) or "nothing in the library"
            yield f"the {role.value} reference `{pointing.text}` could be {could_be}"


def _opened(report: Path) -> TextIO:
    try:
        return report.open("w", encoding="utf-8")
    except OSError as err:
        raise InputError(f"The report `{report}` cannot be written: {err.strerror}.") from err
