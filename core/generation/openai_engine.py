"""The OpenAI engine: one side's request as one call of the Images API, streamed, bounded and never repeated."""

from __future__ import annotations

import base64
import binascii
import io
import json
import math
import queue
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import openai
import structlog
from PIL import Image

from core.errors import BadImage, ConfigError, EngineError, EngineFault, InputError
from core.generation.capabilities import Capability, capability_of, check_request, model_table
from core.generation.comparison import RenderSettings, Size
from core.generation.engine import AttachedReference, Final, Partial, SideRequest
from core.generation.prices import TokenUsage, cost_of, estimate
from core.images.decode import content_type_of, decode_picture

_log = structlog.get_logger(__name__)
_CONNECT_S = 10.0
# How long a cancelled or late call may go unnoticed while nothing arrives.
_PATIENCE_S = 0.1
# Longer edges bring the models nothing; this keeps the upload of sixteen pictures below some 30 MB.
_REFERENCE_SIDE_MAX = 2048
_REFERENCE_QUALITY = 95
_SAID_MAX = 200


class OpenAIEngine:
    """Makes pictures with OpenAI's Images API, or a server that speaks it under `base_url`."""

    name = "openai"

    def __init__(self, api_key: str, *, model: str, base_url: str | None = None) -> None:
        """Raises ConfigError without a key or with a default model that is not in the table of models."""
        if not api_key:
            raise ConfigError(
                "OPENAI_API_KEY is missing: the OpenAI engine cannot work without it.", setting="OPENAI_API_KEY"
            )
        try:
            capability_of(model)
        except InputError as err:
            raise ConfigError(
                f"OPENAI_IMAGE_MODEL cannot be used: {err.message}", setting="OPENAI_IMAGE_MODEL"
            ) from err
        self._api_key = api_key
        self._base_url = base_url
        self._models = tuple(dict.fromkeys((model, *(row.name for row in model_table().model))))

    @property
    def models(self) -> tuple[str, ...]:
        """The configured model, then all others that are known."""
        return self._models

    def qualities(self, model: str) -> tuple[str, ...]:
        """The qualities a model can be asked for."""
        return capability_of(model).qualities

    def check(self, render: RenderSettings, *, references: int, prompt_chars: int) -> None:
        """Raise InputError for what the model cannot do."""
        check_request(render.model, render.size, render.quality, references=references, prompt_chars=prompt_chars)

    def estimate(self, render: RenderSettings, *, references: int) -> float | None:
        """US dollars a side may cost, by the dated price table; None when it does not say."""
        return estimate(render.model, render.size, render.quality, references)

    def generate(self, request: SideRequest, cancelled: Callable[[], bool]) -> Iterator[Partial | Final]:
        """Yield partials as they stream in, then the picture. Exactly one call is made. Raises EngineError."""
        ends_at = time.monotonic() + request.deadline_s
        capability = _checked(request)
        pictures = _reencoded(request.references, cancelled)
        call = _Call(
            lambda client: _send(client, request, capability, pictures),
            api_key=self._api_key,
            base_url=self._base_url,
            patience_s=max(ends_at - time.monotonic(), 0.0),
        )
        try:
            for answer in call.answers(ends_at, cancelled):
                if answer.final:
                    yield _final(answer, request, call.request_id)
                    return
                # A partial that cannot be read is left out: the picture itself may still arrive whole.
                if (data := _decoded(answer.b64)) and (content_type := content_type_of(data)):
                    yield Partial(data, content_type, (answer.index + 1) / (capability.partial_images_max + 1))
        except _Deadline as err:
            raise _late(request, call) from err
        except _Cancelled as err:
            raise _stopped(call.request_id) from err
        except _Broken as err:
            raise _translated(err.cause, request, call) from err.cause
        finally:
            call.close()


def _checked(request: SideRequest) -> Capability:
    try:
        check_request(
            request.model,
            request.size,
            request.quality,
            references=len(request.references),
            prompt_chars=len(request.prompt),
        )
        return capability_of(request.model)
    except InputError as err:
        raise EngineError(err.message, kind=EngineFault.BAD_REQUEST) from err


@dataclass(frozen=True, slots=True)
class _Upload:
    """A reference as it is sent: named by place and role only, because file names carry people's names."""

    name: str
    data: bytes


def _reencoded(references: tuple[AttachedReference, ...], cancelled: Callable[[], bool]) -> tuple[_Upload, ...]:
    """The references in slot order as upright sRGB JPEGs without metadata, far below the API's 50 MB each."""
    uploads = []
    for number, reference in enumerate(references, start=1):
        if cancelled():
            raise EngineError("Cancelled before anything was sent.", kind=EngineFault.CANCELLED)
        try:
            picture = decode_picture(reference.data, max_side=_REFERENCE_SIDE_MAX)
        except BadImage as err:
            raise EngineError(
                f"The reference `{reference.key}` cannot be read: {err.message} Re-roll or switch off its slot.",
                kind=EngineFault.BAD_REQUEST,
            ) from err
        out = io.BytesIO()
        picture.save(out, "JPEG", quality=_REFERENCE_QUALITY, subsampling=0)
        uploads.append(_Upload(f"{number:02d}-{reference.role.value}.jpg", out.getvalue()))
    return tuple(uploads)


def _send(client: openai.OpenAI, request: SideRequest, capability: Capability, pictures: tuple[_Upload, ...]) -> Any:
    """Start the call; the vendor's stream of events comes back."""
    arguments: dict[str, Any] = {
        "model": request.model,
        "prompt": request.prompt,
        "size": f"{request.size.width}x{request.size.height}",
        "quality": request.quality,
        "output_format": "png",
        "n": 1,
        "stream": True,
        "partial_images": capability.partial_images_max,
    }
    # A hash of the person's address, so that one person's misuse does not stop everybody.
    if request.person_hash:
        arguments["safety_identifier"] = request.person_hash
    if not pictures:
        return client.images.generate(**arguments)
    return client.images.edit(image=[(each.name, each.data, "image/jpeg") for each in pictures], **arguments)


class _Deadline(Exception):
    """The wall clock ran out."""


class _Cancelled(Exception):
    """Somebody wants the call no more."""


class _Unfinished(Exception):
    """The answer ended without a picture."""


class _Broken(Exception):
    """The call ended in `cause`."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(type(cause).__name__)
        self.cause = cause


_UNCOUNTED = TokenUsage()


@dataclass(frozen=True, slots=True)
class _Answer:
    """A picture as it arrived: partial or final, still in base64."""

    final: bool
    b64: object
    index: int = 0
    quality: str | None = None
    usage: TokenUsage = _UNCOUNTED


class _Call:
    """One HTTP call, on a thread and a connection of its own.

    httpx bounds a single read and never the whole, so a server that trickles would hold its reader for
    ever. Here the reader is a thread: who waits for it looks at the clock, and `close` shuts the socket
    down, which wakes the thread up. A fresh connection also cannot be one that the server has just closed
    for idleness, which without retries would fail a call for nothing.
    """

    def __init__(
        self, send: Callable[[openai.OpenAI], Any], *, api_key: str, base_url: str | None, patience_s: float
    ) -> None:
        self.request_id: str | None = None
        self.sent = False
        self._send = send
        self._api_key = api_key
        self._base_url = base_url
        self._timeout = openai.Timeout(patience_s + 1, connect=min(_CONNECT_S, patience_s + 1))
        self._arrived: queue.SimpleQueue[_Answer | Exception] = queue.SimpleQueue()
        self._socket: socket.socket | None = None
        self._closed = False
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="openai-call", daemon=True)

    def answers(self, ends_at: float, cancelled: Callable[[], bool]) -> Iterator[_Answer]:
        """Answers as they arrive, until the call ends. Raises _Cancelled, _Deadline or _Broken."""
        if cancelled():
            raise _Cancelled
        self._thread.start()
        while True:
            left_s = ends_at - time.monotonic()
            if left_s <= 0:
                yield from self._finished()
                raise _Deadline
            with suppress(queue.Empty):
                arrived = self._arrived.get(timeout=min(_PATIENCE_S, left_s))
                if isinstance(arrived, Exception):
                    raise _Broken(arrived)
                yield arrived
            if cancelled():
                raise _Cancelled

    def _finished(self) -> Iterator[_Answer]:
        """The picture if it arrived in time and only was not fetched: it is paid for."""
        for _ in range(self._arrived.qsize()):
            arrived = self._arrived.get_nowait()
            if isinstance(arrived, _Answer) and arrived.final:
                yield arrived

    def close(self) -> None:
        """Break the connection off; safe at any time, from any thread."""
        with self._lock:
            self._closed = True
            self._break()

    def _break(self) -> None:
        if self._socket is not None:
            # Not the TLS layer's own shutdown, which waits for the other side.
            with suppress(OSError):
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def _run(self) -> None:
        hooks: dict[str, Any] = {"request": [self._on_request], "response": [self._on_response]}
        try:
            http = openai.DefaultHttpxClient(event_hooks=hooks, timeout=self._timeout)
            with openai.OpenAI(
                api_key=self._api_key,
                base_url=self._base_url,
                max_retries=0,
                timeout=self._timeout,
                http_client=http,
            ) as client:
                for answer in _answers_of(self._send(client)):
                    self._arrived.put(answer)
            self._arrived.put(_Unfinished())
        except Exception as err:  # noqa: BLE001 - raised again where somebody waits for it
            self._arrived.put(err)

    def _on_request(self, request: Any) -> None:
        request.extensions["trace"] = self._on_trace

    def _on_trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Keep hold of the newest socket: TCP's, then TLS's, which takes its place."""
        if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            with self._lock:
                self._socket = info["return_value"].get_extra_info("socket")
                if self._closed:
                    self._break()
        elif event.endswith(".send_request_headers.started"):
            self.sent = True

    def _on_response(self, response: Any) -> None:
        self.request_id = response.headers.get("x-request-id")


def _answers_of(stream: Any) -> Iterator[_Answer]:
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
                yield _Answer(False, getattr(event, "b64_json", None), _count(event, "partial_image_index") or 0)
            elif kind.endswith(".completed"):
                yield _Answer(
                    True,
                    getattr(event, "b64_json", None),
                    quality=getattr(event, "quality", None),
                    usage=_usage(getattr(event, "usage", None)),
                )


def _whole_answer(body: Any) -> _Answer:
    answer = openai.types.ImagesResponse.model_validate(body)
    first = answer.data[0] if answer.data else None
    return _Answer(True, first and first.b64_json, quality=answer.quality, usage=_usage(answer.usage))


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


def _final(answer: _Answer, request: SideRequest, request_id: str | None) -> Final:
    data = _decoded(answer.b64)
    content_type = content_type_of(data) if data else None
    if data is None or content_type is None:
        raise _damaged(request_id)
    notes = []
    try:
        if content_type != "image/png":
            notes.append(f"It came as {content_type.removeprefix('image/').upper()} and is kept as PNG.")
            data = _as_png(data)
        size = _measured(data)
    except (BadImage, OSError, SyntaxError, ValueError, struct.error) as err:
        raise _damaged(request_id) from err
    if size != request.size:
        notes.append(f"Asked for {request.size} pixels, got {size}.")
    if answer.quality not in (None, "auto", request.quality) and request.quality != "auto":
        notes.append(f"Asked for quality {request.quality}, got {answer.quality}.")
    cost = cost_of(request.model, answer.usage, datetime.now(UTC).date())
    return Final(data, size, cost, request_id=request_id, notes=tuple(notes))


def _decoded(b64: object) -> bytes | None:
    if not isinstance(b64, str) or not b64:
        return None
    try:
        return base64.b64decode(b64, validate=True)
    except binascii.Error:
        return None


def _as_png(data: bytes) -> bytes:
    out = io.BytesIO()
    decode_picture(data).save(out, "PNG", compress_level=1)
    return out.getvalue()


def _measured(data: bytes) -> Size:
    """Size of a PNG from its header, after its checksums have been read to the end."""
    with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
        size = Size(width=image.width, height=image.height)
        image.verify()
    return size


def _damaged(request_id: str | None) -> EngineError:
    return EngineError(
        "OpenAI's picture arrived damaged and cannot be shown; it was probably charged.",
        kind=EngineFault.UNAVAILABLE,
        request_id=request_id,
    )


def _late(request: SideRequest, call: _Call) -> EngineError:
    if not call.sent:
        return _unreachable(EngineFault.TIMED_OUT)
    return EngineError(
        f"The picture was not ready after {request.deadline_s:g} s, which is where this server stops waiting "
        "(GENERATION_DEADLINE_S); it may still be charged.",
        kind=EngineFault.TIMED_OUT,
        request_id=call.request_id,
    )


def _stopped(request_id: str | None) -> EngineError:
    return EngineError(
        "Cancelled before it was done; what OpenAI had begun may still be charged.",
        kind=EngineFault.CANCELLED,
        request_id=request_id,
    )


def _unreachable(kind: EngineFault) -> EngineError:
    return EngineError(
        "OpenAI could not be reached, so nothing was sent or charged: if this lasts, check the network and "
        "OPENAI_BASE_URL.",
        kind=kind,
    )


@dataclass(frozen=True, slots=True)
class _Rule:
    """One line of the error table: it holds if the code, the type or the status is among its own."""

    kind: EngineFault
    sentence: str
    names: frozenset[str] = frozenset()
    statuses: Collection[int] = ()


# The first rule that holds decides. Codes: https://developers.openai.com/api/docs/guides/error-codes
_RULES = (
    _Rule(
        EngineFault.REFUSED,
        "OpenAI's safety system refused this picture{why}: change {what} and try again.",
        frozenset({"moderation_blocked", "content_policy_violation"}),
    ),
    _Rule(
        EngineFault.RATE_LIMITED,
        "The OpenAI account has used up its credit or budget: waiting does not help, "
        "an administrator must top it up or raise its limit.",
        frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"}),
        {402},
    ),
    _Rule(
        EngineFault.RATE_LIMITED,
        "OpenAI takes no more requests from this account for now: try again {wait}.",
        frozenset({"rate_limit_exceeded"}),
        {429},
    ),
    _Rule(
        EngineFault.BAD_REQUEST,
        "OpenAI does not accept the key of this server: an administrator must set a valid OPENAI_API_KEY.",
        frozenset({"invalid_api_key"}),
        {401},
    ),
    _Rule(
        EngineFault.BAD_REQUEST,
        "OpenAI does not let the OPENAI_API_KEY of this server use {model}: an administrator must get it access.",
        statuses={403},
    ),
    _Rule(
        EngineFault.BAD_REQUEST,
        "OpenAI does not offer {model} to this server: choose another model, or check OPENAI_BASE_URL.",
        frozenset({"model_not_found"}),
        {404},
    ),
    _Rule(
        EngineFault.BAD_REQUEST,
        "The reference pictures are too large together: switch some slots off.",
        statuses={413},
    ),
    _Rule(
        EngineFault.TIMED_OUT,
        "OpenAI itself gave up waiting for the picture; it may have been charged.",
        statuses={408, 504},
    ),
    _Rule(
        EngineFault.UNAVAILABLE,
        "OpenAI is overloaded or down at the moment.",
        frozenset({"overloaded_error", "service_unavailable", "engine_overloaded"}),
        {502, 503, 529},
    ),
    _Rule(
        EngineFault.UNAVAILABLE,
        "OpenAI had a fault of its own while making the picture.",
        frozenset({"server_error", "internal_error", "image_generation_server_error"}),
        range(500, 600),
    ),
    _Rule(
        EngineFault.BAD_REQUEST,
        "OpenAI did not accept the request: {said}.",
        frozenset({"invalid_request_error", "image_generation_user_error"}),
        range(400, 500),
    ),
)
_OTHERWISE = _Rule(EngineFault.UNAVAILABLE, "OpenAI broke off with an error: {said}.")


def _translated(err: Exception, request: SideRequest, call: _Call) -> EngineError:
    """Any failure of a call as an EngineError with its request id."""
    if isinstance(err, openai.APIConnectionError):
        failure = _cut(err, request, call)
    elif isinstance(err, openai.APIError) and not isinstance(err, openai.APIResponseValidationError):
        failure = _rejected(err, request, call.request_id)
    else:
        ended = "ended without a picture" if isinstance(err, _Unfinished) else "could not be read"
        failure = EngineError(
            f"OpenAI's answer {ended}; it may have been charged.",
            kind=EngineFault.UNAVAILABLE,
            request_id=call.request_id,
        )
    # Neither the prompt nor the vendor's words, which may quote it or a key.
    _log.warning(
        "openai_call_failed",
        kind=failure.kind.value,
        cause=type(err).__name__,
        status=getattr(err, "status_code", None),
        code=getattr(err, "code", None),
        request_id=failure.request_id,
    )
    return failure


def _rejected(err: openai.APIError, request: SideRequest, request_id: str | None) -> EngineError:
    """What the vendor said, by the error table."""
    status = err.status_code if isinstance(err, openai.APIStatusError) else 0
    headers: Mapping[str, str] = err.response.headers if isinstance(err, openai.APIStatusError) else {}
    rule = next((rule for rule in _RULES if rule.names & {err.code, err.type} or status in rule.statuses), _OTHERWISE)
    wait_s = _retry_after_s(headers) if "{wait}" in rule.sentence else None
    return EngineError(
        rule.sentence.format(
            why=_why_refused(err.body),
            what="the prompt or the reference pictures" if request.references else "the prompt",
            wait=_in_words(wait_s),
            model=request.model,
            said=_said(err, status),
        ),
        kind=rule.kind,
        request_id=request_id,
        retry_after_s=wait_s,
    )


def _cut(err: openai.APIConnectionError, request: SideRequest, call: _Call) -> EngineError:
    late = isinstance(err, openai.APITimeoutError)
    if not call.sent:
        return _unreachable(EngineFault.TIMED_OUT if late else EngineFault.UNAVAILABLE)
    if late:
        return _late(request, call)
    return EngineError(
        "The connection to OpenAI broke off before the picture was complete; it may have been charged.",
        kind=EngineFault.UNAVAILABLE,
        request_id=call.request_id,
    )


def _why_refused(body: object) -> str:
    """The categories of a refusal in brackets, from its details or else from its message."""
    if not isinstance(body, dict):
        return ""
    details = body.get("moderation_details")
    categories = details.get("categories") if isinstance(details, dict) else None
    if not isinstance(categories, list):
        found = re.search(r"safety_violations=\[([^\]]*)\]", str(body.get("message")))
        categories = found[1].split(",") if found else []
    words = [re.sub(r"[^a-z]+", " ", str(category).lower()).strip() for category in categories]
    named = ", ".join(word for word in words[:5] if word)
    return f" ({named})" if named else ""


def _said(err: openai.APIError, status: int) -> str:
    """The vendor's own words, on one line, shortened, and without anything that looks like a key."""
    said = err.body.get("message") if isinstance(err.body, dict) else None
    if not isinstance(said, str) or not said.strip():
        return f"HTTP {status}" if status else "no reason was given"
    line = re.sub(r"\b(?:sk|sess)-[\w*.-]+", "[key]", " ".join(said.split())).rstrip(".")
    return line if len(line) <= _SAID_MAX else line[:_SAID_MAX].rstrip() + "…"


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    """The wait that the server asks for, in seconds; None when it names none that can be understood."""
    for name, per_second in (("retry-after-ms", 1000), ("retry-after", 1)):
        with suppress(ValueError):
            wait_s = float(headers.get(name, "")) / per_second
            if math.isfinite(wait_s) and wait_s >= 0:
                return wait_s
    with suppress(ValueError, TypeError):
        when = parsedate_to_datetime(headers.get("retry-after", ""))
        return max(0.0, (when.replace(tzinfo=when.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
    return None


def _in_words(wait_s: float | None) -> str:
    if wait_s is None:
        return "in a minute"
    return f"in {math.ceil(wait_s)} s" if wait_s <= 120 else f"in {math.ceil(wait_s / 60)} minutes"
