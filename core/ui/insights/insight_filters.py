"""The filters of Insights: which votes the question is asked of. All stand in the address, so an answer can be sent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import streamlit as st

from core.errors import InputError
from core.injection.request.wishes import Varies
from core.references.vocabulary import Term
from core.studio import Studio
from core.ui.frame.filters import choice, day, fold_when_narrow, named_choice, segments, switch
from core.ui.frame.layout import row
from core.ui.frame.state import Key
from core.ui.frame.words.names import ids_by_name
from core.viewer import Viewer
from core.votes.selection import Filters

_ANGLE, _MODEL, _TONE_WAY, _STRENGTH = "Angle", "Model", "Tone's way", "Strength"
_VARIES: Final = {
    _ANGLE: Varies.ANGLE,
    _MODEL: Varies.MODEL,
    _TONE_WAY: Varies.TONE_WAY,
    _STRENGTH: Varies.STRENGTH,
}
_NARROWING: Final = (
    Key.INSIGHTS_FROM,
    Key.INSIGHTS_TO,
    Key.INSIGHTS_CONTRAST,
    Key.INSIGHTS_TONE,
    Key.INSIGHTS_ANGLE,
    Key.INSIGHTS_PERSON,
    Key.INSIGHTS_MODEL,
    Key.INSIGHTS_VOTER,
    Key.INSIGHTS_SEEN,
)


def question_choice() -> Varies:
    """What varied between the two pictures: that is the question."""
    name = segments("Question", [_ANGLE, _MODEL, _TONE_WAY, _STRENGTH], Key.INSIGHTS_VARIES, default=_ANGLE)
    return _VARIES[name or _ANGLE]


def insight_filters(studio: Studio, viewer: Viewer, varies: Varies) -> Filters:
    """Draw them. Raises InputError for days that end before they begin.

    Only what some vote says can be chosen, and voters only by who may see their names.
    """
    choices, vocabulary = studio.insights.choices(viewer, varies), studio.vocabulary
    with row(key="insights-filters"), fold_when_narrow(Key.INSIGHTS_FILTERS_SHOWN, _NARROWING):
        st.caption("From", width="content")
        since = day("From this day on, UTC", Key.INSIGHTS_FROM, width=130)
        st.caption("to", width="content")
        until = day("Until this day, UTC", Key.INSIGHTS_TO, width=130)
        contrast = None
        if len(choices.contrasts) > 1:
            compared = {f"{each.a} / {each.b}": each for each in choices.contrasts}
            contrast = compared.get(choice("Most compared", list(compared), Key.INSIGHTS_CONTRAST, width=220) or "")
        tone = named_choice("Any tone", _named(choices.tones, vocabulary.tones), Key.INSIGHTS_TONE, width=140)
        angle = named_choice("Any angle", _named(choices.angles, vocabulary.angles), Key.INSIGHTS_ANGLE, width=140)
        persona = choice("Any person", choices.personas, Key.INSIGHTS_PERSON, width=140)
        model = choice("Any image model", choices.models, Key.INSIGHTS_MODEL, width=160)
        voter = None
        if choices.voters:
            voter = named_choice("Any voter", choices.voters, Key.INSIGHTS_VOTER, width=170)
        include_seen = switch("Include not blind", Key.INSIGHTS_SEEN)
    if since and until and until < since:
        raise InputError("The last day, {}, is before the first one, {}: choose a later one.", until, since)
    return Filters(varies, since, until, contrast, tone, angle, persona, model, voter, include_seen)


def _named(ids: Iterable[str], terms: Sequence[Term]) -> dict[str, str]:
    """Ids by their names; one that the vocabulary has no more is called as it is."""
    names = {term: name for name, term in ids_by_name(terms).items()}
    return dict(sorted((names.get(each, each), each) for each in ids))
