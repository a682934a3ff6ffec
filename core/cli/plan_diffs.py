"""`python -m core inject --replay-history`: which past comparisons would pick differently now."""

from __future__ import annotations

from dataclasses import asdict

from core.cli.workbench import open_workbench, print_json
from core.errors import legible
from core.generation.differences.plan_diff import diff_plans
from core.settings import load_settings


def replay_history(last: int, *, as_json: bool) -> None:
    """Plan the newest comparisons again and print what would change, and why; nothing is recorded."""
    with open_workbench(load_settings()) as studio:
        index = studio.catalog.refresh()
        plan_diffs = list(diff_plans(studio.history.newest(limit=last), studio.planner, index))
    changed = [plan_diff for plan_diff in plan_diffs if plan_diff.changes]
    if as_json:
        comparisons = [
            {
                "id": plan_diff.comparison.id,
                "created_at": plan_diff.comparison.created_at.isoformat(),
                "changes": [asdict(change) for change in plan_diff.changes],
            }
            for plan_diff in changed
        ]
        print_json({"rehearsed": len(plan_diffs), "changed": len(changed), "comparisons": comparisons})
        return
    print(f"{len(plan_diffs)} comparisons planned again, {len(changed)} would pick differently")
    for plan_diff in changed:
        print(f"\n{plan_diff.comparison.id}  {plan_diff.comparison.wishes.prompt[:60]!r}")
        for change in plan_diff.changes:
            was, now = legible(change.was or "empty"), legible(change.now or "empty")
            print(f"  {change.side.value} {legible(change.slot)}: {was} -> {now}")
            print(f"    {legible(change.why)}")
