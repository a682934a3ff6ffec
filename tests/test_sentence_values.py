"""Every sentence the code can make says the same whatever values come into it, and shows each of them as it is."""

from __future__ import annotations

import ast
import html
import re
from datetime import UTC, datetime
from string import Formatter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import errors
from core.errors import VALUE_CHARS_MAX, EngineError, EngineFault, StudioError, TooManyAttempts, legible
from core.ui.frame.words.markdown import code, fill, plain
from tests.support.hostile import ALL, VALUES
from tests.test_architecture import MODULES, tree_of
from tests.test_sentences import sinks

TABLES = ("core.storage.faults", "core.generation.engines.openai_errors")  # sentences stand in tables there
KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, StudioError)]
NEEDED: dict[type, dict[str, Any]] = {
    errors.ConfigError: {"setting": "NAME"},
    EngineError: {"kind": EngineFault.UNAVAILABLE},
    TooManyAttempts: {"retry_after_s": 1.0},
    errors.Overloaded: {"retry_after_s": 1.0},
}
SIGNS = "".join(chr(each) for each in range(33, 127) if not chr(each).isalnum())
WORDS = ("www", "http", "https", "material/", "material_", "home", "streamlit", "smile", "evil", "example")
UNSEEN = re.compile(r"[\0-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
# What Streamlit's page looks for in texts when Markdown is parsed already, in the words of its script.
BARE = {
    "address": re.compile(r"(https?://|www(?=\.))([-.\w]+)([^ \t\r\n]*)", re.IGNORECASE),
    "mail": re.compile(r"([-.\w+]+)@([-\w]+(?:\.[-\w]+)+)"),
    "icon": re.compile(r":material_(\w+):|:streamlit:"),
    "emoji": re.compile(r":[\w+-][\w_+-]*:"),
    "arrow": re.compile(r"(^|\s)(<->|->|<-|--|>=|<=|~=)(\s|$)"),
}
# Letters, digits and signs of prose, others by their numbers, the element between two texts, single spaces inside.
HARMLESS = re.compile(r"([^\0-/:-@\[-`{-\x7f]|[\"%',/;?]|&#\d+;|:color\{\}|(?<=[^ ]) (?=[^ ]))*")
texts = st.one_of(
    st.sampled_from(VALUES),
    st.text(),
    st.text(alphabet=f"{SIGNS} \n\tabw19é김"),
    st.lists(st.sampled_from([*SIGNS, *WORDS, " ", "\n"]), max_size=12).map("".join),
)


def is_template(text: str) -> bool:
    try:
        return any(name is not None for _, name, _, _ in Formatter().parse(text))
    except ValueError:
        return False


def templates() -> set[str]:
    """What is handed to errors and to `fill` and has places for values."""
    found: set[str] = set()
    for module, file in MODULES.items():
        for node in ast.walk(tree_of(file)):
            called = getattr(node, "func", None)
            name = getattr(called, "attr", getattr(called, "id", ""))
            if name in sinks() or (module in TABLES and isinstance(node, ast.Assign)):
                inside = [each.value for each in ast.walk(node) if isinstance(each, ast.Constant)]
                found |= {each for each in inside if isinstance(each, str) and is_template(each)}
    return found


TEMPLATES = sorted(templates())


def with_values(template: str, value: str) -> tuple[list[object], dict[str, object]]:
    """For its places, of the kind that their formats ask for."""
    values: list[object] = []
    named: dict[str, object] = {}
    for _, name, spec, _ in Formatter().parse(template):
        if name is not None:
            asked = datetime(2026, 5, 4, 12, 30, tzinfo=UTC) if "%" in str(spec) else 12 if spec else value
            named.update({name: asked} if name else {})
            values += [] if name else [asked]
    return values, named


def check(template: str, value: str) -> None:
    values, named = with_values(template, value)
    err = StudioError(template, *values, **named)
    if "!r" in template:
        value = repr(value)
    elif value in values or value in named.values():
        assert legible(value) in err.message
    marks, marks_named = with_values(template, "MARK")
    if "!r" in template:
        return
    said = StudioError(template, *marks, **marks_named).message
    assert err.message == said.replace("MARK", legible(value))
    drawn = fill(template, *marks, **marks_named).replace("`MARK`", code(value)).replace("MARK", plain(value))
    assert fill(template, *values, **named) == plain(err) == drawn


def test_there_are_sentences_to_look_at() -> None:
    assert len(TEMPLATES) > 150
    assert "There is no comparison `{key}`." in TEMPLATES
    assert "The bucket “{bucket}” does not exist at {endpoint}." in TEMPLATES


@pytest.mark.parametrize("template", TEMPLATES)
def test_hostile_values_leave_the_words_of_a_sentence_as_they_are(template: str) -> None:
    for value in ALL:
        check(template, value)


@given(template=st.sampled_from(TEMPLATES), value=texts)
def test_no_value_changes_the_words_of_a_sentence(template: str, value: str) -> None:
    check(template, value)


@pytest.mark.parametrize("template", TEMPLATES)
def test_no_place_stands_where_a_value_would_name_something_or_share_its_code(template: str) -> None:
    assert not re.search(r"[:@&]\{", template)
    for quoted in re.findall(r"`([^`]*)`", template):
        assert re.fullmatch(r"\{\w*\}|[^{}]*", quoted)


@given(value=texts)
def test_a_value_is_drawn_as_itself(value: str) -> None:
    drawn = plain(value)
    assert HARMLESS.fullmatch(drawn)
    pieces = [html.unescape(piece) for piece in drawn.split(":color{}")]
    assert "".join(pieces) == legible(value)
    assert [(piece, name) for piece in pieces for name, bare in BARE.items() if bare.search(piece)] == []


@given(value=texts)
def test_a_value_as_code_ends_where_its_fence_does(value: str) -> None:
    """By the rules of CommonMark 0.31, section 6.1."""
    drawn, found = str(code(value)), []
    while drawn:
        fence = re.match("`+", drawn)
        assert fence
        end = re.compile(f"(?<!`){fence[0]}(?!`)").search(drawn, fence.end())
        assert end
        inside = drawn[fence.end() : end.start()]
        is_padded = inside.startswith(" ") and inside.endswith(" ") and inside.strip(" ")
        found.append(inside[1:-1] if is_padded else inside)
        drawn = drawn[end.end() :].removeprefix(":color{}")
    assert "".join(found).strip(" ") == legible(value).strip(" ")
    assert not any(":material/" in inside for inside in found)


@pytest.mark.parametrize("value", ALL)
def test_a_value_in_a_line_is_to_be_seen_and_no_longer_than_it_may_be(value: str) -> None:
    assert not UNSEEN.search(legible(value))
    assert len(legible(value)) <= VALUE_CHARS_MAX


def test_the_middle_of_a_long_value_is_left_out() -> None:
    line = legible("a" * 60_000 + "z" * 40_000)
    assert len(line) == VALUE_CHARS_MAX
    assert re.fullmatch("a+…z+", line)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_error_says_its_sentence_with_its_values(kind: type[StudioError]) -> None:
    err = kind("“{}” is {!r}.", "a\nb", "c", **NEEDED.get(kind, {}))
    assert err.message == str(err) == "“a b” is 'c'."
    assert (err.sentence, err.values) == ("“{}” is {!r}.", ("a\nb", "c"))
