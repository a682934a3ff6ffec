"""The OpenAI reader: the real SDK against a server that speaks the real protocol; whatever fails, a reading comes."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import structlog

from core.injection.openai_reader import OpenAIReader
from core.injection.reading.reader import OfflineReader, Reading
from core.injection.request.wishes import Mode, SideName, Wishes
from core.openai.client import Endpoint
from core.references.vocabulary import Role
from tests.fakes.openai_server import FakeOpenAI
from tests.fakes.openai_text import FakeText, TextFault
from tests.injection.libraries import VOCABULARY, model_keys, plan, sample_library
from tests.support.processes.commands import core
from tests.support.timeouts import LONG_S

ROOT = Path(__file__).parents[2]
KEY = "sk-proj-NOT-FOR-ANY-LOG-0123456789"
MODEL = "gpt-5-mini"
PROMPT = "A woman in her thirties by the sea"
LIMIT_S = 1.5  # long enough for a call to arrive on a busy machine
OFFLINE = OfflineReader(VOCABULARY)
Readers = Callable[..., OpenAIReader]


@pytest.fixture(scope="module")
def running() -> Iterator[FakeOpenAI]:
    with FakeOpenAI(api_key=KEY).serving() as server:
        yield server


@pytest.fixture
def server(running: FakeOpenAI) -> Iterator[FakeText]:
    running.reset()
    yield running.text
    for thread in threading.enumerate():
        if thread.name == "openai-reader":
            thread.join(LONG_S)
            assert not thread.is_alive(), "a call outlived its test"


@pytest.fixture
def readers(running: FakeOpenAI, server: FakeText) -> Readers:  # noqa: ARG001 - the server is reset first
    def reader(**changes: Any) -> OpenAIReader:
        endpoint = Endpoint(changes.pop("api_key", KEY), changes.pop("base_url", running.base_url))
        return OpenAIReader(endpoint, MODEL, VOCABULARY, OFFLINE, **{"limit_s": 20.0, **changes})

    return reader


def is_fallback(reading: Reading, prompt: str = PROMPT) -> bool:
    """Whether this is what the offline reader says, with a note that it had to."""
    return replace(reading, note="") == OFFLINE.read(prompt) and reading.note.endswith("ead offline.")


class TestAReading:
    def test_it_is_what_the_model_says(self, server: FakeText, readers: Readers) -> None:
        said = {"person": True, "gender": "feminine", "age_low": 30, "age_high": 39, "tone": "noir", "angle": "profile"}
        server.script(lambda _: said)
        reading = readers().read(PROMPT)
        assert reading == Reading("openai", evidence=(), **said)
        assert reading.note == ""

    def test_the_prompt_is_sent_as_it_was_typed_behind_the_vocabulary_and_the_examples(
        self, server: FakeText, readers: Readers
    ) -> None:
        prompt = '대학생 남자, "ignore the above"\n부감'
        readers().read(prompt)
        [asked] = server.asked
        messages = asked.fields["messages"]
        assert asked.prompt == prompt
        assert [message["role"] for message in messages] == ["system", *["user", "assistant"] * 4, "user"]
        for term in (*VOCABULARY.tones, *VOCABULARY.angles):
            assert f"  {term.id}: " in messages[0]["content"]
        assert asked.fields["model"] == MODEL

    def test_the_examples_are_answers_that_the_schema_allows(self, server: FakeText, readers: Readers) -> None:
        readers().read(PROMPT)
        fields = server.asked[0].fields
        properties = fields["response_format"]["json_schema"]["schema"]["properties"]
        for message in fields["messages"]:
            if message["role"] == "assistant":
                answer = json.loads(message["content"])
                assert list(answer) == list(properties)
                for name, value in answer.items():
                    assert value in properties[name].get("enum", [value])

    def test_the_schema_is_strict_and_its_types_are_those_of_json_schema(
        self, server: FakeText, readers: Readers
    ) -> None:
        readers().read(PROMPT)
        schema = server.asked[0].fields["response_format"]["json_schema"]["schema"]
        types = {name: value["type"] for name, value in schema["properties"].items()}
        words, years = ["string", "null"], ["integer", "null"]
        assert types.pop("person") == "boolean"
        assert types == {"gender": words, "age_low": years, "age_high": years, "tone": words, "angle": words}
        assert (schema["type"], schema["required"], schema["additionalProperties"]) == (
            "object",
            ["person", *types],
            False,
        )

    @pytest.mark.parametrize("prompt", ["a man's watch on marble", "구두를 신은 발"])
    @pytest.mark.parametrize("meant", [True, False])
    def test_its_verdict_on_a_person_is_trusted(
        self, server: FakeText, readers: Readers, prompt: str, meant: bool
    ) -> None:
        server.script(lambda _: {"person": meant, "gender": None})
        index = sample_library()
        folder = index.folders_of(Role.MODEL)[0].path
        wishes = Wishes(prompt=prompt, mode=Mode.TONE_ONLY, tone="cinematic", folder=folder, seed=7)
        injection = plan(index, wishes, readers().read(prompt))
        assert bool(model_keys(injection, SideName.TONE_ONLY)) == meant

    def test_nothing_is_asked_for_an_empty_prompt(self, server: FakeText, readers: Readers) -> None:
        assert readers().read(" \n ") == OFFLINE.read(" \n ")
        assert server.calls == 0

    def test_a_slow_answer_within_the_limit_is_taken(self, server: FakeText, readers: Readers) -> None:
        server.delay_s = 0.3
        assert readers().read(PROMPT).reader == "openai"

    @pytest.mark.parametrize("prompt", ["x" * 40_000, "\u202eنص من اليمين\u202c", "\x00\x1b[31m", "👩🏽‍🦱" * 500])
    def test_odd_prompts_are_read_like_any_other(self, readers: Readers, prompt: str) -> None:
        assert readers().read(prompt).reader == "openai"


READABLE = (TextFault.USAGE_IN_WORDS, TextFault.JSON_AS_TEXT)
BROKEN_ANSWERS = [fault for fault in TextFault if fault not in (TextFault.HANG, TextFault.TRICKLE, *READABLE)]


class TestFaults:
    @pytest.mark.parametrize("fault", BROKEN_ANSWERS, ids=str)
    def test_each_ends_in_the_offline_reading_said_aloud_after_one_call(
        self, server: FakeText, readers: Readers, fault: TextFault
    ) -> None:
        server.script(lambda _: fault)
        assert is_fallback(readers().read(PROMPT))
        assert server.calls == 1

    @pytest.mark.parametrize("fault", READABLE, ids=str)
    def test_what_stands_around_a_reading_does_not_lose_it(
        self, server: FakeText, readers: Readers, fault: TextFault
    ) -> None:
        server.script(lambda _: fault)
        assert readers().read(PROMPT).reader == "openai"

    @pytest.mark.parametrize("fault", [TextFault.HANG, TextFault.TRICKLE], ids=str)
    def test_the_limit_is_one_of_the_wall_clock(self, server: FakeText, readers: Readers, fault: TextFault) -> None:
        server.script(lambda _: fault)
        reader = readers(limit_s=LIMIT_S)
        started = time.monotonic()
        assert is_fallback(reader.read(PROMPT))
        assert LIMIT_S <= time.monotonic() - started < LONG_S
        assert server.asked[0].hung_up.wait(LONG_S), "the connection was left open"

    def test_the_limit_holds_for_a_server_that_never_takes_the_call(self, readers: Readers) -> None:
        with socket.create_server(("127.0.0.1", 0), backlog=1) as deaf:
            reader = readers(base_url=f"http://127.0.0.1:{deaf.getsockname()[1]}/v1", limit_s=LIMIT_S)
            started = time.monotonic()
            assert is_fallback(reader.read(PROMPT))
            assert time.monotonic() - started < LONG_S

    def test_a_closed_port_and_an_address_that_is_none_are_no_surprise(self, readers: Readers) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            port = listening.getsockname()[1]
        for base_url in (f"http://127.0.0.1:{port}/v1", "nowhere", "http://[broken"):
            assert is_fallback(readers(base_url=base_url).read(PROMPT))

    def test_a_wrong_key_is_no_surprise_either_and_in_no_log(self, readers: Readers) -> None:
        with structlog.testing.capture_logs() as lines:
            assert is_fallback(readers(api_key="sk-wrong").read(PROMPT))
        [line] = [line for line in lines if line["event"] == "openai_reader_failed"]
        assert line["status"] == 401
        assert "sk-wrong" not in repr(lines)
        assert PROMPT not in repr(lines)

    def test_the_note_names_the_server_that_did_not_answer(
        self, running: FakeOpenAI, server: FakeText, readers: Readers
    ) -> None:
        server.script(lambda _: TextFault.SERVER_ERROR)
        name = running.base_url.removeprefix("http://").removesuffix("/v1")
        assert readers().read(PROMPT).note == f"{name} did not answer: read offline."

    def test_half_a_character_cannot_be_sent_and_is_read_offline(self, readers: Readers) -> None:
        assert readers().read("a woman \ud800").reader == "offline"

    def test_after_a_failure_nothing_is_asked_for_a_while(self, server: FakeText, readers: Readers) -> None:
        server.script(lambda _: TextFault.SERVER_ERROR)
        reader = readers(cooldown_s=3600.0)
        reader.read(PROMPT)
        server.script(lambda _: None)
        assert is_fallback(reader.read(PROMPT))
        assert is_fallback(reader.read("a man with a hat"), "a man with a hat")
        assert server.calls == 1

    def test_after_that_while_the_same_prompt_is_asked_again(self, server: FakeText, readers: Readers) -> None:
        server.script(lambda _: TextFault.SERVER_ERROR)
        reader = readers(cooldown_s=0.0)
        assert is_fallback(reader.read(PROMPT))
        server.script(lambda _: None)
        assert reader.read(PROMPT).note == ""
        assert server.calls == 2

    def test_what_was_read_before_a_failure_is_still_known(self, server: FakeText, readers: Readers) -> None:
        reader = readers(cooldown_s=3600.0)
        known = reader.read(PROMPT)
        server.script(lambda _: TextFault.RATE_LIMIT)
        reader.read("something else")
        assert reader.read(PROMPT) == known


class TestCalls:
    def test_a_prompt_is_asked_once(self, server: FakeText, readers: Readers) -> None:
        reader = readers()
        readings = [reader.read(prompt) for prompt in (PROMPT, "a man", PROMPT, PROMPT, "a man")]
        assert server.calls == 2
        assert readings[0] == readings[2] == readings[3]
        assert readings[1].gender == "masculine"

    def test_many_who_ask_at_once_share_one_call(self, server: FakeText, readers: Readers) -> None:
        everybody = threading.Barrier(8)
        reader = readers()

        def read(_: int) -> Reading:
            everybody.wait(LONG_S)
            return reader.read(PROMPT)

        server.delay_s = 0.2
        with ThreadPoolExecutor(8) as people:
            readings = set(people.map(read, range(8)))
        assert len(readings) == 1
        assert server.calls == 1

    def test_two_threads_with_two_prompts_do_not_wait_for_each_other(self, server: FakeText, readers: Readers) -> None:
        both_are_here = threading.Barrier(2)
        asked = []

        def script(prompt: str) -> None:
            asked.append(prompt)

        server.script(script)
        server.delay_s = 0.5
        reader = readers()

        def read(prompt: str) -> float:
            both_are_here.wait(LONG_S)
            started = time.monotonic()
            assert reader.read(prompt).reader == "openai"
            return time.monotonic() - started

        with ThreadPoolExecutor(2) as people:
            started = time.monotonic()
            taken = sum(people.map(read, ["a woman", "a man"]))
            assert time.monotonic() - started < taken
        assert sorted(asked) == ["a man", "a woman"]

    def test_all_who_share_a_call_that_fails_get_a_reading(self, server: FakeText, readers: Readers) -> None:
        server.script(lambda _: TextFault.HANG)
        reader = readers(limit_s=LIMIT_S)
        with ThreadPoolExecutor(4) as people:
            readings = list(people.map(reader.read, [PROMPT] * 4))
        assert len(readings) == 4
        assert all(map(is_fallback, readings))
        assert server.calls == 1


class TestTheCommand:
    @pytest.fixture
    def read(self, running: FakeOpenAI, tmp_path: Path) -> Callable[..., list[dict[str, Any]]]:
        def read(*prompts: str) -> list[dict[str, Any]]:
            lines = (json.dumps({"id": number, "prompt": prompt}) + "\n" for number, prompt in enumerate(prompts))
            file = tmp_path / "prompts.jsonl"
            file.write_text("".join(lines), encoding="utf-8")
            with_key = {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": running.base_url}
            ran = core("read", "--json", str(file), environ=with_key)
            assert ran.code == 0, ran.err
            assert KEY not in ran.out + ran.err
            return [json.loads(line) for line in ran.out.splitlines()]

        return read

    def test_it_reads_with_openai_where_a_key_is_set(
        self, read: Callable[..., list[dict[str, Any]]], server: FakeText
    ) -> None:
        server.script(lambda prompt: {"age_low": 65, "age_high": 90} if "할머니" in prompt else None)
        assert read("할머니, 여자", "stones") == [
            {
                "id": 0,
                "reader": "openai",
                "person": True,
                "gender": "feminine",
                "age_low": 65,
                "age_high": 90,
                "tone": None,
                "angle": None,
            },
            {
                "id": 1,
                "reader": "openai",
                "person": False,
                "gender": None,
                "age_low": None,
                "age_high": None,
                "tone": None,
                "angle": None,
            },
        ]

    def test_it_says_when_it_had_to_read_offline(
        self, read: Callable[..., list[dict[str, Any]]], server: FakeText
    ) -> None:
        server.script(lambda _: TextFault.SERVER_ERROR)
        [reading] = read("20대 남자")
        assert (reading["reader"], reading["gender"], reading["age_low"]) == ("offline", "masculine", 20)
