"""The default answer is no: only the embedded profile knows somebody, and a role may what it lists."""

from __future__ import annotations

import pytest

from core.errors import AccessDenied, SignInError
from core.identity.access import DEMO_EMAIL, Capability, Door, PersonRole, Viewer
from core.settings import Settings


@pytest.mark.parametrize("cookies", [{}, {"session": DEMO_EMAIL}, {"__Host-session": "admin"}])
def test_in_production_nobody_is_let_in_without_a_verified_session(cookies: dict[str, str]) -> None:
    with pytest.raises(SignInError):
        Door(Settings(s3_bucket="studio")).viewer(cookies)


def test_the_embedded_profile_has_one_person_who_may_everything() -> None:
    viewer = Door(Settings()).viewer({})
    assert viewer.email == DEMO_EMAIL
    assert all(viewer.may(capability) for capability in Capability)


@pytest.mark.parametrize(
    ("role", "may"),
    [
        (PersonRole.DESIGNER, {Capability.BROWSE, Capability.GENERATE}),
        (PersonRole.OPS, {Capability.BROWSE, Capability.GENERATE, Capability.REVIEW}),
        (PersonRole.ADMIN, set(Capability)),
    ],
)
def test_a_role_may_exactly_what_it_lists(role: PersonRole, may: set[Capability]) -> None:
    viewer = Viewer("person@studio.example", role)
    assert {capability for capability in Capability if viewer.may(capability)} == may
    for capability in set(Capability) - may:
        with pytest.raises(AccessDenied, match=role.value):
            viewer.require(capability)


@pytest.mark.parametrize("role", PersonRole)
def test_only_who_may_review_passes_the_review_desks_question(role: PersonRole) -> None:
    viewer = Viewer("person@studio.example", role)
    if viewer.may(Capability.REVIEW):
        viewer.require_review()
    else:
        with pytest.raises(AccessDenied):
            viewer.require_review()
