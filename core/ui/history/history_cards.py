"""History cards: a comparison as the picture grid shows it, both sides beside each other."""

from __future__ import annotations

from core.generation.records.attempt_status import AttemptPhase, ComparisonStatus, SideStatus
from core.generation.records.comparison import Comparison
from core.generation.records.side_titles import side_title
from core.injection.request.wishes import Mode, Varies
from core.references.vocabulary import Vocabulary
from core.ui.components.picture_grid.picture_grid import Card, Half
from core.ui.frame.words.local_time import clock, reader_zone
from core.ui.frame.words.names import MODES, VARIES
from core.ui.frame.words.quantities import count_of
from core.ui.generate.side_words import headline
from core.ui.generate.stage_footers import take_title
from core.web.http.addresses import image_url

_SHORT = 80
_LETTERS = ("A", "B")


def comparison_card(status: ComparisonStatus, vocabulary: Vocabulary, *, starred: bool | None = None) -> Card:
    """Its pictures, the prompt, with what it was made, and when; where a side has no picture, what became of it.

    Of several takes it is the one to show first.
    """
    comparison = status.comparison
    title = comparison.wishes.prompt.strip().replace("\n", " ")[:_SHORT] or "No prompt"
    shown = status.best_pair
    halves = [_half(status, side, letter, title) for side, letter in zip(shown, _LETTERS, strict=False)]
    (only,) = halves if len(halves) == 1 else (None,)
    return Card(
        id=comparison.id,
        picture_url=only.picture_url if only else None,
        alt=only.alt if only else "",
        title=title,
        subtitle=f"{tags_of(comparison, vocabulary)} · {clock(comparison.created_at, reader_zone())}".lstrip(" ·"),
        badge=_newest(shown[0]).capitalize() if only else "",
        problem=only.problem if only else "",
        halves=() if only else halves,
        starred=starred,
    )


def tags_of(comparison: Comparison, vocabulary: Vocabulary) -> str:
    """What it was made with, by its names, and how often; that both sides were made is no word worth.

    Nor is that they vary the angle, as they do where nobody chose otherwise.
    """
    is_pair = comparison.mode is Mode.COMPARE
    mode = "" if is_pair else MODES[comparison.mode]
    varies = f"Varies {VARIES[comparison.varies].lower()}" if is_pair and comparison.varies is not Varies.ANGLE else ""
    named = (vocabulary.name(tag) for tag in (comparison.tone, comparison.angle) if tag)
    takes = count_of(comparison.takes, "take") if comparison.takes > 1 else ""
    return " · ".join(filter(None, (mode, varies, *named, takes)))


def side_problem(side: SideStatus) -> str:
    """What stands in place of a picture."""
    return headline(side) or "No picture"


def _half(status: ComparisonStatus, side: SideStatus, letter: str, title: str) -> Half:
    picture = side.picture
    heading = take_title(status, side, side_title(status.comparison, side.side))
    return Half(
        picture_url=image_url(picture.key, picture.etag) if picture else None,
        alt=f"{heading}: {title}",
        badge=" · ".join(filter(None, (letter, _newest(side)))),
        problem=side_problem(side),
    )


def _newest(side: SideStatus) -> str:
    """What is to be said on a picture: that a newer attempt than its own is at work, or brought none."""
    return headline(side).lower() if side.picture and side.phase is not AttemptPhase.DONE else ""
