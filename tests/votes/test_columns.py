"""Columns and figures made at once are those that are found one vote at a time, to the last digit."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from datetime import timedelta
from itertools import groupby
from math import isnan, nan
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.injection.request.wishes import Varies
from core.votes.evidence import NOT_SAID, WINNERS, Column, Contrast, Evidence, evidence_of, scores_of
from core.votes.records.judgements import JudgedPair, Judgement, SideFacts, SideLetter, Winner
from core.votes.selection import Filters, select
from core.votes.statistics.grouping import grouped
from tests.votes.judged import BEGAN

SCORE = {Winner.A: 0.0, Winner.B: 1.0, Winner.TIE: 0.5}


def anything(seed: int, votes: int) -> list[Judgement]:
    """Votes of a few people on a few pairs, some of one moment, with models compared either way round."""
    chance = random.Random(seed)
    sides = [SideFacts(), SideFacts("old", 60.0, 0.02, 9.0, 1), SideFacts("new", None, 0.04, None, 0)]

    def pair() -> JudgedPair:
        one = chance.randrange(9)
        return JudgedPair(
            scene=f"scene {one % 5}",
            comparison=f"comparison {one}",
            controlled=chance.random() < 0.8,
            take=chance.choice((1, 2)),
            varies=chance.choice((None, *Varies)),
            tone=chance.choice((None, "noir", "vivid")),
            persona=chance.choice((None, "Ada")),
            a=chance.choice(sides),
            b=chance.choice(sides),
        )

    pairs = [pair() for _ in range(12)]
    return [
        Judgement(
            pair=chance.choice((chance.choice(pairs), pair())),
            voter=chance.choice(("ann", "ben", "하늘")),
            winner=chance.choice(list(Winner)),
            left=chance.choice(list(SideLetter)),
            blind=chance.random() < 0.8,
            time=BEGAN + timedelta(minutes=chance.randrange(2 * votes)),
            again=chance.random() < 0.1,
            reasons=chance.choice(((), ("tone",), ("tone", "person", "tone"))),
            seconds=chance.choice((None, 2.5, 9.0)),
        )
        for _ in range(votes)
    ]


def in_order(votes: Iterable[Judgement]) -> list[Judgement]:
    """By time and by all else, with contrasts the way round in which they first came."""

    def everything(vote: Judgement) -> tuple[Any, ...]:
        pair = vote.pair
        whose = (vote.time, pair.scene, pair.comparison, pair.take, vote.voter, vote.again)
        return (*whose, vote.winner, vote.left, vote.blind, pair.controlled)

    ordered, first = [], set()
    for vote in sorted(votes, key=everything):
        pair = vote.pair
        a, b = pair.a.title, pair.b.title
        if a != b and None not in (a, b) and (b, a) in first:
            ordered.append(
                vote._replace(
                    pair=pair._replace(a=pair.b, b=pair.a),
                    winner={Winner.A: Winner.B, Winner.B: Winner.A}.get(vote.winner, vote.winner),
                    left=next(side for side in SideLetter if side is not vote.left),
                )
            )
        else:
            first.add((a, b))
            ordered.append(vote)
    return ordered


def words(column: Column[Any]) -> list[Any]:
    return [None if code == NOT_SAID else column.names[code] for code in column.codes]


def firsts(values: Iterable[Hashable]) -> list[int]:
    seen: dict[Hashable, int] = {}
    return [seen.setdefault(value, at) for at, value in enumerate(values)]


def numbers(values: Iterable[float | None]) -> list[str]:
    return [repr(nan if value is None else float(value)) for value in values]


@given(st.integers(0, 10_000), st.integers(0, 60))
def test_every_column_says_what_each_vote_says(seed: int, count: int) -> None:
    votes = anything(seed, count)
    found, plain = evidence_of(votes), in_order(votes)
    assert list(found.judgements) == plain
    said: dict[str, Callable[[Judgement], Any]] = {
        "voter": lambda vote: vote.voter,
        **{
            name: lambda vote, name=name: getattr(vote.pair, name)
            for name in ("scene", "tone", "angle", "persona", "model", "varies")
        },
    }
    for name, of in said.items():
        column = getattr(found, name)
        assert words(column) == [of(vote) for vote in plain], name
        assert list(column.names) == list(dict.fromkeys(of(vote) for vote in plain if of(vote) is not None)), name
    assert words(found.contrast) == [
        None if None in (titles := (vote.pair.a.title, vote.pair.b.title)) else Contrast(*titles)  # type: ignore[arg-type]  # None is not in it
        for vote in plain
    ]
    assert [WINNERS[code] for code in found.winner] == [vote.winner for vote in plain]
    assert found.is_left_b.tolist() == [vote.left is SideLetter.B for vote in plain]
    assert found.is_blind.tolist() == [vote.blind for vote in plain]
    assert found.is_controlled.tolist() == [vote.pair.controlled for vote in plain]
    assert found.time.tolist() == [vote.time.timestamp() for vote in plain]
    assert numbers(found.response_s) == numbers(vote.seconds for vote in plain)
    for at, side in enumerate("ab"):
        for name in ("fidelity", "usd", "seconds", "failures"):
            told = [getattr(getattr(vote.pair, side), name) for vote in plain]
            assert numbers(getattr(found.facts[at], name)) == numbers(told), (side, name)


@given(st.integers(0, 10_000), st.integers(0, 60))
def test_pairs_and_repetitions_are_those_that_are_found_one_by_one(seed: int, count: int) -> None:
    votes = anything(seed, count)
    found, plain = evidence_of(votes), in_order(votes)
    pairs = [(vote.pair.scene, vote.pair.comparison, vote.pair.take) for vote in plain]
    own = firsts((vote.voter, pair) for vote, pair in zip(plain, pairs, strict=True))
    assert firsts(found.pair.tolist()) == firsts(pairs)
    assert found.first.tolist() == own
    assert found.is_repeated.tolist() == [first != at or plain[at].again for at, first in enumerate(own)]
    given = [(at, reason) for at, vote in enumerate(plain) for reason in dict.fromkeys(vote.reasons)]
    assert list(zip(found.reasons[0].tolist(), words(found.reasons[1]), strict=True)) == given


@given(st.integers(0, 10_000), st.integers(0, 80), st.sampled_from([None, "tone", "persona", "voter"]))
def test_scores_are_means_of_means(seed: int, count: int, by: str | None) -> None:
    evidence = evidence_of(anything(seed, count))
    rows = select(evidence, Filters(varies=Varies.ANGLE, include_seen=True)).counted
    found = scores_of(evidence, rows, by=getattr(evidence, by) if by else None)
    plain = one_by_one(evidence, rows.tolist(), by)
    assert [
        (evidence.scene.names[scene], score, first, pairs, votes)
        for scene, score, first, pairs, votes in zip(
            *(column.tolist() for column in (found.scene, found.score, found.first, found.pairs, found.votes)),
            strict=True,
        )
    ] == plain


def one_by_one(evidence: Evidence, rows: list[int], by: str | None) -> list[tuple[str, float, int, int, int]]:
    """Scene, score, first place, pairs and votes of each scene, or of each scene and word."""
    scenes: dict[Hashable, dict[Hashable, list[tuple[int, float]]]] = defaultdict(lambda: defaultdict(list))
    for at in rows:
        vote = evidence.judgements[at]
        if vote.winner is Winner.BOTH_BAD:
            continue
        word = vote.voter if by == "voter" else getattr(vote.pair, by) if by else None
        scenes[vote.pair.scene, word][vote.pair.comparison, vote.pair.take].append((at, SCORE[vote.winner]))
    told = []
    for pairs in scenes.values():
        numbered = sorted(pairs.values(), key=lambda votes: int(evidence.pair[votes[0][0]]))  # as they are added up
        means = [sum(score for _, score in votes) / len(votes) for votes in numbered]
        first, count = min(votes[0][0] for votes in numbered), sum(map(len, numbered))
        scene = evidence.judgements[first].pair.scene
        told.append((scene, sum(means) / len(means), first, len(means), count))
    return sorted(told, key=lambda each: each[2])


@pytest.mark.parametrize("least", [0, -1, 10**12], ids=["dense", "below nothing", "far apart"])
@given(st.lists(st.integers(0, 30), max_size=40))
def test_groups_are_those_of_numpy(least: int, codes: list[int]) -> None:
    column = np.array(codes, dtype=np.int64) * max(1, least) + least
    _, first, place = np.unique(column, return_index=True, return_inverse=True)
    found = grouped(column)
    assert (found.first.tolist(), found.place.tolist()) == (first.tolist(), place.tolist())


def test_votes_of_one_moment_stand_in_the_same_order_whichever_came_first() -> None:
    votes = [vote._replace(time=BEGAN) for vote in anything(3, 40)]
    mixed = random.Random(1).sample(votes, len(votes))
    keys = [[(vote.pair.scene, vote.voter) for vote in evidence_of(each).judgements] for each in (votes, mixed)]
    assert keys[0] == keys[1]
    assert len(list(groupby(keys[0], key=lambda key: key[0]))) == len({scene for scene, _ in keys[0]})
    assert not any(isnan(time) for time in evidence_of(votes).time)
