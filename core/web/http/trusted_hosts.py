"""Trusted hosts: the demo asks nobody who they are, so it answers under this machine's own names alone."""

from __future__ import annotations

import ipaddress
import re
from typing import Final

SERVER_NAME: Final = "STREAMLIT_BROWSER_SERVER_ADDRESS"  # Streamlit's own word for the name people open it under
OWN_NAME_ONLY: Final = (
    "The demo asks nobody who they are, so it answers on this machine alone: open it as http://localhost and its port. "
    f"To show it under another name, start it with that name as {SERVER_NAME}."
)
_PORT: Final = re.compile(r":\d*$", re.ASCII)


def is_trusted_host(host: str, *, own_name: str = "") -> bool:
    """Whether a Host header names this machine as no foreign page can: localhost, an address, or its own name.

    A foreign page can have its own name lead to 127.0.0.1 (DNS rebinding) and would then be of the same origin as
    the demo. It cannot do so with an address, nor with localhost, which browsers resolve themselves.
    """
    if not host:  # which browsers always send
        return True
    name = _PORT.sub("", host).lower()
    if name == "localhost" or name.endswith(".localhost") or (own_name and name == own_name.lower()):
        return True
    try:
        ipaddress.ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True
