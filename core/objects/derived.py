"""Derived objects: what other objects of the bucket say already, in one, so that a start asks for few.

One may lack what came later and may be deleted at any time; whatever reads it can do without. The bytes are gzip,
level 6, with no time in the header, so that the same content is the same object on every server.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, NamedTuple, TypeVar

import structlog

from core.errors import StorageError, WriteConflict
from core.objects.objects import ObjectStore

_log = structlog.get_logger(__name__)
Content = TypeVar("Content")
# pydantic's ValidationError is a ValueError, a file that is no gzip an OSError, one that is cut off an EOFError
_NONSENSE: Final = (OSError, EOFError, zlib.error, ValueError, TypeError, KeyError, OverflowError, RecursionError)


class Derived(NamedTuple, Generic[Content]):
    """An object as it was read; `content` is None where it makes no sense, and it is to be replaced."""

    etag: str
    content: Content | None


@dataclass(frozen=True, slots=True)
class DerivedFormat(Generic[Content]):
    """One kind of derived object.

    `load` reads what `dump` has made, and raises ValueError, TypeError or KeyError for anything else. The events
    are what the log says when an object cannot be read or written; both come with its `key` and the `error`.
    """

    dump: Callable[[Content], bytes]
    load: Callable[[bytes], Content]
    unreadable_event: str
    unwritten_event: str

    def pack(self, content: Content) -> bytes:
        """The object's bytes."""
        return gzip.compress(self.dump(content), compresslevel=6, mtime=0)

    def unpack(self, data: bytes) -> Content:
        """Read an object's bytes. Raises StorageError when any of it makes no sense: then nothing is believed."""
        try:
            return self.load(gzip.decompress(data))
        except _NONSENSE as err:
            raise StorageError("This object cannot be read: {}.", type(err).__name__) from err

    def read(self, store: ObjectStore, key: str) -> Derived[Content]:
        """The object at `key`; one that makes no sense is logged. Raises NotFound and what `store` raises."""
        blob = store.get(key)
        try:
            return Derived(blob.etag, self.unpack(blob.data))
        except StorageError as err:
            _log.warning(self.unreadable_event, key=key, error=type(err.__cause__).__name__)
            return Derived(blob.etag, None)

    def write(self, store: ObjectStore, key: str, content: Content, *, replacing: str | None) -> str | None:
        """Write under the condition that the object still has this etag, or that there is none; the new etag.

        Raises WriteConflict when another server was first. Any other failure is logged and makes it None: without
        the object the next start takes longer, and nothing is lost.
        """
        try:
            return store.put(
                key,
                self.pack(content),
                content_type="application/gzip",
                create_only=replacing is None,
                if_match=replacing,
            )
        except WriteConflict:
            raise
        except StorageError as err:
            _log.warning(self.unwritten_event, key=key, error=err.message)
            return None
