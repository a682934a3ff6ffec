"""`python -m core labels queue`: every portrait by how likely its label is wrong, and why."""

from __future__ import annotations

import sys
from typing import Any

from core.cli.workbench import open_workbench, to_json
from core.errors import legible
from core.labels.queue.outlook import Outlook
from core.labels.queue.queue import QueueItem
from core.settings import load_settings
from core.viewer import PersonRole, Viewer

_OPERATOR = Viewer("operator", PersonRole.OPS)


def queue(*, as_json: bool) -> None:
    """Print all portraits, the likeliest wrong first: a JSON line each, or a table under what it comes to."""
    with open_workbench(load_settings()) as studio:
        studio.catalog.refresh()
        studio.proposals.catch_up()
        items = studio.review_service.ranking(_OPERATOR)
        outlook = studio.review_service.outlook(_OPERATOR)
    if as_json:
        sys.stdout.writelines(f"{to_json(line_of(item))}\n" for item in items)
        return
    print(_summary(outlook))
    for item in items:
        fields = ", ".join(
            f"{name.replace('_', ' ')} {wrong:.0%}" for name, wrong in item.fields.items() if wrong >= 0.01
        )
        print(f"{item.wrong:>4.0%}  {legible(item.reference.key)}{f'  ({fields})' if fields else ''}")
        for says in item.why:
            print(f"      {legible(says)}")


def line_of(item: QueueItem) -> dict[str, Any]:
    """A portrait as JSON data. Other programs read it: these keys, and no others."""
    return {"key": item.reference.key, "wrong": item.wrong, "fields": dict(item.fields), "why": list(item.why)}


def _summary(outlook: Outlook) -> str:
    found = outlook.remaining
    says = f"{found.labels} labels, of which about {found.wrong:.0f} are still wrong ({found.low} to {found.high})"
    if found.halved_by:
        return f"{says}; {found.halved_by} reviews from the top would halve that."
    return f"{says}."
