"""Sign-in: what a profile lets people in by. Google's library is loaded only where people sign in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.identity.access.access import Access
from core.identity.authenticator import Authenticator, ClosedAuthenticator, DemoAuthenticator
from core.identity.sign_in_limits import SignInLimits
from core.identity.start_token import TokenAuthenticator, start_token
from core.objects.objects import ObjectStore
from core.settings import Profile, Settings

if TYPE_CHECKING:
    from core.identity.redirect import Redirect


def build_authenticator(settings: Settings, store: ObjectStore, access: Access) -> Authenticator:
    """The authenticator of this profile."""
    if settings.profile is Profile.EMBEDDED:
        if not settings.asks_for_token:
            return DemoAuthenticator()
        return TokenAuthenticator(start_token(), cookie_name=settings.cookie_name)
    if not (settings.google_client_id and settings.session_secret):  # an operator's command asks for less
        return ClosedAuthenticator()
    from core.identity.google import GoogleVerifier
    from core.identity.google_authenticator import GoogleAuthenticator
    from core.identity.revocations import Revocations
    from core.identity.session import SessionSigner

    return GoogleAuthenticator(
        GoogleVerifier(settings.google_client_id),
        SessionSigner(settings.session_secret),
        Revocations(store, app_prefix=settings.s3_app_prefix),
        access,
        cookie_name=settings.cookie_name,
    )


def build_redirect(settings: Settings, authenticator: Authenticator, limits: SignInLimits) -> Redirect | None:
    """The sign-in in the same tab, where people sign in at all."""
    if isinstance(authenticator, DemoAuthenticator):  # the closed one too
        return None
    from core.identity.redirect import Redirect

    return Redirect(authenticator, limits, settings)
