"""History cards: a comparison as the picture grid shows it."""

from __future__ import annotations

from core.generation.records.attempt_status import AttemptPhase, ComparisonStatus
from core.injection.wishes import Mode
from core.ui.components.picture_grid.picture_grid import Card
from core.web.addresses import image_url

_SHORT = 80


def comparison_card(status: ComparisonStatus) -> Card:
    """The last side's picture, the prompt, when and with what it was made."""
    comparison = status.comparison
    picture = next((side.picture for side in reversed(status.sides) if side.picture is not None), None)
    mode = "" if comparison.mode is Mode.COMPARE else comparison.mode.value
    tags = " · ".join(filter(None, (mode, comparison.tone, comparison.angle)))
    return Card(
        id=comparison.id,
        picture_url=image_url(picture.key, picture.etag) if picture else None,
        alt=f"Comparison: {comparison.wishes.prompt[:_SHORT]}",
        title=comparison.wishes.prompt.strip().replace("\n", " ")[:_SHORT],
        subtitle=f"{tags} · {comparison.created_at:%d %b %H:%M}",
        badge=_badge(status),
        problem="At work" if status.busy else "No picture",
    )


def _badge(status: ComparisonStatus) -> str:
    phases = {side.phase for side in status.sides}
    if status.busy:
        return "at work"
    if AttemptPhase.INTERRUPTED in phases:
        return "interrupted"
    for phase in (AttemptPhase.FAILED, AttemptPhase.CANCELLED):
        if phase in phases:
            return phase.value if len(phases) == 1 else f"a side {phase.value}"
    return ""
