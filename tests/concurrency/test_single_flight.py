"""Single flight: asked once by all who ask at once, bounded, and left in peace for a while after a failure."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.concurrency.single_flight import SingleFlightCache
from tests.support.timeouts import LONG_S, until


class Clock:
    """Seconds that pass when a test says so."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Broken(Exception):
    """What `make` raises here."""


def failing(asked: list[str], name: str = "asked") -> Callable[[], bytes]:
    def fail() -> bytes:
        asked.append(name)
        raise Broken(name)

    return fail


def cache(size_max: int = 100, **changes: object) -> SingleFlightCache[bytes]:
    return SingleFlightCache(size_max=size_max, **{"size_of": len, **changes})  # type: ignore[arg-type]


def test_who_asks_at_the_same_time_gets_the_one_that_is_made() -> None:
    made, gate = [], threading.Event()

    def make() -> bytes:
        made.append(gate.wait(LONG_S))
        return b"value"

    values = cache()
    with ThreadPoolExecutor(8) as asking:
        found = [asking.submit(values.get, "name", make) for _ in range(8)]
        gate.set()
        assert {each.result() for each in found} == {b"value"}
    assert made == [True]


def test_a_cache_that_keeps_nothing_still_asks_once_for_all_who_wait() -> None:
    values = cache(0)
    gate, asked = threading.Event(), []

    def make() -> bytes:
        asked.append(gate.wait(LONG_S))
        return b"value"

    with ThreadPoolExecutor(2) as asking:
        first = asking.submit(values.get, "name", make)
        until(lambda: values.holds("name"))
        second = asking.submit(values.get, "name", make)
        assert values.get("other", lambda: b"meanwhile") == b"meanwhile"
        gate.set()
        assert first.result() == second.result() == b"value"
    assert not values.holds("name")


def test_what_fails_is_tried_again_by_the_next() -> None:
    values = cache()
    with pytest.raises(Broken):
        values.get("name", failing([]))
    assert values.get("name", lambda: b"value") == b"value"


def test_everybody_who_waits_for_what_fails_is_told() -> None:
    values, gate, asked = cache(), threading.Event(), []

    def fail() -> bytes:
        asked.append(gate.wait(LONG_S))
        raise Broken

    with ThreadPoolExecutor(4) as asking:
        found = [asking.submit(values.get, "name", fail) for _ in range(4)]
        until(lambda: values.holds("name") and len(values._values["name"]._condition._waiters) == 3)
        gate.set()
        assert {type(each.exception()) for each in found} == {Broken}
    assert asked == [True]


class TestACooldown:
    def test_within_it_the_failure_is_raised_again_for_every_key_and_nobody_is_asked(self) -> None:
        clock, asked = Clock(), []
        values = cache(cooldown_s=30.0, clock=clock)
        with pytest.raises(Broken, match="first"):
            values.get("a", failing(asked, "first"))
        clock.now += 29.9
        for key in ("a", "b"):
            with pytest.raises(Broken, match="first"):
                values.get(key, failing(asked, "second"))
        assert asked == ["first"]

    def test_when_it_is_over_the_next_asks(self) -> None:
        clock = Clock()
        values = cache(cooldown_s=30.0, clock=clock)
        with pytest.raises(Broken):
            values.get("a", failing([]))
        clock.now += 30
        assert values.get("a", lambda: b"value") == b"value"

    def test_what_is_kept_is_served_all_the_same(self) -> None:
        values = cache(cooldown_s=30.0, clock=Clock())
        values.get("a", lambda: b"value")
        with pytest.raises(Broken):
            values.get("b", failing([]))
        assert values.get("a", lambda: pytest.fail("it is known")) == b"value"

    def test_an_interrupted_question_says_nothing_about_the_next(self) -> None:
        values = cache(cooldown_s=30.0, clock=Clock())

        def interrupt() -> bytes:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            values.get("a", interrupt)
        assert values.get("a", lambda: b"value") == b"value"


def test_a_value_that_is_fresh_no_more_is_made_anew() -> None:
    fresh = [True]
    values = cache(10, is_fresh=lambda _value: fresh[0])
    assert [values.get("a", lambda: b"old-value!"), values.get("a", lambda: b"new")] == [b"old-value!"] * 2
    fresh[0] = False
    assert values.get("a", lambda: b"new-value!") == b"new-value!"
    fresh[0] = True
    assert values.get("a", lambda: b"newest") == b"new-value!", "the old one still took its room"


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), max_size=60))
def test_what_is_kept_never_exceeds_its_size_and_is_what_was_used_last(steps: list[tuple[int, bool]]) -> None:
    values = cache(30)
    kept: list[int] = []
    for name, forgets in steps:
        if forgets:
            values.forget(name)
            kept = [each for each in kept if each != name]
            continue
        made: list[int] = []
        values.get(name, lambda: made.append(1) or b"x" * 10)  # noqa: B023 - called at once
        assert bool(made) == (name not in kept)
        kept = [*(each for each in kept if each != name), name][-3:]
