"""A stored draft comes from a browser: every field is checked for itself, and a bad one harms no other."""

from __future__ import annotations

import pytest

from core.injection.request.wishes import Ages, Mode, PersonWish, Strength, Varies, Wishes
from core.labels.published.schema import Gender
from core.ui.generate.composer.draft import FROM_PROMPT, PERSON_CHOICES, SIZES
from core.ui.generate.composer.stored_draft import _overruled_now, _read, _StoredDraft

OFFERED = {
    "tone": {"noir"},
    "angle": set[str](),
    "folder": {"refs/01. Model"},
    "person": PERSON_CHOICES,
    "size": SIZES,
    "engine": {"Preview"},
    "engine_b": {"Preview"},
    "strength_of": {"tone", "angle"},
    "strengths_b": {"tone", "angle"},
}
BEFORE = {
    "tone": "noir",
    "folder": "refs/01. Model",
    "person": "no",
    "gender": "feminine",
    "ages": [20, 30],
    "persona": "Ada",
    "pins": {"tone": "a.png"},
    "off": ["angle"],
    "varies": "strength",
    "balanced": False,
    "strengths_b": {"angle": "hint"},
}
OVERRULED = {"act": "You picked Noir", "gave_way": ["the tone Pastel"], "before": BEFORE}
GOOD = {
    "prompt": "Ada",
    "tone": "noir",
    "seed": 7,
    "recent": ["a.png"],
    "persona": "Ada",
    "pins": {"tone": "a.png"},
    "held": {"angle": "b.png"},
    "rerolls": {"tone": 2},
    "off": ["angle"],
    "overruled": OVERRULED,
    "is_toneless": True,
    "strengths": {"tone": "strong"},
    "mode": "tone-only",
    "person": "Yes",
    "ages": [20, 30],
    "engine": None,
    "varies": "tone-way",
    "balanced": False,
    "strength_of": "angle",
    "strength_b": "hint",
    "engine_b": "Preview",
    "quality_b": "high",
    "takes": 3,
}
BAD = {
    "prompt": [None, 3],
    "tone": ["sepia", 3, {}],
    "seed": [-1, True, "7", 1.0, 10**30],
    "recent": ["text", [1], ["x" * 1025], ["x"] * 501],
    "tone_by_chance": ["yes", 1, None],
    "persona": [1, "x" * 1025, {}],
    "pins": [["x"], {"x": 1}, {"x" * 1025: "y"}, None],
    "held": [["x"], {"x": 1}, {"x" * 1025: "y"}, None],
    "overruled": [
        "text",
        {},
        {**OVERRULED, "act": 1},
        {**OVERRULED, "gave_way": []},
        {**OVERRULED, "gave_way": ["x" * 1025]},
        *(
            {**OVERRULED, "before": {**BEFORE, name: value}}
            for name, value in (("tone", "sepia"), ("folder", "refs/x"))
        ),
        *(
            {**OVERRULED, "before": {**BEFORE, name: value}}
            for name, value in (("person", "Maybe"), ("ages", [30, 20]), ("varies", "size"), ("balanced", 0))
        ),
        *(
            {**OVERRULED, "before": {**BEFORE, "strengths_b": value}}
            for value in ({"model:x": "hint"}, {"tone": "evil"}, {"tone": "hint", "angle": "hint"})
        ),
    ],
    "is_toneless": ["yes", 1, None],
    "rerolls": [{"x": -1}, {"x": 10_001}, {"x": True}],
    "off": ["text", {"x": 1}],
    "strengths": [{"x": "evil"}, {"x": None}],
    "mode": ["another", {}, None],
    "person": [None, "Maybe"],
    "ages": [[30, 20], [1], [1, 2, 3], [0, 101], "12"],
    "size": ["1 × 1"],
    "engine": ["gone", 1],
    "varies": ["size", 1, None],
    "balanced": ["yes", 0, None],
    "strength_of": ["model:x", 1, None],
    "strength_b": ["evil", None],
    "engine_b": ["gone", 1],
    "quality_b": [1, {}],
    "takes": [0, 5, "2", True, 1.0, None],
}


def test_a_good_draft_is_read_as_it_was_kept() -> None:
    stored, left_out = _read(_StoredDraft, GOOD, OFFERED)
    assert left_out == []
    assert (stored.prompt, stored.tone, stored.seed, stored.recent) == ("Ada", "noir", 7, ("a.png",))
    assert (stored.persona, stored.held, stored.is_toneless) == ("Ada", {"angle": "b.png"}, True)
    assert (stored.pins, stored.rerolls, stored.off) == ({"tone": "a.png"}, {"tone": 2}, {"angle"})
    assert (stored.strengths, stored.mode) == ({"tone": Strength.STRONG}, Mode.TONE_ONLY)
    assert (stored.person, stored.ages, stored.size, stored.engine) == ("Yes", (20, 30), next(iter(SIZES)), None)
    assert (stored.varies, stored.balanced, stored.takes) == (Varies.TONE_WAY, False, 3)
    assert (stored.strength_of, stored.strength_b) == ("angle", Strength.HINT)
    assert (stored.engine_b, stored.quality_b) == ("Preview", "high")


def test_what_was_overruled_can_be_taken_back_after_a_reload() -> None:
    stored, _ = _read(_StoredDraft, GOOD, OFFERED)
    assert stored.overruled is not None
    said = stored.overruled.restored()
    assert said.says == "You picked Noir: the tone Pastel gave way."
    assert said.before == Wishes(
        tone="noir",
        folder="refs/01. Model",
        person=PersonWish.NO,
        gender=Gender.FEMININE,
        ages=Ages(20, 30),
        persona="Ada",
        pins={"tone": "a.png"},
        off=frozenset({"angle"}),
        varies=Varies.STRENGTH,
        balanced=False,
        strengths_b={"angle": Strength.HINT},
    )
    assert _overruled_now(said) == {
        **OVERRULED,
        "before": {**BEFORE, "angle": None, "held": {}, "rerolls": {}},
    }


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in BAD.items() for value in values])
def test_a_bad_field_is_named_and_every_other_is_kept(name: str, value: object) -> None:
    stored, left_out = _read(_StoredDraft, GOOD | {name: value}, OFFERED)
    expected, _ = _read(_StoredDraft, {at: good for at, good in GOOD.items() if at != name}, OFFERED)
    assert left_out == [name]
    assert stored.model_dump(exclude={"seed"}) == expected.model_dump(exclude={"seed"})


def test_what_an_older_version_did_not_know_is_not_left_out() -> None:
    stored, left_out = _read(_StoredDraft, {}, OFFERED)
    assert (stored.person, left_out) == (FROM_PROMPT, [])
    assert (stored.varies, stored.balanced, stored.takes) == (Varies.ANGLE, True, 1)
