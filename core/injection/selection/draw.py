"""The draw: which of the pictures that fit is taken, by a seed and for one person in every slot that has them.

Every draw is by tickets (`docs/decisions/002-rendezvous-draw.md`), and first between groups, then within one
(`docs/decisions/035-first-between-groups.md`): a large group is drawn from no more often than a
small one with the same tags.
Model slots are each of one group, and are drawn together:

1. One person leads: whoever is on a pinned picture; else whoever a recorded comparison showed, where they have a
   picture; else whoever has pictures on most sides; of those, in most groups; of those, with a picture that was not
   given last time; of those, the lowest ticket.
2. A slot takes a picture of the person in the lead, or of anybody where its group has none of theirs: the lowest ticket
   of those that were not given last time, or of all when all were.
3. A slot that was re-rolled n times starts at what it would show without its own re-rolls. The others follow it: first
   those of the person who leads without re-rolls, then those not given last time, then by ticket. It takes number n of
   them, round and round, so that each turn shows another picture whatever became of the other slots.
4. The person that the first re-rolled slot comes to leads in the slots that were not re-rolled, unless a pin leads.
5. A slot shows what a recorded comparison drew in it while that meets the wishes, and its turns start there; only where
   a re-roll has come to another person, whom this group has as well, it follows them.

A change of a record holds what it leaves alone (`docs/decisions/013-kept-or-drawn.md`), so that
the person of the side that stays leads in the other.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from core.injection.request.slots import Rule, Trail
from core.injection.selection.candidates import Candidates
from core.references.reference import Reference


def ticket(seed: int, salt: str, value: str) -> bytes:
    """A value's place in the draw: BLAKE2b of seed, salt and value.

    Each value's ticket depends on itself alone (rendezvous hashing, Thaler and Ravishankar 1998), so
    adding or removing one candidate never reorders the others.
    """
    return hashlib.blake2b(f"{seed}\0{salt}\0{value}".encode(), digest_size=16).digest()


@dataclass(frozen=True, slots=True)
class TicketDraw:
    """Draws by the seed's tickets; `recent` are the keys that this person was given last time."""

    seed: int
    recent: frozenset[str]

    def first(self, slot_id: str, pool: Sequence[Reference]) -> Reference:
        """Of those not given last time, or of all when all were, the lowest ticket in the group with the lowest."""
        drawn = self._drawn_group(slot_id, self._fresh(pool))
        return min(drawn, key=lambda ref: ticket(self.seed, slot_id, ref.key))

    def order(
        self, slot_id: str, pool: Iterable[Reference], preferred: Collection[str] | None = None
    ) -> list[Reference]:
        """All of them: those with a preferred key first, then those not given last time, then by ticket.

        Each turn goes on to the next group, and comes back for a group's second picture when all have had their first.
        """

        def tier(ref: Reference) -> tuple[bool, bool]:
            return preferred is not None and ref.key not in preferred, ref.key in self.recent

        taken: Counter[tuple[tuple[bool, bool], str]] = Counter()
        places: dict[str, tuple[tuple[bool, bool], int, bytes]] = {}
        by_ticket = sorted(pool, key=lambda ref: ticket(self.seed, slot_id, ref.key))
        for ref in by_ticket:
            group = group_of(ref)
            places[ref.key] = tier(ref), taken[tier(ref), group], self._group_ticket(slot_id, group)
            taken[tier(ref), group] += 1
        return sorted(by_ticket, key=lambda ref: places[ref.key])

    def note_first(self, trail: Trail, slot_id: str, pool: Sequence[Reference]) -> None:
        """Record how `first` chooses."""
        given, fresh = self._given(pool), self._fresh(pool)
        if 0 < len(given) < len(pool):
            trail.note(Rule.FRESH, "not what you were given last time", fresh, keys=given)
        if (groups := len(groups_of(fresh))) > 1:
            drawn = self._drawn_group(slot_id, fresh)
            words = f"in the one drawn of {groups} groups: “{drawn[0].group}”"
            trail.note(Rule.DRAWN_GROUP, words, drawn, group_of(drawn[0]), seed=self.seed)
        trail.note(Rule.DRAW, f"drawn with seed {self.seed}", 1, seed=self.seed)

    def note_turn(
        self,
        trail: Trail,
        pool: Sequence[Reference],
        turn: int,
        start: Reference | None = None,
        *,
        asked: int | None = None,
    ) -> None:
        """Record that a re-roll takes number `turn` of `order`, counted from `start` if it is given.

        `asked` is how often the slot was re-rolled where its turns have gone round other people's pictures before.
        """
        if given := self._given(pool):
            trail.note(Rule.RECENT_LAST, "what you were given last time comes last", pool, keys=given)
        if (groups := len(groups_of(pool))) > 1:
            trail.note(Rule.GROUP_BY_GROUP, f"turns go round {groups} groups", pool, seed=self.seed)
        keys = (start.key,) if start is not None else ()
        words = f"re-rolled {asked or turn}×, drawn with seed {self.seed}"
        trail.note(Rule.TURN, words, 1, str(turn), keys=keys, seed=self.seed)

    def _given(self, pool: Iterable[Reference]) -> list[str]:
        return [ref.key for ref in pool if ref.key in self.recent]

    def _fresh(self, pool: Sequence[Reference]) -> Sequence[Reference]:
        return [ref for ref in pool if ref.key not in self.recent] or pool

    def _drawn_group(self, slot_id: str, pool: Sequence[Reference]) -> Sequence[Reference]:
        """Those of the group with the lowest ticket."""
        drawn = min(groups_of(pool), key=lambda group: self._group_ticket(slot_id, group))
        return [ref for ref in pool if group_of(ref) == drawn]

    def _group_ticket(self, slot_id: str, group: str) -> bytes:
        return ticket(self.seed, f"{slot_id}\0group", group)


def group_of(reference: Reference) -> str:
    """The path of the group that a reference of a group stands in."""
    return f"{reference.folder}/{reference.group}"


def groups_of(pool: Iterable[Reference]) -> frozenset[str]:
    """The paths of the groups that some references stand in."""
    return frozenset(map(group_of, pool))


def choose_person(sides: Sequence[Sequence[Candidates]], draw: TicketDraw) -> str | None:
    """The persona who leads when no pin says so; None if no picture's name says who is in it."""
    personas: dict[str, str] = {}
    for candidates in (each for groups in sides for each in groups):
        for name, refs in candidates.by_person.items():
            personas.setdefault(name, refs[0].persona or name)

    def place(name: str) -> tuple[int, int, bool, bytes]:
        having = [[c.by_person[name] for c in groups if name in c.by_person] for groups in sides]
        return (
            -sum(bool(groups) for groups in having),
            -sum(len(groups) for groups in having),
            all(ref.key in draw.recent for groups in having for refs in groups for ref in refs),
            ticket(draw.seed, "persona", name),
        )

    return personas[min(personas, key=place)] if personas else None


class PersonDraw:
    """Draws the slots of `candidates`, which no pin holds, around one person.

    `best` leads without re-rolls; `rerolls` counts them by slot id; `held` is what a record drew and still fits.
    """

    def __init__(
        self,
        candidates: Mapping[str, Candidates],
        draw: TicketDraw,
        rerolls: Mapping[str, int],
        best: str | None,
        *,
        is_pinned: bool,
        held: Mapping[str, Reference],
    ) -> None:
        self.best = best
        self._held = held
        self._candidates = candidates
        self._draw = draw
        self._rerolls = {slot_id: rerolls[slot_id] for slot_id in candidates if rerolls.get(slot_id)}
        self._all = frozenset(self._rerolls)
        self._is_pinned = is_pinned
        self._known: dict[tuple[str, frozenset[str]], Reference] = {}

    @property
    def lead(self) -> str | None:
        """The person to show in every slot that has them."""
        return self._lead(self._all)

    def start(self, slot_id: str) -> Reference:
        """What a re-rolled slot would show without its own re-rolls."""
        return self._take(slot_id, self._all - {slot_id})

    def take(self, slot_id: str) -> Reference:
        """The picture for this slot."""
        return self._take(slot_id, self._all)

    def keeps(self, slot_id: str) -> bool:
        """Whether the slot shows what a record drew in it."""
        return slot_id not in self._all and self._kept(slot_id, self.lead) is not None

    def _lead(self, counted: frozenset[str]) -> str | None:
        if self._is_pinned:
            return self.best
        first = next((slot_id for slot_id in self._rerolls if slot_id in counted), None)
        return (self._take(first, counted).persona if first else None) or self.best

    def _take(self, slot_id: str, counted: frozenset[str]) -> Reference:
        """The picture if only the slots in `counted` had been re-rolled."""
        known, candidates = (slot_id, counted), self._candidates[slot_id]
        if known in self._known:
            return self._known[known]
        if slot_id in counted:
            start = self._take(slot_id, counted - {slot_id})
            preferred = {ref.key for ref in candidates.of(self.best)}
            order = self._draw.order(slot_id, candidates.references, preferred)
            turns = [start, *(ref for ref in order if ref is not start)]
            taken = turns[self._rerolls[slot_id] % len(turns)]
        else:
            lead = self._lead(counted)
            kept = self._kept(slot_id, lead)
            taken = kept or self._draw.first(slot_id, candidates.of(lead) or candidates.references)
        self._known[known] = taken
        return taken

    def _kept(self, slot_id: str, lead: str | None) -> Reference | None:
        """What a record drew, unless a re-roll has come to somebody else whom this group has, too."""
        held = self._held.get(slot_id)
        theirs = self._candidates[slot_id].of(lead) if lead != self.best else ()
        return None if theirs and held not in theirs else held
