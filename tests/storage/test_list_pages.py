"""Pages after the first go a shorter way, and S3 cannot tell."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

import pytest

from bench.list_server import Bucket
from core.errors import StorageDenied
from core.references.listing.list_page import read_list_page
from core.references.listing.listing import list_all
from tests.support.s3.servers import PAGED_KEYS, Answer, S3Server, paged_name, scripted_server

PAGE = Bucket(["refs/a b.jpg"]).page({})
OF_ONE_CALL = {"amz-sdk-invocation-id", "amz-sdk-request", "x-amz-date", "authorization"}


class Recorder:
    """Keeps what was asked, and answers with what it is told, else with a page."""

    def __init__(self, *answers: Answer) -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.answers: Iterator[Answer] = iter(answers)

    def __call__(self, request: BaseHTTPRequestHandler, _body: bytes) -> Answer:
        self.asked.append((request.path, {name.lower(): value for name, value in request.headers.items()}))
        return next(self.answers, (200, {"Content-Type": "application/xml"}, PAGE))


def signed_part(headers: dict[str, str]) -> str:
    found = re.search(r"Credential=([^,]+), ?SignedHeaders=([^,]+)", headers["authorization"])
    assert found is not None
    return " ".join(found.groups())


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"start_after": "refs/a b+c%/é.jpg"},
        {"token": "1ab/+=="},
        {"delimiter": "/", "start_after": "refs/ "},
    ],
)
def test_a_later_page_is_asked_for_and_signed_like_the_first(asked: dict[str, str]) -> None:
    whole, short = Recorder(), Recorder()
    with scripted_server(whole) as server:
        server.list_pages().page("refs/한 &", **asked)
    with scripted_server(short) as server:
        list_pages = server.list_pages()
        list_pages.page("")
        assert list_pages.page("refs/한 &", **asked) == PAGE
    (path, headers), (_first, (later_path, later_headers)) = whole.asked[0], short.asked
    assert urlsplit(later_path).path == urlsplit(path).path
    assert parse_qs(urlsplit(later_path).query) == parse_qs(urlsplit(path).query)
    assert signed_part(later_headers) == signed_part(headers)
    same = {name: value for name, value in headers.items() if name not in OF_ONE_CALL | {"host"}}
    assert {name: later_headers.get(name) for name in same} == same


def test_a_refusal_of_a_later_page_is_what_the_whole_way_says() -> None:
    denied = (403, {"Content-Type": "application/xml"}, b"<Error><Code>AccessDenied</Code></Error>")
    recorder = Recorder((200, {"Content-Type": "application/xml"}, PAGE), denied, denied)
    with scripted_server(recorder) as server:
        list_pages = server.list_pages()
        list_pages.page("")
        with pytest.raises(StorageDenied):
            list_pages.page("refs/")
    assert len(recorder.asked) == 3, "the short way's answer is asked for once more in the whole way"


def test_a_server_that_checks_signatures_takes_the_short_way_s(rclone: S3Server) -> None:
    list_pages = replace(rclone, bucket="paged").list_pages()
    list_pages.page("")
    for prefix in ("", "0001 +é"):
        query = {"list-type": "2", "prefix": prefix, "max-keys": "1000", "encoding-type": "url"}
        answer = list_pages._template.page(query)  # itself: `page` would ask again in the whole way
        assert answer is not None
        assert read_list_page(answer).rows.num_rows == (1000 if not prefix else 1)


def test_a_listing_over_many_short_requests_is_complete(rclone: S3Server) -> None:
    keys = list_all(replace(rclone, bucket="paged").list_pages(), "", workers=4, hints=[paged_name(400)]).keys
    assert keys == [paged_name(number) for number in range(PAGED_KEYS)]
