"""A loopback S3 that can do one thing: list, with a set latency for every page.

Rows are rendered once and lie in one buffer in key order, so that a page is a slice of it. Nothing is
checked, least of all signatures. `python bench/list_server.py 100000 0.08` prints its address and serves
the studio tree of that size until its standard input is closed.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
import sys
import threading
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Self
from urllib.parse import parse_qs, quote_plus, urlsplit

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
AFTER_PREFIX = chr(sys.maxunicode)


@dataclass(frozen=True, slots=True)
class Raw:
    """An answer to be sent as it is; `hold` sends nothing more and leaves the client waiting."""

    data: bytes = b""
    hold: bool = False


# The number of the request, from 1, and its query; None serves the page.
Script = Callable[[int, dict[str, str]], Raw | None]


def answer(body: bytes, *, status: str = "200 OK", announce: int | None = None) -> Raw:
    """The last answer on a connection; `announce` promises another length than the body has."""
    length = len(body) if announce is None else announce
    return Raw(_head(status, length, "close") + body)


def error(code: str, status: str) -> Raw:
    """An error as S3 words it."""
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>No.</Message></Error>"
    return answer(body.encode(), status=status)


class Bucket:
    """Keys in order, with their rows as XML."""

    def __init__(self, keys: Iterable[str]) -> None:
        self.keys = sorted(keys)
        rows = [_row(key) for key in self.keys]
        self._offsets = [0, *accumulate(map(len, rows))]
        self._rows = b"".join(rows)

    def page(self, query: dict[str, str]) -> bytes:
        """The answer to one ListObjectsV2 query."""
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        size = min(int(query.get("max-keys", "1000")), 1000)
        first = bisect_left(self.keys, prefix)
        if token := query.get("continuation-token"):
            first = int(token)
        elif after := query.get("start-after"):
            first = max(first, bisect_right(self.keys, after))
        end = bisect_left(self.keys, prefix + AFTER_PREFIX) if prefix else len(self.keys)
        if delimiter:
            spans, folders, following = self._level(first, end, prefix, delimiter, size)
        else:
            following = max(first, min(first + size, end))
            spans, folders = [(first, following)], []
        rows = b"".join(self._rows[self._offsets[a] : self._offsets[b]] for a, b in spans)
        count = sum(b - a for a, b in spans) + len(folders)
        more = f"<NextContinuationToken>{following}</NextContinuationToken>" if following < end else ""
        head = (
            f'<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="{NAMESPACE}"><Name>bench</Name>'
            f"<Prefix>{quote_plus(prefix, safe='/')}</Prefix>{more}<KeyCount>{count}</KeyCount>"
            f"<MaxKeys>{size}</MaxKeys><EncodingType>url</EncodingType>"
            f"<IsTruncated>{'true' if following < end else 'false'}</IsTruncated>"
        )
        named = "".join(
            f"<CommonPrefixes><Prefix>{quote_plus(folder, safe='/')}</Prefix></CommonPrefixes>" for folder in folders
        )
        return b"".join((head.encode(), rows, named.encode(), b"</ListBucketResult>"))

    def _level(
        self, at: int, end: int, prefix: str, delimiter: str, size: int
    ) -> tuple[list[tuple[int, int]], list[str], int]:
        """Direct keys as spans of rows, the folders between them, and where the next page begins."""
        spans: list[tuple[int, int]] = []
        folders: list[str] = []
        while at < end and len(spans) + len(folders) < size:
            key = self.keys[at]
            slash = key.find(delimiter, len(prefix))
            if slash < 0:
                spans.append((at, at + 1))
                at += 1
            else:
                folders.append(key[: slash + len(delimiter)])
                at = bisect_left(self.keys, folders[-1] + AFTER_PREFIX, lo=at)
        return spans, folders, at


class ListServer:
    """Serves one bucket from a thread of its own; use it in a `with`."""

    def __init__(self, bucket: Bucket, *, latency_s: float = 0.0, script: Script | None = None) -> None:
        self._bucket = bucket
        self._latency_s = latency_s
        self._script = script
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="list-server")
        self._connections: set[asyncio.Transport] = set()
        self.queries: list[dict[str, str]] = []
        self.endpoint_url = ""

    def __enter__(self) -> Self:
        self._thread.start()
        opening = self._loop.create_server(lambda: _Connection(self), "127.0.0.1", 0, backlog=512)
        self._server = asyncio.run_coroutine_threadsafe(opening, self._loop).result()
        self.endpoint_url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    def __exit__(self, *_args: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _close(self) -> None:
        self._server.close()
        accepting = asyncio.all_tasks() - {asyncio.current_task()}  # accepted, but not yet a connection
        await asyncio.gather(*accepting, return_exceptions=True)
        for transport in list(self._connections):
            transport.abort()
        while self._connections:
            await asyncio.sleep(0)

    def serve(self, target: str, transport: asyncio.Transport) -> None:
        """Answer one request after the latency."""
        fields = parse_qs(urlsplit(target).query, keep_blank_values=True)
        query = {name: values[0] for name, values in fields.items()}
        self.queries.append(query)
        raw = self._script(len(self.queries), query) if self._script else None
        if self._latency_s:
            self._loop.call_later(self._latency_s, self._send, transport, query, raw)
        else:
            self._send(transport, query, raw)

    def _send(self, transport: asyncio.Transport, query: dict[str, str], raw: Raw | None) -> None:
        if raw is None:
            page = self._bucket.page(query)
            transport.writelines((_head("200 OK", len(page), "keep-alive"), page))
            return
        transport.write(raw.data)
        if not raw.hold:
            transport.close()

    def opened(self, transport: asyncio.Transport) -> None:
        """Remember a connection, to be closed with the server."""
        self._connections.add(transport)

    def closed(self, transport: asyncio.Transport) -> None:
        """Forget it."""
        self._connections.discard(transport)


class _Connection(asyncio.Protocol):
    """HTTP/1.1 with keep-alive for requests without a body."""

    def __init__(self, server: ListServer) -> None:
        self._server = server
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - what a TCP server gets
        self._transport = transport
        self._server.opened(transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._server.closed(self._transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        while b"\r\n\r\n" in self._received:
            head, _, self._received = self._received.partition(b"\r\n\r\n")
            self._server.serve(head.split(b" ", 2)[1].decode(), self._transport)


def studio_tree(count: int) -> Iterator[str]:
    """The keys of a studio's library: projects by client and year, roles, groups, personas; seeded."""
    chance = random.Random(7)
    tones = ["a(natural,film)", "b(vivid,colorful)", "c(cinematic,contrast)", "d(beauty)", "noir", "파스텔"]
    angles = ["eye-level", "low angle", "overhead", "프로필", "45° down", "close-up"]
    people = ["Araya", "Beatriz", "Chidi", "서연", "Mina & Jo", "Élodie", "김민준", "Oluwaseun"]
    scenes = ["cosmetics", "glassware", "fruit bowl", "desk 50%", "거리", "rain+neon"]
    made = 0
    for project in range(sys.maxsize):
        client, year = chance.choice(["Nord", "Atelier 9", "한강 스튜디오", "Vela"]), 2019 + project % 8
        root = f"refs/{client}/{year}/{project:05d} {chance.choice(['spring', 'look book', '여름', 'launch'])}"
        for folder, groups, names in (
            ("01. Model", [f"{tone}, {angle}" for tone in tones for angle in angles], people),
            ("02. Tone", tones, scenes),
            ("03. Angle", angles, scenes),
        ):
            for group in groups:
                for name in names:
                    for number in range(chance.randint(1, 12)):
                        yield f"{root}/{folder}/{group}/{name} {number + 1:02d}.jpg"
                        made += 1
                        if made == count:
                            return


def _head(status: str, length: int, connection: str) -> bytes:
    lines = (f"HTTP/1.1 {status}", "Content-Type: application/xml", f"Content-Length: {length}")
    return "\r\n".join((*lines, f"Connection: {connection}", "", "")).encode()


def _row(key: str) -> bytes:
    digest = hashlib.md5(key.encode(), usedforsecurity=False).hexdigest()
    return (
        f"<Contents><Key>{quote_plus(key, safe='/')}</Key><LastModified>2026-{int(digest[0], 16) % 12 + 1:02d}-14T"
        f"09:{int(digest[1:3], 16) % 60:02d}:07.000Z</LastModified><ETag>&quot;{digest}&quot;</ETag>"
        f"<Size>{int(digest[:6], 16)}</Size><StorageClass>STANDARD</StorageClass></Contents>"
    ).encode()


def main() -> None:
    """Serve until standard input ends."""
    count, latency_s = int(sys.argv[1]), float(sys.argv[2])
    with ListServer(Bucket(studio_tree(count)), latency_s=latency_s) as server:
        print(server.endpoint_url, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
