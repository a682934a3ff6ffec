"""The client's address: the peer's, or the one that a trusted proxy vouches for; and what limits count by."""

from __future__ import annotations

import ipaddress
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from core.studio import get_studio

_LOOPBACK: Final = ("127.0.0.1", "::1")  # whom uvicorn trusts by default: programs on this machine
_SUBSCRIBER_BITS: Final = 64  # the least of IPv6 that is given to one subscriber (RFC 6177 §2)


class ClientAddress:
    """Puts into each request's scope the client that a trusted proxy speaks for, with the scheme it was asked by.

    uvicorn has done so for proxies on this machine; TRUSTED_PROXIES names the others. What any other peer claims in
    X-Forwarded-For and X-Forwarded-Proto is worth nothing.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._believing: ProxyHeadersMiddleware | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on as its client's."""
        if scope["type"] == "lifespan":  # the server's own start: there are no settings yet
            await self._app(scope, receive, send)
            return
        if self._believing is None:
            trusted = [*_LOOPBACK, *map(str, get_studio().settings.trusted_proxies)]
            self._believing = ProxyHeadersMiddleware(self._app, trusted_hosts=trusted)  # type: ignore[arg-type]
        if scope.get("client"):
            host, port = scope["client"]
            scope["client"] = (_unmapped(host), port)
        await self._believing(scope, receive, send)  # type: ignore[arg-type]  # uvicorn has types of its own


def client_address(scope: Scope) -> str:
    """What a request's client is counted by, as `counted_as` says."""
    client = scope.get("client")
    return counted_as(client[0] if client else "")


def counted_as(host: str) -> str:
    """What limits know a host by: its IPv4 address, or the network of a subscriber's that its IPv6 address is in.

    Empty for what is no address: all of those are counted together.
    """
    try:
        address = ipaddress.ip_address(_unmapped(host).partition("%")[0])
    except ValueError:
        return ""
    if address.version == 6 and not address.is_loopback:
        return str(ipaddress.ip_network((address, _SUBSCRIBER_BITS), strict=False))
    return str(address)


def _unmapped(host: str) -> str:
    """The IPv4 address that a socket for both kinds shows as IPv6, ::ffff:192.0.2.1; all else as it is."""
    if not host.lower().startswith("::ffff:"):
        return host
    try:
        mapped = ipaddress.IPv6Address(host).ipv4_mapped
    except ValueError:
        return host
    return str(mapped) if mapped else host
