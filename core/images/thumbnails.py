"""Thumbnails: small WebP pictures, made once for each etag and kept in S3; and which pictures give none."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress

from core.concurrency.single_flight import SingleFlightCache
from core.errors import BadImage, NotFound, StorageError, WriteConflict
from core.images.decode import DECODER, check_file, decode_picture
from core.images.encode import encode
from core.images.memory import BYTES_MAX, FILES
from core.objects.objects import Blob, ObjectStore

THUMBNAIL_SIDES = (320, 960)
_QUALITY = {320: 78, 960: 84}
_ETAG = re.compile(r"[0-9A-Za-z-]{1,80}")


class Thumbnails:
    """Makes and finds thumbnails, each only once, as many at a time as there is memory for."""

    def __init__(
        self, store: ObjectStore, *, app_prefix: str, observe: Callable[[str], None] = lambda _result: None
    ) -> None:
        self._store = store
        self._prefix = f"{app_prefix}thumbs/"
        self._unreadable = f"{self._prefix}unreadable/{DECODER}/"
        self._observe = observe  # told `found`, `made` or `failed`
        # Looking and making are one, and nothing is kept: the next finds it in S3.
        self._under_way: SingleFlightCache[bytes] = SingleFlightCache(size_max=0)

    def key_of(self, etag: str, side: int) -> str:
        """Where a thumbnail lies. Raises NotFound for a string that is no etag."""
        if side not in THUMBNAIL_SIDES or not _ETAG.fullmatch(etag):
            raise NotFound("There is no such picture.", key=etag)
        return f"{self._prefix}{side}/{etag[:2]}/{etag}.webp"

    def get(self, etag: str, side: int, original: Callable[[], Blob], *, size_bytes: int = BYTES_MAX) -> bytes:
        """The thumbnail's WebP bytes, longest side `side` pixels; `original` is asked only to make it.

        `size_bytes` is what the original's file has; where nobody knows, it counts as large. Raises BadImage when the
        original cannot be shown, Overloaded when there is no room for it, StorageError when S3 does not answer.
        """
        key = self.key_of(etag, side)
        return self._under_way.get(key, lambda: self._find_or_make(key, etag, side, original, size_bytes))

    def unreadable(self) -> frozenset[str]:
        """The etags of all pictures that S3 says cannot be decoded by this decoder. Raises StorageError."""
        return frozenset(row.key.removeprefix(self._unreadable) for row in self._store.list(self._unreadable))

    def why_unreadable(self, etag: str) -> str:
        """What the one who tried has noted; nothing where nobody has. Raises StorageError."""
        with suppress(NotFound):
            return self._store.get(f"{self._unreadable}{etag}").data.decode()
        return ""

    def _find_or_make(self, key: str, etag: str, side: int, original: Callable[[], Blob], size_bytes: int) -> bytes:
        try:
            found = self._store.get(key).data
        except NotFound:
            pass
        else:
            self._observe("found")
            return found
        if reason := self.why_unreadable(etag):
            raise BadImage("{}", reason)
        data = self._make(etag, side, original, size_bytes)
        with suppress(WriteConflict):  # another server made the same one
            self._store.put(key, data, content_type="image/webp", create_only=True)
        self._observe("made")
        return data

    def _make(self, etag: str, side: int, original: Callable[[], Blob], size_bytes: int) -> bytes:
        try:
            check_file(size_bytes)
            with FILES.lend(size_bytes):
                blob = original()
                if blob.etag != etag:
                    raise NotFound("The picture has changed in S3.", key=blob.key)
                return encode_webp(blob.data, side)
        except BadImage as err:
            self._observe("failed")
            self._remember(etag, err)
            raise

    def _remember(self, etag: str, err: BadImage) -> None:
        """Note beside the thumbnails why there is none: nobody needs to fetch the original again to learn that."""
        if isinstance(err.__cause__, MemoryError):  # another time, or on another server, there may be room
            return
        with suppress(StorageError):  # whoever looks next finds out again; the tile says why all the same
            self._store.put(
                f"{self._unreadable}{etag}",
                err.message.encode(),
                content_type="text/plain; charset=utf-8",
                create_only=True,
            )


def encode_webp(data: bytes, side: int) -> bytes:
    """A picture shrunk to `side` pixels and encoded as WebP. Raises BadImage."""
    image = decode_picture(data, max_side=side)
    try:
        return encode(image, "WEBP", quality=_QUALITY.get(side, 80), method=4)
    except (OSError, ValueError) as err:
        raise BadImage("No thumbnail can be made of this picture.") from err
