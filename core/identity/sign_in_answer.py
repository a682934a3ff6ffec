"""Sign-in answers: what Google's answer has to pass, whichever way the sign-in was begun, before and after its code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, LiteralString

from core.errors import NotOurs, SignInError
from core.identity.authenticator import is_same_secret
from core.logs.refusals import refuse

CALLBACK_PATH: Final = "/oauth/callback"  # the one way back that Google knows
ATTEMPT_S: Final = 600.0
SCOPE: Final = "openid email profile"
AGAIN: Final = "Sign in again."
NOT_CONFIRMED: Final = f"Google did not confirm this sign-in. {AGAIN}"
# What a crafted answer makes of the libraries that read it, beside their own errors.
MALFORMED: Final = (AttributeError, IndexError, KeyError, TypeError, ValueError)
_SAID_BY_GOOGLE: Final = {
    "access_denied": f"You cancelled at Google. {AGAIN}",
    "temporarily_unavailable": "Google is busy: try again in a minute.",
    "server_error": "Google has a fault of its own: try again in a minute.",
}


def check_answer(answer: object, *, state: str, age_s: float) -> None:
    """Refuse what does not answer the attempt of this state, or answers it too late. Raises SignInError."""
    check_state(answer.get("state") if isinstance(answer, Mapping) else None, state)
    if not age_s <= ATTEMPT_S:
        raise sign_in_error("attempt expired", f"This sign-in was begun more than ten minutes ago. {AGAIN}")
    error = answer.get("error") if isinstance(answer, Mapping) else None
    if error is not None:
        raise sign_in_error(
            "error", _SAID_BY_GOOGLE.get(str(error), f"Google did not let this sign-in through. {AGAIN}")
        )


def check_state(given: object, expected: str) -> None:
    """Raise NotOurs for the state of another attempt, or for none."""
    if not expected or not isinstance(given, str) or not is_same_secret(given, expected):
        raise foreign_answer()


def id_token_of(token: object) -> str:
    """The ID token in what a code was exchanged for. Raises SignInError."""
    found = token.get("id_token") if isinstance(token, Mapping) else None
    if not isinstance(found, str):
        raise sign_in_error("no id token", f"Google did not say who you are. {AGAIN}")
    return found


def foreign_answer() -> NotOurs:
    """The error for an answer to some other attempt, or to none."""
    refuse("sign_in_refused", reason="state")
    return NotOurs(f"This answer belongs to another sign-in. {AGAIN}")


def sign_in_error(reason: str, sentence: LiteralString) -> SignInError:
    """The error for a sign-in that fails; the log gets the reason in a word or two, the person the sentence."""
    refuse("sign_in_refused", reason=reason)
    return SignInError(sentence)
