"""Admission: which sockets are open, who waits at the door, and who has to go when there are too many."""

from __future__ import annotations

import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from core.web.sockets import limits
from core.web.sockets.refusals import Refusal
from core.web.sockets.token_bucket import TokenBucket

_ADDRESSES: Final = 10_000  # that are remembered at once


@dataclass(eq=False, slots=True)
class OpenSocket:
    """A socket that was let in; `person` is empty for a stranger, and `close` ends it for the good of others."""

    address: str
    person: str
    close: Callable[[Refusal], None] = lambda _: None
    sent_bytes: int = 0


class Admission:
    """The sockets of this process. To be used on the event loop.

    Strangers and known people are counted apart: no number of strangers keeps anybody out who is signed in.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._open: dict[OpenSocket, None] = {}  # in the order in which they came
        self._strikes: dict[str, tuple[float, float]] = {}  # address: how many, and when that was worked out
        self._handshakes = _Buckets(limits.HANDSHAKES_PER_S, limits.HANDSHAKES_BURST, clock)
        self._turns_of = _Buckets(limits.TURNS_AN_ADDRESS_PER_S, limits.TURNS_AN_ADDRESS_PER_S, clock)
        self._turns = TokenBucket(limits.STRANGERS_TURNS_PER_S, limits.STRANGERS_TURNS_PER_S, clock)
        self._at_the_door: Counter[str] = Counter()
        self._strangers_bytes = 0

    def strike(self, address: str) -> None:
        """A stranger from there has broken a limit."""
        self._strikes[address] = (self._strikes_of(address) + 1, self._clock())
        if len(self._strikes) > _ADDRESSES:
            self._strikes = {each: found for each, found in self._strikes.items() if self._strikes_of(each) > 0.1}

    def wait_s(self, address: str) -> float:
        """How long a stranger who comes from there waits at the door.

        Not at all, if they do not come too often and none of them has broken a limit lately.
        """
        if not self._handshakes.of(address).take():
            self.strike(address)
        strikes = self._strikes_of(address)
        return 0.0 if strikes < 0.5 else min(limits.LONGEST_WAIT_S, limits.STRIKE_S * 2 ** min(strikes, 16))

    def turn_in_s(self, address: str) -> float | None:
        """When a stranger's next message may be run; None if too many wait for that already."""
        own = self._turns_of.of(address)
        if own.wait_s > limits.TURN_WAIT_S or self._turns.wait_s > limits.TURN_WAIT_S:
            return None
        return max(own.take_later(), self._turns.take_later())

    def begin_to_wait(self, address: str) -> bool:
        """Whether there is room at the door for one more; half of it is the most for one address."""
        if self._at_the_door.total() >= limits.AT_THE_DOOR or self._at_the_door[address] >= limits.AT_THE_DOOR // 2:
            return False
        self._at_the_door[address] += 1
        return True

    def end_to_wait(self, address: str) -> None:
        """One who waited has come in, or gone."""
        self._at_the_door[address] -= 1
        self._at_the_door += Counter()  # forgets those that are zero

    def let_in(self, socket: OpenSocket) -> None:
        """Count a socket as open; if that is one too many, an older one of its kind is closed.

        It is the oldest of the person or address that is over its limit, or of the address that has most.
        """
        self._open[socket] = None
        surplus = self._surplus(socket)
        if surplus is None:
            return
        if not socket.person:
            self.strike(socket.address)
        self.gone(surplus)
        surplus.close(Refusal.TOO_MANY_SOCKETS)

    def _surplus(self, socket: OpenSocket) -> OpenSocket | None:
        alike = [each for each in self._open if bool(each.person) == bool(socket.person)]
        if socket.person:
            own = [each for each in alike if each.person == socket.person]
            return own[0] if len(own) > limits.KNOWN_A_PERSON or len(alike) > limits.KNOWN_SOCKETS else None
        ((most, _),) = Counter(each.address for each in alike).most_common(1)
        neighbours = [each for each in alike if each.address == socket.address]
        if len(neighbours) > limits.STRANGERS_AN_ADDRESS:
            return neighbours[0]
        return next(each for each in alike if each.address == most) if len(alike) > limits.STRANGERS else None

    def gone(self, socket: OpenSocket) -> None:
        """A socket is closed."""
        if socket in self._open:
            del self._open[socket]
            if not socket.person:
                self._strangers_bytes -= socket.sent_bytes

    def sent(self, socket: OpenSocket, size_bytes: int) -> OpenSocket | None:
        """Count what a socket has sent; the stranger that has to go for it, if strangers hold too much in all."""
        socket.sent_bytes += size_bytes
        if socket.person or socket not in self._open:
            return None
        self._strangers_bytes += size_bytes
        if self._strangers_bytes <= limits.STRANGERS_BYTES:
            return None
        return max((each for each in self._open if not each.person), key=lambda each: each.sent_bytes)

    def _strikes_of(self, address: str) -> float:
        strikes, at = self._strikes.get(address, (0.0, 0.0))
        return float(strikes * 0.5 ** ((self._clock() - at) / limits.STRIKES_HALVE_S))


class _Buckets:
    """A token bucket for each address; those of addresses that are forgotten begin anew."""

    def __init__(self, per_s: float, burst: float, clock: Callable[[], float]) -> None:
        self._made = partial(TokenBucket, per_s, burst, clock)
        self._known: OrderedDict[str, TokenBucket] = OrderedDict()

    def of(self, address: str) -> TokenBucket:
        """The bucket of this address."""
        bucket = self._known.pop(address, None) or self._made()
        self._known[address] = bucket
        if len(self._known) > _ADDRESSES:
            self._known.popitem(last=False)
        return bucket
