"""Metrics: what has happened in this process, counted as Prometheus wants it.

Names, units and buckets follow https://prometheus.io/docs/practices/naming/. Each replica counts its own; what is
true at a moment (the index, the queue) is read when it is asked for, in core/web/health.py.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.metrics_core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from core.generation.records.comparison import Comparison
from core.generation.records.outcome import Outcome, OutcomeState
from core.logs.incidents import reported
from core.logs.refusals import counted

# Else there would be a second series for each counter, which nobody reads.
disable_created_metrics()  # type: ignore[no-untyped-call]

_REQUEST_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_RERUN_S: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 15.0)
_SIDE_S: Final = (0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 90.0, 120.0, 180.0, 270.0, 600.0)  # pictures take 60-150 s


class Metrics:
    """The counters of one process, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        for machine in (ProcessCollector, PlatformCollector, GCCollector):
            machine(registry=self.registry)
        counter, histogram = partial(Counter, registry=self.registry), partial(Histogram, registry=self.registry)
        self._requests = histogram(
            "studio_request_seconds",
            "Time to the first byte of an answer of our own routes.",
            ["route", "status"],
            buckets=_REQUEST_S,
        )
        self._reruns = histogram(
            "studio_rerun_seconds", "Time to draw a page once, on the server.", ["page"], buckets=_RERUN_S
        )
        self._generations = counter("studio_generations", "Attempts that ended, by how.", ["engine", "outcome"])
        self._sides = histogram(
            "studio_generation_seconds", "Time of an attempt from its turn to its end.", ["engine"], buckets=_SIDE_S
        )
        self._spend = counter("studio_spend_usd", "US dollars of attempts whose price is known.", ["engine"])
        self._unpriced = counter(
            "studio_unpriced", "Attempts that were charged, or may have been, at a price nobody knows.", ["engine"]
        )
        self._refused = counter(
            "studio_sign_ins_refused", "Requests, pages and sign-ins that were turned away.", ["reason"]
        )
        self._thumbnails = counter(
            "studio_thumbnails", "Thumbnails that were found in S3, made, or could not be made.", ["result"]
        )
        self.registry.register(_Incidents())

    def request(self, route: str, status: int, seconds: float) -> None:
        """An answer of ours has begun."""
        self._requests.labels(route, str(status)).observe(seconds)

    @contextmanager
    def rerun(self, page: str) -> Iterator[None]:
        """A page is drawn inside, to its end or not."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self._reruns.labels(page).observe(time.perf_counter() - began)

    def attempt_ended(self, comparison: Comparison, outcome: Outcome) -> None:
        """One attempt of one take of a side has ended."""
        engine, failure, cost = comparison.render_of(outcome.side).engine, outcome.failure, outcome.cost
        how = outcome.state.value if failure is None else failure.kind.value
        self._generations.labels(engine, how).inc()
        self._sides.labels(engine).observe(max(0.0, outcome.seconds))
        if cost is not None and cost.usd is not None:
            self._spend.labels(engine).inc(cost.usd)
        elif cost is not None or outcome.state is OutcomeState.DONE:
            self._unpriced.labels(engine).inc()

    def turned_away(self, reason: str) -> None:
        """Somebody was not let in; the reason is one of few words, never a name."""
        self._refused.labels(reason).inc()

    def thumbnail(self, result: str) -> None:
        """`found`, `made` or `failed`."""
        self._thumbnails.labels(result).inc()


class _Incidents(Collector):
    """The process's incidents and refusals: they may come before there is a studio, and from below it."""

    def collect(self) -> Iterable[Metric]:
        """Both counters."""
        says = "Failures nobody expected; the log has each with its id."
        yield CounterMetricFamily("studio_incidents", says, value=reported())
        says = "What strangers and broken programs asked for in vain, by what and why."
        refusals = CounterMetricFamily("studio_refusals", says, labels=["event", "reason"])
        for (event, reason), count in counted().items():
            refusals.add_metric([event, reason], count)
        yield refusals
