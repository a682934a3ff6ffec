"""What the offline reader reads, prompt by prompt: one that was read as a person would is never read otherwise."""

from __future__ import annotations

from tests.injection.test_reader import FIELDS, PROMPTS, READER, expected, fields

# The fields that are read otherwise than a person would, by prompt. Whoever mends one takes it off the list.
MISREAD = {
    "en-133": {"gender"},
    "en-150": {"person"},
    "en-182": {"age"},
    "en-193": {"angle"},
    "en-197": {"tone"},
    "en-237": {"age"},
    "en-284": {"age"},
    "en-288": {"person"},
    "en-300": {"age"},
    "en-302": {"gender", "age"},
    "en-304": {"person"},
    "en-311": {"tone"},
    "ko-182": {"angle"},
    "ko-207": {"gender"},
    "ko-287": {"person", "gender"},
    "ko-339": {"person", "age"},
    "ko-351": {"gender"},
    "ko-353": {"person", "gender", "age"},
}


def test_only_these_prompts_are_misread() -> None:
    found = {}
    for row in PROMPTS:
        read, wanted = fields(READER.read(row["prompt"])), expected(row)
        if wrong := {name for name in FIELDS if read[name] != wanted[name]}:
            found[row["id"]] = wrong
    assert found == MISREAD
