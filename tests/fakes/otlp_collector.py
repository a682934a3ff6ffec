"""A small OpenTelemetry collector for tests: takes traces over OTLP/HTTP and keeps their spans."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True, slots=True)
class Span:
    """A span as it arrived; ids are hexadecimal, times in nanoseconds."""

    service: str
    name: str
    trace: str
    parent: str
    attributes: dict[str, str]
    nanoseconds: int


class Collector:
    """The server and what it received."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.requests = 0
        self.url = ""

    def named(self, name: str) -> list[Span]:
        """The spans of one name."""
        return [span for span in self.spans if span.name == name]

    @contextmanager
    def serving(self) -> Iterator[Collector]:
        """Serve on loopback until the block ends."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                collector.requests += 1
                if self.path == "/v1/traces":
                    collector.spans.extend(_spans_in(ExportTraceServiceRequest.FromString(body)))
                self.send_response(200)
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_args: object) -> None:
                """Say nothing."""

        return Handler


def _spans_in(request: ExportTraceServiceRequest) -> Iterator[Span]:
    for resource in request.resource_spans:
        about = {each.key: each.value.string_value for each in resource.resource.attributes}
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield Span(
                    service=about.get("service.name", ""),
                    name=span.name,
                    trace=span.trace_id.hex(),
                    parent=span.parent_span_id.hex(),
                    attributes={each.key: each.value.string_value for each in span.attributes},
                    nanoseconds=span.end_time_unix_nano - span.start_time_unix_nano,
                )
