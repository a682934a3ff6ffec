"""How likely labels are wrong: what counts as evidence, how much, and what is none."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.labels.evidence.judging import Judgement, judge
from core.labels.evidence.statements import Assertion, Opinion, PortraitStatements, Ruling, Statements, Word
from core.labels.published.schema import LabelField

GENDER, AGE = LabelField.GENDER, LabelField.AGE
F, M = "feminine", "masculine"
YEAR = 365


def picture(
    id: str,
    persona: str | None = None,
    *,
    day: int = 0,
    gender: Word | None = None,
    age: Word | None = None,
    opinions: tuple[Opinion, ...] = (),
    rulings: tuple[Ruling, ...] = (),
    source: str = "nominal",
) -> PortraitStatements:
    """A picture with a label; opinions and rulings are about its gender, or its age where it says nothing else."""
    fields = {}
    for field, word in ((GENDER, gender), (AGE, age)):
        if word is not None:
            said = (opinions, rulings) if field is GENDER or gender is None else ((), ())
            before = said[1][0].seen if said[1] else word
            claims = () if before is None else (Assertion(source, before),)
            fields[field] = Statements(word, before, claims, *said)
    return PortraitStatements(id, persona, day, fields)


def wrong(judgement: Judgement, id: str, field: LabelField = GENDER) -> float:
    return judgement.fields[id][field].wrong


def several(persona: str, count: int, **label: Word) -> list[PortraitStatements]:
    return [picture(f"{persona} {number}", persona, **label) for number in range(count)]  # type: ignore[arg-type]


def test_nothing_to_judge_is_judged_without_complaint() -> None:
    assert judge([]) == Judgement({}, {})


def test_a_label_that_the_personas_other_pictures_contradict_is_probably_wrong_and_theirs_are_not() -> None:
    found = judge([*several("ada", 6, gender=F), picture("odd", "ada", gender=M)])
    assert wrong(found, "odd") > 0.9
    assert all(wrong(found, f"ada {number}") < 0.02 for number in range(6))
    assert found.fields["odd"][GENDER].persona_doubts


def test_of_two_that_contradict_each_other_either_may_be_wrong() -> None:
    found = judge([picture("one", "ada", gender=F), picture("two", "ada", gender=M)])
    assert wrong(found, "one") == pytest.approx(wrong(found, "two"))
    assert 0.2 < wrong(found, "one") < 0.5


def test_a_name_that_many_different_people_share_is_a_mere_name() -> None:
    named = [picture(f"{number}", "img", gender=F if number % 2 else M) for number in range(40)]
    assert max(wrong(judge(named), each.id) for each in named) < 0.2


def test_ages_within_what_people_differ_by_are_no_contradiction_and_25_years_are() -> None:
    ages: list[Word] = [(25, 34), (22, 29), (24, 24), (28, 36)]
    near = [picture(f"{at}", "ada", age=age) for at, age in enumerate(ages)]
    found = judge([*near, picture("odd", "ada", age=(53, 57))])
    assert all(wrong(found, each.id, AGE) < 0.05 for each in near)
    assert wrong(found, "odd", AGE) > 0.8


def test_pictures_filed_years_apart_may_show_a_person_years_older_and_need_not() -> None:
    early = [picture(f"early {at}", "ada", age=(24, 24)) for at in range(3)]
    older = picture("older", "ada", day=15 * YEAR, age=(39, 39))
    assert wrong(judge([*early, older]), "older", AGE) < 0.1
    assert wrong(judge([*early, replace(older, day=0)]), "older", AGE) > 0.5
    same = picture("same", "ada", day=15 * YEAR, age=(24, 24))
    assert wrong(judge([*early, same]), "same", AGE) < 0.1
    younger = picture("younger", "ada", day=15 * YEAR, age=(4, 6))
    assert wrong(judge([*early, younger]), "younger", AGE) > 0.5


def alone(count: int, chance: random.Random) -> list[tuple[str, str]]:
    return [(f"{number}", chance.choice((F, M))) for number in range(count)]


def other(gender: str) -> str:
    return M if gender == F else F


def test_a_labeler_that_disagrees_with_everything_raises_nothing_by_itself() -> None:
    people = alone(60, random.Random(1))
    silent = judge([picture(id, gender=said) for id, said in people])
    contrary = judge(
        [picture(id, gender=said, opinions=(Opinion("contrary", "high", other(said)),)) for id, said in people]
    )
    assert max(wrong(contrary, id) for id, _ in people) <= max(wrong(silent, id) for id, _ in people) + 0.02
    assert not any(judged[GENDER].against for judged in contrary.fields.values())


def test_a_labeler_that_says_the_same_of_everybody_raises_nothing() -> None:
    people = alone(60, random.Random(2))
    found = judge([picture(id, gender=said, opinions=(Opinion("always", "high", F),)) for id, said in people])
    assert max(wrong(found, id) for id, _ in people) < 0.15


def test_a_labeler_that_has_proved_right_is_believed_where_it_differs() -> None:
    people = alone(60, random.Random(3))
    said = [picture(id, gender=gender, opinions=(Opinion("good", "high", gender),)) for id, gender in people]
    odd = picture("odd", gender=F, opinions=(Opinion("good", "high", M),))
    found = judge([*said, odd])
    assert wrong(found, "odd") > 0.3
    assert found.fields["odd"][GENDER].against == ("good",)
    assert found.labelers[GENDER, "good"].words == 61
    assert found.labelers[GENDER, "good"].share > 0.9


def test_what_a_labeler_is_sure_of_counts_by_how_often_it_was_right_when_so_sure() -> None:
    """This one is right where it is sure, and guesses where it is not."""
    chance = random.Random(4)
    people = alone(120, chance)
    said = []
    for at, (id, gender) in enumerate(people):
        sure = at % 2 == 0
        word = gender if sure or chance.random() < 0.5 else other(gender)
        said.append(picture(id, gender=gender, opinions=(Opinion("one", "high" if sure else "low", word),)))
    sure = picture("sure", gender=F, opinions=(Opinion("one", "high", M),))
    unsure = picture("unsure", gender=F, opinions=(Opinion("one", "low", M),))
    found = judge([*said, sure, unsure])
    assert wrong(found, "sure") > 2 * wrong(found, "unsure")


def test_a_review_makes_a_label_more_certain_and_a_correction_more_than_that() -> None:
    plain = [picture(id, gender=gender) for id, gender in alone(30, random.Random(5))]
    before = judge([*plain, picture("one", gender=F)])
    kept = judge([*plain, picture("one", gender=F, rulings=(Ruling("ann", F, F),))])
    assert wrong(kept, "one") < wrong(before, "one") / 3
    changed = judge([*plain, picture("one", gender=M, rulings=(Ruling("ann", F, M),))])
    assert wrong(changed, "one") < 0.3
    assert (changed.fields["one"][GENDER].before or 0) < 0.2, "by everything but the reviewer's word it was right"


def test_who_accepts_what_everything_speaks_against_is_believed_less() -> None:
    """The careless one accepts everything, errors too; the same acceptance of the careful one weighs more."""
    library = []
    for persona in range(20):
        library += several(f"p{persona}", 4, gender=F)
        library.append(picture(f"odd {persona}", f"p{persona}", gender=M, rulings=(Ruling("careless", M, M),)))
    careful = [
        picture(id, gender=gender, rulings=(Ruling("careful", gender, gender),))
        for id, gender in alone(20, random.Random(6))
    ]
    careless = picture("by the careless", gender=F, rulings=(Ruling("careless", F, F),))
    found = judge([*library, *careful, careless])
    assert min(wrong(found, f"odd {persona}") for persona in range(20)) > 0.6
    assert wrong(found, "by the careless") > 2 * max(wrong(found, each.id) for each in careful)


def test_a_reported_label_is_likelier_wrong() -> None:
    plain = [picture(id, gender=gender) for id, gender in alone(30, random.Random(7))]
    one = picture("one", gender=F)
    reported = replace(one, fields={GENDER: replace(one.fields[GENDER], reported=True)})
    assert wrong(judge([*plain, reported]), "one") > 3 * wrong(judge([*plain, one]), "one")


WORDS = st.sampled_from([F, M])
LABELERS = st.sampled_from(["a", "b"])
SURE = st.sampled_from(["low", "high"])
RULINGS = st.builds(Ruling, st.sampled_from(["ann", "bo"]), st.one_of(st.none(), WORDS), WORDS)
PICTURES = st.lists(
    st.builds(
        lambda persona, day, gender, opinions, rulings: picture(
            "", persona, day=day, gender=gender, opinions=tuple(opinions), rulings=tuple(rulings)
        ),
        st.one_of(st.none(), st.sampled_from(["ada", "ben"])),
        st.integers(0, 20_000),
        WORDS,
        st.lists(st.builds(Opinion, LABELERS, SURE, WORDS), max_size=3),
        st.lists(RULINGS, max_size=2),
    ),
    max_size=12,
).map(lambda found: [replace(each, id=f"{at}") for at, each in enumerate(found)])


@given(PICTURES, st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_every_judgement_is_a_probability_whatever_is_said_and_the_order_of_pictures_does_not_matter(
    pictures: list[PortraitStatements], chance: random.Random
) -> None:
    found = judge(pictures)
    assert found.fields.keys() == {each.id for each in pictures}
    for judged in found.fields.values():
        for each in judged.values():
            assert 0 <= each.wrong <= 1
            assert each.before is None or 0 <= each.before <= 1
    mixed = list(pictures)
    chance.shuffle(mixed)
    again = judge(mixed)
    for id, judged in found.fields.items():
        for field, each in judged.items():
            assert again.fields[id][field].wrong == pytest.approx(each.wrong, abs=2e-3)


AGES = st.tuples(st.integers(0, 100), st.integers(0, 20)).map(lambda each: (each[0], min(120, each[0] + each[1])))


@given(st.lists(st.tuples(AGES, st.integers(0, 10_000), st.integers(0, 2)), max_size=15))
@settings(max_examples=60, deadline=None)
def test_ages_of_any_kind_are_judged(said: list[tuple[tuple[int, int], int, int]]) -> None:
    pictures = [picture(f"{at}", f"p{who}", day=day, age=age) for at, (age, day, who) in enumerate(said)]
    found = judge(pictures)
    assert all(0 <= wrong(found, each.id, AGE) <= 1 for each in pictures)
