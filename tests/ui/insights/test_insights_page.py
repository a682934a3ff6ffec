"""The Insights page on the demo: empty, thin and full, by what its viewer may see, with all filters in the address."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from html import unescape
from pathlib import Path

import pytest
from streamlit.runtime.context import ContextProxy
from streamlit.testing.v1 import AppTest

from core.injection.request.wishes import Varies
from core.studio import Studio, close_studio, get_studio
from core.ui.frame.state import Key
from tests.support.timeouts import LONG_S
from tests.ui.insights.vote_sample import cast

PAGE = Path(__file__).parents[3] / "pages" / "insights.py"


@pytest.fixture(scope="module", autouse=True)
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """The demo as it is, in this process, with nothing voted."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ContextProxy, "url", "http://localhost/")
        patch.setenv("DATA_DIR", str(tmp_path_factory.mktemp("demo") / "data"))
        try:
            yield get_studio()
        finally:
            close_studio()


def look(**query: str) -> AppTest:
    app = AppTest.from_file(str(PAGE), default_timeout=LONG_S)
    app.query_params.update(query)
    app.run()
    assert not app.exception
    return app


def words(app: AppTest) -> str:
    """All that is said."""
    headings = [*app.title, *app.header, *app.subheader]
    said = [each.value for each in [*headings, *app.markdown, *app.caption, *app.warning, *app.error]]
    return as_read("\n".join(said))


def as_read(text: str) -> str:
    """Without what keeps values from being anything but text, and numbers and their units together."""
    return unescape(text).replace(":color{}", "").replace("\N{NO-BREAK SPACE}", " ")


class TestNothingKnown:
    def test_it_asks_the_question_says_what_to_do_next_and_draws_nothing_of_nothing(self) -> None:
        app = look(question="Strength")
        said = words(app)
        assert "How closely should a reference be followed" in said
        assert "Nothing is known yet" in said
        assert "Nobody has judged such a pair yet" in said
        assert not [kind for kind in ("vega_lite_chart", "arrow_data_frame", "download_button") if app.get(kind)]

    def test_what_is_left_out_is_told_where_nothing_else_is(self, studio: Studio) -> None:
        cast(
            studio,
            comparisons=3,
            votes=3,
            blind=0.0,
            varies=Varies.TONE_WAY,
            titles=("Tone reference", "Tone in words"),
        )
        app = look(question="Tone's way")
        assert "3 votes do not count" in words(app)
        assert "Left out :gray[3 votes]" in words(app)
        counted = words(look(question="Tone's way", count_seen="true"))
        assert "Votes of people who had seen the sides named are counted, too." in counted
        assert "From 10 scenes on" in counted, "of three scenes no part is drawn"
        assert "too few scenes to say how many more it will take" in counted


@pytest.fixture(scope="module")
def voted(studio: Studio) -> Studio:
    cast(studio, comparisons=150, votes=420, left=0.7)
    return studio


@pytest.fixture(scope="module")
def everything(voted: Studio) -> AppTest:
    """The page as it is opened, with nothing narrowed. Whoever narrows it opens one of their own."""
    assert voted
    return look()


class TestAnswer:
    def test_the_sentence_and_its_interval_stand_on_top(self, everything: AppTest) -> None:
        (sentence,) = everything.header
        said = as_read(sentence.value)
        assert re.match(r"Tone .* angle is preferred in \d\d % of scenes, \d\d–\d\d %: (not )?decided", said)
        assert re.search(r"\d\u00a0%", unescape(sentence.value)), "no line ends between a number and its unit"

    def test_every_chart_is_told_in_words_and_all_but_the_first_stand_in_a_table_too(self, everything: AppTest) -> None:
        charts = [chart.proto.alt for chart in everything.get("vega_lite_chart")]
        assert len(charts) == 4
        assert all(charts)
        assert len(everything.get("expander")) == 3

    def test_a_left_bias_is_warned_of(self, everything: AppTest) -> None:
        assert any("The left picture is chosen in" in unescape(each.value) for each in everything.warning)

    def test_what_is_exploratory_says_so(self, everything: AppTest) -> None:
        assert ":gray[exploratory]" in words(everything)
        assert ":gray-badge[exploratory]" not in words(everything)
        part = look(of_tone="Natural film")
        assert ":gray-badge[exploratory]" in words(part)
        assert "the best of many looks better than it is: exploratory" in words(part)
        assert re.search(r"\d %: exploratory\. \d+ scenes", as_read(part.header[0].value))
        assert not re.search("decided|will decide", words(part))

    @pytest.mark.usefixtures("voted")
    @pytest.mark.parametrize("by", ["Angle", "Person", "Image model", "Voter"])
    def test_scenes_are_parted_in_other_ways_too(self, by: str) -> None:
        app = look(parts=by)
        assert f"by {by.lower()}: " in app.get("vega_lite_chart")[1].proto.alt

    def test_every_vote_and_every_scene_can_be_taken_home(self, everything: AppTest) -> None:
        assert [button.proto.label for button in everything.get("download_button")] == [
            "Every vote as CSV",
            "Every scene as CSV",
        ]


@pytest.mark.usefixtures("voted")
class TestFilters:
    def test_each_stands_in_the_address(self) -> None:
        app = look(since="2026-09-10", until="2026-10-10", of_tone="Vivid")
        assert "Only a span of days is counted" in words(app)
        assert app.session_state[Key.INSIGHTS_TONE] == "Vivid"
        assert [app.session_state[key] for key in (Key.INSIGHTS_FROM, Key.INSIGHTS_TO)] == [
            date(2026, 9, 10),
            date(2026, 10, 10),
        ]

    def test_an_id_in_an_address_is_as_good_as_the_name(self) -> None:
        assert look(of_tone="natural-film").session_state[Key.INSIGHTS_TONE] == "Natural film"

    @pytest.mark.parametrize(
        "query",
        [
            {"of_tone": "no such tone"},
            {"since": "yesterday"},
            {"until": "2026-13-45"},
            {"question": "everything"},
            {"parts": "<b>"},
            {"compared": "x / y"},
            {"of_voter": "nobody@studio.example"},
        ],
    )
    def test_what_an_address_says_that_means_nothing_narrows_nothing(self, query: dict[str, str]) -> None:
        said = words(look(**query))
        assert "exploratory." not in said
        assert "Tone + angle is preferred in" in said

    def test_days_that_end_before_they_begin_are_said_to(self) -> None:
        app = look(since="2026-10-10", until="2026-09-10")
        assert "is before the first one" in words(app)

    def test_of_several_contrasts_one_is_chosen(self, voted: Studio) -> None:
        for seed, titles in enumerate((("m-1", "m-2"), ("m-1", "m-3")), start=1):
            cast(voted, comparisons=4 * seed, votes=9 * seed, varies=Varies.MODEL, titles=titles, seed=seed)
        assert "m-1 or m-3?" in words(look(question="Model"))
        chosen = look(question="Model", compared="m-1 / m-2")
        assert "m-1 or m-2?" in words(chosen)
