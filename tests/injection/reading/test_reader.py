"""The offline reader: what it finds in a prompt, and what it refuses to find."""

from __future__ import annotations

import json
import time
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.injection.reading.reader import OfflineReader, Reading
from core.injection.reading.words.text import PromptText, canonical
from core.references.vocabulary import load_vocabulary

ROOT = Path(__file__).parents[3]
READER = OfflineReader(load_vocabulary(ROOT / "labels" / "attributes.toml"))
PROMPTS = [
    json.loads(line) for line in (ROOT / "tests" / "data" / "prompts.jsonl").read_text(encoding="utf-8").splitlines()
]
FIELDS = ("person", "gender", "age", "tone", "angle")
THRESHOLDS = {"person": 0.95, "gender": 0.95, "age": 0.90, "tone": 0.90, "angle": 0.90}
FRAGMENTS = [
    *(row["prompt"] for row in PROMPTS),
    *(
        "no ",
        "without ",
        "30대 ",
        "여자",
        "’s ",
        "남자 없이",
        "fifty-something",
        "3/4",
        "45°",
        "İstanbul",
        "ﬁlm",
        "ㅋㅋ",
        "👩🏽‍🎨",
        "امرأة",
    ),
]
ANY_PROMPT = st.one_of(st.text(max_size=200), st.lists(st.sampled_from(FRAGMENTS), max_size=5).map("".join))


@given(st.from_regex(r"[A-Za-z]{1,6}( [A-Za-z가-힣]{1,6}){0,3}|[가-힣]{1,6}( [A-Za-z가-힣]{1,6}){0,3}", fullmatch=True))
def test_a_plain_phrase_of_a_word_list_is_folded_like_any_prompt(phrase: str) -> None:
    """It is spared the work, and must not come out otherwise."""
    assert canonical(phrase) == PromptText.of(phrase).text


def fields(reading: Reading) -> dict[str, object]:
    """What was read, without the evidence."""
    return {
        "person": reading.person,
        "gender": reading.gender,
        "age": (reading.age_low, reading.age_high),
        "tone": reading.tone,
        "angle": reading.angle,
    }


def expected(row: dict[str, dict[str, object]]) -> dict[str, object]:
    """A row's expectation in the same shape."""
    wanted = row["expected"]
    return {name: (wanted["age_low"], wanted["age_high"]) if name == "age" else wanted[name] for name in FIELDS}


@pytest.mark.parametrize("field", FIELDS)
def test_the_prompts_are_read_as_accurately_as_promised(field: str) -> None:
    wrong = [row["prompt"] for row in PROMPTS if fields(READER.read(row["prompt"]))[field] != expected(row)[field]]
    accuracy = 1 - len(wrong) / len(PROMPTS)
    print(f"{field}: {accuracy:.1%} of {len(PROMPTS)} prompts", *wrong, sep="\n  ")
    assert accuracy >= THRESHOLDS[field]


def test_half_of_the_prompts_are_korean() -> None:
    korean = sum(row["id"].startswith("ko-") for row in PROMPTS)
    assert len(PROMPTS) >= 240
    assert 0.45 <= korean / len(PROMPTS) <= 0.55


@pytest.mark.parametrize(
    "prompt",
    [
        "sitting in a café",
        "wearing a red coat",
        "a hand holding a watch",
        "a chef",
        "뛰어가는 아이",
        "손",
        "립스틱을 바르는 장면",
        "No people, only hands",
    ],
)
def test_a_person_is_meant_or_implied(prompt: str) -> None:
    assert READER.read(prompt).person


@pytest.mark.parametrize(
    "prompt",
    [
        "no people",
        "without any person",
        "nobody",
        "no male models, just the jacket",
        "a vase sitting on a table",
        "a cat sitting on a wall",
        "사람 없이",
        "사람이 없는 거리",
        "인물 없는 풍경",
        "아무도 없는 해변",
        "남성 모델 없이 시계만",
        "남자 한 명도 여자 한 명도 없는 교실",
    ],
)
def test_nobody_is_meant_when_people_are_denied_or_things_do_what_people_do(prompt: str) -> None:
    assert not READER.read(prompt).person


@pytest.mark.parametrize(
    "prompt",
    [
        "man-made lake",
        "a manhole cover",
        "mango lassi",
        "king size bed",
        "model car",
        "a mannequin wearing a red coat",
        "marble statue of a woman",
        "snowman",
        "a boy's bicycle",
        "men's perfume bottle",
        "perfume for men",
        "손목시계",
        "손수건",
        "아이스크림",
        "아이섀도 팔레트",
        "아이폰",
        "인형",
        "여성용 가방",
        "여성 가죽 가방",
        "남자 향수",
        "여성 마네킹",
    ],
)
def test_goods_and_figures_are_nobody(prompt: str) -> None:
    reading = READER.read(prompt)
    assert (reading.person, reading.gender) == (False, None)


@pytest.mark.parametrize(
    ("prompt", "gender"),
    [
        ("her hair in the wind", "feminine"),
        ("a bearded barista", "masculine"),
        ("a man and a woman", None),
        ("a couple", None),
        ("bride and groom", None),
        ("not a man but a woman", "feminine"),
        ("a woman in boyfriend jeans", "feminine"),
        ("여자가 아니라 남자", "masculine"),
        ("남자 말고 여자", "feminine"),
        ("20대여성이 걷는다", "feminine"),
        ("신부님의 기도", "masculine"),
        ("여자친구와 걷는 밤", "feminine"),
        ("남자 가방을 든 여자", "feminine"),
    ],
)
def test_gender_is_read_only_when_it_is_said_and_one(prompt: str, gender: str | None) -> None:
    assert READER.read(prompt).gender == gender


@pytest.mark.parametrize(
    ("prompt", "ages"),
    [
        ("a woman in her thirties", (30, 39)),
        ("a man in his early 40s", (40, 44)),
        ("mid-thirties woman", (34, 36)),
        ("woman, late thirties", (35, 39)),
        ("a 25-year-old dancer", (25, 25)),
        ("models aged 25–34", (25, 34)),
        ("a person between 20 and 30", (20, 30)),
        ("a fifty-something architect", (50, 59)),
        ("teenager", (13, 19)),
        ("old jazz trumpeter", (65, 90)),
        ("30대 초반 여성", (30, 34)),
        ("30대 중반 여성", (34, 36)),
        ("30대 후반 여성", (35, 39)),
        ("삼십대 남자", (30, 39)),
        ("스물다섯 살 여자", (25, 25)),
        ("25~34세 여성", (25, 34)),
        ("대학생", (19, 25)),
        ("중년 남성", (40, 59)),
        ("중학생 아이들", (13, 15)),
        ("할머니", (65, 90)),
    ],
)
def test_ages_are_ranges(prompt: str, ages: tuple[int, int]) -> None:
    reading = READER.read(prompt)
    assert (reading.age_low, reading.age_high) == ages


@pytest.mark.parametrize(
    "prompt",
    [
        "a man drinking 12-year-old whisky",
        "a woman in 80s fashion",
        "a model in the 1920s",
        "a mother holding her baby",
        "a grandfather and his grandson",
        "자동차 20대와 정비사",
    ],
)
def test_no_age_is_read_from_things_eras_and_contradictions(prompt: str) -> None:
    reading = READER.read(prompt)
    assert (reading.person, reading.age_low, reading.age_high) == (True, None, None)


@pytest.mark.parametrize(
    "prompt",
    [
        "low budget kitchen, high heels, high-end",
        "natural light, naturally lit",
        "film director with a film camera",
        "a neon sign in a window",
        "neon lights on the street",
        "beauty salon",
        "beauty product",
        "business profile page",
        "vivid imagination",
        "black and white striped shirt",
        "pastel macarons",
        "흑백 줄무늬 셔츠",
        "네온사인",
        "하이힐",
    ],
)
def test_words_that_only_look_like_terms_ask_for_nothing(prompt: str) -> None:
    reading = READER.read(prompt)
    assert (reading.tone, reading.angle) == (None, None)


@pytest.mark.parametrize(
    ("prompt", "tone", "angle"),
    [
        ("not cinematic", None, None),
        ("no noir, pastel tones", "pastel", None),
        ("neither vivid nor neon, just noir", "noir", None),
        ("흑백이 아닌 사진", None, None),
        ("네온 말고 파스텔로", "pastel", None),
        ("느와르풍의 골목, 로우앵글로", "noir", "low-angle"),
        ("시네마틱한 톤", "cinematic", None),
        ("파스텔톤의 방", "pastel", None),
        ("portrait, natural, low", "natural-film", "low-angle"),
        ("45º view", None, "45-degree-down"),
        ("flat lay from above", None, "overhead"),
        ("45도 위에서 내려다본 파스타", None, "45-degree-down"),
    ],
)
def test_tones_and_angles_follow_denials_and_particles(prompt: str, tone: str | None, angle: str | None) -> None:
    reading = READER.read(prompt)
    assert (reading.tone, reading.angle) == (tone, angle)


def test_two_different_tones_are_no_tone_but_both_stay_as_evidence() -> None:
    reading = READER.read("half noir, half pastel tones")
    assert reading.tone is None
    assert [item.words for item in reading.evidence if item.field == "tone"] == ["noir", "pastel tones"]


def test_evidence_leaves_particles_out() -> None:
    reading = READER.read("로우앵글로 찍은 컵")
    assert [(item.field, item.words, item.start, item.end) for item in reading.evidence] == [
        ("angle", "로우앵글", 0, 4)
    ]


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_evidence_is_cut_from_the_prompt_as_it_was_typed(form: str) -> None:
    prompt = unicodedata.normalize(form, "카페의 30대 여성, 느와르풍")
    words = {item.field: item.words for item in READER.read(prompt).evidence}
    assert words == {
        "person": unicodedata.normalize(form, "여성"),
        "gender": unicodedata.normalize(form, "여성"),
        "age": unicodedata.normalize(form, "30대"),
        "tone": unicodedata.normalize(form, "느와르풍"),
    }


@pytest.mark.parametrize(
    "sentence",
    [
        "A woman in her thirties by a window, no neon, low angle. ",
        "창가의 30대 여성, 시네마틱한 톤, 사람 없이. ",
        "여자아이",
        "woman ",
        "사람도 ",
        "no ",
        "twenty ",
        "statue of a ",
    ],
)
def test_a_very_long_prompt_takes_time_in_proportion(sentence: str) -> None:
    def seconds(size: int) -> float:
        prompt = (sentence * size)[:size]
        best = float("inf")
        for _ in range(3):
            start = time.process_time()
            READER.read(prompt)
            best = min(best, time.process_time() - start)
        return best

    assert seconds(40_000) < 12 * max(seconds(5_000), 0.005)  # 8 times the length; squared would be 64


@given(ANY_PROMPT)
def test_any_text_is_read_and_evidence_quotes_it(prompt: str) -> None:
    reading = READER.read(prompt)
    assert all(item.words == prompt[item.start : item.end] != "" for item in reading.evidence)
    assert reading.person or (reading.gender, reading.age_low, reading.age_high) == (None, None, None)


@given(ANY_PROMPT)
def test_composed_and_decomposed_text_read_alike(prompt: str) -> None:
    composed, decomposed = (unicodedata.normalize(form, prompt) for form in ("NFC", "NFD"))
    assert fields(READER.read(composed)) == fields(READER.read(decomposed))


@given(st.sampled_from(PROMPTS), st.sampled_from(["Shot in Seoul.", "High detail.", "오후 세 시의 빛.", "4:5"]))
def test_a_neutral_sentence_changes_nothing(row: dict[str, str], sentence: str) -> None:
    assert fields(READER.read(f"{row['prompt']}. {sentence}")) == fields(READER.read(f"{row['prompt']}."))


@given(st.sampled_from(PROMPTS))
def test_case_does_not_matter(row: dict[str, str]) -> None:
    assert fields(READER.read(row["prompt"].upper())) == fields(READER.read(row["prompt"]))
