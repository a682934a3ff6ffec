"""Roles: what each may, asked in core itself and not by hiding buttons."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import AccessDenied
from core.identity.access.access import Access
from core.identity.access.access_list import AccessLevel, AccessList
from core.objects.documents import Version
from core.settings import Settings
from core.storage.s3 import Store
from core.viewer import Capability, PersonRole, Viewer

CORE = Path(__file__).parents[2] / "core"
MAY = {
    PersonRole.DESIGNER: {Capability.BROWSE, Capability.GENERATE},
    PersonRole.OPS: {
        Capability.BROWSE,
        Capability.GENERATE,
        Capability.MANAGE_COMPARISONS,
        Capability.REVIEW,
        Capability.SEE_ALL_SPENDING,
        Capability.SEE_VOTERS,
    },
    PersonRole.ADMIN: set(Capability),
}


@pytest.mark.parametrize("role", PersonRole)
def test_a_role_may_exactly_what_it_lists(role: PersonRole) -> None:
    viewer = Viewer("person@studio.example", role)
    assert {capability for capability in Capability if viewer.may(capability)} == MAY[role]
    for capability in set(Capability) - MAY[role]:
        with pytest.raises(AccessDenied, match=rf"Your role \({role.value}\) does not include this"):
            viewer.require(capability)


def test_a_blocked_person_has_no_role() -> None:
    assert AccessLevel.BLOCKED.role is None
    assert {level.role for level in AccessLevel} == {*PersonRole, None}


def asking(kind: type) -> list[str]:
    """The public methods of a class that take a viewer."""
    methods = inspect.getmembers(kind, inspect.isfunction)
    return [name for name, method in methods if name[0] != "_" and "viewer" in inspect.signature(method).parameters]


@pytest.mark.parametrize("role", [PersonRole.DESIGNER, PersonRole.OPS])
@pytest.mark.parametrize("method", asking(Access))
def test_nobody_but_an_admin_comes_to_the_list_of_people_by(
    method: str, role: PersonRole, store: Store, app_prefix: str
) -> None:
    """Whatever is passed; and nothing is written."""
    listed = AccessList(people={"kim@studio.example": AccessLevel.ADMIN})
    arguments = {"entry": "kim@studio.example", "level": AccessLevel.ADMIN, "seen": Version(listed, None, 0.0)}
    access = Access(store, Settings(s3_app_prefix=app_prefix))
    wanted = inspect.signature(getattr(Access, method)).parameters
    with pytest.raises(AccessDenied):
        getattr(access, method)(
            Viewer("kim@studio.example", role), **{name: arguments[name] for name in wanted if name in arguments}
        )
    assert list(store.list(app_prefix)) == []


def functions_with_a_viewer() -> Iterator[tuple[str, ast.FunctionDef]]:
    """Every public function of core, its screens apart, that is told who asks."""
    for file in sorted(CORE.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if not isinstance(node, ast.FunctionDef) or node.name[0] == "_" or "ui" in file.parts:
                continue
            if any(each.arg == "viewer" for each in (*node.args.args, *node.args.kwonlyargs)):
                yield f"{file.relative_to(CORE)}:{node.name}", node


def test_whatever_in_core_is_told_who_asks_looks_at_what_they_may() -> None:
    """It requires something of the viewer, or passes them on to what does."""
    found = dict(functions_with_a_viewer())
    assert found
    for name, function in found.items():
        calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
        requires = [call for call in calls if ast.unparse(call.func).rpartition(".")[2].startswith("require")]
        passes_on = [call for call in calls if any(ast.unparse(each) == "viewer" for each in call.args)]
        assert requires or passes_on, name
