"""Budgets kept by admins: over the settings, at most a minute old, never over somebody else's change."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.errors import AccessDenied, InputError, StorageUnavailable, WriteConflict
from core.generation.spending.budget import DailyLimits
from core.generation.spending.limits import SpendingLimits
from core.settings import Settings
from core.storage.s3 import Store
from core.viewer import PersonRole, Viewer
from tests.support.s3.moto_server import moto_server, with_bucket
from tests.support.s3.servers import S3Server

KIM = Viewer("kim@studio.example", PersonRole.ADMIN)
BO = Viewer("bo@studio.example", PersonRole.ADMIN)
SETTINGS = Settings(s3_bucket="studio", daily_budget_usd=50, daily_budget_person_usd=5)


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    with moto_server() as running:
        yield running


@pytest.fixture
def store(server: S3Server) -> Store:
    return with_bucket(server).store()


def test_until_the_first_change_the_settings_decide(store: Store) -> None:
    assert SpendingLimits(store, SETTINGS).limits() == DailyLimits(50, 5)
    assert SpendingLimits(store, Settings()).limits() == DailyLimits()


def test_a_change_counts_at_once_here_and_after_a_restart_elsewhere(store: Store) -> None:
    limits = SpendingLimits(store, SETTINGS)
    changed = limits.change(KIM, DailyLimits(80, None), seen=limits.read(KIM))
    assert limits.limits() == SpendingLimits(store, Settings()).limits() == DailyLimits(80, None)
    assert [(c.by, c.whose, c.before, c.after) for c in changed.value.changes] == [
        (KIM.email, "everybody", 50, 80),
        (KIM.email, "a person", 5, None),
    ]


def test_the_later_of_two_admins_changes_nothing_unseen(store: Store) -> None:
    limits, elsewhere = SpendingLimits(store, SETTINGS), SpendingLimits(store, SETTINGS)
    seen = limits.read(KIM)
    elsewhere.change(BO, DailyLimits(10, 1), seen=elsewhere.read(BO))
    with pytest.raises(WriteConflict):
        limits.change(KIM, DailyLimits(90, 9), seen=seen)
    assert limits.read(KIM).value.limits == DailyLimits(10, 1)


def test_saving_what_is_there_writes_nothing(store: Store) -> None:
    limits = SpendingLimits(store, SETTINGS)
    assert limits.change(KIM, DailyLimits(50, 5), seen=limits.read(KIM)).etag is None
    assert list(store.list("studio/")) == []


@pytest.mark.parametrize("usd", [-0.01, float("nan"), float("inf")])
def test_what_is_no_amount_is_refused(usd: float, store: Store) -> None:
    limits = SpendingLimits(store, SETTINGS)
    with pytest.raises(InputError, match="amount in US dollars"):
        limits.change(KIM, DailyLimits(usd, None), seen=limits.read(KIM))


@pytest.mark.parametrize("role", [PersonRole.DESIGNER, PersonRole.OPS])
def test_only_admins_see_and_change_them(role: PersonRole, store: Store) -> None:
    limits, other = SpendingLimits(store, SETTINGS), Viewer("ada@studio.example", role)
    with pytest.raises(AccessDenied, match=role.value):
        limits.read(other)
    with pytest.raises(AccessDenied, match=role.value):
        limits.change(other, DailyLimits(), seen=limits.read(KIM))
    assert limits.limits() == DailyLimits(50, 5)


def test_with_a_damaged_sheet_nothing_is_spent_on_a_guess(store: Store) -> None:
    store.put("studio/budgets.json", b'{"daily_usd": "much"}', content_type="application/json")
    with pytest.raises(StorageUnavailable, match=r"budgets\.json in S3 is damaged"):
        SpendingLimits(store, SETTINGS).limits()
