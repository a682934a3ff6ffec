"""The compact table says exactly what the simple index says, for any keys and any question."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.objects.objects import StoredObject
from core.references.listing.listing import Listing
from core.references.reference import Filter
from core.references.table import ReferenceTable
from core.references.vocabulary import GroupProblem, Role, load_vocabulary
from tests.references.plain_index import PlainIndex, plain_index

VOCABULARY = load_vocabulary(Path(__file__).parents[2] / "labels" / "attributes.toml")
FOLDERS = ["refs", "", "..", "Ünï", "01. Model", "02. Tone", "3. angle", "01. 모델", "noir", "a(natural,film)"]
FOLDERS += ["@eaDir", "__macosx", "#Recycle", ".Trash-1000", "lost+found", "$RECYCLE.BIN", "eaDir", ".", "..."]
FOLDERS += ["vivid, low angle", "noir vivid", "untagged", "STRASSE", "straße", "e\u0301tude", "étude", " x "]
NAMES = [
    "Araya 05.png",
    "araya 05.PNG",
    "Araya 05.png ",
    "서연.jpg",
    "\u1109\u1165\u110b\u1167\u11ab.jpg",
    "i.jpg",
    "İ.jpg",
]
NAMES += [
    "\u0301.png",
    "a\u0338.webp",
    "ß.tiﬀ",
    ".png",
    "._Araya 05.png",
    "..Araya.png",
    "Thumbs.DB",
    "desktop.ini",
    "",
    "no picture.txt",
    "50%+1.jpeg",
    "\x01.gif",
    "🎞.heic",
    "a\nb.jpg",
]
WORDS = ["araya", "MODEL/", "film)/", "g", "j p", "/", "strasse 05", "ET\u0301", "n/\u0301", "\u0301.p"]
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
KEYS = st.builds(
    lambda folders, name: "/".join([*folders, name]),
    st.lists(st.sampled_from(FOLDERS) | ANY_TEXT.map(lambda text: text.replace("/", "")), max_size=5),
    st.sampled_from(NAMES) | ANY_TEXT.map(lambda text: f"{text}.jpg"),
)
LIBRARIES = st.lists(st.tuples(KEYS, st.integers(0, 3)), max_size=30, unique_by=lambda item: item[0])
UNHURRIED = settings(deadline=None)  # a busy machine is no fault of the code
ROLES = st.none() | st.sampled_from(Role)


def stored(key: str, version: int = 0) -> StoredObject:
    etag = hashlib.md5(f"{version}{key}".encode(), usedforsecurity=False).hexdigest()
    moment = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(microseconds=len(key) * 1001)
    return StoredObject(key, etag if version < 3 else f"{etag}-12", version * 1000, moment, version == 2)


def both(library: list[tuple[str, int]]) -> tuple[ReferenceTable, PlainIndex]:
    objects = [stored(key, version) for key, version in library]
    return ReferenceTable.of(Listing.of(objects), VOCABULARY), plain_index(objects, VOCABULARY)


@UNHURRIED
@given(LIBRARIES)
def test_it_holds_the_same_references_in_the_same_order(library: list[tuple[str, int]]) -> None:
    table, index = both(library)
    assert tuple(table) == index.references
    assert len(table) == len(index)
    assert table.litter == index.litter
    assert tuple(table[2:7]) == index.references[2:7]
    for row, reference in enumerate(index.references):
        assert table[row] == reference
        assert table.get(reference.key) == reference


@UNHURRIED
@given(LIBRARIES, KEYS)
def test_a_key_that_is_not_listed_is_not_found(library: list[tuple[str, int]], key: str) -> None:
    table, index = both(library)
    assert table.get(key) == index.get(key)


@UNHURRIED
@given(LIBRARIES, KEYS)
def test_it_resolves_to_the_same_candidates(library: list[tuple[str, int]], key: str) -> None:
    table, index = both(library)
    for text in (key, key.rsplit("/", 1)[-1], *(name for name, _ in library), *NAMES):
        assert table.resolve(text) == index.resolve(text)


@UNHURRIED
@given(
    LIBRARIES,
    st.builds(
        Filter,
        text=ANY_TEXT | st.sampled_from(WORDS),
        role=ROLES,
        tone=st.none() | st.sampled_from(["noir", "vivid", "natural-film"]),
        angle=st.none() | st.just("low-angle"),
        folder=st.none() | st.sampled_from(["refs/01. Model", "01. Model"]),
        group=st.none() | st.sampled_from(FOLDERS),
        problems_only=st.booleans(),
    ),
)
def test_every_search_finds_the_same(library: list[tuple[str, int]], wanted: Filter) -> None:
    table, index = both(library)
    found = index.search(wanted)
    assert tuple(table.search(wanted)) == found
    assert table.groups_with(wanted) == {(ref.folder, ref.group) for ref in found}


@UNHURRIED
@given(LIBRARIES, st.data())
def test_what_cannot_be_decoded_is_a_problem_and_nothing_else_changes(
    library: list[tuple[str, int]], data: st.DataObject
) -> None:
    plain, _ = both(library)
    etags = [ref.etag for ref in plain]
    broken = data.draw(st.sets(st.sampled_from(etags))) if etags else set()
    objects = Listing.of(stored(key, version) for key, version in library)
    table = ReferenceTable.of(objects, VOCABULARY, unreadable={*broken, "of another picture"})
    expected = [replace(ref, problem=GroupProblem.UNREADABLE) if ref.etag in broken else ref for ref in plain]
    assert list(table) == expected
    assert [table[row] for row in range(len(table))] == expected
    assert list(table.search(Filter(problems_only=True))) == [ref for ref in expected if ref.problem is not None]
    found = [ref.key for ref in table.unreadable_references]
    assert found == [ref.key for ref in plain if ref.etag in broken or ref.size_bytes == 0]


@UNHURRIED
@given(LIBRARIES, st.data())
def test_any_part_of_a_key_finds_it(library: list[tuple[str, int]], data: st.DataObject) -> None:
    table, index = both(library)
    for reference in index.references:
        start = data.draw(st.integers(0, len(reference.key)))
        part = Filter(text=reference.key[start : start + 8])
        assert tuple(table.search(part)) == index.search(part)


@UNHURRIED
@given(LIBRARIES, KEYS, st.integers(0, 8))
def test_a_prefix_is_taken_byte_for_byte(library: list[tuple[str, int]], key: str, size: int) -> None:
    table, index = both(library)
    prefix = key[:size]
    assert [r.key for r in table.prefixed(prefix)] == [r.key for r in index.references if r.key.startswith(prefix)]


@UNHURRIED
@given(LIBRARIES)
def test_folders_and_groups_are_the_same(library: list[tuple[str, int]]) -> None:
    table, index = both(library)
    assert table.folders(VOCABULARY) == index.folders


@UNHURRIED
@given(LIBRARIES, LIBRARIES)
def test_the_same_drift_is_seen(before: list[tuple[str, int]], after: list[tuple[str, int]]) -> None:
    (old_table, old_index), (new_table, new_index) = both(before), both(after)
    drift = new_index.drift_since(old_index)
    assert new_table.drift_since(old_table) == (list(drift.added), list(drift.removed), list(drift.changed))


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(["araya", "jpg", "7", "05.j", "zz"]))
def test_rare_and_common_words_are_found_alike_in_a_large_library(word: str) -> None:
    table, index = LARGE
    assert tuple(table.search(Filter(text=word))) == index.search(Filter(text=word))


def test_what_lies_under_the_apps_own_prefix_is_no_reference() -> None:
    objects = [stored("refs/a.jpg"), stored("studio/thumbs/a.jpg")]
    table = ReferenceTable.of(Listing.of(objects), VOCABULARY, without_prefix="studio/")
    assert [reference.key for reference in table] == ["refs/a.jpg"]


def test_an_empty_library_answers_every_question() -> None:
    table, _index = both([])
    assert len(table) == 0
    assert table.get("refs/a.jpg") is None
    assert table.resolve("a.jpg") == ()
    assert list(table.search(Filter(text="a"))) == list(table.prefixed("refs/")) == []
    assert table.folders(VOCABULARY) == ()


@pytest.mark.parametrize("text", ["cafe", "CAFÉ zoe", "strasse", "카페", "cafe/zoe", "a/b", "/a", "b / 3"])
def test_accents_width_and_unicodes_form_do_not_count_in_a_search(text: str) -> None:
    keys = ["refs/Café/Zoë 1.jpg", "refs/Cafe/zoe 2.jpg", "refs/Straße/ａ／ｂ 3.jpg", "refs/카페/김 4.jpg"]
    table, index = both([(key, 0) for key in keys])
    found = [ref.key for ref in table.search(Filter(text=text))]
    assert found
    assert found == [ref.key for ref in index.search(Filter(text=text))]


def test_half_a_character_finds_nothing() -> None:
    table, index = both([("refs/a.jpg", 0)])
    for text in ("\ud800", "refs/\udfff.jpg"):
        assert table.get(text) is index.get(text) is None
        assert table.resolve(text) == index.resolve(text) == ()
        assert tuple(table.search(Filter(text=text))) == index.search(Filter(text=text)) == ()
        assert list(table.prefixed(text)) == []


def test_a_key_costs_at_most_200_bytes() -> None:
    table, _index = LARGE
    assert table.size_bytes / len(table) <= 200


def test_a_row_that_does_not_exist_is_an_index_error() -> None:
    table, _index = both([("refs/a.jpg", 0)])
    with pytest.raises(IndexError):
        table[1]


LARGE = both([(f"refs/{n % 7}/02. Tone/noir/Araya {n:05d} 서연{n % 3}.jpg", 0) for n in range(6000)])
