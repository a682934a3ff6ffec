"""The contract with Streamlit's page: its markup is touched in two places, and what they rely on is in its bundle."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import streamlit

import core.ui

ROOMS = Path(core.ui.__file__).parent
PLACES = (ROOMS / "style.css", ROOMS / "components" / "streamlit_page.js")
BUNDLE = "".join(
    file.read_text("utf-8")
    for file in sorted((Path(streamlit.__file__).parent / "static" / "static" / "js").glob("*.js"))
)
TEXT = "".join(place.read_text("utf-8") for place in PLACES)
OURS = {"data-dressed"}  # put on the sign-in button's frame by its script
QUOTE = "[`\"']"


@pytest.mark.parametrize("name", sorted(set(re.findall(r'data-testid\^?="([\w-]+)"', TEXT))))
def test_streamlit_has_every_element_that_is_relied_on(name: str) -> None:
    # the kind of a button is put behind the rest as it is drawn
    beginning, is_button, _ = name.partition("Button-")
    assert re.search(QUOTE + (f"{beginning}Button-" if is_button else name + QUOTE), BUNDLE)


@pytest.mark.parametrize("name", sorted(set(re.findall(r"\bdata-(?!testid)[\w-]+", TEXT)) - OURS))
def test_streamlit_sets_every_attribute_that_is_relied_on(name: str) -> None:
    assert name in BUNDLE


@pytest.mark.parametrize("word", ["CONNECTED", "isStreamlitMessage", "streamlit:setComponentValue", "st-key-"])
def test_streamlit_says_every_word_that_is_relied_on(word: str) -> None:
    assert word in TEXT
    assert word in BUNDLE


@pytest.mark.parametrize(
    "file", sorted({*ROOMS.rglob("*.js"), *ROOMS.rglob("*.css")} - {*PLACES}), ids=lambda f: f.name
)
def test_nothing_else_touches_streamlits_own_markup(file: Path) -> None:
    assert re.findall(r"data-testid|dataset\.test|\bst[A-Z]\w+|st-key-", file.read_text("utf-8")) == []
