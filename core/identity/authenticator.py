"""The authenticator: decides who is behind a request. The default answer is no."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from core.errors import AccessDenied, SignInError
from core.identity.access.access_list import DEMO_EMAIL
from core.viewer import PersonRole, Viewer


def reason_of(err: SignInError) -> str:
    """In a word or two why somebody was turned away, for whoever counts that."""
    return "not_allowed" if isinstance(err, AccessDenied) else "not_signed_in"


def is_same_secret(given: str, expected: str) -> bool:
    """Whether two texts are the same, in a time that does not tell how far; half an emoji has no bytes in UTF-8."""
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode("utf-8", "surrogatepass"))


@dataclass(frozen=True, slots=True)
class SealedCookie:
    """What the browser is to keep, and for how many seconds."""

    value: str
    max_age_s: int


class Authenticator(Protocol):
    """What routes and pages ask. Every method raises SignInError, or StorageError when S3 cannot be asked."""

    def viewer(self, cookies: Mapping[str, str]) -> Viewer:
        """The person behind these cookies. Raises AccessDenied for somebody known who may not come in."""

    def is_renewal_due(self, cookies: Mapping[str, str]) -> bool:
        """Whether the browser should ask for a fresh cookie while the session is in use."""

    def renew(self, cookies: Mapping[str, str]) -> SealedCookie:
        """A fresh cookie for a session that still holds."""

    def sign_in(self, id_token: str, *, nonce: str, attempt: str = "") -> str:
        """A login token for the person an ID token speaks for. Raises AccessDenied for who is not on the list.

        All login tokens of one `attempt` are redeemed once together.
        """

    def redeem(self, login_token: str) -> SealedCookie:
        """The cookie for a verified sign-in. Raises ReplayedLoginToken the second time."""

    def sign_out(self, cookies: Mapping[str, str], *, everywhere: bool) -> None:
        """End this session, or every session of its person; without a session there is nothing to do."""


class DemoAuthenticator:
    """The embedded profile's authenticator: one person, and nothing to sign in to."""

    def viewer(self, _cookies: Mapping[str, str]) -> Viewer:
        """The demo's one person."""
        return Viewer(DEMO_EMAIL, PersonRole.ADMIN, "Demo")

    def is_renewal_due(self, _cookies: Mapping[str, str]) -> bool:
        """Never: there is no session."""
        return False

    def renew(self, _cookies: Mapping[str, str]) -> SealedCookie:
        """Raises SignInError: there is no session."""
        raise SignInError("There is no sign-in here.")

    def sign_in(self, _id_token: str, *, nonce: str, attempt: str = "") -> str:  # noqa: ARG002 - the protocol's names
        """Raises SignInError: there is no session."""
        raise SignInError("There is no sign-in here.")

    def redeem(self, _login_token: str) -> SealedCookie:
        """Raises SignInError: there is no session."""
        raise SignInError("There is no sign-in here.")

    def sign_out(self, _cookies: Mapping[str, str], *, everywhere: bool) -> None:
        """Nothing to do."""


class ClosedAuthenticator(DemoAuthenticator):
    """The authenticator of a production without its Google client, as an operator's command has it: nobody comes in."""

    def viewer(self, _cookies: Mapping[str, str]) -> Viewer:
        """Raises SignInError, always."""
        raise SignInError("Nobody can sign in here: Google's client is not configured.")
