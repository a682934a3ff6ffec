"""A column of keys: which are pictures, and their directories and file names, for all of them at once."""

from __future__ import annotations

from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from core.references.key import PICTURE_SUFFIXES, is_picture

_SUFFIXES: Final = "|".join(sorted(suffix[1:] for suffix in PICTURE_SUFFIXES))
_PICTURE: Final = rf"(?is)[^/]\.(?:{_SUFFIXES})$"
_ODD_SUFFIX: Final = r"(?s)\.[^./]*[^\x00-\x7f][^./]*$"  # `.tiﬀ` folds to `.tiff`, which no RE2 flag knows


def are_pictures(keys: pa.ChunkedArray) -> pa.ChunkedArray:
    """`is_picture` of every key."""
    plainly = pc.match_substring_regex(keys, _PICTURE)
    odd = pc.and_not(pc.match_substring_regex(keys, _ODD_SUFFIX), plainly)
    if not pc.any(odd).as_py():
        return plainly
    by_name = [is_odd and is_picture(key) for key, is_odd in zip(keys.to_pylist(), odd.to_pylist(), strict=True)]
    return pc.or_(plainly, pa.chunked_array([pa.array(by_name, pa.bool_())]))


def split(keys: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Directory (null without a slash) and file name of every key."""
    parts = pc.split_pattern(keys, "/", max_splits=1, reverse=True)
    ends = parts.offsets[1:]
    has_slash = pc.equal(pc.list_value_length(parts), 2)
    directories = pc.if_else(has_slash, parts.values.take(parts.offsets[:-1]), pa.scalar(None, pa.string()))
    return directories, parts.values.take(pc.subtract(ends, 1))


def whole(column: pa.ChunkedArray) -> pa.Array:
    """A column in one piece."""
    whole = column.combine_chunks()
    return pa.concat_arrays(whole.chunks) if isinstance(whole, pa.ChunkedArray) else whole
