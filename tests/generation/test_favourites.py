"""Favourites: each person's own, kept in S3, the same on every server, never over somebody else's change."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from ulid import ULID

from core.errors import InputError, NotFound, StorageUnavailable
from core.generation.favourites import FAVOURITES_MAX, FavouriteList, Favourites
from core.storage.s3 import Store
from core.viewer import PersonRole, Viewer
from tests.support.s3.moto_server import moto_server, with_bucket
from tests.support.s3.servers import S3Server

KIM = Viewer("kim@studio.example", PersonRole.DESIGNER)
BO = Viewer("보+b/o@studio.example", PersonRole.OPS)
ONE, TWO, THREE = (str(ULID()) for _ in range(3))


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    with moto_server() as running:
        yield running


@pytest.fixture
def store(server: S3Server) -> Store:
    return with_bucket(server).store()


def favourites(store: Store, *known: str) -> Favourites:
    def find(comparison_id: str) -> None:
        if comparison_id not in (known or (ONE, TWO, THREE)):
            raise NotFound("There is no comparison `{key}`.", key=comparison_id)

    return Favourites(store, app_prefix="studio/", find=find)


def test_nobody_has_any_before_the_first_star(store: Store) -> None:
    assert favourites(store).of(KIM) == frozenset()
    assert list(store.list("studio/favourites/")) == []


def test_a_star_counts_at_once_and_after_a_restart_and_for_nobody_else(store: Store) -> None:
    here = favourites(store)
    here.mark(KIM, {ONE: True, TWO: True})
    here.mark(BO, {THREE: True})
    here.mark(KIM, {ONE: False})
    assert here.of(KIM) == favourites(store).of(KIM) == {TWO}
    assert here.of(BO) == favourites(store).of(BO) == {THREE}


def test_two_servers_take_nothing_back_from_each_other(store: Store) -> None:
    here, there = favourites(store), favourites(store)
    assert here.of(KIM) == there.of(KIM) == frozenset()
    here.mark(KIM, {ONE: True})
    there.mark(KIM, {TWO: True})
    assert there.of(KIM) == favourites(store).of(KIM) == {ONE, TWO}


def test_many_stars_at_once_are_all_kept(store: Store) -> None:
    ids = [str(ULID()) for _ in range(6)]
    servers = [favourites(store, *ids) for _ in ids]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda pair: pair[0].mark(KIM, {pair[1]: True}), zip(servers, ids, strict=True)))
    assert favourites(store).of(KIM) == set(ids)


def test_only_a_comparison_can_be_starred_and_a_star_that_is_off_can_always_go(store: Store) -> None:
    with pytest.raises(NotFound):
        favourites(store).mark(KIM, {ONE: True, "nothing": True})
    assert favourites(store).of(KIM) == frozenset()
    favourites(store).mark(KIM, {ONE: True})
    favourites(store, TWO).mark(KIM, {ONE: False})
    assert favourites(store).of(KIM) == frozenset()


def test_what_is_starred_already_writes_nothing(store: Store) -> None:
    here = favourites(store)
    here.mark(KIM, {ONE: True})
    (before,) = store.list("studio/favourites/")
    here.mark(KIM, {ONE: True, TWO: False})
    (after,) = store.list("studio/favourites/")
    assert (after.key, after.etag) == (before.key, before.etag)


def test_the_newest_star_comes_first() -> None:
    known = FavouriteList(person="kim").marked({ONE: True}).marked({TWO: True, THREE: True})
    assert known.comparisons == (THREE, TWO, ONE)
    assert known.marked({TWO: False}).comparisons == (THREE, ONE)


def test_one_too_many_is_refused_and_says_what_to_do() -> None:
    full = FavouriteList(person="kim", comparisons=tuple(f"{n}" for n in range(FAVOURITES_MAX)))
    with pytest.raises(InputError, match="2,000 favourites"):
        full.marked({ONE: True})
    assert full.marked({"7": False, ONE: True}).comparisons[0] == ONE


@pytest.mark.parametrize("damage", [b"", b"[]", b'{"person": "kim", "comparisons": [7]}', b"\xff\xfe"])
def test_a_damaged_object_is_named_and_not_replaced(store: Store, damage: bytes) -> None:
    key = f"studio/favourites/{hashlib.sha256(KIM.email.encode()).hexdigest()}.json"
    store.put(key, damage, content_type="application/json")
    for act in (lambda here: here.of(KIM), lambda here: here.mark(KIM, {ONE: True})):
        with pytest.raises(StorageUnavailable, match="damaged"):
            act(favourites(store))
    assert store.get(key).data == damage
