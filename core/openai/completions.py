"""A chat completion as it came, whatever stands around it: gateways have shapes that the SDK has no objects for."""

from __future__ import annotations

from typing import Any

import openai

from core.openai.answers import as_object, documents_in, is_error


def complete(client: openai.OpenAI, **request: Any) -> dict[str, Any]:
    """The body of the answer to one request.

    Raises openai.APIError for an error, whatever its status, and ValueError for what is no JSON object.
    """
    response = client.chat.completions.with_raw_response.create(**request).http_response
    found = [document.content for document in documents_in(response.content)]
    body = as_object(found[0] if found else None)
    if is_error(body) and not body.get("choices"):
        raise openai.APIError("", response.request, body=body)
    if not body:
        raise ValueError("the answer is no JSON object")
    return body


def first_choice(body: dict[str, Any]) -> dict[str, Any]:
    """The choice that counts; empty where there is none."""
    choices = body.get("choices")
    return as_object(choices[0]) if isinstance(choices, list) and choices else {}
