"""Drift between two listings: a renamed group is a rename, and not so many pictures removed and added."""

from __future__ import annotations

import unicodedata

from core.objects.objects import StoredObject
from core.references.drift import Move
from tests.injection.libraries import library, stored

NOIR, LOW = "refs/01. Model/noir", "refs/01. Model/noir low angle"


def group(path: str, *names: str) -> list[StoredObject]:
    """Pictures in a group; those of the same name are the same, wherever they lie."""
    return [stored(f"{path}/{name}.jpg", etag=name) for name in names]


def test_a_renamed_group_is_shown_as_renamed_and_not_as_added_and_removed() -> None:
    names = [f"Ada {n:02}" for n in range(12)]
    drift = library(*group(NOIR, *names)).drift_of(library(*group(LOW, *names)).table)
    assert (drift.added, drift.removed, drift.changed) == ((), (), ())
    assert drift.moves == (Move(NOIR, LOW, 12, is_rename=True),)
    assert not drift.is_empty


def test_what_came_and_went_beside_a_rename_is_still_added_and_removed() -> None:
    before = library(*group(NOIR, "a", "b", "gone"))
    after = library(*group(LOW, "a", "b", "new"))
    drift = before.drift_of(after.table)
    assert drift.moves == (Move(NOIR, LOW, 2, is_rename=True),)
    assert (drift.added, drift.removed) == ((f"{LOW}/new.jpg",), (f"{NOIR}/gone.jpg",))


def test_pictures_moved_between_groups_that_stay_are_moved_and_rename_nothing() -> None:
    before = library(*group(NOIR, "a", "b"), *group(LOW, "c"))
    after = library(*group(NOIR, "a"), *group(LOW, "b", "c"))
    assert before.drift_of(after.table).moves == (Move(NOIR, LOW, 1, is_rename=False),)


def test_a_folder_around_groups_that_is_renamed_renames_each_of_them() -> None:
    def campaign(name: str) -> list[StoredObject]:
        return [*group(f"refs/{name}/01. Model/noir", "a", "b"), *group(f"refs/{name}/01. Model/vivid", "c", "d")]

    drift = library(*campaign("spring")).drift_of(library(*campaign("summer")).table)
    assert [(move.before, move.after, move.pictures) for move in drift.moves] == [
        ("refs/spring/01. Model/noir", "refs/summer/01. Model/noir", 2),
        ("refs/spring/01. Model/vivid", "refs/summer/01. Model/vivid", 2),
    ]
    assert all(move.is_rename for move in drift.moves)


def test_two_groups_with_pictures_in_common_are_each_followed_to_where_most_of_them_went() -> None:
    one, other = f"{NOIR} 1", f"{NOIR} 2"
    before = library(*group(one, "same", "a", "b"), *group(other, "same", "c", "d"))
    after = library(*group(f"{one} x", "same", "a", "b"), *group(f"{other} x", "same", "c", "d"))
    assert before.drift_of(after.table).moves == (
        Move(one, f"{one} x", 3, is_rename=True),
        Move(other, f"{other} x", 3, is_rename=True),
    )


def test_a_name_that_changes_its_unicode_form_alone_is_a_rename() -> None:
    nfc = "refs/01. Model/느와르"
    nfd = unicodedata.normalize("NFD", nfc)
    assert library(*group(nfd, "a")).drift_of(library(*group(nfc, "a")).table).moves == (
        Move(nfd, nfc, 1, is_rename=True),
    )


def test_a_file_with_another_name_in_its_group_has_moved_nowhere() -> None:
    before = library(stored(f"{NOIR}/a.jpg", etag="1"), stored(f"{NOIR}/b.jpg"))
    after = library(stored(f"{NOIR}/z.jpg", etag="1"), stored(f"{NOIR}/b.jpg"))
    assert before.drift_of(after.table).moves == (Move(NOIR, NOIR, 1, is_rename=False),)


def test_an_upload_in_parts_is_known_by_name_and_size_for_a_rename_gives_it_another_etag() -> None:
    parts = [stored(f"{NOIR}/a.tif", etag="0" * 32 + "-3", size_bytes=99)]
    assert library(*parts).drift_of(library(stored(f"{LOW}/a.tif", etag="1" * 32, size_bytes=99)).table).moves == (
        Move(NOIR, LOW, 1, is_rename=True),
    )


def test_another_picture_of_the_same_name_and_size_is_none_that_moved() -> None:
    before, after = library(stored(f"{NOIR}/a.jpg", etag="1")), library(stored(f"{LOW}/a.jpg", etag="2"))
    drift = before.drift_of(after.table)
    assert (drift.moves, drift.added, drift.removed) == ((), (f"{LOW}/a.jpg",), (f"{NOIR}/a.jpg",))


def test_a_copy_is_added_and_moves_nothing() -> None:
    before, after = library(*group(NOIR, "a")), library(*group(NOIR, "a"), *group(LOW, "a"))
    drift = before.drift_of(after.table)
    assert (drift.moves, drift.added) == ((), (f"{LOW}/a.jpg",))
