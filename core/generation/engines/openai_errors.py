"""The error table: what the vendor says when a call fails, as our errors."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import openai
import structlog

from core.errors import Charge, EngineError, EngineFault
from core.generation.engines.engine import SideRequest
from core.generation.engines.openai_call import Call, Unfinished
from core.generation.records.comparison import Cost

_log = structlog.get_logger(__name__)
_SAID_MAX = 200


def damaged(request_id: str | None, cost: Cost) -> EngineError:
    """A picture that arrived and cannot be read."""
    return EngineError(
        "OpenAI's picture arrived damaged and cannot be shown; it was probably charged.",
        kind=EngineFault.UNAVAILABLE,
        request_id=request_id,
        charge=Charge(cost.usd, cost.input_tokens, cost.output_tokens),
    )


def late(request: SideRequest, call: Call) -> EngineError:
    """A call that is over its deadline."""
    if not call.sent:
        return _unreachable(EngineFault.TIMED_OUT)
    return EngineError(
        f"The picture was not ready after {request.deadline_s:g} s, which is where this server stops waiting "
        "(GENERATION_DEADLINE_S); it may still be charged.",
        kind=EngineFault.TIMED_OUT,
        request_id=call.request_id,
        charge=Charge(),
    )


def cancelled_error(call: Call) -> EngineError:
    """A call that nobody wants any more."""
    if not call.sent:
        return EngineError("Cancelled before anything was sent.", kind=EngineFault.CANCELLED)
    return EngineError(
        "Cancelled before it was done; what OpenAI had begun may still be charged.",
        kind=EngineFault.CANCELLED,
        request_id=call.request_id,
        charge=Charge(),
    )


def _unreachable(kind: EngineFault) -> EngineError:
    return EngineError(
        "OpenAI could not be reached, so nothing was sent or charged: if this lasts, check the network and "
        "OPENAI_BASE_URL.",
        kind=kind,
    )


@dataclass(frozen=True, slots=True)
class _Rule:
    """One line of the error table: it holds if the code, the type or the status is among its own.

    `charged` where the call may have cost something all the same.
    """

    kind: EngineFault
    sentence: str
    names: frozenset[str] = frozenset()
    statuses: Collection[int] = ()
    charged: bool = False


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
        charged=True,
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


def translated(err: Exception, request: SideRequest, call: Call) -> EngineError:
    """Any failure of a call as an EngineError with its request id; logged, for the vendor's support."""
    if isinstance(err, openai.APIConnectionError):
        failure = _cut(err, request, call)
    elif isinstance(err, openai.APIError) and not isinstance(err, openai.APIResponseValidationError):
        failure = _rejected(err, request, call.request_id)
    else:
        ended = "ended without a picture" if isinstance(err, Unfinished) else "could not be read"
        failure = EngineError(
            f"OpenAI's answer {ended}; it may have been charged.",
            kind=EngineFault.UNAVAILABLE,
            request_id=call.request_id,
            charge=Charge(),
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
        charge=Charge() if rule.charged else None,
    )


def _cut(err: openai.APIConnectionError, request: SideRequest, call: Call) -> EngineError:
    timed_out = isinstance(err, openai.APITimeoutError)
    if not call.sent:
        return _unreachable(EngineFault.TIMED_OUT if timed_out else EngineFault.UNAVAILABLE)
    if timed_out:
        return late(request, call)
    return EngineError(
        "The connection to OpenAI broke off before the picture was complete; it may have been charged.",
        kind=EngineFault.UNAVAILABLE,
        request_id=call.request_id,
        charge=Charge(),
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
