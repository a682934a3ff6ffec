"""The text half of the OpenAI server for tests: chat completions with a strict JSON schema, and their faults.

It is mounted into `openai_server.py`. A prompt that contains `[[refusal]]`, or the name of any other fault,
gets it.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from tests.fakes.openai_portraits import (
    WRONG_ANSWERS,
    PortraitScript,
    input_tokens,
    is_message,
    is_portrait,
    pictures_of,
)
from tests.fakes.openai_portraits import by_rule as portrait_by_rule

PATH = "/v1/chat/completions"


class TextFault(StrEnum):
    """What can go wrong with a reading."""

    HANG = "hang"
    TRICKLE = "text-trickle"
    CUT = "text-cut"
    RATE_LIMIT = "text-rate-limit"
    SERVER_ERROR = "text-server-error"
    MALFORMED = "malformed"
    NO_JSON = "no-json"
    WRONG_ENUM = "wrong-enum"
    UNKNOWN_TONE = "unknown-tone"
    AGES_CROSSED = "ages-crossed"
    HALF_AN_AGE = "half-an-age"
    NO_VERDICT = "no-verdict"
    REFUSAL = "refusal"
    EMPTY = "empty"
    NO_CHOICES = "no-choices"
    NO_QUOTA = "text-no-quota"
    BLOCKED = "blocked"
    BLOCKED_UNDER_200 = "blocked-under-200"
    USAGE_IN_WORDS = "usage-in-words"
    JSON_AS_TEXT = "json-as-text"
    FORBIDDEN = "text-forbidden"
    BAD_PICTURE = "bad-picture"


@dataclass(slots=True)
class Asked:
    """One call as it arrived; `hung_up` is set once the caller has gone before the answer was complete."""

    headers: dict[str, str]
    fields: dict[str, Any]
    hung_up: threading.Event = field(default_factory=threading.Event)

    @property
    def prompt(self) -> str:
        """What the last message says."""
        return str(self.fields["messages"][-1]["content"])


Script = Callable[[str], "dict[str, Any] | TextFault | None"]
Check = Callable[[Any], bool]


def _messages(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(is_message, value)) and value[-1]["role"] == "user"


def _response_format(value: Any) -> bool:
    if not isinstance(value, dict) or set(value) != {"type", "json_schema"} or value["type"] != "json_schema":
        return False
    named = value["json_schema"]
    return (
        isinstance(named, dict)
        and set(named) <= {"name", "description", "strict", "schema"}
        and re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", str(named.get("name"))) is not None
        and named.get("strict") is True
        and is_strict(named.get("schema"))
    )


def is_strict(schema: Any) -> bool:
    """Whether strict mode takes a schema: every property required, nothing else allowed, all the way down.

    https://developers.openai.com/api/docs/guides/structured-outputs
    """
    if not isinstance(schema, dict) or schema.get("type") != "object":
        return False
    properties = schema.get("properties")
    if not isinstance(properties, dict) or schema.get("additionalProperties") is not False:
        return False
    return sorted(schema.get("required", [])) == sorted(properties) and all(
        is_strict(each) if each.get("type") == "object" else set(each) <= {"type", "enum", "description"}
        for each in properties.values()
    )


FIELDS: dict[str, Check] = {
    "model": lambda value: isinstance(value, str) and bool(value),
    "messages": _messages,
    "response_format": _response_format,
}
OPTIONAL: dict[str, Check] = {
    "reasoning_effort": lambda value: value in ("minimal", "low", "medium", "high"),
}


class FakeText:
    """Reads prompts by a script, else by a small rule; remembers what it was asked."""

    def __init__(self, *, api_key: str | None = None) -> None:
        self.asked: list[Asked] = []
        self.delay_s = 0.0
        self._api_key = api_key
        self._script: Script = lambda _prompt: None
        self._portraits: PortraitScript = lambda _picture: None
        self.retry_after: dict[str, str] = {}

    @property
    def calls(self) -> int:
        """How many requests have arrived."""
        return len(self.asked)

    def script(self, script: Script) -> None:
        """Let a function answer a prompt: with fields of the reading, with a fault, or leave it to the rule."""
        self._script = script

    def portraits(self, script: PortraitScript) -> None:
        """Let a function answer about a picture, given as data URL: with fields, with the name of a fault, or not."""
        self._portraits = script

    def reset(self) -> None:
        """Forget all calls and the scripts."""
        self.asked.clear()
        self.delay_s = 0.0
        self.retry_after = {}
        self._script = lambda _prompt: None
        self._portraits = lambda _picture: None

    def route(self) -> Route:
        """Where it answers."""
        return Route(PATH, self._answer, methods=["POST"])

    async def _answer(self, request: Request) -> Response:
        fields = await request.json()
        asked = Asked(dict(request.headers), fields)
        self.asked.append(asked)
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or not key or self._api_key not in (None, key):
            return _error(401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided.")
        if (wrong := self.check(fields)) is not None:
            return _error(*wrong)
        await asyncio.sleep(self.delay_s)
        if is_portrait(fields):
            return self.portrait(asked)
        scripted = self._script(asked.prompt)
        if scripted is None:
            named = re.search(r"\[\[([a-z0-9-]+)\]\]", asked.prompt)
            scripted = TextFault(named[1]) if named and named[1] in set(TextFault) else {}
        if isinstance(scripted, TextFault):
            return _faulty(scripted, asked, json.dumps(by_rule(asked.prompt)))
        return _completion(asked, json.dumps(by_rule(asked.prompt) | scripted, ensure_ascii=False))

    def check(self, fields: dict[str, Any]) -> tuple[int, str, str, str] | None:
        """What the server would refuse about a request: status, type, code and message; None for nothing."""
        known = FIELDS | OPTIONAL
        for name, value in fields.items():
            if name not in known:
                return 400, "invalid_request_error", "unknown_parameter", f"Unknown parameter: '{name}'."
            if not known[name](value):
                return 400, "invalid_request_error", "invalid_value", f"Invalid value for '{name}'."
        if missing := FIELDS.keys() - fields.keys():
            return 400, "invalid_request_error", "missing_required_parameter", f"Missing: {sorted(missing)}."
        return None

    def portrait(self, asked: Asked) -> Response:
        """What is said about the last picture of a request."""
        picture = pictures_of(asked.fields)[-1]
        scripted = self._portraits(picture)
        right = portrait_by_rule(picture)
        if isinstance(scripted, str) and scripted in WRONG_ANSWERS:
            scripted = WRONG_ANSWERS[scripted]
        if isinstance(scripted, str):
            return _faulty(TextFault(scripted), asked, json.dumps(right), **self.retry_after)
        return _completion(asked, json.dumps(right | (scripted or {}), ensure_ascii=False))


def by_rule(prompt: str) -> dict[str, Any]:
    """A reading good enough to look at: woman or man, in English or Korean, and nothing else."""
    text = prompt.lower()
    woman = re.search(r"\b(?:woman|girl|lady)\b|여자|여성", text) is not None
    man = re.search(r"\b(?:man|boy)\b|남자|남성", text) is not None
    gender = None if woman == man else "feminine" if woman else "masculine"
    return {
        "person": woman or man,
        "gender": gender,
        "age_low": None,
        "age_high": None,
        "tone": None,
        "angle": None,
    }


# What is wrong with an answer that is whole.
_WRONG: dict[TextFault, dict[str, Any]] = {
    TextFault.WRONG_ENUM: {"gender": "somebody"},
    TextFault.UNKNOWN_TONE: {"tone": "no-such-tone"},
    TextFault.AGES_CROSSED: {"age_low": 40, "age_high": 30},
    TextFault.HALF_AN_AGE: {"age_low": 40},
    TextFault.NO_VERDICT: {"person": None},
}


# Answers that are errors: status, type, code and message.
_ERRORS: dict[TextFault, tuple[int, str, str | None, str]] = {
    TextFault.RATE_LIMIT: (429, "requests", "rate_limit_exceeded", "Rate limit reached for requests."),
    TextFault.NO_QUOTA: (429, "insufficient_quota", "insufficient_quota", "You exceeded your current quota."),
    TextFault.BLOCKED: (400, "invalid_request_error", "content_policy_violation", "Blocked by our policy."),
    TextFault.BLOCKED_UNDER_200: (200, "invalid_request_error", "content_filter", "Blocked by our policy."),
    TextFault.FORBIDDEN: (403, "request_forbidden", None, "Country, region, or territory not supported"),
    TextFault.BAD_PICTURE: (400, "invalid_request_error", "invalid_image_format", "You uploaded an unsupported image."),
    TextFault.SERVER_ERROR: (500, "server_error", None, "The server had an error while processing your request."),
}


def _faulty(fault: TextFault, asked: Asked, right: str, **headers: str) -> Response:
    if fault in _WRONG:
        return _completion(asked, json.dumps(json.loads(right) | _WRONG[fault]))
    if fault in _ERRORS:
        return _error(*_ERRORS[fault], **headers)
    match fault:
        case TextFault.USAGE_IN_WORDS:
            answer = json.loads(bytes(_completion(asked, right).body))
            return JSONResponse(answer | {"usage": {"prompt_tokens": "many", "completion_tokens": 4.5}})
        case TextFault.JSON_AS_TEXT:
            return Response(b"\xef\xbb\xbf" + bytes(_completion(asked, right).body), 200, media_type="text/plain")
        case TextFault.NO_JSON:
            return Response("<html>200</html>", 200, media_type="text/html")
        case TextFault.NO_CHOICES:
            return JSONResponse(_body(asked) | {"choices": []})
        case TextFault.MALFORMED:
            return _completion(asked, right[:-5], finish_reason="length")
        case TextFault.REFUSAL:
            return _completion(asked, None, error="I cannot help with that.")
        case TextFault.EMPTY:
            return _completion(asked, "")
    return _Stalling(fault, asked)


class _Stalling(Response):
    """An answer that does not end: it hangs, comes byte by byte, or breaks off."""

    def __init__(self, fault: TextFault, asked: Asked) -> None:
        super().__init__()
        self._fault = fault
        self._asked = asked

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        watching = asyncio.create_task(self._watch(receive))
        if self._fault is not TextFault.HANG:
            headers = [(b"content-type", b"application/json"), (b"x-request-id", b"req_stalling")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": b" ", "more_body": True})
        while self._fault is TextFault.TRICKLE and not watching.done():
            await send({"type": "http.response.body", "body": b" ", "more_body": True})
            await asyncio.sleep(0.02)
        if self._fault is TextFault.CUT:
            watching.cancel()
            return  # uvicorn closes the connection in the middle of the body
        await watching

    async def _watch(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._asked.hung_up.set()


def _completion(
    asked: Asked, content: str | None, *, error: str | None = None, finish_reason: str = "stop"
) -> Response:
    message = {"role": "assistant", "content": content, "refusal": error, "annotations": []}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish_reason}
    return JSONResponse(_body(asked) | {"choices": [choice]}, headers={"x-request-id": f"req_{uuid.uuid4().hex}"})


def _body(asked: Asked) -> dict[str, Any]:
    tokens = input_tokens(asked.fields) if is_portrait(asked.fields) else 700
    usage = {"prompt_tokens": tokens, "completion_tokens": 40, "total_tokens": tokens + 40}
    return {
        "id": f"chatcmpl-{uuid.uuid4().hex}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": asked.fields["model"],
        "usage": usage,
    }


def _error(status: int, kind: str, code: str | None, message: str, **headers: str) -> Response:
    error = {"message": message, "type": kind, "param": None, "code": code}
    return JSONResponse({"error": error}, status, headers={"x-request-id": f"req_{uuid.uuid4().hex}"} | headers)
