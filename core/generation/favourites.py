"""Favourites: the comparisons that a person has starred, each person's own, in one small object of theirs.

<app>/favourites/<SHA-256 of the person's address>.json   replaced under the condition that nobody has changed it since
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.concurrency.single_flight import SingleFlightCache
from core.errors import InputError, StorageUnavailable
from core.objects.documents import Document
from core.objects.objects import ObjectStore
from core.unicode import NotUtf8, text_of
from core.viewer import Capability, Viewer

FAVOURITES_MAX: Final = 2_000  # of a person: the object stays below 60 kB
_PEOPLE_REMEMBERED: Final = 500


class FavouriteList(BaseModel):
    """What one person has starred; ids of comparisons, the newest star first."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    version: int = 1
    person: str
    comparisons: Annotated[tuple[str, ...], Field(max_length=FAVOURITES_MAX)] = ()

    def marked(self, marks: Mapping[str, bool]) -> Self:
        """With these comparisons starred or not. Raises InputError for one too many."""
        kept = [one for one in self.comparisons if marks.get(one, True)]
        new = [one for one, is_starred in marks.items() if is_starred and one not in kept]
        if new and len(kept) + len(new) > FAVOURITES_MAX:
            raise InputError("You have {:,} favourites, and no more fit: take the star off one first.", len(kept))
        return self.model_copy(update={"comparisons": (*reversed(new), *kept)})


class Favourites:
    """Remembers what people have starred; for any number of threads and servers."""

    def __init__(self, store: ObjectStore, *, app_prefix: str, find: Callable[[str], object]) -> None:
        """`find` raises NotFound for the id of no comparison."""
        self._store = store
        self._root = f"{app_prefix}favourites/"
        self._find = find
        self._documents: SingleFlightCache[Document[FavouriteList]] = SingleFlightCache(size_max=_PEOPLE_REMEMBERED)

    def of(self, viewer: Viewer) -> frozenset[str]:
        """The ids this person has starred, on another server up to ten seconds ago. Raises StorageError."""
        viewer.require(Capability.BROWSE)
        return frozenset(self._document(viewer.email).value().comparisons)

    def mark(self, viewer: Viewer, marks: Mapping[str, bool]) -> None:
        """Star comparisons for this person, or take their stars off; the others of their list stay as they are.

        Raises NotFound for the id of no comparison, InputError for one too many, and StorageError.
        """
        viewer.require(Capability.BROWSE)
        for comparison_id, is_starred in marks.items():
            if is_starred:
                self._find(comparison_id)
        self._document(viewer.email).change(lambda known: known.marked(marks))

    def _document(self, person: str) -> Document[FavouriteList]:
        return self._documents.get(person, lambda: self._open(person))

    def _open(self, person: str) -> Document[FavouriteList]:
        return Document(
            self._store,
            f"{self._root}{hashlib.sha256(person.encode()).hexdigest()}.json",
            parse=lambda data: FavouriteList(person=person) if data is None else _parse(data),
            serialize=lambda known: known.model_dump_json(indent=1).encode(),
        )


def _parse(data: bytes) -> FavouriteList:
    """What the object says. A damaged one is not taken for an empty one: the next star would replace it."""
    try:
        return FavouriteList.model_validate_json(text_of(data))
    except (ValidationError, NotUtf8) as err:
        raise StorageUnavailable(
            "Your favourites in S3 are damaged ({}): restore the object's last good version under favourites/, "
            "or remove it to begin anew.",
            err if isinstance(err, NotUtf8) else err.errors()[0]["msg"],
        ) from err
