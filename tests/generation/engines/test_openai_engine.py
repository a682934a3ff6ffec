"""The OpenAI engine: the real SDK against a server that speaks the real protocol, fault by fault."""

from __future__ import annotations

import io
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import SimpleNamespace

import pytest
import structlog
from PIL import Image

from core.concurrency.byte_budget import ByteBudget
from core.errors import Charge, ConfigError, EngineError, EngineFault
from core.generation.engines.engine import AttachedReference, FinalPicture, PartialPicture, SideRequest
from core.generation.engines.openai_engine import OpenAIEngine
from core.generation.records.comparison import RenderSettings, Size
from core.injection.request.wishes import SideName
from core.openai import call
from core.openai.client import Endpoint
from core.references.vocabulary import Role
from tests.fakes.openai_server import PICTURE_TOKENS, Behaviour, FakeOpenAI, Fault
from tests.support.timeouts import LONG_S

KEY = "sk-proj-NOT-FOR-ANY-LOG-0123456789"
MODEL = "gpt-image-2"
SIZE = Size(width=1024, height=640)
SWATCHES = {Role.TONE: (200, 60, 40), Role.ANGLE: (40, 160, 60), Role.MODEL: (50, 70, 200)}


def swatch(
    colour: tuple[int, int, int], size: tuple[int, int] = (80, 100), kind: str = "PNG", **options: object
) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, kind, **options)
    return out.getvalue()


def reference(role: Role, key: str | None = None, data: bytes | None = None) -> AttachedReference:
    return AttachedReference(role, key or f"refs/{role.value}/Araya 05.png", data or swatch(SWATCHES[role]))


REQUEST = SideRequest(
    side=SideName.TONE_ANGLE,
    prompt="A red chair",
    references=tuple(reference(role) for role in (Role.TONE, Role.ANGLE, Role.MODEL)),
    size=SIZE,
    quality="medium",
    model=MODEL,
    seed=7,
    deadline_s=30,
)


@pytest.fixture(scope="module")
def running() -> Iterator[FakeOpenAI]:
    with FakeOpenAI(api_key=KEY).serving() as server:
        yield server


@pytest.fixture
def server(running: FakeOpenAI) -> Iterator[FakeOpenAI]:
    running.reset()
    yield running
    for thread in threading.enumerate():
        if thread.name == "openai-call":
            thread.join(LONG_S)
            assert not thread.is_alive(), "a call outlived its test"


@pytest.fixture
def engine(server: FakeOpenAI) -> OpenAIEngine:
    return OpenAIEngine(Endpoint(KEY, server.base_url), model=MODEL)


def never() -> bool:
    return False


def made(engine: OpenAIEngine, request: SideRequest = REQUEST) -> FinalPicture:
    """The picture, or the error that came in its place."""
    final = list(engine.generate(request, never))[-1]
    assert isinstance(final, FinalPicture)
    return final


def failed(engine: OpenAIEngine, request: SideRequest = REQUEST, cancelled: Callable[[], bool] = never) -> EngineError:
    with pytest.raises(EngineError) as caught:
        list(engine.generate(request, cancelled))
    return caught.value


class TestAPicture:
    def test_partials_arrive_in_order_before_the_one_final_picture(self, engine: OpenAIEngine) -> None:
        steps = list(engine.generate(REQUEST, never))
        assert [type(step) for step in steps] == [PartialPicture, PartialPicture, PartialPicture, FinalPicture]
        progress = [step.progress for step in steps if isinstance(step, PartialPicture)]
        assert progress == sorted(progress)
        assert 0 < progress[0] < progress[-1] < 1
        assert {step.content_type for step in steps if isinstance(step, PartialPicture)} == {"image/png"}

    def test_a_partial_is_handed_on_while_the_rest_is_still_being_made(
        self, server: FakeOpenAI, engine: OpenAIEngine
    ) -> None:
        server.will(Behaviour(Fault.HANG_MID_STREAM))
        steps = engine.generate(REQUEST, never)
        assert isinstance(next(steps), PartialPicture)
        assert server.received[0].partials_sent == 1
        steps.close()  # type: ignore[attr-defined]  # it is a generator
        assert server.received[0].hung_up.wait(LONG_S)

    def test_the_picture_is_a_png_of_the_asked_size(self, engine: OpenAIEngine) -> None:
        final = made(engine)
        with Image.open(io.BytesIO(final.data)) as image:
            assert (image.format, image.size) == ("PNG", (SIZE.width, SIZE.height))
        assert final.size == SIZE
        assert final.notes == ()

    def test_the_request_id_is_the_servers(self, server: FakeOpenAI, engine: OpenAIEngine) -> None:
        assert made(engine).request_id == server.received[0].request_id

    def test_tokens_become_a_price(self, engine: OpenAIEngine) -> None:
        cost = made(engine).cost
        text = len(REQUEST.prompt) // 4 + 1
        assert cost.input_tokens == text + 3 * PICTURE_TOKENS
        assert cost.output_tokens == 1756 + 300
        assert cost.usd == pytest.approx((text * 5 + 3 * PICTURE_TOKENS * 8 + 2056 * 30) / 1e6)

    def test_an_answer_without_usage_is_unpriced_not_free(self, server: FakeOpenAI, engine: OpenAIEngine) -> None:
        server.will(Behaviour(Fault.NO_USAGE))
        assert made(engine).cost.usd is None

    def test_references_are_attached_in_slot_order_with_their_roles(
        self, server: FakeOpenAI, engine: OpenAIEngine
    ) -> None:
        roles = (Role.ANGLE, Role.MODEL, Role.TONE, Role.MODEL)
        made(engine, replace(REQUEST, references=tuple(reference(role) for role in roles)))
        [received] = server.received
        assert received.path == "/v1/images/edits"
        assert [picture.name for picture in received.pictures] == [
            "01-angle.png",
            "02-model.png",
            "03-tone.png",
            "04-model.png",
        ]
        for role, picture in zip(roles, received.pictures, strict=True):
            with Image.open(io.BytesIO(picture.data)) as image:
                colour = image.getpixel((40, 50))
            assert isinstance(colour, tuple)
            assert max(abs(a - b) for a, b in zip(colour, SWATCHES[role], strict=True)) < 8

    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
    def test_no_file_name_and_no_metadata_of_a_reference_leaves_the_house(
        self, server: FakeOpenAI, engine: OpenAIEngine, kind: str
    ) -> None:
        exif = Image.Exif()
        exif[0x010E] = "Araya at home"
        data = swatch(SWATCHES[Role.MODEL], kind=kind, exif=exif)
        made(engine, replace(REQUEST, references=(reference(Role.MODEL, data=data),)))
        [picture] = server.received[0].pictures
        assert b"Araya" not in picture.data
        assert "Araya" not in picture.name

    @pytest.mark.parametrize("kind", ["JPEG", "PNG"])
    def test_a_plain_reference_is_sent_without_touching_a_pixel(
        self, server: FakeOpenAI, engine: OpenAIEngine, kind: str
    ) -> None:
        data = swatch(SWATCHES[Role.TONE], (400, 300), kind)
        made(engine, replace(REQUEST, references=(reference(Role.TONE, data=data),)))
        [picture] = server.received[0].pictures
        assert picture.content_type == f"image/{kind.lower()}"
        with Image.open(io.BytesIO(data)) as before, Image.open(io.BytesIO(picture.data)) as after:
            assert before.tobytes() == after.tobytes()
            assert len(picture.data) <= len(data)

    def test_a_reference_is_made_ready_once_for_all_who_send_it(self, server: FakeOpenAI, engine: OpenAIEngine) -> None:
        shared = replace(reference(Role.TONE, data=swatch(SWATCHES[Role.TONE], kind="BMP")), etag="one")
        engine.prepare(shared)
        no_picture = replace(shared, data=b"gone bad since, which nobody looks at any more")
        made(engine, replace(REQUEST, references=(no_picture, no_picture)))
        first, second = server.received[0].pictures
        assert first.data == second.data
        assert (first.name, second.name) == ("01-tone.jpg", "02-tone.jpg")

    @pytest.mark.parametrize("kind", ["TIFF", "BMP", "GIF", "WEBP"])
    def test_references_the_api_does_not_take_are_re_encoded(
        self, server: FakeOpenAI, engine: OpenAIEngine, kind: str
    ) -> None:
        data = swatch(SWATCHES[Role.TONE], kind=kind)
        made(engine, replace(REQUEST, references=(reference(Role.TONE, data=data),)))
        assert server.received[0].pictures[0].content_type == "image/jpeg"

    def test_a_huge_reference_is_shrunk(self, server: FakeOpenAI, engine: OpenAIEngine) -> None:
        data = swatch(SWATCHES[Role.TONE], (6000, 3000))
        made(engine, replace(REQUEST, references=(reference(Role.TONE, data=data),)))
        with Image.open(io.BytesIO(server.received[0].pictures[0].data)) as image:
            assert image.size == (2048, 1024)

    def test_a_reference_full_of_grain_is_sent_in_two_megabytes(self, server: FakeOpenAI, engine: OpenAIEngine) -> None:
        grain, out = Image.effect_noise((2048, 1536), 100).convert("RGB"), io.BytesIO()
        grain.save(out, "PNG")
        made(engine, replace(REQUEST, references=(reference(Role.TONE, data=out.getvalue()),)))
        [picture] = server.received[0].pictures
        assert len(out.getvalue()) > 2_000_000 > len(picture.data)
        with Image.open(io.BytesIO(picture.data)) as image:
            assert image.size == grain.size

    def test_without_references_the_picture_is_generated_from_the_prompt(
        self, server: FakeOpenAI, engine: OpenAIEngine
    ) -> None:
        final = made(engine, replace(REQUEST, references=()))
        [received] = server.received
        assert received.path == "/v1/images/generations"
        assert received.fields["prompt"] == REQUEST.prompt
        assert final.size == SIZE

    def test_what_was_asked_is_what_is_sent(self, server: FakeOpenAI, engine: OpenAIEngine) -> None:
        made(engine, replace(REQUEST, quality="max", model="gpt-image-2.5-flare"))
        fields = server.received[0].fields
        assert (fields["model"], fields["size"], fields["quality"]) == ("gpt-image-2.5-flare", "1024x640", "max")
        assert (fields["stream"], fields["partial_images"]) == ("true", "3")
        assert "input_fidelity" not in fields

    def test_the_person_is_sent_as_a_hash_only_when_there_is_one(
        self, server: FakeOpenAI, engine: OpenAIEngine
    ) -> None:
        made(engine, replace(REQUEST, person_hash="ab" * 32))
        made(engine)
        assert [received.fields.get("safety_identifier") for received in server.received] == ["ab" * 32, None]

    def test_a_server_that_cannot_stream_still_delivers(self, server: FakeOpenAI, engine: OpenAIEngine) -> None:
        server.will(Behaviour(Fault.NO_STREAM))
        final = made(engine)
        assert final.size == SIZE
        assert final.cost.usd is not None
        assert final.request_id == server.received[0].request_id

    @pytest.mark.parametrize("references", [REQUEST.references, ()], ids=["edit", "generate"])
    def test_without_streaming_the_finished_picture_alone_is_asked_for(
        self, server: FakeOpenAI, references: tuple[AttachedReference, ...]
    ) -> None:
        engine = OpenAIEngine(Endpoint(KEY, server.base_url), model=MODEL, streaming=False)
        [final] = engine.generate(replace(REQUEST, references=references), never)
        [received] = server.received
        assert isinstance(final, FinalPicture)
        assert final.size == SIZE
        assert final.cost.usd is not None
        assert final.request_id == received.request_id
        assert not received.fields.keys() & {"stream", "partial_images"}

    def test_without_streaming_no_previews_are_promised_or_estimated(self, server: FakeOpenAI) -> None:
        render = RenderSettings(engine="openai", model=MODEL, quality="medium", size=SIZE)
        whole, streamed = (
            OpenAIEngine(Endpoint(KEY, server.base_url), model=MODEL, streaming=streaming)
            for streaming in (False, True)
        )
        assert (whole.previews, streamed.previews) == (False, True)
        low, high = (each.estimate(render, references=1) for each in (whole, streamed))
        assert low is not None
        assert high is not None
        assert low < high

    def test_without_streaming_nothing_is_sent_twice(self, server: FakeOpenAI) -> None:
        server.will(Behaviour(Fault.SERVER_ERROR))
        failed(OpenAIEngine(Endpoint(KEY, server.base_url), model=MODEL, streaming=False))
        assert server.calls == 1


class TestWhatCameBack:
    def test_another_size_is_noted_and_recorded_as_it_is(self, server: FakeOpenAI, engine: OpenAIEngine) -> None:
        server.will(Behaviour(Fault.WRONG_SIZE))
        final = made(engine)
        assert final.size == Size(width=512, height=320)
        assert final.notes == ("Asked for 1024×640 pixels, got 512×320.",)

    def test_another_quality_is_noted(self, server: FakeOpenAI, engine: OpenAIEngine) -> None:
        server.will(Behaviour(Fault.WRONG_QUALITY))
        assert made(engine).notes == ("Asked for quality medium, got low.",)

    def test_another_format_is_kept_as_png(self, server: FakeOpenAI, engine: OpenAIEngine) -> None:
        server.will(Behaviour(Fault.WRONG_FORMAT))
        final = made(engine)
        assert final.data.startswith(b"\x89PNG")
        assert final.notes == ("It came as JPEG and is kept as PNG.",)


# Each fault with the kind it becomes, and words that its message must have.
FAULTS = {
    Fault.REFUSE: (EngineFault.REFUSED, "(sexual, self harm intent)"),
    Fault.REFUSE_MID_STREAM: (EngineFault.REFUSED, "change the prompt or the reference pictures"),
    Fault.RATE_LIMIT: (EngineFault.RATE_LIMITED, "in 7 s"),
    Fault.NO_QUOTA: (EngineFault.OUT_OF_CREDIT, "waiting does not help"),
    Fault.BAD_KEY: (EngineFault.BAD_REQUEST, "OPENAI_API_KEY"),
    Fault.FORBIDDEN: (EngineFault.BAD_REQUEST, "Your organization must be verified"),
    Fault.BAD_REQUEST: (EngineFault.BAD_REQUEST, "Invalid value: 'x'"),
    Fault.SERVER_ERROR: (EngineFault.UNAVAILABLE, "(The server had an error while processing your request)"),
    Fault.OVERLOADED: (EngineFault.UNAVAILABLE, "overloaded"),
    Fault.ERROR_MID_STREAM: (EngineFault.UNAVAILABLE, "(It broke)"),
    Fault.CUT: (EngineFault.UNAVAILABLE, "may have been charged"),
    Fault.GARBAGE: (EngineFault.UNAVAILABLE, "could not be read"),
    Fault.BROKEN_BASE64: (EngineFault.UNAVAILABLE, "not base64"),
    Fault.BROKEN_PICTURE: (EngineFault.UNAVAILABLE, "damaged"),
    Fault.NOTHING: (EngineFault.UNAVAILABLE, "ended without a picture"),
}


class TestFaults:
    @pytest.mark.parametrize(("fault", "expected"), FAULTS.items(), ids=str)
    def test_each_fault_has_its_kind_its_sentence_its_request_id_and_one_call(
        self, server: FakeOpenAI, engine: OpenAIEngine, fault: Fault, expected: tuple[EngineFault, str]
    ) -> None:
        server.will(Behaviour(fault))
        error = failed(engine)
        kind, words = expected
        assert error.kind is kind
        assert words in error.message
        assert error.request_id == server.received[0].request_id
        assert server.calls == 1

    @pytest.mark.parametrize("cut_at", [0, 1, 40, 3000, 20_000])
    def test_a_cut_at_any_byte_may_have_been_charged(
        self, server: FakeOpenAI, engine: OpenAIEngine, cut_at: int
    ) -> None:
        server.will(Behaviour(Fault.CUT, cut_at=cut_at))
        error = failed(engine)
        assert error.kind is EngineFault.UNAVAILABLE
        assert "may have been charged" in error.message
        assert server.calls == 1

    def test_a_server_that_hangs_up_without_an_answer_may_have_charged(
        self, server: FakeOpenAI, engine: OpenAIEngine
    ) -> None:
        server.will(Behaviour(Fault.CUT_BEFORE_HEADERS))
        error = failed(engine)
        assert error.kind is EngineFault.UNAVAILABLE
        assert "may have been charged" in error.message
        assert server.calls == 1

    def test_a_refusal_without_references_blames_the_prompt_alone(
        self, server: FakeOpenAI, engine: OpenAIEngine
    ) -> None:
        server.will(Behaviour(Fault.REFUSE, categories=()))
        error = failed(engine, replace(REQUEST, references=()))
        name = server.base_url.removeprefix("http://").removesuffix("/v1")
        assert error.message == f"{name}'s safety system refused this picture: change the prompt and try again."

    @pytest.mark.parametrize(
        ("behaviour", "wait_s"),
        [
            (Behaviour(Fault.RATE_LIMIT, retry_after="12"), 12.0),
            (Behaviour(Fault.RATE_LIMIT, retry_after="12", retry_after_ms="1500"), 1.5),
            (Behaviour(Fault.RATE_LIMIT, retry_after=None), None),
            (Behaviour(Fault.RATE_LIMIT, retry_after="soon"), None),
            (Behaviour(Fault.RATE_LIMIT, retry_after="nan"), None),
            (Behaviour(Fault.NO_QUOTA), None),
        ],
    )
    def test_the_wait_is_what_the_headers_say(
        self, server: FakeOpenAI, engine: OpenAIEngine, behaviour: Behaviour, wait_s: float | None
    ) -> None:
        server.will(behaviour)
        assert failed(engine).retry_after_s == wait_s

    def test_the_wait_may_be_a_date(self, server: FakeOpenAI, engine: OpenAIEngine) -> None:
        date = format_datetime(datetime.now(UTC) + timedelta(seconds=300), usegmt=True)
        server.will(Behaviour(Fault.RATE_LIMIT, retry_after=date))
        error = failed(engine)
        assert error.retry_after_s == pytest.approx(300, abs=5)
        assert "in 5 minutes" in error.message

    def test_a_closed_port_means_that_nothing_was_charged(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            port = listening.getsockname()[1]
        error = failed(OpenAIEngine(Endpoint(KEY, f"http://127.0.0.1:{port}/v1"), model=MODEL))
        assert error.kind is EngineFault.UNAVAILABLE
        assert "nothing was sent or charged" in error.message

    @pytest.mark.parametrize("fault", [Fault.BROKEN_BASE64, Fault.BROKEN_PICTURE], ids=str)
    def test_a_damaged_picture_is_charged_all_the_same(
        self, server: FakeOpenAI, engine: OpenAIEngine, fault: Fault
    ) -> None:
        price = made(engine).cost
        server.will(Behaviour(fault))
        assert failed(engine).charge == Charge(price.usd, price.input_tokens, price.output_tokens)

    def test_a_picture_that_finds_no_room_is_charged_all_the_same(
        self, server: FakeOpenAI, engine: OpenAIEngine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        price = made(engine, replace(REQUEST, references=())).cost
        nothing = ByteBudget(large_bytes=2**40, small_bytes=0, small_max=2**30, at_once=1, waiting_max=0, patience_s=0)
        monkeypatch.setattr("core.images.decode.PIXELS", nothing)
        server.will(Behaviour(Fault.WRONG_FORMAT))
        error = failed(engine, replace(REQUEST, references=()))  # whose references are looked at as well
        assert "found no room" in error.message
        assert error.charge == Charge(price.usd, price.input_tokens, price.output_tokens)

    @pytest.mark.parametrize("fault", [Fault.CUT, Fault.CUT_BEFORE_HEADERS, Fault.GARBAGE, Fault.NOTHING], ids=str)
    def test_what_may_have_been_charged_is_unpriced(
        self, server: FakeOpenAI, engine: OpenAIEngine, fault: Fault
    ) -> None:
        server.will(Behaviour(fault))
        assert failed(engine).charge == Charge()

    @pytest.mark.parametrize("fault", [Fault.REFUSE, Fault.RATE_LIMIT, Fault.BAD_KEY, Fault.BAD_REQUEST], ids=str)
    def test_what_was_never_begun_is_not_charged(self, server: FakeOpenAI, engine: OpenAIEngine, fault: Fault) -> None:
        server.will(Behaviour(fault))
        assert failed(engine).charge is None

    def test_the_side_can_be_asked_again_after_any_fault(self, server: FakeOpenAI, engine: OpenAIEngine) -> None:
        server.will(Behaviour(Fault.CUT))
        failed(engine)
        assert made(engine).size == SIZE
        assert server.calls == 2

    def test_sides_fail_apart(self, server: FakeOpenAI, engine: OpenAIEngine) -> None:
        server.choose(lambda received: Behaviour(Fault.REFUSE) if len(received.pictures) == 2 else None)
        other = replace(REQUEST, references=REQUEST.references[:2])
        errors: list[EngineError] = []
        side = threading.Thread(target=lambda: errors.append(failed(engine, other)))
        side.start()
        assert made(engine).size == SIZE
        side.join(LONG_S)
        assert [error.kind for error in errors] == [EngineFault.REFUSED]


class TestNothingIsSent:
    def test_for_a_reference_that_cannot_be_read(self, server: FakeOpenAI, engine: OpenAIEngine) -> None:
        bad = reference(Role.TONE, "refs/02. Tone/a/broken.png", b"no picture")
        error = failed(engine, replace(REQUEST, references=(bad,)))
        assert error.kind is EngineFault.BAD_REQUEST
        assert "`refs/02. Tone/a/broken.png`" in error.message
        assert server.calls == 0

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"model": "dall-e-3"}, "shut down"),
            ({"model": "nobody-knows-it"}, "not known"),
            ({"quality": "max"}, "no quality `max`"),
            ({"size": Size(width=1000, height=1000)}, "multiples of 16"),
            ({"prompt": "x" * 32_001}, "shorten"),
            ({"references": (reference(Role.MODEL),) * 17}, "at most 16"),
        ],
        ids=lambda value: str(value)[:20],
    )
    def test_for_what_the_model_cannot_do(
        self, server: FakeOpenAI, engine: OpenAIEngine, change: dict[str, object], words: str
    ) -> None:
        error = failed(engine, replace(REQUEST, **change))  # type: ignore[arg-type]  # one field at a time
        assert error.kind is EngineFault.BAD_REQUEST
        assert words in error.message
        assert server.calls == 0

    @pytest.mark.parametrize("references", [REQUEST.references, ()], ids=["with references", "without"])
    def test_when_cancelled_before(
        self, server: FakeOpenAI, engine: OpenAIEngine, references: tuple[AttachedReference, ...]
    ) -> None:
        error = failed(engine, replace(REQUEST, references=references), lambda: True)
        assert error.kind is EngineFault.CANCELLED
        assert server.calls == 0


STALLS = [Fault.HANG_BEFORE_HEADERS, Fault.HANG_MID_STREAM, Fault.TRICKLE]


class TestTheClock:
    @pytest.mark.parametrize("fault", STALLS, ids=str)
    def test_the_deadline_holds_whatever_the_server_does(
        self, server: FakeOpenAI, engine: OpenAIEngine, fault: Fault
    ) -> None:
        server.will(Behaviour(fault))
        started = time.monotonic()
        error = failed(engine, replace(REQUEST, deadline_s=0.8))
        assert 0.8 <= time.monotonic() - started < LONG_S
        assert error.kind is EngineFault.TIMED_OUT
        assert "0.8 s" in error.message
        assert server.calls == 1
        assert server.received[0].hung_up.wait(LONG_S), "the connection was left open"
        if fault is not Fault.HANG_BEFORE_HEADERS:
            assert error.request_id == server.received[0].request_id

    def test_the_deadline_holds_for_a_server_that_never_takes_the_call(self) -> None:
        with socket.create_server(("127.0.0.1", 0), backlog=1) as deaf:
            engine = OpenAIEngine(Endpoint(KEY, f"http://127.0.0.1:{deaf.getsockname()[1]}/v1"), model=MODEL)
            started = time.monotonic()
            error = failed(engine, replace(REQUEST, deadline_s=0.5))
            assert time.monotonic() - started < LONG_S
            assert error.kind is EngineFault.TIMED_OUT

    def test_a_picture_that_came_in_time_is_kept_however_late_it_is_fetched(
        self, server: FakeOpenAI, engine: OpenAIEngine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ahead_s = [0.0]
        clock = SimpleNamespace(monotonic=lambda: time.monotonic() + ahead_s[0])
        monkeypatch.setattr(call, "time", clock)
        steps = engine.generate(REQUEST, never)
        next(steps)
        for thread in threading.enumerate():
            if thread.name == "openai-call":
                thread.join(LONG_S)
        assert server.received[0].answered
        ahead_s[0] = REQUEST.deadline_s
        assert isinstance(list(steps)[-1], FinalPicture)

    @pytest.mark.parametrize("fault", STALLS, ids=str)
    def test_a_cancel_is_heard_while_nothing_arrives(
        self, server: FakeOpenAI, engine: OpenAIEngine, fault: Fault
    ) -> None:
        server.will(Behaviour(fault))
        asked_at: list[float] = []

        def cancelled() -> bool:
            stalls = server.calls == 1 and (fault is Fault.HANG_BEFORE_HEADERS or server.received[0].partials_sent == 1)
            if stalls and not asked_at:
                asked_at.append(time.monotonic())
            return stalls

        error = failed(engine, cancelled=cancelled)
        assert time.monotonic() - asked_at[0] < LONG_S
        assert error.kind is EngineFault.CANCELLED
        assert server.received[0].hung_up.wait(LONG_S), "the connection was left open"

    def test_a_cancel_that_comes_with_the_last_partial_ends_the_call(
        self, server: FakeOpenAI, engine: OpenAIEngine
    ) -> None:
        wanted = threading.Event()
        steps = engine.generate(REQUEST, wanted.is_set)
        next(steps)
        wanted.set()
        with pytest.raises(EngineError) as caught:
            list(steps)
        assert caught.value.kind is EngineFault.CANCELLED
        assert caught.value.request_id == server.received[0].request_id


class TestSecrets:
    @pytest.mark.parametrize("fault", [None, *FAULTS], ids=str)
    def test_the_key_is_in_no_log_and_no_message(
        self,
        server: FakeOpenAI,
        engine: OpenAIEngine,
        caplog: pytest.LogCaptureFixture,
        capfd: pytest.CaptureFixture[str],
        fault: Fault | None,
    ) -> None:
        caplog.set_level(logging.DEBUG)
        server.will(Behaviour(fault))
        with structlog.testing.capture_logs() as lines:
            try:
                said = str(made(engine))
            except EngineError as error:
                said = repr(error) + error.message
        printed = "".join(capfd.readouterr())
        for text in (said, caplog.text, printed, repr(lines)):
            assert KEY not in text
            assert KEY[-10:] not in text
        assert REQUEST.prompt not in repr(lines) + printed

    def test_keys_in_the_vendors_words_are_masked(self, server: FakeOpenAI, engine: OpenAIEngine) -> None:
        server.will(Behaviour(Fault.BAD_REQUEST))
        assert "for key [key]." in failed(engine).message


class TestSettings:
    def test_a_missing_key_is_named(self) -> None:
        with pytest.raises(ConfigError) as caught:
            OpenAIEngine(Endpoint(""), model=MODEL)
        assert caught.value.setting == "OPENAI_API_KEY"

    def test_a_model_that_is_not_in_the_table_is_named(self) -> None:
        with pytest.raises(ConfigError, match="gpt-image-9") as caught:
            OpenAIEngine(Endpoint(KEY), model="gpt-image-9")
        assert caught.value.setting == "OPENAI_IMAGE_MODEL"

    def test_the_configured_model_comes_first(self) -> None:
        engine = OpenAIEngine(Endpoint(KEY), model="gpt-image-2.5-flare")
        assert engine.models == ("gpt-image-2.5-flare", "gpt-image-2", "gpt-image-2.5-sunburst")
