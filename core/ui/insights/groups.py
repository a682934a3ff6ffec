"""The same question by tone, angle, person, image model or voter: exploratory, and pulled towards the whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import streamlit as st

from core.references.vocabulary import Term
from core.studio import Studio
from core.ui.frame.filters import segments
from core.ui.frame.layout import row
from core.ui.frame.state import Key
from core.ui.frame.words.markdown import fill
from core.ui.frame.words.names import ids_by_name
from core.ui.insights.charts import group_chart
from core.ui.insights.drawn_charts import chart_and_table
from core.votes.insights.answer import percent, span
from core.votes.insights.groups import Group
from core.votes.insights.insights import Insights
from core.votes.insights.voter_figures import VoterFigures

_TONE, _ANGLE, _PERSON, _MODEL, _VOTER = "Tone", "Angle", "Person", "Image model", "Voter"
_DRAWN_MAX: Final = 12
_PARTED_MIN: Final = 10  # scenes
_NOT_SAID: Final = "not said"


def show_groups(studio: Studio, found: Insights) -> None:
    """One way to part the scenes at a time."""
    with row(spread=True):
        st.subheader(fill("{} preferred, by :gray[exploratory]", found.contrast.b), anchor=False, width="content")
        by = segments("By", [_TONE, _ANGLE, _PERSON, _MODEL, _VOTER], Key.INSIGHTS_BY, default=_TONE)
    if found.estimate.scenes < _PARTED_MIN:
        st.caption(fill("From {} scenes on: of fewer each part is one or two, and chance decides.", _PARTED_MIN))
        return
    vocabulary = studio.vocabulary
    groups, called = {
        _TONE: (found.tones, _names(vocabulary.tones)),
        _ANGLE: (found.angles, _names(vocabulary.angles)),
        _PERSON: (found.personas, {}),
        _MODEL: (found.models, {}),
        _VOTER: (tuple(voter.group for voter in found.voters if voter.group), {}),
    }[by or _TONE]
    if not groups:
        st.caption("Nothing of that kind is known of these votes.")
        return
    st.caption(
        "Bars are 95 % intervals; the dashed line is all scenes together. Hollow and dotted: too few scenes, or too "
        "like the others, so pulled towards all together. The best of many groups looks better than it is: only all "
        "together decide."
    )
    names = [called.get(group.name or "", group.name or _NOT_SAID) for group in groups]
    chart_and_table(
        group_chart(groups[:_DRAWN_MAX], names[:_DRAWN_MAX], found.estimate.preference),
        _group_rows(by or _TONE, groups, names),
        *([_voter_rows(found.voters)] if by == _VOTER else []),
        alt=f"{found.contrast.b} preferred, by {(by or _TONE).lower()}: {_in_words(groups[:_DRAWN_MAX], names)}",
        name="groups",
    )
    if len(groups) > _DRAWN_MAX:
        st.caption(fill("The {} with most scenes of {}: the others stand in the table.", _DRAWN_MAX, len(groups)))


def _names(terms: Sequence[Term]) -> Mapping[str, str]:
    return {term: name for name, term in ids_by_name(terms).items()}


def _in_words(groups: Sequence[Group], names: Sequence[str]) -> str:
    return ", ".join(
        f"{name} {percent(group.preference)} of {group.scenes}" for name, group in zip(names, groups, strict=False)
    )


def _group_rows(kind: str, groups: Sequence[Group], names: Sequence[str]) -> list[dict[str, Any]]:
    return [
        {
            kind: name,
            "Preference": percent(group.preference),
            "95 % interval": span(group.low, group.high),
            "Before pulling": percent(group.plain) if group.is_pulled else None,
            "Scenes": group.scenes,
            "Votes": group.votes,
        }
        for group, name in zip(groups, names, strict=True)
    ]


def _voter_rows(voters: Sequence[VoterFigures]) -> list[dict[str, Any]]:
    """Who found everything bad on both sides has no preference, and is told of all the same."""
    return [
        {
            _VOTER: voter.name,
            "Votes": voter.votes,
            "Ties": voter.ties,
            "Both bad": voter.both_bad,
            "Same again": None if voter.self_agreement.share is None else percent(voter.self_agreement.share),
            "Left chosen": None if voter.left_bias.share is None else percent(voter.left_bias.share),
            "Median time": None if voter.median_s is None else f"{voter.median_s:.1f} s",
        }
        for voter in voters
    ]
