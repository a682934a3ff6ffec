"""Pages of a listing: where answers come from, and the one parser of what ListObjectsV2 says.

What a walk needs at once is read when a page arrives. Its rows are read later, those of many pages together, from the
XML that S3 writes to Arrow columns.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, Protocol, Self
from urllib.parse import unquote_to_bytes

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from lxml import etree
from pyarrow import csv

from core.errors import StorageUnavailable
from core.objects.objects import ARCHIVE_CLASSES

ROWS: Final = pa.schema(
    [
        ("key", pa.string()),
        ("etag", pa.string()),
        ("size_bytes", pa.int64()),
        ("modified", pa.timestamp("us", tz="UTC")),
        ("archived", pa.bool_()),
    ]
)
_TYPES: Final = {b"Key": ROWS.types[0], b"ETag": ROWS.types[1], b"Size": ROWS.types[2], b"LastModified": ROWS.types[3]}
# Not every server gives rows one; it is told apart by few values, which Arrow keeps once each.
_CLASS: Final = b"StorageClass"
_CLASS_TYPE: Final = pa.dictionary(pa.int32(), pa.string())
_ARCHIVES: Final = pa.array(sorted(ARCHIVE_CLASSES))
_ROW: Final = b"<Contents>"
_ROW_END: Final = b"</Contents>"
_HEX: Final = np.full(256, 0xFF, np.uint8)
for _digits in (b"0123456789abcdef", b"0123456789ABCDEF"):
    _HEX[list(_digits)] = range(16)
_TABLE: Final = csv.ParseOptions(delimiter="<", quote_char=False, double_quote=False, ignore_empty_lines=False)


class ListPageSource(Protocol):
    """Where pages come from."""

    def page(self, prefix: str, *, start_after: str = "", token: str = "", delimiter: str = "") -> bytes:
        """One ListObjectsV2 answer, keys URL-encoded, behind `start_after` or at a continuation token.

        Raises StorageDenied, and StorageUnavailable for an S3 that does not answer, or answers with a fault.
        """


class _Unusual(Exception):
    """These rows are not written one exactly like the other; the XML parser is to read them."""


@dataclass(frozen=True, slots=True)
class UnreadRows:
    """The rows of a page that have not been read yet; `tags` are those of the first row.

    If all rows have the same tags, and they mostly have, what stands between `<` and `>` is a table: Arrow's CSV
    reader takes it apart in a tenth of the time of an XML tree, and other threads go on meanwhile.
    """

    raw: bytes
    count: int
    tags: tuple[bytes, ...]
    first: str
    last: str
    encoded: bool

    @classmethod
    def of(cls, raw: bytes, span: slice, *, count: int, encoded: bool) -> Self | None:
        """The rows of a page that says it has so many, or None when this is not the way to read them."""
        cells = _cells(raw[span.start : raw.find(_ROW_END, span.start) + len(_ROW_END)])
        ends = [_text_of(b"Key", cells), _text_of(b"Key", _cells(raw[raw.rfind(_ROW) : span.stop]))]
        tags = tuple(cells[1::2])
        if b"" in ends or any(b"&" in key for key in ends) or any(tags.count(tag) != 1 for tag in _TYPES):
            return None
        if tags.count(_CLASS) > 1:
            return None
        first, last = _decode_keys(ends, encoded=encoded)
        return cls(raw, count, tags, first, last, encoded)


@dataclass(frozen=True, slots=True)
class ListPage:
    """One page as far as a walk needs it; its rows are read later, those of many pages together.

    `first` and `last` are the keys of the first and the last row, empty if there is none.
    """

    unread: UnreadRows | pa.RecordBatch
    count: int
    first: str
    last: str
    folders: tuple[str, ...]
    truncated: bool
    token: str

    def __len__(self) -> int:
        return self.count

    @property
    def rows(self) -> pa.RecordBatch:
        """Its rows, a batch of ROWS. Raises StorageUnavailable when they cannot be read."""
        return rows_of([self.unread])[0]

    def goes_on_from(self, start: str) -> bool:
        """Whether its first key lies behind `start`, and its last not before its first."""
        return not self.count or start < self.first <= self.last


def read_list_page(raw: bytes) -> ListPage:
    """Read the XML of a ListObjectsV2 answer. Raises StorageUnavailable when it is not one."""
    span = _span_of_rows(raw)
    if raw.find(b"<CommonPrefixes", span.start, span.stop) >= 0:
        return _page(raw, _parse_xml(raw), None)
    around = _parse_xml(raw[: span.start] + raw[span.stop :])  # more than 99 in 100 bytes of a full page are its rows
    return _page(raw, around, span if span.stop else None)


def rows_of(list_pages: Sequence[UnreadRows | pa.RecordBatch]) -> list[pa.RecordBatch]:
    """A batch of ROWS for each page. Raises StorageUnavailable for what is no listing."""
    batches: list[pa.RecordBatch] = []
    for form, alike in groupby(list_pages, key=_form_of):
        group = list(alike)
        if form is None:
            batches += group
            continue
        try:
            batches += _rows_of_alike(group)
        except (_Unusual, pa.ArrowInvalid):
            batches += (_rows_of_tree(page.raw, count=page.count, encoded=page.encoded) for page in group)
    return batches


def rows_up_to(rows: pa.RecordBatch, end: str | None) -> pa.RecordBatch:
    """Those rows whose keys do not lie behind `end`."""
    keys = rows.column(0)
    if end is None or not len(keys) or keys[-1].as_py() <= end:
        return rows
    return rows[: bisect_right(range(len(keys)), end, key=lambda at: keys[at].as_py())]


def are_ascending(list_pages: Sequence[pa.RecordBatch]) -> bool:
    """Whether within each page every key lies behind the one before it."""
    keys = pa.concat_arrays([page.column(0) for page in list_pages])
    falls = np.flatnonzero(~pc.less(keys[:-1], keys[1:]).to_numpy(zero_copy_only=False)) + 1
    starts = np.cumsum([len(page) for page in list_pages])
    return bool(np.isin(falls, starts).all())


def _page(raw: bytes, root: etree._Element, rows: slice | None) -> ListPage:
    """The page with this root element, in which the rows of that span are missing."""
    namespace = _namespace_of(root)
    if root.tag != f"{namespace}ListBucketResult":
        raise _not_s3(f"it is a {root.tag!s}")
    encoded = root.findtext(f"{namespace}EncodingType") == "url"
    truncated = root.findtext(f"{namespace}IsTruncated") == "true"
    token = root.findtext(f"{namespace}NextContinuationToken") or ""
    if truncated and not token:
        raise _not_s3("it is cut short and has no continuation token")
    prefixes = [(found.text or "").encode() for found in root.iterfind(f"{namespace}CommonPrefixes/{namespace}Prefix")]
    folders = tuple(_decode_keys(prefixes, encoded=encoded))
    count = _row_count(raw, root.findtext(f"{namespace}KeyCount"), len(folders))
    unread = UnreadRows.of(raw, rows, count=count, encoded=encoded) if rows is not None else None
    if unread is not None:
        return ListPage(unread, count, unread.first, unread.last, folders, truncated, token)
    batch = _rows_of_tree(raw, count=count, encoded=encoded)
    keys = batch.column(0)
    first, last = (keys[0].as_py(), keys[-1].as_py()) if count else ("", "")
    return ListPage(batch, count, first, last, folders, truncated, token)


def _form_of(page: UnreadRows | pa.RecordBatch) -> tuple[object, ...] | None:
    """What rows must have in common to be read together; None for what is read already."""
    return (page.tags, page.encoded) if isinstance(page, UnreadRows) else None


def _row_count(raw: bytes, counted: str | None, folders: int) -> int:
    """How many rows there must be."""
    if counted is None:
        return raw.count(b"<Contents>")
    try:
        return int(counted) - folders
    except ValueError as err:
        raise _not_s3(f"it counts “{counted}” keys") from err


def _span_of_rows(raw: bytes) -> slice:
    """Where the rows of a page stand, the first tag and the last included; empty if there are none."""
    start = raw.find(_ROW)
    return slice(start, raw.rfind(_ROW_END) + len(_ROW_END)) if start >= 0 else slice(0, 0)


def _parse_xml(raw: bytes) -> etree._Element:
    """The tree of an answer. Raises StorageUnavailable when it is no XML."""
    try:
        return etree.fromstring(raw, etree.XMLParser(resolve_entities=False, no_network=True))
    except (etree.XMLSyntaxError, ValueError) as err:
        raise _not_s3(str(err)) from err


def _rows_of_tree(raw: bytes, *, count: int, encoded: bool) -> pa.RecordBatch:
    """The rows of a page however they are written. Raises StorageUnavailable unless they are so many good ones."""
    root = _parse_xml(raw)
    namespace = _namespace_of(root)
    rows = list(root.iterchildren(f"{namespace}Contents"))
    if len(rows) != count:
        raise _not_s3(f"it counts {count} keys and holds {len(rows)}")
    names = [name.decode() for name in _TYPES]
    columns = [[(cell.text or "").encode() for cell in root.iter(f"{namespace}{name}")] for name in names]
    if any(len(column) != count for column in columns):
        # some servers give no ETag to what was uploaded in parts; the rest is not optional
        columns = [[row.findtext(f"{namespace}{name}", "").encode() for row in rows] for name in names]
    keys, etags, sizes, stamps = columns
    archived = [row.findtext(f"{namespace}{_CLASS.decode()}") in ARCHIVE_CLASSES for row in rows]
    try:
        return _batch_of(
            pa.array(_decode_keys(keys, encoded=encoded), pa.string()),
            _unquote_etags(_text_column(etags)),
            _text_column(sizes),
            _text_column(stamps),
            pa.array(archived, pa.bool_()),
        )
    except pa.ArrowInvalid as err:
        raise _not_s3(str(err)) from err


def _namespace_of(root: etree._Element) -> str:
    """The `{…}` that stands before every tag, or nothing."""
    tag = str(root.tag)
    return tag[: tag.rfind("}") + 1]


def _decode_keys(texts: Sequence[bytes], *, encoded: bool) -> list[str]:
    """Keys as S3 means them. Raises StorageUnavailable when one is not UTF-8, or empty."""
    if b"" in texts:
        raise _not_s3("a row has no key")
    try:
        return [(unquote_to_bytes(text.replace(b"+", b" ")) if encoded else text).decode() for text in texts]
    except UnicodeDecodeError as err:
        raise _not_s3("a key is not UTF-8") from err


def _not_s3(reason: str) -> StorageUnavailable:
    """What to say of an answer that is no page."""
    return StorageUnavailable("S3 gave a page of its listing that cannot be read: {}.", reason)


def _rows_of_alike(list_pages: Sequence[UnreadRows]) -> Iterator[pa.RecordBatch]:
    """The rows of pages whose rows have the same tags."""
    cells = _read_table(list_pages)
    keys, etags, sizes, stamps = (cells.column(tag.decode()).combine_chunks() for tag in _TYPES)
    etags = _unquote_etags(pc.replace_substring(etags, "&quot;", ""))
    if sizes.null_count or stamps.null_count or pc.any(pc.match_substring(etags, "&")).as_py():
        raise _Unusual
    archived = _are_archived(cells)
    rows = _batch_of(_unquote_column(keys) if list_pages[0].encoded else keys, etags, sizes, stamps, archived)
    start = 0
    for page in list_pages:
        yield rows[start : start + page.count]
        start += page.count


def _read_table(list_pages: Sequence[UnreadRows]) -> pa.Table:
    """The columns that matter, by their tags. Raises ArrowInvalid or _Unusual unless all rows are alike."""
    text = np.frombuffer(bytearray().join(page.raw[_span_of_rows(page.raw)] for page in list_pages), np.uint8)
    if np.any(text < 0x20):  # line ends would be taken for ours, and XML has no place for the others
        raise _Unusual
    # `<Contents>` becomes the end of the line before; nothing else in a row may begin with `<Co`
    begins = np.flatnonzero(text[:-1] == ord("C")) - 1
    begins = begins[(text[begins] == ord("<")) & (text[begins + 2] == ord("o"))]
    if len(begins) != sum(page.count for page in list_pages):
        raise _Unusual
    text[text == ord(">")] = ord("<")
    text[begins] = ord("\n")
    tags = [tag.decode() for tag in list_pages[0].tags]
    names = [f"{what} {at}" for at in range(len(tags)) for what in ("tag", "text")]
    wanted = _TYPES | ({_CLASS: _CLASS_TYPE} if _CLASS in list_pages[0].tags else {})
    for tag in wanted:
        names[2 * tags.index(tag.decode()) + 1] = tag.decode()
    types = dict.fromkeys(names[::2], pa.null()) | {tag.decode(): kind for tag, kind in wanted.items()}
    return csv.read_csv(
        pa.BufferReader(pa.py_buffer(text[1:])),
        csv.ReadOptions(column_names=names, use_threads=False),
        _TABLE,
        csv.ConvertOptions(
            column_types=types,
            include_columns=list(types),
            null_values=tags,  # a column of type null may hold nothing else
            strings_can_be_null=False,
        ),
    )


def _unquote_column(keys: pa.Array) -> pa.Array:
    """`unquote_plus` of every key. Raises ArrowInvalid or _Unusual where that is not so simple."""
    _validity, offsets, data = keys.buffers()
    ends = np.frombuffer(offsets, np.int32, len(keys) + 1, keys.offset * 4)
    text = np.frombuffer(data, np.uint8)[ends[0] : ends[-1]]
    ends = ends - ends[0]
    if np.any(text == ord("&")) or not np.all(np.diff(ends)):
        raise _Unusual
    escapes = np.flatnonzero(text == ord("%"))
    text = np.where(text == ord("+"), np.uint8(ord(" ")), text)
    before = np.searchsorted(escapes, ends)
    if len(escapes):
        if escapes[-1] + 2 >= len(text) or np.any(before != np.searchsorted(escapes + 2, ends)):
            raise _Unusual  # cut off by the end of a key
        high, low = _HEX[text[escapes + 1]], _HEX[text[escapes + 2]]
        if np.any((high | low) > 0x0F):
            raise _Unusual
        text[escapes] = high << 4 | low
        stays = np.ones(len(text), np.bool_)
        stays[escapes + 1] = stays[escapes + 2] = False
        text = text[stays]
    ends = (ends - 2 * before).astype(np.int32)
    made = pa.StringArray.from_buffers(len(keys), pa.py_buffer(ends), pa.py_buffer(text))
    made.validate(full=True)  # that it is UTF-8
    return made


def _cells(row: bytes) -> list[bytes]:
    """What stands outside and inside of `<>`, in turns."""
    return row.replace(b">", b"<").split(b"<")


def _text_of(tag: bytes, cells: list[bytes]) -> bytes:
    return cells[cells.index(tag) + 1] if tag in cells[:-1] else b""


def _are_archived(cells: pa.Table) -> pa.Array:
    """Which rows are of a class that cannot be read; none where the server says no classes.

    Nearly always all rows of some pages have one class, which is then all that is looked at.
    """
    if _CLASS.decode() not in cells.column_names:
        return pa.repeat(pa.scalar(value=False), len(cells))
    classes = cells.column(_CLASS.decode()).combine_chunks()
    is_archive = pc.is_in(classes.dictionary, value_set=_ARCHIVES)
    if not pc.any(is_archive, min_count=0).as_py():
        return pa.repeat(pa.scalar(value=False), len(cells))
    return pc.fill_null(is_archive.take(classes.indices), fill_value=False)


def _batch_of(keys: pa.Array, etags: pa.Array, sizes: pa.Array, stamps: pa.Array, archived: pa.Array) -> pa.RecordBatch:
    return pa.record_batch([keys, etags, sizes.cast(ROWS.types[2]), stamps.cast(ROWS.types[3]), archived], schema=ROWS)


def _text_column(texts: Sequence[bytes]) -> pa.Array:
    """A column of text; ArrowInvalid where it is not UTF-8."""
    return pa.array(texts, pa.binary()).cast(pa.string())


def _unquote_etags(etags: pa.Array) -> pa.Array:
    if pc.any(pc.starts_with(etags, "W/")).as_py():
        etags = pc.replace_substring_regex(etags, "^W/", "")
    return pc.utf8_trim(etags, '"')
