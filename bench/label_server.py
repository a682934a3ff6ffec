"""A loopback S3 of portraits with their labels: machines have proposed for all of them, people reviewed half.

`python -m bench.label_server 10000 0.03` prints its address and serves until its standard input is closed, with that
latency for every answer. Keys and their bytes' etags are made up; there are no pictures behind them. Writes hold the
conditions they come with, and listings are in order, by page and by level. Nothing else is checked, least of all
signatures.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import sys
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import parse_qs, quote_plus, unquote, urlsplit

from pydantic import TypeAdapter

from bench.history_server import Connection, _etag, _response
from bench.list_server import AFTER_PREFIX, Bucket
from core.labels.decisions.review_log import SEGMENT
from core.labels.decisions.reviews import Event, FieldChange, Kind, Save
from core.labels.machine.labeler import LabelerSpec, Proposal
from core.labels.published.schema import Gender, Label, LabelField, LabelSource

BUCKET: Final = "studio"
REVIEWER: Final = "ops@studio.example"
PAGE: Final = 1000
NOW: Final = datetime(2026, 11, 22, tzinfo=UTC)
MACHINE: Final = LabelerSpec(LabelSource.LOCAL, "m")


def key_of(number: int) -> str:
    """The key of a portrait: fifty groups of one folder."""
    return f"refs/01. Model/noir {number % 50:02d}/Ada {number:05d}.jpg"


def etag_of(number: int) -> str:
    """What `Bucket` lists this key with."""
    return hashlib.md5(key_of(number).encode(), usedforsecurity=False).hexdigest()


def label(number: int, source: LabelSource) -> Label:
    """What is published about a portrait, or what a machine says."""
    return Label(
        key=key_of(number),
        etag=etag_of(number),
        age_low=25,
        age_high=34,
        age_range="25–34",
        gender_presentation=Gender.FEMININE,
        hair="black bob",
        confidence={} if source is LabelSource.NOMINAL else {LabelField.AGE: 0.8, LabelField.GENDER: 0.9},
        source=source,
    )


def save(number: int) -> Save:
    """A save of one portrait."""
    changes = (
        FieldChange(field=LabelField.AGE, before=(25, 34), after=(25, 34), seen=(25, 34)),
        FieldChange(field=LabelField.GENDER, before="feminine", after="masculine", seen="feminine"),
        FieldChange(field=LabelField.HAIR, before="black bob", after="black bob"),
    )
    event = Event(id=f"e{number}", kind=Kind.CORRECT, key=key_of(number), etag=etag_of(number), changes=changes)
    return Save(number=number, reviewer=REVIEWER, time=NOW + timedelta(seconds=number), events=(event,))


def objects(portraits: int, reviewed: int, *, is_packed: bool = True) -> Iterator[tuple[str, bytes]]:
    """What lies in the bucket beside the portraits, as servers that have run for a while leave it."""
    proposals = [Proposal(label=label(number, LabelSource.LOCAL)) for number in range(portraits)]
    lines = {each.label.etag: each.model_dump_json(exclude_none=True) for each in proposals}
    for etag, line in lines.items():
        yield f"studio/labels/proposed/{MACHINE.slug}/{etag}.json", line.encode()
    saves = [save(number) for number in range(1, reviewed + 1)]
    for each in saves:
        yield f"studio/reviews/log/{each.number:012d}.json", each.model_dump_json(exclude_none=True).encode()
    if is_packed:
        text = "".join(f"{lines[etag]}\n" for etag in sorted(lines))
        yield f"studio/labels/packs/v1/{MACHINE.slug}.jsonl.gz", gzip.compress(text.encode())
        for first in range(1, reviewed - SEGMENT + 2, SEGMENT):
            block = tuple(saves[first - 1 : first - 1 + SEGMENT])
            packed = gzip.compress(TypeAdapter(tuple[Save, ...]).dump_json(block, exclude_none=True))
            yield f"studio/reviews/segments/v1/{first:012d}.json.gz", packed


class Shelves:
    """Objects with their bytes, in key order."""

    def __init__(self, content: Iterator[tuple[str, bytes]]) -> None:
        self._data = dict(content)
        self._keys = sorted(self._data)

    def get(self, key: str) -> bytes | None:
        """The bytes of an object."""
        return self._data.get(key)

    def put(self, key: str, data: bytes) -> None:
        """Write or replace one."""
        if key not in self._data:
            insort(self._keys, key)
        self._data[key] = data

    def page(self, query: dict[str, str]) -> bytes:
        """The answer to one ListObjectsV2 query."""
        prefix, after = query.get("prefix", ""), query.get("continuation-token") or query.get("start-after", "")
        first = max(bisect_left(self._keys, prefix), bisect_right(self._keys, after))
        end = bisect_left(self._keys, prefix + AFTER_PREFIX)
        if query.get("delimiter"):
            names = {key[len(prefix) :].split("/")[0] for key in self._keys[first:end]}
            rows = [f"<CommonPrefixes><Prefix>{prefix}{name}/</Prefix></CommonPrefixes>" for name in sorted(names)]
            return _listing(rows, "")
        keys = self._keys[first : min(first + PAGE, end)]
        rows = [
            f"<Contents><Key>{quote_plus(key, safe='/')}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>"
            f"<ETag>&quot;{_etag(self._data[key])}&quot;</ETag><Size>{len(self._data[key])}</Size></Contents>"
            for key in keys
        ]
        return _listing(rows, keys[-1] if first + PAGE < end else "")


def _listing(rows: list[str], following: str) -> bytes:
    more = f"<NextContinuationToken>{following}</NextContinuationToken>" if following else ""
    return (
        f"<ListBucketResult><EncodingType>url</EncodingType><KeyCount>{len(rows)}</KeyCount>{more}"
        f"<IsTruncated>{str(bool(following)).lower()}</IsTruncated>{''.join(rows)}</ListBucketResult>"
    ).encode()


class LabelConnection(Connection):
    """Portraits that are only listed, and beside them everything about their labels."""

    def __init__(self, library: Bucket, shelves: Shelves, latency_s: float) -> None:
        super().__init__(library, set(), {}, latency_s)
        self._library, self._shelves = library, shelves

    def _answer(self, method: str, target: str, headers: dict[str, str], data: bytes) -> bytes:
        parts = urlsplit(target)
        key = unquote(parts.path).removeprefix(f"/{BUCKET}").removeprefix("/")
        if not key:
            query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
            is_library = query.get("prefix", "").startswith("refs/")
            return _response("200 OK", (self._library if is_library else self._shelves).page(query))
        found = self._shelves.get(key)
        if method == "PUT":
            etag = None if found is None else _etag(found)
            if (headers.get("if-none-match") and etag) or headers.get("if-match", f'"{etag}"') != f'"{etag}"':
                return _response("412 Precondition Failed", b"<Error><Code>PreconditionFailed</Code></Error>")
            self._shelves.put(key, data)
            return _response("200 OK", b"", etag=_etag(data))
        if found is None:
            return _response("404 Not Found", b"<Error><Code>NoSuchKey</Code></Error>")
        return _response("200 OK", found if method == "GET" else b"", etag=_etag(found))


async def serve(portraits: int, reviewed: int, latency_s: float, *, is_packed: bool = True) -> None:
    """Serve until standard input ends."""
    library = Bucket(key_of(number) for number in range(portraits))
    shelves = Shelves(objects(portraits, reviewed, is_packed=is_packed))
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: LabelConnection(library, shelves, latency_s), "127.0.0.1", 0, backlog=512)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    is_packed = "--loose" not in sys.argv
    count, latency_s = sys.argv[-2:]
    asyncio.run(serve(int(count), int(count) // 2, float(latency_s), is_packed=is_packed))
