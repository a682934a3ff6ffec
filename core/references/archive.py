"""The archive: which pictures S3 hands out only after somebody has restored them.

A listing tells of a storage class and nothing more: not that an object has been restored, nor that Intelligent-Tiering
has moved it to an archive tier. A HEAD tells all, and is asked of those pictures alone that a listing, or somebody who
wanted to read one, has said it of.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final, Protocol

from core.errors import NotFound, StorageError
from core.objects.objects import StoredObject
from core.references.table import ReferenceTable

ASKED_MAX: Final = 100  # at each refresh; of more, those have their turn that were asked about longest ago
_AT_ONCE: Final = 16


class Heads(Protocol):
    """What is asked of S3."""

    def head(self, key: str) -> StoredObject:
        """One object's row, which says whether it is archived. Raises NotFound."""


class Archive:
    """Knows of single pictures whether they are archived; for any number of threads."""

    def __init__(self, store: Heads) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._met: set[str] = set()  # keys that could not be read
        self._said: dict[str, bool] = {}  # what S3 said last of a key, the oldest first

    def meet(self, key: str) -> None:
        """Remember that S3 has refused to hand out this picture's bytes before they are restored."""
        with self._lock:
            self._met.add(key)
            self._said.pop(key, None)

    def corrected(self, table: ReferenceTable) -> ReferenceTable:
        """The table of a new listing with what S3 says of single pictures, as far as it answers."""
        listed = [ref.key for ref in table.archived_references]
        with self._lock:
            met = {key for key in self._met if table.get(key) is not None}
            about = dict.fromkeys((*listed, *sorted(met)))
            self._said = {key: said for key, said in self._said.items() if key in about}
            unasked = [key for key in about if key not in self._said]
            asked = [*unasked, *self._said][:ASKED_MAX]
        if not about:
            return table
        answers = self._ask(asked)
        with self._lock:
            for key, is_archived in answers.items():
                self._said.pop(key, None)
                self._said[key] = is_archived
            restored = {key for key, is_archived in self._said.items() if not is_archived}
            self._met = {key for key in self._met if table.get(key) is not None} - restored
            return table.with_archived(self._met, restored=restored)

    def _ask(self, keys: Sequence[str]) -> dict[str, bool]:
        """What S3 says of each, but for those of which it says nothing now."""
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="archive") as pool:
            answers = zip(keys, pool.map(self._is_archived, keys), strict=True)
            return {key: said for key, said in answers if said is not None}

    def _is_archived(self, key: str) -> bool | None:
        with suppress(StorageError):
            try:
                return self._store.head(key).is_archived
            except NotFound:
                return False  # whoever wants it is told so
        return None
