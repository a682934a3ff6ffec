"""The OpenAI engine: one side's request as one call of the Images API, bounded and never repeated."""

from __future__ import annotations

import io
import struct
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import openai
from PIL import Image

from core.errors import BadImage, ConfigError, EngineError, EngineFault, InputError, Overloaded
from core.generation.engines.capabilities import ModelCapability, capability_of, check_request, model_table
from core.generation.engines.engine import AttachedReference, FinalPicture, PartialPicture, SideRequest
from core.generation.engines.openai_answers import AnsweredPicture, Stage, pictures_of
from core.generation.engines.openai_errors import (
    NoPicture,
    address_error,
    cancelled_error,
    damaged_error,
    deadline_error,
    no_base64_error,
    no_room_error,
    translate,
)
from core.generation.engines.openai_uploads import Upload, Uploads
from core.generation.engines.prices import cost_of, estimate
from core.generation.records.comparison import RenderSettings, Size
from core.images.decode import content_type_of, decode_picture
from core.images.encode import encode
from core.openai.call import Broken, Call, Cancelled
from core.openai.client import Endpoint

_AT_ONCE = 4
_NO_PNG = (OSError, SyntaxError, ValueError, struct.error)  # what Pillow raises at one that is broken


class OpenAIEngine:
    """Makes pictures with OpenAI's Images API, or a server that speaks it under `base_url`."""

    name = "openai"

    def __init__(self, endpoint: Endpoint, *, model: str, streaming: bool = True) -> None:
        """With `streaming` partial pictures are asked for, without it the finished one alone.

        Raises ConfigError without a key or with a default model that is not in the table of models.
        """
        if not endpoint.api_key:
            raise ConfigError(
                "OPENAI_API_KEY is missing: the OpenAI engine cannot work without it.", setting="OPENAI_API_KEY"
            )
        try:
            capability_of(model)
        except InputError as err:
            raise ConfigError("OPENAI_IMAGE_MODEL cannot be used: {}", err, setting="OPENAI_IMAGE_MODEL") from err
        self._endpoint = endpoint
        self._streaming = streaming
        self._uploads = Uploads()
        self._models = tuple(dict.fromkeys((model, *(row.name for row in model_table().model))))

    @property
    def models(self) -> tuple[str, ...]:
        """The configured model, then all others that are known."""
        return self._models

    @property
    def server(self) -> str:
        """OpenAI, or the host and port that stand for it."""
        return self._endpoint.server

    @property
    def previews(self) -> bool:
        """Whether a stream is asked for."""
        return self._streaming

    def qualities(self, model: str) -> tuple[str, ...]:
        """The qualities a model can be asked for."""
        return capability_of(model).qualities

    def check(self, render: RenderSettings, *, references: int, prompt_chars: int) -> None:
        """Raise InputError for what the model cannot do."""
        check_request(render.model, render.size, render.quality, references=references, prompt_chars=prompt_chars)

    def estimate(self, render: RenderSettings, *, references: int) -> float | None:
        """US dollars a side may cost, by the dated price table; None when it does not say."""
        return estimate(render.model, render.size, render.quality, references, partials=self._streaming)

    def prepare(self, reference: AttachedReference) -> None:
        """Make a reference ready to be sent, as a later call will find it. Raises EngineError."""
        self._uploads.of(reference)

    def generate(self, request: SideRequest, cancelled: Callable[[], bool]) -> Iterator[PartialPicture | FinalPicture]:
        """Yield partials as they stream in, then the picture. Exactly one call is made. Raises EngineError."""
        ends_at = time.monotonic() + request.deadline_s
        capability = _check(request)
        arguments = _arguments(request, partials=capability.partial_images_max if self._streaming else None)
        uploads = self._make_ready(request.references, cancelled)
        call = Call(
            self._endpoint,
            lambda client: pictures_of(_send(client, arguments, uploads)),
            timeout_s=max(ends_at - time.monotonic(), 0.0),
            name="openai-call",
        )
        try:
            for picture in call.results(ends_at, cancelled):
                if picture.stage is Stage.FINAL:
                    yield _final(picture, request, call)
                    return
                # A partial that cannot be read is left out: the picture itself may still arrive whole.
                if (data := picture.data) and (content_type := content_type_of(data)):
                    progress = (picture.index + 1) / (capability.partial_images_max + 1)
                    yield PartialPicture(data, content_type, min(progress, 1.0))
            raise translate(NoPicture(), request, call)
        except TimeoutError as err:
            raise deadline_error(request, call) from err
        except Cancelled as err:
            raise cancelled_error(call) from err
        except Broken as err:
            raise translate(err.cause, request, call) from err.cause
        finally:
            call.close()

    def _make_ready(
        self, references: tuple[AttachedReference, ...], cancelled: Callable[[], bool]
    ) -> tuple[Upload, ...]:
        """The references in slot order, made ready side by side."""
        if cancelled():
            raise EngineError("Cancelled before anything was sent.", kind=EngineFault.CANCELLED)
        if not references:
            return ()
        with ThreadPoolExecutor(min(_AT_ONCE, len(references)), thread_name_prefix="upload") as pool:
            return tuple(pool.map(lambda each: self._uploads.of(each[1], number=each[0]), enumerate(references, 1)))


def _check(request: SideRequest) -> ModelCapability:
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
        raise EngineError("{}", err, kind=EngineFault.BAD_REQUEST) from err


def _arguments(request: SideRequest, *, partials: int | None) -> dict[str, Any]:
    """What is asked of the API; a stream where there is a number of partial pictures."""
    arguments: dict[str, Any] = {
        "model": request.model,
        "prompt": request.prompt,
        "size": f"{request.size.width}x{request.size.height}",
        "quality": request.quality,
        "output_format": "png",
        "n": 1,
    }
    if partials is not None:
        arguments |= {"stream": True, "partial_images": partials}
    # A hash of the person's address, so that one person's misuse does not stop everybody.
    if request.person_hash:
        arguments["safety_identifier"] = request.person_hash
    return arguments


def _send(client: openai.OpenAI, arguments: dict[str, Any], uploads: tuple[Upload, ...]) -> Any:
    """Start the call; the answer comes back unread, its body behind `with`."""
    images = client.images.with_streaming_response
    if not uploads:
        return images.generate(**arguments)
    return images.edit(image=[(each.name, each.data, each.content_type) for each in uploads], **arguments)


def _final(picture: AnsweredPicture, request: SideRequest, call: Call[Any]) -> FinalPicture:
    cost = cost_of(request.model, picture.usage, datetime.now(UTC).date())
    data = picture.data
    if data is None:
        raise address_error(call, cost) if picture.is_address else no_base64_error(call, cost)
    try:
        data, size, notes = _as_png(data)
    except Overloaded as err:
        raise no_room_error(call, cost) from err
    except (BadImage, *_NO_PNG) as err:
        raise damaged_error(call, cost) from err
    if size != request.size:
        notes.append(f"Asked for {request.size} pixels, got {size}.")
    if picture.quality not in (None, "auto", request.quality) and request.quality != "auto":
        notes.append(f"Asked for quality {request.quality}, got {picture.quality}.")
    return FinalPicture(data, size, cost, request_id=call.request_id, notes=tuple(notes))


def _as_png(data: bytes) -> tuple[bytes, Size, list[str]]:
    """The picture as PNG with its size and what was done for that; one that is sound is left as it is.

    Raises BadImage, Overloaded, or whatever Pillow raises at a PNG.
    """
    content_type = content_type_of(data)
    if content_type == "image/png":
        with suppress(*_NO_PNG):
            return data, _measure(data), []
    was = "with faults in its file" if content_type == "image/png" else f"as {_format_name(content_type)}"
    data = encode(decode_picture(data), "PNG", compress_level=1)
    return data, _measure(data), [f"It came {was} and is kept as PNG."]


def _format_name(content_type: str | None) -> str:
    return (content_type or "image/unknown").removeprefix("image/").upper()


def _measure(data: bytes) -> Size:
    """Size of a PNG from its header, after its checksums have been read to the end."""
    with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
        size = Size(width=image.width, height=image.height)
        image.verify()
    return size
