"""What the Images API answers, as pictures: from a stream or whole, read for the picture and for nothing else."""

from __future__ import annotations

import base64
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Any, Final
from urllib.parse import unquote

import openai

from core.generation.engines.openai_errors import NoPicture
from core.generation.engines.prices import TokenUsage
from core.openai.answers import Document, as_object, documents_of, is_error, mappings_in
from core.openai.error_bodies import REFUSED, read_body

_UNCOUNTED: Final = TokenUsage()
_TOKENS_MAX: Final = 10**9  # of one call; more is no count
_WORD_CHARS_MAX: Final = 40
_DATA_URI: Final = re.compile(r"\s*(?:data:[^,]{0,200},|(?:image/[\w.+-]{1,40};)?base64,){1,2}", re.IGNORECASE)
_ADDRESS: Final = re.compile(r"\s*(https?://|/\S{1,300}\s*$)", re.IGNORECASE)
# White space, also where it was escaped twice, the backslash of `\/`, and the mark that some encoders leave.
_NO_BASE64: Final = re.compile("[\\s\0\u200b-\u200f\u2060\ufeff]|" + r"\\[rnt]?")
# In an answer that is no JSON (any more), what cannot stand in base64 ends the picture.
_PICTURE_IN_TEXT: Final = re.compile(r'"b64_json"\s*:\s*"([^"]+)"')


class Stage(Enum):
    """How far a picture is."""

    PARTIAL = auto()
    FINAL = auto()
    UNNAMED = auto()  # an event that OpenAI has not; the picture, if nothing else comes


@dataclass(frozen=True, slots=True)
class AnsweredPicture:
    """A picture as it arrived, still in base64, or an address in its place."""

    stage: Stage
    text: str
    index: int = 0
    quality: str | None = None
    usage: TokenUsage = _UNCOUNTED

    @property
    def data(self) -> bytes | None:
        """The bytes: from a data URI, broken into lines, without padding, in either alphabet of RFC 4648."""
        text = self.text
        if uri := _DATA_URI.match(text):
            text = text[uri.end() :]
        if "%" in text:
            text = unquote(text)
        text = _NO_BASE64.sub("", text).rstrip("=").translate({ord("-"): "+", ord("_"): "/"})
        try:
            return base64.b64decode(text + "=" * (-len(text) % 4), validate=True) or None
        except ValueError:
            return None

    @property
    def is_address(self) -> bool:
        """Whether the server sent where the picture lies instead of the picture."""
        return bool(_ADDRESS.match(self.text)) and self.data is None


def pictures_of(answering: Any) -> Iterator[AnsweredPicture]:
    """The pictures of an answer that the SDK hands over unread; a final one is the last.

    Raises openai.APIError for an error that came as an answer, APIConnectionError for one that broke off, and NoPicture
    with what came instead of one.
    """
    with answering as answer:
        response = answer.http_response
        if response.headers.get("content-type", "").lower().startswith("image/"):
            yield AnsweredPicture(Stage.FINAL, base64.b64encode(response.read()).decode())
            return
        unnamed: AnsweredPicture | None = None
        instead: object = None
        documents = documents_of(response)
        for document in documents:
            picture = _picture_in(document)
            if picture is None:
                if _is_error(document):
                    raise openai.APIError("", response.request, body=document.content)
                if isinstance(document.content, str) or "." not in _kind_of(document):
                    instead = instead or document.content
            elif picture.stage is Stage.UNNAMED:
                unnamed = picture
            else:
                yield picture
                if picture.stage is Stage.FINAL:
                    deque(documents, maxlen=0)  # to its end, or the server would see somebody hang up
                    return
        if unnamed is None:
            raise _failure(instead, response.request)
        yield replace(unnamed, stage=Stage.FINAL)


def _failure(instead: object, request: Any) -> Exception:
    """An answer without a picture: an error in a shape of its own, or no answer to this question."""
    said = read_body(instead)
    if REFUSED in said.names or (said.message and not isinstance(instead, str)):
        return openai.APIError("", request, body=instead)
    return NoPicture(instead)


def _picture_in(document: Document) -> AnsweredPicture | None:
    content = document.content
    if isinstance(content, str):
        found = _PICTURE_IN_TEXT.search(content)
        is_partial = "partial_image" in content or "partial" in document.event
        return AnsweredPicture(Stage.FINAL, found[1]) if found and not is_partial else None
    row = _row_in(content)
    text = _filled(row.get("b64_json")) or _filled(row.get("url"))
    if text is None:
        return None
    body = as_object(content)
    return AnsweredPicture(
        _stage_of(document, row),
        text,
        index=_count(row.get("partial_image_index")) or 0,
        quality=_short(body.get("quality")) or _short(row.get("quality")),
        usage=_usage(body.get("usage") or row.get("usage")),
    )


def _row_in(content: object) -> dict[str, Any]:
    """The object that holds the base64, wherever it stands, or else the address in its place; empty without either."""
    for mapping in mappings_in(content):
        if _filled(mapping.get("b64_json")):
            return mapping
    if is_error(content):
        return {}  # what it links to is help
    data = content if isinstance(content, list) else as_object(content).get("data")
    rows = map(as_object, (content, *(data if isinstance(data, list) else [data])))
    return next((row for row in rows if _filled(row.get("url"))), {}) or next(_hidden_pictures(content), {})


def _hidden_pictures(content: object) -> Iterator[dict[str, Any]]:
    """Objects that hold a whole picture as an address, at any depth: other addresses may be of anything."""
    for mapping in mappings_in(content):
        if isinstance(url := mapping.get("url"), str) and _DATA_URI.match(url):
            yield mapping


def _filled(value: object) -> str | None:
    return value if isinstance(value, str) and value.strip() else None


def _short(value: object) -> str | None:
    """A word, such as a quality; longer ones are none, and would be kept in every record."""
    return value if isinstance(value, str) and 0 < len(value.strip()) <= _WORD_CHARS_MAX else None


def _stage_of(document: Document, row: dict[str, Any]) -> Stage:
    kind = f"{_kind_of(document)} {row.get('type', '')}"  # gateways put whole events into other objects
    if "completed" in kind:
        return Stage.FINAL
    if "partial" in kind or "partial_image_index" in row:
        return Stage.PARTIAL
    return Stage.UNNAMED if "." in kind else Stage.FINAL


def _kind_of(document: Document) -> str:
    """The name of an event, which stands before it or in it."""
    named = as_object(document.content).get("type")
    return f"{document.event} {named}" if isinstance(named, str) else document.event


def _is_error(document: Document) -> bool:
    kind = _kind_of(document)
    return "error" in kind or "failed" in kind or is_error(document.content)


def _usage(usage: object) -> TokenUsage:
    """What can be read of it; nothing where a sum is no count, or where the picture itself is not in it."""
    counts = as_object(usage)
    sums = [counts.get(name) for name in ("input_tokens", "total_tokens")]
    if any(each is not None and _count(each) is None for each in sums):
        return _UNCOUNTED
    details = as_object(counts.get("input_tokens_details"))
    return TokenUsage(
        text_input=_count(details.get("text_tokens")),
        image_input=_count(details.get("image_tokens")),
        output=_count(counts.get("output_tokens")) or None,
    )


def _count(value: object) -> int | None:
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if 0 <= value <= _TOKENS_MAX else None
