"""A loopback S3 that holds a long history: every comparison's seven objects, made up when they are asked for.

`python bench/history_server.py 50000 0.03` prints its address and serves until its standard input is
closed, with that latency for every answer. Listings are those of list_server; what is written is kept in
memory, under the conditions it came with. Nothing is checked, least of all signatures.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ulid import ULID

from bench.list_server import Bucket
from core.generation.records.attempt import AttemptId, AttemptStart, Server
from core.generation.records.comparison import DEFAULT_SIZE, Comparison, SideRecord
from core.generation.records.outcome import Outcome, StoredPicture
from core.injection.reading.reader import Reading
from core.injection.request.prompt import Section
from core.injection.request.slots import Slot, Step
from core.injection.request.wishes import Mode, SideName, Wishes
from core.references.vocabulary import Role

BUCKET, ROOT = "bench", "studio/generations/"
DAYS = 365
PEOPLE = [f"designer{number}@studio.example" for number in range(40)]
TONES = ["natural-film", "vivid", "cinematic", "beauty", "noir", "pastel", "neon"]
ANGLES = [None, "eye-level", "low-angle", "overhead", "close-up"]
WORDS = (  # noqa: SIM905 - read as a sentence
    "a portrait of a woman by the window in soft morning light with a red coat on a rainy street in seoul "
    "비 오는 서울 거리 노을 빛의 여자 모델 커피 잔 glass perfume bottle on wet stone, low sun, long shadows"
).split()


def comparison(ulid: ULID) -> Comparison:
    """The comparison that has this id; always the same."""
    chance = random.Random(str(ulid))
    prompt = " ".join(chance.choices(WORDS, k=chance.randint(8, 60)))
    tone, angle = chance.choice(TONES), chance.choice(ANGLES)
    slots = tuple(
        Slot(
            id=role.value,
            role=role,
            key=f"refs/client {chance.randint(0, 9)}/2026/0{number}. {role.value.title()}/{tone}/"
            f"p {chance.randint(0, 400):03d}.jpg",
            etag=f"{chance.getrandbits(128):032x}",
            group=tone,
            folder="refs/client/2026/01. Model",
            wished=tone,
            wished_from="picked",
            why="The only one of its group that has not been given to this person last time.",
            steps=(Step("in the folder", 400), Step(f"tagged {tone}", 40), Step("not given last time", 39)),
            choices=39,
        )
        for number, role in ((1, Role.MODEL), (2, Role.TONE), (3, Role.ANGLE))
    )
    sections = (Section("Subject", prompt, typed=True), Section("Tone", "Follow the tone reference's colours. " * 4))
    return Comparison(
        id=str(ulid),
        created_at=ulid.datetime,
        person=chance.choice(PEOPLE),
        mode=Mode.COMPARE,
        wishes=Wishes(prompt=prompt, tone=tone, angle=angle, seed=chance.getrandbits(32)),
        reading=Reading("offline", True, None, None, None, None, None, ()),
        tone=tone,
        angle=angle,
        engine="openai",
        model="gpt-image-2",
        size=DEFAULT_SIZE,
        quality="medium",
        seed=7,
        controlled=True,
        sides=tuple(SideRecord(side=side, slots=slots, sections=sections, prompt=prompt * 3) for side in SideName),
        index_built_at=ulid.datetime,
        labels_version="1",
    )


def folders(count: int) -> Iterator[str]:
    """The folders of comparisons, evenly over a year up to an hour ago."""
    end = datetime.now(UTC) - timedelta(hours=1)
    chance = random.Random(7)
    for number in range(count):
        made = end - timedelta(days=DAYS) * (number / count)
        ulid = ULID.from_bytes(ULID.from_datetime(made).bytes[:6] + chance.randbytes(10))
        yield f"{ROOT}{made:%Y/%m/%d}/{ulid}/"


def names() -> Iterator[str]:
    """What lies in a comparison's folder."""
    yield "comparison.json"
    for side in SideName:
        yield from (f"{side}-1.json", f"{side}-1.png", f"{side}-1.started.json")


def body_of(key: str) -> bytes:
    """The bytes of an object of the history."""
    folder, name = key.rsplit("/", 1)
    ulid = ULID.from_str(folder.rsplit("/", 1)[-1])
    if name == "comparison.json":
        return comparison(ulid).model_dump_json(indent=1).encode()
    side, made = SideName(name.rsplit("-", 1)[0]), ulid.datetime
    if name.endswith(".started.json"):
        server = Server(host="bench", pid=1, boot="1")
        start = AttemptStart(comparison=str(ulid), side=side, attempt=1, started_at=made, deadline_s=270, server=server)
        return start.model_dump_json().encode()
    picture = StoredPicture(key=f"{folder}/{side}-1.png", etag="0" * 32, content_type="image/png", size=DEFAULT_SIZE)
    outcome = Outcome.done(AttemptId(str(ulid), side, 1), picture, began=made, ended=made)
    return outcome.model_dump_json().encode()


class Connection(asyncio.Protocol):
    """HTTP/1.1 with keep-alive, as much of it as boto3 speaks."""

    def __init__(self, bucket: Bucket, keys: set[str], written: dict[str, bytes], latency_s: float) -> None:
        self._bucket, self._keys, self._written, self._latency_s = bucket, keys, written, latency_s
        self._received = b""
        self._continued = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - what a TCP server gets
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while b"\r\n\r\n" in self._received:
            head, _, rest = self._received.partition(b"\r\n\r\n")
            first, *lines = head.decode("latin-1").split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            length = int(headers.get("content-length", "0"))
            if headers.get("expect") and not self._continued:
                self._continued = True
                self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            if len(rest) < length:
                return
            self._continued = False
            self._received = rest[length:]
            method, target, _ = first.split(" ", 2)
            answer = self._answer(method, target, headers, rest[:length])
            asyncio.get_running_loop().call_later(self._latency_s, self._transport.write, answer)

    def _answer(self, method: str, target: str, headers: dict[str, str], data: bytes) -> bytes:
        parts = urlsplit(target)
        key = unquote(parts.path).removeprefix(f"/{BUCKET}").removeprefix("/")
        if not key:
            query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
            bucket = self._bucket if query.get("prefix", "").startswith(ROOT) else _Written(self._written)
            return _response("200 OK", bucket.page(query))
        if method == "PUT":
            etag = _etag(self._written[key]) if key in self._written else None
            if (headers.get("if-none-match") and etag) or headers.get("if-match", f'"{etag}"') != f'"{etag}"':
                return _response("412 Precondition Failed", b"<Error><Code>PreconditionFailed</Code></Error>")
            self._written[key] = data
            return _response("200 OK", b"", etag=_etag(data))
        if key in self._written:
            return _response("200 OK", self._written[key], etag=_etag(self._written[key]))
        if key not in self._keys:
            return _response("404 Not Found", b"<Error><Code>NoSuchKey</Code></Error>")
        return _response("200 OK", body_of(key), etag=hashlib.md5(key.encode(), usedforsecurity=False).hexdigest())


class _Written:
    """Lists the few objects that were written."""

    def __init__(self, written: dict[str, bytes]) -> None:
        self._written = written

    def page(self, query: dict[str, str]) -> bytes:
        """All of them in one page."""
        rows = "".join(
            f"<Contents><Key>{key}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>"
            f"<ETag>&quot;{_etag(data)}&quot;</ETag><Size>{len(data)}</Size></Contents>"
            for key, data in sorted(self._written.items())
            if key.startswith(query.get("prefix", ""))
        )
        return f"<ListBucketResult><IsTruncated>false</IsTruncated>{rows}</ListBucketResult>".encode()


@lru_cache(maxsize=100_000)  # a listing must not read every picture again: S3 does not
def _etag(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def _response(status: str, body: bytes, *, etag: str = "") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Content-Type: application/xml"]
    lines += [f'ETag: "{etag}"', "Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT"] if etag else []
    return "\r\n".join([*lines, "", ""]).encode() + body


async def serve(count: int, latency_s: float) -> None:
    """Serve until standard input ends."""
    keys = {folder + name for folder in folders(count) for name in names()}
    bucket, written = Bucket(keys), dict[str, bytes]()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(bucket, keys, written, latency_s), "127.0.0.1", 0, backlog=512)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2])))
