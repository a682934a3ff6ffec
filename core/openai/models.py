"""Which of OpenAI's models a key may use: asked once by `python -m core check`, and costing nothing."""

from __future__ import annotations

from collections.abc import Iterable

import openai

from core.errors import ConfigError, EngineError, EngineFault
from core.openai.client import Endpoint

_TIMEOUT_S = 10.0


def missing_models(endpoint: Endpoint, wanted: Iterable[str]) -> list[str]:
    """The wanted models that this key cannot see, in their order.

    Raises ConfigError for a key that is not accepted, EngineError when OpenAI does not answer.
    """
    try:
        with endpoint.client(timeout=_TIMEOUT_S, max_retries=1) as client:
            seen = {model.id for model in client.models.list()}
    except (openai.AuthenticationError, openai.PermissionDeniedError) as err:
        raise ConfigError(
            "{setting} is not accepted: make a new one, or give it the permission to list models.",
            setting="OPENAI_API_KEY",
        ) from err
    except openai.APIConnectionError as err:
        raise EngineError(
            "OpenAI cannot be reached: check OPENAI_BASE_URL and the firewall; the preview engine serves meanwhile.",
            kind=EngineFault.UNAVAILABLE,
        ) from err
    except openai.OpenAIError as err:
        raise EngineError(
            "OpenAI answers with a fault ({}): try again later.",
            getattr(err, "status_code", None) or type(err).__name__,
            kind=EngineFault.UNAVAILABLE,
        ) from err
    return [model for model in dict.fromkeys(wanted) if model not in seen]
