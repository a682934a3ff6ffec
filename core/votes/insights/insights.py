"""Insights: one question asked of the evidence, with everything that a page shows about the answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from core.shares import Share
from core.votes.estimate import CoursePoint, Estimate, course_of, estimate_of
from core.votes.evidence import WINNERS, Contrast, Evidence, scores_of
from core.votes.insights.agreement import (
    Agreement,
    LeftBias,
    agreement_of,
    left_bias_of,
    self_agreement_of,
)
from core.votes.insights.answer import caveats_of, missing_of, next_step_of, question_of, sentence_of, titles_of
from core.votes.insights.groups import Group, groups_of
from core.votes.insights.pictures import Pictures, pictures_of
from core.votes.insights.voter_figures import (
    NOBODY,
    VoterFigures,
    WithoutBusiest,
    pseudonyms_of,
    renamed,
    voters_of,
    without_busiest,
)
from core.votes.records.judgements import Winner
from core.votes.selection import Filters, LeftOut, select
from core.votes.statistics.grouping import Ints, grouped


@dataclass(frozen=True, slots=True)
class Reason:
    """How many votes gave a reason, and what these votes said. A vote may give several."""

    name: str
    votes: int
    a: int
    b: int
    ties: int
    both_bad: int


@dataclass(frozen=True, slots=True)
class Insights:
    """The answer to one question and all that goes with it. Shares are from 0 to 1; None is what nobody can know yet.

    `sentence` is the answer, `missing` what it would take the whole to decide, `next_step` what to do where nothing
    is known, `caveats` what else is to be thought of. `contrast` are the titles of sides A and B, `contrasts` what
    else has been compared, with the votes of each. `ties` and `both_bad` are shares of `votes`; `scenes` with a
    score, `pairs` and `voters` are behind `estimate`, whose `course` is told from the first scene on.

    Whatever comes by group is `exploratory`: only the whole decides anything.
    """

    filters: Filters
    question: str
    contrast: Contrast
    contrasts: tuple[tuple[Contrast, int], ...]
    sentence: str
    missing: str | None
    next_step: str | None
    caveats: tuple[str, ...]
    estimate: Estimate
    course: tuple[CoursePoint, ...]
    without_busiest: WithoutBusiest | None
    votes: int
    pairs: int
    voter_count: int
    ties: float | None
    both_bad: float | None
    tones: tuple[Group, ...]
    angles: tuple[Group, ...]
    personas: tuple[Group, ...]
    models: tuple[Group, ...]
    voters: tuple[VoterFigures, ...]
    reasons: tuple[Reason, ...]
    agreement: Agreement
    self_agreement: Share
    left_bias: LeftBias
    median_s: float | None
    pictures: Pictures
    left_out: LeftOut

    @property
    def exploratory(self) -> bool:
        """Whether a part was picked out: then the top sentence decides nothing either."""
        return self.filters.is_part

    def without_names(self) -> Insights:
        """The same for who may not see how anybody votes: voters are numbers."""
        return self.called(pseudonyms_of(voter.name for voter in self.voters), others=NOBODY)

    def called(self, names: Mapping[str, str], *, others: str | None = None) -> Insights:
        """The same with voters under other names; who has none is called `others`, or as before."""

        def name_of(voter: str) -> str:
            return names.get(voter, voter if others is None else others)

        asked, busiest = self.filters.voter, self.without_busiest
        return replace(
            self,
            filters=replace(self.filters, voter=asked and name_of(asked)),
            voters=tuple(renamed(voter, name_of(voter.name)) for voter in self.voters),
            without_busiest=replace(busiest, name=name_of(busiest.name)) if busiest else None,
        )


def insights_of(evidence: Evidence, filters: Filters) -> Insights:
    """Ask one question. Whoever is neither ops nor admin is shown what `without_names` leaves."""
    selection = select(evidence, filters)
    rows, repeats = selection.counted, selection.repeats
    scores = scores_of(evidence, rows)
    estimate = estimate_of(scores.score)
    titles = titles_of(filters.varies, selection.contrast)
    winners = np.bincount(evidence.winner[rows], minlength=len(WINNERS))
    voters, busiest = voters_of(evidence, rows, repeats), without_busiest(evidence, rows)
    bias = left_bias_of(evidence, rows)
    took_s = evidence.response_s[rows]
    took_s = took_s[~np.isnan(took_s)]
    return Insights(
        filters=filters,
        question=question_of(filters.varies, titles),
        contrast=titles,
        contrasts=selection.contrasts,
        sentence=sentence_of(estimate, titles, len(voters), is_part=filters.is_part),
        missing=None if filters.is_part else missing_of(estimate),
        next_step=next_step_of(estimate, len(rows), selection.left_out),
        caveats=caveats_of(
            filters,
            voters=len(voters),
            is_biased=bias.is_biased,
            busiest_share=voters[0].votes / len(rows) if voters else 0.0,
            hangs_on_one=busiest is not None and estimate.decided_for not in (None, busiest.estimate.decided_for),
        ),
        estimate=estimate,
        course=course_of(scores.score, evidence.time[scores.first]),
        without_busiest=busiest,
        votes=len(rows),
        pairs=len(grouped(evidence.pair[rows]).first),
        voter_count=len(voters),
        ties=_share_of(winners, Winner.TIE),
        both_bad=_share_of(winners, Winner.BOTH_BAD),
        tones=groups_of(evidence, rows, evidence.tone),
        angles=groups_of(evidence, rows, evidence.angle),
        personas=groups_of(evidence, rows, evidence.persona),
        models=groups_of(evidence, rows, evidence.model),
        voters=voters,
        reasons=_reasons_of(evidence, rows),
        agreement=agreement_of(evidence, rows),
        self_agreement=self_agreement_of(evidence, repeats),
        left_bias=bias,
        median_s=float(np.median(took_s)) if len(took_s) else None,
        pictures=pictures_of(evidence, rows),
        left_out=selection.left_out,
    )


def known_so_far(evidence: Evidence, filters: Filters) -> Estimate:
    """The estimate alone, for a page that only mentions it."""
    return estimate_of(scores_of(evidence, select(evidence, filters).counted).score)


def _share_of(winners: Ints, winner: Winner) -> float | None:
    votes = winners.sum()
    return float(winners[WINNERS.index(winner)] / votes) if votes else None


def _reasons_of(evidence: Evidence, rows: Ints) -> tuple[Reason, ...]:
    """By how many votes gave each, most first."""
    at, reason = evidence.reasons
    counted = np.zeros(len(evidence), dtype=np.bool_)
    counted[rows] = True
    is_given = counted[at]
    places = reason.codes[is_given] * len(WINNERS) + evidence.winner[at[is_given]]
    table = np.bincount(places, minlength=len(reason.names) * len(WINNERS)).reshape(-1, len(WINNERS))
    found = [
        Reason(name, int(row.sum()), *(int(row[WINNERS.index(each)]) for each in Winner))
        for name, row in zip(reason.names, table, strict=True)
        if row.any()
    ]
    return tuple(sorted(found, key=lambda each: -each.votes))
