"""The one factory of OpenAI's clients: which server they call with which key, how patiently, on what connection."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from functools import lru_cache

import httpx
import openai

from core.openai.connection import AbortableConnection


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server that speaks OpenAI's API and the key it takes; without `base_url` it is OpenAI's own."""

    api_key: str = field(repr=False)
    base_url: str | None = None

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
