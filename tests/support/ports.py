"""Ports that are taken by binding: whoever asks keeps one, and nobody else on the machine is given it."""

from __future__ import annotations

import socket
from contextlib import ExitStack, suppress
from typing import Final

_kept: Final[list[socket.socket]] = []  # as long as this process lives
_spare: Final[list[int]] = []  # kept, and nobody's any more


def own_port(*, neighbours: int = 0) -> int:
    """A loopback port that stays this process's, and so many `neighbours` behind it.

    It is bound and never listened on: a server that sets SO_REUSEADDR, as Streamlit, nginx and asyncio do, may listen
    on it all the same, and listen again when it is restarted. Until then nobody answers there.
    """
    if _spare and not neighbours:
        return _spare.pop()
    while True:
        with suppress(OSError, OverflowError), ExitStack() as held:  # a neighbour is somebody else's: begin anew
            first = held.enter_context(_bound(0))
            port: int = first.getsockname()[1]
            _kept.extend([first, *(held.enter_context(_bound(port + nth)) for nth in range(1, neighbours + 1))])
            held.pop_all()
            return port


def give_back(port: int) -> None:
    """Let the next server here listen where one has ended: a browser has what it serves in its cache by then.

    Loading Streamlit's own scripts anew takes most of a page's processor time.
    """
    _spare.append(port)


def _bound(port: int) -> socket.socket:
    held = socket.socket()
    try:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", port))
    except (OSError, OverflowError):
        held.close()
        raise
    return held
