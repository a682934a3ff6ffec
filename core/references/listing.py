"""Lists every key under a prefix with many requests at once, in exactly the order and number of one walk.

The key space is cut into half-open ranges `(start, end]`, each walked page by page. Where to cut is only
ever a guess, from folders that S3 names, from the keys of the last listing, or from the alphabet: a bad
guess costs a request and never a row, because a range ends by comparing keys. Ranges that turn out long
are cut again as soon as a worker is free. A parallel listing is no snapshot of one moment, and one range
that fails fails it as a whole.
"""

from __future__ import annotations

import math
import re
import sys
import threading
import time
from bisect import bisect_left, bisect_right, insort
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from itertools import accumulate
from os.path import commonprefix
from queue import Empty, SimpleQueue
from typing import Final, NamedTuple, Protocol
from urllib.parse import unquote_to_bytes

import pyarrow as pa
import pyarrow.compute as pc
from lxml import etree

from core.errors import StorageUnavailable
from core.objects import StoredObject

HINT_KEYS: Final = 960  # a page holds 1000: the range behind a hint may grow a little and stay one request
SEQUENTIAL_PAGES: Final = 2
LEVELS: Final = 8  # to be looked at for folders
PAGES_BETWEEN_LOOKS: Final = 3
WORTH_CUTTING_KEYS: Final = 2000
EMPTY_PAGES: Final = 200  # in a row: S3 may give some while it skips what was deleted, but not for ever
PACE_S: Final = 0.002  # half of what reading a page takes; answers that come all at once stall other threads
CUT_POSITIONS: Final = 32  # how far into a file name the alphabet is tried
WEIGHT_PER_LEVEL: Final = 8.0  # how many folders a folder is taken to hold, while nobody knows

ROWS: Final = pa.schema(
    [
        ("key", pa.string()),
        ("etag", pa.string()),
        ("size_bytes", pa.int64()),
        ("modified", pa.timestamp("us", tz="UTC")),
    ]
)
_FOR_EVER: Final = "S3 repeats the same part of its listing for ever."
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SEPARATOR: Final = b"\xff"  # a byte that no UTF-8 text contains
_COLUMNS: Final = ("Key", "LastModified", "ETag", "Size")
# A row as Amazon, MinIO and moto write it: no spaces between, no entities inside, nothing but the next row
# behind. What differs in any way is left to the XML parser.
_OTHER_FIELDS: Final = rb"(?:<(?!Size>)(\w+)>[^<&\x00-\x1f]*+</\%d>)*"
_PLAIN_ROW: Final = re.compile(
    rb"<Contents><Key>([^<&\x00-\x1f]++)</Key><LastModified>([^<&\x00-\x1f]++)</LastModified>"
    rb'<ETag>(?:&quot;|")([^<&"\x00-\x1f]*+)(?:&quot;|")</ETag>'
    + _OTHER_FIELDS % 4
    + rb"<Size>(\d++)</Size>"
    + _OTHER_FIELDS % 6
    + rb"</Contents>(?=<Contents>|\Z)"
)

_Columns = Sequence[Sequence[bytes]]  # keys, times, etags and sizes of a page, as they were written


class PageSource(Protocol):
    """Where pages come from. Raises StorageDenied or StorageUnavailable when S3 does not play along."""

    def page(self, prefix: str, *, start_after: str = "", token: str = "", delimiter: str = "") -> bytes:
        """One ListObjectsV2 answer, keys URL-encoded, behind `start_after` or at a continuation token."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A complete listing in key order (UTF-8 bytes), held in columns; iterating gives rows.

    `rows` is an Arrow table with the schema ROWS.
    """

    rows: pa.Table
    requests: int = 0

    @classmethod
    def of(cls, objects: Iterable[StoredObject]) -> Listing:
        """The same from rows in any order."""
        found = sorted(objects, key=lambda row: row.key)
        columns = {
            "key": [row.key for row in found],
            "etag": [row.etag for row in found],
            "size_bytes": [row.size_bytes for row in found],
            "modified": [row.modified for row in found],
        }
        return cls(pa.table(columns, schema=ROWS))

    def __len__(self) -> int:
        return int(self.rows.num_rows)

    def __iter__(self) -> Iterator[StoredObject]:
        for batch in self.rows.to_batches():
            stamps = batch.column("modified").cast(pa.int64()).to_pylist()
            columns = (batch.column(name).to_pylist() for name in ("key", "etag", "size_bytes"))
            for key, etag, size, stamp in zip(*columns, stamps, strict=True):
                yield StoredObject(key, etag, size, _EPOCH + timedelta(microseconds=stamp))

    @property
    def keys(self) -> list[str]:
        """Every key, in order."""
        keys: list[str] = self.rows.column("key").to_pylist()
        return keys

    def hints(self) -> tuple[str, ...]:
        """Keys at even distances: where the next listing may cut. None when it would take two pages."""
        if len(self) <= SEQUENTIAL_PAGES * 1000:
            return ()
        every = pa.array(range(HINT_KEYS, len(self), HINT_KEYS), pa.int64())
        return tuple(self.rows.column("key").take(every).to_pylist())


@dataclass(frozen=True, slots=True)
class Page:
    """One page, read: a batch of ROWS, the common prefixes, and how to go on."""

    rows: pa.RecordBatch
    folders: tuple[str, ...]
    truncated: bool
    token: str

    def __len__(self) -> int:
        return int(self.rows.num_rows)

    def key(self, at: int) -> str:
        """The key of one row; negative positions count from the end."""
        key: str = self.rows.column(0)[at % len(self)].as_py()
        return key

    def rows_up_to(self, end: str) -> int:
        """How many rows have keys that do not lie behind `end`."""
        if not len(self) or self.key(-1) <= end:
            return len(self)
        return bisect_right(range(len(self)), end, key=self.key)

    def is_ascending_from(self, start: str) -> bool:
        """Whether every key lies behind the one before it, and the first behind `start`."""
        if not len(self):
            return True
        keys = self.rows.column(0)
        return bool(self.key(0) > start and pc.all(pc.less(keys[:-1], keys[1:])).as_py() is not False)


def list_all(
    source: PageSource,
    prefix: str,
    *,
    workers: int,
    hints: Sequence[str] = (),
    progress: Callable[[int], None] = lambda _listed: None,
) -> Listing:
    """Everything under a prefix, with up to `workers` requests at once.

    `hints` are keys of an earlier listing (`Listing.hints`); however stale, they only affect the speed.
    `progress` hears the number of rows so far, in the caller's thread. Raises the source's own errors,
    and StorageUnavailable for pages that are not S3's or never come to an end.
    """
    crew = _Crew(workers)
    try:
        listed = _Survey(source, prefix, crew, hints, progress).run()
        batches = sorted((page for page in listed if page.num_rows), key=lambda page: page.column(0)[0].as_py())
        return Listing(pa.Table.from_batches(batches, ROWS), crew.requests)
    except _NotInOrder:
        rows = _one_after_another(source, prefix, progress)
        return Listing(rows, crew.requests + len(rows.to_batches()))
    finally:
        crew.dismiss()


def read_page(raw: bytes) -> Page:
    """Read the XML of a ListObjectsV2 answer. Raises StorageUnavailable when it is not one."""
    try:
        plain, envelope = _plain_rows(raw)
        root = etree.fromstring(envelope, etree.XMLParser(resolve_entities=False, no_network=True))
        tag = str(root.tag)
        namespace = tag[: tag.rfind("}") + 1]
        if tag != f"{namespace}ListBucketResult":
            raise _not_s3(f"it is a {tag}")
        keys, stamps, etags, sizes = plain or _columns(root, namespace)
        path = f"{namespace}CommonPrefixes/{namespace}Prefix"
        prefixes = [(found.text or "").encode() for found in root.iterfind(path)]
        counted = root.findtext(f"{namespace}KeyCount")
        if counted is not None and int(counted) != len(keys) + len(prefixes):
            raise _not_s3(f"it counts {counted} keys and holds {len(keys) + len(prefixes)}")
        encoded = root.findtext(f"{namespace}EncodingType") == "url"
        truncated = root.findtext(f"{namespace}IsTruncated") == "true"
        token = root.findtext(f"{namespace}NextContinuationToken") or ""
        rows = pa.record_batch(
            [
                _decoded(keys, encoded=encoded),
                _bare(_text(etags)),
                _text(sizes).cast(pa.int64()),
                _text(stamps).cast(pa.timestamp("us", tz="UTC")),
            ],
            schema=ROWS,
        )
        folders = tuple(_decoded(prefixes, encoded=encoded).to_pylist())
    except (etree.XMLSyntaxError, pa.ArrowInvalid, ValueError) as err:
        raise _not_s3(str(err)) from err
    if truncated and not token:
        raise _not_s3("it is cut short and has no continuation token")
    return Page(rows, folders, truncated, token)


def _plain_rows(raw: bytes) -> tuple[_Columns | None, bytes]:
    """The rows, if each is exactly as S3 writes it, and the XML around them; else None and all of it.

    It takes a third of the time of a tree of all rows, which are more than 99 in 100 bytes of a page.
    """
    start, end = raw.find(b"<Contents>"), raw.rfind(b"</Contents>") + len(b"</Contents>")
    if start < 0:
        return None, raw
    found = _PLAIN_ROW.findall(raw, start, end)
    if not found or len(found) != raw.count(b"<Contents>"):
        return None, raw
    keys, stamps, etags, _before, sizes, _behind = zip(*found, strict=True)
    return (keys, stamps, etags, sizes), raw[:start] + raw[end:]


def _columns(root: etree._Element, namespace: str) -> _Columns:
    rows = list(root.iterchildren(f"{namespace}Contents"))
    columns = [[(cell.text or "").encode() for cell in root.iter(f"{namespace}{name}")] for name in _COLUMNS]
    if any(len(column) != len(rows) for column in columns):
        # some servers give no ETag to what was uploaded in parts; the rest is not optional
        columns = [[row.findtext(f"{namespace}{name}", "").encode() for row in rows] for name in _COLUMNS]
    if b"" in columns[0]:
        raise _not_s3("a row has no key")
    return columns


def _decoded(texts: Sequence[bytes], *, encoded: bool) -> pa.Array:
    """Keys as S3 means them: `unquote_plus` of each, for the whole page in one go."""
    if not encoded or not texts:
        return _text(texts)
    plain = _SEPARATOR.join(texts).replace(b"+", b" ")
    if b"\\" not in plain:
        try:  # a fifth of the time of unquote: percent escapes are read by the C decoder of \x escapes
            plain = plain.replace(b"%", b"\\x").decode("unicode_escape").encode("latin-1")
        except UnicodeDecodeError:
            plain = unquote_to_bytes(plain)
    else:
        plain = unquote_to_bytes(plain)
    keys = plain.split(_SEPARATOR)
    if len(keys) != len(texts):
        raise _not_s3("a key is not UTF-8")
    return _text(keys)


def _text(texts: Sequence[bytes]) -> pa.Array:
    """A column of text; ArrowInvalid where it is not UTF-8."""
    return pa.array(texts, pa.binary()).cast(pa.string())


def _bare(etags: pa.Array) -> pa.Array:
    if pc.any(pc.starts_with(etags, "W/")).as_py():
        etags = pc.replace_substring_regex(etags, "^W/", "")
    return pc.utf8_trim(etags, '"')


def _not_s3(reason: str) -> StorageUnavailable:
    return StorageUnavailable(f"S3 gave a page of its listing that cannot be read: {reason}.")


class _NotInOrder(Exception):
    """This server does not list by the order of keys, or not from where it was asked to."""


class _Task(Enum):
    WALK = auto()
    LOOK = auto()


class _Result(NamedTuple):
    task: _Task
    range: _Range
    answer: bytes | BaseException


class _Cut(NamedTuple):
    """A key where a range may be cut, and how much is thought to lie behind it."""

    key: str
    weight: float


@dataclass(slots=True, eq=False)
class _Range:
    """The keys behind `at` up to and including `end` (None: all that are left), walked page by page."""

    at: str
    end: str | None
    may_stay_whole: int = 1  # pages that show that it is long enough to be cut
    cuts: list[_Cut] = field(default_factory=list)
    density: float | None = None  # keys for a weight of one, as far as known
    last_page: int = 0  # keys on it
    last_start: str = ""  # its first key
    token: str = ""
    tokens: set[str] = field(default_factory=set)
    pages: int = 0
    empty_pages: int = 0  # in a row
    next_look: int = 1  # pages to be walked before looking (again) for places to cut
    looks: int = 0  # still on their way
    weight_seen: float = 0.0  # of the folders that a look found within the last page

    def offer(self, folders: Iterable[_Cut]) -> None:
        """Take up places to cut, and learn from those within the last page how much lies behind one."""
        known = {cut.key for cut in self.cuts}
        for cut in folders:
            if self.last_start < cut.key <= self.at:
                self.weight_seen += cut.weight
            elif cut.key not in known and self._has_inside(cut.key) and _can_be_asked_for(cut.key):
                known.add(cut.key)
                insort(self.cuts, cut)

    def advance(self, page: Page) -> None:
        """The rows of this page are listed; what was cut out of the range by now does not matter."""
        self.pages += 1
        self.may_stay_whole = max(0, self.may_stay_whole - 1)
        self.token = page.token
        self.empty_pages = 0 if len(page) else self.empty_pages + 1
        if not len(page):
            return
        self.last_page, self.last_start, self.at = len(page), page.key(0), page.key(-1)
        passed = bisect_right(self.cuts, self.at, key=lambda cut: cut.key)
        if weight := sum(cut.weight for cut in self.cuts[:passed]):
            self.density = self.last_page / weight
        del self.cuts[:passed]

    @property
    def keys_left(self) -> float:
        """A guess at how many keys could be cut off."""
        weight = sum(cut.weight for cut in self.cuts)
        if not weight or self.looks or self.may_stay_whole:
            return 0.0
        return math.inf if self.density is None else weight * self.density

    def cut(self) -> _Range:
        """Give away the later half, by weight."""
        sums = list(accumulate(cut.weight for cut in self.cuts))
        where = bisect_left(sums, sums[-1] / 2)
        start = self.cuts[where].key
        later = _Range(start, self.end, 0, self.cuts[where + 1 :], self.density)
        self.end, self.cuts = start, self.cuts[:where]
        return later

    @property
    def spans_folders(self) -> bool:
        """Whether the last page reached from one folder into another."""
        return self.last_start[: self.last_start.rfind("/")] != self.at[: self.at.rfind("/")]

    def _has_inside(self, key: str) -> bool:
        return self.at < key and (self.end is None or key < self.end)


class _Survey:
    """Hands out walks and looks to the crew, and reads what they bring, all in one thread.

    More readers would only fight over the interpreter, and with whoever else is running in it.
    """

    def __init__(
        self,
        source: PageSource,
        prefix: str,
        crew: _Crew,
        hints: Sequence[str],
        progress: Callable[[int], None],
    ) -> None:
        self._source = source
        self._prefix = prefix
        self._crew = crew
        self._progress = progress
        self._waiting = deque(_ranges(hints))
        self._walking: list[_Range] = []
        self._listed: list[pa.RecordBatch] = []
        self._count = 0

    def run(self) -> list[pa.RecordBatch]:
        """The rows of all ranges, in no order."""
        while self._waiting or self._walking:
            self._employ()
            task, at, answer = self._crew.next_result()
            if isinstance(answer, BaseException):
                raise answer
            page = read_page(answer)
            if task is _Task.WALK:
                self._walked(at, page)
            else:
                self._looked(at, page)
        return self._listed

    def _employ(self) -> None:
        """Work for every free worker: waiting ranges, then parts of long ones, then looks for places to cut."""
        free = self._crew.free_hands
        while free > len(self._waiting):
            longest = max((*self._waiting, *self._walking), key=lambda at: at.keys_left, default=None)
            if longest is None or longest.keys_left < WORTH_CUTTING_KEYS:
                break
            self._waiting.append(longest.cut())
        while self._waiting and self._crew.has_room:
            following = self._waiting.popleft()
            self._walking.append(following)
            following.may_stay_whole = max(1, following.may_stay_whole)
            self._walk(following)
            if following.at.endswith("/") and self._crew.free_hands > len(self._waiting):
                self._look(following, (following.at,))
        if self._crew.free_hands:
            unknown = (at for at in self._walking if at.pages >= at.next_look and not at.cuts and not at.looks)
            for at in unknown:
                self._look(at, _levels(self._prefix, at))
                break

    def _walk(self, at: _Range) -> None:
        self._send(_Task.WALK, at, self._prefix, "" if at.token else at.at, at.token, "")

    def _look(self, at: _Range, levels: Iterable[str]) -> None:
        """Ask for the subfolders of these folders, from the last page on."""
        at.next_look = at.pages + PAGES_BETWEEN_LOOKS if at.pages else 1
        at.weight_seen = 0.0
        for level in levels:
            at.looks += 1
            self._send(_Task.LOOK, at, level, at.last_start, "", "/")

    def _send(self, task: _Task, at: _Range, prefix: str, start_after: str, token: str, delimiter: str) -> None:
        source = self._source

        def fetch() -> bytes:
            return source.page(prefix, start_after=start_after, token=token, delimiter=delimiter)

        self._crew.give(task, at, fetch)

    def _looked(self, at: _Range, page: Page) -> None:
        at.looks -= 1
        at.offer(_Cut(folder, WEIGHT_PER_LEVEL ** -folder.count("/")) for folder in page.folders)
        if at.looks:
            return
        if at.weight_seen:
            at.density = at.last_page / at.weight_seen
        if not at.cuts and at.pages and not at.spans_folders:
            at.density = None
            at.offer(_Cut(key, 1.0) for key in _alphabet_behind(at.last_start, at.at))

    def _walked(self, at: _Range, page: Page) -> None:
        if (page.token and page.token in at.tokens) or at.empty_pages > EMPTY_PAGES:
            raise StorageUnavailable(_FOR_EVER)
        if not page.is_ascending_from(at.at):
            raise _NotInOrder
        at.tokens.add(page.token)
        wanted = len(page) if at.end is None else page.rows_up_to(at.end)
        self._listed.append(page.rows[:wanted])
        self._count += wanted
        self._progress(self._count)
        at.advance(page)
        if page.truncated and (at.end is None or at.at < at.end):
            self._walk(at)
        else:
            self._walking.remove(at)


class _Crew:
    """Threads that fetch pages.

    They are no executor's, because the interpreter waits for those when it ends: a server that is
    stopped would hang for as long as S3 does.
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._hired = 0
        self._given = 0
        self._last_start = 0.0
        self._work: SimpleQueue[tuple[_Task, _Range, Callable[[], bytes]] | None] = SimpleQueue()
        self._results: SimpleQueue[_Result] = SimpleQueue()
        self.requests = 0

    @property
    def free_hands(self) -> int:
        """How many workers have nothing to do."""
        return max(0, self._workers - self._given)

    @property
    def has_room(self) -> bool:
        """Whether more may be given: as much again as is being done, so that nobody waits for the reader."""
        return self._given < 2 * self._workers

    def give(self, task: _Task, at: _Range, fetch: Callable[[], bytes]) -> None:
        """Have this fetched by whoever is free next."""
        if self.free_hands:  # it starts at once: not in one moment with the others
            time.sleep(max(0.0, self._last_start + PACE_S - time.monotonic()))
            self._last_start = time.monotonic()
        self._given += 1
        self.requests += 1
        if self._hired < min(self._given, self._workers):
            self._hired += 1
            threading.Thread(target=self._serve, name=f"list-{self._hired}", daemon=True).start()
        self._work.put((task, at, fetch))

    def next_result(self) -> _Result:
        """Wait for whatever arrives next."""
        result = self._results.get()
        self._given -= 1
        return result

    def dismiss(self) -> None:
        """Send everybody home; what is on its way is thrown away when it arrives."""
        with suppress(Empty):
            while True:
                self._work.get_nowait()
        for _ in range(self._hired):
            self._work.put(None)

    def _serve(self) -> None:
        while (given := self._work.get()) is not None:
            task, at, fetch = given
            try:
                self._results.put(_Result(task, at, fetch()))
            except BaseException as err:  # noqa: BLE001 - raised again in the caller's thread
                self._results.put(_Result(task, at, err))


def _ranges(hints: Sequence[str]) -> Iterator[_Range]:
    start = ""
    for hint in sorted(set(hints)):
        if hint and _can_be_asked_for(hint):
            yield _Range(start, hint)
            start = hint
    yield _Range(start, None, may_stay_whole=1 if start else SEQUENTIAL_PAGES)


def _levels(prefix: str, at: _Range) -> Iterator[str]:
    """The folders that hold a range's last key and some of what is left, but for the innermost."""
    level = prefix
    if at.end is not None:
        shared = _shared_start(at.at, at.end)
        level = max(prefix, shared[: shared.rfind("/") + 1], key=len)
    yield level
    for _ in range(LEVELS - 1):
        slash = at.at.find("/", len(level)) + 1
        if "/" not in at.at[slash:] or not slash:
            return
        level = at.at[:slash]
        yield level


def _alphabet_behind(first: str, last: str) -> Iterator[str]:
    """Places to cut what follows in a folder of many files, by the characters of its last known name."""
    folder = last.rfind("/") + 1
    fixed = len(_shared_start(first, last))
    for position in range(folder, min(len(last), folder + CUT_POSITIONS)):
        character = last[position]
        varies = position >= fixed or character.isdigit()
        following = _characters_behind(character) if varies else _stepping(character, 1)
        yield from (last[:position] + one for one in following)


def _characters_behind(character: str) -> Iterator[str]:
    """The rest of its class, and the first one behind it; for other scripts growing steps."""
    for class_of in ("09", "AZ", "az"):
        if class_of[0] <= character <= class_of[1]:
            yield from map(chr, range(ord(character) + 1, ord(class_of[1]) + 2))
            return
    yield from _stepping(character, *(4**step for step in range(9)))


def _stepping(character: str, *steps: int) -> Iterator[str]:
    codes = (ord(character) + step for step in steps)
    return (chr(code) for code in codes if code <= sys.maxunicode)


def _shared_start(one: str, other: str) -> str:
    return commonprefix((one, other))  # noqa: RUF071 - keys are cut between characters, not at slashes


def _can_be_asked_for(key: str) -> bool:
    """Some servers repeat the start in their XML as it is, where control characters are forbidden."""
    return key.isprintable()


def _one_after_another(source: PageSource, prefix: str, progress: Callable[[int], None]) -> pa.Table:
    """The plain walk by continuation tokens, sorted afterwards, for servers with an order of their own."""
    batches: list[pa.RecordBatch] = []
    seen: set[str] = set()
    token, count = "", 0
    while True:
        page = read_page(source.page(prefix, token=token))
        marks = {page.token} | ({f"key {page.key(0)}"} if len(page) else set())
        if marks & seen:
            raise StorageUnavailable(_FOR_EVER)
        seen |= marks - {""}
        batches.append(page.rows)
        progress(count := count + len(page))
        if not page.truncated:
            return pa.Table.from_batches(batches, ROWS).sort_by("key")
        token = page.token
