"""Spending: who spent what, by day and mode, and what is left of the day's budgets, in a drawer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Protocol

import streamlit as st

from core.generation.spending.budget import Budget, dollars, dollars_left
from core.generation.spending.ledger import Account, Tally
from core.studio import Studio
from core.ui.frame.problems import show_problems
from core.ui.frame.session import dialog
from core.ui.frame.state import Key
from core.ui.frame.words.markdown import Markdown, fill, plain
from core.ui.frame.words.names import MODES
from core.ui.frame.words.quantities import count_of
from core.ui.frame.words.tables import draw_table
from core.viewer import Capability, Viewer

_SPANS = {"Today": 1, "7 days": 7, "30 days": 30}
_ENDINGS = ("refused", "failed", "cancelled", "interrupted")  # of attempts that made no picture
_NOTE = (
    "Days are UTC. An attempt that was refused, failed or cancelled is counted as that, with what it is known to have "
    "cost. Unpriced ones were charged, or may have been, at a price nobody knows: the sum is without them, the budgets "
    "hold their estimates."
)


def spend_button(studio: Studio, viewer: Viewer) -> None:
    """Open the drawer."""
    if st.button("Spending", type="tertiary", icon=":material/payments:"):
        dialog("Spending", _accounts, width="large", position="right")(studio, viewer)


class Book(Protocol):
    """What was spent; the ledger is one."""

    def accounts(self, first: date, last: date) -> list[Account]:
        """Every account of these days. Raises StorageError."""


def accounts_seen_by(viewer: Viewer, ledger: Book, first: date, last: date) -> list[Account]:
    """The accounts of these days that this person may see: their own, or everybody's. Raises StorageError."""
    accounts = ledger.accounts(first, last)
    if viewer.may(Capability.SEE_ALL_SPENDING):
        return accounts
    return [account for account in accounts if account.person == viewer.email]


def summary(accounts: Sequence[Account]) -> Markdown:
    """The sum in one line; what has no price is named and not counted as nothing."""
    tally = sum((account.tally for account in accounts), Tally())
    parts = [f"{tally.unpriced:,} unpriced"] if tally.unpriced else []
    parts.append(count_of(tally.done, "picture"))
    parts += [f"{count:,} {ending}" for ending in _ENDINGS if (count := getattr(tally, ending))]
    return fill("**{}** charged · {}", dollars(tally.usd), " · ".join(parts))


def table(accounts: Sequence[Account]) -> list[dict[str, Any]]:
    """A row for each account, the newest day first; US$ is the sum of what has a price."""
    return [
        {
            "Day": account.day,
            "Made by": account.person,
            "Mode": MODES[account.mode] if account.mode else "not recorded",
            "US$": round(account.tally.usd, 4),
            "Unpriced": account.tally.unpriced,
            "Pictures": account.tally.done,
            **{ending.capitalize(): getattr(account.tally, ending) for ending in _ENDINGS},
        }
        for account in sorted(accounts, key=lambda account: account.day, reverse=True)
    ]


def budget_words(budget: Budget) -> str:
    """How a budget stands."""
    whose = "Your budget" if budget.personal else "Everybody's budget"
    return (
        f"{whose} today: {dollars(budget.used_usd)} of {dollars(budget.limit_usd)} used, "
        f"{dollars_left(budget.left_usd)} left"
    )


def _accounts(studio: Studio, viewer: Viewer) -> None:
    with show_problems():
        span = st.segmented_control(
            "Days", list(_SPANS), default="Today", required=True, key=Key.SPEND_DAYS, label_visibility="collapsed"
        )
        today = datetime.now(UTC).date()
        with st.spinner("Adding up what S3 holds…", show_time=True):
            accounts = accounts_seen_by(viewer, studio.ledger, today - timedelta(days=_SPANS[span] - 1), today)
            budgets = studio.budgets.today(viewer.email)
        st.markdown(summary(accounts))
        for budget in budgets:
            st.progress(min(1.0, budget.used_usd / budget.limit_usd), text=plain(budget_words(budget)))
        if accounts:
            draw_table(table(accounts), column_config={"US$": st.column_config.NumberColumn(format="$%.3f")})
        else:
            whose = "Nobody has" if viewer.may(Capability.SEE_ALL_SPENDING) else "You have"
            st.caption(fill("{} sent anything in this time.", whose))
        st.caption(_NOTE)
