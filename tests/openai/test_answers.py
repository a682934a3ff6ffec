"""The body of an answer, document by document, however it is cut into pieces and wherever it ends."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.openai.answers import Document, documents_of, mappings_in

STREAM = (
    b'\xef\xbb\xbf: ping\r\n\r\nevent: a\r\ndata: {"n": 1}\r\n\r\ndata:\n\nid: 3\nretry: 5\n\n'
    b'event: b\ndata: {"n":\ndata: 2}\ndata: {"n": 3}\n\ndata: no JSON\n\n'
    b'data: [DONE]\n\nevent: c\ndata: "\xc3\xa9"'
)
IN_STREAM = [
    Document({"n": 1}, "a"),
    Document({"n": 2}, "b"),
    Document({"n": 3}, "b"),
    Document("no JSON"),
    Document("é", "c"),
]


def answer(*pieces: bytes, broken: bool = False) -> httpx.Response:
    def body() -> Iterator[bytes]:
        yield from pieces
        if broken:
            raise httpx.RemoteProtocolError("peer closed connection without sending complete message body")

    return httpx.Response(200, content=body(), request=httpx.Request("POST", "http://127.0.0.1/v1"))


@given(cuts=st.lists(st.integers(0, len(STREAM)), max_size=8).map(sorted))
def test_a_stream_is_the_same_wherever_it_is_cut_into_pieces(cuts: list[int]) -> None:
    pieces = [STREAM[start:end] for start, end in zip([0, *cuts], [*cuts, len(STREAM)], strict=True)]
    assert list(documents_of(answer(*pieces))) == IN_STREAM


@pytest.mark.parametrize(
    ("body", "documents"),
    [
        (b"", []),
        (b" \r\n\n ", []),
        (b'{"a": 1}', [Document({"a": 1})]),
        (b'\n\n{\n "data": [\n 1]\n}\n', [Document({"data": [1]})]),
        (b'{"a": 1}\n{"a": 2},{"a": 3}', [Document({"a": 1}), Document({"a": 2}), Document({"a": 3})]),
        (b'{"a": "x\ny"}', [Document({"a": "x\ny"})]),
        (b'{"a": 1', [Document('{"a": 1')]),
        (b'{"a": 1} and more', [Document({"a": 1}), Document("and more")]),
        (b"<html>no</html>", [Document("<html>no</html>")]),
        (b"[" * 5000, [Document("[" * 5000)]),
        (b'{"a": "\xff"}', [Document({"a": "\N{REPLACEMENT CHARACTER}"})]),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_body_that_is_no_stream_is_what_it_is(body: bytes, documents: list[Document]) -> None:
    assert list(documents_of(answer(body))) == documents


@pytest.mark.parametrize("body", [b'{"a": 1}', b'data: {"a": 1}', b'event: x\ndata: {"a": 1}\n\n'])
def test_what_came_whole_before_an_answer_broke_off_is_there_first(body: bytes) -> None:
    documents = documents_of(answer(body, broken=True))
    assert next(documents).content == {"a": 1}
    with pytest.raises(openai.APIConnectionError):
        list(documents)


def test_objects_are_found_as_deep_as_answers_have_them() -> None:
    deep: object = "end"
    for _ in range(2000):
        deep = [{"in": deep}]
    assert len(list(mappings_in({"a": [{"b": {}}, 7], "c": deep}))) < 10
