"""Spending on screen: whose may be seen by whom, and sums in which nothing unknown looks free."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from html import unescape

import pytest

from core.generation.spending.budget import Budget
from core.generation.spending.ledger import Account, Tally
from core.injection.request.wishes import Mode, Varies
from core.ui.people.spend import accounts_seen_by, budget_words, summary, table
from core.viewer import PersonRole, Viewer

DAY, NEXT = date(2026, 5, 4), date(2026, 5, 5)
ANNA, BERT = "anna@studio", "bert@studio"
ACCOUNTS = [
    Account(ANNA, DAY, Mode.COMPARE, Varies.ANGLE, Tally(done=2, refused=1, usd=0.1848)),
    Account(BERT, DAY, None, None, Tally(failed=1, interrupted=1, unpriced=1, held_usd=0.2)),
    Account(ANNA, NEXT, Mode.TONE_ONLY, None, Tally(done=1, cancelled=1, usd=0.05)),
]


class Book:
    """Accounts that were added up before."""

    def accounts(self, first: date, last: date) -> list[Account]:
        return [account for account in ACCOUNTS if first <= account.day <= last]


@pytest.mark.parametrize(
    ("role", "seen"),
    [(PersonRole.DESIGNER, {ANNA}), (PersonRole.OPS, {ANNA, BERT}), (PersonRole.ADMIN, {ANNA, BERT})],
)
def test_designers_see_their_own_and_ops_and_admins_see_everybodys(role: PersonRole, seen: set[str]) -> None:
    found = accounts_seen_by(Viewer(ANNA, role), Book(), DAY, NEXT)
    assert {account.person for account in found} == seen
    assert {account.day for account in accounts_seen_by(Viewer(ANNA, role), Book(), NEXT, NEXT)} == {NEXT}


def test_the_sum_counts_what_failed_as_that_and_marks_what_has_no_price() -> None:
    assert unescape(summary(ACCOUNTS)) == (
        "**$0.24** charged · 1 unpriced · 3 pictures · 1 refused · 1 failed · 1 cancelled · 1 interrupted"
    )
    assert unescape(summary([])) == "**$0.00** charged · 0 pictures"


def test_the_table_has_a_row_for_each_person_day_and_mode_the_newest_day_first() -> None:
    rows = table(ACCOUNTS)
    assert [row["Day"] for row in rows] == [NEXT, DAY, DAY]
    assert [row["Mode"] for row in rows] == ["Tone only", "Compare", "not recorded"]
    assert [row["US$"] for row in rows] == [0.05, 0.1848, 0.0]
    assert [row["Unpriced"] for row in rows] == [0, 0, 1]
    assert [row["Refused"] for row in rows] == [0, 1, 0]


def test_a_budget_says_whose_it_is_and_never_leaves_more_than_there_is() -> None:
    budget = Budget(limit_usd=5, used_usd=0.1848, personal=True, starts_anew_at=datetime(2026, 5, 5, tzinfo=UTC))
    assert budget_words(budget) == "Your budget today: $0.19 of $5.00 used, $4.81 left"
    assert budget_words(replace(budget, personal=False)).startswith("Everybody's budget today: ")
