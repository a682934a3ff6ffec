"""Ownership: a comparison is its orderer's, and who besides them may cancel and retry its sides."""

from __future__ import annotations

from core.errors import AccessDenied
from core.generation.records.comparison import Comparison
from core.viewer import Capability, Viewer


def require_charge(viewer: Viewer, comparison: Comparison) -> None:
    """Raise AccessDenied for everybody but who ordered it, operations and admins: they may cancel and retry sides."""
    viewer.require(Capability.GENERATE)
    owner = comparison.person.strip().lower()  # nobody of an imported record that names none
    if not (owner and viewer.email == owner) and not viewer.may(Capability.MANAGE_COMPARISONS):
        raise AccessDenied(
            "Only who ordered this comparison, operations and admins can cancel or retry its sides: "
            "replay it to have one of your own."
        )


def is_in_charge(viewer: Viewer, comparison: Comparison) -> bool:
    """Whether this person may cancel and retry its sides."""
    try:
        require_charge(viewer, comparison)
    except AccessDenied:
        return False
    return True
