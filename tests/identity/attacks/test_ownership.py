"""Attacks by colleagues: on work that is not theirs, and on what somebody else has left in a session."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.fakes.openai_server import Behaviour, FakeOpenAI
from tests.support.dashboards.production import Production, production, session
from tests.support.dashboards.socket_page import SocketPage
from tests.support.s3.servers import client_of
from tests.support.timeouts import until

ANNA, BERT, OPS = "anna@studio.example", "bert@studio.example", "ops@studio.example"
CANCEL, RETRY = '"does": "cancel"', '"does": "retry"'  # buttons of the stage, as its script is sent them
UNSENT = "the unannounced perfume of spring"
OpenPage = Callable[..., SocketPage]


def act(page: SocketPage, does: str, comparison: str) -> SocketPage:
    """Press a button of the stage, or say that one was pressed."""
    return page.trigger("stage", "asked", {"does": does, "id": comparison, "side": "tone-only", "take": 1})


@pytest.fixture(scope="module")
def openai() -> Iterator[FakeOpenAI]:
    with FakeOpenAI().serving() as fake:
        yield fake


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory, openai: FakeOpenAI) -> Iterator[Production]:
    """A server in production whose engine is OpenAI's."""
    more = {"OPENAI_API_KEY": "sk-fake", "OPENAI_BASE_URL": openai.base_url, "OPENAI_STREAMING": "on"}
    with production(tmp_path_factory.mktemp("production"), more) as running:
        yield running


@pytest.fixture
def open_page(studio: Production) -> Iterator[OpenPage]:
    """Opens a page for somebody, in a session of their own or in one that they know the name of."""
    with ExitStack() as sockets:

        def open_one(email: str, page: str = "generate", *, resume: str = "") -> SocketPage:
            cookie = studio.cookie(session(email))
            return SocketPage(sockets.enter_context(studio.websocket(cookie, resume=resume)), page)

        yield open_one


def newest_record(studio: Production, ending: str) -> dict[str, Any]:
    """The record that was written last under such a name; nothing before there is one."""
    s3 = client_of(studio.s3)
    rows = s3.list_objects_v2(Bucket=studio.s3.bucket, Prefix="studio/generations/").get("Contents", ())
    found = sorted((row["LastModified"], row["Key"]) for row in rows if row["Key"].endswith(ending))
    if not found:
        return {}
    record: dict[str, Any] = json.loads(s3.get_object(Bucket=studio.s3.bucket, Key=found[-1][1])["Body"].read())
    return record


@pytest.fixture
def annas(openai: FakeOpenAI, studio: Production, open_page: OpenPage) -> Iterator[str]:
    """The id of a comparison of Anna's that is at work for as long as nobody stops it."""
    let_go = threading.Event()
    openai.choose(lambda _: Behaviour(hold=let_go))
    page = open_page(ANNA).until("prompt:box")
    page.tell("prompt:box", typed={"text": "a red chair", "number": 1}).run()
    page.press("Generate").until_said(CANCEL)
    yield newest_record(studio, "/comparison.json")["id"]
    let_go.set()
    openai.reset()


def test_a_colleague_cancels_and_retries_nothing_and_operations_do_by_name(
    annas: str, studio: Production, open_page: OpenPage
) -> None:
    shown = f"comparison={annas}"
    annas_page = open_page(ANNA).until_said(CANCEL, query=shown)
    berts_page = open_page(BERT)
    until(lambda: berts_page.run(query=shown).says(f"Ordered by {ANNA}"), "Bert sees whose it is")
    assert not berts_page.says(CANCEL)
    act(berts_page, "cancel", annas)
    assert newest_record(studio, "/tone-only-1.json") == {}
    assert annas_page.run(query=shown).says(CANCEL), "it is at work still"

    before = datetime.now(UTC).replace(microsecond=0)
    ops_page = open_page(OPS).until_said(CANCEL, query=shown)
    act(ops_page, "cancel", annas)
    record = until(lambda: newest_record(studio, "/tone-only-1.json"), "the end is recorded")
    assert record["person"] == ANNA
    assert record["cancelled"]["person"] == OPS
    assert before <= datetime.fromisoformat(record["cancelled"]["at"]) <= datetime.now(UTC)
    annas_page.until_said(RETRY, query=shown)
    assert annas_page.says(f"Cancelled by {OPS}, ")

    until(lambda: berts_page.run(query=shown).says(f"Only {ANNA} or operations can retry this"), "Bert is told")
    assert not berts_page.says(RETRY)
    act(berts_page, "retry", annas)
    assert newest_record(studio, "/tone-only-2.started.json") == {}
    act(ops_page.until_said(RETRY, query=shown), "retry", annas)
    started = until(lambda: newest_record(studio, "/tone-only-2.started.json"), "the retry is recorded")
    assert started["person"] == OPS
    assert newest_record(studio, f"{annas}/comparison.json")["person"] == ANNA


def test_a_session_that_another_person_goes_on_with_is_empty(studio: Production, open_page: OpenPage) -> None:
    """Streamlit asks for its name alone, and keeps what is in it for ten minutes."""
    with ExitStack() as hers:
        anna = SocketPage(hers.enter_context(studio.websocket(studio.cookie(session(ANNA)))), "generate")
        anna.until("prompt:box").tell("prompt:box", typed={"text": UNSENT, "number": 1}).run()
        assert anna.says(UNSENT)
    bert = open_page(BERT, resume=anna.session).run()
    assert bert.session == anna.session, "the attack comes to nothing where sessions are not gone on with"
    assert not bert.says(UNSENT)
    assert "prompt:box" in bert.ids, "he has a page of his own in it"


def test_a_button_that_was_another_persons_does_nothing_in_a_session_that_is_gone_on_with(
    annas: str, studio: Production, open_page: OpenPage
) -> None:
    """Callbacks run before the page does: with the next person's name, and what the last one was shown."""
    with ExitStack() as hers:
        ops = SocketPage(hers.enter_context(studio.websocket(studio.cookie(session(OPS)))), "generate")
        ops.until_said(CANCEL, query=f"comparison={annas}")
    bert = open_page(BERT, resume=ops.session)
    bert.ids = dict(ops.ids)
    act(bert, "cancel", annas)
    anna = open_page(ANNA, resume=bert.session)
    anna.ids = dict(ops.ids)
    act(anna, "cancel", annas)  # she may, and has not pressed it
    assert open_page(OPS).until_said(CANCEL, query=f"comparison={annas}").says(CANCEL)
    assert not [1 for n in (1, 2) if newest_record(studio, f"{annas}/tone-only-{n}.json")]


def test_the_same_person_goes_on_where_they_were(studio: Production, open_page: OpenPage) -> None:
    """After a lost connection, and with the cookie of a new sign-in."""
    with ExitStack() as hers:
        anna = SocketPage(hers.enter_context(studio.websocket(studio.cookie(session(ANNA)))), "generate")
        anna.until("prompt:box").tell("prompt:box", typed={"text": UNSENT, "number": 1}).run()
    again = open_page(ANNA, resume=anna.session).run()
    assert again.session == anna.session
    assert again.says(UNSENT)
