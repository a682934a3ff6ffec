"""The draw: a seeded order over candidates that irrelevant pictures cannot disturb."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping

from core.references.reference import Reference


def ticket(seed: int, salt: str, value: str) -> bytes:
    """A value's place in the draw: BLAKE2b of seed, salt and value.

    Each value's ticket depends on itself alone (rendezvous hashing, Thaler and Ravishankar 1998), so
    adding or removing one candidate never reorders the others.
    """
    return hashlib.blake2b(f"{seed}\0{salt}\0{value}".encode(), digest_size=16).digest()


def drawn_order(
    candidates: Iterable[Reference],
    *,
    seed: int,
    salt: str,
    prefer: Callable[[Reference], tuple[bool, ...]],
) -> list[Reference]:
    """Candidates by preference (False before True), then by ticket."""
    return sorted(candidates, key=lambda ref: (prefer(ref), ticket(seed, salt, ref.key)))


class PersonDraw:
    """Draws the pictures of several slots around one person, who changes when a slot is re-rolled.

    `orders` gives a slot's candidates in drawing order for the person in the lead, and `firsts` just the first
    of them, which is much less work where there are many. Without re-rolls `best`
    leads; with them the first re-rolled slot's person does, unless a pin holds the lead.
    """

    def __init__(
        self,
        firsts: Mapping[str, Callable[[str | None], Reference]],
        orders: Mapping[str, Callable[[str | None], list[Reference]]],
        rerolls: Mapping[str, int],
        best: str | None,
        *,
        is_pinned: bool,
    ) -> None:
        self._firsts = firsts
        self._orders = orders
        self._rerolls = {slot_id: rerolls[slot_id] for slot_id in orders if rerolls.get(slot_id)}
        self._best = best
        self._is_pinned = is_pinned
        self._known: dict[tuple[str, frozenset[str]], Reference] = {}

    @property
    def lead(self) -> str | None:
        """The person to show in every slot that has them."""
        return self._lead(frozenset(self._rerolls))

    @property
    def best(self) -> str | None:
        """The person who leads without re-rolls."""
        return self._best

    def start(self, slot_id: str) -> Reference:
        """What a re-rolled slot would show without its own re-rolls."""
        return self._shown(slot_id, frozenset(self._rerolls) - {slot_id})

    def shown(self, slot_id: str) -> Reference:
        """The picture in this slot."""
        return self._shown(slot_id, frozenset(self._rerolls))

    def _lead(self, counted: frozenset[str]) -> str | None:
        if self._is_pinned:
            return self._best
        first = next((slot_id for slot_id in self._rerolls if slot_id in counted), None)
        return (self._shown(first, counted).persona if first else None) or self._best

    def _shown(self, slot_id: str, counted: frozenset[str]) -> Reference:
        """The picture if only the slots in `counted` had been re-rolled.

        A slot's turns start at what it shows without them, so that each turn shows another picture
        whatever became of the other slots.
        """
        place = slot_id, counted
        if place not in self._known:
            if slot_id in counted:
                start = self._shown(slot_id, counted - {slot_id})
                turns = [start, *(ref for ref in self._orders[slot_id](self._best) if ref is not start)]
                self._known[place] = turns[self._rerolls[slot_id] % len(turns)]
            else:
                self._known[place] = self._firsts[slot_id](self._lead(counted))
        return self._known[place]
