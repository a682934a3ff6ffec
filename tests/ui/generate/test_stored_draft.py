"""A stored draft comes from a browser: every field is checked for itself, and a bad one harms no other."""

from __future__ import annotations

import pytest

from core.injection.wishes import Mode, Strength
from core.ui.generate.draft import FROM_PROMPT, PERSON_CHOICES, SIZES
from core.ui.generate.stored_draft import _read, _StoredDraft

OFFERED = {"tone": {"noir"}, "person": PERSON_CHOICES, "size": SIZES, "engine": {"Preview"}}
GOOD = {
    "prompt": "Ada",
    "tone": "noir",
    "seed": 7,
    "recent": ["a.png"],
    "pins": {"tone": "a.png"},
    "rerolls": {"tone": 2},
    "off": ["angle"],
    "strengths": {"tone": "strong"},
    "mode": "tone-only",
    "person": "Yes",
    "ages": [20, 30],
    "engine": None,
}
BAD = {
    "prompt": [None, 3],
    "tone": ["sepia", 3, {}],
    "seed": [-1, True, "7", 1.0, 10**30],
    "recent": ["text", [1], ["x" * 1025], ["x"] * 501],
    "tone_by_chance": ["yes", 1, None],
    "pins": [["x"], {"x": 1}, {"x" * 1025: "y"}, None],
    "rerolls": [{"x": -1}, {"x": 10_001}, {"x": True}],
    "off": ["text", {"x": 1}],
    "strengths": [{"x": "evil"}, {"x": None}],
    "mode": ["another", {}, None],
    "person": [None, "Maybe"],
    "ages": [[30, 20], [1], [1, 2, 3], [0, 101], "12"],
    "size": ["1 × 1"],
    "engine": ["gone", 1],
}


def test_a_good_draft_is_read_as_it_was_kept() -> None:
    stored, left_out = _read(_StoredDraft, GOOD, OFFERED)
    assert left_out == []
    assert (stored.prompt, stored.tone, stored.seed, stored.recent) == ("Ada", "noir", 7, ("a.png",))
    assert (stored.pins, stored.rerolls, stored.off) == ({"tone": "a.png"}, {"tone": 2}, {"angle"})
    assert (stored.strengths, stored.mode) == ({"tone": Strength.STRONG}, Mode.TONE_ONLY)
    assert (stored.person, stored.ages, stored.size, stored.engine) == ("Yes", (20, 30), next(iter(SIZES)), None)


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in BAD.items() for value in values])
def test_a_bad_field_is_named_and_every_other_is_kept(name: str, value: object) -> None:
    stored, left_out = _read(_StoredDraft, GOOD | {name: value}, OFFERED)
    expected, _ = _read(_StoredDraft, {at: good for at, good in GOOD.items() if at != name}, OFFERED)
    assert left_out == [name]
    assert stored.model_dump(exclude={"seed"}) == expected.model_dump(exclude={"seed"})


def test_what_an_older_version_did_not_know_is_not_left_out() -> None:
    stored, left_out = _read(_StoredDraft, {}, OFFERED)
    assert (stored.person, left_out) == (FROM_PROMPT, [])
