"""`python -m core spend`: who spent what, by day and mode, from the outcomes in S3 alone."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta

from core.cli.workbench import open_workbench, print_json
from core.errors import legible
from core.settings import load_settings


def spend(days: int, *, as_json: bool) -> None:
    """Print the accounts of the last `days` days (UTC), today included."""
    today = datetime.now(UTC).date()
    with open_workbench(load_settings()) as studio:
        accounts = studio.ledger.accounts(today - timedelta(days=days - 1), today)
    if as_json:
        rows = [
            {
                "day": account.day.isoformat(),
                "person": account.person,
                "mode": account.mode,
                "varies": account.varies,
                **asdict(account.tally),
            }
            for account in accounts
        ]
        print_json({"days": days, "accounts": rows, "usd": round(sum(account.tally.usd for account in accounts), 4)})
        return
    for account in accounts:
        tally = account.tally
        unpriced = f", {tally.unpriced} unpriced" if tally.unpriced else ""
        ended = f"{tally.done} done, {tally.failed + tally.refused} failed, {tally.cancelled} cancelled"
        whose = f"{legible(account.person):<32} {account.mode or '':<10} {account.varies or '':<8}"
        print(f"{account.day}  {whose} ${tally.usd:.2f}{unpriced}  {ended}")
    print(f"${sum(account.tally.usd for account in accounts):.2f} in {days} days")
