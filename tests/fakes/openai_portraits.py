"""Portraits for the text half of the OpenAI server for tests: pictures in messages, and what is said about them.

What it says about a picture is a rule on its mean colour, so that equal pictures get equal answers.
"""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Callable
from typing import Any

from PIL import Image, ImageStat

SCHEMA_NAME = "portrait_label"
DATA_URL = "data:image/jpeg;base64,"
# The rule of the vendor's price list for its small models: 1.62 tokens for each patch of 32 pixels.
PATCH_PX, MULTIPLIER = 32, 1.62
WRONG_ANSWERS: dict[str, dict[str, Any]] = {
    "wrong-gender": {"gender_presentation": "somebody"},
    "age-in-words": {"age_low": "thirty", "age_high": "forty"},
    "ages-backwards": {"age_low": 40, "age_high": 30},
    "half-an-age": {"age_high": None},
    "no-such-tone": {"tone": "no-such-tone"},
    "odd-types": {"hair": ["black"], "gender_presentation": {"is": "feminine"}, "framing": 7, "confidence": "high"},
    "too-sure": {"confidence": {"age": 7, "gender_presentation": -1}},
    "nobody": {"person": "none"},
}


def is_message(value: Any) -> bool:
    """Whether chat completions take this message: text, or a user's parts of text and pictures."""
    if not isinstance(value, dict) or set(value) != {"role", "content"}:
        return False
    if value["role"] not in ("developer", "system", "user", "assistant"):
        return False
    content = value["content"]
    if isinstance(content, str):
        return True
    return value["role"] == "user" and isinstance(content, list) and bool(content) and all(map(_is_part, content))


def _is_part(part: Any) -> bool:
    if not isinstance(part, dict) or part.get("type") not in ("text", "image_url"):
        return False
    if part["type"] == "text":
        return set(part) == {"type", "text"} and isinstance(part["text"], str)
    picture = part.get("image_url")
    return (
        isinstance(picture, dict)
        and set(picture) <= {"url", "detail"}
        and picture.get("detail", "auto") in ("auto", "low", "high")
        and str(picture.get("url")).startswith(DATA_URL)
        and opened(str(picture["url"])) is not None
    )


def opened(url: str) -> Image.Image | None:
    """The JPEG in a data URL, or None when there is none."""
    try:
        image = Image.open(io.BytesIO(base64.b64decode(url.removeprefix(DATA_URL))), formats=("JPEG",))
        image.load()
    except (OSError, ValueError):
        return None
    return image


def pictures_of(fields: dict[str, Any]) -> list[str]:
    """The data URLs of every picture, the asked one last."""
    return [
        str(part["image_url"]["url"])
        for message in fields["messages"]
        if isinstance(message["content"], list)
        for part in message["content"]
        if part["type"] == "image_url"
    ]


def is_portrait(fields: dict[str, Any]) -> bool:
    """Whether a portrait's label is asked for."""
    return bool(fields["response_format"]["json_schema"]["name"] == SCHEMA_NAME)


def colour_of(url: str) -> tuple[int, int, int]:
    """The picture's mean colour, coarse enough to survive a JPEG."""
    image = opened(url)
    assert image is not None
    red, green, blue = (round(value / 16) * 16 for value in ImageStat.Stat(image.convert("RGB")).mean)
    return red, green, blue


def by_rule(url: str) -> dict[str, Any]:
    """An answer that the same picture always gets."""
    seed = hashlib.sha256(repr(colour_of(url)).encode()).digest()
    low = 18 + seed[0] % 50
    sure = {
        name: 0.5 + (seed[at] % 50) / 100
        for at, name in enumerate(("age", "gender_presentation", "hair", "expression", "framing", "tone", "angle"))
    }
    return {
        "person": "one",
        "age_low": low,
        "age_high": low + 8,
        "gender_presentation": ("feminine", "masculine")[seed[1] % 2],
        "hair": "black short",
        "expression": "neutral",
        "framing": "head-and-shoulders",
        "tone": "natural-film",
        "angle": "eye-level",
        "notes": None,
        "confidence": sure,
    }


def input_tokens(fields: dict[str, Any]) -> int:
    """What the pictures of a call count as."""
    total = 700
    for url in pictures_of(fields):
        image = opened(url)
        assert image is not None
        total += round(-(-image.width // PATCH_PX) * -(-image.height // PATCH_PX) * MULTIPLIER)
    return total


PortraitScript = Callable[[str], "dict[str, Any] | str | None"]
