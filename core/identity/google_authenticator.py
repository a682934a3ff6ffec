"""The authenticator of production: a sealed cookie, a session that was not ended, a person who is on the list."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

import structlog

from core.errors import NotOurs, SignInError
from core.identity.access.access import Access
from core.identity.authenticator import SealedCookie
from core.identity.google import GoogleVerifier
from core.identity.revocations import Revocations
from core.identity.session import LIFETIME_S, Session, SessionSigner
from core.viewer import Capability, Viewer

_log = structlog.get_logger(__name__)


class GoogleAuthenticator:
    """Lets in whom Google vouches for and the studio's list names, for as long as their session holds."""

    def __init__(
        self,
        verifier: GoogleVerifier,
        signer: SessionSigner,
        revocations: Revocations,
        access: Access,
        *,
        cookie_name: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._verifier = verifier
        self._signer = signer
        self._revocations = revocations
        self._access = access
        self._cookie_name = cookie_name
        self._clock = clock
        # a page knows only the cookies it was opened with; what its browser has been given since, we remember
        self._renewed: dict[str, Session] = {}
        self._renewing = threading.Lock()

    def viewer(self, cookies: Mapping[str, str]) -> Viewer:
        """The person behind these cookies. Raises SignInError, AccessDenied or StorageError."""
        return self._authorize(self._session(cookies))

    def is_renewal_due(self, cookies: Mapping[str, str]) -> bool:
        """Whether this session is half an hour old or more. Raises SignInError."""
        return self._session(cookies).is_due(self._clock())

    def renew(self, cookies: Mapping[str, str]) -> SealedCookie:
        """The same session for another eight hours, at most a week in all."""
        session = self._session(cookies)
        self._authorize(session)
        renewed = session.renew(self._clock())
        self._remember(renewed)
        return self._cookie(renewed)

    def sign_in(self, id_token: str, *, nonce: str, attempt: str = "") -> str:
        """A login token for the person Google vouches for. Raises SignInError, AccessDenied or StorageError."""
        account = self._verifier.verify(id_token, nonce=nonce)
        role = self._access.role_of(account.email, hosted_domain=account.hosted_domain)
        Viewer(account.email, role).require(Capability.BROWSE)
        session = Session.of(account, epoch=self._revocations.epoch(account.subject), now=self._clock())
        _log.info("signed_in", person=account.email, role=role.value)
        return self._signer.login_token(session, now=self._clock(), identity=attempt)

    def redeem(self, login_token: str) -> SealedCookie:
        """The cookie for a verified sign-in, once. Raises SignInError, ReplayedLoginToken or StorageError."""
        token = self._signer.read_login_token(login_token, now=self._clock())
        self._revocations.redeem(token)
        self._authorize(token.session)
        return self._cookie(token.session)

    def sign_out(self, cookies: Mapping[str, str], *, everywhere: bool) -> None:
        """End this session, or every session of its person, on every server. Raises StorageError."""
        try:
            session = self._session(cookies)
        except SignInError:
            return
        if everywhere:
            self._revocations.end_all(session)
        else:
            self._revocations.end(session)
        with self._renewing:
            self._renewed.pop(session.id, None)
        _log.info("signed_out", person=session.email, everywhere=everywhere)

    def _session(self, cookies: Mapping[str, str]) -> Session:
        sealed = cookies.get(self._cookie_name)
        if not sealed:
            raise NotOurs("You are not signed in.")
        session = self._newest(self._signer.session(sealed))
        if not session.is_alive(self._clock()):
            raise SignInError("Your session has ended: sign in again.")
        return session

    def _newest(self, session: Session) -> Session:
        renewed = self._renewed.get(session.id)
        return renewed if renewed is not None and renewed.renewed_at > session.renewed_at else session

    def _authorize(self, session: Session) -> Viewer:
        self._revocations.check(session)
        role = self._access.role_of(session.email, hosted_domain=session.hosted_domain)
        return Viewer(session.email, role, session.name)

    def _remember(self, session: Session) -> None:
        now = self._clock()
        with self._renewing:
            alive = {name: each for name, each in self._renewed.items() if each.is_alive(now)}
            self._renewed = {**alive, session.id: session}

    def _cookie(self, session: Session) -> SealedCookie:
        left_s = int(session.expires_at - self._clock())
        return SealedCookie(self._signer.cookie(session), max(0, min(LIFETIME_S, left_s)))
