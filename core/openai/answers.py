"""The body of an answer as it came: JSON documents one by one, whatever its content type says and stands around them.

Servers that almost speak OpenAI's protocol answer a request for a stream with JSON and the other way round, name no
content type or another one, and send comments, empty events and `[DONE]` in between. So nothing is asked of the
headers: a line that is a field of server-sent events is one, and all other lines are a body of their own.
https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import openai

_FIELD: Final = re.compile(rb"(data|event|id|retry)?: ?")
_LONGEST_COUNT: Final = 18  # digits; beyond some thousands Python reads no number at all
_GAP: Final = re.compile(r"[\s,]*")
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Document:
    """A JSON document of an answer, or the text that came in its place; `event` is the name it was sent under."""

    content: object
    event: str = ""


def documents_of(response: Any) -> Iterator[Document]:
    """The documents of an answer as they arrive, from the SDK's unread response (its `http_response`).

    Of an answer that breaks off, what came whole before comes first. Raises openai.APIConnectionError for one.
    """
    reader = _Reader()
    broken: Exception | None = None
    chunks = response.iter_bytes()
    while True:
        try:
            chunk = next(chunks, None)
        except Exception as err:  # noqa: BLE001 - whatever the HTTP client raises: it is raised again below
            broken, chunk = err, None
        if chunk is None:
            break
        yield from reader.take(chunk)
    yield from reader.end()
    if broken is not None:
        raise openai.APIConnectionError(request=response.request) from broken


def documents_in(body: bytes) -> list[Document]:
    """The documents of an answer that has been read."""
    reader = _Reader()
    return [*reader.take(body), *reader.end()]


def as_object(content: object) -> dict[str, Any]:
    """A JSON object, or an empty one in the place of anything else."""
    return content if isinstance(content, dict) else {}


def is_error(content: object) -> bool:
    """Whether a document says that it is an error, whatever the status of its answer."""
    bodies = content if isinstance(content, list) else [content]
    return any(as_object(each).get("error") or as_object(each).get("Error") for each in bodies)


def mappings_in(content: object, *, depth: int = 6) -> Iterator[dict[str, Any]]:
    """Every JSON object of a document, the outer ones first, as deep as an answer has them."""
    if isinstance(content, dict):
        yield content
    inside = content.values() if isinstance(content, dict) else content if isinstance(content, list) else ()
    if depth:
        for each in inside:
            yield from mappings_in(each, depth=depth - 1)


class _Reader:
    """Takes the bytes as they come and gives documents."""

    def __init__(self) -> None:
        self._line: list[bytes] = []  # the pieces of one that has not ended
        self._event = ""
        self._data: list[bytes] = []
        self._body: list[bytes] = []

    def take(self, chunk: bytes) -> Iterator[Document]:
        first, *others = chunk.split(b"\n")
        self._line.append(first)
        for other in others:
            yield from self._line_ended()
            self._line = [other]

    def end(self) -> Iterator[Document]:
        """What is left: an event that nothing ended, and a body that is none of events."""
        yield from self._line_ended()
        yield from self._event_ended()
        yield from _read(self._body)

    def _line_ended(self) -> Iterator[Document]:
        line = b"".join(self._line).rstrip(b"\r").removeprefix(_BYTE_ORDER_MARK)
        field = _FIELD.match(line)
        if field is None and line.strip():
            self._body.append(line)
        elif field is None:
            yield from self._event_ended()
        elif field[1] == b"data":
            self._data.append(line[field.end() :])
        elif field[1] == b"event":
            yield from self._event_ended()  # also where the blank line between two events is missing
            self._event = line[field.end() :].decode(errors="replace").strip()

    def _event_ended(self) -> Iterator[Document]:
        data, event = self._data, self._event
        self._data, self._event = [], ""
        yield from _read(data, event)


def _read(lines: list[bytes], event: str = "") -> Iterator[Document]:
    """The documents that stand one after the other; from where there is none, the text."""
    text = b"\n".join(lines).decode(errors="replace").strip()
    decoder = json.JSONDecoder(strict=False, parse_int=_number)  # not strict: base64 comes with bare line breaks
    at = 0
    while at < len(text):
        try:
            content, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            if text[at:] != "[DONE]":
                yield Document(text[at:], event)
            return
        yield Document(content, event)
        gap = _GAP.match(text, end)
        at = gap.end() if gap else end


def _number(digits: str) -> float:
    return int(digits) if len(digits) <= _LONGEST_COUNT else float(digits)
