"""What the causes of failed calls mean for a picture: our errors, with the sentences that people see."""

from __future__ import annotations

import math
import re
from typing import Any, LiteralString

import openai
import structlog

from core.errors import Charge, EngineError, EngineFault, StudioError
from core.generation.engines.engine import SideRequest
from core.generation.records.outcome import Cost
from core.openai.call import Call
from core.openai.error_bodies import read_body
from core.openai.errors import Cause, read_error

_log = structlog.get_logger(__name__)


class NoPicture(Exception):
    """The answer ended without a picture; `said` is what came in its place, if anything."""

    def __init__(self, said: object = None) -> None:
        super().__init__("no picture")
        self.said = said


def address_error(call: Call[Any], cost: Cost) -> EngineError:
    """An answer that says where a picture lies. It is not fetched from there: the address is the far side's choice."""
    return _arrived_error(
        EngineFault.BAD_REQUEST,
        call,
        cost,
        "{server} sent the address of a picture (`url`) instead of the picture: have it answer with `b64_json`, which "
        "is the setting `response_format` of the model on that server or gateway. The picture may have been charged.",
    )


def no_base64_error(call: Call[Any], cost: Cost) -> EngineError:
    """What stands in the place of the picture, and is nothing that bytes could be read from."""
    return _arrived_error(
        EngineFault.UNAVAILABLE,
        call,
        cost,
        "{server} sent something that is not base64 in the place of the picture, so it cannot be read; "
        "it was probably charged.",
    )


def damaged_error(call: Call[Any], cost: Cost) -> EngineError:
    """A picture that arrived and cannot be shown."""
    return _arrived_error(
        EngineFault.UNAVAILABLE,
        call,
        cost,
        "The picture from {server} arrived damaged and cannot be shown; it was probably charged.",
    )


def no_room_error(call: Call[Any], cost: Cost) -> EngineError:
    """A picture that arrived while there was no memory to decode it."""
    return _arrived_error(
        EngineFault.UNAVAILABLE, call, cost, "The picture from {server} found no room here; it was probably charged."
    )


def deadline_error(request: SideRequest, call: Call[Any]) -> EngineError:
    """A call that is over its deadline."""
    if not call.sent:
        return _unreachable_error(EngineFault.TIMED_OUT, call)
    return _charged_error(
        EngineFault.TIMED_OUT,
        call,
        "{server} had no picture ready after {:g} s, which is where this server stops waiting "
        "(GENERATION_DEADLINE_S); it may still be charged.",
        request.deadline_s,
    )


def cancelled_error(call: Call[Any]) -> EngineError:
    """A call that nobody wants any more."""
    if not call.sent:
        return EngineError("Cancelled before anything was sent.", kind=EngineFault.CANCELLED)
    return _charged_error(
        EngineFault.CANCELLED, call, "Cancelled before it was done; what {server} had begun may still be charged."
    )


def _arrived_error(kind: EngineFault, call: Call[Any], cost: Cost, sentence: LiteralString) -> EngineError:
    """A call that was answered to its end, at the price that came with it."""
    return EngineError(
        sentence,
        server=call.endpoint.server,
        kind=kind,
        request_id=call.request_id,
        charge=Charge(cost.usd, cost.input_tokens, cost.output_tokens),
    )


def _charged_error(kind: EngineFault, call: Call[Any], sentence: LiteralString, *values: object) -> EngineError:
    """A call that may have cost something; nobody knows what."""
    return EngineError(
        sentence, *values, server=call.endpoint.server, kind=kind, request_id=call.request_id, charge=Charge()
    )


def _unreachable_error(kind: EngineFault, call: Call[Any]) -> EngineError:
    return EngineError(
        "{server} could not be reached, so nothing was sent or charged: if this lasts, check the network and "
        "OPENAI_BASE_URL.",
        server=call.endpoint.server,
        kind=kind,
    )


# What a cause means for a picture: the kind of the error, and the sentence for a person. `{words}` are the server's own
# in brackets, where it gave any, and `{said}` always something.
_NO_CREDIT = (
    EngineFault.OUT_OF_CREDIT,
    "The {server} account has used up its credit or budget{words}: waiting does not help, "
    "an administrator must top it up or raise its limit.",
)
_NOT_ACCEPTED = (EngineFault.BAD_REQUEST, "{server} did not accept the request: {said}.")
_MEANINGS = {
    Cause.REFUSED: (
        EngineFault.REFUSED,
        "{server}'s safety system refused this picture{why}: change {what} and try again.",
    ),
    Cause.BAD_PICTURE: _NOT_ACCEPTED,
    Cause.QUOTA: _NO_CREDIT,
    Cause.SPENDING_LIMIT: _NO_CREDIT,
    Cause.RATE_LIMIT: (
        EngineFault.RATE_LIMITED,
        "{server} takes no more requests from this account for now{words}: try again {wait}.",
    ),
    Cause.KEY: (
        EngineFault.BAD_REQUEST,
        "{server} does not accept the key of this server{words}: an administrator must set a valid OPENAI_API_KEY.",
    ),
    Cause.FORBIDDEN: (
        EngineFault.BAD_REQUEST,
        "{server} does not allow this: {said}. An administrator has to settle it there.",
    ),
    Cause.NO_MODEL: (
        EngineFault.BAD_REQUEST,
        "{server} does not offer {model} to this server{words}: choose another model, or check OPENAI_BASE_URL.",
    ),
    Cause.TOO_LARGE: (
        EngineFault.BAD_REQUEST,
        "The reference pictures are too large together for {server}{words}: switch some slots off.",
    ),
    Cause.TIMED_OUT: (
        EngineFault.TIMED_OUT,
        "{server} itself gave up waiting for the picture{words}; it may have been charged.",
    ),
    Cause.CONFLICT: _NOT_ACCEPTED,
    Cause.OVERLOADED: (EngineFault.UNAVAILABLE, "{server} is overloaded or down at the moment."),
    Cause.SERVER_FAULT: (EngineFault.UNAVAILABLE, "{server} had a fault of its own while making the picture."),
    Cause.BAD_REQUEST: _NOT_ACCEPTED,
    Cause.UNKNOWN: (EngineFault.UNAVAILABLE, "{server} broke off with an error: {said}."),
}
# A gateway fails with a picture that was made behind it, too; OpenAI itself does not charge for its own faults.
_MEANINGS_ELSEWHERE = {
    Cause.OVERLOADED: (
        EngineFault.UNAVAILABLE,
        "{server}, or what stands behind it, is overloaded or down at the moment{words}; the picture may have been "
        "charged.",
    ),
    Cause.SERVER_FAULT: (
        EngineFault.UNAVAILABLE,
        "{server}, or what stands behind it, failed while making the picture{words}; it may have been charged.",
    ),
    Cause.UNKNOWN: (
        EngineFault.UNAVAILABLE,
        "{server} broke off with an error: {said}. The picture may have been charged.",
    ),
}


def translate(err: Exception, request: SideRequest, call: Call[Any]) -> EngineError:
    """Any failure of a call as an EngineError with its request id; logged, for the vendor's support."""
    if isinstance(err, StudioError):
        failure = _unsent_error(err)
    elif isinstance(err, openai.APIConnectionError):
        failure = _connection_error(err, request, call)
    elif isinstance(err, openai.APIError) and not isinstance(err, openai.APIResponseValidationError):
        failure = _status_error(err, request, call)
    else:
        failure = _no_picture_error(err, call)
    # Neither the prompt nor the vendor's words, which may quote it or a key.
    _log.warning(
        "openai_call_failed",
        kind=failure.kind.value,
        cause=type(err).__name__,
        status=getattr(err, "status_code", None),
        code=_code_in(err),
        request_id=failure.request_id,
    )
    return failure


def _code_in(err: Exception) -> str | None:
    """The code of an error, where it is one: the SDK makes a text of whatever stands in its place."""
    code = getattr(err, "code", None)
    return code if isinstance(code, str) and re.fullmatch(r"[\w.-]{1,64}", code) else None


def _unsent_error(err: StudioError) -> EngineError:
    """A call that never left this server."""
    if isinstance(err, EngineError):
        return EngineError("No call could be made, so nothing was sent or charged: {}", err, kind=err.kind)
    return EngineError(
        "No call could be made, so nothing was sent or charged: {} An administrator has to correct that.",
        err,
        kind=EngineFault.BAD_REQUEST,
    )


def _status_error(err: openai.APIError, request: SideRequest, call: Call[Any]) -> EngineError:
    said, endpoint = read_error(err), call.endpoint
    kind, sentence = _MEANINGS[said.cause]
    may_cost = said.cause is Cause.TIMED_OUT
    if not endpoint.is_openai and said.cause in _MEANINGS_ELSEWHERE:
        (kind, sentence), may_cost = _MEANINGS_ELSEWHERE[said.cause], True
    wait_s = said.retry_after_s if said.cause is Cause.RATE_LIMIT else None
    return EngineError(
        sentence,
        server=endpoint.server,
        words=f" ({said.message})" if said.message else "",
        why=f" ({', '.join(said.categories[:5])})" if said.categories else "",
        what="the prompt or the reference pictures" if request.references else "the prompt",
        wait=_in_words(wait_s),
        model=request.model,
        said=said.message or (f"HTTP {said.status}, without a reason" if said.status else "no reason was given"),
        kind=kind,
        request_id=call.request_id,
        retry_after_s=wait_s,
        charge=Charge() if may_cost else None,
    )


def _no_picture_error(err: Exception, call: Call[Any]) -> EngineError:
    said = err.said if isinstance(err, NoPicture) else None
    words = read_body(said, secret=call.endpoint.api_key).message
    return _charged_error(
        EngineFault.UNAVAILABLE,
        call,
        "The answer of {server} {}{}; it may have been charged.",
        "ended without a picture" if isinstance(err, NoPicture) and not isinstance(said, str) else "could not be read",
        f" ({words})" if words else "",
    )


def _connection_error(err: openai.APIConnectionError, request: SideRequest, call: Call[Any]) -> EngineError:
    if isinstance(err, openai.APITimeoutError):
        return deadline_error(request, call)
    return _charged_error(
        EngineFault.UNAVAILABLE,
        call,
        "The connection to {server} broke off before the picture was complete; it may have been charged.",
    )


def _in_words(wait_s: float | None) -> str:
    if wait_s is None:
        return "in a minute"
    return f"in {math.ceil(wait_s)} s" if wait_s <= 120 else f"in {math.ceil(wait_s / 60)} minutes"
