"""Addresses: the paths under which browsers find pages and pictures, and which of those they send are pages."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote

from core.images.thumbnails import THUMBNAIL_SIDES
from core.injection.request.wishes import SideName
from core.references.key import encode_key

ORIGINAL = "original"
ORIGINALS_PATH: Final = "/originals"
KEY_FIELD: Final = "key"  # of the form that asks for several originals, once for each
PAGES: Final = ("generate", "references", "labels", "history", "vote", "insights", "people")
DEFAULT_PAGE: Final = "generate"  # it lives at the root, as every default page of Streamlit's does
NO_PAGE: Final = "/not-found"  # no page's path either
FIRST_PAGE: Final = "/"
_LONGEST_PAGE: Final = 1500  # letters; sealed with the rest of an attempt they fit into a cookie
# A page and its query, in what browsers write of them: no second slash, no backslash, no blank, no control character.
_PAGE: Final = re.compile(r"(?P<path>/(?:[\w-]+/?)?)(?P<query>\?[!-\[\]-~]*)?", re.ASCII)


def image_url(key: str, etag: str, size: int | str = THUMBNAIL_SIDES[0], *, download_as: str = "") -> str:
    """The path under which a picture is served for ever: it changes when the picture does.

    `size` is a thumbnail side in pixels or `original`.
    """
    query = f"?download={quote(download_as, safe='')}" if download_as else ""
    return f"/image/{size}/{quote(etag, safe='')}/{encode_key(key)}{query}"


def partial_url(comparison_id: str, side: SideName, progress: float, *, take: int = 1) -> str:
    """The path of a picture on its way; `progress` makes a new URL of each."""
    query = f"p={progress:.3f}" if take == 1 else f"take={take}&p={progress:.3f}"
    return f"/partial/{comparison_id}/{side.value}?{query}"


def comparison_zip_url(comparison_id: str) -> str:
    """The path of all finished pictures of a comparison as one ZIP."""
    return f"{ORIGINALS_PATH}/{comparison_id}"


def own_page(asked: str) -> str:
    """The page that was asked for, or the first one for what is no page's address: it leads nowhere else."""
    match = _PAGE.fullmatch(asked)
    if match is None:
        return FIRST_PAGE
    return asked if len(asked) <= _LONGEST_PAGE else match["path"][:_LONGEST_PAGE]
