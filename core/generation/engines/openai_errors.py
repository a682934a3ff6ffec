"""What the causes of failed calls mean for a picture: our errors, with the sentences that people see."""

from __future__ import annotations

import math
from typing import Any, LiteralString

import openai
import structlog

from core.errors import Charge, EngineError, EngineFault, StudioError
from core.generation.engines.engine import SideRequest
from core.generation.records.outcome import Cost
from core.openai.call import Call
from core.openai.errors import Cause, read_error

_log = structlog.get_logger(__name__)


class Unfinished(Exception):
    """The answer ended without a picture."""


def damaged_error(
    request_id: str | None,
    cost: Cost,
    sentence: LiteralString = "OpenAI's picture arrived damaged and cannot be shown; it was probably charged.",
) -> EngineError:
    """A picture that arrived and cannot be read."""
    return EngineError(
        sentence,
        kind=EngineFault.UNAVAILABLE,
        request_id=request_id,
        charge=Charge(cost.usd, cost.input_tokens, cost.output_tokens),
    )


def deadline_error(request: SideRequest, call: Call[Any]) -> EngineError:
    """A call that is over its deadline."""
    if not call.sent:
        return _unreachable_error(EngineFault.TIMED_OUT)
    return _charged_error(
        EngineFault.TIMED_OUT,
        call,
        "The picture was not ready after {:g} s, which is where this server stops waiting (GENERATION_DEADLINE_S); "
        "it may still be charged.",
        request.deadline_s,
    )


def cancelled_error(call: Call[Any]) -> EngineError:
    """A call that nobody wants any more."""
    if not call.sent:
        return EngineError("Cancelled before anything was sent.", kind=EngineFault.CANCELLED)
    return _charged_error(
        EngineFault.CANCELLED, call, "Cancelled before it was done; what OpenAI had begun may still be charged."
    )


def _charged_error(kind: EngineFault, call: Call[Any], sentence: LiteralString, *values: object) -> EngineError:
    """A call that may have cost something; nobody knows what."""
    return EngineError(sentence, *values, kind=kind, request_id=call.request_id, charge=Charge())


def _unreachable_error(kind: EngineFault) -> EngineError:
    return EngineError(
        "OpenAI could not be reached, so nothing was sent or charged: if this lasts, check the network and "
        "OPENAI_BASE_URL.",
        kind=kind,
    )


# What a cause means for a picture: the kind of the error, and the sentence for a person.
_NO_CREDIT = (
    EngineFault.RATE_LIMITED,
    "The OpenAI account has used up its credit or budget: waiting does not help, "
    "an administrator must top it up or raise its limit.",
)
_NOT_ACCEPTED = (EngineFault.BAD_REQUEST, "OpenAI did not accept the request: {said}.")
_MEANINGS = {
    Cause.REFUSED: (
        EngineFault.REFUSED,
        "OpenAI's safety system refused this picture{why}: change {what} and try again.",
    ),
    Cause.BAD_PICTURE: _NOT_ACCEPTED,
    Cause.QUOTA: _NO_CREDIT,
    Cause.SPENDING_LIMIT: _NO_CREDIT,
    Cause.RATE_LIMIT: (
        EngineFault.RATE_LIMITED,
        "OpenAI takes no more requests from this account for now: try again {wait}.",
    ),
    Cause.KEY: (
        EngineFault.BAD_REQUEST,
        "OpenAI does not accept the key of this server: an administrator must set a valid OPENAI_API_KEY.",
    ),
    Cause.FORBIDDEN: (
        EngineFault.BAD_REQUEST,
        "OpenAI does not let the OPENAI_API_KEY of this server use {model}: an administrator must get it access.",
    ),
    Cause.NO_MODEL: (
        EngineFault.BAD_REQUEST,
        "OpenAI does not offer {model} to this server: choose another model, or check OPENAI_BASE_URL.",
    ),
    Cause.TOO_LARGE: (EngineFault.BAD_REQUEST, "The reference pictures are too large together: switch some slots off."),
    Cause.TIMED_OUT: (
        EngineFault.TIMED_OUT,
        "OpenAI itself gave up waiting for the picture; it may have been charged.",
    ),
    Cause.CONFLICT: _NOT_ACCEPTED,
    Cause.OVERLOADED: (EngineFault.UNAVAILABLE, "OpenAI is overloaded or down at the moment."),
    Cause.SERVER_FAULT: (EngineFault.UNAVAILABLE, "OpenAI had a fault of its own while making the picture."),
    Cause.BAD_REQUEST: _NOT_ACCEPTED,
    Cause.UNKNOWN: (EngineFault.UNAVAILABLE, "OpenAI broke off with an error: {said}."),
}


def translate(err: Exception, request: SideRequest, call: Call[Any]) -> EngineError:
    """Any failure of a call as an EngineError with its request id; logged, for the vendor's support."""
    if isinstance(err, StudioError):
        failure = _unsent_error(err)
    elif isinstance(err, openai.APIConnectionError):
        failure = _connection_error(err, request, call)
    elif isinstance(err, openai.APIError) and not isinstance(err, openai.APIResponseValidationError):
        failure = _status_error(err, request, call.request_id)
    else:
        ended = "ended without a picture" if isinstance(err, Unfinished) else "could not be read"
        failure = _charged_error(EngineFault.UNAVAILABLE, call, "OpenAI's answer {}; it may have been charged.", ended)
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


def _unsent_error(err: StudioError) -> EngineError:
    """A call that never left this server."""
    kind = err.kind if isinstance(err, EngineError) else EngineFault.BAD_REQUEST
    return EngineError("No call could be made, so nothing was sent or charged: {}", err, kind=kind)


def _status_error(err: openai.APIError, request: SideRequest, request_id: str | None) -> EngineError:
    said = read_error(err)
    kind, sentence = _MEANINGS[said.cause]
    wait_s = said.retry_after_s if said.cause is Cause.RATE_LIMIT else None
    return EngineError(
        sentence,
        why=f" ({', '.join(said.categories[:5])})" if said.categories else "",
        what="the prompt or the reference pictures" if request.references else "the prompt",
        wait=_in_words(wait_s),
        model=request.model,
        said=said.message or (f"HTTP {said.status}" if said.status else "no reason was given"),
        kind=kind,
        request_id=request_id,
        retry_after_s=wait_s,
        charge=Charge() if said.cause is Cause.TIMED_OUT else None,
    )


def _connection_error(err: openai.APIConnectionError, request: SideRequest, call: Call[Any]) -> EngineError:
    if isinstance(err, openai.APITimeoutError):
        return deadline_error(request, call)
    return _charged_error(
        EngineFault.UNAVAILABLE,
        call,
        "The connection to OpenAI broke off before the picture was complete; it may have been charged.",
    )


def _in_words(wait_s: float | None) -> str:
    if wait_s is None:
        return "in a minute"
    return f"in {math.ceil(wait_s)} s" if wait_s <= 120 else f"in {math.ceil(wait_s / 60)} minutes"
