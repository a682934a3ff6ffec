"""Attachments: fetched once for all who need them, and never anything but what was planned and is still there."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from core.errors import EngineError, StorageUnavailable
from core.generation.running import attachments
from core.generation.running.attachments import Attachments, Prepare, Preparing
from core.injection.request.wishes import Mode
from core.references.vocabulary import Role
from tests.faults.proxy import Does, FaultProxy
from tests.generation.comparisons import TONE_ONLY, StudioFixture, comparison, png
from tests.support.timeouts import LONG_S, until


@pytest.fixture
def proxy(studio: StudioFixture) -> FaultProxy:
    return FaultProxy(studio.s3.endpoint_url)


@pytest.fixture
def attached(studio: StudioFixture, proxy: FaultProxy) -> Iterator[Attachments]:
    own = Attachments(studio.store_at(proxy.url))
    yield own
    own.close()


def by(prepare: Prepare) -> Preparing:
    """One engine makes all sides."""
    return lambda _side: prepare


def test_both_sides_share_one_fetch(studio: StudioFixture, proxy: FaultProxy, attached: Attachments) -> None:
    tone = studio.reference("tone.png", png("#ff0000"))
    fetched = proxy.rule(r"(GET|HEAD) .*tone\.png$", times=2)
    fetched.latch.open()
    wanted = comparison(tone)
    attached.prepare_soon(wanted.sides, by(lambda _: None))
    with ThreadPoolExecutor(2) as both:
        found = list(both.map(attached.of, wanted.sides))
    assert [[each.data for each in side] for side in found] == [[png("#ff0000")]] * 2
    assert len(fetched.lines) == 1


def test_references_are_fetched_side_by_side(studio: StudioFixture, proxy: FaultProxy, attached: Attachments) -> None:
    slots = [studio.reference(f"{at}.png", png(f"#0000{at:02x}"), Role.MODEL) for at in range(5)]
    held = proxy.rule(r"GET .*\d\.png$")
    wanted = comparison(*slots, mode=Mode.TONE_ONLY)
    with ThreadPoolExecutor(1) as fetching:
        found = fetching.submit(attached.of, wanted.side(TONE_ONLY))
        held.latch.wait_for(5)  # all at once, or this would never come about
        proxy.lift(held)
        assert [each.key for each in found.result()] == [slot.key for slot in slots]


@pytest.mark.parametrize(("change", "says"), [("gone", "has left S3"), ("other bytes", "has changed")])
def test_what_was_fetched_before_is_not_used_once_it_left_or_changed(
    studio: StudioFixture, attached: Attachments, monkeypatch: pytest.MonkeyPatch, change: str, says: str
) -> None:
    monkeypatch.setattr(attachments, "_FRESH_S", 0.0)
    tone = studio.reference("tone.png", png())
    record = comparison(tone, mode=Mode.TONE_ONLY).side(TONE_ONLY)
    attached.of(record)
    if change == "gone":
        studio.store.delete(tone.key or "")
    else:
        studio.store.put(tone.key or "", png("#123456"), content_type="image/png")
    for _ in range(2):
        with pytest.raises(EngineError, match=says):
            attached.of(record)


def test_trouble_while_preparing_is_nobodys_failure(
    studio: StudioFixture, proxy: FaultProxy, attached: Attachments
) -> None:
    tone = studio.reference("tone.png", png())
    refused = proxy.rule(r"GET .*tone\.png$", Does.REFUSE, times=3)
    wanted = comparison(tone, mode=Mode.TONE_ONLY)
    attached.prepare_soon(wanted.sides, by(lambda _: None))
    until(lambda: len(refused.lines) == 3)
    found: list[bytes] = []

    def is_fetched() -> bool:
        with suppress(StorageUnavailable):  # who asks before that has quite failed shares its failure
            found.append(attached.of(wanted.side(TONE_ONLY))[0].data)
        return bool(found)

    until(is_fetched)
    assert found == [png()]


def test_what_a_plan_shows_is_ready_before_the_press(
    studio: StudioFixture, proxy: FaultProxy, attached: Attachments
) -> None:
    tone = studio.reference("tone.png", png("#ff0000"))
    fetched = proxy.rule(r"GET .*tone\.png$", times=2)
    fetched.latch.open()
    wanted, prepared = comparison(tone), threading.Event()
    attached.prefetch(wanted.sides, by(lambda _: prepared.set()))
    assert prepared.wait(LONG_S)
    for _ in range(20):  # every rerun of the page prefetches the same again
        attached.prefetch(wanted.sides, by(lambda _: pytest.fail("prepared twice")))
    assert [each.data for each in attached.of(wanted.side(TONE_ONLY))] == [png("#ff0000")]
    assert len(fetched.lines) == 1


def test_plans_that_change_quickly_leave_no_long_queue_behind(
    studio: StudioFixture, proxy: FaultProxy, attached: Attachments
) -> None:
    held = proxy.rule(r"GET .*\d\.png$")
    many = attachments._PREFETCHED_WAITING_MAX + 8
    for at in range(many):
        slot = studio.reference(f"{at}.png", png(f"#0000{at:02x}"))
        attached.prefetch(comparison(slot, mode=Mode.TONE_ONLY).sides, by(lambda _: None))
    held.latch.wait_for(attachments._PREFETCHED_AT_ONCE)
    last = comparison(studio.reference("last.png", png("#00ff00")), mode=Mode.TONE_ONLY)
    assert attached.of(last.side(TONE_ONLY))[0].data == png("#00ff00"), "who orders does not wait behind them"
    proxy.lift(held)
    until(lambda: len(held.lines) >= attachments._PREFETCHED_AT_ONCE)
    attached.close()
    assert len(held.lines) <= attachments._PREFETCHED_WAITING_MAX


def test_trouble_with_what_was_only_planned_is_told_to_who_orders_it(
    studio: StudioFixture, attached: Attachments
) -> None:
    tone = studio.reference("tone.png", png())
    studio.store.put(tone.key or "", png("#123456"), content_type="image/png")
    record = comparison(tone, mode=Mode.TONE_ONLY).side(TONE_ONLY)
    attached.prefetch([record], by(lambda _: pytest.fail("it is not what was planned")))
    with pytest.raises(EngineError, match="has changed"):
        attached.of(record)
