"""The reading line: what was read from the prompt, and what a pick puts in place of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from core.generation.planning import Planned
from core.injection.reading.reader import OfflineReader
from core.injection.request.wishes import Ages, Mode, PersonWish, Wishes
from core.labels.published.schema import Gender
from core.ui.generate.header.reading_line import reading_line
from tests.injection.libraries import VOCABULARY, library, plan

PROMPT = "카페에 앉아 있는 30대 여자, 로우앵글"
LIBRARY = library("refs/01. Model/noir eye-level/Ada 01.jpg", "refs/01. Model/noir eye-level/Kira 01.jpg")


def line(prompt: str = PROMPT, **picks: Any) -> str:
    wishes = Wishes(prompt=prompt, **picks)
    injection = plan(LIBRARY, wishes, OfflineReader(VOCABULARY).read(prompt))
    return str(reading_line(Planned(injection, (), datetime.now(UTC), "1"), VOCABULARY)).replace("\\", "")


def test_what_was_read_stands_in_one_line() -> None:
    assert line() == "Read: woman · 30s · low angle"


@pytest.mark.parametrize(
    ("picks", "says"),
    [
        ({"angle": "overhead"}, "~~low angle~~ → you picked Overhead"),
        ({"gender": Gender.MASCULINE}, "~~woman~~ → you picked man"),
        ({"ages": Ages(50, 59)}, "~~30s~~ → you picked 50s"),
        ({"ages": Ages(34, 34)}, "~~30s~~ → you picked 34"),
        ({"person": PersonWish.NO}, "~~woman~~ → you picked no person"),
        ({"persona": "Kira"}, "~~woman~~ → you picked Kira"),
        ({"mode": Mode.TONE_ONLY}, "~~low angle~~ → you picked Tone only"),
    ],
)
def test_a_pick_that_says_otherwise_stands_beside_what_it_overrules(picks: dict[str, Any], says: str) -> None:
    assert says in line(**picks)
    assert line(**picks).count("~~") == 2, "all else stays as it was read"


@pytest.mark.parametrize("picks", [{"angle": "low-angle"}, {"gender": Gender.FEMININE}, {"ages": Ages(30, 39)}, {}])
def test_a_pick_that_says_the_same_overrules_nothing(picks: dict[str, Any]) -> None:
    assert line(**picks) == "Read: woman · 30s · low angle"


def test_a_name_in_the_prompt_gives_way_to_the_person_who_is_pinned() -> None:
    assert line("Ada in noir, eye level") == "Read: Ada · noir · eye level"
    assert line("Ada in noir, eye level", persona="Kira").startswith("Read: ~~Ada~~ → you picked Kira")
    assert line("Ada in noir, eye level", tone="vivid") == "Read: Ada · ~~noir~~ → you picked Vivid · eye level"


def test_where_nobody_was_read_a_wish_for_somebody_says_so() -> None:
    assert line("a bowl of fruit") == "Read: no person"
    assert line("a bowl of fruit", person=PersonWish.YES) == "Read: ~~no person~~ → you picked a person"
    assert line("a bowl of fruit", person=PersonWish.NO) == "Read: no person"
