"""Today's strip: each comparison says where it stands, to those who see it and to those who hear it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from core.generation.differences.side_diff import SideDiff, SideDifference
from core.generation.records.attempt_status import AttemptPhase, ComparisonStatus, SideStatus
from core.references.key import encode_key
from core.ui.components.filmstrip.filmstrip import FilmstripItem
from core.ui.filmstrip.side_by_side import difference_words
from core.ui.filmstrip.todays_strip import strip_item
from tests.generation.comparisons import TONE_ANGLE, TONE_ONLY, comparison
from tests.ui.filmstrip.test_pair import status, taken

NOW = datetime(2026, 11, 22, 12, 5, tzinfo=UTC)
Q, R, F, C, X = (
    AttemptPhase.QUEUED,
    AttemptPhase.RUNNING,
    AttemptPhase.FAILED,
    AttemptPhase.CANCELLED,
    AttemptPhase.INTERRUPTED,
)


def item(*phases: AttemptPhase, queue: int | None = None) -> FilmstripItem:
    """A comparison in these phases, as number so and so of its orderer's queue."""
    wanted = comparison(created_at=NOW)
    sides = tuple(
        SideStatus(side=side, attempt=1, phase=phase, since=NOW - timedelta(seconds=12.4))
        for side, phase in zip((TONE_ONLY, TONE_ANGLE), phases, strict=True)
    )
    waiting = ["another"] * (queue - 1) + [wanted.id] if queue else []
    return strip_item(ComparisonStatus(comparison=wanted, sides=sides), "", waiting, ZoneInfo("Asia/Seoul"), NOW)


@pytest.mark.parametrize(
    ("phases", "queue", "note", "words", "says"),
    [
        ((Q, Q), 1, "waiting · 1st", ("1st", "1st"), "waiting, 1st in your queue"),
        ((Q, Q), None, "waiting", ("waits", "waits"), "waiting"),
        ((R, Q), 2, "", ("", "2nd"), "Tone only at work, Tone + angle waiting"),
        ((R, R), None, "", ("", ""), "at work"),
        ((F, C), None, "", ("", ""), "Tone only failed, Tone + angle cancelled"),
        ((X, X), None, "", ("", ""), "interrupted"),
    ],
)
def test_it_says_where_it_stands(
    phases: tuple[AttemptPhase, ...], queue: int | None, note: str, words: tuple[str, ...], says: str
) -> None:
    shown = item(*phases, queue=queue)
    assert shown.note == note
    assert tuple(side.word for side in shown.sides) == words
    assert shown.name == f"21:05, Compare, “a portrait”: {says}"


def test_what_is_at_work_says_for_how_long_and_nothing_else_does() -> None:
    assert [side.elapsed_s for side in item(R, Q).sides] == [12, None]
    assert [side.state for side in item(F, X).sides] == ["failed", "failed"]
    assert [side.state for side in item(C, R).sides] == ["cancelled", "running"]


def test_what_is_done_shows_its_small_pictures_in_their_shape() -> None:
    shown = strip_item(status(comparison(), TONE_ONLY, TONE_ANGLE), "shown", [], UTC, NOW)
    assert [side.picture_url for side in shown.sides] == ["/image/320/e/aw"] * 2
    assert (shown.ratio, shown.mark, shown.note) == (0.8, "shown", "")
    assert shown.name.endswith(": done")


def test_several_takes_are_counted_and_the_best_scored_pair_is_shown() -> None:
    shown = strip_item(taken((51, 60), (80, None), (70, 72)), "", [], UTC, NOW)
    assert shown.takes == "3 takes"
    assert ", Compare, 3 takes, “a portrait”: 5 of 6 done" in shown.name
    third = [f"/image/320/e/{encode_key(f'{name}-take3')}" for name in (TONE_ONLY, TONE_ANGLE)]
    assert [side.picture_url for side in shown.sides] == third
    assert item(R, Q).takes == ""


def test_differences_are_words_and_nothing_that_somebody_typed_becomes_markdown() -> None:
    found = SideDiff((SideDifference("prompt", "**a** [x](y)", "b $1"), SideDifference("seed", "7", "8")), ("tone",))
    words = difference_words(found)
    assert words.startswith("Differs in prompt **&#42;")
    assert " · seed **7** / **8**" in words
    assert "[x](y)" not in words
    assert difference_words(SideDiff((), ("tone",))) == "The same request twice: only chance differs."
