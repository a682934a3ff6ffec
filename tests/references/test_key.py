"""Keys: who a name speaks of, and how a key travels in a URL."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import NotFound
from core.references.key import decode_key, encode_key, file_name, fold, is_picture, parent, persona_of

keys = st.text(st.characters(exclude_categories=["Cs"]), min_size=0, max_size=80)


@given(keys)
def test_every_key_comes_back_from_its_url_segment_to_the_letter(key: str) -> None:
    assert decode_key(encode_key(key)) == key


@given(keys)
def test_a_segment_holds_nothing_a_proxy_or_a_path_check_could_change(key: str) -> None:
    assert set(encode_key(key)) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@given(keys, keys)
def test_two_keys_never_share_a_segment(one: str, other: str) -> None:
    assert (encode_key(one) == encode_key(other)) == (one == other)


@given(st.text(max_size=40))
def test_any_other_segment_is_a_picture_that_is_not_there(segment: str) -> None:
    try:
        key = decode_key(segment)
    except NotFound:
        return
    assert encode_key(key) == segment


@pytest.mark.parametrize("segment", ["YQ==", "YR", "a", "../x", "%2e%2e", "_w", "YQ\n", "é", "YQ/YQ", "+w"])
def test_a_segment_that_encode_key_would_not_write_is_refused(segment: str) -> None:
    with pytest.raises(NotFound):
        decode_key(segment)


@pytest.mark.parametrize(
    "key",
    [
        "refs/01. Model/가을/아라야.jpg",
        unicodedata.normalize("NFD", "refs/가을/é.jpg"),
        "refs//double//slash.jpg",
        "refs/../up.jpg",
        "refs/a\u0001b.jpg",
        "refs/a+b%20c%2Fd.jpg",
        "refs/🎈 party.jpg",
        " leading and trailing .jpg ",
        "/absolute.jpg",
        "?query=1#fragment.jpg",
    ],
)
def test_awkward_keys_survive(key: str) -> None:
    assert decode_key(encode_key(key)) == key


@pytest.mark.parametrize(
    ("name", "persona"),
    [
        ("Araya 05.png", "Araya"),
        ("Araya (2).jpg", "Araya"),
        ("Araya [3].jpg", "Araya"),
        ("Araya_05 (2).jpg", "Araya"),
        ("Araya-7.webp", "Araya"),
        ("Araya05.png", "Araya"),
        ("Araya ( 12 ).png", "Araya"),
        ("Araya.png", "Araya"),
        ("Araya.final.png", "Araya.final"),
        ("Mary Ann 3.jpg", "Mary Ann"),
        ("아라야 05.png", "아라야"),
        (unicodedata.normalize("NFD", "아라야 05.png"), "아라야"),
        ("05.png", None),
        ("(2).png", None),
        ("_.png", "_"),
        ("no extension 4", "no extension"),
        ("refs/x y 2/Ada 1.jpg", "Ada"),
    ],
)
def test_a_persona_is_the_file_name_without_extension_and_running_numbers(name: str, persona: str | None) -> None:
    assert persona_of(name) == persona


@given(st.text(st.characters(categories=["Lu", "Ll", "Lo"]), min_size=1, max_size=20), st.integers(0, 9999))
def test_numbering_a_picture_never_changes_who_is_in_it(name: str, number: int) -> None:
    plain = persona_of(f"{name}.jpg")
    assert plain == unicodedata.normalize("NFC", name)
    for numbered in (f"{name} {number:02d}", f"{name} ({number})", f"{name}[{number}]", f"{name}_{number}"):
        assert persona_of(f"refs/g/{numbered}.png") == plain


@pytest.mark.parametrize("name", ["a.jpg", "a.JPEG", "x/y.PNG", "a b.webp", "아.heic", "a.tiff"])
def test_pictures_are_known_by_their_extension(name: str) -> None:
    assert is_picture(name)


@pytest.mark.parametrize("name", ["", "a", ".jpg", "a.txt", "folder.jpg/", "a.jpg.part", "x/.png"])
def test_anything_else_is_no_picture(name: str) -> None:
    assert not is_picture(name)


@pytest.mark.parametrize(
    ("key", "folder", "name"), [("a/b.jpg", "a", "b.jpg"), ("b.jpg", "", "b.jpg"), ("a//b", "a/", "b"), ("a/", "a", "")]
)
def test_parent_and_file_name_are_the_two_sides_of_the_last_slash(key: str, folder: str, name: str) -> None:
    assert (parent(key), file_name(key)) == (folder, name)


@given(st.text(max_size=20))
def test_folding_ignores_case_and_unicode_form_and_is_stable(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    assert fold(unicodedata.normalize("NFD", text)) == fold(unicodedata.normalize("NFC", text))
