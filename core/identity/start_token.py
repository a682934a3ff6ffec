"""The start-up token: where pictures cost money, the demo lets in whoever knows the address it told at its start.

A token is made for each start and kept in no log. Browsers get a cookie for it that is good until the next start.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from typing import Final
from urllib.parse import urlencode

from core.errors import NotOurs, SignInError
from core.identity.authenticator import DemoAuthenticator, SealedCookie, is_same_secret
from core.viewer import Viewer

PARAMETER: Final = "token"  # of the address
COOKIE_S: Final = 7 * 24 * 3600
NO_COOKIE: Final = SealedCookie("none", 60)  # lets nobody in, and has the page say that a token was refused
ASKED: Final = "This demo asks for the address that was printed where it was started: open that, or paste it below."
REFUSED: Final = (
    "That token does not belong to this start: open the address that was printed when the dashboard last started."
)


@cache
def start_token() -> str:
    """The token of this process: 256 bits."""
    return secrets.token_urlsafe(32)


def start_address(url: str, token: str) -> str:
    """The address to open, of a server at this URL."""
    return f"{url}/?{urlencode({PARAMETER: token})}"


class TokenAuthenticator(DemoAuthenticator):
    """The embedded profile's authenticator where it asks for the start-up token: one person still."""

    def __init__(self, token: str, *, cookie_name: str) -> None:
        self._token = token
        self._cookie_name = cookie_name
        self._cookie = hmac.new(token.encode(), b"studio.start.1", sha256).hexdigest()  # does not tell the token

    def viewer(self, cookies: Mapping[str, str]) -> Viewer:
        """The demo's one person. Raises SignInError for cookies without this start's."""
        shown = cookies.get(self._cookie_name)
        if not shown:
            raise SignInError(ASKED)
        if not is_same_secret(shown, self._cookie):
            raise SignInError(REFUSED)
        return super().viewer(cookies)

    def redeem(self, login_token: str) -> SealedCookie:
        """The cookie for the token. Raises NotOurs for any other."""
        if not is_same_secret(login_token, self._token):
            raise NotOurs(REFUSED)
        return SealedCookie(self._cookie, COOKIE_S)
