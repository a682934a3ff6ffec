"""Lending through S3: two servers over one bucket lend each portrait to one person, and nobody waits for S3."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from core.labels.lending.lending import Lending
from core.labels.lending.loans import LENT_S
from core.viewer import PersonRole, Viewer
from tests.labels.portraits import APP
from tests.support.s3.moto_server import fill, moto_server, with_bucket
from tests.support.s3.servers import S3Server

ANN = Viewer("ann@studio.example", PersonRole.OPS, "Ann")
BO = Viewer("bo@studio.example", PersonRole.ADMIN)
PORTRAITS = tuple("abcdefghijkl")
KEY = f"{APP}reviews/lent.json"


@dataclass
class Clock:
    now: datetime = field(default_factory=lambda: datetime(2026, 11, 22, 14, 15, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture(scope="module")
def moto() -> Iterator[S3Server]:
    with moto_server() as server:
        yield server


@pytest.fixture
def bucket(moto: S3Server) -> S3Server:
    return with_bucket(moto, {})


def server(bucket: S3Server, clock: Clock | None = None) -> Lending:
    return Lending(bucket.store(), app_prefix=APP, now=clock or Clock())


def test_what_one_server_has_lent_another_lends_to_nobody_else(bucket: S3Server) -> None:
    one, other = server(bucket), server(bucket)
    one.lend(ANN, "1", PORTRAITS)
    other.lend(BO, "2", PORTRAITS)
    assert {etag: loan.name for etag, loan in other.of_others(BO).items()} == dict.fromkeys("abcde", "Ann")
    one.lend(ANN, "1", PORTRAITS)
    assert {etag: loan.name for etag, loan in one.of_others(ANN).items()} == dict.fromkeys("fghij", BO.email)


def test_two_who_come_at_the_same_moment_get_different_portraits(bucket: S3Server) -> None:
    servers = [server(bucket) for _ in range(4)]
    start = threading.Barrier(len(servers))

    def come(number: int) -> None:
        start.wait()
        servers[number].lend(Viewer(f"{number}@studio.example", PersonRole.OPS), "desk", tuple(map(str, range(40))))

    threads = [threading.Thread(target=come, args=(number,)) for number in range(len(servers))]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    lent = server(bucket).of_others(BO)
    assert len(lent) == 20
    assert len({loan.reviewer for loan in lent.values()}) == 4


def test_after_some_minutes_it_is_everybodys_again_on_a_server_whose_clock_differs(bucket: S3Server) -> None:
    clock, behind = Clock(), Clock()
    behind.now -= timedelta(seconds=4)
    server(bucket, clock).lend(ANN, "1", PORTRAITS)
    other = server(bucket, behind)
    assert other.of_others(BO)
    behind.now += timedelta(seconds=LENT_S + 4)
    other.lend(BO, "2", PORTRAITS)
    assert not other.of_others(BO)
    assert other.of_others(ANN).keys() == set("abcde")


def test_leaving_gives_it_back_on_any_server(bucket: S3Server) -> None:
    server(bucket).lend(ANN, "1", PORTRAITS)
    server(bucket).give_back(BO, "1")
    assert server(bucket).of_others(BO)
    server(bucket).give_back(ANN, "1")
    assert not server(bucket).of_others(BO)


def test_without_s3_nothing_counts_as_lent_and_nobody_is_told_anything(bucket: S3Server) -> None:
    gone = S3Server("gone", "http://127.0.0.1:9", bucket.bucket)
    lending = Lending(gone.store(attempts=1), app_prefix=APP)
    lending.lend(ANN, "1", PORTRAITS)
    assert lending.of_others(BO) == {}
    lending.give_back(ANN, "1")


@pytest.mark.parametrize("damaged", [b"", b"{", b"[]", b'{"loans": [{"desk": 1}]}', b'{"loans": 3}'])
def test_a_damaged_object_lends_nothing_and_is_replaced_by_the_next_loan(bucket: S3Server, damaged: bytes) -> None:
    fill(bucket, {KEY: damaged})
    lending = server(bucket)
    assert lending.of_others(BO) == {}
    lending.lend(ANN, "1", PORTRAITS)
    assert lending.of_others(BO).keys() == set("abcde")
