"""Votes for tests: one judgement in a line, all else as it mostly is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from core.votes.records.judgements import JudgedPair, Judgement, SideLetter, Winner

BEGAN = datetime(2026, 11, 2, 9, tzinfo=UTC)
_minutes = count()


def judged(scene: str, winner: str, voter: str = "ann", **said: Any) -> Judgement:
    """One vote, blind and controlled, a minute after the last; its comparison is the scene's only one."""
    usual: dict[str, Any] = {
        "comparison": f"{scene}-1",
        "left": "a",
        "blind": True,
        "controlled": True,
        "time": BEGAN + timedelta(minutes=next(_minutes)),
    }
    made = {**usual, **said}
    made["left"] = SideLetter(made["left"])
    of_pair = {name: made.pop(name) for name in JudgedPair._fields if name in made}
    return Judgement(pair=JudgedPair(scene=scene, **of_pair), winner=Winner(winner), voter=voter, **made)


def votes_on(scenes: str, voter: str = "ann", *, named: str = "scene", **said: Any) -> list[Judgement]:
    """A vote on each of so many scenes: `b`, `a`, `t` for a tie or `x` for both bad, left by turns."""
    winners = {"a": "a", "b": "b", "t": "tie", "x": "both-bad"}
    return [
        judged(f"{named} {number}", winners[letter], voter, **{"left": "ab"[number % 2], **said})
        for number, letter in enumerate(scenes)
    ]
