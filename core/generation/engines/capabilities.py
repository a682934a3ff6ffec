"""What each image model can do, from models.toml: sizes, qualities, references, and what it costs."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.errors import ConfigError, InputError
from core.generation.records.comparison import Size
from core.unicode import NotUtf8, read_text

MODELS_FILE: Final = Path(__file__).with_name("models.toml")


class _TableRow(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SizeRule(_TableRow):
    """Which sizes a model makes, in pixels."""

    multiple_of: int = Field(gt=0)
    ratio_max: float = Field(ge=1)
    edge_max: int = Field(gt=0)
    pixels_min: int = Field(ge=0)
    pixels_max: int = Field(gt=0)

    def objection(self, size: Size) -> str | None:
        """Why a size cannot be made, as the end of a sentence; None when it can."""
        long, short = max(size.width, size.height), min(size.width, size.height)
        if size.width % self.multiple_of or size.height % self.multiple_of:
            return f"width and height must be multiples of {self.multiple_of}"
        if long > short * self.ratio_max:
            return f"one side may be at most {self.ratio_max:g} times the other"
        if long > self.edge_max:
            return f"no side may exceed {self.edge_max} pixels"
        if size.width * size.height > self.pixels_max:
            return f"it may have at most {self.pixels_max / 1e6:.1f} megapixels"
        if size.width * size.height < self.pixels_min:
            return f"it must have at least {self.pixels_min / 1e6:.2f} megapixels"
        return None


class OutputTokens(_TableRow):
    """How many tokens a picture costs by quality and size."""

    axis: Mapping[str, int]
    offset_pixels: int
    scale_pixels: int = Field(gt=0)


class TokenPrice(_TableRow):
    """US dollars for a million tokens, from a day on; None where no figure is certain.

    `second_hand` where they were not read at the source itself: what they come to is called an estimate.
    """

    as_of: date
    source: str
    second_hand: bool = False
    text_input_usd: float | None = Field(default=None, gt=0)
    image_input_usd: float | None = Field(default=None, gt=0)
    image_output_usd: float | None = Field(default=None, gt=0)


class ModelCapability(_TableRow):
    """What one model can do."""

    name: str
    snapshots: tuple[str, ...] = ()
    qualities: tuple[str, ...]
    partial_images_max: int = Field(ge=0, le=3)
    size: SizeRule
    output_tokens: OutputTokens | None = None
    reference_tokens: int | None = None
    partial_tokens: int = 0
    price: tuple[TokenPrice, ...] = ()


class ModelTable(_TableRow):
    """All models, in the order in which they are offered."""

    prompt_chars_max: int
    references_max: int
    retired: Mapping[str, str] = {}
    model: tuple[ModelCapability, ...]


@cache
def model_table(path: Path = MODELS_FILE) -> ModelTable:
    """Read the table. Raises ConfigError when it is not one."""
    try:
        return ModelTable.model_validate(tomllib.loads(read_text(path)))
    except (OSError, NotUtf8, tomllib.TOMLDecodeError, ValidationError) as err:
        raise ConfigError("{setting} is not a valid table of models: {}.", err, setting=path.name) from err


def capability_of(model: str) -> ModelCapability:
    """A model by its name or one of its snapshots. Raises InputError for one that is not in the table."""
    table = model_table()
    for capability in table.model:
        if model == capability.name or model in capability.snapshots:
            return capability
    if model in table.retired:
        raise InputError("The model `{}` has been shut down by OpenAI: use `{}`.", model, table.retired[model])
    known = ", ".join(capability.name for capability in table.model)
    raise InputError("The model `{}` is not known here: use {}, or add it to {}.", model, known, MODELS_FILE.name)


def check_request(model: str, size: Size, quality: str, *, references: int = 0, prompt_chars: int = 0) -> None:
    """Raise InputError, with one sentence for a person, unless the model can do exactly what is asked."""
    capability = capability_of(model)
    table = model_table()
    if objection := capability.size.objection(size):
        raise InputError("{} cannot make {}: {}.", model, size, objection)
    if quality not in capability.qualities:
        raise InputError("{} has no quality `{}`: choose {}.", model, quality, ", ".join(capability.qualities))
    if references > table.references_max:
        raise InputError(
            "{} takes at most {} reference pictures and {} are attached: switch some slots off.",
            model,
            table.references_max,
            references,
        )
    if prompt_chars > table.prompt_chars_max:
        raise InputError(
            "The prompt has {:,} characters and {} reads at most {:,}: shorten it.",
            prompt_chars,
            model,
            table.prompt_chars_max,
        )
