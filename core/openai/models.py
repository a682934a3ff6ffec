"""Which models a server offers to a key: asked once by `python -m core check`, and costing nothing."""

from __future__ import annotations

import json
from typing import Final

import openai

from core.errors import ConfigError, EngineError, EngineFault
from core.openai.call import call_once
from core.openai.client import Endpoint
from core.openai.errors import Cause, read_error

_LIMIT_S: Final = 10.0
_NO_SUCH_PATH: Final = frozenset({404, 405, 501})


def offered_models(endpoint: Endpoint, *, limit_s: float = _LIMIT_S) -> frozenset[str] | None:
    """The names of the models that a server lists for this key; None where it answers and has no list of them.

    Raises ConfigError for a key that is not accepted or a setting that no request can be formed with, EngineError where
    the server does not answer, or answers with a fault.
    """
    try:
        return _names_in(call_once(endpoint, _ask, limit_s=limit_s, name="openai-models"))
    except openai.APIStatusError as err:
        if err.status_code in _NO_SUCH_PATH:
            return None
        raise _status_error(err, endpoint) from err
    except TimeoutError as err:
        raise EngineError(
            "{} did not answer within {:g} s when it was asked for its models.",
            endpoint.server,
            limit_s,
            kind=EngineFault.TIMED_OUT,
        ) from err
    except openai.APIConnectionError as err:
        raise EngineError(
            "{} can be reached, but breaks off when it is asked for its models ({}).",
            endpoint.server,
            err.__cause__ or err,
            kind=EngineFault.UNAVAILABLE,
        ) from err


def _ask(client: openai.OpenAI) -> bytes:
    """The answer as it came: gateways have other shapes than the SDK makes objects of."""
    return client.models.with_raw_response.list().http_response.content


def _names_in(body: bytes) -> frozenset[str] | None:
    """From OpenAI's `{"data": [{"id": …}]}`, from `models` in its place, or from the bare list."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return None
    rows = (content.get("data") or content.get("models")) if isinstance(content, dict) else content
    names = [row.get("id") or row.get("name") if isinstance(row, dict) else row for row in _list(rows)]
    return frozenset(name for name in names if isinstance(name, str)) or None


def _list(rows: object) -> list[object]:
    return rows if isinstance(rows, list) else []


def _status_error(err: openai.APIStatusError, endpoint: Endpoint) -> ConfigError | EngineError:
    said = read_error(err)
    words = f"{said.message}, HTTP {said.status}" if said.message else f"HTTP {said.status}"
    if said.cause is Cause.KEY:
        return ConfigError(
            "{setting} is not accepted by {} ({}): make a new one there.",
            endpoint.server,
            words,
            setting="OPENAI_API_KEY",
        )
    if said.cause is Cause.FORBIDDEN:
        return EngineError(
            "{} answers, but does not let this key list its models ({}); pictures may be made all the same.",
            endpoint.server,
            words,
            kind=EngineFault.BAD_REQUEST,
        )
    return EngineError(
        "{} answers, but with an error ({}).",
        endpoint.server,
        words,
        kind=EngineFault.UNAVAILABLE,
    )
