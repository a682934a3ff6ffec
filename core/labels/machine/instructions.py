"""What a labeler is told: `labels/labeling.toml` and the worked examples of `labels/shots/`, checked once."""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.errors import ConfigError, InputError
from core.labels.machine.answer import answer_schema, read_answer
from core.unicode import NotUtf8, read_text

_PATCH_PX: Final = 32
_TOKEN_CHARS: Final = 4  # about four characters of English a token
_MILLION: Final = 1_000_000


class _Checked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PictureSize(_Checked):
    """The longer sides of what is sent, in pixels, and the JPEG quality."""

    side: int = Field(ge=64, le=2048)
    shot_side: int = Field(ge=64, le=2048)
    jpeg_quality: int = Field(ge=1, le=95)


class ModelPrice(_Checked):
    """What a model takes for a label. Prices in US dollars for a million tokens."""

    name: str
    as_of: date
    input_usd: float = Field(ge=0)
    output_usd: float = Field(ge=0)
    batch_share: float = Field(gt=0, le=1)
    patch_multiplier: float = Field(gt=0)
    patches_max: int = Field(gt=0)
    output_tokens: int = Field(gt=0)
    reasoning_effort: str | None = None

    def picture_tokens(self, width: int, height: int) -> int:
        """Tokens of a picture; pixels. https://developers.openai.com/api/docs/guides/images-vision"""
        patches = math.ceil(width / _PATCH_PX) * math.ceil(height / _PATCH_PX)
        return math.ceil(min(patches, self.patches_max) * self.patch_multiplier)

    def usd(self, input_tokens: int, output_tokens: int, *, batch: bool) -> float:
        """US dollars of a call."""
        whole = (input_tokens * self.input_usd + output_tokens * self.output_usd) / _MILLION
        return whole * (self.batch_share if batch else 1.0)


@dataclass(frozen=True, slots=True)
class Shot:
    """A worked example: a picture as JPEG and the answer that it deserves.

    `from_etag` is the sample it was made from: a labeler that was shown the answer is not judged on it.
    """

    name: str
    jpeg: bytes
    answer: Mapping[str, Any]
    from_etag: str


@dataclass(frozen=True, slots=True)
class Instructions:
    """Text, sizes, prices and worked examples under one version."""

    version: str
    text: str
    picture: PictureSize
    models: tuple[ModelPrice, ...]
    shots: tuple[Shot, ...]

    def first_shots(self, count: int) -> tuple[Shot, ...]:
        """The first `count` worked examples. Raises InputError when there are not as many."""
        if not 0 <= count <= len(self.shots):
            raise InputError("--shots {} cannot be done: there are {} worked examples.", count, len(self.shots))
        return self.shots[:count]

    def price_of(self, model: str) -> ModelPrice | None:
        """What a model costs; None for one that labeling.toml does not know. A dated snapshot costs as its model."""
        named = [price for price in self.models if model == price.name or model.startswith(f"{price.name}-20")]
        return max(named, key=lambda price: len(price.name), default=None)

    def input_tokens(self, model: str, shots: int) -> int | None:
        """Tokens that go in for one label, at the largest a picture can be; None for an unknown model."""
        price = self.price_of(model)
        if price is None:
            return None
        answers = sum(len(json.dumps(dict(shot.answer))) for shot in self.shots[:shots])
        text = math.ceil((len(self.text) * 1.6 + answers) / _TOKEN_CHARS)  # the ids of tones and angles, the schema
        shown = shots * price.picture_tokens(self.picture.shot_side, self.picture.shot_side)
        return text + shown + price.picture_tokens(self.picture.side, self.picture.side)


class _File(_Checked):
    version: str = Field(min_length=1, pattern=r"^[0-9a-z.-]+$")
    instructions: str = Field(min_length=1)
    picture: PictureSize
    model: tuple[ModelPrice, ...]


class _ShotFile(_Checked):
    from_key: str
    from_etag: str
    answer: dict[str, Any]


def load_instructions(file: Path, shots: Path) -> Instructions:
    """Read `labels/labeling.toml` and `labels/shots/`. Raises ConfigError that names the file and what is wrong."""
    try:
        read = _File.model_validate(tomllib.loads(read_text(file)))
    except (OSError, NotUtf8, tomllib.TOMLDecodeError, ValidationError) as err:
        raise _unusable_error(f"labels/{file.name}", err) from err
    return Instructions(
        version=read.version,
        text=read.instructions.strip(),
        picture=read.picture,
        models=read.model,
        shots=tuple(_shot(described) for described in sorted(shots.glob("*.json"))),
    )


def _shot(described: Path) -> Shot:
    name = f"labels/shots/{described.name}"
    try:
        read = _ShotFile.model_validate_json(read_text(described))
        jpeg = described.with_suffix(".jpg").read_bytes()
    except (OSError, NotUtf8, ValidationError) as err:
        raise _unusable_error(name, err) from err
    _check_answer(name, read.answer)
    return Shot(described.stem, jpeg, read.answer, read.from_etag)


def _check_answer(name: str, answer: Mapping[str, Any]) -> None:
    problems: Sequence[str] = [
        f"{field} is missing" for field in answer_schema((), ())["required"] if field not in answer
    ]
    problems = problems or read_answer(answer, tones=None, angles=None).problems
    if problems:
        raise ConfigError("{setting} is no answer a labeler could give: {}.", problems[0], setting=name)


def _unusable_error(name: str, err: Exception) -> ConfigError:
    if isinstance(err, ValidationError):
        first = err.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        return ConfigError("{setting} cannot be used: {}: {}.", where, first["msg"].lower(), setting=name)
    return ConfigError("{setting} cannot be read: {}.", str(err).rstrip("."), setting=name)
