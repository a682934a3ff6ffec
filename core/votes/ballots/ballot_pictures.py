"""Ballot pictures: the two pictures of a pair as files that tell nothing but their pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from core.concurrency.single_flight import SingleFlightCache
from core.errors import NotFound
from core.images.decode import check_file, decode_picture
from core.images.even_png import even_pngs
from core.images.memory import FILES, MIB
from core.objects.objects import ObjectStore
from core.votes.records.votes import ShownPicture

_KEPT_BYTES: Final = 64 * MIB  # fifteen pairs of 1024×1280; one takes 0.13 s of a processor


class BallotPictures:
    """Makes pairs of files, each pair once while it is in use."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._pairs: SingleFlightCache[tuple[bytes, bytes]] = SingleFlightCache(
            size_max=_KEPT_BYTES, size_of=lambda pair: sum(map(len, pair))
        )

    def get(self, pictures: tuple[ShownPicture, ShownPicture]) -> tuple[bytes, bytes]:
        """Both as PNG files of one length, in the order given.

        Raises NotFound for one that has changed or is gone, BadImage for one that cannot be shown, Overloaded while
        there is no room for them, and StorageError.
        """
        return self._pairs.get(pictures, lambda: self._make(pictures))

    def _make(self, pictures: Sequence[ShownPicture]) -> tuple[bytes, bytes]:
        sizes = [self._store.head(picture.key).size_bytes for picture in pictures]
        for size_bytes in sizes:
            check_file(size_bytes)
        with FILES.lend(sum(sizes)):
            first, second = (decode_picture(self._read(picture)) for picture in pictures)
        return even_pngs(first, second)

    def _read(self, picture: ShownPicture) -> bytes:
        blob = self._store.get(picture.key)
        if blob.etag != picture.etag:
            raise NotFound("The picture has changed in S3.", key=picture.key)
        return blob.data
