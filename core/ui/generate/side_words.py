"""Side words: what is said of a side that waits, works, has failed or was stopped, and what it came to cost."""

from __future__ import annotations

from core.errors import EngineFault
from core.generation.engines.engine import Engine
from core.generation.records.attempt_status import AttemptPhase, ComparisonStatus, SideStatus
from core.generation.records.outcome import Cancellation, Failure, Outcome
from core.ui.frame.words.local_time import clock, reader_zone

_NO_PREVIEWS = "The picture comes finished, without previews on the way: it may take a minute or two."
# What a failure is called, and what to do about it beyond what its message says.
_FAILURES = {
    EngineFault.REFUSED: ("Refused", "A retry alone sends the same once more."),
    EngineFault.RATE_LIMITED: ("Too many requests", "It is not sent again by itself: retry it then."),
    EngineFault.OUT_OF_CREDIT: ("Out of credit", "Retry it once that is done."),
    EngineFault.TIMED_OUT: ("Not ready in time", "Retry it; nothing in your prompt caused this."),
    EngineFault.UNAVAILABLE: ("It did not work", "Retry it in a moment."),
    EngineFault.BAD_REQUEST: ("Not accepted", "A retry sends the same once more: change what is named here before."),
    EngineFault.INTERRUPTED: ("Interrupted", "Retry it when you like."),
    EngineFault.CANCELLED: ("Cancelled", "Retry it when you want it after all."),
}


def headline(side: SideStatus) -> str:
    """What stands in place of a picture in one or two words; how long it has been so, the browser says."""
    if side.phase is AttemptPhase.QUEUED:
        return f"Waiting: {side.ahead} ahead of you" if side.ahead else "Waiting"
    if side.phase is AttemptPhase.RUNNING:
        return "Working"
    failure = side.latest.failure if side.latest else None
    if failure is not None:
        return _FAILURES[failure.kind][0]
    return "Interrupted" if side.phase is AttemptPhase.INTERRUPTED else ""


def problem(side: SideStatus, *, may_act: bool) -> str:
    """Why a side has no picture, and what whoever may act on it can do next; empty while something may still come."""
    failure = side.latest.failure if side.latest else None
    if failure is not None:
        return f"{failure.message} {next_step(failure) if may_act else ''}".strip()
    if side.phase is AttemptPhase.INTERRUPTED:
        return "The server stopped before this side was done." + (" Retry it when you like." if may_act else "")
    return ""


def next_step(failure: Failure) -> str:
    """What to do about a failure; nothing where only an administrator can, as the message of older records says."""
    if failure.kind is EngineFault.RATE_LIMITED and failure.retry_after_s is None:
        return ""
    return _FAILURES[failure.kind][1]


def while_running(engine: Engine | None) -> str:
    """What a side says while it runs and has nothing to show, so that nobody waits for a preview that does not come."""
    return _NO_PREVIEWS if engine and not engine.previews else ""


def next_says(status: ComparisonStatus) -> str:
    """How far a comparison is that has nothing to show yet."""
    if any(side.phase is AttemptPhase.RUNNING for side in status.sides):
        return "Making the next"
    ahead = min(side.ahead for side in status.sides if side.busy)
    return f"The next waits: {ahead} ahead of you" if ahead else "The next waits"


def told_in_ms(side: SideStatus) -> int | None:
    """From when on the far side wants to be asked again, in milliseconds since 1970; None where it has not said."""
    at = side.latest.retry_at if side.is_without_picture and side.latest else None
    return round(at.timestamp() * 1000) if at else None


def count_words(pictures: int) -> str:
    """What is done to so many at once: `both`, `all 6`."""
    return "both" if pictures == 2 else f"all {pictures}"


def cancelled_by(cancelled: Cancellation) -> str:
    """Who had an attempt stopped, and when."""
    return f"Cancelled by {cancelled.person}, {clock(cancelled.at, reader_zone(), to_the_second=True)}."


def money(outcome: Outcome) -> str:
    """What an attempt cost, in words that make neither an unknown price look free nor a failure charged."""
    if outcome.cost is None and outcome.failure is not None:
        return "not charged"
    if outcome.cost is None or outcome.cost.usd is None:
        return "unpriced"
    about = "about " if outcome.cost.estimate else ""
    return "free" if outcome.cost.usd == 0 else f"{about}${outcome.cost.usd:.2f}"
