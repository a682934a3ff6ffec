"""Claims and reviews over published labels say picture by picture what they say of all at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from core.labels.published.label_file import LabelSet
from core.labels.published.label_index import Claim
from core.labels.published.schema import Gender, Label
from tests.injection.libraries import label

# Few keys and fewer bytes: pictures move, change places, are copied and replaced in almost every example.
KEYS, ETAGS = st.sampled_from("abcde"), st.sampled_from("1234")
GENDERS = st.sampled_from([None, *Gender])
AGES = st.sampled_from([None, 20, 30, 40])


@dataclass(frozen=True)
class Picture:
    key: str
    etag: str


EVERY_PICTURE = tuple(Picture(key, etag) for key in "abcde" for etag in "1234")
LABELS = st.lists(st.builds(lambda k, g, a, e: label(k, g, a, etag=e), KEYS, GENDERS, AGES, ETAGS)).map(
    lambda labels: [*{each.key: each for each in labels}.values()]
)
REVIEWS = LABELS.map(lambda labels: [*{each.etag: each for each in labels}.values()])
CLAIMS = st.one_of(
    st.builds(Claim, gender=GENDERS),
    st.builds(Claim, ages=st.sampled_from([(0, 20), (20, 30), (25, 45)])),
    st.builds(Claim, gender=GENDERS, ages=st.just((30, 40))),
    st.builds(Claim, gender=GENDERS, age_range=st.sampled_from(["18–24", "25–34", "35–44"])),
)


def written_out(published: Iterable[Label], reviewed: Iterable[Label]) -> LabelSet:
    """The same as one file: every published line renewed by the review of its bytes, the others behind them."""
    newer = {each.etag: each for each in reviewed}
    lines = {each.key: newer.get(each.etag, each).model_copy(update={"key": each.key}) for each in published}
    return LabelSet([*lines.values(), *(each for each in newer.values() if each.key not in lines)])


@given(LABELS, CLAIMS)
def test_a_claim_finds_exactly_the_pictures_whose_own_label_makes_it(labels: list[Label], claim: Claim) -> None:
    published = LabelSet(labels)
    current = {each: published.find(each.key, each.etag).current for each in EVERY_PICTURE}
    wanted = tuple(each for each, found in current.items() if found is not None and claim.made_by(found))
    assert published.select(claim, EVERY_PICTURE) == wanted


@given(LABELS, REVIEWS, CLAIMS)
def test_a_claim_holds_for_reviewed_labels_too(labels: list[Label], reviews: list[Label], claim: Claim) -> None:
    reviewed = LabelSet(labels).under(reviews, version="v")
    current = {each: reviewed.find(each.key, each.etag).current for each in EVERY_PICTURE}
    wanted = tuple(each for each, found in current.items() if found is not None and claim.made_by(found))
    assert reviewed.select(claim, EVERY_PICTURE) == wanted


@given(LABELS, st.lists(CLAIMS, min_size=1))
def test_a_group_that_is_asked_for_again_gets_the_answer_of_one_asked_for_once(
    labels: list[Label], claims: list[Claim]
) -> None:
    asked_often = LabelSet(labels)
    groups = [EVERY_PICTURE[at:] for at in range(10)]  # more than are kept
    for claim in claims:
        for group in groups:
            assert asked_often.select(claim, group) == LabelSet(labels).select(claim, list(group))


@given(LABELS, REVIEWS)
def test_a_review_holds_for_its_bytes_wherever_they_lie(labels: list[Label], reviews: list[Label]) -> None:
    reviewed = LabelSet(labels).under(reviews, version="v")
    says = {each.etag: (each.gender_presentation, each.ages) for each in reviews}
    for picture in EVERY_PICTURE:
        if picture.etag in says:
            found = reviewed.find(picture.key, picture.etag).current
            assert found is not None
            assert (found.gender_presentation, found.ages) == says[picture.etag]


@given(LABELS, REVIEWS)
def test_reviews_over_the_published_are_the_file_written_out(labels: list[Label], reviews: list[Label]) -> None:
    reviewed, one_file = LabelSet(labels).under(reviews, version="v"), written_out(labels, reviews)
    assert list(reviewed) == list(one_file)
    assert len(reviewed) == len(one_file)
    for key in "abcde":
        assert reviewed.at(key) == one_file.at(key)
    of_bytes = {each.etag for each in reviews}  # the test above speaks of these
    for picture in EVERY_PICTURE:
        if picture.etag not in of_bytes:
            assert reviewed.find(picture.key, picture.etag) == one_file.find(picture.key, picture.etag)


@given(LABELS, REVIEWS, CLAIMS)
def test_the_bytes_of_a_claim_and_what_is_disputed_are_all_that_it_finds(
    labels: list[Label], reviews: list[Label], claim: Claim
) -> None:
    reviewed = LabelSet(labels).under(reviews, version="v")
    sure = {each for each in EVERY_PICTURE if each.etag in reviewed.etags_claiming(claim)}
    disputed = [each for each in EVERY_PICTURE if each.etag in reviewed.disputed]
    assert sure.isdisjoint(disputed)
    assert sure.union(reviewed.select(claim, disputed)) == set(reviewed.select(claim, EVERY_PICTURE))
