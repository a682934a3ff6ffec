"""What a server that speaks OpenAI's API says when a call fails, read in one place, and its cause, by one table."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum, auto
from typing import Final

import openai

from core.openai.answers import documents_in
from core.openai.error_bodies import REFUSED, read_body

_TARGET_CHARS: Final = 200


class Cause(Enum):
    """Why a call failed. What that means for a picture or a run is said by who made the call."""

    REFUSED = auto()  # by the safety system
    BAD_PICTURE = auto()
    QUOTA = auto()
    SPENDING_LIMIT = auto()
    RATE_LIMIT = auto()
    KEY = auto()
    FORBIDDEN = auto()
    NO_MODEL = auto()
    TOO_LARGE = auto()
    TIMED_OUT = auto()  # the server's own patience, not ours
    CONFLICT = auto()
    OVERLOADED = auto()
    SERVER_FAULT = auto()
    BAD_REQUEST = auto()
    UNKNOWN = auto()


# The first row that holds decides: by the code or the type of the error, or by the status of the answer.
# https://developers.openai.com/api/docs/guides/error-codes
_CAUSES: Final[tuple[tuple[Cause, frozenset[str], Collection[int]], ...]] = (
    (Cause.REFUSED, frozenset({"moderation_blocked", "content_policy_violation", REFUSED}), ()),
    (
        Cause.BAD_PICTURE,
        frozenset(
            {"invalid_image", "invalid_image_format", "image_parse_error", "invalid_image_url", "image_too_large"}
        ),
        (),
    ),
    (Cause.SPENDING_LIMIT, frozenset({"billing_hard_limit_reached"}), ()),
    (Cause.QUOTA, frozenset({"insufficient_quota", "billing_not_active"}), {402}),
    (Cause.RATE_LIMIT, frozenset({"rate_limit_exceeded"}), {429}),
    # the second is LiteLLM's word for any key but its master key, where it has no database
    (Cause.KEY, frozenset({"invalid_api_key", "no_db_connection"}), {401}),
    (Cause.FORBIDDEN, frozenset(), {403}),
    (Cause.NO_MODEL, frozenset({"model_not_found"}), {404}),
    (Cause.TOO_LARGE, frozenset(), {413}),
    (Cause.TIMED_OUT, frozenset(), {408, 504}),
    (Cause.CONFLICT, frozenset(), {409}),
    (Cause.OVERLOADED, frozenset({"overloaded_error", "service_unavailable", "engine_overloaded"}), {502, 503, 529}),
    (
        Cause.SERVER_FAULT,
        frozenset({"server_error", "internal_error", "image_generation_server_error"}),
        range(500, 600),
    ),
    (Cause.BAD_REQUEST, frozenset({"invalid_request_error", "image_generation_user_error"}), range(400, 500)),
)


@dataclass(frozen=True, slots=True)
class ServerError:
    """What a server said of a call that failed.

    `status` is 0 where the error came within an answer that had begun well. `message` is the server's own words on one
    line, shortened, and without anything that looks like a key; None where it gave no reason. `categories` are those of
    a refusal, in words.
    """

    cause: Cause
    status: int = 0
    message: str | None = None
    categories: tuple[str, ...] = ()
    retry_after_s: float | None = None


def read_error(err: openai.APIError) -> ServerError:
    """Read what the SDK raised. A connection that failed says nothing: its cause is UNKNOWN."""
    status, headers = (err.status_code, err.response.headers) if isinstance(err, openai.APIStatusError) else (0, {})
    said = read_body(_body_of(err), status=status, secret=_key_in(err))
    cause = cause_of(said.names, status or said.status)
    if 300 <= status < 400:
        target = headers.get("location", "").partition("?")[0][:_TARGET_CHARS] or "another address"
        words = f"it redirects to {target}, and nothing is sent there: correct OPENAI_BASE_URL"
        return ServerError(Cause.BAD_REQUEST, status, words)
    return ServerError(cause, status, said.message, said.categories, _retry_after_s(headers))


def cause_of(names: Iterable[object], status: int = 0) -> Cause:
    """The cause behind an error's code and type, and the status of the answer it came with, if any."""
    said = {_snake_case(name) for name in names if isinstance(name, str)}
    return next((cause for cause, known, statuses in _CAUSES if known & said or status in statuses), Cause.UNKNOWN)


def _snake_case(name: str) -> str:
    """As OpenAI writes its codes: some gateways have `contentFilter`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def _body_of(err: openai.APIError) -> object:
    """The whole body; the SDK takes `error` out of it, and what else there was is lost with that."""
    if isinstance(err, openai.APIStatusError):
        with suppress(RuntimeError):  # an answer that nobody has read
            contents = [document.content for document in documents_in(err.response.content)]
            return next((each for each in contents if not isinstance(each, str)), err.response.text) or err.body
    return err.body


def _key_in(err: openai.APIError) -> str:
    """The key that was sent along, which some servers repeat."""
    return str(err.request.headers.get("authorization", "")).removeprefix("Bearer ")


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    """The wait that the server asks for, in seconds; None when it names none that can be understood.

    `retry-after-ms` is OpenAI's own and the finer one.
    """
    for name, per_second in (("retry-after-ms", 1000), ("retry-after", 1)):
        with suppress(ValueError):
            wait_s = float(headers.get(name, "")) / per_second
            if math.isfinite(wait_s) and wait_s >= 0:
                return wait_s
    with suppress(ValueError, TypeError):
        when = parsedate_to_datetime(headers.get("retry-after", ""))
        return max(0.0, (when.replace(tzinfo=when.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
    return None
