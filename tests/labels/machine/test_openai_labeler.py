"""The OpenAI labeler over real HTTP: what it asks, what it makes of answers, and what it does when there is none."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image

from core.errors import EngineError, EngineFault
from core.labels.machine.labeler import Problem, Proposal, Unanswered
from core.labels.machine.openai_errors import ErrorScope, RetryPolicy, scope_of_body
from core.labels.machine.openai_labeler import OpenAILabeler
from core.labels.machine.openai_question import Question, Unreadable
from core.labels.published.schema import LabelSource, age_range_of
from core.openai.client import Endpoint
from tests.fakes.openai_portraits import DATA_URL, WRONG_ANSWERS, by_rule, pictures_of
from tests.fakes.openai_server import FakeOpenAI
from tests.labels.portraits import INSTRUCTIONS, VOCABULARY, jpeg, portrayed

KEY = "sk-labels"
_RETRY = ("attempts", "backoff_s", "sleep")


@pytest.fixture(scope="module")
def server() -> Iterator[FakeOpenAI]:
    with FakeOpenAI(api_key=KEY).serving() as fake:
        yield fake


@pytest.fixture
def openai(server: FakeOpenAI) -> FakeOpenAI:
    server.reset()
    return server


class Patience:
    """Waits by writing down how long it should have waited."""

    def __init__(self) -> None:
        self.waited: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.waited.append(seconds)


def labeler(openai: FakeOpenAI, *, shots: int = 3, model: str = "gpt-5-mini", **changes: Any) -> OpenAILabeler:
    question = Question(INSTRUCTIONS, VOCABULARY, model=model, shots=shots, server="gateway:4000")
    retry = RetryPolicy(**{"sleep": Patience(), "attempts": 3} | {k: changes.pop(k) for k in _RETRY if k in changes})
    endpoint = Endpoint(changes.pop("key", KEY), openai.base_url)
    return OpenAILabeler(endpoint, question, retry=retry, **{"limit_s": 5.0} | changes)


def ask(openai: FakeOpenAI, **changes: Any) -> Proposal:
    return labeler(openai, **changes).label(portrayed(7), run="run-1")


class TestQuestion:
    """What is sent: a strict schema, the worked examples, and a small picture."""

    def test_three_worked_examples_come_before_the_picture(self, openai: FakeOpenAI) -> None:
        ask(openai)
        fields = openai.text.asked[0].fields
        assert [message["role"] for message in fields["messages"]] == ["system", *("user", "assistant") * 3, "user"]
        shown = [base64.b64decode(url.removeprefix(DATA_URL)) for url in pictures_of(fields)]
        assert shown[:-1] == [shot.jpeg for shot in INSTRUCTIONS.shots]
        assert fields["reasoning_effort"] == "low"

    def test_no_examples_are_shown_to_a_zero_shot_labeler_and_the_label_says_so(self, openai: FakeOpenAI) -> None:
        label = ask(openai, shots=0).label
        assert len(pictures_of(openai.text.asked[0].fields)) == 1
        assert (label.shots, label.prompt_version) == (0, INSTRUCTIONS.version)

    def test_the_picture_is_sent_small_and_upright(self, openai: FakeOpenAI) -> None:
        made = labeler(openai)
        made.label(portrayed(1, jpeg(1, width=3000, height=4000)), run="r")
        url = pictures_of(openai.text.asked[0].fields)[-1]
        with Image.open(io.BytesIO(base64.b64decode(url.removeprefix(DATA_URL)))) as image:
            assert image.size == (384, 512)

    def test_an_unknown_model_gets_no_option_that_it_may_not_know(self, openai: FakeOpenAI) -> None:
        proposal = ask(openai, model="some-other-model")
        assert "reasoning_effort" not in openai.text.asked[0].fields
        assert proposal.usd is None, "nobody knows its price, which is not the same as free"


class TestAnswer:
    """A good answer is a label with everything that is known about how it came to be."""

    def test_every_field_arrives(self, openai: FakeOpenAI) -> None:
        proposal = ask(openai)
        url = pictures_of(openai.text.asked[0].fields)[-1]
        label, said = proposal.label, by_rule(url)
        assert (label.key, label.etag) == (portrayed(7).key, portrayed(7).etag)
        for name in ("age_low", "age_high", "gender_presentation", "hair", "expression", "framing", "tone", "angle"):
            assert getattr(label, name) == said[name]
        assert label.age_range == age_range_of(said["age_low"], said["age_high"])
        assert {field.value: sure for field, sure in label.confidence.items()} == said["confidence"]
        assert (label.source, label.model, label.shots) == (LabelSource.OPENAI, "gpt-5-mini", 3)
        assert (label.run, label.reviewer, proposal.problem) == ("run-1", None, None)
        assert label.time is not None

    def test_the_cost_follows_from_the_tokens_the_vendor_counted(self, openai: FakeOpenAI) -> None:
        proposal = ask(openai)
        usd = (proposal.input_tokens * 0.25 + proposal.output_tokens * 2.0) / 1_000_000
        assert proposal.usd == pytest.approx(usd, abs=1e-6)

    def test_what_stands_around_an_answer_does_not_lose_it(self, openai: FakeOpenAI) -> None:
        openai.text.portraits(lambda _picture: "json-as-text")
        assert ask(openai).problem is None

    def test_a_count_in_words_is_no_price_and_not_free(self, openai: FakeOpenAI) -> None:
        openai.text.portraits(lambda _picture: "usage-in-words")
        proposal = ask(openai)
        assert (proposal.problem, proposal.usd) == (None, None)

    @pytest.mark.parametrize(
        ("fault", "kept", "lost", "says"),
        [
            ("wrong-gender", "age_low", "gender_presentation", "“somebody”"),
            ("age-in-words", "gender_presentation", "age_low", "“thirty” is no number of years"),
            ("ages-backwards", "gender_presentation", "age_low", "40 to 30 run backwards"),
            ("half-an-age", "gender_presentation", "age_low", "is no number of years"),
            ("no-such-tone", "angle", "tone", "“no-such-tone” is not in the vocabulary"),
            ("odd-types", "age_low", "hair", "is no short text"),
        ],
    )
    def test_a_wrong_field_is_left_out_with_its_reason_and_the_others_stay(
        self, openai: FakeOpenAI, fault: str, kept: str, lost: str, says: str
    ) -> None:
        openai.text.portraits(lambda _picture: fault)
        proposal = ask(openai)
        assert proposal.problem is Problem.BAD_ANSWER
        assert getattr(proposal.label, kept) is not None
        assert getattr(proposal.label, lost) is None
        assert says in (proposal.label.notes or "")
        assert openai.text.calls == 1, "a second call would be paid for"

    def test_confidences_beyond_0_and_1_are_no_confidences(self, openai: FakeOpenAI) -> None:
        openai.text.portraits(lambda _picture: "too-sure")
        assert ask(openai).label.confidence == {}

    def test_a_picture_of_nobody_gets_no_age(self, openai: FakeOpenAI) -> None:
        openai.text.portraits(lambda _picture: "nobody")
        proposal = ask(openai)
        assert proposal.problem is Problem.NO_PERSON
        assert (proposal.label.age_low, proposal.label.gender_presentation) == (None, None)
        assert "no person" in (proposal.label.notes or "")

    def test_every_wrong_answer_of_the_fake_is_survived(self, openai: FakeOpenAI) -> None:
        for fault in WRONG_ANSWERS:
            openai.text.portraits(lambda _picture, fault=fault: fault)
            assert ask(openai).label.etag == portrayed(7).etag


class TestReasons:
    """What is wrong with a picture becomes a label with a reason, never a stop."""

    @pytest.mark.parametrize("fault", ["refusal", "blocked", "blocked-under-200"])
    def test_a_refused_picture_is_labelled_as_refused(self, openai: FakeOpenAI, fault: str) -> None:
        openai.text.portraits(lambda _picture: fault)
        proposal = ask(openai)
        assert proposal.problem is Problem.REFUSED
        assert proposal.label.notes == "gateway:4000's safety system refused this picture; a person has to label it."
        assert openai.text.calls == 1

    def test_a_picture_the_vendor_cannot_read_says_so(self, openai: FakeOpenAI) -> None:
        openai.text.portraits(lambda _picture: "bad-picture")
        assert ask(openai).problem is Problem.BAD_PICTURE

    @pytest.mark.parametrize("data", [b"no picture", jpeg(3)[:200], b""])
    def test_what_is_no_picture_is_not_even_sent(self, openai: FakeOpenAI, data: bytes) -> None:
        made = labeler(openai)
        picture = portrayed(1)
        proposal = made.label(type(picture)(picture.key, picture.etag, data), run="r")
        assert (proposal.problem, openai.text.calls, proposal.usd) == (Problem.BAD_PICTURE, 0, 0.0)

    @pytest.mark.parametrize("fault", ["malformed", "empty", "no-choices"])
    def test_an_answer_that_cannot_be_read_is_asked_for_once_more_and_no_oftener(
        self, openai: FakeOpenAI, fault: str
    ) -> None:
        openai.text.portraits(lambda _picture: fault)
        proposal = ask(openai)
        assert (proposal.problem, openai.text.calls) == (Problem.BAD_ANSWER, 2)
        assert proposal.output_tokens == 80, "both calls are counted"

    def test_the_second_answer_serves_when_it_is_good(self, openai: FakeOpenAI) -> None:
        faults = iter(["malformed"])
        openai.text.portraits(lambda _picture: next(faults, None))
        assert ask(openai).problem is None


class TestPatience:
    """Moments pass, and accounts do not mend themselves."""

    def test_a_rate_limit_is_waited_out_for_as_long_as_the_vendor_says(self, openai: FakeOpenAI) -> None:
        faults = iter(["text-rate-limit", "text-rate-limit"])
        openai.text.portraits(lambda _picture: next(faults, None))
        openai.text.retry_after = {"retry-after": "7"}
        patience = Patience()
        assert ask(openai, sleep=patience).problem is None
        assert patience.waited.count(7.0) == 2
        assert openai.text.calls == 3

    def test_while_one_waits_for_a_limit_all_others_wait_too(self, openai: FakeOpenAI) -> None:
        faults = iter(["text-rate-limit"])
        openai.text.portraits(lambda _picture: next(faults, None))
        openai.text.retry_after = {"retry-after-ms": "600000"}
        patience = Patience()
        made = labeler(openai, sleep=patience)
        made.label(portrayed(1), run="r")
        before = len(patience.waited)
        made.label(portrayed(2), run="r")
        assert patience.waited[before] == pytest.approx(600, abs=5)

    @pytest.mark.parametrize("fault", ["text-server-error", "text-cut", "no-json", "text-rate-limit"])
    def test_what_does_not_pass_leaves_the_picture_for_the_next_run(self, openai: FakeOpenAI, fault: str) -> None:
        openai.text.portraits(lambda _picture: fault)
        with pytest.raises(Unanswered):
            ask(openai)
        assert openai.text.calls == 3

    @pytest.mark.parametrize("fault", ["hang", "text-trickle"])
    def test_an_answer_that_never_ends_is_given_up(self, openai: FakeOpenAI, fault: str) -> None:
        openai.text.portraits(lambda _picture: fault)
        with pytest.raises(Unanswered):
            ask(openai, limit_s=0.3, attempts=1)

    def test_an_empty_account_stops_the_run_in_one_sentence(self, openai: FakeOpenAI) -> None:
        openai.text.portraits(lambda _picture: "text-no-quota")
        with pytest.raises(EngineError, match="credit or budget") as stopped:
            ask(openai)
        assert (stopped.value.kind, openai.text.calls) == (EngineFault.OUT_OF_CREDIT, 1)

    def test_a_403_stops_the_run_in_the_servers_words(self, openai: FakeOpenAI) -> None:
        openai.text.portraits(lambda _picture: "text-forbidden")
        with pytest.raises(EngineError, match="Country, region, or territory not supported") as stopped:
            ask(openai)
        assert stopped.value.message.startswith(openai.base_url.removeprefix("http://").removesuffix("/v1"))
        assert openai.text.calls == 1

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"choices": "none"},
            {"choices": [{"message": "words"}]},
            {"choices": [{"message": {"content": ["a list"]}}], "usage": "much"},
            {"choices": [{"message": {"content": "7"}}], "usage": [1]},
        ],
        ids=str,
    )
    def test_an_answer_of_any_other_shape_is_none(self, body: dict[str, Any]) -> None:
        question = Question(INSTRUCTIONS, VOCABULARY, model="gpt-5-mini", shots=0)
        with pytest.raises(Unreadable):
            question.propose(portrayed(1), body, run="r")
        assert question.usage_of(body).usd is None

    @pytest.mark.parametrize(
        ("body", "scope"),
        [
            ({"error": {"code": "content_filter"}}, ErrorScope.REFUSED),
            ({"error": {"code": "invalid_image"}}, ErrorScope.PICTURE),
            ({"error": "Your request was rejected by our safety system"}, ErrorScope.REFUSED),
            ({"error": {"code": ["invalid_image"]}}, ErrorScope.PICTURE),
            ({"error": {"code": 400, "message": "no"}}, ErrorScope.MOMENT),
            ("the batch expired", ErrorScope.MOMENT),
            (None, ErrorScope.MOMENT),
        ],
        ids=str,
    )
    def test_a_line_of_a_batch_is_at_fault_whatever_shape_its_error_has(self, body: object, scope: ErrorScope) -> None:
        assert scope_of_body(body, 400) is scope

    def test_a_wrong_key_stops_the_run_and_is_not_quoted(self, openai: FakeOpenAI) -> None:
        with pytest.raises(EngineError, match="OPENAI_API_KEY") as stopped:
            ask(openai, key="sk-somebody-else")
        assert "sk-" not in stopped.value.message

    def test_a_server_that_is_not_there_leaves_the_picture_for_the_next_run(self) -> None:
        question = Question(INSTRUCTIONS, VOCABULARY, model="gpt-5-mini", shots=0)
        made = OpenAILabeler(
            Endpoint(KEY, "http://127.0.0.1:9/v1"), question, retry=RetryPolicy(sleep=Patience(), attempts=2)
        )
        with pytest.raises(Unanswered, match="could not be reached"):
            made.label(portrayed(1), run="r")
