"""Side titles: what each side of a comparison is called, by the one thing that its sides vary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from core.generation.records.comparison import Comparison, RenderSettings
from core.injection.request.wishes import SideName, Strength, Varies, Wishes
from core.references.vocabulary import Role

_WAYS: Final = {SideName.A: "Tone reference", SideName.B: "Tone in words"}
_STEERED: Final = {Role.TONE.value: "Tone", Role.ANGLE.value: "Angle"}


def side_title(comparison: Comparison, side: SideName) -> str:
    """What a recorded side is: `Tone + angle`, `gpt-image-2 · high`, `Tone in words`, `Tone: exact`."""
    renders = {record.side: comparison.render_of(record.side) for record in comparison.sides}
    return planned_title(comparison.wishes, side, renders)


def planned_title(wishes: Wishes, side: SideName, renders: Mapping[SideName, RenderSettings]) -> str:
    """The same of a side that is planned; `renders` say how each side is made, for a comparison of image models."""
    if side not in (SideName.A, SideName.B):
        return side.heading
    match wishes.varies:
        case Varies.MODEL:
            return _made_by(side, renders)
        case Varies.TONE_WAY:
            return _WAYS[side]
        case Varies.STRENGTH:
            return _followed(wishes, side)
        case Varies.ANGLE:
            return side.heading


def _made_by(side: SideName, renders: Mapping[SideName, RenderSettings]) -> str:
    """The image model, the quality, or both: whatever the sides do not share."""
    own = renders[side]
    models = {(render.engine, render.model) for render in renders.values()}
    qualities = {render.quality for render in renders.values()}
    if len(models) > 1:
        return f"{own.model} · {own.quality}" if len(qualities) > 1 else own.model
    return f"{own.quality.capitalize()} quality" if len(qualities) > 1 else own.model


def _followed(wishes: Wishes, side: SideName) -> str:
    """How closely the reference is followed whose strength is varied; of several, the first."""
    slot_id = next(iter(wishes.strengths_b), Role.TONE.value)
    followed = wishes.strengths.get(slot_id, Strength.NORMAL)
    if side is SideName.B:
        followed = wishes.strengths_b.get(slot_id, followed)
    return f"{_STEERED.get(slot_id, 'Reference')}: {followed.value}"
