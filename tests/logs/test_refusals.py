"""Refusals: all are counted, few are told of."""

from __future__ import annotations

from structlog.testing import capture_logs

from core.logs.refusals import SOURCES_MAX, WINDOW_S, Refusals


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_one_line_a_minute_and_kind_says_how_many_came_before_it() -> None:
    refusals = Refusals(clock=(clock := Clock()))
    with capture_logs() as logs:
        for _ in range(500):
            refusals.refuse("sign_in_refused", reason="state")
        refusals.refuse("sign_in_refused", reason="expired")
        clock.now += WINDOW_S
        refusals.refuse("sign_in_refused", reason="state", status=400)
    assert logs == [
        {"event": "sign_in_refused", "log_level": "warning", "reason": "state"},
        {"event": "sign_in_refused", "log_level": "warning", "reason": "expired"},
        {"event": "sign_in_refused", "log_level": "warning", "reason": "state", "status": 400, "unsaid": 499},
    ]
    assert refusals.counted() == {("sign_in_refused", "state"): 501, ("sign_in_refused", "expired"): 1}


def test_a_line_a_source_and_of_a_thousand_sources_a_bounded_number() -> None:
    refusals = Refusals(clock=Clock())
    with capture_logs() as logs:
        for _ in range(3):
            for number in range(1000):
                refusals.refuse("frame_refused", reason="too long", source=f"198.51.100.{number}")
    assert [line["source"] for line in logs] == [f"198.51.100.{number}" for number in range(SOURCES_MAX)]
    assert refusals.counted() == {("frame_refused", "too long"): 3000}


def test_a_source_is_named_once_in_any_minute_whoever_was_named_before_it() -> None:
    refusals = Refusals(clock=(clock := Clock()))
    with capture_logs() as logs:
        refusals.refuse("frame_refused", reason="too long", source="198.51.100.1")
        clock.now += WINDOW_S - 12
        refusals.refuse("frame_refused", reason="too long", source="198.51.100.2")
        clock.now += 12
        for number in (1, 2):
            refusals.refuse("frame_refused", reason="too long", source=f"198.51.100.{number}")
        clock.now += WINDOW_S - 12
        refusals.refuse("frame_refused", reason="too long", source="198.51.100.2")
    assert [line["source"][-1] for line in logs] == ["1", "2", "1", "2"]
