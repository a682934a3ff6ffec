"""The redirect: signing in with Google in the same tab.

What the answer is held against lies sealed in a cookie of the browser that began, so any server can take the answer,
also one that has started since. It ends as the pop-up does: with a login token, which is redeemed once.
"""

from __future__ import annotations

import asyncio
import base64
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from typing import Final

from core.errors import AccessDenied, SignInError, StorageError, StudioError
from core.identity.authenticator import Authenticator, SealedCookie
from core.identity.oauth import GoogleClient, exchange
from core.identity.session import sealer_for, unseal
from core.identity.sign_in_answer import (
    AGAIN,
    ATTEMPT_S,
    CALLBACK_PATH,
    SCOPE,
    check_answer,
    check_state,
    foreign_answer,
    sign_in_error,
)
from core.identity.sign_in_limits import SignInLimits
from core.settings import Settings

_MARK: Final = "tab."  # begins every state of a redirect, and none of streamlit-oauth's, which are hexadecimal
_REFUSAL_S: Final = 60

# The errors that the sign-in page shows each in its own way; all others are a SignInError.
_KINDS: Final[Mapping[str, type[StudioError]]] = {"denied": AccessDenied, "storage": StorageError}


@dataclass(frozen=True, slots=True)
class RedirectAttempt:
    """One try: what Google's answer has to carry, what its code is exchanged with, and where it leads."""

    to: str
    begun_at_s: float
    id: str = field(default_factory=lambda: secrets.token_hex(16))
    state: str = field(default_factory=lambda: _MARK + secrets.token_urlsafe(32))
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(64))

    @property
    def challenge(self) -> str:
        """The verifier's S256 (RFC 7636 §4.2)."""
        return base64.urlsafe_b64encode(sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()


class Redirect:
    """Sends people to Google and takes them back. What cannot be taken is refused as a StudioError."""

    def __init__(
        self,
        authenticator: Authenticator,
        limits: SignInLimits,
        settings: Settings,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        secret = settings.session_secret or ""
        self._authenticator = authenticator
        self._limits = limits
        self._settings = settings
        self._attempts = sealer_for(secret, "studio.attempt.1")
        self._refusals = sealer_for(secret, "studio.refusal.1")
        self._redirect_uri = settings.origin + CALLBACK_PATH
        self._attempt_cookie = settings.attempt_cookie_name
        self._refusal_cookie = settings.refusal_cookie_name
        self._clock = clock

    def begin(self, to: str) -> tuple[str, SealedCookie]:
        """Where Google asks who somebody is, and the cookie by which the answer is known.

        `to` is the page it is to end at: one of ours, which the caller sees to.
        """
        attempt = RedirectAttempt(to, self._clock())
        asked = self._client().get_authorization_url(
            self._redirect_uri,
            state=attempt.state,
            scope=SCOPE.split(),
            code_challenge=attempt.challenge,
            code_challenge_method="S256",
            extras_params={"nonce": attempt.nonce, "prompt": "select_account"},
        )
        # kept longer than it is good, so that who comes too late is told so
        return asyncio.run(asked), SealedCookie(self._attempts.dumps(asdict(attempt)), int(6 * ATTEMPT_S))

    def is_answer(self, state: str) -> bool:
        """Whether this is the state of a redirect: every other one is the pop-up's, whose page waits for it."""
        return state.startswith(_MARK)

    def attempt(self, cookies: Mapping[str, str], state: str) -> RedirectAttempt:
        """The attempt that this browser has begun with this state. Raises NotOurs."""
        try:
            attempt = RedirectAttempt(**unseal(self._attempts, cookies.get(self._attempt_cookie, "")))
        except (SignInError, TypeError):
            raise foreign_answer() from None
        check_state(state, attempt.state)
        return attempt

    def code(self, attempt: RedirectAttempt, answer: Mapping[str, str]) -> str:
        """The code in an answer to this attempt, which Google alone can judge. Raises SignInError."""
        check_answer(answer, state=attempt.state, age_s=self._clock() - attempt.begun_at_s)
        code = answer.get("code")
        if not code:
            raise sign_in_error("no code", f"Google did not say who you are. {AGAIN}")
        return code

    async def id_token(self, attempt: RedirectAttempt, code: str, *, address: str) -> str:
        """What Google gives for a code, on behalf of somebody's address. Raises SignInError."""
        return await exchange(self._client(address), code, redirect_uri=self._redirect_uri, verifier=attempt.verifier)

    def session(self, attempt: RedirectAttempt, id_token: str) -> SealedCookie:
        """The session's cookie for an ID token, once. Raises SignInError, AccessDenied or StorageError."""
        login_token = self._authenticator.sign_in(id_token, nonce=attempt.nonce, attempt=attempt.id)
        return self._authenticator.redeem(login_token)

    def _client(self, address: str = "") -> GoogleClient:
        return GoogleClient(self._settings, self._limits, address)

    def refuse(self, err: StudioError) -> SealedCookie:
        """A cookie that has the sign-in page show an error: sealed, so that nobody else puts words there."""
        kind = next((name for name, error in _KINDS.items() if isinstance(err, error)), "")
        content = {"kind": kind, "said": err.message, "until": int(self._clock()) + _REFUSAL_S}
        return SealedCookie(self._refusals.dumps(content), _REFUSAL_S)

    def error(self, cookies: Mapping[str, str]) -> StudioError | None:
        """Why this browser's sign-in was refused a moment ago, or None."""
        try:
            content = unseal(self._refusals, cookies.get(self._refusal_cookie, ""))
            kind, said, until = _KINDS.get(content["kind"], SignInError), content["said"], content["until"]
        except (SignInError, KeyError):
            return None
        return kind("{}", said) if self._clock() <= until else None
