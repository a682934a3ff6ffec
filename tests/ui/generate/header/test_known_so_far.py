"""Generate mentions what votes say of the chosen tone and angle, and never waits for it."""

from __future__ import annotations

from collections.abc import Iterator
from html import unescape

import pytest
from streamlit.testing.v1 import AppTest

from core.studio import Studio, close_studio, get_studio
from tests.support.timeouts import LONG_S, until
from tests.ui.insights.vote_sample import cast


@pytest.fixture(scope="module", autouse=True)
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATA_DIR", str(tmp_path_factory.mktemp("demo") / "data"))
        try:
            studio = get_studio()
            studio.catalog.refresh()
            cast(studio, comparisons=80, votes=160)
            yield studio
        finally:
            close_studio()


def draw(tone: str, angle: str, varies: str) -> None:
    from core.injection.request.wishes import Varies, Wishes
    from core.studio import get_studio
    from core.ui.generate.header.known_so_far import known_so_far
    from core.viewer import PersonRole, Viewer

    studio = get_studio()
    planned = studio.planner.plan(
        Wishes(prompt="a portrait", tone=tone or None, angle=angle or None, varies=Varies(varies))
    )
    known_so_far(studio, Viewer("kim@studio.example", PersonRole.DESIGNER), planned)


def drawn(tone: str, angle: str, varies: str = "angle") -> AppTest:
    app = AppTest.from_function(draw, args=(tone, angle, varies), default_timeout=LONG_S).run()
    assert not app.exception
    return app


def said(tone: str, angle: str, varies: str = "angle") -> list[str]:
    return [caption.value for caption in drawn(tone, angle, varies).caption]


def test_it_says_how_often_the_angle_helped_once_that_is_known() -> None:
    until(lambda: bool(said("natural-film", "overhead")))
    (line,) = said("natural-film", "overhead")
    assert line.startswith(":material/how_to_vote: The angle helped in ")
    assert unescape(line).endswith("decided.")


def test_it_says_of_which_tone_and_angle_and_leads_to_them_in_insights() -> None:
    until(lambda: bool(said("natural-film", "low-angle")))
    (way,) = drawn("natural-film", "low-angle").button
    assert unescape(way.label).replace(":color{}", "") == "Insights: Natural film, Low angle"


@pytest.mark.parametrize(
    "chosen",
    [("natural-film", ""), ("", "overhead"), ("natural-film", "overhead", "tone-way"), ("neon", "dutch-tilt")],
    ids=["no angle", "no tone", "another question", "never judged"],
)
def test_where_nothing_is_known_or_asked_nothing_is_said(chosen: tuple[str, ...]) -> None:
    until(lambda: bool(said("natural-film", "overhead")))
    assert said(*chosen) == []
