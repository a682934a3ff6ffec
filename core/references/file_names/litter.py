"""Litter: what file servers, file managers and archives leave beside pictures, and nobody has meant as one."""

from __future__ import annotations

import re
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.references.file_names.texts import Flags, Rows

# A name that begins with a dot is hidden on macOS and Linux: AppleDouble's `._a.jpg`, `.DS_Store`, `.Trash-1000/`,
# `.snapshot/`. `.` and `..` hide nothing: to S3 they are names like others.
_HIDDEN: Final = (r"\.[^./]", r"\.\.[^/]")
# What else is a folder of a system's own. Windows and macOS do not tell cases apart, and no studio has a folder that
# differs from one of these but in its case.
_FOLDERS: Final = (
    *("@eaDir", "#recycle", "#snapshot"),  # Synology
    *("@Recycle", "@Recently-Snapshot", "@__thumb"),  # QNAP
    "__MACOSX",  # a ZIP of macOS
    *("$RECYCLE.BIN", "RECYCLER", "System Volume Information"),  # Windows
    "lost+found",  # ext file systems
)
_FILES: Final = ("Thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini")  # Windows
LITTER_WORDS: Final = "names that begin with a dot, and what systems keep for themselves, like @eaDir and Thumbs.db"
_LITTER: Final = "(?i)(?:^|/)(?:{})".format(
    "|".join((*_HIDDEN, *(f"{re.escape(name)}/" for name in _FOLDERS), *(f"{re.escape(name)}$" for name in _FILES)))
)


def count_litter(keys: pa.ChunkedArray, *, below: str) -> int:
    """How many of these files are litter by a part of their keys below the library prefix: all above it is meant.

    A folder's own marker, which ends with a slash, is no file.
    """
    is_file = pc.and_not(pc.starts_with(keys, below), pc.ends_with(keys, "/"))
    return int(pc.sum(_are_litter(keys.filter(is_file), below), min_count=0).as_py())


def are_litter(directories: pa.Array, directory_of: Rows, names: pa.Array, *, below: str) -> Flags:
    """The same of pictures, whose names are litter only where they are hidden.

    `directories` are the keys' parts before the last slash, each once, and `directory_of` the place of each picture's
    among them; one place more stands for keys without a slash.
    """
    in_litter = np.append(_flags(_are_litter(pc.binary_join_element_wise(directories, "", "/"), below)), False)
    hidden = _flags(pc.starts_with(names, "."))
    return hidden | in_litter[directory_of] if in_litter.any() else hidden


def _are_litter(keys: pa.Array | pa.ChunkedArray, below: str) -> pa.Array | pa.ChunkedArray:
    paths = pc.binary_replace_slice(keys, 0, len(below.encode()), "")
    return pc.match_substring_regex(paths, _LITTER)


def _flags(column: pa.Array) -> Flags:
    flags: Flags = column.to_numpy(zero_copy_only=False)
    return flags
