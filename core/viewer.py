"""The viewer: a verified person, and what their role allows."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from core.errors import AccessDenied


class Capability(StrEnum):
    """The things a person may be allowed to do."""

    BROWSE = "browse"
    GENERATE = "generate"
    MANAGE_COMPARISONS = "manage-comparisons"  # those of others too: cancel and retry their sides
    REVIEW = "review"
    SEE_ALL_SPENDING = "see-all-spending"  # everybody sees their own
    SEE_VOTERS = "see-voters"  # who voted what, by name
    ADMINISTER = "administer"


class PersonRole(StrEnum):
    """What a person is in the studio."""

    DESIGNER = "designer"
    OPS = "ops"
    ADMIN = "admin"


_DESIGNER = frozenset({Capability.BROWSE, Capability.GENERATE})
_MAY: dict[PersonRole, frozenset[Capability]] = {
    PersonRole.DESIGNER: _DESIGNER,
    PersonRole.OPS: _DESIGNER
    | {Capability.MANAGE_COMPARISONS, Capability.REVIEW, Capability.SEE_ALL_SPENDING, Capability.SEE_VOTERS},
    PersonRole.ADMIN: frozenset(Capability),
}


@dataclass(frozen=True, slots=True)
class Viewer:
    """A verified person; `email` is in lower case."""

    email: str
    role: PersonRole
    name: str = ""

    def may(self, capability: Capability) -> bool:
        """Whether the person's role includes this."""
        return capability in _MAY[self.role]

    def require(self, capability: Capability) -> None:
        """Raise AccessDenied unless the person's role includes this."""
        if not self.may(capability):
            raise AccessDenied("Your role ({}) does not include this: ask an admin of the studio.", self.role.value)
