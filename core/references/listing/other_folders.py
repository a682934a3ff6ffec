"""Other folders: what a bucket has where the library should be and no picture is, for whoever set the prefix.

Looked at is one page of names in the prefix, in the folder it lies in, and at the root: never the whole bucket.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

from core.errors import StorageDenied
from core.references.listing.list_page import ListPageSource, read_list_page

_SHOWN: Final = 10
_ALIKE: Final = 0.75  # of SequenceMatcher: one name for another by a slip


@dataclass(frozen=True, slots=True)
class OtherFolders:
    """The first folders found near a prefix without pictures, as prefixes; `nearest` is probably meant.

    `are_denied` where the credentials may not list them.
    """

    folders: tuple[str, ...] = ()  # ten at most
    nearest: str | None = None
    are_denied: bool = False

    @property
    def says(self) -> str:
        """What there is instead, to stand behind “No picture lies under …:”."""
        if self.folders:
            meant = f"; {self.nearest} is probably meant" if self.nearest else ""
            return f"the folders there are {', '.join(self.folders)}{meant}"
        if self.are_denied:
            return "these credentials may not list what else there is"
        return "the bucket has no other folder"


def other_folders(pages: ListPageSource, library_prefix: str, app_prefix: str) -> OtherFolders:
    """What there is near a library without pictures. Raises StorageUnavailable."""
    parent = library_prefix.rstrip("/").rpartition("/")[0]
    places = dict.fromkeys((library_prefix, f"{parent}/" if parent else "", ""))
    are_denied = False
    for place in places:
        try:
            named = read_list_page(pages.page(place, delimiter="/")).folders
        except StorageDenied:
            are_denied = True
            continue
        folders = [folder for folder in named if folder not in (library_prefix, app_prefix)]
        if folders:
            return OtherFolders(tuple(folders[:_SHOWN]), _nearest(folders, library_prefix))
    return OtherFolders(are_denied=are_denied)


def _nearest(folders: list[str], prefix: str) -> str | None:
    """The one folder whose name is most like the prefix, and neither lies in the other."""

    def likeness(folder: str) -> float:
        if folder.startswith(prefix) or prefix.startswith(folder):
            return 0.0
        return SequenceMatcher(None, _plain(folder), _plain(prefix)).ratio()

    ratios = [*map(likeness, folders)]
    best = max(ratios)
    return folders[ratios.index(best)] if best >= _ALIKE and ratios.count(best) == 1 else None


def _plain(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()
