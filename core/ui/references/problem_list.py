"""The list of problems: what in the library should be mended or looked at, above the pictures it is about."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.references.file_names.litter import LITTER_WORDS
from core.references.index import ReferenceIndex
from core.references.key import parent
from core.references.problems import LibraryProblem, LibraryWarning, folded
from core.references.reference import Filter, place_of
from core.ui.frame.words.markdown import breakable, fill, plain
from core.ui.frame.words.quantities import count_of
from core.unicode import searchable

_SHOWN = 6
_LISTED_MAX = 100  # a screen is no place for more: `python -m core index` lists all


def problem_list(index: ReferenceIndex, wanted: Filter) -> None:
    """Draw those that pass the filter, each with its place and what to do, and how many files are left out.

    Nothing where nothing is amiss.
    """
    found = folded(problem for problem in index.problems if _passes(problem, index, wanted))
    if not found and not index.table.litter:
        return
    warnings = sum(isinstance(problem.kind, LibraryWarning) for problem in found)
    counts = (count_of(len(found) - warnings, "problem"), count_of(warnings, "warning"))
    said = " · ".join(count for count in counts if not count.startswith("0 "))
    with st.container(key="problem-list"):
        if found:
            st.markdown(fill("**To mend in S3** :gray[{}]", said))
        _draw(found[:_SHOWN])
        if rest := found[_SHOWN:_LISTED_MAX]:
            with st.expander(fill("{} more", len(found) - _SHOWN)):
                _draw(rest)
                if len(found) > _LISTED_MAX:
                    st.caption(fill("Shown are the first {}: `python -m core index` lists all.", _LISTED_MAX))
        if index.table.litter:
            st.caption(fill("{} left out: {}.", count_of(index.table.litter, "file"), LITTER_WORDS))


def _draw(problems: Sequence[LibraryProblem]) -> None:
    for problem in problems:
        where = breakable(problem.where)
        with st.container(gap=None):
            if isinstance(problem.kind, LibraryWarning):
                st.markdown(fill(":material/info: {}", where))
            else:
                st.markdown(fill(":material/error: {}", where))
            st.caption(plain(problem.says))


def _passes(problem: LibraryProblem, index: ReferenceIndex, wanted: Filter) -> bool:
    """Whether it lies where the filter says; a problem as such has no tags."""
    place = place_of(problem.where, index.vocabulary) or place_of(parent(problem.where), index.vocabulary)
    role, folder, group = place or (None, None, None)
    asked = ((wanted.role, role), (wanted.folder, folder), (wanted.group, group), (wanted.tone or wanted.angle, None))
    words = searchable(wanted.text).split()
    found_by = searchable(problem.where)
    return all(want in (None, have) for want, have in asked) and all(word in found_by for word in words)
