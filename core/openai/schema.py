"""JSON schemas in the strict subset that structured output takes: every property is required, and no other allowed.

https://developers.openai.com/api/docs/guides/structured-outputs
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

Schema = dict[str, Any]

INTEGER_OR_NULL: Final[Schema] = {"type": ["integer", "null"]}
STRING_OR_NULL: Final[Schema] = {"type": ["string", "null"]}


def one_of_or_null(values: Iterable[str]) -> Schema:
    """One of these strings, or null."""
    return {**STRING_OR_NULL, "enum": [*values, None]}


def closed_object(properties: Mapping[str, Schema]) -> Schema:
    """An object of exactly these properties."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def response_format(name: str, schema: Schema) -> Any:
    """The argument of a chat completion that holds its answer to a schema: a dictionary, as the SDK types it."""
    return {"type": "json_schema", "json_schema": {"name": name, "strict": True, "schema": schema}}
