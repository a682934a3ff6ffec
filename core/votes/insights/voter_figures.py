"""Voters: what each of them prefers, how steady they are, and whether all hangs on one of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from core.shares import Share
from core.votes.estimate import Estimate, estimate_of
from core.votes.evidence import Evidence, scores_of
from core.votes.insights.agreement import LeftBias, left_bias_of, self_agreement_of
from core.votes.insights.groups import Group, groups_of
from core.votes.statistics.grouping import Ints

NOBODY: Final = "Voter"  # whom no vote that counts is from


@dataclass(frozen=True, slots=True)
class VoterFigures:
    """One person's votes. `group` is what they prefer, None for who found everything bad on both sides.

    `median_s` is how long an answer took them, None where nobody measured.
    """

    name: str
    votes: int
    both_bad: int
    ties: int
    group: Group | None
    self_agreement: Share
    left_bias: LeftBias
    median_s: float | None


@dataclass(frozen=True, slots=True)
class WithoutBusiest:
    """The estimate as if the person with most votes, who gave `votes` of them, had not voted."""

    name: str
    votes: int
    estimate: Estimate


def voters_of(evidence: Evidence, rows: Ints, repeats: Ints) -> tuple[VoterFigures, ...]:
    """Everybody whose votes count, by how many they gave, most first."""
    groups = {group.name: group for group in groups_of(evidence, rows, evidence.voter)}
    own_rows, own_repeats = _by_voter(evidence, rows), _by_voter(evidence, repeats)
    names = evidence.voter.names
    figures = [
        _figures(evidence, names[code], own, own_repeats.get(code, repeats[:0]), groups.get(names[code]))
        for code, own in own_rows.items()
    ]
    return tuple(sorted(figures, key=lambda each: -each.votes))


def without_busiest(evidence: Evidence, rows: Ints) -> WithoutBusiest | None:
    """What is left without the person with most votes; None where fewer than two voted.

    Scenes are taken for independent, but one taste may be in all of them: this shows how much hangs on it.
    """
    votes = np.bincount(evidence.voter.codes[rows])
    if (votes > 0).sum() < 2:
        return None
    busiest = int(votes.argmax())
    others = rows[evidence.voter.codes[rows] != busiest]
    scores = scores_of(evidence, others).score
    return WithoutBusiest(evidence.voter.names[busiest], int(votes[busiest]), estimate_of(scores))


def pseudonyms_of(names: Iterable[str]) -> Mapping[str, str]:
    """What voters are called where their names are not to be seen: numbers, in this order."""
    return {name: f"{NOBODY} {number}" for number, name in enumerate(names, start=1)}


def renamed(voter: VoterFigures, name: str) -> VoterFigures:
    """The same figures under another name."""
    return replace(voter, name=name, group=replace(voter.group, name=name) if voter.group else None)


def _by_voter(evidence: Evidence, rows: Ints) -> dict[int, Ints]:
    codes = evidence.voter.codes[rows]
    order = np.argsort(codes, kind="stable")
    found, starts = np.unique(codes[order], return_index=True)
    ends = [*starts[1:], len(rows)]
    return {int(code): rows[order[start:end]] for code, start, end in zip(found, starts, ends, strict=False)}


def _figures(evidence: Evidence, name: str, rows: Ints, repeats: Ints, group: Group | None) -> VoterFigures:
    said = evidence.score[rows]
    took_s = evidence.response_s[rows]
    took_s = took_s[~np.isnan(took_s)]
    return VoterFigures(
        name=name,
        votes=len(rows),
        both_bad=int(np.isnan(said).sum()),
        ties=int((said == 0.5).sum()),
        group=group,
        self_agreement=self_agreement_of(evidence, repeats),
        left_bias=left_bias_of(evidence, rows),
        median_s=float(np.median(took_s)) if len(took_s) else None,
    )
