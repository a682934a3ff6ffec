"""Why sockets are refused, and the code that they are closed with."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Refusal(StrEnum):
    """Why a socket was turned away or closed."""

    MESSAGE_TOO_LARGE = "message too large"
    TOO_MANY_MESSAGES = "too many messages"
    TOO_MANY_BYTES = "too many bytes"
    NOT_A_MESSAGE = "not a message"
    TAKES_NOTHING = "takes nothing"
    NO_TURN = "no turn"
    TOO_MANY_SOCKETS = "too many sockets"
    TOO_MANY_AT_THE_DOOR = "too many at the door"


# https://www.iana.org/assignments/websocket/websocket.xml#close-code-number
GOING_AWAY: Final = 1001
POLICY_VIOLATION: Final = 1008
CODES: Final = {
    Refusal.MESSAGE_TOO_LARGE: 1009,
    Refusal.TOO_MANY_MESSAGES: POLICY_VIOLATION,
    Refusal.TOO_MANY_BYTES: POLICY_VIOLATION,
    Refusal.NOT_A_MESSAGE: 1002,
    Refusal.TAKES_NOTHING: POLICY_VIOLATION,
    Refusal.NO_TURN: 1013,
    Refusal.TOO_MANY_SOCKETS: 1013,
}
# What the server's own protocol closes with, before a message comes as far as our limits.
REFUSED_BELOW: Final = {
    1002: Refusal.NOT_A_MESSAGE,
    1007: Refusal.NOT_A_MESSAGE,
    1008: Refusal.TOO_MANY_MESSAGES,
    1009: Refusal.MESSAGE_TOO_LARGE,
}
