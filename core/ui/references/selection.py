"""The selection of References: pictures of many pages together, and what can be done with them."""

from __future__ import annotations

from collections.abc import Sequence

from core.errors import InputError
from core.references.index import ReferenceIndex
from core.references.reference import Reference
from core.studio import Studio
from core.ui.components.picture_grid.picture_grid import deselect, selection_of
from core.ui.components.picture_grid.selection_bar import SelectedPicture, selection_bar
from core.ui.frame.state import Key
from core.ui.references.use_in_generate import use_in_generate
from core.web.http.addresses import KEY_FIELD, ORIGINALS_PATH, image_url
from core.web.pictures.originals import check_zip


def selection(studio: Studio, index: ReferenceIndex, shown: Sequence[Reference]) -> list[Reference]:
    """Draw the bar of what is selected, on this page or not, and return it; without any there is none."""
    keys = selection_of(Key.REF_GRID)
    listed = {key: index.get(key) for key in keys}
    chosen = [reference for reference in listed.values() if reference]
    deselect(Key.REF_GRID, [key for key, reference in listed.items() if reference is None])
    if not chosen:
        return chosen
    here = {reference.key for reference in shown}
    wants_use = selection_bar(
        [reference.key for reference in chosen],
        key=Key.REF_SELECTION,
        grid=Key.REF_GRID,
        copied=[f"s3://{studio.store.bucket}/{reference.key}" for reference in chosen],
        elsewhere=[
            SelectedPicture(reference.key, image_url(reference.key, reference.etag), reference.name)
            for reference in chosen
            if reference.key not in here
        ],
        zip_url=ORIGINALS_PATH,
        zip_field=KEY_FIELD,
        zip_problem=_zip_problem(chosen),
    )
    if wants_use:
        use_in_generate(studio, chosen)
    return chosen


def _zip_problem(chosen: Sequence[Reference]) -> str:
    try:
        check_zip(chosen)
    except InputError as err:
        return err.message
    return ""
