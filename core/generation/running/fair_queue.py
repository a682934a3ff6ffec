"""The fair queue: whose work is next."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Hashable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)


class FairQueue(Generic[T]):
    """Waiting work. Next is whoever has the fewest at work, then whoever was served longest ago.

    People who were never served come before those who were, in the order in which they came; one person's
    work keeps its order unless they arrange it otherwise. Nobody starves: to be served puts a person behind all
    others who wait with as few at work. Not safe for threads by itself: its owner holds a lock.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, deque[T]] = {}  # people in the order in which they began to wait
        self._at_work: deque[str] = deque()  # whose work was begun and has not ended, oldest first
        self._served: dict[str, int] = {}  # when each person was last served
        self._turn = 0
        self._places: dict[T, int] | None = None

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))

    def add(self, person: str, work: T) -> None:
        """Let work wait."""
        self._waiting.setdefault(person, deque()).append(work)
        self._places = None

    def waiting_of(self, person: str) -> tuple[T, ...]:
        """What waits of one person's work, in its order."""
        return tuple(self._waiting.get(person, ()))

    def arrange(self, person: str, order: Sequence[T]) -> None:
        """Have one person's work wait in this order: whose turn it is stays as it is, and what is theirs in it changes.

        Raises ValueError unless it is exactly what waits of theirs.
        """
        waiting = self._waiting.get(person, deque())
        if len(order) != len(waiting) or set(order) != set(waiting):
            raise ValueError("the order holds other work than waits")
        if order:
            self._waiting[person] = deque(order)  # the person keeps their place among the others
        self._places = None

    def take(self) -> T | None:
        """Begin the next work; None when nothing waits."""
        if not self._waiting:
            return None
        at_work = Counter(self._at_work)
        person = min(self._waiting, key=lambda each: (at_work[each], self._served.get(each, -1)))
        work = self._waiting[person].popleft()
        if not self._waiting[person]:
            del self._waiting[person]
        self._turn += 1
        self._served[person] = self._turn
        self._at_work.append(person)
        self._places = None
        return work

    def end(self, person: str) -> None:
        """Work of this person that was taken has ended."""
        self._at_work.remove(person)
        self._places = None

    def remove(self, person: str, work: T) -> bool:
        """Let work wait no more; False when it does not wait."""
        if work not in self._waiting.get(person, ()):
            return False
        self._waiting[person].remove(work)
        if not self._waiting[person]:
            del self._waiting[person]
        self._places = None
        return True

    def place(self, work: T) -> int:
        """How much will begin before this, if nothing else comes and what began first ends first.

        0 for what does not wait.
        """
        if self._places is None:
            self._places = {each: place for place, each in enumerate(self._forecast())}
        return self._places.get(work, 0)

    def _forecast(self) -> list[T]:
        """All that waits in the order in which it will begin."""
        ahead = FairQueue[T]()
        ahead._waiting = {person: deque(work) for person, work in self._waiting.items()}
        ahead._at_work = deque(self._at_work)
        ahead._served, ahead._turn = dict(self._served), self._turn
        order = []
        while ahead._waiting:
            if ahead._at_work:
                ahead._at_work.popleft()
            if (work := ahead.take()) is not None:
                order.append(work)
        return order
