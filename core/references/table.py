"""The compact store of a million references: columns instead of objects, in key order (UTF-8 bytes).

A key is kept as its folder (each folder once) and its file name. Role, folder, group and tags say nothing
about a picture that its folder does not, so they are kept once a folder too. References are made when
somebody looks at them.
"""

from __future__ import annotations

import copy
import re
import unicodedata
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, Self, overload

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from core.references.directory import Directory, directory_at
from core.references.file_names.litter import are_litter, count_litter
from core.references.file_names.texts import Flags, FoldedNames, Rows, Texts
from core.references.key import file_name
from core.references.key_column import are_pictures, split, whole
from core.references.listing.listing import Listing
from core.references.reference import AttributeGroup, Filter, Reference, ReferenceFolder, Sought
from core.references.vocabulary import GroupProblem, Role, Tags, Vocabulary
from core.unicode import searchable

BLOCK_ROWS: Final = 4096  # made into objects at a time when somebody iterates
FEW: Final = 0.1  # of the rows: then picking them out first is cheaper than searching all
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class References(Sequence[Reference]):
    """Some references of a table in key order; each is made when it is asked for.

    Slicing costs nothing, so a page is `matches[60:120]`.
    """

    __slots__ = ("_table", "rows")

    def __init__(self, table: ReferenceTable, rows: range | Rows) -> None:
        self._table = table
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, at: int) -> Reference: ...
    @overload
    def __getitem__(self, at: slice) -> References: ...
    def __getitem__(self, at: int | slice) -> Reference | References:
        if isinstance(at, slice):
            return References(self._table, self.rows[at])
        return self._table.reference(int(self.rows[at]))

    def __iter__(self) -> Iterator[Reference]:
        for start in range(0, len(self.rows), BLOCK_ROWS):
            yield from self._table.references(self.rows[start : start + BLOCK_ROWS])

    def position(self, key: str) -> int | None:
        """Where the reference with this key stands in here, or None; nothing is made for that."""
        row = self._table.row_of(key)
        if row is None:
            return None
        at = row - self.rows.start if isinstance(self.rows, range) else int(np.searchsorted(self.rows, row))
        return at if 0 <= at < len(self.rows) and self.rows[at] == row else None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    def __hash__(self) -> int:
        return hash((id(self._table), len(self)))

    def __repr__(self) -> str:
        return f"References({len(self)})"


class ReferenceTable(Sequence[Reference]):
    """Every picture of a listing with what its place says about it; immutable, for any number of threads.

    A row is a picture, 0 the first in key order. Every column but the directories has one value for each row:

    - `_directories`: each directory once. A directory's code is its place in here; the last one may be `""`, where
      keys without a slash lie.
    - `_directory_of` (int32): the code of each row's directory.
    - `_names`, `_etags`: file names and etags; `_folded`: the names as they are searched.
    - `_sizes` (int64): bytes. `_modified` (int64): microseconds since 1970 in UTC.
    - `_archived` (bool): whether S3 keeps its bytes in an archive.
    - `_by_directory` (int32): all rows, sorted by code and, within a directory, by key. Those of code `c` are
      `_by_directory[_starts[c] : _starts[c + 1]]`; `_starts` (int64) has one value more than there are directories.
    """

    def __init__(
        self,
        directories: Sequence[Directory],
        directory_of: Rows,
        names: pa.Array,
        etags: pa.Array,
        sizes: npt.NDArray[np.int64],
        modified: npt.NDArray[np.int64],
        archived: Flags,
        *,
        unreadable: frozenset[str] = frozenset(),
        litter: int = 0,
    ) -> None:
        self._directories = directories
        self._directory_of = directory_of
        self._names = Texts(names)
        self._folded = FoldedNames(names)
        self._etags = Texts(etags)
        self._sizes = sizes
        self._modified = modified
        self._archived = archived
        self.unreadable = unreadable  # etags
        self.litter = litter  # files that were listed and left out
        self._code_of = {directory.text: code for code, directory in enumerate(directories)}
        self._folded_directories = [searchable(directory.text) for directory in directories]
        self._by_directory = np.argsort(directory_of, kind="stable").astype(np.int32)
        self._starts = _starts(directory_of, len(directories))
        # the same memory for one row at a time: a view gives its number in a third of an array's time
        self._codes, self._siblings = directory_of.data, self._by_directory.data
        self._spans, self._lengths, self._stamps = self._starts.data, sizes.data, modified.data

    @classmethod
    def of(
        cls,
        listing: Listing,
        vocabulary: Vocabulary,
        *,
        library_prefix: str = "",
        without_prefix: str = "",
        unreadable: Collection[str] = (),
    ) -> Self:
        """Read folders, groups and tags out of a complete listing; not of what lies under `without_prefix`.

        What is litter below `library_prefix` is left out and counted. `unreadable` holds etags of pictures that could
        not be decoded; those that are not listed do not matter, and empty files are unreadable anyway.
        """
        rows, others = _pictures_and_others(listing.rows, without_prefix)
        litter = count_litter(others, below=library_prefix)
        directories, directory_of, names = _places(rows)
        is_left_out = are_litter(directories, directory_of, names, below=library_prefix)
        if is_left_out.any():
            litter += int(is_left_out.sum())
            rows = rows.filter(pa.array(~is_left_out))
            directories, directory_of, names = _places(rows)
        tags: dict[str, Tags] = {}
        return cls(
            [
                *(directory_at(text, vocabulary, tags) for text in directories.to_pylist()),
                *([Directory("", problem=GroupProblem.OUTSIDE)] if len(directories) in directory_of else []),
            ],
            directory_of,
            names,
            whole(rows.column("etag")),
            whole(rows.column("size_bytes")).to_numpy(),
            whole(rows.column("modified")).cast(pa.int64()).to_numpy(),
            whole(rows.column("archived")).to_numpy(zero_copy_only=False),
            unreadable=frozenset(unreadable),
            litter=litter,
        )

    def __len__(self) -> int:
        return len(self._directory_of)

    @overload
    def __getitem__(self, at: int) -> Reference: ...
    @overload
    def __getitem__(self, at: slice) -> References: ...
    def __getitem__(self, at: int | slice) -> Reference | References:
        return References(self, range(len(self)))[at]

    def __iter__(self) -> Iterator[Reference]:
        return iter(References(self, range(len(self))))

    @property
    def size_bytes(self) -> int:
        """What the columns take, without the folders' own texts."""
        arrays = (self._directory_of, self._by_directory, self._starts, self._sizes, self._modified, self._archived)
        texts = (self._etags, self._names, self._folded)
        return sum(array.nbytes for array in arrays) + sum(column.nbytes for column in texts)

    def reference(self, row: int) -> Reference:
        """The reference in this row."""
        return self._make(
            self._codes[row],
            self._names[row].decode(),
            self._etags[row].decode(),
            self._lengths[row],
            self._stamps[row],
            bool(self._archived[row]),
        )

    def references(self, rows: range | Rows) -> Iterator[Reference]:
        """The references in these rows."""
        picked = np.arange(rows.start, rows.stop, rows.step) if isinstance(rows, range) else rows
        return map(
            self._make,
            self._directory_of[picked].tolist(),
            self._names.column.take(picked).to_pylist(),
            self._etags.column.take(picked).to_pylist(),
            self._sizes[picked].tolist(),
            self._modified[picked].tolist(),
            self._archived[picked].tolist(),
        )

    def get(self, key: str) -> Reference | None:
        """The reference with exactly this key, or None when S3 does not list it."""
        row = self.row_of(key)
        return None if row is None else self.reference(row)

    def prefixed(self, prefix: str) -> References:
        """Every reference whose key begins with this, byte for byte."""
        wanted = prefix.encode(errors="surrogatepass")
        every = range(len(self))
        first = bisect_left(every, wanted, key=self._key_bytes)
        behind = bisect_left(every, True, lo=first, key=lambda row: not self._key_bytes(row).startswith(wanted))
        return References(self, range(first, behind))

    def resolve(self, text: str) -> tuple[Reference, ...]:
        """Candidates for a key, a path in another Unicode form, or a bare file name: all, never a guess."""
        exact = self.get(text)
        if exact is not None:
            return (exact,)
        if not _could_be_listed(text):
            return ()
        wanted = unicodedata.normalize("NFC", text)
        # the same folded name is not enough, but nothing else can be it; then the full check on those few
        rows = self._folded.rows_with(searchable(file_name(text)))
        if "/" in text:
            asked = wanted[: wanted.rfind("/") + 1]
            alike = np.fromiter(
                (unicodedata.normalize("NFC", directory.text) == asked for directory in self._directories), np.bool_
            )
            rows = rows[alike[self._directory_of[rows]]]
        found = self.references(rows.astype(np.int32))
        return tuple(
            ref for ref in found if unicodedata.normalize("NFC", ref.key if "/" in text else ref.name) == wanted
        )

    def search(self, wanted: Filter) -> References:
        """All references that pass every part of the filter, in key order."""
        sought = (*(Sought((word,)) for word in searchable(wanted.text).split()), *wanted.sought)
        found = self._narrowed(wanted)
        if not sought and found.all():
            return References(self, range(len(self)))
        # long words leave fewer rows to the others
        for each in sorted(sought, key=lambda one: max(map(len, one.words), default=0), reverse=True):
            found = self._with(each, found)
        return References(self, np.flatnonzero(found).astype(np.int32))

    def groups_with(self, wanted: Filter) -> frozenset[tuple[str | None, str | None]]:
        """Folder and group of every reference that passes the filter; no reference is made for that."""
        rows = self.search(wanted).rows
        directories = np.unique(
            self._directory_of[rows.start : rows.stop] if isinstance(rows, range) else self._directory_of[rows]
        )
        return frozenset((self._directories[code].folder, self._directories[code].group) for code in directories)

    def folders(self, vocabulary: Vocabulary) -> tuple[ReferenceFolder, ...]:
        """Every reference folder with its groups, in key order; their references are not made yet."""
        members: dict[tuple[str, Role], dict[str | None, list[int]]] = defaultdict(lambda: defaultdict(list))
        for code, directory in enumerate(self._directories):
            if directory.role is not None and directory.folder is not None:
                members[directory.folder, directory.role][directory.group].append(code)
        return tuple(
            ReferenceFolder(
                path=folder,
                role=role,
                groups=tuple(
                    AttributeGroup(folder, name, role, vocabulary.tags_of(name), self._in(codes))
                    for name, codes in sorted(groups.items(), key=lambda item: item[0] or "")
                    if name is not None
                ),
                loose=self._in(groups.get(None, ())),
            )
            for (folder, role), groups in sorted(members.items(), key=lambda item: item[0][0])
        )

    def leaving_out(self, etags: Collection[str]) -> Self:
        """The same with these etags among the unreadable ones."""
        again = copy.copy(self)
        again.unreadable = self.unreadable | frozenset(etags)
        return again

    def with_archived(self, archived: Iterable[str], *, restored: Iterable[str] = ()) -> Self:
        """The same, with the pictures of these keys archived, and of those not; what is not listed does not matter."""
        again = copy.copy(self)
        again._archived = self._archived.copy()
        for keys, is_archived in ((archived, True), (restored, False)):
            rows = [row for key in keys if (row := self.row_of(key)) is not None]
            again._archived[rows] = is_archived
        return again

    def is_like(self, other: ReferenceTable) -> bool:
        """Whether it says the same of the same pictures as one in which nothing was added, removed or changed."""
        mine, theirs = (self.unreadable, self.litter), (other.unreadable, other.litter)
        return mine == theirs and np.array_equal(self._archived, other._archived)

    def drift_since(self, previous: ReferenceTable) -> tuple[list[str], list[str], list[str]]:
        """Keys added, removed and changed since an earlier generation, each in key order."""
        mine, theirs = self._keys(), previous._keys()
        at = pc.index_in(mine, value_set=theirs)
        kept = at.is_valid()
        changed = pc.not_equal(self._etags.column.filter(kept), previous._etags.column.take(at.drop_null()))
        return (
            mine.filter(pc.invert(kept)).to_pylist(),
            theirs.filter(pc.invert(pc.is_in(theirs, value_set=mine))).to_pylist(),
            mine.filter(kept).filter(changed).to_pylist(),
        )

    @property
    def unreadable_references(self) -> References:
        """The references that could not be decoded, and empty files, in key order."""
        return References(self, np.flatnonzero(self._is_unreadable()).astype(np.int32))

    @property
    def archived_references(self) -> References:
        """The references that S3 keeps in an archive, in key order."""
        return References(self, np.flatnonzero(self._archived).astype(np.int32))

    def with_bytes(self, etags: Collection[str]) -> References:
        """The references of these bytes, in key order."""
        return References(self, np.flatnonzero(self._has_etag(etags)).astype(np.int32))

    @property
    def outside(self) -> References:
        """The references in no reference folder, in key order."""
        is_outside = self._in_places(lambda directory: directory.role is None)
        return References(self, np.flatnonzero(is_outside).astype(np.int32))

    @property
    def not_ascii(self) -> References:
        """The references whose file names Unicode may write in more than one way, in key order."""
        plain = pc.string_is_ascii(self._names.column).to_numpy(zero_copy_only=False)
        return References(self, np.flatnonzero(~plain).astype(np.int32))

    @property
    def paths(self) -> Sequence[str]:
        """Every directory that holds pictures, without the slash at its end."""
        return [directory.text.removesuffix("/") for directory in self._directories]

    def _narrowed(self, wanted: Filter) -> Flags:
        """Which rows pass all parts of the filter but the text."""
        found = self._in_places(lambda directory: directory.passes(wanted))
        if not wanted.problems_only:
            return found
        problem = self._in_places(lambda directory: directory.problem is not None)
        return found & (problem | self._is_unreadable() | self._archived)

    def _is_unreadable(self) -> Flags:
        is_empty: Flags = self._sizes == 0
        if not self.unreadable:
            return is_empty
        return is_empty | self._has_etag(self.unreadable)

    def _make(self, code: int, name: str, etag: str, size: int, modified: int, archived: bool) -> Reference:
        directory = self._directories[code]
        moment = _EPOCH + timedelta(microseconds=modified)
        place = directory[1:]
        if size == 0 or etag in self.unreadable:
            place = (*directory[1:-1], GroupProblem.UNREADABLE)
        elif archived:
            place = (*directory[1:-1], GroupProblem.ARCHIVED)
        return Reference(f"{directory.text}{name}", etag, size, moment, *place)

    def row_of(self, key: str) -> int | None:
        """The row with this key, or None; found by halving among the names of its directory."""
        cut = key.rfind("/") + 1
        code = self._code_of.get(key[:cut])
        if code is None:
            return None
        name = key[cut:].encode("utf-8", "surrogatepass")
        siblings, data, offsets = self._siblings, self._names.data, self._names.offsets
        low, high = self._spans[code], self._spans[code + 1]
        while low < high:
            middle = (low + high) // 2
            row = siblings[middle]
            found = data[offsets[row] : offsets[row + 1]]
            if found == name:
                return row
            if found < name:
                low = middle + 1
            else:
                high = middle
        return None

    def _key_bytes(self, row: int) -> bytes:
        return self._directories[self._codes[row]].text.encode() + self._names[row]

    def _keys(self) -> pa.Array:
        directories = pa.array([directory.text for directory in self._directories], pa.string())
        return pc.binary_join_element_wise(directories.take(pa.array(self._directory_of)), self._names.column, "")

    def _in(self, codes: Iterable[int]) -> References:
        spans = [self._by_directory[self._starts[code] : self._starts[code + 1]] for code in codes]
        if len(spans) == 1:
            return References(self, spans[0])
        return References(self, np.sort(np.concatenate(spans)) if spans else range(0))

    def _with(self, sought: Sought, found: Flags) -> Flags:
        """Of the found rows those that are found by any of what is sought."""
        sure = found & self._in_places(lambda directory: directory.is_sought(sought))
        if sought.etags:
            sure |= found & self._has_etag(sought.etags)
        rows = [row for key in sought.keys if (row := self.row_of(key)) is not None]
        sure[rows] = found[rows]
        if not sought.words or not all(map(_could_be_listed, sought.words)):
            return sure
        named = found & ~sure
        for word in sorted(sought.words, key=len, reverse=True):
            named = self._with_word(word, named)
        return sure | (self._at_word_start(sought.words, named) if sought.at_word_start else named)

    def _at_word_start(self, words: Sequence[str], found: Flags) -> Flags:
        """Of the found rows those in whose keys no letter from a to z stands in front of these words."""
        for word in words:
            begins = re.compile(rf"(?:^|[^a-z]){re.escape(word)}")
            texts = np.array([begins.search(text) is not None for text in self._folded_directories], np.bool_)
            open_rows = np.flatnonzero(found & ~texts[self._directory_of])
            found = found & texts[self._directory_of]
            found[open_rows] = self._folded.match(begins.pattern, only=open_rows)
        return found

    def _in_places(self, is_meant: Callable[[Directory], bool]) -> Flags:
        """Which rows lie in a directory of which this holds."""
        flags: Flags = np.array([is_meant(directory) for directory in self._directories], np.bool_)[self._directory_of]
        return flags

    def _has_etag(self, etags: Collection[str]) -> Flags:
        flags: Flags = pc.is_in(self._etags.column, pa.array(etags, pa.string())).to_numpy(zero_copy_only=False)
        return flags

    def _with_word(self, word: str, found: Flags) -> Flags:
        """Of the found rows those whose folded key contains the word.

        Folding works on folder and name apart as it does on the whole key: nothing composes across a slash.
        """
        in_directory = np.fromiter(
            (word in directory for directory in self._folded_directories), np.bool_, len(self._directories)
        )
        sure = found & in_directory[self._directory_of]
        before, slash, tail = word.rpartition("/")
        if slash:  # it lies across the last one, or in a name that has a wide ／
            sure |= found & self._folded.contain(word)
            ends = (directory.endswith(before + slash) for directory in self._folded_directories)
            open_rows = found & ~sure & np.fromiter(ends, np.bool_, len(self._directories))[self._directory_of]
        else:
            open_rows = found & ~sure
        rows = np.flatnonzero(open_rows)
        if len(rows) < FEW * len(self):
            sure[rows] = self._folded.contain(tail, only=rows, at_start=bool(slash))
            return sure
        return sure | (open_rows & self._folded.contain(tail, at_start=bool(slash)))


def _pictures_and_others(rows: pa.Table, without_prefix: str) -> tuple[pa.Table, pa.ChunkedArray]:
    """The rows of pictures, and the keys of everything else; of neither what lies under the prefix."""
    keys = rows.column("key")
    is_picture = are_pictures(keys)
    is_other = pc.invert(is_picture)
    if without_prefix:
        is_apps = pc.starts_with(keys, without_prefix)
        is_picture, is_other = pc.and_not(is_picture, is_apps), pc.and_not(is_other, is_apps)
    return rows.filter(is_picture), keys.filter(is_other)


def _places(rows: pa.Table) -> tuple[pa.Array, Rows, pa.Array]:
    """Directories, each once; each row's place among them, one more for keys without any slash; file names."""
    column, names = split(whole(rows.column("key")))
    encoded = column.dictionary_encode()
    directories = encoded.dictionary
    return directories, np.asarray(encoded.indices.fill_null(len(directories)), dtype=np.int32), names


def _could_be_listed(text: str) -> bool:
    """Half a surrogate pair may be typed or pasted, but no key holds one, and Arrow takes none."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _starts(codes: Rows, count: int) -> npt.NDArray[np.int64]:
    return np.concatenate(([0], np.cumsum(np.bincount(codes, minlength=count))))
