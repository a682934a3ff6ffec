"""Documents: JSON objects in S3 that several servers change, never older than they may be, never overwritten unseen."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from core.concurrency.background import in_background
from core.errors import NotFound, StorageError, StorageUnavailable, WriteConflict
from core.objects.objects import ObjectStore
from core.unicode import NotUtf8, text_of

FRESH_S: Final = 10.0  # how long another server takes to hear of a change, at most twice that among many callers
MAX_AGE_S: Final = 60.0  # how long what was known last counts while S3 is away
T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)

_ATTEMPTS: Final = 8  # of a change that keeps losing races
_RETRY_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Version(Generic[T]):
    """What a document said when it was read; `etag` is None while there is no such object."""

    value: T
    etag: str | None
    read_at: float


class Document(Generic[T]):
    """One JSON object in S3. `parse` gets None for a document that is not there yet.

    A read is served from memory while it is younger than `FRESH_S`. From then on one caller at a time reads
    anew while the others are served; when S3 does not answer, the value serves until it is `MAX_AGE_S` old, and S3 is
    asked every few seconds only, so that nobody's page waits for it in vain.
    """

    def __init__(
        self,
        store: ObjectStore,
        key: str,
        *,
        parse: Callable[[bytes | None], T],
        serialize: Callable[[T], bytes],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._key = key
        self._parse = parse
        self._serialize = serialize
        self._clock = clock
        self._version: Version[T] | None = None
        self._failed_at: float | None = None
        self._reading = threading.Lock()

    def value(self) -> T:
        """What the document says, at most `MAX_AGE_S` old. Raises StorageError."""
        version = self._version
        if version is not None and self._serves(version):
            return version.value
        is_usable = version is not None and self._age_s(version) < MAX_AGE_S
        if not self._reading.acquire(blocking=not is_usable):
            assert version is not None  # noqa: S101 - it is usable, or we would have waited
            return version.value
        try:
            newest = self._version
            if newest is not None and newest is not version and self._serves(newest):
                return newest.value  # read while we waited
            try:
                return self._read().value
            except StorageError:
                self._failed_at = self._clock()
                if newest is not None and self._age_s(newest) < MAX_AGE_S:
                    return newest.value
                raise
        finally:
            self._reading.release()

    def known(self) -> T | None:
        """What it said when it was last read, None before the first time; an old one is read anew in the background."""
        version = self._version
        if (version is None or not self._serves(version)) and not self._reading.locked():
            in_background(self.value, name="document")
        return None if version is None else version.value

    def _serves(self, version: Version[T]) -> bool:
        """Whether this is good enough not to ask S3: it is fresh, or it may be used and S3 has just not answered."""
        age_s = self._age_s(version)
        has_just_failed = self._failed_at is not None and self._clock() - self._failed_at < _RETRY_S
        return age_s < FRESH_S or (age_s < MAX_AGE_S and has_just_failed)

    def read(self) -> Version[T]:
        """What the document says now. Raises StorageError."""
        with self._reading:
            return self._read()

    def write(self, value: T, seen: Version[T]) -> Version[T]:
        """Put a new value in place of the version that was seen. Raises WriteConflict when that is history."""
        with self._reading:
            started_at = self._clock()
            data = self._serialize(value)
            if seen.etag is None:
                etag = self._store.put(self._key, data, content_type="application/json", create_only=True)
            else:
                etag = self._store.put(self._key, data, content_type="application/json", if_match=seen.etag)
            self._version = Version(value, etag, started_at)
            return self._version

    def change(self, change: Callable[[T], T]) -> T:
        """Apply a change to what the document says now, again whenever somebody else was faster.

        Raises what `change` raises, StorageError, and WriteConflict when it keeps losing.
        """
        for attempt in range(_ATTEMPTS):
            seen = self.read()
            value = change(seen.value)
            if value == seen.value:
                return value
            try:
                return self.write(value, seen).value
            except WriteConflict:
                if attempt == _ATTEMPTS - 1:
                    raise
        raise AssertionError  # the loop returns or raises

    def _read(self) -> Version[T]:
        started_at = self._clock()
        try:
            blob = self._store.get(self._key)
        except NotFound:
            version = Version(self._parse(None), None, started_at)
        else:
            version = Version(self._parse(blob.data), blob.etag, started_at)
        self._version, self._failed_at = version, None
        return version

    def _age_s(self, version: Version[T]) -> float:
        return self._clock() - version.read_at


def settings_document(
    store: ObjectStore, key: str, bootstrap: M, *, clock: Callable[[], float] = time.monotonic
) -> Document[M]:
    """What admins keep in place of settings: until the object exists, `bootstrap` holds."""

    def parse(data: bytes | None) -> M:
        return bootstrap if data is None else parse_settings(type(bootstrap), key.rsplit("/", 1)[-1], data)

    return Document(
        store, key, parse=parse, serialize=lambda value: value.model_dump_json(indent=1).encode(), clock=clock
    )


def parse_settings(kind: type[M], name: str, data: bytes) -> M:
    """What these bytes say. Raises StorageUnavailable for damaged ones: nothing is let in or spent on a guess."""
    try:
        return kind.model_validate_json(text_of(data))
    except (ValidationError, NotUtf8) as err:
        raise StorageUnavailable(
            "{} in S3 is damaged ({}): restore its last good version, or remove it to go back to the settings.",
            name,
            err if isinstance(err, NotUtf8) else err.errors()[0]["msg"],
        ) from err
