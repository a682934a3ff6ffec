"""What must hold of the settings before any request can be formed; each that does not is named."""

from __future__ import annotations

import importlib.util
import os
import re
import ssl
from collections.abc import Iterator
from functools import lru_cache
from typing import Final
from urllib.request import getproxies

import httpx

from core.errors import ConfigError

# A field's value is visible ASCII with blanks inside; its name is a token (RFC 9110, 5.5 and 5.6.2).
_HEADER_VALUE: Final = re.compile(r"([\x21-\x7e]([\x20-\x7e\t]*[\x21-\x7e])?)?")
_HEADER_NAME: Final = re.compile(r"[\w!#$%&'*+.^`|~-]+", re.ASCII)
_SDK_HEADERS: Final = ("OPENAI_ORG_ID", "OPENAI_PROJECT_ID")  # read by OpenAI's SDK itself
_CUSTOM_HEADERS: Final = "OPENAI_CUSTOM_HEADERS"  # a line each; read by the SDK too
_TLS_SETTINGS: Final = ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE")  # read by httpx and Python
_SOCKS: Final = ("socks5", "socks5h")


def require_formable(api_key: str, base_url: str) -> None:
    """Raise ConfigError, which names the setting, unless a request can be formed with this key at this address."""
    if not _is_server(base_url):
        raise ConfigError(
            "{setting} is no address of a server: write it as https://host/v1, with a port where it needs one.",
            setting="OPENAI_BASE_URL",
        )
    for setting, headers in _headers(api_key):
        if not all(_HEADER_NAME.fullmatch(name) and _HEADER_VALUE.fullmatch(value) for name, value in headers):
            raise ConfigError(
                "{setting} holds what no HTTP header can carry, as a line break or a letter outside of ASCII: "
                "write it anew.",
                setting=setting,
            )
    for setting, address in proxy_settings().items():
        _require_proxy(setting, address)


def proxy_settings() -> dict[str, str]:
    """The proxies that httpx reads from the environment, by the name of their setting, the closer ones first."""
    found = getproxies()
    if "*" in {each.strip() for each in found.get("no", "").split(",")}:
        return {}
    names = {scheme: f"{scheme}_proxy" for scheme in ("http", "https", "all") if found.get(scheme)}
    return {name if os.environ.get(name) else name.upper(): found[scheme] for scheme, name in names.items()}


@lru_cache(maxsize=1)
def trusted_certificates() -> ssl.SSLContext:
    """What httpx trusts by itself: reading the certificates anew takes 27 ms a client. Raises ConfigError."""
    try:
        return httpx.create_ssl_context()
    except OSError as err:  # ssl.SSLError is one
        given = [name for name in _TLS_SETTINGS if os.environ.get(name)] or [_TLS_SETTINGS[0]]
        setting = next((name for name in given if os.environ.get(name) == err.filename), given[0])
        raise ConfigError(
            "{setting} names no file that can be used for TLS ({}): correct it, or unset it.",
            err.strerror or type(err).__name__,
            setting=setting,
        ) from err


def _is_server(address: str) -> bool:
    """Whether this is an absolute URL over HTTP whose host can be looked up."""
    try:
        url = httpx.URL(address)
        url.host.encode("idna")
    except (httpx.InvalidURL, UnicodeError):
        return False
    has_port = url.port is None or 0 < url.port < 2**16
    return url.scheme in ("http", "https") and bool(url.host) and has_port and not re.search(r"\s", address)


def _headers(api_key: str) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """What goes into every request, by the setting it comes from."""
    yield "OPENAI_API_KEY", [("Authorization", f"Bearer {api_key}")]
    for setting in _SDK_HEADERS:
        yield setting, [("OpenAI", os.environ.get(setting, ""))]
    lines = (line.partition(":") for line in os.environ.get(_CUSTOM_HEADERS, "").split("\n"))
    yield _CUSTOM_HEADERS, [(name.strip(), value.strip()) for name, colon, value in lines if colon]


def _require_proxy(setting: str, address: str) -> None:
    """The address itself is not shown: it may hold a password."""
    address = address if "://" in address else f"http://{address}"
    scheme = address.partition("://")[0]
    if scheme in _SOCKS and importlib.util.find_spec("socksio") is None:
        raise ConfigError(
            "{setting} asks for a SOCKS proxy, which needs the package socksio: install it "
            "(.venv/bin/pip install socksio), or unset {setting}.",
            setting=setting,
        )
    if not _is_server(address.replace(scheme, "http", 1) if scheme in _SOCKS else address):
        raise ConfigError(
            "{setting} is no address of a proxy: write it as http://host:port or socks5://host:port, or unset it.",
            setting=setting,
        )
