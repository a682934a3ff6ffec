"""`python -m core inject --replay-history`: which past comparisons would pick differently now."""

from __future__ import annotations

from dataclasses import asdict

from core.cli.workbench import open_workbench, print_json
from core.generation.rehearsal import rehearse
from core.settings import load_settings


def replay_history(last: int, *, as_json: bool) -> None:
    """Plan the newest comparisons again and print what would change, and why; nothing is recorded."""
    with open_workbench(load_settings()) as studio:
        index = studio.catalog.refresh()
        rehearsals = list(rehearse(studio.history.newest(limit=last), studio.desk, index))
    changed = [rehearsal for rehearsal in rehearsals if rehearsal.changes]
    if as_json:
        comparisons = [
            {
                "id": rehearsal.comparison.id,
                "created_at": rehearsal.comparison.created_at.isoformat(),
                "changes": [asdict(change) for change in rehearsal.changes],
            }
            for rehearsal in changed
        ]
        print_json({"rehearsed": len(rehearsals), "changed": len(changed), "comparisons": comparisons})
        return
    print(f"{len(rehearsals)} comparisons planned again, {len(changed)} would pick differently")
    for rehearsal in changed:
        print(f"\n{rehearsal.comparison.id}  {rehearsal.comparison.wishes.prompt[:60]!r}")
        for change in rehearsal.changes:
            print(f"  {change.side.value} {change.slot}: {change.was or 'empty'} -> {change.now or 'empty'}")
            print(f"    {change.why}")
