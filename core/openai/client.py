"""The one factory of OpenAI's clients: which server they call with which key, how patiently, on what connection."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final
from urllib.parse import SplitResult, urlsplit

import httpx
import openai

from core.openai.connection import AbortableConnection

_OPENAI_HOST: Final = "api.openai.com"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server that speaks OpenAI's API and the key it takes; without `base_url` it is OpenAI's own."""

    api_key: str = field(repr=False)
    base_url: str | None = None

    @property
    def is_openai(self) -> bool:
        """Whether it is OpenAI's own server, or one of its regions (`eu.api.openai.com`)."""
        host = self._address.hostname or ""
        return self.base_url is None or host == _OPENAI_HOST or host.endswith(f".{_OPENAI_HOST}")

    @property
    def server(self) -> str:
        """What sentences call it: OpenAI where it is OpenAI, else its host and port."""
        if self.is_openai:
            return "OpenAI"
        return self._address.netloc.rpartition("@")[2] or "the server of OPENAI_BASE_URL"

    @property
    def _address(self) -> SplitResult:
        try:
            return urlsplit((self.base_url or "").strip())
        except ValueError:
            return SplitResult("", "", "", "", "")

    def client(
        self, *, timeout: float | openai.Timeout, connection: AbortableConnection | None = None, max_retries: int = 0
    ) -> openai.OpenAI:
        """A new client, which its caller closes. `timeout` bounds each read, in seconds, and never the whole call.

        Raises whatever httpx makes of a `base_url` that is no address.
        """
        hooks = connection.hooks if connection else None
        return openai.OpenAI(
            api_key=self.api_key,
            base_url=self.base_url,
            max_retries=max_retries,
            timeout=timeout,
            http_client=openai.DefaultHttpxClient(event_hooks=hooks, timeout=timeout, verify=_trusted_certificates()),
        )


@lru_cache(maxsize=1)
def _trusted_certificates() -> ssl.SSLContext:
    """What httpx trusts by itself: reading the certificates anew takes 27 ms a client."""
    return httpx.create_ssl_context()
