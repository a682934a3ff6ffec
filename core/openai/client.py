"""The one factory of OpenAI's clients: which server they call with which key, how patiently, on what connection."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import SplitResult, urlsplit

import openai

from core.openai.connection import AbortableConnection
from core.openai.preflight import require_formable, trusted_certificates

_OPENAI_HOST: Final = "api.openai.com"
_OPENAI_URL: Final = f"https://{_OPENAI_HOST}/v1"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server that speaks OpenAI's API and the key it takes; without `base_url` it is OpenAI's own."""

    api_key: str = field(repr=False)
    base_url: str | None = None

    @property
    def is_openai(self) -> bool:
        """Whether it is OpenAI's own server, or one of its regions (`eu.api.openai.com`)."""
        host = self._address.hostname or ""
        return not self.base_url or host == _OPENAI_HOST or host.endswith(f".{_OPENAI_HOST}")

    @property
    def server(self) -> str:
        """What sentences call it: OpenAI where it is OpenAI, else its host and port."""
        if self.is_openai:
            return "OpenAI"
        return self._address.netloc.rpartition("@")[2] or "the server of OPENAI_BASE_URL"

    @property
    def url(self) -> str:
        """Where calls go."""
        return self.base_url or _OPENAI_URL

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

        Raises ConfigError where no request could be formed with what is set.
        """
        require_formable(self.api_key, self.url)
        hooks = connection.hooks if connection else None
        return openai.OpenAI(
            api_key=self.api_key,
            base_url=self.url,  # given always: the SDK by itself would take an empty OPENAI_BASE_URL for an address
            max_retries=max_retries,
            timeout=timeout,
            # not followed to another address: what costs money would be sent a second time
            http_client=openai.DefaultHttpxClient(
                event_hooks=hooks, timeout=timeout, verify=trusted_certificates(), follow_redirects=False
            ),
        )
