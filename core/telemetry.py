"""Telemetry: traces for OpenTelemetry, switched on by its own environment variables and silent without them.

The variables: https://opentelemetry.io/docs/languages/sdk-configuration/. The packages are optional
(requirements-telemetry.txt); this is the only module that knows them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from typing import Final, Protocol

import structlog

from core.generation.records.comparison import Comparison
from core.generation.records.outcome import Outcome

_log = structlog.get_logger(__name__)
_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_FLUSH_MS: Final = 3_000
_SERVICE: Final = "studio-dashboard"

Attributes = Mapping[str, str | int | float | bool]


class Telemetry(Protocol):
    """Where spans go."""

    def span(
        self, name: str, attributes: Attributes, *, parent: Mapping[str, str] | None = None
    ) -> AbstractContextManager[None]:
        """A span around what happens inside; `parent` are the headers of the request that asked for it."""

    def ended(self, name: str, attributes: Attributes, *, began: datetime, at: datetime) -> None:
        """A span of something that is over."""

    def close(self) -> None:
        """Send what is left."""


class NoTelemetry:
    """Nothing is measured, nothing is sent."""

    @contextmanager
    def span(
        self,
        name: str,  # noqa: ARG002 - a telemetry's signature, as everywhere here
        attributes: Attributes,  # noqa: ARG002
        *,
        parent: Mapping[str, str] | None = None,  # noqa: ARG002
    ) -> Iterator[None]:
        """Do what is inside."""
        yield

    def ended(self, name: str, attributes: Attributes, *, began: datetime, at: datetime) -> None:
        """Forget it."""

    def close(self) -> None:
        """There is nothing left."""


class OpenTelemetry:
    """Spans over OTLP (http/protobuf), in batches and behind everybody's back. Raises ImportError."""

    def __init__(self) -> None:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        # OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES come before what is named here
        named = {} if _named(os.environ) else {"service.name": _SERVICE}
        self._provider = TracerProvider(resource=Resource.create(named), shutdown_on_exit=False)
        self._exporter = OTLPSpanExporter()
        self._provider.add_span_processor(BatchSpanProcessor(self._exporter))
        self._tracer = self._provider.get_tracer(_SERVICE)
        self._propagator = TraceContextTextMapPropagator()

    @contextmanager
    def span(self, name: str, attributes: Attributes, *, parent: Mapping[str, str] | None = None) -> Iterator[None]:
        """A span around what happens inside; its trace id stands in the log lines written there."""
        context = self._propagator.extract(dict(parent)) if parent else None
        with self._tracer.start_as_current_span(name, context=context, attributes=dict(attributes)) as span:
            trace = format(span.get_span_context().trace_id, "032x")
            with structlog.contextvars.bound_contextvars(trace=trace):
                yield

    def ended(self, name: str, attributes: Attributes, *, began: datetime, at: datetime) -> None:
        """A span of something that is over."""
        span = self._tracer.start_span(name, attributes=dict(attributes), start_time=_nanoseconds(began))
        span.end(_nanoseconds(at))

    def close(self) -> None:
        """Send what is left, if the collector takes it without delay: nobody waits for one that is away."""
        self._provider.force_flush(_FLUSH_MS)
        self._exporter.shutdown()  # type: ignore[no-untyped-call]
        self._provider.shutdown()


def open_telemetry(environ: Mapping[str, str] | None = None) -> Telemetry:
    """Traces if the environment asks for them and the packages are there; a missing package is said once."""
    environ = os.environ if environ is None else environ
    if not wants_telemetry(environ):
        return NoTelemetry()
    try:
        return OpenTelemetry()
    except ImportError as err:
        _log.warning(
            "telemetry_off",
            reason=f"The environment asks for OpenTelemetry, but the package {err.name} is missing.",
            fix="Install it: .venv/bin/pip install -r requirements-telemetry.txt",
        )
        return NoTelemetry()


def trace_attempt(telemetry: Telemetry, comparison: Comparison, outcome: Outcome) -> None:
    """A span for an attempt that has ended."""
    about = {
        "comparison.id": comparison.id,
        "comparison.side": outcome.side.value,
        "comparison.take": outcome.take,
        "comparison.attempt": outcome.attempt,
        "engine": comparison.render_of(outcome.side).engine,
        "outcome": outcome.state.value if outcome.failure is None else outcome.failure.kind.value,
    }
    telemetry.ended("side", about, began=outcome.started_at, at=outcome.finished_at)


def wants_telemetry(environ: Mapping[str, str]) -> bool:
    """Whether the usual variables switch the export of traces on."""
    if environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    exporter = environ.get("OTEL_TRACES_EXPORTER", "")
    return exporter == "otlp" or (exporter == "" and any(environ.get(name) for name in _ENDPOINTS))


def _named(environ: Mapping[str, str]) -> bool:
    return bool(environ.get("OTEL_SERVICE_NAME")) or "service.name=" in environ.get("OTEL_RESOURCE_ATTRIBUTES", "")


def _nanoseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1e9)
