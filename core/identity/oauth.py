"""The OAuth client: who the dashboard is to Google, and how a code becomes an ID token."""

from __future__ import annotations

import asyncio
import ssl
from functools import cache
from typing import Final

import httpx
from httpx_oauth.exceptions import HTTPXOAuthError
from httpx_oauth.oauth2 import GetAccessTokenError, OAuth2, OAuth2Token

from core.identity import google
from core.identity.sign_in_answer import MALFORMED, NOT_CONFIRMED, id_token_of, sign_in_error
from core.identity.sign_in_limits import SignInLimits, too_many_attempts
from core.settings import Settings

_EXCHANGE_S: Final = 15.0  # in all; httpx waits 5 s for a connection and for each part of the answer
_WAIT_S: Final = 30.0  # for the turn and the exchange


class GoogleClient(OAuth2):
    """The client of the pop-up and of the sign-in in the same tab, on behalf of somebody's address."""

    def __init__(self, settings: Settings, limits: SignInLimits, address: str) -> None:
        super().__init__(
            settings.google_client_id or "",
            settings.google_client_secret or "",
            google.GOOGLE.authorize_url,
            google.GOOGLE.token_url,
            token_endpoint_auth_method="client_secret_post",  # noqa: S106 - the name of a method
        )
        self._limits = limits
        self._address = address

    def get_httpx_client(self) -> httpx.AsyncClient:
        """A client that reads no certificates of its own: that takes ten times as long as the exchange itself."""
        return httpx.AsyncClient(verify=_trust())

    async def get_access_token(self, code: str, redirect_uri: str, code_verifier: str | None = None) -> OAuth2Token:
        """Exchange a code once it is its turn. Raises TooManyAttempts, or what httpx_oauth and httpx raise."""
        exchange = super().get_access_token

        def call() -> OAuth2Token:
            return asyncio.run(asyncio.wait_for(exchange(code, redirect_uri, code_verifier), _EXCHANGE_S))

        called = asyncio.wrap_future(self._limits.call_google(self._address, call))
        done, _ = await asyncio.wait({called}, timeout=_WAIT_S)
        if not done:
            called.cancel()
            raise too_many_attempts()
        try:
            return called.result()
        except TimeoutError as err:
            raise GetAccessTokenError("no answer in time") from err


async def exchange(client: GoogleClient, code: str, *, redirect_uri: str, verifier: str) -> str:
    """The ID token for a code. Raises SignInError, TooManyAttempts among them."""
    try:
        token = await client.get_access_token(code, redirect_uri, verifier)
    except (HTTPXOAuthError, httpx.HTTPError, *MALFORMED) as err:
        # messages of some of these repeat the code
        raise sign_in_error(type(err).__name__, NOT_CONFIRMED) from None
    return id_token_of(token)


@cache
def _trust() -> ssl.SSLContext:
    return httpx.create_ssl_context()
