"""Judging: the verdict of today's judge on a recorded comparison, from the record alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from core.generation.records.comparison import Comparison, RenderSettings, SideRecord
from core.injection.request.fairness import Fairness, judge
from core.injection.request.sent import SentRender, SentSide, sent_side
from core.injection.request.wishes import Wishes
from core.references.vocabulary import Vocabulary


def sent_render(render: RenderSettings) -> SentRender:
    """Engine, image model, size and quality as the judge compares them."""
    return SentRender(render.engine, render.model, str(render.size), render.quality)


def sent_sides(
    sides: Iterable[SideRecord],
    wishes: Wishes,
    angle: str | None,
    render: RenderSettings,
    vocabulary: Vocabulary,
) -> tuple[SentSide, ...]:
    """The requests of recorded sides; `angle` is the wished one, and `render` what a side is made with by default."""
    return tuple(
        sent_side(
            record.side,
            record.slots,
            record.sections,
            wishes=wishes,
            angle=angle,
            vocabulary=vocabulary,
            render=sent_render(record.render or render),
        )
        for record in sides
    )


def judge_record(comparison: Comparison, vocabulary: Vocabulary) -> Fairness | None:
    """What today's judge says of what a comparison was sent; None for a single side, or an imported record.

    The verdict in the record stays what it was. There is nothing to mend in what has been made.
    """
    if len(comparison.sides) != 2 or comparison.legacy is not None:
        return None
    sent = sent_sides(comparison.sides, comparison.wishes, comparison.angle, comparison.render, vocabulary)
    fairness = judge(sent[0], sent[1], comparison.varies)
    return replace(fairness, differences=tuple(replace(each, mend=None) for each in fairness.differences))
