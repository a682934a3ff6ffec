"""The limits of sockets: every number in one place; deploy/nginx.conf repeats those that nginx can count.

Strangers are everybody whose cookie lets nobody in; an address is what core/web/http/client_address.py counts by.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class SocketLimits:
    """What one socket may do."""

    message_bytes: int
    messages_per_s: float
    burst: int  # messages at once, before `messages_per_s` counts


# A browser sends one message of 55 bytes to open the sign-in page, and a few of some 300 bytes in a whole sign-in.
STRANGER: Final = SocketLimits(message_bytes=64_000, messages_per_s=2, burst=30)
STRANGER_BYTES: Final = 256_000  # that a stranger's socket may send in all: one session's worth of state
STRANGER_WIDGETS: Final = 100  # that a stranger's message may name; the sign-in page has five
STRANGER_LIFE_S: Final = 300.0  # then the page connects anew and finds its session again
STRANGER_SEND_S: Final = 20.0  # within which a stranger's browser has to take a message
# Holding a key on Labels sends some thirty messages a second. What comes faster waits, and nothing is dropped.
KNOWN: Final = SocketLimits(message_bytes=4_000_000, messages_per_s=40, burst=80)
WAITING: Final = 32  # messages of one socket that wait for their turn, before nothing more is read from it

STRANGERS: Final = 400  # sockets in all; then the oldest goes
STRANGERS_AN_ADDRESS: Final = 250  # an office of 200 may all be at the sign-in; then its oldest goes
STRANGERS_BYTES: Final = 16_000_000  # that strangers' open sockets have sent in all; then the greatest sender goes
STRANGERS_TURNS_PER_S: Final = 30.0  # messages of all strangers together; more wait for their turn
TURNS_AN_ADDRESS_PER_S: Final = 15.0  # of one address, which so leaves as many to all others
TURN_WAIT_S: Final = 20.0  # then the socket is closed
KNOWN_SOCKETS: Final = 1000  # in all
KNOWN_A_PERSON: Final = 200  # tabs; then their oldest goes

# At the door: whoever shares an address with strangers that broke a limit waits, ever longer, before they come in.
HANDSHAKES_PER_S: Final = 20.0  # of strangers from one address, before more of them is a strike
HANDSHAKES_BURST: Final = 250
STRIKE_S: Final = 0.25  # the first wait, which each strike doubles
LONGEST_WAIT_S: Final = 5.0
STRIKES_HALVE_S: Final = 30.0
AT_THE_DOOR: Final = 256  # handshakes that wait in all; more are turned away at once

# What no application sees, of sockets and requests alike (core/web/server/connections.py).
CONTROL_FRAMES_PER_S: Final = 1.0  # pings and pongs, and fragments below 1 kB
CONTROL_FRAMES_BURST: Final = 60
READ_BYTES: Final = 4096  # are looked at in one go, before others get their turn
REQUEST_S: Final = 30.0  # within which a whole request must have arrived
INCOMPLETE_REQUESTS: Final = 256  # then the oldest goes
