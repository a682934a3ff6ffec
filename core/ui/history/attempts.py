"""Attempts: what became of each try at a side, in words: how it ended, when, what it cost, by which request."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import streamlit as st

from core.errors import EngineFault
from core.generation.records.attempt_status import AttemptPhase, SideStatus
from core.generation.records.outcome import Cost, Outcome
from core.ui.frame.words.glossary import FIDELITY_HELP
from core.ui.frame.words.local_time import clock, reader_zone
from core.ui.frame.words.markdown import fill, plain, quoted
from core.ui.generate.side_words import cancelled_by, money, next_step


@dataclass(frozen=True, slots=True)
class AttemptWords:
    """One attempt: its heading, the facts in one line, and what went wrong or is worth a note, a line each."""

    heading: str
    facts: str
    request_id: str | None
    notes: tuple[str, ...]
    fidelity: float | None = None


def attempts(side: SideStatus) -> None:
    """Draw every attempt of a side, the newest first."""
    for words in attempt_words(side):
        with st.container(gap=None):
            fidelity = f" · Fidelity {words.fidelity:.0f}" if words.fidelity is not None else ""
            st.markdown(
                fill(":small[**{}** :gray[{}{}]]", words.heading, words.facts, fidelity),
                help=FIDELITY_HELP if words.fidelity is not None else None,
            )
            if words.request_id:
                st.caption(fill("request `{}`", words.request_id))
            for note in words.notes:
                st.caption(plain(quoted(note)))


def attempt_words(side: SideStatus) -> list[AttemptWords]:
    """Every attempt of a side, the newest first; one without an outcome is at work or was interrupted."""
    words = [_describe(outcome) for outcome in side.outcomes]
    if side.latest is None:
        since = " · ".join(filter(None, (f"since {_when(side.since)}" if side.since else "", side.person)))
        notes = ("The server stopped before this side was done: retry it.",)
        interrupted = side.phase is AttemptPhase.INTERRUPTED
        words.append(AttemptWords(_heading(side.attempt, side.phase), since, None, notes if interrupted else ()))
    return words[::-1]


def _describe(outcome: Outcome) -> AttemptWords:
    failure = outcome.failure
    facts = [_when(outcome.started_at), f"{outcome.seconds:.1f} s", money(outcome)]
    if tokens := _tokens(outcome.cost):
        facts.append(tokens)
    if outcome.person is not None:
        facts.append(outcome.person)
    if failure is not None and failure.kind not in (EngineFault.CANCELLED, EngineFault.INTERRUPTED):
        facts.insert(0, failure.kind.value.replace("_", " "))
    advice = (failure.message, next_step(failure)) if failure is not None else ()
    stopped = (cancelled_by(outcome.cancelled),) if outcome.cancelled is not None else ()
    return AttemptWords(
        heading=_heading(outcome.attempt, AttemptPhase.after(outcome)),
        facts=" · ".join(facts),
        request_id=outcome.request_id,
        notes=(*stopped, *filter(None, advice), *outcome.notes),
        fidelity=outcome.picture.fidelity if outcome.picture else None,
    )


def _when(time: datetime) -> str:
    return clock(time, reader_zone(), to_the_second=True)


def _heading(attempt: int, phase: AttemptPhase) -> str:
    return f"Attempt {attempt}: {phase.value}"


def _tokens(cost: Cost | None) -> str:
    if cost is None or cost.input_tokens is None or cost.output_tokens is None:
        return ""
    return f"{cost.input_tokens:,} tokens in, {cost.output_tokens:,} out"
