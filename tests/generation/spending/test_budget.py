"""What a budget says about itself, and what the ledger says about a record it cannot read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from core.generation.records.outcome import Cost
from core.generation.spending.budget import Budget
from tests.generation.comparisons import StudioFixture
from tests.generation.spending.test_ledger import DAY, begun, ended, ledger, recorded

MIDNIGHT = datetime(2026, 5, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("before_s", "words"),
    [
        (1, "in 1 min"),
        (61, "in 2 min"),
        (89 * 60, "in 89 min"),
        (89 * 60 + 1, "in 2 h"),
        (90 * 60, "in 2 h"),
        (12 * 3600, "in 12 h"),
    ],
)
def test_a_spent_budget_says_how_long_it_is_until_it_starts_anew(before_s: int, words: str) -> None:
    budget = Budget(5.0, 5.0, personal=True, starts_anew_at=MIDNIGHT)
    said = budget.objection(1.0, now=MIDNIGHT - timedelta(seconds=before_s))
    assert said is not None
    assert said.endswith(f"it starts anew at 00:00 UTC, {words}.")


@pytest.mark.parametrize("name", ["tone-only-1.json", "tone-only-1.started.json"])
def test_a_record_that_cannot_be_read_is_logged_by_its_key(studio: StudioFixture, name: str) -> None:
    broken, whole = recorded(studio), recorded(studio)
    key = f"{studio.history().folder_of(broken.id)}{name}"
    studio.store.put(key, b"{}", content_type="application/json")
    begun(studio, whole)
    ended(studio, whole, Cost(usd=0.04))
    with capture_logs() as logs:
        ledger(studio).accounts(DAY, DAY)
    assert {(line["event"], line["key"]) for line in logs} == {("record_left_out", key)}
