"""LiteLLM's proxy, the real one, between the dashboard and a server that speaks OpenAI's protocol."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from core.errors import Charge, ConfigError, EngineError, EngineFault
from core.generation.engines.engine import Engine, FinalPicture, SideRequest
from core.injection.openai_reader import OpenAIReader
from core.injection.reading.reader import OfflineReader
from core.openai.client import Endpoint
from core.openai.models import offered_models
from core.settings import load_settings
from core.studio import build_engines
from tests.fakes.openai_server import Behaviour, FakeOpenAI, Fault
from tests.generation.engines import test_openai_engine
from tests.injection.libraries import VOCABULARY
from tests.support.ports import own_port
from tests.support.processes.programs import ROOT, Program, clean_environment
from tests.support.timeouts import LONG_S

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
LITELLM = ROOT / ".venv-litellm" / "bin" / "litellm"
# No network, and no .env of a working directory.
ENVIRONMENT = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_MODE": "PRODUCTION"}
# How often it asks behind it where that fails: a generation three times, whatever retries it is told of.
ASKED = {"edit": 1, "generation": 3}
KEY = "sk-gateway-key-of-a-test"
UPSTREAM_KEY = "sk-upstream-key-of-a-test"
LIMIT_S = 5 * LONG_S  # the proxy takes processor time of its own
REQUEST = replace(test_openai_engine.REQUEST, deadline_s=LIMIT_S)
SIDES = pytest.mark.parametrize("request_", [REQUEST, replace(REQUEST, references=())], ids=["edit", "generation"])


@dataclass(frozen=True, slots=True)
class Gateway:
    """The proxy, and what stands behind it."""

    name: str
    behind: FakeOpenAI

    def engine(self, *, key: str = KEY, **settings: str) -> Engine:
        environ = {"OPENAI_API_KEY": key, "OPENAI_BASE_URL": f"http://{self.name}/v1", **settings}
        return build_engines(load_settings(environ))["openai"]

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint(KEY, f"http://{self.name}/v1")


def configuration(behind: FakeOpenAI) -> str:
    """Two models, and nothing that is done behind our back; YAML reads JSON."""
    upstream = {"api_base": behind.base_url, "api_key": UPSTREAM_KEY}
    models = [
        {"model_name": name, "litellm_params": {"model": f"openai/{name}"} | upstream}
        for name in ("gpt-image-2", "gpt-5-mini")
    ]
    return json.dumps(
        {
            "model_list": models,
            "litellm_settings": {"telemetry": False, "num_retries": 0},
            "router_settings": {"num_retries": 0, "disable_cooldowns": True},
            "general_settings": {"master_key": KEY},
        }
    )


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    if not LITELLM.is_file():
        pytest.skip("LiteLLM is not installed: `make test-slow` does it")
    folder, port = tmp_path_factory.mktemp("litellm"), own_port()
    with FakeOpenAI(api_key=UPSTREAM_KEY).serving() as behind:
        (folder / "config.yaml").write_text(configuration(behind), "utf-8")
        proxy = Program(
            [str(LITELLM), "--config", str(folder / "config.yaml"), "--host", "127.0.0.1", "--port", str(port)],
            folder / "log.txt",
            clean_environment(folder) | ENVIRONMENT,
            cwd=folder,
        )
        try:
            proxy.answers(f"http://127.0.0.1:{port}/health/liveliness", patience_s=4 * LONG_S)
            yield Gateway(f"127.0.0.1:{port}", behind)
        finally:
            proxy.end()


@pytest.fixture
def gateway(running: Gateway) -> Gateway:
    running.behind.reset()
    return running


def failed(engine: Engine, request: SideRequest) -> EngineError:
    with pytest.raises(EngineError) as caught:
        list(engine.generate(request, lambda: False))
    return caught.value


@SIDES
def test_a_side_is_made_and_its_picture_kept(gateway: Gateway, request_: SideRequest) -> None:
    engine = gateway.engine()
    steps = list(engine.generate(request_, lambda: False))
    assert [type(step) for step in steps] == [FinalPicture]
    (picture,) = steps
    assert isinstance(picture, FinalPicture)
    assert picture.size == request_.size
    assert picture.cost.usd
    (call,) = gateway.behind.received
    assert len(call.pictures) == len(request_.references)
    assert not call.streams


@SIDES
def test_a_stream_is_broken_by_the_gateway_and_told_as_it_is(gateway: Gateway, request_: SideRequest) -> None:
    error = failed(gateway.engine(OPENAI_STREAMING="on"), request_)
    assert (error.kind, error.charge) == (EngineFault.UNAVAILABLE, Charge())
    assert gateway.name in error.message
    assert "may have been charged" in error.message
    assert "OpenAI had" not in error.message
    assert [call.billed for call in gateway.behind.received] == [True], "it was made, and asked for once"


@SIDES
def test_a_content_filter_is_a_refusal(gateway: Gateway, request_: SideRequest) -> None:
    gateway.behind.will(Behaviour(Fault.REFUSE))
    error = failed(gateway.engine(), request_)
    assert (error.kind, error.charge) == (EngineFault.REFUSED, None)
    assert gateway.behind.calls == 1


@SIDES
@pytest.mark.parametrize("fault", [Fault.SERVER_ERROR, Fault.OVERLOADED, Fault.CUT_BEFORE_HEADERS])
def test_what_a_failure_behind_the_gateway_costs_is_unknown(
    gateway: Gateway, request_: SideRequest, fault: Fault
) -> None:
    gateway.behind.will(*[Behaviour(fault)] * 3)
    error = failed(gateway.engine(), request_)
    assert (error.kind, error.charge) == (EngineFault.UNAVAILABLE, Charge())
    assert error.message.startswith(gateway.name)
    assert "may have been charged" in error.message
    assert gateway.behind.calls == ASKED["edit" if request_.references else "generation"]


@pytest.mark.parametrize(
    ("fault", "kind", "says"),
    [
        (Fault.RATE_LIMIT, EngineFault.RATE_LIMITED, "Rate limit reached"),
        (Fault.FORBIDDEN, EngineFault.BAD_REQUEST, "organization must be verified"),
        (Fault.BAD_REQUEST, EngineFault.BAD_REQUEST, "Invalid value"),
    ],
)
def test_what_the_server_behind_it_says_arrives(gateway: Gateway, fault: Fault, kind: EngineFault, says: str) -> None:
    gateway.behind.will(Behaviour(fault))
    error = failed(gateway.engine(), REQUEST)
    assert (error.kind, error.charge) == (kind, None)
    assert gateway.name in error.message
    assert says in error.message


@SIDES
def test_an_account_without_money_is_told_as_one(gateway: Gateway, request_: SideRequest) -> None:
    """LiteLLM says 429 with a code of its own; what it quotes tells the two apart."""
    gateway.behind.will(*[Behaviour(Fault.NO_QUOTA)] * 3)
    error = failed(gateway.engine(), request_)
    assert (error.kind, error.charge) == (EngineFault.OUT_OF_CREDIT, None)
    assert f"The {gateway.name} account has used up its credit" in error.message


def test_a_wrong_key_is_the_keys_fault(gateway: Gateway) -> None:
    error = failed(gateway.engine(key="sk-another"), REQUEST)
    assert (error.kind, error.charge) == (EngineFault.BAD_REQUEST, None)
    assert "valid OPENAI_API_KEY" in error.message
    with pytest.raises(ConfigError, match="OPENAI_API_KEY is not accepted"):
        offered_models(Endpoint("sk-another", gateway.endpoint.url), limit_s=LIMIT_S)
    assert gateway.behind.calls == 0


def test_a_model_that_the_gateway_has_not_is_said_in_its_words(gateway: Gateway) -> None:
    error = failed(gateway.engine(), replace(REQUEST, model="gpt-image-2.5-flare"))
    assert (error.kind, error.charge) == (EngineFault.BAD_REQUEST, None)
    assert "gpt-image-2.5-flare" in error.message
    assert gateway.behind.calls == 0


def test_its_models_are_listed_and_prompts_are_read_through_it(gateway: Gateway) -> None:
    assert offered_models(gateway.endpoint, limit_s=LIMIT_S) == {"gpt-image-2", "gpt-5-mini"}
    said = {"person": True, "gender": "feminine", "age_low": 30, "age_high": 39, "tone": "noir", "angle": None}
    gateway.behind.text.script(lambda _: said)
    reader = OpenAIReader(gateway.endpoint, "gpt-5-mini", VOCABULARY, OfflineReader(VOCABULARY), limit_s=LIMIT_S)
    reading = reader.read("A woman in her thirties, black and white")
    assert (reading.reader, reading.note, reading.tone, reading.age_low) == ("openai", "", "noir", 30)
