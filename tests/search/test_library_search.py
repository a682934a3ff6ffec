"""The library's search: words of names, tags, roles and labels, in both languages, all of them at once."""

from __future__ import annotations

from functools import cache

import pytest

from core.injection.reading.reader import OfflineReader
from core.labels.published.label_file import LabelSet, load_published
from core.labels.published.label_index import Claim
from core.labels.published.schema import AGE_RANGES, Gender, Label, age_range_of
from core.references.index import ReferenceIndex
from core.references.reference import Filter, Reference
from core.references.vocabulary import Role
from core.search.library_search import LibrarySearch
from tests.injection.libraries import ROOT, VOCABULARY, label, library, sample_library, stored

ADA = "refs/01. Model/a(natural,film) low angle/Ada 01.jpg"
EMI = "refs/01. Model/느와르 아이레벨/에미 02.jpg"
BEN = "refs/01. Model/c(cinematic) profile/Ben 03.jpg"
OMAR = "refs/01. Model/vivid/Omar 07.jpg"
NOIRA = "refs/01. Model/vivid/Noira 20.jpg"
CAFE = "refs/02. Tone/noir/Café 01.jpg"
FEMALE = "refs/02. Tone/pastel/female hands.jpg"
KEYS = (ADA, EMI, BEN, OMAR, NOIRA, CAFE, FEMALE)
LABELS = (
    label(ADA, Gender.FEMININE, 24),
    label(EMI, Gender.FEMININE, 35),
    label(BEN, Gender.MASCULINE, 33),
    label(OMAR, Gender.MASCULINE, 67),
    label(NOIRA, Gender.FEMININE, 27),
)


@cache
def search() -> LibrarySearch:
    return LibrarySearch(VOCABULARY, OfflineReader(VOCABULARY))


def found(text: str, index: ReferenceIndex, labels: LabelSet) -> list[Reference]:
    return list(index.search(Filter(sought=search().sought(text, labels, index.table))))


def keys(text: str, labels: tuple[Label, ...] = LABELS) -> list[str]:
    return [ref.key for ref in found(text, library(*KEYS), LabelSet(labels))]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", KEYS),
        (" , ", KEYS),
        ("느와르", (EMI, CAFE)),
        ("noir", (EMI, NOIRA, CAFE)),  # a tag, and part of a name
        ("누아르 느낌", (EMI, CAFE)),
        ("noir look", (EMI, CAFE, NOIRA)),
        ("noir tone", (EMI, CAFE)),
        ("film", (ADA,)),
        ("필름", (ADA,)),
        ("low angle", (ADA,)),
        ("low-angle", (ADA,)),
        ("LowAngle", (ADA,)),
        ("로우앵글", (ADA,)),
        ("로우 앵글", (ADA,)),
        ("eye level", (EMI,)),
        ("woman", (ADA, EMI, NOIRA)),
        ("여자", (ADA, EMI, NOIRA)),
        ("여성", (ADA, EMI, NOIRA)),
        ("man", (BEN, OMAR)),  # and no woman's file
        ("male", (BEN, OMAR)),  # nor "female hands"
        ("female", (ADA, EMI, NOIRA, FEMALE)),
        ("feminine", (ADA, EMI, NOIRA)),
        ("20대", (ADA, NOIRA)),
        ("30s man", (BEN,)),
        ("man 30s", (BEN,)),
        ("30s", (EMI, BEN)),
        ("30대 초반", (BEN,)),
        ("30대남자", (BEN,)),
        ("young", (ADA, NOIRA)),
        ("old man", (OMAR,)),
        ("60+", (OMAR,)),
        ("18–24", (ADA,)),
        ("25-34 woman", (NOIRA,)),
        ("woman in her 20s", (ADA, NOIRA)),
        ("cafe", (CAFE,)),
        ("Café noir", (CAFE,)),
        ("noir, woman", (EMI, NOIRA)),
        ("여자 느와르 30대", (EMI,)),
        ("20대 여자 vivid", (NOIRA,)),
        ("ada", (ADA,)),
        ("Ada 01.jpg", (ADA,)),
        ("ada man", ()),
        ("man woman", ()),
        ("에미", (EMI,)),
        ("noira 20", (NOIRA,)),  # a picture's number is no age
        ("ada 20", ()),
        ("model", (ADA, EMI, BEN, OMAR, NOIRA)),
        ("톤", (CAFE, FEMALE)),
        ("people in noir", (EMI, NOIRA)),
        ("in", (BEN,)),  # alone it is part of a name: cinematic
        ("01. Model/a(natural,film)", (ADA,)),
        ("nobody of this name", ()),
        ("\ud83d", ()),
        ("\u200b", KEYS),
    ],
)
def test_every_word_has_to_hold_by_a_name_a_tag_a_role_or_a_label(text: str, wanted: tuple[str, ...]) -> None:
    assert sorted(keys(text)) == sorted(wanted)


def test_a_label_says_nothing_of_bytes_that_have_changed_since() -> None:
    stale = label(ADA, Gender.FEMININE, 24, etag="0" * 32)
    assert keys("woman", (stale,)) == []
    assert keys("ada", (stale,)) == [ADA]


def test_without_labels_words_for_people_are_words_of_names() -> None:
    assert keys("woman", ()) == []
    assert keys("female", ()) == [FEMALE]


def test_bytes_that_lie_under_two_labels_that_differ_are_told_apart_by_their_keys() -> None:
    twin = "refs/01. Model/vivid/Twin 01.jpg"
    index = library(stored(ADA, etag="a" * 32), stored(twin, etag="a" * 32))
    labels = LabelSet([label(ADA, Gender.FEMININE, etag="a" * 32), label(twin, Gender.MASCULINE, etag="a" * 32)])
    assert [ref.key for ref in found("woman", index, labels)] == [ADA]
    assert [ref.key for ref in found("man", index, labels)] == [twin]


def test_a_filter_for_gender_or_age_finds_by_labels_alone() -> None:
    index, labels = library(*KEYS), LabelSet(LABELS)

    def claimed(claim: Claim) -> list[str]:
        return [ref.key for ref in index.search(Filter(sought=(search().claimed(claim, labels, index.table),)))]

    assert claimed(Claim(gender=Gender.FEMININE)) == sorted([ADA, EMI, NOIRA], key=str.encode)
    assert claimed(Claim(age_range="60+")) == [OMAR]
    assert claimed(Claim(age_range="45–59")) == []


def test_every_label_of_years_is_found_in_exactly_one_age_range() -> None:
    index, labels = sample_library(), load_published(ROOT / "labels" / "personas.jsonl")
    by_range = {
        name: {
            ref.key
            for ref in index.search(Filter(sought=(search().claimed(Claim(age_range=name), labels, index.table),)))
        }
        for name, _, _ in AGE_RANGES
    }
    aged = {each.key: age_range_of(*each.ages) for each in labels if each.ages and index.get(each.key)}
    assert aged
    assert {key: name for name, found_keys in by_range.items() for key in found_keys} == aged
    assert sum(map(len, by_range.values())) == len(aged)


@pytest.mark.parametrize("text", ["필름", "woman", "20대", "30s man", "여자 로우앵글", "noir low angle", "greta"])
def test_the_sample_library_answers_in_both_languages(text: str) -> None:
    index, labels = sample_library(), load_published(ROOT / "labels" / "personas.jsonl")
    assert found(text, index, labels)


def test_words_and_filters_narrow_together() -> None:
    index, labels = library(*KEYS), LabelSet(LABELS)
    wanted = Filter(role=Role.MODEL, tone="noir", sought=search().sought("woman", labels, index.table))
    assert [ref.key for ref in index.search(wanted)] == [EMI]
