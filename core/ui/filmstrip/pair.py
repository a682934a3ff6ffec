"""A pair: two sides of any two comparisons that stand side by side, and the address that finds them again."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

import streamlit as st

from core.generation.records.attempt_status import ComparisonStatus
from core.generation.records.comparison import TAKES_MAX, SideTake
from core.injection.request.wishes import SideName
from core.ui.components.filmstrip.filmstrip import Chosen
from core.ui.frame.state import PAIR_PARAM, Key

_ID: Final = r"[0-9A-HJKMNP-TV-Z]{26}"
_PLACE: Final = rf"({_ID})\.({'|'.join(re.escape(side.value) for side in SideName)})(?:\.([2-{TAKES_MAX}]))?"
_ADDRESS: Final = re.compile(rf"{_PLACE}~{_PLACE}")


@dataclass(frozen=True, slots=True)
class PairedSide:
    """A picture of a comparison, by its names."""

    comparison: str
    side: SideName
    take: int = 1

    def __str__(self) -> str:
        take = f".{self.take}" if self.take > 1 else ""
        return f"{self.comparison}.{self.side.value}{take}"

    @property
    def place(self) -> SideTake:
        """Which of the comparison's pictures it is."""
        return SideTake(self.side, self.take)


@dataclass(frozen=True, slots=True)
class Pair:
    """What stands on the left and on the right."""

    left: PairedSide
    right: PairedSide

    def __str__(self) -> str:
        """As it stands in the address."""
        return f"{self.left}~{self.right}"

    @classmethod
    def read(cls, text: str) -> Pair | None:
        """What an address names; None for what is none of ours."""
        match = _ADDRESS.fullmatch(text)
        if match is None:
            return None
        one, side, take, other, others_side, others_take = match.groups()
        left = PairedSide(one, SideName(side), int(take or 1))
        return cls(left, PairedSide(other, SideName(others_side), int(others_take or 1)))

    def with_place(self, at: int, place: SideTake) -> Pair:
        """The same with another picture of the comparison on the left (0) or right (1)."""
        before = self.left if at == 0 else self.right
        after = replace(before, side=place.side, take=place.take)
        return replace(self, left=after) if at == 0 else replace(self, right=after)


def pair_of(left: tuple[ComparisonStatus, Chosen], right: tuple[ComparisonStatus, Chosen]) -> Pair:
    """Two comparisons with the sides that were pointed at; else the same side of both, if there is a picture of it.

    Of several takes it is the one that the filmstrip shows.
    """
    shared = _pictured(left[0]) & _pictured(right[0])
    return Pair(_paired(*left, shared), _paired(*right, shared))


def _pictured(status: ComparisonStatus) -> set[SideName]:
    return {side.side for side in status.best_pair if side.picture}


def _paired(status: ComparisonStatus, chosen: Chosen, shared: set[SideName]) -> PairedSide:
    sides = status.best_pair
    named = [side for side in sides if side.side.value == chosen.side]
    both = [side for side in sides if side.side in shared]
    pictured = [side for side in sides if side.picture is not None]
    side = next(iter(named or both[-1:] or pictured[-1:]), sides[-1])
    return PairedSide(status.comparison.id, side.side, side.take)


def pair_in_address() -> Pair | None:
    """The pair that the address names, and from now on this tab; none for an address without, or one that is broken."""
    pair = Pair.read(st.query_params.get(PAIR_PARAM, ""))
    if pair is None:
        leave_pair()
    else:
        st.session_state[Key.PAIR] = pair
    return pair


def show_pair(pair: Pair) -> None:
    """From the next run on these two stand in the comparison's place."""
    st.query_params[PAIR_PARAM] = str(pair)


def leave_pair() -> None:
    """The comparison has its place again."""
    st.query_params.pop(PAIR_PARAM, None)
    st.session_state.pop(Key.PAIR, None)


def bring_back(comparison_id: str) -> None:
    """From the next run on this comparison is on the stage, and the composer as it was for it."""
    leave_pair()
    st.session_state.pop(Key.SHOWN, None)  # or a composer that was changed since would stay as it is
    st.session_state[Key.RECALL] = comparison_id


def restore_pair() -> None:
    """Back from another page, whose address names nothing of this one: what stood here stands here again."""
    pair = st.session_state.get(Key.PAIR)
    if isinstance(pair, Pair):
        show_pair(pair)
