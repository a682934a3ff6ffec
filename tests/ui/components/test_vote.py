"""What the vote desk's script says is read act by act, and nothing of another shape is done."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from pydantic import ValidationError

from core.ui.components.component import style_sheet
from core.ui.components.vote.vote import Doing, VoteData, _Outbox, read_news
from core.votes.records.votes import Answer, Reason
from core.votes.service import Ballot

FINE: dict[str, Any] = {"id": "a", "does": "vote", "token": "t", "answer": "left", "reasons": ["tone"], "seconds": 2.5}


def test_what_the_browser_says_in_another_shape_is_no_act_and_its_sender_hears_of_it() -> None:
    damaged = [
        *({}, 7, {**FINE, "id": "b", "does": "publish"}, {**FINE, "id": "c", "answer": "a"}),
        *({**FINE, "id": "d", "seconds": float("nan")}, {**FINE, "id": "e", "reasons": ["fidelity"]}),
        *({**FINE, "id": "f", "token": ""}, {**FINE, "id": "g", "seconds": -1.0}),
    ]
    news = read_news(_Outbox(acts=[*damaged, FINE], held=["t"]), part="desk")
    (act,) = news.acts
    assert (act.does, act.answer, act.reasons, act.seconds) == (Doing.VOTE, Answer.LEFT, (Reason.TONE,), 2.5)
    assert list(news.unreadable) == ["b", "c", "d", "e", "f", "g"]
    assert list(news.held) == ["t"]


@pytest.mark.parametrize("told", [[], "vote", {"acts": "vote"}, {"acts": [1] * 201}, {"acts": [], "held": ["t"] * 21}])
def test_an_outbox_of_another_shape_is_none(told: object) -> None:
    with pytest.raises(ValidationError):
        _Outbox.model_validate(told)


def test_the_desk_has_no_place_for_what_tells_the_sides_apart_before_the_vote() -> None:
    """Only `revealed` names them, which is told of answered ballots alone."""
    assert [field.name for field in dataclasses.fields(Ballot)] == ["token", "prompt", "left", "right"]
    names = {field.name for field in dataclasses.fields(VoteData)}
    assert names & {"side", "sides", "comparison", "key", "etag", "engine", "fidelity", "tone", "angle"} == set()


def test_a_style_stands_behind_those_that_it_imports(tmp_path: Any) -> None:
    (tmp_path / "room").mkdir()
    (tmp_path / "room" / "b.css").write_text(".b {}\n")
    (tmp_path / "a.css").write_text('@import "room/b.css";\n\n.a {}\n')
    assert style_sheet(tmp_path / "a.css") == ".b {}\n\n\n.a {}\n"
