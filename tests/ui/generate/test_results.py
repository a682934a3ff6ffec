"""What a failed side is told to do next, and what it is said to have cost."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import cast

import pytest

from core.errors import EngineFault
from core.generation.engines.preview_engine import PreviewEngine
from core.generation.records.outcome import Cost, Failure, Outcome, OutcomeState
from core.injection.request.wishes import SideName
from core.settings import load_settings
from core.studio import Studio, build_engines
from core.ui.generate.composer.draft import engine_choices
from core.ui.generate.side_words import money, next_step, while_running


@pytest.mark.parametrize("kind", EngineFault)
def test_every_kind_of_failure_has_a_next_step(kind: EngineFault) -> None:
    assert next_step(Failure(kind=kind, message="It did not work.", retry_after_s=7.0))


def test_where_waiting_does_not_help_nobody_is_told_to_wait() -> None:
    assert next_step(Failure(kind=EngineFault.RATE_LIMITED, message="The account has used up its credit.")) == ""


def test_a_side_without_a_stream_promises_no_previews() -> None:
    def says(**settings: str) -> str:
        environ = {"OPENAI_API_KEY": "sk-x", **settings}
        return while_running(build_engines(load_settings(environ))["openai"])

    assert "without previews" in says(OPENAI_BASE_URL="http://gateway:4000/v1")
    assert says() == ""
    assert while_running(PreviewEngine()) == while_running(None) == ""


@pytest.mark.parametrize(
    ("settings", "server"), [({}, "OpenAI"), ({"OPENAI_BASE_URL": "http://gateway:4000/v1"}, "gateway:4000")]
)
def test_the_composer_names_the_server_that_is_asked(settings: dict[str, str], server: str) -> None:
    engines = build_engines(load_settings({"OPENAI_API_KEY": "sk-x", **settings}))
    choices = engine_choices(cast(Studio, SimpleNamespace(engines=engines)))
    assert next(iter(choices)) == f"{server} · gpt-image-2"
    assert "Preview, no AI" in choices


@pytest.mark.parametrize(
    ("cost", "kind", "words"),
    [
        (Cost(usd=0.041), None, "$0.04"),
        (Cost(usd=0.0), None, "free"),
        (Cost(usd=None), None, "unpriced"),
        (None, None, "unpriced"),
        (None, EngineFault.REFUSED, "not charged"),
        (Cost(usd=None), EngineFault.TIMED_OUT, "unpriced"),
        (Cost(usd=0.06), EngineFault.UNAVAILABLE, "$0.06"),
    ],
)
def test_no_unknown_price_looks_free_and_no_failure_charged_that_was_not(
    cost: Cost | None, kind: EngineFault | None, words: str
) -> None:
    now = datetime.now(UTC)
    outcome = Outcome(
        comparison="01JX0000000000000000000000",
        side=SideName.TONE_ONLY,
        attempt=1,
        state=OutcomeState.FAILED if kind else OutcomeState.DONE,
        started_at=now,
        finished_at=now,
        failure=Failure(kind=kind, message="It did not work.") if kind else None,
        cost=cost,
    )
    assert money(outcome) == words
