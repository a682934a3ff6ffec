"""Access: who is looking and what they may do; the default answer is no."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from core.errors import AccessDenied, SignInError
from core.settings import Profile, Settings


class Capability(StrEnum):
    """The things a person may be allowed to do."""

    BROWSE = "browse"
    GENERATE = "generate"
    REVIEW = "review"
    ADMINISTER = "administer"


class PersonRole(StrEnum):
    """What a person is in the studio."""

    DESIGNER = "designer"
    OPS = "ops"
    ADMIN = "admin"


_DESIGNER = frozenset({Capability.BROWSE, Capability.GENERATE})
_MAY: dict[PersonRole, frozenset[Capability]] = {
    PersonRole.DESIGNER: _DESIGNER,
    PersonRole.OPS: _DESIGNER | {Capability.REVIEW},
    PersonRole.ADMIN: frozenset(Capability),
}
DEMO_EMAIL = "demo@localhost"


@dataclass(frozen=True, slots=True)
class Viewer:
    """A verified person."""

    email: str
    role: PersonRole

    def may(self, capability: Capability) -> bool:
        """Whether the person's role includes this."""
        return capability in _MAY[self.role]

    def require(self, capability: Capability) -> None:
        """Raise AccessDenied unless the person's role includes this."""
        if not self.may(capability):
            raise AccessDenied(f"Your role ({self.role.value}) does not include this: ask an admin of the studio.")


def reason_of(err: SignInError) -> str:
    """In a word or two why somebody was turned away, for whoever counts that."""
    return "not_allowed" if isinstance(err, AccessDenied) else "not_signed_in"


class Door:
    """Decides who is behind a request. The embedded profile has one person; production has none unless
    a session says so.
    """

    def __init__(self, settings: Settings) -> None:
        self._embedded = settings.profile is Profile.EMBEDDED

    def viewer(self, _cookies: Mapping[str, str]) -> Viewer:
        """The person behind these cookies. Raises SignInError when nobody is."""
        if self._embedded:
            return Viewer(DEMO_EMAIL, PersonRole.ADMIN)
        raise SignInError("You are not signed in.")
