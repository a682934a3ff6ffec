"""Tables: every vote and every scene as CSV."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

from core.votes.evidence import evidence_of
from core.votes.insights.insights import insights_of
from core.votes.insights.tables import SCENE_COLUMNS, VOTE_COLUMNS, scenes_csv, votes_csv
from core.votes.records.judgements import SideFacts
from core.votes.selection import Filters
from tests.votes.judged import judged, votes_on


def rows_of(text: str) -> list[dict[str, str]]:
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text[1:])))


def test_every_vote_says_whether_it_counts_or_why_not() -> None:
    votes = [
        judged(
            "s", "b", "ann@studio.example", reasons=("tone", "angle"), seconds=2.5, tone="noir", b=SideFacts("B", 61)
        ),
        judged("s", "a", "ann@studio.example", left="b", again=True),
        judged("t", "a", "ben@studio.example", blind=False),
        judged("u", "a", "ben@studio.example", controlled=False),
    ]
    found = rows_of(votes_csv(evidence_of(votes), Filters(), names={}))
    assert list(found[0]) == list(VOTE_COLUMNS)
    assert [row["counts"] for row in found] == ["counted", "repeated", "seen", "uncontrolled"]
    assert (found[0]["voter"], found[0]["reasons"], found[0]["seconds"]) == ("ann@studio.example", "tone angle", "2.5")
    assert (found[0]["tone"], found[0]["angle"], found[0]["b_title"], found[0]["b_fidelity"]) == ("noir", "", "B", "61")


def test_names_stay_out_unless_they_are_asked_for_and_numbers_are_those_on_the_page() -> None:
    votes = [
        *votes_on("ab", "ben@studio.example", blind=False),
        *votes_on("b", "ann@studio.example"),
        *votes_on("ba", "cleo@studio.example"),
    ]
    evidence = evidence_of(votes)
    text = votes_csv(evidence, Filters())
    assert "studio.example" not in text
    assert [row["voter"] for row in rows_of(text)] == ["Voter 3", "Voter 3", "Voter 2", "Voter 1", "Voter 1"]
    shown = insights_of(evidence, Filters()).without_names().voters
    assert [(voter.name, voter.votes) for voter in shown] == [("Voter 1", 2), ("Voter 2", 1)]


def test_what_is_not_asked_for_is_not_in_it() -> None:
    votes = [judged("s", "b", tone="noir"), judged("t", "b", tone="neon")]
    assert [row["scene"] for row in rows_of(votes_csv(evidence_of(votes), Filters(tone="noir")))] == ["s"]


def test_scenes_stand_in_the_order_of_the_estimate() -> None:
    at = datetime(2026, 11, 1, 9, 30, tzinfo=UTC)  # before all others
    votes = [
        judged("s", "b", tone="noir", time=at),
        judged("s", "tie", "ben"),
        judged("하늘", "a"),
        judged("x", "both-bad"),
    ]
    found = rows_of(scenes_csv(evidence_of(votes), Filters()))
    assert list(found[0]) == list(SCENE_COLUMNS)
    assert [(row["number"], row["scene"], row["score"], row["votes"]) for row in found] == [
        ("1", "s", "0.75", "2"),
        ("2", "하늘", "0.0", "1"),
    ]
    assert (found[0]["since"], found[0]["tone"], found[1]["tone"]) == ("2026-11-01T09:30:00Z", "noir", "")


def test_no_cell_is_a_formula() -> None:
    votes = [judged('=HYPERLINK("x")', "b", "@ann", model="+1", persona="-2")]
    evidence = evidence_of(votes)
    [vote] = rows_of(votes_csv(evidence, Filters(), names={}))
    assert (vote["scene"], vote["voter"], vote["model"], vote["person"]) == ('\'=HYPERLINK("x")', "'@ann", "'+1", "'-2")
    assert rows_of(scenes_csv(evidence, Filters()))[0]["scene"].startswith("'=")


def test_of_no_votes_the_columns_are_left() -> None:
    assert rows_of(votes_csv(evidence_of([]), Filters())) == rows_of(scenes_csv(evidence_of([]), Filters())) == []
