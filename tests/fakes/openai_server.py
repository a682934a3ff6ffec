"""A small OpenAI server for tests: the Images API's real protocol over HTTP, with faults on demand.

The text half, chat completions, is in `openai_text.py`, portraits in them in `openai_portraits.py`, files and
batches in `openai_batches.py`; all are served along with it.

`python tests/fakes/openai_server.py --port 8080` serves it for `OPENAI_BASE_URL=http://127.0.0.1:8080/v1
OPENAI_STREAMING=on OPENAI_API_KEY=sk-fake make run`. A prompt that contains `[[refuse]]`, or the name of any other
fault, gets it; `[[slow]]` takes its time.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import hashlib
import io
import json
import re
import socket
import sys
import threading
import time
import uuid
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any

import uvicorn
from PIL import Image, ImageChops, ImageStat
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

sys.path.insert(0, str(Path(__file__).parents[2]))  # for when it is started as a file

from tests.fakes.asgi_server import serving_app
from tests.fakes.openai_batches import FakeBatches
from tests.fakes.openai_text import FakeText
from tests.support.latch import Latch
from tests.support.timeouts import LONG_S

PICTURE_BYTES_MAX = 50_000_000
OUTPUT_TOKENS = {"low": 196, "medium": 1756, "high": 7024, "xhigh": 9000, "max": 12000, "auto": 7024}
PICTURE_TOKENS = 1500
OVER_QUOTA = (  # OpenAI's own words, which Google's begin with, too
    "You exceeded your current quota, please check your plan and billing details. For more information on this error, "
    "read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors."
)
HOLD_S = 2 * LONG_S  # a test that forgot to let go ends all the same
_BASIC = frozenset({"low", "medium", "high", "auto"})
_FINE = _BASIC | {"xhigh", "max"}
QUALITIES = {
    "gpt-image-2": _BASIC,
    "gpt-image-2-2026-04-21": _BASIC,
    "gpt-image-2.5-sunburst": _FINE,
    "gpt-image-2.5-sunburst-2026-09-08": _FINE,
    "gpt-image-2.5-flare": _FINE,
    "gpt-image-2.5-flare-2026-09-08": _FINE,
}


class Fault(StrEnum):
    """What can go wrong with a call."""

    REFUSE = "refuse"
    REFUSE_MID_STREAM = "refuse-mid-stream"
    RATE_LIMIT = "rate-limit"
    NO_QUOTA = "no-quota"
    BAD_KEY = "bad-key"
    FORBIDDEN = "forbidden"
    BAD_REQUEST = "bad-request"
    SERVER_ERROR = "server-error"
    OVERLOADED = "overloaded"
    ERROR_MID_STREAM = "error-mid-stream"
    CUT = "cut"
    CUT_BEFORE_HEADERS = "cut-before-headers"
    GARBAGE = "garbage"
    BROKEN_BASE64 = "broken-base64"
    BROKEN_PICTURE = "broken-picture"
    WRONG_SIZE = "wrong-size"
    WRONG_FORMAT = "wrong-format"
    WRONG_QUALITY = "wrong-quality"
    NO_USAGE = "no-usage"
    NO_STREAM = "no-stream"
    NOTHING = "nothing"
    HANG_BEFORE_HEADERS = "hang-before-headers"
    HANG_MID_STREAM = "hang-mid-stream"
    TRICKLE = "trickle"


# What is answered without having made a picture. A 5xx is not among them: of a server that is not OpenAI itself nobody
# knows what stands behind it, and what that had made by then.
UNBILLED = frozenset(
    {
        Fault.REFUSE,
        Fault.REFUSE_MID_STREAM,
        Fault.RATE_LIMIT,
        Fault.NO_QUOTA,
        Fault.BAD_KEY,
        Fault.FORBIDDEN,
        Fault.BAD_REQUEST,
    }
)
# What still brings a picture that can be shown.
WHOLE = frozenset({None, Fault.WRONG_SIZE, Fault.WRONG_FORMAT, Fault.WRONG_QUALITY, Fault.NO_USAGE, Fault.NO_STREAM})


class Moment(StrEnum):
    """The moments of a call at which it can be held."""

    RECEIVED = "received"
    PARTIAL = "partial"
    FINISHED = "finished"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of a server's own making; `body` is told the picture in base64. None is no content type at all."""

    body: Callable[[str], str | bytes]
    content_type: str | None = "application/json"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How a call is answered. `delay_s` passes before each event; `cut_at` counts bytes of the body.

    A latch holds the call at its moment: before anything is answered, after the first partial picture was
    sent, or before the finished one is. A picture is finished only once `hold` is set.
    """

    fault: Fault | None = None
    answer: Answer | None = None
    delay_s: float = 0.0
    cut_at: int = 2000
    retry_after: str | None = "7"
    retry_after_ms: str | None = None
    categories: tuple[str, ...] = ("sexual", "self-harm/intent")
    hold: threading.Event | None = None
    latches: Mapping[Moment, Latch] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Picture:
    """A reference as it arrived."""

    name: str
    content_type: str
    data: bytes


@dataclass(slots=True)
class Received:
    """One call as it arrived; `hung_up` is set once the caller has gone before the answer was complete.

    `billed` is set once the picture was begun: from then on it costs money, whoever gets to see it. `usage` is
    what the caller was told of that, and `delivered` says that a picture left as a whole.
    """

    path: str
    headers: dict[str, str]
    fields: dict[str, Any]
    pictures: tuple[Picture, ...]
    request_id: str
    at: float = field(default_factory=time.monotonic)
    partials_sent: int = 0
    answered: bool = False
    billed: bool = False
    usage: dict[str, Any] | None = None
    delivered: bool = False
    hung_up: threading.Event = field(default_factory=threading.Event)

    @property
    def size(self) -> tuple[int, int]:
        """Asked width and height."""
        size = str(self.fields.get("size", "auto"))
        width, _, height = size.partition("x")
        return (1024, 1024) if size == "auto" else (int(width), int(height))

    def number(self, name: str, default: int = 0) -> int:
        """A numeric field, which is text in a form and a number in JSON."""
        return int(self.fields.get(name, default))

    @property
    def streams(self) -> bool:
        """Whether events are asked for."""
        return str(self.fields.get("stream", "false")).lower() == "true"


class Unacceptable(Exception):
    """A request that OpenAI would answer with an error."""

    def __init__(self, message: str, *, param: str | None = None, code: str | None = None, status: int = 400) -> None:
        super().__init__(message)
        self.status = status
        self.error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}


Check = Callable[[str, dict[str, Any]], bool]


def _one_of(*allowed: str) -> Check:
    return lambda value, _fields: value in allowed


def _between(low: int, high: int) -> Check:
    return lambda value, _fields: value.isdigit() and low <= int(value) <= high


def _size(value: str, _fields: dict[str, Any]) -> bool:
    found = re.fullmatch(r"(\d+)x(\d+)", value)
    if not found:
        return value == "auto"
    width, height = int(found[1]), int(found[2])
    long, short = max(width, height), min(width, height)
    whole = width % 16 == 0 and height % 16 == 0
    return whole and short > 0 and long <= 3 * short and long <= 3840 and 655_360 <= width * height <= 3840 * 2160


def _partials(value: str, fields: dict[str, Any]) -> bool:
    return value in ("0", "1", "2", "3") and str(fields.get("stream", "")).lower() == "true"


def _never(_value: str, _fields: dict[str, Any]) -> bool:
    return False


FIELDS: dict[str, Check] = {
    "model": lambda value, _fields: value in QUALITIES,
    "prompt": lambda value, _fields: 0 < len(value) <= 32_000,
    "size": _size,
    "quality": lambda value, fields: value in QUALITIES.get(str(fields.get("model")), ()),
    "n": _between(1, 10),
    "stream": _one_of("true", "false"),
    "partial_images": _partials,
    "background": _one_of("transparent", "opaque", "auto"),
    "output_format": _one_of("png", "webp", "jpeg"),
    "output_compression": _between(0, 100),
    "safety_identifier": lambda value, _fields: 0 < len(value) <= 64,
    "user": lambda value, _fields: bool(value),
}
PATHS: dict[str, dict[str, Check]] = {
    "/v1/images/edits": FIELDS | {"input_fidelity": _never},  # none of these models lets it be chosen
    "/v1/images/generations": FIELDS | {"moderation": _one_of("low", "auto")},
}


def check(path: str, fields: dict[str, Any], pictures: tuple[Picture, ...]) -> None:
    """Raise Unacceptable unless every field is known and right."""
    known = PATHS[path]
    for name, value in fields.items():
        if name not in known:
            raise Unacceptable(f"Unknown parameter: '{name}'.", param=name, code="unknown_parameter")
        text = str(value).lower() if isinstance(value, bool) else str(value)
        if not known[name](text, fields):
            code = "model_not_found" if name == "model" else "invalid_value"
            raise Unacceptable(f"Invalid value: '{text[:80]}'.", param=name, code=code)
    for name in ("model", "prompt"):
        if name not in fields:
            raise Unacceptable(f"Missing required parameter: '{name}'.", param=name, code="missing_required_parameter")
    if path == "/v1/images/edits":
        _check_pictures(pictures)


def _check_pictures(pictures: tuple[Picture, ...]) -> None:
    if not 1 <= len(pictures) <= 16:
        raise Unacceptable("Between 1 and 16 images are needed.", param="image", code="invalid_value")
    for picture in pictures:
        try:
            with Image.open(io.BytesIO(picture.data), formats=("PNG", "JPEG", "WEBP")) as image:
                found = f"image/{str(image.format).lower()}"
        except OSError:
            found = "unknown"
        if found != picture.content_type or len(picture.data) >= PICTURE_BYTES_MAX:
            raise Unacceptable("Invalid image file or mode.", param="image", code="invalid_image_file")


class FakeOpenAI:
    """The server: what it received, and how it will behave."""

    def __init__(self, *, api_key: str | None = None, default: Behaviour | None = None) -> None:
        self.received: list[Received] = []
        self.text = FakeText(api_key=api_key)
        self.batches = FakeBatches(self.text)
        self.default = default or Behaviour()
        self._api_key = api_key
        self._next: deque[Behaviour] = deque()
        self._chooser: Callable[[Received], Behaviour | None] | None = None
        self.base_url = ""
        self.models = [*QUALITIES, "gpt-5-mini"]

    @property
    def calls(self) -> int:
        """How many requests have arrived."""
        return len(self.received)

    def will(self, *behaviours: Behaviour) -> None:
        """Answer the next calls in these ways, in this order."""
        self._next.extend(behaviours)

    def choose(self, chooser: Callable[[Received], Behaviour | None] | None) -> None:
        """Let a function look at each call and decide; None leaves it to the rest."""
        self._chooser = chooser

    def reset(self) -> None:
        """Forget all calls and plans."""
        self.text.reset()
        self.batches.reset()
        self.received.clear()
        self._next.clear()
        self._chooser = None

    def behaviour_for(self, received: Received) -> Behaviour:
        """Chosen by the function, else the next planned, else named in the prompt, else the default."""
        chosen = self._chooser(received) if self._chooser else None
        if chosen is not None:
            return chosen
        if self._next:
            return self._next.popleft()
        named = re.search(r"\[\[([a-z0-9-]+)\]\]", str(received.fields.get("prompt")))
        if named and named[1] == "slow":
            return Behaviour(delay_s=2.0)
        if named and named[1] in {fault.value for fault in Fault}:
            return Behaviour(Fault(named[1]))
        return self.default

    def app(self) -> Starlette:
        """The ASGI application."""
        pictures = [Route(path, self._answer, methods=["POST"]) for path in PATHS]
        return Starlette(
            routes=[*pictures, Route("/v1/models", self._models), self.text.route(), *self.batches.routes()]
        )

    async def _models(self, request: Request) -> Response:
        """The models that the key may use."""
        try:
            self._check_key(request.headers.get("authorization", ""))
        except Unacceptable as err:
            return _error(err.status, err.error, f"req_{uuid.uuid4().hex}")
        rows = [{"id": name, "object": "model", "created": 0, "owned_by": "openai"} for name in self.models]
        return JSONResponse({"object": "list", "data": rows})

    async def _answer(self, request: Request) -> Response:
        request_id = f"req_{uuid.uuid4().hex}"
        fields, pictures = await _read(request)
        received = Received(request.url.path, dict(request.headers), fields, pictures, request_id)
        self.received.append(received)
        try:
            self._check_key(request.headers.get("authorization", ""))
            check(received.path, fields, pictures)
        except Unacceptable as err:
            received.answered = True
            return _error(err.status, err.error, request_id)
        return _Answering(received, self.behaviour_for(received))

    def _check_key(self, authorization: str) -> None:
        scheme, _, key = authorization.partition(" ")
        if scheme != "Bearer" or not key or (self._api_key is not None and key != self._api_key):
            raise Unacceptable(
                f"Incorrect API key provided: {key[:8]}***{key[-4:]}.", code="invalid_api_key", status=401
            )

    @contextmanager
    def serving(self, port: int = 0) -> Iterator[FakeOpenAI]:
        """Serve on loopback, in a thread, until the block ends."""
        listening = socket.create_server(("127.0.0.1", port))
        self.base_url = f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
        with serving_app(self.app(), listening, "fake-openai"):
            yield self


async def _read(request: Request) -> tuple[dict[str, Any], tuple[Picture, ...]]:
    """Fields and pictures of a form or of JSON; what is given twice is an error of its own."""
    if request.headers.get("content-type", "").startswith("application/json"):
        return await request.json(), ()
    fields: dict[str, Any] = {}
    pictures = []
    async with request.form(max_files=20, max_part_size=PICTURE_BYTES_MAX) as form:
        for name, value in form.multi_items():
            if isinstance(value, UploadFile) and name in ("image", "image[]"):
                pictures.append(Picture(value.filename or "", value.content_type or "", await value.read()))
            else:
                fields[f"{name} (twice)" if name in fields else name] = value
    return fields, tuple(pictures)


def _error(status: int, error: dict[str, Any], request_id: str, **headers: str) -> Response:
    return JSONResponse({"error": error}, status, headers={"x-request-id": request_id} | headers)


def _error_body(kind: str, code: str | None, message: str, **more: Any) -> dict[str, Any]:
    return {"message": message, "type": kind, "param": None, "code": code, **more}


class _Answering(Response):
    """An answer with full control over when and where it ends."""

    def __init__(self, received: Received, behaviour: Behaviour) -> None:
        super().__init__()
        self._received = received
        self._behaviour = behaviour
        edit = received.path.endswith("edits")
        self._event = "image_edit" if edit else "image_generation"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        watching = asyncio.create_task(self._watch(receive))
        try:
            self._received.billed = self._behaviour.fault not in UNBILLED
            await self._hold(Moment.RECEIVED, watching)
            if (early := self._own() or self._early()) is not None:
                await early(scope, receive, send)
                self._received.answered = True
            elif self._behaviour.fault is Fault.HANG_BEFORE_HEADERS:
                await watching
            elif self._behaviour.fault is Fault.CUT_BEFORE_HEADERS:
                # ASGI has no word for this: uvicorn would answer 500 in the place of an application that does not.
                receive.__self__.transport.abort()  # type: ignore[attr-defined]  # uvicorn's bound method
                await watching
            else:
                await self._body(send, watching)
        finally:
            watching.cancel()

    async def _hold(self, moment: Moment, watching: asyncio.Task[None]) -> None:
        if (latch := self._behaviour.latches.get(moment)) is not None:
            passing = asyncio.ensure_future(latch.passed())
            await asyncio.wait({passing, watching}, return_when=asyncio.FIRST_COMPLETED)
            passing.cancel()

    async def _watch(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        if not self._received.answered:
            self._received.hung_up.set()

    def _own(self) -> Response | None:
        if (own := self._behaviour.answer) is None:
            return None
        headers = {"x-request-id": self._received.request_id} | own.headers
        if own.content_type is not None:
            headers["content-type"] = own.content_type
        return Response(own.body(self._picture()), own.status, headers)

    def _early(self) -> Response | None:
        """Answers that are errors from the start."""
        behaviour, request_id = self._behaviour, self._received.request_id
        match behaviour.fault:
            case Fault.REFUSE:
                return _error(400, self._refusal("input"), request_id)
            case Fault.RATE_LIMIT:
                waits = {"retry-after": behaviour.retry_after, "retry-after-ms": behaviour.retry_after_ms}
                error = _error_body("requests", "rate_limit_exceeded", "Rate limit reached for images per minute.")
                return _error(429, error, request_id, **{name: wait for name, wait in waits.items() if wait})
            case Fault.NO_QUOTA:
                error = _error_body("insufficient_quota", "insufficient_quota", OVER_QUOTA)
                return _error(429, error, request_id)
            case Fault.BAD_KEY:
                key = self._received.headers["authorization"].removeprefix("Bearer ")
                error = _error_body("invalid_request_error", "invalid_api_key", f"Incorrect API key provided: {key}.")
                return _error(401, error, request_id)
            case Fault.FORBIDDEN:
                error = _error_body("invalid_request_error", None, "Your organization must be verified.")
                return _error(403, error, request_id)
            case Fault.BAD_REQUEST:
                error = _error_body("invalid_request_error", "invalid_value", "Invalid value: 'x' for key sk-abc123.")
                return _error(400, error, request_id)
            case Fault.SERVER_ERROR:
                error = _error_body("server_error", None, "The server had an error while processing your request.")
                return _error(500, error, request_id)
            case Fault.OVERLOADED:
                return Response("<html>503</html>", 503, {"x-request-id": request_id}, "text/html")
        return None

    def _refusal(self, stage: str) -> dict[str, Any]:
        named = ", ".join(self._behaviour.categories)
        message = f"Your request was rejected by the safety system. safety_violations=[{named}]."
        details = {"moderation_stage": stage, "categories": list(self._behaviour.categories)}
        return _error_body("image_generation_user_error", "moderation_blocked", message, moderation_details=details)

    async def _body(self, send: Send, watching: asyncio.Task[None]) -> None:
        received, fault = self._received, self._behaviour.fault
        streams = received.streams and fault is not Fault.NO_STREAM
        kind = b"text/event-stream; charset=utf-8" if streams else b"application/json"
        headers = [(b"content-type", kind), (b"x-request-id", received.request_id.encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        left = self._behaviour.cut_at
        async for part in self._events(watching) if streams else self._whole(watching):
            if watching.done():
                return
            if fault is Fault.CUT:
                part, left = part[:left], left - len(part)
            await send(_chunk(part))
            if fault is Fault.CUT and left <= 0:
                return  # uvicorn closes the connection in the middle of the body
        if fault is Fault.HANG_MID_STREAM:
            await watching
        while fault is Fault.TRICKLE and not watching.done():
            await send(_chunk(b": still at it\n\n"))
            await asyncio.sleep(0.02)
        if not watching.done():
            received.answered = True
            received.delivered = fault in WHOLE
            await send(_chunk(b"", more=False))

    async def _events(self, watching: asyncio.Task[None]) -> AsyncIterator[bytes]:
        fault = self._behaviour.fault
        partials = self._received.number("partial_images")
        ends_early = fault in (Fault.HANG_MID_STREAM, Fault.TRICKLE, Fault.NOTHING, Fault.REFUSE_MID_STREAM)
        for index in range(min(partials, 1) if ends_early or fault is Fault.ERROR_MID_STREAM else partials):
            await asyncio.sleep(self._behaviour.delay_s)
            picture = await asyncio.to_thread(self._picture, partial=True)
            self._received.partials_sent += 1  # before it can be read, so that nobody has one that is not counted
            yield self._as_event("partial_image", b64_json=picture, partial_image_index=index)
            if index == 0:
                await self._hold(Moment.PARTIAL, watching)
        if fault is Fault.GARBAGE:
            yield b"event: x\ndata: {not json\n\n"  # and the picture with it
        if fault is Fault.REFUSE_MID_STREAM:
            yield _event("error", {"type": "error", "error": self._refusal("output")})
        if fault is Fault.ERROR_MID_STREAM:
            yield _event("error", {"type": "error", "code": "server_error", "message": "It broke.", "param": None})
        if ends_early or fault in (Fault.ERROR_MID_STREAM, Fault.GARBAGE):
            return
        await self._finish(watching)
        more = {} if fault is Fault.NO_USAGE else {"usage": self._usage()}
        yield self._as_event("completed", b64_json=await asyncio.to_thread(self._picture), **more)

    async def _finish(self, watching: asyncio.Task[None]) -> None:
        """Take the time that the finished picture takes."""
        await asyncio.sleep(self._behaviour.delay_s)
        if self._behaviour.hold is not None:
            await asyncio.to_thread(self._behaviour.hold.wait, HOLD_S)
        await self._hold(Moment.FINISHED, watching)

    async def _whole(self, watching: asyncio.Task[None]) -> AsyncIterator[bytes]:
        await self._finish(watching)
        picture = await asyncio.to_thread(self._picture)
        body = {"created": int(time.time()), "data": [{"b64_json": picture}], "usage": self._usage()}
        yield json.dumps(body | self._described()).encode()

    def _as_event(self, name: str, **content: Any) -> bytes:
        kind = f"{self._event}.{name}"
        return _event(kind, {"type": kind, "created_at": int(time.time()), **self._described(), **content})

    def _described(self) -> dict[str, str]:
        width, height = self._received.size
        quality = str(self._received.fields.get("quality", "auto"))
        if self._behaviour.fault is Fault.WRONG_QUALITY:
            quality = "low"
        return {"size": f"{width}x{height}", "quality": quality, "background": "opaque", "output_format": "png"}

    def _usage(self) -> dict[str, Any]:
        text = len(str(self._received.fields["prompt"])) // 4 + 1
        pictures = PICTURE_TOKENS * len(self._received.pictures)
        output = OUTPUT_TOKENS[str(self._received.fields.get("quality", "auto"))]
        output += 100 * self._received.number("partial_images")
        usage = {
            "input_tokens": text + pictures,
            "input_tokens_details": {"text_tokens": text, "image_tokens": pictures},
            "output_tokens": output,
            "total_tokens": text + pictures + output,
        }
        if self._behaviour.fault not in (Fault.GARBAGE, Fault.CUT):  # those who call never get to read it
            self._received.usage = usage
        return usage

    def _picture(self, *, partial: bool = False) -> str:
        width, height = self._received.size
        fault = self._behaviour.fault
        if fault is Fault.WRONG_SIZE:
            width, height = width // 2, height // 2
        if fault is Fault.BROKEN_BASE64 and not partial:
            return "*** this is no base64 ***"
        kind = "JPEG" if fault is Fault.WRONG_FORMAT else "PNG"
        data = paint((width, height), self._received, soft=partial, kind=kind)
        if fault is Fault.BROKEN_PICTURE and not partial:
            data = data[: len(data) // 2]
        return _base64(data)


def paint(size: tuple[int, int], received: Received, *, soft: bool = False, kind: str = "PNG") -> bytes:
    """Clouds in the colour of the first reference, or in one that follows from the prompt; the same each time."""
    if received.pictures:
        with Image.open(io.BytesIO(received.pictures[0].data)) as reference:
            reference.draft("RGB", (64, 64))
            mean = ImageStat.Stat(reference.convert("RGB").resize((32, 32))).mean
        red, green, blue = (round(value) for value in mean)
    else:
        red, green, blue = hashlib.sha256(str(received.fields["prompt"]).encode()).digest()[:3]
    return _clouds(size, (red, green, blue), soft, kind)


@lru_cache(maxsize=64)
def _clouds(size: tuple[int, int], colour: tuple[int, int, int], soft: bool, kind: str) -> bytes:
    clouds = Image.effect_noise((4, 5) if soft else (16, 20), 60).resize(size, Image.Resampling.BICUBIC)
    out = io.BytesIO()
    picture = ImageChops.soft_light(Image.new("RGB", size, colour), clouds.convert("RGB"))
    picture.save(out, kind, compress_level=1)
    return out.getvalue()


@lru_cache(maxsize=64)
def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _event(name: str, data: dict[str, Any]) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()


def _chunk(body: bytes, *, more: bool = True) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": more}


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--delay", type=float, default=1.0, help="seconds before each event")
    parser.add_argument("--fault", type=Fault, choices=list(Fault), help="what every call meets")
    asked = parser.parse_args()
    fake = FakeOpenAI(default=Behaviour(asked.fault, delay_s=asked.delay))
    print(f"OPENAI_BASE_URL=http://127.0.0.1:{asked.port}/v1", flush=True)
    uvicorn.run(fake.app(), host="127.0.0.1", port=asked.port, log_level="info", lifespan="off", ws="none")


if __name__ == "__main__":
    main()
