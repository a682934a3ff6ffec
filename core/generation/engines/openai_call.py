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
from core.openai.connection import AbortableConnection, trusted

_CONNECT_S = 10.0
# How long a cancelled or late call may go unnoticed while nothing arrives.
_PATIENCE_S = 0.1


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
class Answer:
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

    def __init__(
        self, send: Callable[[openai.OpenAI], Any], *, api_key: str, base_url: str | None, patience_s: float
    ) -> None:
        self._send = send
        self._api_key = api_key
        self._base_url = base_url
        self._timeout = openai.Timeout(patience_s + 1, connect=min(_CONNECT_S, patience_s + 1))
        self._arrived: queue.SimpleQueue[Answer | Exception] = queue.SimpleQueue()
        self._line = AbortableConnection()
        self._thread = threading.Thread(target=self._run, name="openai-call", daemon=True)

    @property
    def request_id(self) -> str | None:
        """The vendor's id of the call, once an answer has begun."""
        return self._line.request_id

    @property
    def sent(self) -> bool:
        """Whether anything has left the house, so that it may be charged."""
        return self._line.sent

    def answers(self, ends_at: float, cancelled: Callable[[], bool]) -> Iterator[Answer]:
        """Answers as they arrive, until the call ends. Raises Cancelled, Deadline or Broken."""
        if cancelled():
            raise Cancelled
        self._thread.start()
        while True:
            left_s = ends_at - time.monotonic()
            if left_s <= 0:
                yield from self._finished()
                raise Deadline
            with suppress(queue.Empty):
                arrived = self._arrived.get(timeout=min(_PATIENCE_S, left_s))
                if isinstance(arrived, Exception):
                    raise Broken(arrived)
                yield arrived
            if cancelled():
                raise Cancelled

    def _finished(self) -> Iterator[Answer]:
        """The picture if it arrived in time and only was not fetched: it is paid for."""
        for _ in range(self._arrived.qsize()):
            arrived = self._arrived.get_nowait()
            if isinstance(arrived, Answer) and arrived.final:
                yield arrived

    def close(self) -> None:
        """Break the connection off; safe at any time, from any thread."""
        self._line.hang_up()

    def _run(self) -> None:
        try:
            http = openai.DefaultHttpxClient(event_hooks=self._line.hooks, timeout=self._timeout, verify=trusted())
            with openai.OpenAI(
                api_key=self._api_key,
                base_url=self._base_url,
                max_retries=0,
                timeout=self._timeout,
                http_client=http,
            ) as client:
                for answer in _answers_of(self._send(client)):
                    self._arrived.put(answer)
            self._arrived.put(Unfinished())
        except Exception as err:  # noqa: BLE001 - raised again where somebody waits for it
            self._arrived.put(err)


def _answers_of(stream: Any) -> Iterator[Answer]:
    """The vendor's events as answers; also those of a compatible server that cannot stream."""
    with stream:
        if stream.response.headers.get("content-type", "").startswith("application/json"):
            yield _whole_answer(json.loads(stream.response.read()))
            return
        for event in stream:
            kind = str(getattr(event, "type", ""))
            if kind == "error":
                said = event.model_dump(warnings=False)
                raise openai.APIError(str(said.get("message")), stream.response.request, body=said)
            if kind.endswith(".partial_image"):
                yield Answer(False, getattr(event, "b64_json", None), _count(event, "partial_image_index") or 0)
            elif kind.endswith(".completed"):
                yield Answer(
                    True,
                    getattr(event, "b64_json", None),
                    quality=getattr(event, "quality", None),
                    usage=_usage(getattr(event, "usage", None)),
                )


def _whole_answer(body: Any) -> Answer:
    answer = openai.types.ImagesResponse.model_validate(body)
    first = answer.data[0] if answer.data else None
    return Answer(True, first and first.b64_json, quality=answer.quality, usage=_usage(answer.usage))


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
