"""The drift note: what changed in S3 since the index before, in a few words, with the names behind it."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import streamlit as st

from core.references.drift import Drift, Move
from core.references.key import file_name, unicode_form
from core.ui.frame.words.local_time import clock, reader_zone
from core.ui.frame.words.markdown import fill, plain
from core.ui.frame.words.quantities import count_of

_NAMED_MAX = 20


def drift_note(drift: Drift) -> None:
    """Draw it; nothing while nothing has changed."""
    if drift.is_empty or drift.since is None:
        return
    renames = [_line(move) for move in drift.moves if move.is_rename]
    moves = [move for move in drift.moves if not move.is_rename]
    moved = sum(move.pictures for move in moves)
    parts: tuple[tuple[str, Sequence[str], str], ...] = (
        ("Renamed", renames, f"{count_of(len(renames), 'group')} renamed"),
        ("Moved", [_line(move) for move in moves], f"{moved:,} moved"),
        ("Added", drift.added, f"{len(drift.added):,} added"),
        ("Removed", drift.removed, f"{len(drift.removed):,} removed"),
        ("Changed", drift.changed, f"{len(drift.changed):,} changed"),
    )
    summary = ", ".join(says for _, lines, says in parts if lines)
    since = clock(drift.since, reader_zone())
    with st.popover(fill("{} since {}", summary, since), type="tertiary", icon=":material/difference:"):
        for heading, lines, _ in parts:
            if lines:
                more = f"\n… and {len(lines) - _NAMED_MAX:,} more" if len(lines) > _NAMED_MAX else ""
                st.caption(plain(heading))
                st.code("\n".join(lines[:_NAMED_MAX]) + more, language=None, wrap_lines=True)


def _line(move: Move) -> str:
    """From where to where; names that look the same say which is which."""
    before, after = move.before, move.after
    if before == after:
        return f"{before} ({count_of(move.pictures, 'picture')} given other names)"
    if unicodedata.normalize("NFC", before) == unicodedata.normalize("NFC", after):
        before = f"{before}, {unicode_form(file_name(before))}"
        after = f"{after}, {unicode_form(file_name(after))}"
    return f"{before}\n  → {after} ({count_of(move.pictures, 'picture')})"
