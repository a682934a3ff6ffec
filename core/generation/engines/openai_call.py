"""One call of the Images API: sent once, watched by the clock, its answers handed on as they stream in."""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import openai

from core.generation.engines.prices import TokenUsage
from core.openai.client import Endpoint
from core.openai.connection import AbortableConnection

_CONNECT_S = 10.0
# How long a cancelled or late call may go unnoticed while nothing arrives.
_LOOK_EVERY_S = 0.1


class Deadline(Exception):
    """The wall clock ran out."""


class Cancelled(Exception):
    """Somebody wants the call no more."""


class Unfinished(Exception):
    """The answer ended without a picture."""


class Broken(Exception):
    """The call ended in `cause`."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(type(cause).__name__)
        self.cause = cause


_UNCOUNTED = TokenUsage()


@dataclass(frozen=True, slots=True)
class StreamedPicture:
    """A picture as it arrived: partial or final, still in base64."""

    final: bool
    b64: object
    index: int = 0
    quality: str | None = None
    usage: TokenUsage = _UNCOUNTED


class Call:
    """One HTTP call, on a thread and a connection of its own.

    Who waits for it looks at the clock, and `close` wakes the thread up. A fresh connection also cannot be
    one that the server has just closed for idleness, which without retries would fail a call for nothing.
    """

    def __init__(self, endpoint: Endpoint, send: Callable[[openai.OpenAI], Any], *, timeout_s: float) -> None:
        """`send` begins the call and returns the vendor's stream of events."""
        self._endpoint = endpoint
        self._send = send
        self._timeout = openai.Timeout(timeout_s + 1, connect=min(_CONNECT_S, timeout_s + 1))
        self._arrived: queue.SimpleQueue[StreamedPicture | Exception] = queue.SimpleQueue()
        self._connection = AbortableConnection()
        self._thread = threading.Thread(target=self._run, name="openai-call", daemon=True)

    @property
    def request_id(self) -> str | None:
        """The vendor's id of the call, once an answer has begun."""
        return self._connection.request_id

    @property
    def sent(self) -> bool:
        """Whether anything has left the house, so that it may be charged."""
        return self._connection.sent

    def pictures(self, ends_at: float, cancelled: Callable[[], bool]) -> Iterator[StreamedPicture]:
        """Pictures as they arrive, until the call ends. Raises Cancelled, Deadline or Broken."""
        if cancelled():
            raise Cancelled
        self._thread.start()
        while True:
            left_s = ends_at - time.monotonic()
            if left_s <= 0:
                yield from self._take_final()
                raise Deadline
            with suppress(queue.Empty):
                arrived = self._arrived.get(timeout=min(_LOOK_EVERY_S, left_s))
                if isinstance(arrived, Exception):
                    raise Broken(arrived)
                yield arrived
            if cancelled():
                raise Cancelled

    def _take_final(self) -> Iterator[StreamedPicture]:
        """The picture if it arrived in time and only was not fetched: it is paid for."""
        for _ in range(self._arrived.qsize()):
            arrived = self._arrived.get_nowait()
            if isinstance(arrived, StreamedPicture) and arrived.final:
                yield arrived

    def close(self) -> None:
        """Break the connection off; safe at any time, from any thread."""
        self._connection.hang_up()

    def _run(self) -> None:
        try:
            with self._endpoint.client(timeout=self._timeout, connection=self._connection) as client:
                for picture in _pictures_of(self._send(client)):
                    self._arrived.put(picture)
            self._arrived.put(Unfinished())
        except Exception as err:  # noqa: BLE001 - raised again where somebody waits for it
            self._arrived.put(err)


def _pictures_of(stream: Any) -> Iterator[StreamedPicture]:
    """The vendor's events as pictures; also those of a compatible server that cannot stream."""
    with stream:
        if stream.response.headers.get("content-type", "").startswith("application/json"):
            yield _whole_picture(json.loads(stream.response.read()))
            return
        for event in stream:
            kind = str(getattr(event, "type", ""))
            if kind == "error":
                said = event.model_dump(warnings=False)
                raise openai.APIError(str(said.get("message")), stream.response.request, body=said)
            if kind.endswith(".partial_image"):
                yield StreamedPicture(
                    False, getattr(event, "b64_json", None), _count(event, "partial_image_index") or 0
                )
            elif kind.endswith(".completed"):
                yield StreamedPicture(
                    True,
                    getattr(event, "b64_json", None),
                    quality=getattr(event, "quality", None),
                    usage=_usage(getattr(event, "usage", None)),
                )


def _whole_picture(body: Any) -> StreamedPicture:
    response = openai.types.ImagesResponse.model_validate(body)
    first = response.data[0] if response.data else None
    return StreamedPicture(True, first and first.b64_json, quality=response.quality, usage=_usage(response.usage))


def _usage(usage: Any) -> TokenUsage:
    details = getattr(usage, "input_tokens_details", None)
    return TokenUsage(
        text_input=_count(details, "text_tokens"),
        image_input=_count(details, "image_tokens"),
        output=_count(usage, "output_tokens"),
    )


def _count(holder: Any, name: str) -> int | None:
    """A number from an answer that the SDK does not validate."""
    value = getattr(holder, name, None)
    return value if isinstance(value, int) and value >= 0 else None
