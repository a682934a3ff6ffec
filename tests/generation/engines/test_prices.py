"""The table of models: what a call costs, what it may cost, and what a model is not asked to do."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import get_args

import openai.types
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ConfigError, InputError
from core.generation.engines import prices
from core.generation.engines.capabilities import (
    MODELS_FILE,
    ModelCapability,
    TokenPrice,
    capability_of,
    check_request,
    model_table,
)
from core.generation.engines.prices import TokenUsage, cost_of, estimate
from core.generation.records.comparison import DEFAULT_SIZE, Size
from core.ui.generate.composer.draft import SIZES

TODAY = date(2026, 11, 22)
SQUARE = Size(width=1024, height=1024)
MODELS = [capability.name for capability in model_table().model]
counts = st.integers(0, 1_000_000)


class TestCost:
    def test_each_kind_of_token_has_its_own_rate(self) -> None:
        cost = cost_of("gpt-image-2", TokenUsage(text_input=1000, image_input=2000, output=4000), TODAY)
        assert cost.usd == pytest.approx(0.005 + 0.016 + 0.12)
        assert (cost.input_tokens, cost.output_tokens) == (3000, 4000)

    def test_a_snapshot_costs_what_its_model_costs(self) -> None:
        usage = TokenUsage(10, 20, 30)
        assert cost_of("gpt-image-2-2026-04-21", usage, TODAY) == cost_of("gpt-image-2", usage, TODAY)

    def test_before_its_first_price_a_model_is_unpriced(self) -> None:
        assert cost_of("gpt-image-2.5-flare", TokenUsage(1, 1, 1), date(2026, 9, 7)).usd is None
        assert cost_of("gpt-image-2.5-flare", TokenUsage(1, 1, 1), date(2026, 9, 8)).usd is not None

    def test_the_newest_price_of_its_day_holds(self, monkeypatch: pytest.MonkeyPatch) -> None:
        old, new = (
            TokenPrice(as_of=day, source="", text_input_usd=usd, image_input_usd=usd, image_output_usd=usd)
            for day, usd in ((date(2026, 1, 1), 10.0), (date(2026, 6, 1), 20.0))
        )
        changed = capability_of("gpt-image-2").model_copy(update={"price": (new, old)})
        monkeypatch.setattr(prices, "capability_of", lambda _model: changed)
        million = TokenUsage(0, 0, 1_000_000)
        assert cost_of("gpt-image-2", million, date(2026, 5, 31)).usd == 10
        assert cost_of("gpt-image-2", million, date(2026, 6, 1)).usd == 20

    @given(text=counts, image=counts, output=counts)
    def test_an_unknown_model_is_never_free(self, text: int, image: int, output: int) -> None:
        cost = cost_of("somebody-elses-model", TokenUsage(text, image, output), TODAY)
        assert cost.usd is None
        assert cost.output_tokens == output

    @given(usage=st.builds(TokenUsage, *[st.none() | counts] * 3), model=st.sampled_from(MODELS))
    def test_a_count_that_is_missing_is_never_taken_for_nothing(self, usage: TokenUsage, model: str) -> None:
        counted = (usage.text_input, usage.image_input, usage.output)
        assert (cost_of(model, usage, TODAY).usd is None) == (None in counted)

    @given(usage=st.builds(TokenUsage, counts, counts, counts), model=st.sampled_from(MODELS))
    def test_tokens_always_cost_something(self, usage: TokenUsage, model: str) -> None:
        usd = cost_of(model, usage, TODAY).usd
        assert usd is not None
        assert (usd > 0) == (usage != TokenUsage(0, 0, 0))

    def test_a_rate_that_is_missing_leaves_only_calls_that_need_it_unpriced(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        partly = TokenPrice(as_of=date(2026, 1, 1), source="", text_input_usd=5.0, image_output_usd=30.0)
        changed = capability_of("gpt-image-2").model_copy(update={"price": (partly,)})
        monkeypatch.setattr(prices, "capability_of", lambda _model: changed)
        assert cost_of("gpt-image-2", TokenUsage(1000, 0, 1000), TODAY).usd == pytest.approx(0.035)
        assert cost_of("gpt-image-2", TokenUsage(1000, 1, 1000), TODAY).usd is None


class TestEstimate:
    @pytest.mark.parametrize(("quality", "published_usd"), [("low", 0.006), ("medium", 0.053), ("high", 0.211)])
    def test_a_square_costs_what_the_guide_says(self, quality: str, published_usd: float) -> None:
        usd = estimate("gpt-image-2", SQUARE, quality, 0, on=TODAY, partials=False)
        prompt_usd = 500 * 5 / 1e6
        assert usd == pytest.approx(published_usd + prompt_usd, abs=0.0005)

    def test_auto_is_counted_as_the_dearest(self) -> None:
        assert estimate("gpt-image-2", SQUARE, "auto", 2, on=TODAY) == estimate(
            "gpt-image-2", SQUARE, "high", 2, on=TODAY
        )

    def test_references_and_partials_are_counted(self) -> None:
        bare = estimate("gpt-image-2", SQUARE, "low", 0, on=TODAY, partials=False)
        streamed = estimate("gpt-image-2", SQUARE, "low", 0, on=TODAY)
        referenced = estimate("gpt-image-2", SQUARE, "low", 3, on=TODAY)
        assert bare is not None
        assert streamed is not None
        assert referenced is not None
        assert bare < streamed < referenced

    @pytest.mark.parametrize("model", ["gpt-image-2.5-flare", "gpt-image-2.5-sunburst", "somebody-elses-model"])
    def test_what_nobody_published_is_not_guessed(self, model: str) -> None:
        assert estimate(model, SQUARE, "medium", 0, on=TODAY) is None


class TestWhatAModelCanDo:
    @pytest.mark.parametrize("model", MODELS)
    def test_the_size_offered_first_can_be_made_by_every_model(self, model: str) -> None:
        check_request(model, DEFAULT_SIZE, "medium", references=16, prompt_chars=32_000)

    @pytest.mark.parametrize(
        ("width", "height", "words"),
        [
            (1000, 1024, "multiples of 16"),
            (3072, 1008, "at most 3 times"),
            (3856, 2160, "3840 pixels"),
            (3840, 2176, "8.3 megapixels"),
            (800, 800, "0.66 megapixels"),
        ],
    )
    def test_a_size_that_cannot_be_made_is_refused_with_its_reason(self, width: int, height: int, words: str) -> None:
        with pytest.raises(InputError, match=words):
            check_request("gpt-image-2", Size(width=width, height=height), "medium")

    @pytest.mark.parametrize(("width", "height"), [(3840, 2160), (2160, 3840), (1024, 640), (1728, 576)])
    def test_sizes_at_the_edge_can_be_made(self, width: int, height: int) -> None:
        check_request("gpt-image-2", Size(width=width, height=height), "auto")

    @given(width=st.integers(1, 5000), height=st.integers(1, 5000), model=st.sampled_from(MODELS))
    def test_what_passes_always_keeps_the_rules(self, width: int, height: int, model: str) -> None:
        try:
            check_request(model, Size(width=width, height=height), "low")
        except InputError:
            return
        assert width % 16 == height % 16 == 0
        assert max(width, height) <= min(3 * min(width, height), 3840)
        assert 655_360 <= width * height <= 3840 * 2160

    def test_only_the_newer_models_have_the_finest_qualities(self) -> None:
        check_request("gpt-image-2.5-sunburst", SQUARE, "max")
        with pytest.raises(InputError, match="choose low, medium, high, auto"):
            check_request("gpt-image-2", SQUARE, "max")

    def test_a_model_that_was_shut_down_names_its_successor(self) -> None:
        with pytest.raises(InputError, match=r"gpt-image-2\.5-flare"):
            check_request("gpt-image-1", SQUARE, "low")


class TestTheTable:
    @pytest.mark.parametrize("row", model_table().model, ids=lambda row: row.name)
    def test_each_row_says_what_the_sdk_says(self, row: ModelCapability) -> None:
        named = set(get_args(openai.types.ImageModel))
        assert {row.name, *row.snapshots} == {name for name in named if re.fullmatch(rf"{row.name}(-\d{{4}}.*)?", name)}
        fine = ("xhigh", "max") if row.name.startswith("gpt-image-2.5") else ()
        assert set(row.qualities) == {"low", "medium", "high", "auto", *fine}
        assert row.partial_images_max == 3
        size = row.size
        assert (size.multiple_of, size.ratio_max, size.edge_max, size.pixels_max) == (16, 3.0, 3840, 3840 * 2160)

    @pytest.mark.parametrize("row", model_table().model, ids=lambda row: row.name)
    @pytest.mark.parametrize("size", SIZES.values(), ids=str)
    def test_each_size_and_quality_on_screen_can_be_made_by_each_model(self, row: ModelCapability, size: Size) -> None:
        for quality in row.qualities:
            check_request(row.name, size, quality, references=16, prompt_chars=32_000)

    def test_a_model_that_was_shut_down_is_offered_nowhere(self) -> None:
        table = model_table()
        assert table.retired.keys().isdisjoint({row.name for row in table.model})
        assert set(table.retired.values()) <= {row.name for row in table.model}

    def test_what_a_second_hand_price_comes_to_is_an_estimate(self, monkeypatch: pytest.MonkeyPatch) -> None:
        usage = TokenUsage(10, 20, 30)
        for row in model_table().model:
            assert all(price.second_hand for price in row.price)
            assert cost_of(row.name, usage, TODAY).estimate
        sure = capability_of("gpt-image-2")
        sure = sure.model_copy(update={"price": (sure.price[0].model_copy(update={"second_hand": False}),)})
        monkeypatch.setattr(prices, "capability_of", lambda _model: sure)
        assert not cost_of("gpt-image-2", usage, TODAY).estimate
        assert not cost_of("gpt-image-2", TokenUsage(10, 20, None), TODAY).estimate

    def test_the_file_says_which_figures_are_second_hand(self) -> None:
        text = MODELS_FILE.read_text(encoding="utf-8")
        said = " ".join(text.partition("Second hand:")[2].partition("\n#\n")[0].replace("#", " ").split())
        for name in ("pixels_min", "output_tokens", "reference_tokens", "partial_tokens", "second_hand"):
            assert name in said

    def test_every_price_has_a_day_and_a_source(self) -> None:
        for capability in model_table().model:
            assert capability.price
            for price in capability.price:
                assert price.as_of <= TODAY
                assert price.source.startswith("https://")

    def test_a_price_of_nothing_is_refused(self, tmp_path: Path) -> None:
        text = MODELS_FILE.read_text(encoding="utf-8")
        broken = tmp_path / "models.toml"
        broken.write_text(text.replace("text_input_usd = 5.0", "text_input_usd = 0", 1), encoding="utf-8")
        with pytest.raises(ConfigError, match=r"models\.toml"):
            model_table(broken)
