"""Problems of a library: each says in a sentence what it is about, and what to do."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

import pytest

from core.objects.objects import StoredObject
from core.references.index import ReferenceIndex, build_index
from core.references.problems import LibraryProblem, LibraryWarning, folded, has_twin
from core.references.vocabulary import GroupProblem
from tests.injection.libraries import VOCABULARY, library, stored

MODEL, TONE, ANGLE = "refs/01. Model", "refs/02. Tone", "refs/03. Angle"
NFC = unicodedata.normalize("NFC", f"{MODEL}/느와르 측면")
NFD = unicodedata.normalize("NFD", NFC)


def only(*keys: str | StoredObject) -> LibraryProblem:
    """The one problem of a library."""
    (problem,) = library(*keys).problems
    return problem


def of_kind(index: ReferenceIndex, kind: GroupProblem | LibraryWarning) -> list[LibraryProblem]:
    return [problem for problem in index.problems if problem.kind is kind]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("vivid 느와르 테스트", "“vivid” (Vivid) and “느와르” (Noir) are different tones"),
        ("Noir_LOW overhead", "“low” (Low angle) and “overhead” (Overhead) are different angles"),
        ("tone=noir, pastel look", "“noir” (Noir) and “pastel” (Pastel) are different tones"),
        ("pastel noir vivid", "“pastel” (Pastel), “noir” (Noir) and “vivid” (Vivid) are different tones"),
    ],
)
def test_tagged_twice_names_the_words_that_clash_in_their_order(name: str, words: str) -> None:
    problem = only(f"{MODEL}/{name}/Ada.jpg")
    assert problem.kind is GroupProblem.AMBIGUOUS
    assert problem.says.startswith(f"Tagged twice: {words}. ")


def test_a_word_that_does_not_clash_is_not_named() -> None:
    assert "low" not in only(f"{MODEL}/noir vivid low angle/Ada.jpg").says.replace("leave only", "")


@pytest.mark.parametrize(
    ("path", "named", "unnamed"),
    [
        (f"{TONE}/study", ("noir", "pastel", "natural film"), ("low angle", "profile")),
        (f"{ANGLE}/study", ("low angle", "profile"), ("noir", "pastel")),
        (f"{MODEL}/study", ("noir", "pastel", "low angle"), ()),
        (f"{TONE}/미분류", ("느와르", "파스텔톤"), ("noir",)),
    ],
)
def test_untagged_names_words_that_would_do_for_this_folder(
    path: str, named: tuple[str, ...], unnamed: tuple[str, ...]
) -> None:
    problem = only(f"{path}/x.jpg")
    assert problem.kind is GroupProblem.UNTAGGED
    would_do = problem.says.partition("Words that would do: ")[2]
    assert [word for word in named if word not in would_do] == []
    assert [word for word in unnamed if word in would_do] == []


@pytest.mark.parametrize("path", [f"{MODEL}/study", f"{MODEL}/미분류", f"{TONE}/x", f"{ANGLE}/y"])
def test_a_word_that_is_said_to_do_does(path: str) -> None:
    said = only(f"{path}/x.jpg").says.partition("Words that would do: ")[2]
    words = [word.strip() for word in said.replace("; and for the angle", ",").split(" and others")[0].split(",")]
    assert len(words) > 5
    for word in words:
        tags = VOCABULARY.tags_of(word.rstrip("."))
        assert tags.problem is None, word


@pytest.mark.parametrize(("typed", "meant"), [("nior", "noir"), ("cinematik", "cinematic"), ("pastell", "pastel")])
def test_untagged_says_which_known_word_may_be_meant(typed: str, meant: str) -> None:
    assert f"“{typed}” may be meant for “{meant}”." in only(f"{MODEL}/{typed} study/Ada.jpg").says


def test_a_picture_outside_every_role_folder_is_a_problem_that_says_where_it_would_belong() -> None:
    problem = only("refs/moodboard/x.jpg")
    assert (problem.kind, problem.where) == (GroupProblem.OUTSIDE, "refs/moodboard/x.jpg")
    assert "“01. Model”, “02. Tone” or “03. Angle”" in problem.says


def test_an_empty_file_is_a_problem_before_anybody_has_opened_it() -> None:
    problem = only(stored(f"{TONE}/noir/x.jpg", size_bytes=0))
    assert (problem.kind, problem.where) == (GroupProblem.UNREADABLE, f"{TONE}/noir/x.jpg")
    assert "empty" in problem.says


def test_what_cannot_be_opened_is_a_problem() -> None:
    index = build_index([stored(f"{TONE}/noir/x.jpg", etag="bad")], VOCABULARY, unreadable={"bad"})
    assert [problem.kind for problem in index.problems] == [GroupProblem.UNREADABLE]


class TestTwins:
    """Names that look the same are told apart by their Unicode form."""

    def test_each_of_two_groups_that_look_the_same_says_which_it_is_and_what_it_holds(self) -> None:
        index = library(*(f"{NFC}/{n}.jpg" for n in range(5)), f"{NFD}/9.jpg")
        said = {problem.where: problem.says for problem in of_kind(index, LibraryWarning.TWIN)}
        assert set(said) == {NFC, NFD}
        assert "this one is composed (NFC) with 5 pictures, the other decomposed (NFD) with 1 picture" in said[NFC]
        assert "this one is decomposed (NFD) with 1 picture, the other composed (NFC) with 5 pictures" in said[NFD]

    def test_what_lies_in_twins_is_not_named_again(self) -> None:
        assert len(of_kind(library(f"{NFC}/a.jpg", f"{NFD}/a.jpg"), LibraryWarning.TWIN)) == 2

    def test_a_folder_further_up_is_named_where_its_name_differs(self) -> None:
        nfc, nfd = (unicodedata.normalize(form, "refs/가을") for form in ("NFC", "NFD"))
        index = library(f"{nfc}/01. Model/noir/a.jpg", f"{nfd}/01. Model/noir/b.jpg")
        assert [problem.where for problem in index.problems] == sorted((nfc, nfd), key=str.encode)

    def test_files_that_look_the_same_are_told_apart(self) -> None:
        files = [unicodedata.normalize(form, f"{MODEL}/noir/하늘.jpg") for form in ("NFC", "NFD")]
        index = library(*files)
        assert {problem.where for problem in of_kind(index, LibraryWarning.TWIN)} == set(files)
        assert all(has_twin(index.table, key) for key in files)

    def test_a_twin_is_a_warning_and_is_drawn_from(self) -> None:
        index = library(f"{NFC}/a.jpg", f"{NFD}/b.jpg")
        assert [len(group.usable) for group in index.folders[0].groups] == [1, 1]

    def test_one_name_alone_is_no_twin_in_whichever_form(self) -> None:
        for path in (NFC, NFD):
            index = library(f"{path}/a.jpg")
            assert index.problems == ()
            assert not has_twin(index.table, path)


class TestUneven:
    """A large group beside a small one with the same tags is a warning."""

    def test_three_thousand_beside_four_with_the_same_tags_says_how_much_more_often_each_is_drawn(self) -> None:
        index = library(
            *(f"{TONE}/noir archive/{n}.jpg" for n in range(3000)), *(f"{TONE}/noir/{n}.jpg" for n in range(4))
        )
        (problem,) = index.problems
        assert (problem.kind, problem.where) == (LibraryWarning.UNEVEN, f"{TONE}/noir archive")
        assert "has 3,000 pictures" in problem.says
        assert "“noir”" in problem.says
        assert "750 times as often" in problem.says

    @pytest.mark.parametrize(
        ("large", "small", "path"),
        [
            (99, 1, f"{TONE}/noir"),  # too few to matter
            (300, 16, f"{TONE}/noir"),  # not so uneven
            (300, 1, f"{TONE}/vivid"),  # other tags
            (300, 1, "refs/b/02. Tone/noir"),  # not beside it
        ],
    )
    def test_what_is_even_enough_or_elsewhere_is_no_warning(self, large: int, small: int, path: str) -> None:
        keys = [f"{TONE}/noir archive/{n}.jpg" for n in range(large)] + [f"{path}/{n}.jpg" for n in range(small)]
        assert library(*keys).problems == ()


def test_many_pictures_of_one_folder_are_one_line_and_warnings_come_last() -> None:
    index = library(*(f"refs/moodboard/{n}.jpg" for n in range(9)), f"{NFC}/a.jpg", f"{NFD}/b.jpg", "refs/z.jpg")
    lines = folded(index.problems)
    assert [line.where for line in lines] == ["refs/moodboard/", "refs/z.jpg", *sorted((NFC, NFD), key=str.encode)]
    assert lines[0].says.startswith("9 files. ")


def test_a_folder_that_was_archived_is_one_line_from_two_pictures_on() -> None:
    away = [replace(stored(f"{TONE}/noir/{name}.jpg"), is_archived=True) for name in "ab"]
    (line,) = folded(library(*away, f"{TONE}/noir/c.jpg").problems)
    assert (line.kind, line.where) == (GroupProblem.ARCHIVED, f"{TONE}/noir/")
    assert line.says.startswith("2 files. In an archive of S3, and not drawn until restored: ")
    (line,) = folded(library(away[0]).problems)
    assert line.where == away[0].key
