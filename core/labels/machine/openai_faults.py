"""What OpenAI says when a portrait cannot be labelled: the picture's fault, a moment's, or the account's."""

from __future__ import annotations

import math
import re
from contextlib import suppress
from enum import StrEnum
from typing import Final

import openai

from core.errors import EngineError, EngineFault

_SAID_MAX: Final = 200
# https://developers.openai.com/api/docs/guides/error-codes
_ACCOUNT: Final = {
    "insufficient_quota": (
        EngineFault.RATE_LIMITED,
        "The OpenAI account has used up its credit or budget: top it up or raise its limit, then run with --resume.",
    ),
    "billing_hard_limit_reached": (
        EngineFault.RATE_LIMITED,
        "The OpenAI account has reached its spending limit: raise it, then run with --resume.",
    ),
    "invalid_api_key": (
        EngineFault.BAD_REQUEST,
        "OpenAI does not accept the key of this server: set a valid OPENAI_API_KEY.",
    ),
}
_ACCOUNT_STATUS: Final = {
    401: _ACCOUNT["invalid_api_key"],
    402: _ACCOUNT["insufficient_quota"],
    403: (
        EngineFault.BAD_REQUEST,
        "OpenAI does not let the OPENAI_API_KEY of this server use this model: get it access, or set "
        "OPENAI_LABEL_MODEL to another.",
    ),
    404: (
        EngineFault.BAD_REQUEST,
        "OpenAI does not offer this model to this server: set OPENAI_LABEL_MODEL to another, or check OPENAI_BASE_URL.",
    ),
}
_REFUSALS: Final = frozenset({"content_policy_violation", "moderation_blocked", "content_filter"})
_BAD_PICTURES: Final = frozenset(
    {"invalid_image", "invalid_image_format", "image_parse_error", "invalid_image_url", "image_too_large"}
)


class ErrorScope(StrEnum):
    """Whose fault a failed call is, which decides what comes next."""

    REFUSED = "refused"  # the picture's: a label with a reason
    PICTURE = "picture"
    MOMENT = "moment"  # nobody's for long: ask again
    ACCOUNT = "account"  # every picture's: stop


def blame_of(err: Exception) -> ErrorScope:
    """Whose fault this is."""
    if isinstance(err, openai.APIConnectionError | openai.APIResponseValidationError):
        return ErrorScope.MOMENT
    if not isinstance(err, openai.APIError):
        return ErrorScope.MOMENT  # an answer that is not of the protocol: a proxy's page, a cut-off body
    named = {err.code, err.type}
    if named & _REFUSALS:
        return ErrorScope.REFUSED
    if named & _BAD_PICTURES:
        return ErrorScope.PICTURE
    if named & _ACCOUNT.keys():
        return ErrorScope.ACCOUNT
    status = err.status_code if isinstance(err, openai.APIStatusError) else 0
    if status in (0, 408, 409, 429) or status >= 500:
        return ErrorScope.MOMENT
    return ErrorScope.ACCOUNT


def blame_of_code(code: object) -> ErrorScope:
    """Whose fault a line of a batch's error file is; whatever is not the picture's is asked again."""
    return (
        ErrorScope.REFUSED if code in _REFUSALS else ErrorScope.PICTURE if code in _BAD_PICTURES else ErrorScope.MOMENT
    )


def stopped(err: Exception) -> EngineError:
    """The end of a run, as one sentence."""
    request_id = getattr(err, "request_id", None)
    if isinstance(err, openai.APIStatusError):
        known = _ACCOUNT.get(str(err.code)) or _ACCOUNT_STATUS.get(err.status_code)
        if known is not None:
            return EngineError(known[1], kind=known[0], request_id=request_id)
    return EngineError(
        f"OpenAI did not accept the request: {said(err)}.", kind=EngineFault.BAD_REQUEST, request_id=request_id
    )


def said(err: Exception) -> str:
    """The vendor's own words on one line, shortened, and without anything that looks like a key."""
    if isinstance(err, openai.APITimeoutError):
        return "no answer in time"
    if isinstance(err, openai.APIConnectionError):
        return "it could not be reached"
    body = getattr(err, "body", None)
    words = body.get("message") if isinstance(body, dict) else None
    if not isinstance(words, str) or not words.strip():
        status = getattr(err, "status_code", None)
        return f"HTTP {status}" if status else "the answer could not be read"
    line = re.sub(r"\b(?:sk|sess)-[\w*.-]+", "[key]", " ".join(words.split())).rstrip(".")
    return line if len(line) <= _SAID_MAX else line[:_SAID_MAX].rstrip() + "…"


def retry_after_s(err: BaseException | None) -> float | None:
    """Seconds the vendor asks to wait, or None.

    `retry-after-ms` is OpenAI's own and the finer one; a date in `Retry-After` is not sent by it.
    """
    if not isinstance(err, openai.APIStatusError):
        return None
    headers = err.response.headers
    for name, scale in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        with suppress(TypeError, ValueError):
            wait_s = float(headers[name]) / scale if name in headers else math.nan
            if wait_s >= 0 and math.isfinite(wait_s):
                return wait_s
    return None
