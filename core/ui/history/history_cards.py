"""History cards: a comparison as the picture grid shows it, both sides beside each other."""

from __future__ import annotations

from core.generation.records.attempt_status import AttemptPhase, ComparisonStatus, SideStatus
from core.generation.records.comparison import Comparison
from core.injection.wishes import Mode
from core.references.vocabulary import Vocabulary
from core.ui.components.picture_grid.picture_grid import Card, Half
from core.ui.frame.local_time import clock, reader_zone
from core.ui.frame.names import MODES
from core.ui.generate.side_words import headline
from core.web.addresses import image_url

_SHORT = 80
_LETTERS = ("A", "B")


def comparison_card(status: ComparisonStatus, vocabulary: Vocabulary, *, starred: bool | None = None) -> Card:
    """Its pictures, the prompt, with what it was made, and when; where a side has no picture, what became of it."""
    comparison = status.comparison
    title = comparison.wishes.prompt.strip().replace("\n", " ")[:_SHORT] or "No prompt"
    halves = [_half(side, letter, title) for side, letter in zip(status.sides, _LETTERS, strict=False)]
    (only,) = halves if len(halves) == 1 else (None,)
    return Card(
        id=comparison.id,
        picture_url=only.picture_url if only else None,
        alt=only.alt if only else "",
        title=title,
        subtitle=f"{tags_of(comparison, vocabulary)} · {clock(comparison.created_at, reader_zone())}".lstrip(" ·"),
        badge=_newest(status.sides[0]).capitalize() if only else "",
        problem=only.problem if only else "",
        halves=() if only else halves,
        starred=starred,
    )


def tags_of(comparison: Comparison, vocabulary: Vocabulary) -> str:
    """What it was made with, by its names; that both sides were made is no word worth."""
    mode = "" if comparison.mode is Mode.COMPARE else MODES[comparison.mode]
    named = (vocabulary.name(tag) for tag in (comparison.tone, comparison.angle) if tag)
    return " · ".join(filter(None, (mode, *named)))


def side_problem(side: SideStatus) -> str:
    """What stands in place of a picture."""
    return headline(side) or "No picture"


def _half(side: SideStatus, letter: str, title: str) -> Half:
    picture = side.picture
    return Half(
        picture_url=image_url(picture.key, picture.etag) if picture else None,
        alt=f"{side.side.heading}: {title}",
        badge=" · ".join(filter(None, (letter, _newest(side)))),
        problem=side_problem(side),
    )


def _newest(side: SideStatus) -> str:
    """What is to be said on a picture: that a newer attempt than its own is at work, or brought none."""
    return headline(side).lower() if side.picture and side.phase is not AttemptPhase.DONE else ""
