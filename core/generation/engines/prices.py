"""What a call costs: token usage times the dated price table, or unpriced where no figure is certain."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

from core.errors import InputError
from core.generation.engines.capabilities import OutputTokens, TokenPrice, capability_of
from core.generation.records.comparison import Size
from core.generation.records.outcome import Cost

_MILLION = 1_000_000
# What a prompt of ours may weigh: sections included, about four characters a token.
_PROMPT_TOKENS = 500


@dataclass(frozen=True, slots=True)
class TokenUsage:
    """Tokens of one call, as the API counted them; None for what it did not say."""

    text_input: int | None = None
    image_input: int | None = None
    output: int | None = None

    @property
    def input(self) -> int | None:
        """All input tokens, if both kinds are known."""
        if self.text_input is None or self.image_input is None:
            return None
        return self.text_input + self.image_input


def cost_of(model: str, usage: TokenUsage, on: date) -> Cost:
    """The cost of a call made on a day; `usd` is None when a price or a count that it needs is unknown."""
    price = _price_of(model, on)
    usd = None if price is None else _usd(price, usage.text_input, usage.image_input, usage.output)
    is_estimate = price is not None and usd is not None and price.second_hand
    return Cost(usd=usd, input_tokens=usage.input, output_tokens=usage.output, estimate=is_estimate)


def estimate(
    model: str, size: Size, quality: str, references: int, *, on: date | None = None, partials: bool = True
) -> float | None:
    """US dollars that a picture may cost, rounded up rather than down; None when nobody can say.

    With `auto` the model may choose its best quality, so that is what is counted.
    """
    try:
        capability = capability_of(model)
    except InputError:
        return None
    price = _price_of(model, on or datetime.now(UTC).date())
    output = _output_tokens(capability.output_tokens, size, quality)
    if price is None or output is None or (references and capability.reference_tokens is None):
        return None
    if partials:
        output += capability.partial_tokens * capability.partial_images_max
    return _usd(price, _PROMPT_TOKENS, references * (capability.reference_tokens or 0), output)


def _price_of(model: str, on: date) -> TokenPrice | None:
    try:
        prices = capability_of(model).price
    except InputError:
        return None
    return max((price for price in prices if price.as_of <= on), key=lambda price: price.as_of, default=None)


def _usd(price: TokenPrice, text_input: int | None, image_input: int | None, output: int | None) -> float | None:
    """The sum of tokens times rate; None as soon as one part that was used has no rate or no count."""
    rates = (price.text_input_usd, price.image_input_usd, price.image_output_usd)
    total = 0.0
    for tokens, rate_usd in zip((text_input, image_input, output), rates, strict=True):
        if tokens == 0:
            continue
        if tokens is None or rate_usd is None:
            return None
        total += tokens * rate_usd / _MILLION
    return round(total, 6)


def _output_tokens(rule: OutputTokens | None, size: Size, quality: str) -> int | None:
    """Tokens along the longer edge, in proportion along the shorter, weighted by area; rounded up."""
    axis = None if rule is None else max(rule.axis.values()) if quality == "auto" else rule.axis.get(quality)
    if rule is None or axis is None:
        return None
    long, short = max(size.width, size.height), min(size.width, size.height)
    across = (2 * axis * short + long) // (2 * long)
    weighted = axis * across * (rule.offset_pixels + size.width * size.height)
    return -(-weighted // rule.scale_pixels)
