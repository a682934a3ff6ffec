"""What failed calls mean for a labeling run: whose fault they are, when to ask again, what the operator reads."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import openai
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from core.errors import ConfigError, EngineError, EngineFault, StudioError
from core.openai.error_bodies import read_body
from core.openai.errors import Cause, cause_of, read_error

_WAIT_MAX_S: Final = 60.0
_FOR_THE_ACCOUNT: Final = {
    Cause.QUOTA: "The {server} account has used up its credit or budget: top it up or raise its limit, then run with "
    "--resume.",
    Cause.SPENDING_LIMIT: "The {server} account has reached its spending limit: raise it, then run with --resume.",
    Cause.KEY: "{server} does not accept the key of this server ({said}): set a valid OPENAI_API_KEY.",
    Cause.FORBIDDEN: "{server} does not allow this: {said}. Settle it there, or set OPENAI_LABEL_MODEL to another "
    "model.",
    Cause.NO_MODEL: "{server} does not offer this model to this server ({said}): set OPENAI_LABEL_MODEL to another, or "
    "check OPENAI_BASE_URL.",
}
_FOR_THE_MOMENT: Final = frozenset(
    {
        *(Cause.RATE_LIMIT, Cause.TIMED_OUT, Cause.CONFLICT, Cause.OVERLOADED, Cause.SERVER_FAULT),
        Cause.UNKNOWN,  # also an answer that is not of the protocol: a proxy's page, a cut-off body
    }
)


class ErrorScope(StrEnum):
    """Whose fault a failed call is, which decides what comes next."""

    REFUSED = "refused"  # the picture's: a label with a reason
    PICTURE = "picture"
    MOMENT = "moment"  # nobody's for long: ask again
    ACCOUNT = "account"  # every picture's: stop


def scope_of(err: BaseException) -> ErrorScope:
    """Whose fault this is; a setting that is wrong fails every picture."""
    if isinstance(err, ConfigError):
        return ErrorScope.ACCOUNT
    if isinstance(err, openai.APIError) and not isinstance(err, openai.APIResponseValidationError):
        return _scope_of_cause(read_error(err).cause)
    return ErrorScope.MOMENT


def scope_of_body(body: object, status: int) -> ErrorScope:
    """Whose fault a line of a batch's error file is; whatever is not the picture's is asked again."""
    said = read_body(body, status=status)
    scope = _scope_of_cause(cause_of(said.names))
    return ErrorScope.MOMENT if scope is ErrorScope.ACCOUNT else scope


def _scope_of_cause(cause: Cause) -> ErrorScope:
    if cause is Cause.REFUSED:
        return ErrorScope.REFUSED
    if cause is Cause.BAD_PICTURE:
        return ErrorScope.PICTURE
    return ErrorScope.MOMENT if cause in _FOR_THE_MOMENT else ErrorScope.ACCOUNT


def run_error(err: Exception, server: str) -> EngineError:
    """The end of a run, as one sentence about the server that was asked."""
    if isinstance(err, StudioError):
        return EngineError("No call could be made, so nothing was sent: {}", err, kind=EngineFault.BAD_REQUEST)
    cause = read_error(err).cause if isinstance(err, openai.APIError) else Cause.UNKNOWN
    is_spent = cause in (Cause.QUOTA, Cause.SPENDING_LIMIT)
    return EngineError(
        _FOR_THE_ACCOUNT.get(cause, "{server} did not accept the request: {said}."),
        server=server,
        said=describe(err),
        kind=EngineFault.OUT_OF_CREDIT if is_spent else EngineFault.BAD_REQUEST,
        request_id=getattr(err, "request_id", None),
    )


def describe(err: Exception) -> str:
    """What went wrong, as a part of a sentence: the server's own words where it gave any."""
    if isinstance(err, StudioError):
        return err.message.rstrip(".")
    if isinstance(err, openai.APITimeoutError | TimeoutError):
        return "no answer in time"
    if isinstance(err, openai.APIConnectionError):
        return "it could not be reached"
    message = read_error(err).message if isinstance(err, openai.APIError) else None
    status = getattr(err, "status_code", None)
    return message or (f"HTTP {status}" if status else "the answer could not be read")


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often to ask while the fault is a moment's, and how `backoff_s` grows; `sleep` takes seconds."""

    attempts: int = 6
    backoff_s: float = 1.0
    sleep: Callable[[float], None] = time.sleep

    def retrying(self, *, on_limit: Callable[[float], None] = lambda _seconds: None) -> Retrying:
        """Calls what it is given until it succeeds, and raises the last failure.

        It waits as long as the server asks for, which `on_limit` is told, else longer each time.
        """
        backoff = wait_random_exponential(multiplier=self.backoff_s, max=_WAIT_MAX_S)

        def wait_s(state: RetryCallState) -> float:
            err = state.outcome.exception() if state.outcome else None
            asked_s = read_error(err).retry_after_s if isinstance(err, openai.APIError) else None
            if asked_s is None:
                return backoff(state)
            on_limit(asked_s)
            return asked_s

        return Retrying(
            stop=stop_after_attempt(self.attempts),
            wait=wait_s,
            retry=retry_if_exception(lambda err: isinstance(err, Exception) and scope_of(err) is ErrorScope.MOMENT),
            sleep=self.sleep,
            reraise=True,
        )
