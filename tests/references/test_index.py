"""The index: what a listing of S3 says about pictures, folders, groups and tags."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InjectionError, NotFound
from core.references.reference import Filter
from core.references.vocabulary import GroupProblem, Role
from tests.injection.libraries import library, sample_library, stored

NFC = unicodedata.normalize("NFC", "refs/01. Model/느와르/에미.jpg")
NFD = unicodedata.normalize("NFD", NFC)
AWKWARD = (
    NFC,
    NFD,
    "refs//01. Model/noir/a.jpg",
    "refs/01. Model/noir/../b.jpg",
    "refs/01. Model/noir/c\u0001d.jpg",
    "refs/01. Model/noir/e+f.jpg",
    "refs/01. Model/noir/g%20h%2Fi.jpg",
    "refs/01. Model/noir/🎈.jpg",
    "refs/01. Model/noir/ j  k .jpg",
    "refs/01. Model/noir/l,m(n)[o].jpg",
)


def test_awkward_keys_stand_in_the_index_exactly_as_s3_gave_them() -> None:
    index = library(*AWKWARD)
    assert [ref.key for ref in index.references] == sorted(AWKWARD, key=str.encode)
    for key in AWKWARD:
        found = index.get(key)
        assert found is not None
        assert (found.key, found.tone, found.role) == (key, "noir", Role.MODEL)


def test_key_order_is_that_of_utf_8_bytes_as_in_s3() -> None:
    keys = [f"refs/{char}.jpg" for char in "z\U0001f388\uff5e가aZ é~"]
    assert [ref.key for ref in library(*keys).references] == sorted(keys, key=str.encode)


def test_what_is_no_picture_is_not_listed() -> None:
    index = library("refs/01. Model/noir/", "refs/01. Model/noir/notes.txt", "refs/01. Model/noir/.jpg")
    assert len(index) == 0
    assert index.folders == ()


def test_a_deeper_picture_belongs_to_its_group() -> None:
    ref = library("refs/01. Model/noir low/2026/raw/Ada.jpg").references[0]
    assert (ref.folder, ref.group, ref.tone, ref.angle) == ("refs/01. Model", "noir low", "noir", "low-angle")


def test_a_reference_folder_is_found_anywhere_under_the_prefix() -> None:
    index = library("refs/a/b/01. Model/noir/x.jpg", "refs/c/12. 톤/noir/x.jpg", "refs/03. ANGLE/profile/x.jpg")
    assert [(folder.path, folder.role) for folder in index.folders] == [
        ("refs/03. ANGLE", Role.ANGLE),
        ("refs/a/b/01. Model", Role.MODEL),
        ("refs/c/12. 톤", Role.TONE),
    ]


def test_the_innermost_reference_folder_counts() -> None:
    index = library("refs/01. Model/x/02. Tone/noir/a.jpg")
    ref = index.references[0]
    assert (ref.role, ref.folder, ref.group) == (Role.TONE, "refs/01. Model/x/02. Tone", "noir")
    assert index.folders_of(Role.MODEL) == ()


def test_a_picture_outside_every_reference_folder_has_no_role_and_is_a_problem() -> None:
    index = library("refs/moodboard/x.jpg", "top.jpg")
    assert [(ref.role, ref.problem) for ref in index.references] == [(None, GroupProblem.OUTSIDE)] * 2
    assert [(problem.kind, problem.where) for problem in index.problems] == [
        (GroupProblem.OUTSIDE, "refs/moodboard/x.jpg"),
        (GroupProblem.OUTSIDE, "top.jpg"),
    ]
    assert "“01. Model”" in index.problems[0].says
    assert [ref.key for ref in index.search(Filter(problems_only=True))] == ["refs/moodboard/x.jpg", "top.jpg"]


def test_problems_name_ambiguous_and_untagged_groups_and_loose_pictures_in_key_order() -> None:
    index = library(
        "refs/01. Model/noir vivid/Ada.jpg",
        "refs/01. Model/misc/Ben.jpg",
        "refs/01. Model/stray.jpg",
        "refs/01. Model//nameless.jpg",
        "refs/01. Model/noir/fine.jpg",
    )
    assert [(problem.kind, problem.where) for problem in index.problems] == [
        (GroupProblem.LOOSE, "refs/01. Model//nameless.jpg"),
        (GroupProblem.UNTAGGED, "refs/01. Model/misc"),
        (GroupProblem.AMBIGUOUS, "refs/01. Model/noir vivid"),
        (GroupProblem.LOOSE, "refs/01. Model/stray.jpg"),
    ]


def test_only_groups_without_a_problem_and_files_with_bytes_are_usable() -> None:
    index = library(
        "refs/01. Model/misc/Ben.jpg",
        "refs/01. Model/noir/Ada.jpg",
        stored("refs/01. Model/noir/empty.jpg", size_bytes=0),
    )
    usable = {group.name: [ref.name for ref in group.usable] for group in index.folders[0].groups}
    assert usable == {"misc": [], "noir": ["Ada.jpg"]}


class TestResolve:
    """Names a person has lying about, and the keys they may mean."""

    INDEX = library(NFC, NFD, "refs/a/Ada.jpg", "refs/b/Ada.jpg", "refs/b/Ben.jpg")

    def test_an_exact_key_is_that_key_alone_even_beside_its_twin(self) -> None:
        assert [ref.key for ref in self.INDEX.resolve(NFC)] == [NFC]
        assert [ref.key for ref in self.INDEX.resolve(NFD)] == [NFD]

    def test_a_path_in_another_unicode_form_gives_every_key_it_may_mean(self) -> None:
        mixed = NFC.replace("느와르", unicodedata.normalize("NFD", "느와르"))
        assert {ref.key for ref in self.INDEX.resolve(mixed)} == {NFC, NFD}

    def test_a_bare_name_gives_every_picture_of_that_name(self) -> None:
        assert [ref.key for ref in self.INDEX.resolve("Ada.jpg")] == ["refs/a/Ada.jpg", "refs/b/Ada.jpg"]
        assert [ref.key for ref in self.INDEX.resolve("Ben.jpg")] == ["refs/b/Ben.jpg"]

    @pytest.mark.parametrize("text", ["", "Cho.jpg", "refs/c/Ada.jpg", "ada.jpg", "da.jpg"])
    def test_what_nothing_is_called_is_never_guessed(self, text: str) -> None:
        assert self.INDEX.resolve(text) == ()


class TestSearch:
    """Filters narrow; empty ones do not."""

    INDEX = library(
        "refs/01. Model/noir low/Ada.jpg",
        "refs/01. Model/vivid noir/Ben.jpg",
        "refs/02. Tone/noir/Café.jpg",
        "refs/02. Tone/pastel/street.jpg",
        "refs/stray/other.jpg",
    )

    @pytest.mark.parametrize(
        ("wanted", "names"),
        [
            (Filter(), ["Ada.jpg", "Ben.jpg", "Café.jpg", "street.jpg", "other.jpg"]),
            (Filter(role=Role.TONE), ["Café.jpg", "street.jpg"]),
            (Filter(tone="noir"), ["Ada.jpg", "Café.jpg"]),
            (Filter(tone="noir", role=Role.MODEL), ["Ada.jpg"]),
            (Filter(angle="low-angle"), ["Ada.jpg"]),
            (Filter(folder="refs/02. Tone"), ["Café.jpg", "street.jpg"]),
            (Filter(folder="refs/02. Tone", group="pastel"), ["street.jpg"]),
            (Filter(problems_only=True), ["Ben.jpg", "other.jpg"]),
            (Filter(text="  CAFÉ  tone "), ["Café.jpg"]),
            (Filter(text=unicodedata.normalize("NFD", "café")), ["Café.jpg"]),
            (Filter(text="nowhere"), []),
        ],
    )
    def test_every_part_of_a_filter_narrows(self, wanted: Filter, names: list[str]) -> None:
        assert [ref.name for ref in self.INDEX.search(wanted)] == names

    @given(st.text(max_size=8), st.sampled_from([None, *Role]), st.sampled_from([None, "noir", "pastel"]))
    def test_a_narrower_filter_never_finds_more(self, text: str, role: Role | None, tone: str | None) -> None:
        narrow = set(self.INDEX.search(Filter(text=text, role=role, tone=tone)))
        assert narrow <= set(self.INDEX.search(Filter(role=role, tone=tone))) <= set(self.INDEX.search(Filter()))


class TestDrift:
    """What changed since the index before."""

    def test_added_removed_and_changed_keys_are_told_apart(self) -> None:
        before = library("refs/a.jpg", stored("refs/b.jpg", etag="1"), "refs/c.jpg")
        after = library(stored("refs/b.jpg", etag="2"), "refs/c.jpg", "refs/d.jpg", "refs/0.jpg")
        drift = before.drift_of(after.table)
        assert (drift.added, drift.removed, drift.changed) == (
            ("refs/0.jpg", "refs/d.jpg"),
            ("refs/a.jpg",),
            ("refs/b.jpg",),
        )
        assert drift.since == before.built_at
        assert not drift.is_empty

    def test_the_same_library_twice_has_not_drifted(self) -> None:
        assert library(*reversed(AWKWARD)).drift_of(library(*AWKWARD).table).is_empty

    def test_a_rename_is_one_key_gone_and_one_come(self) -> None:
        drift = library("refs/a.jpg").drift_of(library("refs/b.jpg").table)
        assert (drift.added, drift.removed, drift.changed) == (("refs/b.jpg",), ("refs/a.jpg",), ())


class TestLookups:
    """What is asked for by name."""

    INDEX = library("refs/01. Model/noir/Ada.jpg", "refs/가을/01. Model/noir/Emi.jpg")

    def test_without_a_name_the_first_model_folder_in_key_order_is_taken(self) -> None:
        assert self.INDEX.model_folder(None).path == "refs/01. Model"

    def test_a_folders_project_is_the_folder_around_it(self) -> None:
        assert self.INDEX.model_folder("refs/가을/01. Model").project == "refs/가을"
        assert library("01. Model/noir/x.jpg").model_folder(None).project == ""

    def test_a_tone_folder_is_no_model_folder(self) -> None:
        index = library("refs/01. Model/noir/Ada.jpg", "refs/02. Tone/noir/x.jpg")
        with pytest.raises(InjectionError, match=r"`refs/02\. Tone`"):
            index.model_folder("refs/02. Tone")

    def test_a_group_is_found_by_its_path_alone(self) -> None:
        assert self.INDEX.group("refs/01. Model/noir").references[0].persona == "Ada"
        with pytest.raises(NotFound):
            self.INDEX.group("refs/01. Model/vivid")

    def test_personas_are_those_who_could_be_injected(self) -> None:
        index = library(
            "refs/01. Model/noir/Ada 1.jpg",
            "refs/x/01. Model/noir/Ben 2.jpg",
            "refs/01. Model/misc/Cho.jpg",
            stored("refs/01. Model/noir/Dae.jpg", size_bytes=0),
            "refs/02. Tone/noir/Eva.jpg",
            "refs/01. Model/noir/07.jpg",
        )
        assert index.personas == {"Ada", "Ben"}


def test_the_sample_library_shows_every_rule() -> None:
    index = sample_library()
    assert len(index) == 110
    assert [(p.kind.value, p.where) for p in index.problems] == [
        ("ambiguous", "refs/2026 가을 캠페인/01. Model/vivid 느와르 테스트"),
        ("untagged", "refs/2026 가을 캠페인/01. Model/미분류"),
    ]
    assert {folder.path: len(folder.groups) for folder in index.folders} == {
        "refs/01. Model": 14,
        "refs/02. Tone": 7,
        "refs/03. Angle": 10,
        "refs/2026 가을 캠페인/01. Model": 9,
    }


def test_a_picture_knows_its_place_among_what_is_found_and_others_have_none() -> None:
    keys = [f"refs/01. Model/{group}/{name}.jpg" for group in ("noir", "vivid") for name in ("Ada", "Ben", "Café")]
    index = library(*keys, "refs/02. Tone/noir/street.jpg")
    for wanted in (Filter(), Filter(tone="noir"), Filter(text="ben"), Filter(text="nowhere")):
        found = index.search(wanted)
        assert [found.position(ref.key) for ref in found] == list(range(len(found)))
        others = {ref.key for ref in index.references} - {ref.key for ref in found}
        assert [found.position(key) for key in (*others, "refs/gone.jpg", "")] == [None] * (len(others) + 2)
