"""Judgements from JSON lines: what is read, and what is named and left out."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.injection.request.wishes import Varies
from core.votes.records.judgements import (
    BrokenLine,
    JudgedPair,
    Judgement,
    SideFacts,
    SideLetter,
    Winner,
    read_judgements,
)

LINE = {
    "scene": "a man, noir, low angle",
    "comparison": "01J",
    "voter": "ann@studio.example",
    "winner": "b",
    "left": "a",
    "blind": True,
    "controlled": False,
    "time": "2026-11-30T10:00:00Z",
}


def read(**changed: Any) -> Judgement | BrokenLine:
    said = {name: value for name, value in {**LINE, **changed}.items() if value is not ...}
    [found] = read_judgements([(7, json.dumps(said))])
    return found


def test_the_eight_names_are_enough() -> None:
    assert read() == Judgement(
        JudgedPair(scene="a man, noir, low angle", comparison="01J", controlled=False),
        voter="ann@studio.example",
        winner=Winner.B,
        left=SideLetter.A,
        blind=True,
        time=datetime(2026, 11, 30, 10, tzinfo=UTC),
    )


def test_everything_else_that_is_known_may_be_said_too() -> None:
    found = read(
        take=3,
        again=True,
        varies="model",
        tone="noir",
        angle="low-angle",
        persona="Ada",
        model="gpt-image-2",
        reasons=["tone", "person"],
        seconds=2.5,
        a={"title": "gpt-image-1", "fidelity": 61.5, "usd": 0.04, "seconds": 20, "failures": 1},
        version=2,
    )
    assert isinstance(found, Judgement)
    assert (found.again, found.reasons, found.seconds) == (True, ("tone", "person"), 2.5)
    pair = found.pair
    assert (pair.take, pair.varies) == (3, Varies.MODEL)
    assert (pair.tone, pair.angle, pair.persona, pair.model) == ("noir", "low-angle", "Ada", "gpt-image-2")
    assert (pair.a, pair.b) == (SideFacts("gpt-image-1", 61.5, 0.04, 20, 1), SideFacts())


@pytest.mark.parametrize(
    ("text", "hour"),
    [("2026-11-30T10:00:00", 10), ("2026-11-30T10:00:00+09:00", 1), ("2026-11-30", 0), ("2026-11-30 10:00:00.5Z", 10)],
)
def test_times_are_utc_whether_they_say_so_or_not(text: str, hour: int) -> None:
    found = read(time=text)
    assert isinstance(found, Judgement)
    assert (found.time.tzinfo, found.time.hour) == (UTC, hour)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        *(({name: ...}, f"`{name}` is missing") for name in LINE),
        *(({name: ""}, f"`{name}`") for name in LINE),
        *(({name: None}, f"`{name}`") for name in LINE),
        ({"winner": "left"}, "`winner`: Input should be 'a', 'b', 'tie' or 'both-bad'"),
        ({"winner": "B"}, "`winner`"),
        ({"left": "tie"}, "`left`"),
        ({"blind": 1}, "`blind`"),
        ({"blind": "true"}, "`blind`"),
        ({"scene": 7}, "`scene`"),
        ({"time": 1764496800}, "`time`: write the time like 2026-11-30T10:00:00Z"),
        ({"time": "1764496800"}, "`time`: write the time like"),
        ({"time": "yesterday"}, "`time`"),
        ({"time": "0001-01-01T00:00:00+14:00"}, "`time`: write a time of our age"),
        ({"time": "2026-02-30T10:00:00Z"}, "`time`"),
        ({"take": 0}, "`take`"),
        ({"varies": "weather"}, "`varies`"),
        ({"seconds": -1}, "`seconds`"),
        ({"a": {"usd": -0.1}}, "`a.usd`"),
        ({"b": {"fidelity": 101}}, "`b.fidelity`"),
        ({"reasons": "tone"}, "`reasons`"),
    ],
)
def test_a_broken_line_says_its_number_and_what_is_wrong(changed: dict[str, Any], named: str) -> None:
    found = read(**changed)
    assert isinstance(found, BrokenLine)
    assert found.number == 7
    assert found.problem.startswith(named)


@pytest.mark.parametrize(
    "line", ["nope", "[]", "null", '"b"', "{", json.dumps(LINE)[:-1], "NaN", '{"scene": "\\ud800"}']
)
def test_what_is_no_object_is_broken(line: str) -> None:
    [found] = read_judgements([(1, line)])
    assert isinstance(found, BrokenLine)


def test_a_broken_line_takes_no_other_with_it_and_blank_ones_are_nothing() -> None:
    lines = enumerate([json.dumps(LINE), "nope", "", "   ", json.dumps({**LINE, "voter": "ben"})], start=1)
    found = list(read_judgements(lines))
    assert [each.voter if isinstance(each, Judgement) else each.number for each in found] == [LINE["voter"], 2, "ben"]


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from([*LINE, "a", "take"]), inner, max_size=3)
    ),
    max_leaves=4,
)


@given(changed=st.dictionaries(st.sampled_from([*LINE, "a", "b", "take", "again", "reasons", "seconds"]), json_values))
def test_whatever_a_line_says_it_is_a_judgement_or_broken(changed: dict[str, Any]) -> None:
    found = read(**changed)
    assert isinstance(found, Judgement | BrokenLine)
    if isinstance(found, Judgement):
        assert found.time.tzinfo is UTC
