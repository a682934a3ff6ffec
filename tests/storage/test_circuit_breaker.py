"""An outage: S3 is asked by one thread, everybody else is told at once, and all is well by itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.errors import StorageDenied, StorageError, StorageUnavailable
from core.storage.circuit_breaker import CircuitBreaker
from core.storage.s3 import Store
from tests.support.latch import Latch
from tests.support.s3.servers import S3Server
from tests.support.tcp_proxy import TcpProxy, tcp_proxy
from tests.support.timeouts import LONG_S, until

QUICK_S = 0.2
PATIENT_S = 3.0  # of a call that nobody answers; the thread that asks again waits for QUICK_S
KEY = "refs/02. Tone/noir/desk.jpg"


@pytest.fixture
def proxy(embedded: S3Server) -> Iterator[TcpProxy]:
    with tcp_proxy(embedded.endpoint_url) as proxy:
        yield proxy


@pytest.fixture
def store(embedded: S3Server, proxy: TcpProxy) -> Iterator[Store]:
    embedded.store().put(KEY, b"a picture", content_type="image/png")
    impatient = embedded.store(endpoint_url=proxy.url, read_timeout_s=QUICK_S, attempts=1)
    circuit_breaker = CircuitBreaker(impatient.check_bucket, every_s=0.05)
    yield embedded.store(endpoint_url=proxy.url, read_timeout_s=PATIENT_S, attempts=1, circuit_breaker=circuit_breaker)
    circuit_breaker.stop()


def is_told_at_once(store: Store) -> bool:
    """Whether a caller learns that S3 is away in less time than it takes to find out."""
    began = time.monotonic()
    with pytest.raises(StorageError):
        store.get(KEY)
    return time.monotonic() - began < PATIENT_S


def test_a_silent_s3_is_waited_for_once_and_not_by_everybody(store: Store, proxy: TcpProxy) -> None:
    data = store.get(KEY).data
    proxy.silence()
    with pytest.raises(StorageUnavailable, match="did not answer in time"):
        store.get(KEY)
    until(lambda: is_told_at_once(store), "nobody waits any more")
    with ThreadPoolExecutor(16) as people:
        assert all(people.map(is_told_at_once, [store] * 64))
    proxy.mend()
    until(lambda: _got(store) == data, "it is back by itself")


def test_an_s3_that_refuses_is_away_until_it_takes_calls_again(store: Store, proxy: TcpProxy) -> None:
    proxy.cut()
    with pytest.raises(StorageUnavailable, match="could not be reached"):
        store.get(KEY)
    until(lambda: is_told_at_once(store), "nobody waits any more")
    with pytest.raises(StorageUnavailable, match="could not be reached"):
        store.put("studio/x", b"x", content_type="text/plain")
    proxy.mend()
    until(lambda: _got(store), "it is back by itself")
    until(lambda: _put(store), "for who writes, too, once the thread that was asking meanwhile has its answer")


def test_one_call_that_fails_is_no_outage() -> None:
    asked: list[None] = []
    circuit_breaker = CircuitBreaker(lambda: asked.append(None))
    circuit_breaker.suspect()
    until(lambda: asked, "S3 was asked")
    circuit_breaker.check()
    assert circuit_breaker.reason is None


def test_what_was_asked_before_an_answer_finds_nobody_away() -> None:
    asked = Latch()

    def ask() -> None:
        asked.hold()
        raise StorageUnavailable("S3 was away.")

    circuit_breaker = CircuitBreaker(ask, every_s=30)
    circuit_breaker.suspect()
    asked.wait_for()
    circuit_breaker.record_answer()
    asked.open()
    for thread in threading.enumerate():
        if thread.name == "circuit-breaker":
            thread.join(LONG_S)
    circuit_breaker.check()
    assert not circuit_breaker.opened.is_set()


def test_a_refusal_is_an_answer() -> None:
    asked: list[None] = []

    def refused() -> None:
        asked.append(None)
        raise StorageDenied("Not for you.")

    circuit_breaker = CircuitBreaker(refused, every_s=0.01)
    circuit_breaker.suspect()
    until(lambda: asked, "S3 was asked")
    circuit_breaker.check()
    circuit_breaker.suspect()
    until(lambda: len(asked) == 2, "each suspicion is looked into")


def test_who_cannot_ask_shuts_nobody_out() -> None:
    asked: list[None] = []

    def broken() -> None:
        asked.append(None)
        if len(asked) == 1:
            raise StorageUnavailable("S3 is away.")
        raise ValueError("what nobody has thought of")

    circuit_breaker = CircuitBreaker(broken, every_s=0.01)
    circuit_breaker.suspect()
    until(lambda: len(asked) == 2, "it was asked again")
    until(lambda: circuit_breaker.reason is None, "nothing is known any more")
    circuit_breaker.check()


def test_many_suspicions_are_looked_into_by_one_thread() -> None:
    asked: list[None] = []

    def away() -> None:
        asked.append(None)
        raise StorageUnavailable("S3 is away.")

    circuit_breaker = CircuitBreaker(away, every_s=30)
    for _ in range(50):
        circuit_breaker.suspect()
    until(lambda: circuit_breaker.reason, "it is known")
    circuit_breaker.suspect()
    assert len(asked) == 1
    with pytest.raises(StorageUnavailable, match=r"^S3 is away\.$"):
        circuit_breaker.check()
    circuit_breaker.stop()


def test_who_waits_for_s3_is_told_once_it_is_back() -> None:
    is_away = threading.Event()
    is_away.set()

    def ask() -> None:
        if is_away.is_set():
            raise StorageUnavailable("S3 is away.")

    told: list[None] = []
    circuit_breaker = CircuitBreaker(ask, every_s=0.01)
    circuit_breaker.when_back = lambda: told.append(None)
    circuit_breaker.suspect()
    until(lambda: circuit_breaker.reason, "it is known")
    assert told == []
    is_away.clear()
    until(lambda: told, "it is told")
    assert circuit_breaker.reason is None
    circuit_breaker.suspect()
    circuit_breaker.stop()
    assert told == [None]


def _put(store: Store) -> str:
    try:
        return store.put("studio/x", b"x", content_type="text/plain")
    except StorageUnavailable:
        return ""


def _got(store: Store) -> bytes:
    try:
        return store.get(KEY).data
    except StorageUnavailable:
        return b""
