"""Names: what roles, modes, tones and angles are called on every screen. `docs/glossary.md` says what they mean."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from core.injection.request.wishes import Mode, Strength, Varies
from core.labels.published.schema import Gender
from core.references.vocabulary import Role, Term

MODES: Final = {Mode.TONE_ONLY: "Tone only", Mode.TONE_ANGLE: "Tone + angle", Mode.COMPARE: "Compare"}
VARIES: Final = {
    Varies.ANGLE: "Angle",
    Varies.MODEL: "Model",
    Varies.TONE_WAY: "Tone's way",
    Varies.STRENGTH: "Strength",
}
STRENGTHS: Final = {strength: strength.value.capitalize() for strength in Strength}
# In S3 the folder is called `01. Model`; on screen a model is what makes pictures, and the person is who is in them.
ROLES: Final = {Role.MODEL: "Person", Role.TONE: "Tone", Role.ANGLE: "Angle"}

# Labels call them feminine and masculine; prompts and the composer say it so.
GENDERS: Final = {Gender.FEMININE: "Woman", Gender.MASCULINE: "Man"}


def ids_by_name(terms: Iterable[Term]) -> dict[str, str]:
    """The ids of tones or angles by their names."""
    return {term.name: term.id for term in terms}
