"""Columns of texts: file names as they are and as they are searched, each in one piece of memory."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from core.unicode import searchable

Rows = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]

RARE: Final = 0.005  # of the texts; measured: one jump costs what Arrow takes for a hundred short texts
SAMPLE_ROWS: Final = 2000


class Texts:
    """A column of texts in one piece of memory, for Arrow and, as bytes, for Python."""

    __slots__ = ("column", "data", "offsets")

    def __init__(self, column: pa.Array) -> None:
        _validity, offsets, data = column.buffers()
        ends = np.frombuffer(offsets, np.int32, len(column) + 1, column.offset * 4)
        self.data = b"" if data is None else data.slice(ends[0], ends[-1] - ends[0]).to_pybytes()
        self.offsets = memoryview(ends - ends[0])
        self.column = pa.StringArray.from_buffers(len(column), pa.py_buffer(self.offsets), pa.py_buffer(self.data))

    def __getitem__(self, row: int) -> bytes:
        return self.data[self.offsets[row] : self.offsets[row + 1]]

    @property
    def nbytes(self) -> int:
        """The memory it takes."""
        return len(self.data) + self.offsets.nbytes

    def contain(self, text: str) -> Flags:
        """Which texts contain this one."""
        if self._hits_often(text):
            return _flags(pc.match_substring(self.column, text))
        wanted, ends = text.encode(), np.asarray(self.offsets)[1:]
        found = np.zeros(len(self.column), np.bool_)
        at = self.data.find(wanted)
        while at >= 0:
            row = int(np.searchsorted(ends, at, side="right"))
            if at + len(wanted) <= self.offsets[row + 1]:
                found[row] = True
                at = self.data.find(wanted, self.offsets[row + 1])
            else:  # it lies across two texts
                at = self.data.find(wanted, at + 1)
        return found

    def _hits_often(self, text: str) -> bool:
        """Whether so many texts contain it that one search for each is faster than jumping between hits."""
        step = max(1, len(self.column) // SAMPLE_ROWS)
        sample = self.column.take(pa.array(range(0, len(self.column), step), pa.int32()))
        return int(pc.sum(pc.match_substring(sample, text), min_count=0).as_py()) > RARE * len(sample)


class FoldedNames:
    """The search column: `searchable` of every name, each different one kept and searched once."""

    __slots__ = ("_codes", "_different")

    def __init__(self, names: pa.Array) -> None:
        encoded = _folded_column(names).dictionary_encode()
        self._different = Texts(encoded.dictionary)
        self._codes: Rows = encoded.indices.to_numpy()

    @property
    def nbytes(self) -> int:
        """The memory it takes."""
        return self._different.nbytes + self._codes.nbytes

    def rows_with(self, name: str) -> Rows:
        """The rows whose folded name is this one."""
        code = pc.index(self._different.column, pa.scalar(name, pa.string())).as_py()
        return np.flatnonzero(self._codes == code).astype(np.int32)

    def contain(self, text: str, *, only: npt.NDArray[np.int64] | None = None, at_start: bool = False) -> Flags:
        """Which rows' names contain the text, or start with it; of these rows only."""
        different = self._different.column
        if only is not None:
            codes, place = np.unique(self._codes[only], return_inverse=True)
            match = pc.starts_with if at_start else pc.match_substring
            return _flags(match(different.take(pa.array(codes)), text))[place]
        found = _flags(pc.starts_with(different, text)) if at_start else self._different.contain(text)
        return found[self._codes]

    def match(self, pattern: str, *, only: npt.NDArray[np.int64]) -> Flags:
        """Which of these rows' names have what a regular expression of RE2 describes."""
        codes, place = np.unique(self._codes[only], return_inverse=True)
        return _flags(pc.match_substring_regex(self._different.column.take(pa.array(codes)), pattern))[place]


def _folded_column(names: pa.Array) -> pa.Array:
    """`searchable` of every name; only names outside ASCII need Python, and each different one once."""
    plain = pc.string_is_ascii(names)
    if pc.all(plain, min_count=0).as_py():
        return pc.ascii_lower(names)
    encoded = names.filter(pc.invert(plain)).dictionary_encode()
    made = pa.array([searchable(name) for name in encoded.dictionary.to_pylist()], pa.string())
    return pc.replace_with_mask(pc.ascii_lower(names), pc.invert(plain), made.take(encoded.indices))


def _flags(column: Any) -> Flags:
    flags: Flags = column.to_numpy(zero_copy_only=False)
    return flags
