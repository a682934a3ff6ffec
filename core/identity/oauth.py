"""The OAuth client: who the dashboard is to Google, and how a code becomes an ID token."""

from __future__ import annotations

import asyncio
from typing import Final

import httpx
from httpx_oauth.exceptions import HTTPXOAuthError
from httpx_oauth.oauth2 import OAuth2

from core.identity import google
from core.identity.sign_in_answer import MALFORMED, NOT_CONFIRMED, id_token_of, sign_in_error
from core.settings import Settings

_EXCHANGE_S: Final = 15.0  # in all; httpx waits 5 s for a connection and for each part of the answer


def oauth_client(settings: Settings) -> OAuth2:
    """The one client of the pop-up and of the sign-in in the same tab."""
    return OAuth2(
        settings.google_client_id or "",
        settings.google_client_secret or "",
        google.GOOGLE.authorize_url,
        google.GOOGLE.token_url,
        token_endpoint_auth_method="client_secret_post",  # noqa: S106 - the name of a method
    )


def exchange(client: OAuth2, code: str, *, redirect_uri: str, verifier: str) -> str:
    """The ID token for a code; it takes its time, so not on the server's own thread. Raises SignInError."""
    try:
        token = asyncio.run(asyncio.wait_for(client.get_access_token(code, redirect_uri, verifier), _EXCHANGE_S))
    except (HTTPXOAuthError, httpx.HTTPError, TimeoutError, *MALFORMED) as err:
        # messages of some of these repeat the code
        raise sign_in_error(type(err).__name__, NOT_CONFIRMED) from None
    return id_token_of(token)
