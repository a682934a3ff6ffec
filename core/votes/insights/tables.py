"""Tables: every vote and every scene behind an answer, as CSV for people's own programs (RFC 4180)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

import numpy as np

from core.votes.evidence import Column, Evidence, scores_of
from core.votes.insights.voter_figures import pseudonyms_of
from core.votes.records.judgements import Judgement, SideFacts
from core.votes.selection import STANDINGS, Filters, Standing, select
from core.votes.statistics.grouping import Ints

_SIDE: Final = ("title", "fidelity", "usd", "seconds", "failures")
VOTE_COLUMNS: Final = (
    *("time", "scene", "comparison", "take", "voter", "winner", "left", "counts", "blind", "controlled", "again"),
    *("reasons", "seconds", "varies", "tone", "angle", "person", "model"),
    *(f"{side}_{name}" for side in ("a", "b") for name in _SIDE),
)
SCENE_COLUMNS: Final = ("number", "since", "scene", "tone", "angle", "person", "score", "pairs", "votes")
# What spreadsheets take for a formula: https://owasp.org/www-community/attacks/CSV_Injection
_FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r")

Cell = str | float | None


def votes_csv(evidence: Evidence, filters: Filters, *, names: Mapping[str, str] | None = None) -> str:
    """Every vote that the question is asked of, by time; `counts` is `counted` or why it does not.

    Without `names` voters are numbers, those of `Insights.without_names`: how somebody votes is for ops and admins. Who
    is not among the `names` goes by what the votes are signed with.
    """
    selection = select(evidence, filters)
    asked = np.flatnonzero(selection.standing != STANDINGS.index(Standing.NOT_ASKED))
    if names is None:
        names = pseudonyms_of(_by_votes(evidence, selection.counted))
    standings = [STANDINGS[standing].value for standing in selection.standing[asked]]
    rows = [evidence.judgements[at] for at in asked]
    return _csv(
        VOTE_COLUMNS,
        (_vote(row, names.get(row.voter, row.voter), counts) for row, counts in zip(rows, standings, strict=True)),
    )


def scenes_csv(evidence: Evidence, filters: Filters) -> str:
    """Every scene with a score, in the order in which they came in, which is the estimate's."""
    scores = scores_of(evidence, select(evidence, filters).counted)
    return _csv(
        SCENE_COLUMNS,
        (
            (
                number,
                _moment(datetime.fromtimestamp(evidence.time[first], UTC)),
                *(_word(column, first) for column in (evidence.scene, evidence.tone, evidence.angle, evidence.persona)),
                round(float(score), 6),
                int(pairs),
                int(votes),
            )
            for number, (first, score, pairs, votes) in enumerate(
                zip(scores.first, scores.score, scores.pairs, scores.votes, strict=True), start=1
            )
        ),
    )


def _vote(row: Judgement, voter: str, counts: str) -> Sequence[Cell]:
    pair = row.pair
    return (
        *(_moment(row.time), pair.scene, pair.comparison, pair.take, voter, row.winner.value, row.left.value, counts),
        *(_yes(row.blind), _yes(pair.controlled), _yes(row.again), " ".join(row.reasons), row.seconds),
        *(pair.varies.value if pair.varies else None, pair.tone, pair.angle, pair.persona, pair.model),
        *_side(pair.a),
        *_side(pair.b),
    )


def _side(facts: SideFacts) -> Sequence[Cell]:
    return tuple(getattr(facts, name) for name in _SIDE)


def _by_votes(evidence: Evidence, rows: Ints) -> list[str]:
    """All voters, those with most votes among these first."""
    votes = np.bincount(evidence.voter.codes[rows], minlength=len(evidence.voter.names))
    return [evidence.voter.names[code] for code in np.argsort(-votes, kind="stable")]


def _word(column: Column[str], at: int) -> str | None:
    code = column.codes[at]
    return column.names[code] if code >= 0 else None


def _moment(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _csv(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """With a byte order mark, by which spreadsheets know Korean for what it is."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows([_harmless(cell) for cell in row] for row in rows)
    return f"\ufeff{out.getvalue()}"


def _harmless(cell: Cell) -> Cell:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULAS) else cell
