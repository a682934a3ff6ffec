"""Sessions: who has signed in, signed so that nobody else can write it, and good for eight hours."""

from __future__ import annotations

import hmac
import re
import secrets
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from typing import Any, Final

from itsdangerous import BadData, URLSafeSerializer

from core.errors import NotOurs, SignInError
from core.identity.google import CLOCK_SKEW_S, GoogleAccount

LIFETIME_S: Final = 8 * 3600
RENEW_AFTER_S: Final = 1800  # a session in use is renewed when it is this old
LONGEST_S: Final = 7 * 24 * 3600  # then Google is asked again, however busy the session was
LOGIN_TOKEN_S: Final = 60
_LONGEST_SEALED: Final = 4096  # bytes: what a browser keeps of a cookie (RFC 6265 §6.1)
# Base64 of URLs and dots (RFC 4648 §5): a decoder that forgives would take others for these, or skip them.
_SEALED: Final = re.compile(r"[A-Za-z0-9_.-]+")


@dataclass(frozen=True, slots=True)
class Session:
    """One signed-in browser. Times are seconds since 1970; `epoch` counts this person's sign-outs everywhere."""

    id: str
    subject: str
    email: str
    name: str
    hosted_domain: str
    epoch: int
    signed_in_at: int
    renewed_at: int

    @classmethod
    def of(cls, account: GoogleAccount, *, epoch: int, now: float) -> Session:
        """A new session for an account that Google vouches for."""
        return cls(
            id=secrets.token_hex(16),
            subject=account.subject,
            email=account.email,
            name=account.name,
            hosted_domain=account.hosted_domain,
            epoch=epoch,
            signed_in_at=int(now),
            renewed_at=int(now),
        )

    @property
    def expires_at(self) -> int:
        """When it ends unless it is renewed."""
        return min(self.renewed_at + LIFETIME_S, self.signed_in_at + LONGEST_S)

    def is_alive(self, now: float) -> bool:
        """Whether it has begun and not ended; another server's clock may be a little ahead of ours."""
        return self.renewed_at - CLOCK_SKEW_S <= now < self.expires_at

    def is_due(self, now: float) -> bool:
        """Whether it should be renewed while it is in use."""
        return now - self.renewed_at >= RENEW_AFTER_S and self.signed_in_at + LONGEST_S > self.expires_at

    def renew(self, now: float) -> Session:
        """The same session from now on."""
        return replace(self, renewed_at=max(self.renewed_at, int(now)))


@dataclass(frozen=True, slots=True)
class LoginToken:
    """A session on its one way from the page to the cookie."""

    id: str
    session: Session


class SessionSigner:
    """Seals sessions and login tokens with SESSION_SECRET, each for its own use alone."""

    def __init__(self, secret: str) -> None:
        self._cookies = sealer_for(secret, "studio.session.1")
        self._login_tokens = sealer_for(secret, "studio.handover.1")

    def cookie(self, session: Session) -> str:
        """The session as a cookie's value."""
        return self._cookies.dumps(asdict(session))

    def session(self, sealed: str) -> Session:
        """The session in a cookie's value, alive or not. Raises SignInError unless we sealed it."""
        return _session(unseal(self._cookies, sealed))

    def login_token(self, session: Session, *, now: float, identity: str = "") -> str:
        """The session as a token that is good once and for a minute; two of one identity are good once together."""
        return self._login_tokens.dumps(
            {"id": identity or secrets.token_hex(16), "until": int(now) + LOGIN_TOKEN_S, "session": asdict(session)}
        )

    def read_login_token(self, sealed: str, *, now: float) -> LoginToken:
        """The login token that was sealed. Raises SignInError unless we sealed it within the last minute."""
        content = unseal(self._login_tokens, sealed)
        identity, until = content.get("id"), content.get("until")
        if not isinstance(identity, str) or type(until) is not int:
            raise SignInError("This sign-in cannot be read: sign in again.")
        if not until - LOGIN_TOKEN_S - CLOCK_SKEW_S <= now <= until:
            raise SignInError("This sign-in took too long: sign in again.")
        return LoginToken(identity, _session(content.get("session")))


def pseudonym(secret: str, email: str) -> str:
    """What a person goes by where others may look: the same on every server, and nobody else can tell whose it is."""
    return hmac.new(secret.encode(), f"studio.pseudonym.1:{email}".encode(), sha256).hexdigest()[:32]


def sealer_for(secret: str, salt: str) -> URLSafeSerializer:
    """What signs with SESSION_SECRET for one use; the salt is that use's name."""
    return URLSafeSerializer(secret, salt=salt, signer_kwargs={"key_derivation": "hmac", "digest_method": sha256})


def unseal(serializer: URLSafeSerializer, sealed: str) -> dict[str, Any]:
    """The content of what we sealed. Raises NotOurs for everything else."""
    if len(sealed) > _LONGEST_SEALED or not _SEALED.fullmatch(sealed):
        raise NotOurs("You are not signed in.")
    try:
        content = serializer.loads(sealed)
    except (BadData, ValueError, RecursionError) as err:
        raise NotOurs("You are not signed in.") from err
    if not isinstance(content, dict):
        raise NotOurs("You are not signed in.")
    return content


def _session(content: object) -> Session:
    """A session from what we sealed ourselves, perhaps in an older version that knew other fields."""
    try:
        session = Session(**content)  # type: ignore[arg-type]  # checked below
    except TypeError as err:
        raise SignInError("Your session is from an older version: sign in again.") from err
    texts = (session.id, session.subject, session.email, session.name, session.hosted_domain)
    numbers = (session.epoch, session.signed_in_at, session.renewed_at)
    if not all(type(text) is str for text in texts) or not all(type(number) is int for number in numbers):
        raise SignInError("Your session is from an older version: sign in again.")
    return session
