"""What the Images API streams: its events as pictures, from a server that streams or one that cannot."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import openai

from core.generation.engines.prices import TokenUsage

_UNCOUNTED = TokenUsage()


@dataclass(frozen=True, slots=True)
class StreamedPicture:
    """A picture as it arrived: partial or final, still in base64."""

    final: bool
    b64: object
    index: int = 0
    quality: str | None = None
    usage: TokenUsage = _UNCOUNTED


def pictures_of(stream: Any) -> Iterator[StreamedPicture]:
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
