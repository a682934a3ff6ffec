"""The pictures of ballots on our own route: nothing a browser gets tells the sides apart."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from core.images.containers.png import chunks
from core.settings import load_settings
from core.studio import Studio, close_studio, get_studio
from core.ui.frame.streamlit_internals import read_message
from core.viewer import PersonRole, Viewer
from core.votes.records.judgements import SideLetter
from core.votes.service import Ballot
from core.web.routes import ROUTES, middleware
from tests.votes.ballot_box import BO, BallotBox

DEMO = Viewer("demo@localhost", PersonRole.ADMIN)
COMPARISONS = 12
# Short ones stand in a random seal by chance.
FORBIDDEN = re.compile(rb"tone.only|tone.angle|fidelity|generations|gpt-image|preview|comment|created", re.I)
FORBIDDEN_TOO = re.compile(rb"engine|test-1|[^a-z]side|exif|text", re.I)


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """The demo as it is, in this process, with comparisons in its bucket."""
    place = tmp_path_factory.mktemp("demo")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATA_DIR", str(place / "data"))
        assert load_settings().data_dir == place / "data"
        try:
            yield _filled(get_studio(), place)
        finally:
            close_studio()


def _filled(studio: Studio, place: Path) -> Studio:
    assert studio.storage.embedded is not None
    box = BallotBox(studio.storage.embedded, studio.settings.s3_app_prefix, place)
    for number in range(COMPARISONS):
        box.compared(takes=1 + number % 2, prompt=f"prompt {number}")
    studio.pairings.catch_up()
    return studio


def get(*addresses: str, method: str = "GET", **headers: str) -> list[httpx.Response]:
    """What the routes answer, in this process."""

    async def ask() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app=Starlette(routes=ROUTES, middleware=middleware(read_message)))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return [await client.request(method, address, headers=headers) for address in addresses]

    return asyncio.run(ask())


@dataclass(frozen=True)
class Given:
    """All that a browser gets of one ballot, and which side stands left."""

    ballot: Ballot
    left: httpx.Response
    right: httpx.Response
    side: SideLetter


@pytest.fixture(scope="module")
def given(studio: Studio) -> list[Given]:
    """Forty ballots, of both orders."""
    found = []
    while len(found) < 40:
        for ballot in studio.votes.ballots(DEMO, count=10):
            left, right = get(ballot.left, ballot.right)
            found.append(Given(ballot, left, right, studio.votes._ballot(DEMO, ballot.token).left))
    assert {each.side for each in found} == set(SideLetter)
    return found


def headers(response: httpx.Response) -> list[tuple[bytes, bytes]]:
    """All but the request's own number, which tells the order of requests and nothing else."""
    return [(name, value) for name, value in response.headers.raw if name != b"x-request-id"]


def traits(response: httpx.Response) -> dict[str, Any]:
    """Everything but the compressed pixels."""
    data = response.content
    layout = [(each.kind, each.start, each.end) for each in chunks(data)]
    (pixels,) = [(start, end) for kind, start, end in layout if kind == b"IDAT"]
    return {
        "status": response.status_code,
        "headers": headers(response),
        "length": len(data),
        "layout": layout,
        "rest": (data[: pixels[0] + 10], data[pixels[1] :]),
        "version": response.http_version,
    }


def test_both_pictures_of_a_ballot_are_alike_in_everything_but_their_pixels(given: Sequence[Given]) -> None:
    """So there is nothing that a classifier could learn from the one that it would not find in the other."""
    for each in given:
        assert traits(each.left) == traits(each.right)
        assert each.left.status_code == 200


def test_what_a_ballot_looks_like_does_not_depend_on_which_side_stands_left(given: Sequence[Given]) -> None:
    shapes = {(len(each.ballot.token), len(each.ballot.left), len(each.ballot.right)) for each in given}
    assert len(shapes) == 1
    names = {tuple(name for name, _ in response.headers.raw) for each in given for response in (each.left, each.right)}
    assert len(names) == 1


def test_a_classifier_of_everything_but_the_pixels_is_right_no_more_often_than_chance(given: Sequence[Given]) -> None:
    """Of what differs between the two, the seals alone are left: how often a letter stands in them says nothing."""
    letters = {letter for each in given for letter in each.ballot.left + each.ballot.right}
    for letter in letters:  # within 6 standard deviations of 40 guesses, so that chance does not fail it
        more = [each.ballot.left.count(letter) > each.ballot.right.count(letter) for each in given]
        is_a = [each.side is SideLetter.A for each in given]
        right = sum(one == other for one, other in zip(more, is_a, strict=True))
        assert 1 <= right <= 39, letter


def test_no_forbidden_word_reaches_the_browser(studio: Studio, given: Sequence[Given]) -> None:
    """Nor the comparison's id, nor key, file name and etag of either picture."""
    for each in given:
        told = b"\n".join(
            (
                *(
                    b"%b: %b" % pair
                    for pair in (*headers(each.left), *headers(each.right))
                    if pair[0] != b"content-type"
                ),
                *traits(each.left)["rest"],
            )
        )
        seals = "\n".join((each.ballot.token, each.ballot.left, each.ballot.right)).encode()
        assert FORBIDDEN.findall(told + seals) + FORBIDDEN_TOO.findall(told) == []
        drawn = studio.votes._ballot(DEMO, each.ballot.token)
        keys = [word for shown in drawn.pictures for word in (shown.key, shown.key.rsplit("/", 1)[-1], shown.etag)]
        assert [word for word in (drawn.comparison, *keys) if word.encode() in told + seals] == []
        assert each.ballot.prompt.startswith("prompt ")


def test_an_answer_says_how_long_it_is_good_and_under_which_name_it_would_be_saved(given: Sequence[Given]) -> None:
    answer = given[0].left.headers
    assert answer["content-type"] == "image/png"
    assert answer["cache-control"].startswith("private, max-age=")
    assert answer["content-disposition"] == 'inline; filename="picture.png"'
    assert answer["x-content-type-options"] == "nosniff"
    assert {"etag", "last-modified", "set-cookie", "server-timing"}.isdisjoint(answer)


def test_a_range_and_a_head_tell_no_more(given: Sequence[Given]) -> None:
    ballot = given[0].ballot
    (left, right) = get(ballot.left, ballot.right, Range="bytes=0-99")
    assert traits(left) == traits(right)
    assert left.status_code == 200
    left, right = get(ballot.left, ballot.right, method="HEAD")
    assert headers(left) == headers(right)


def test_what_is_forged_foreign_cut_or_a_vote_gets_the_same_answer(studio: Studio, given: Sequence[Given]) -> None:
    ballot = given[0].ballot
    (others,) = studio.votes.ballots(BO)
    addresses = [
        *("/ballot/", "/ballot/x", "/ballot/a/b", "/ballot/%F0%9F%99%82", f"/ballot/{'A' * 700}"),
        *(ballot.left[:-3], ballot.left.replace("/ballot/g", "/ballot/h"), f"/ballot/{ballot.token}"),
        *(others.left, others.right),
    ]
    answers = get(*addresses)
    assert {answer.status_code for answer in answers} == {404}
    assert {answer.text for answer in answers} == {"There is no such picture."}
