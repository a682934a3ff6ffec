"""Why a call never left this server, so that it cost nothing: our errors, which name what to correct."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, LiteralString

import httpx
import openai

from core.errors import ConfigError, EngineError, EngineFault, StudioError
from core.openai.preflight import proxy_settings

if TYPE_CHECKING:
    from core.openai.client import Endpoint

# What httpx raises of what cannot be written down, and what else it raises before a request begins to leave.
_UNFORMED: Final = frozenset({"UnsupportedProtocol", "LocalProtocolError"})
_BEFORE_SENDING: Final = _UNFORMED | {"ConnectError", "ConnectTimeout", "ProxyError", "PoolTimeout"}
# The first that is in the chain of causes decides.
_REASONS: Final[dict[type[Exception], LiteralString]] = {
    socket.gaierror: "{server} could not be reached, for its name is not known here: if this lasts, check the network "
    "and OPENAI_BASE_URL.",
    ssl.SSLCertVerificationError: "{server} shows a certificate that is not trusted here ({why}): where it is one of "
    "your own, name the file of its authority in SSL_CERT_FILE.",
    ssl.SSLError: "{server} could not be spoken to over TLS ({why}): check whether OPENAI_BASE_URL is to begin with "
    "http or https.",
    ConnectionRefusedError: "{server} could not be reached, for nothing listens there: if this lasts, check the "
    "network and OPENAI_BASE_URL.",
    Exception: "{server} could not be reached ({why}): if this lasts, check the network and OPENAI_BASE_URL.",
}


def never_left(err: BaseException) -> bool:
    """Whether nothing was sent of a call, by its failure alone: for calls on a connection that is not watched."""
    return isinstance(err, ImportError) or any(type(cause).__name__ in _BEFORE_SENDING for cause in _chain(err))


def unsent_error(err: Exception, endpoint: Endpoint, peer: str | None = None) -> StudioError:
    """What a failure before anything was sent means: ConfigError where it fails until a setting is corrected.

    `peer` is the host that was connected to last, which is a proxy's if it is not the server's.
    """
    if isinstance(err, StudioError):
        return err
    if isinstance(err, ImportError):
        return ConfigError(
            "With {setting} set the package `{}` is needed, and it cannot be imported ({}): install what "
            "requirements.txt says (.venv/bin/pip install -r requirements.txt).",
            err.name or "openai",
            err,
            setting="OPENAI_API_KEY",
        )
    causes = list(_chain(err))
    if not isinstance(err, openai.APIConnectionError) or any(type(cause).__name__ in _UNFORMED for cause in causes):
        # Not in httpx's words, which may show a key.
        return ConfigError(
            "No request to {} could be formed ({}): check {setting}, OPENAI_API_KEY and the proxies of this server.",
            endpoint.server,
            type(causes[-1]).__name__,
            setting="OPENAI_BASE_URL",
        )
    timed_out = isinstance(err, openai.APITimeoutError)
    kind = EngineFault.TIMED_OUT if timed_out else EngineFault.UNAVAILABLE
    if (peer and peer != httpx.URL(endpoint.url).host) or type(causes[-1]).__name__ == "ProxyError":
        return EngineError(
            "{server} could not be reached through the proxy that {proxy} names ({why}): check the proxy, or list the "
            "server in NO_PROXY.",
            server=endpoint.server,
            proxy=_proxy_of(endpoint),
            why=_words(causes, timed_out=timed_out),
            kind=kind,
        )
    fault = next(fault for fault in _REASONS if any(isinstance(cause, fault) for cause in causes))
    return EngineError(_REASONS[fault], server=endpoint.server, why=_words(causes, timed_out=timed_out), kind=kind)


def _chain(err: BaseException | None) -> Iterator[BaseException]:
    while err is not None:
        yield err
        err = err.__cause__ or err.__context__


def _proxy_of(endpoint: Endpoint) -> str:
    """The setting by which this server is reached through a proxy."""
    found = list(proxy_settings())
    own = f"{httpx.URL(endpoint.url).scheme}_proxy"
    return next((name for name in found if name.lower() in (own, "all_proxy")), "ALL_PROXY")


def _words(causes: list[BaseException], *, timed_out: bool) -> str:
    """The failure at the root, in the words of the system."""
    if timed_out:
        return "no answer in time"
    root = causes[-1]
    if isinstance(root, ssl.SSLCertVerificationError):
        return root.verify_message
    return (root.strerror if isinstance(root, OSError) else None) or str(root) or type(root).__name__
