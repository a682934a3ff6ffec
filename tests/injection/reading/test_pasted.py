"""Prompts as people paste them from other tools: what is markup, what is unwanted, and what is left to be read."""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.injection.reading import age_numbers, comfy, korean_ages, names, negation, pasted
from core.injection.reading.names import persona_in
from core.injection.reading.pasted import Pasted
from tests.injection.reading.test_reader import FIELDS, READER, THRESHOLDS, expected, fields

ROWS = [
    json.loads(line)
    for line in (Path(__file__).parents[2] / "data" / "pasted.jsonl").read_text(encoding="utf-8").splitlines()
]
# The fields that are read otherwise than a person would, by prompt. Whoever mends one takes it off the list.
MISREAD = {"en-022": {"age"}, "ko-050": {"age"}, "ko-060": {"person", "age"}, "ko-070": {"gender"}}
MARKUP = [
    "(", ")", "((", "))", "[", "]", "{", "}", ":1.2)", ":-1)", "::", "::2 ", "::-1 ", "-1::", "--no ", "--ar 4:5 ",
    "—no ", "Negative prompt: ", "네거티브 프롬프트: ", "Prompt: ", "제외: ", "\nSteps: 20, Sampler: Euler, Seed: 5, ",
    "<lora:", ">", "|", "1. ", "2) ", "1024x1280 ", "4:5 ", "2.35:1 ", "24-70 ", "f/1.8 ", "under 30 ", "25세 이하 ",
    "<30 ", "≥ 40, ", "about 999, ", "by Man Ray ", "Ben ", "& ", "'s ", "woman ", "여자 ", "사람, ", "제외 ", "\n",
    "\n\n", ", ", '"', "\\(",
]  # fmt: skip
ANY_PASTED = st.lists(st.sampled_from(MARKUP), max_size=12).map("".join)


@pytest.mark.parametrize("field", FIELDS)
def test_pasted_prompts_are_read_as_accurately_as_others(field: str) -> None:
    wrong = [row["prompt"] for row in ROWS if fields(READER.read(row["prompt"]))[field] != expected(row)[field]]
    assert 1 - len(wrong) / len(ROWS) >= THRESHOLDS[field], wrong


def test_only_these_pasted_prompts_are_misread() -> None:
    found = {}
    for row in ROWS:
        read, wanted = fields(READER.read(row["prompt"])), expected(row)
        if wrong := {name for name in FIELDS if read[name] != wanted[name]}:
            found[row["id"]] = wrong
    assert found == MISREAD
    assert sum(row["id"].startswith("ko-") for row in ROWS) == len(ROWS) / 2 == 70


@pytest.mark.parametrize(
    ("prompt", "person", "gender", "ages"),
    [
        ("portrait of a (woman:1.2) in a red coat", True, "feminine", None),
        ("(model:0.8) on a beach", True, None, None),
        ("(1girl:1.3), (solo:1.1)", True, "feminine", None),
        ("((young)) man, ((rain))", True, "masculine", (18, 29)),
        ("（여성：1.2）, 카페", True, "feminine", None),
        ("(25yo woman:1.1), f1.8", True, "feminine", (25, 25)),
        ("woman::2 lamp::1", True, "feminine", None),
        ("{{1boy}}, 1.3::coat::", True, "masculine", None),
        ("[woman], street", True, "feminine", None),
        ("[woman:man:0.5], street", True, None, None),
        ("woman:1.3, rain:0.8", True, "feminine", None),
        ("(woman, age: 30)", True, "feminine", (30, 30)),
        ("a man (35)", True, "masculine", (35, 35)),
        ("<lora:koreanGirl_v2:0.8> coffee cup", False, None, None),
        ("embedding:oldman, a chair", False, None, None),
        ("https://x.test/woman.png glass vase", False, None, None),
        ("model_01.safetensors, glass vase", False, None, None),
    ],
)
def test_weights_and_networks_are_no_prose(
    prompt: str, person: bool, gender: str | None, ages: tuple[int, int] | None
) -> None:
    reading = READER.read(prompt)
    assert (reading.person, reading.gender) == (person, gender)
    assert (reading.age_low, reading.age_high) == (ages or (None, None))


@pytest.mark.parametrize(
    "numbers",
    [
        "4:5", "(16:9)", "2.35:1", "4 : 5", "21:9", "1024x1280", "512 × 768 px", "24-70", "70-200", "24-70mm f/2.8",
        "24mm", "35 f/2", "85mm, f/1.8", "1/250s", "ISO 50", "8k, 4k", "1.85", "2", "9", "$25", "25%", "25,000 won",
        "#25", "No. 30", "seed: 25", "steps 30", "cfg scale: 7", "170cm", "50kg", "5'9", "1990s", "2024.05.25",
        "--seed 25 --ar 4:5",
    ],
)  # fmt: skip
def test_numbers_of_pictures_and_cameras_are_no_ages(numbers: str) -> None:
    for prompt in (f"a woman, {numbers}", f"여자, {numbers}", f"model {numbers}, studio"):
        reading = READER.read(prompt)
        assert (reading.person, reading.age_low, reading.age_high) == (True, None, None), prompt


@pytest.mark.parametrize(
    "prompt",
    [
        "1. A woman on a balcony\n2. A man at a bar",
        "30. A woman on a balcony",
        "Portrait of a man, 2. Street at night",
        "1) 여자 2) 남자",
        "person 1, person 2 shaking hands",
        "girl, 9",
        "Model 85",
        "a woman <3",
        "person 14",
        "4:5 세로, 여자",
        "16:9 세로로 찍은 남자",
        "50 대리석 앞의 여자",
    ],
)
def test_list_numbers_and_bare_numbers_below_13_are_no_ages(prompt: str) -> None:
    reading = READER.read(prompt)
    assert (reading.person, reading.age_low) == (True, None)


@pytest.mark.parametrize("prompt", ["a 9-year-old girl", "a girl aged 9", "9세 여아", "9살 여자아이", "girl, 9 yo"])
def test_a_childs_age_is_read_where_it_is_said(prompt: str) -> None:
    assert (READER.read(prompt).age_low, READER.read(prompt).age_high) == (9, 9)


@pytest.mark.parametrize(
    "prompt",
    [
        "empty café --ar 4:5 --no text, people",
        "empty café --no people,hands --ar 4:5",
        "empty café —no people —ar 4:5",
        "chair\nNegative prompt: woman, man, people\nSteps: 30, Sampler: Euler a, Seed: 30, Model: girlMix",
        "Negative: woman\nPrompt: chair",
        "chair\nNegative prompt\nwoman, man",
        "chair\n**Negative prompt:** (woman:1.4), ((man))",
        "chair\n네거티브 프롬프트: 여자, 30대",
        "chair\n부정 프롬프트: 사람",
        '{"prompt": "chair", "negative_prompt": "woman, man"}',
        '{"negative_prompt": "woman, man", "prompt": "chair", "steps": 30}',
        "제외: 사람, 손\n나무 의자",
        "Exclude: people, text\nchair",
        "(woman:-1), chair",
        "(woman:0), chair",
        "chair::2 woman::-1",
        "-1::woman::, chair",
        "woman:-1, chair",
        "모델 미포함, 의자",
        "인물 사용 금지, 화장품 누끼",
        "모델 착용컷 제외, 신발만",
        "제외어: 사람, 손, 글자\n시계 클로즈업",
        "사람 불포함 의자",
        "모델 배제, 의자",
        "인물 노출 금지, 의자",
        "사람은 포함하지 말 것, 의자",
        "인물 NO, 의자",
        "chair. No text, people, or logos.",
        "chair, without text, people or logos",
        "chair. Do not include any text or people.",
        "people excluded, chair",
        "chair\nNegative prompt - woman, man",
        "의자 - 사람, 글자 없이",
        "남자, 여자 제외한 빈 교실",
        "사람, 글자, 로고 전부 제외. 의자",
        "인물 및 손 노출 없이 의자만",
    ],
)
def test_what_is_listed_as_unwanted_is_nobody(prompt: str) -> None:
    reading = READER.read(prompt)
    assert (reading.person, reading.gender, reading.age_low) == (False, None, None)


@pytest.mark.parametrize(
    ("prompt", "gender", "tone", "ages"),
    [
        ("a woman --no hat, man --ar 4:5", "feminine", None, None),
        ("--no people\n\nA man at sea", "masculine", None, None),
        ("portrait, pastel tones\nNegative prompt: child, noir, extra fingers", None, "pastel", None),
        ("Prompt: a woman in her 30s, noir\nNegative: man, elderly, pastel", "feminine", "noir", (30, 39)),
        ('{"prompt": "a woman, 30 years old", "negative_prompt": "man"}', "feminine", None, (30, 30)),
        ("Negative prompt: man\nPositive prompt: woman", "feminine", None, None),
        ("woman::1.5 man::-0.5", "feminine", None, None),
        ("20대 말고 30대 여자", "feminine", None, (30, 39)),
        ("모자, 안경, 수염 제외. 30대 남자", "masculine", None, (30, 39)),
        ("얼굴 노출 금지, 여자 뒷모습", "feminine", None, None),
        ("여자, 안경 제외", "feminine", None, None),
        ("아이 미포함 여자", "feminine", None, None),
        ("no makeup, a woman or a girl", "feminine", None, None),
        ("a woman not in her 20s but in her 30s", "feminine", None, (30, 39)),
    ],
)
def test_what_is_unwanted_takes_nothing_from_what_is_wanted(
    prompt: str, gender: str | None, tone: str | None, ages: tuple[int, int] | None
) -> None:
    reading = READER.read(prompt)
    assert (reading.person, reading.gender, reading.tone) == (True, gender, tone)
    assert (reading.age_low, reading.age_high) == (ages or (None, None))


@pytest.mark.parametrize(
    ("prompt", "ages"),
    [
        ("woman in her twenties, no older than 25", (20, 25)),
        ("a man not older than 40", (18, 40)),
        ("woman under 30", (18, 29)),
        ("a woman under 30 in a red dress", (18, 29)),
        ("someone under the age of 20", (18, 19)),
        ("woman over 60 with silver hair", (60, 90)),
        ("men, at least 40", (40, 90)),
        ("a man over 60 in a house", (60, 90)),
        ("women over forty", (40, 90)),
        ("man, at most 35", (18, 35)),
        ("woman <30", (18, 29)),
        ("age <= 25, woman", (18, 25)),
        ("woman ≤25", (18, 25)),
        ("men ≥ 50", (50, 90)),
        ("women > 40", (40, 90)),
        ("aged 30+", (30, 90)),
        ("men 25 and over", (25, 90)),
        ("man, 30 or younger", (18, 30)),
        ("kids under 10", (4, 9)),
        ("young woman under 25", (18, 24)),
        ("mature woman, 60+", (60, 90)),
        ("a man who is not old, around 30", (30, 30)),
        ("woman, 30ish", (30, 30)),
        ("woman ~30", (30, 30)),
        ("woman aged 30 something", (30, 39)),
        ("a woman, 28 to 34", (28, 34)),
        ("18 or older woman", (18, 90)),
        ("a 50-plus woman", (50, 90)),
        ("under-30s crowd", (18, 29)),
        ("woman in her 30s or older", (30, 90)),
        ("여자(25)", (25, 25)),
        ("26 y.o woman", (26, 26)),
        ("20대 여성, 25세 이하", (20, 25)),
        ("40세 이상 남자", (40, 90)),
        ("35세 미만 남자", (18, 34)),
        ("19세 초과 여성", (20, 90)),
        ("40대 이하 남자", (18, 49)),
        ("30대 미만 여자", (18, 29)),
        ("20세 이상 29세 이하 여자", (20, 29)),
        ("최대 30세 여자", (18, 30)),
        ("최소 40세 남자", (40, 90)),
        ("서른 살 이하의 여자", (18, 30)),
        ("서른 안팎의 남자", (30, 30)),
        ("나이 30, 여자", (30, 30)),
        ("연령 25-34, 여성 모델", (25, 34)),
        ("Gender: Male\nAge: 40-50\nLens: 50-85", (40, 50)),
        ("woman, 30\nZoom in slowly", (30, 30)),
        ("여자, 25\nMacro shot", (25, 25)),
        ("여자 모델, 나이 25세를 넘지 않게", (18, 25)),
        ("30세를 넘지 않는 남자", (18, 30)),
        ("여자 30세 안 넘게", (18, 30)),
        ("30세 넘으면 안 되는 여자", (18, 30)),
        ("서른을 넘지 않은 여자", (18, 30)),
        ("woman, must not be younger than 30 nor older than 45", (30, 45)),
        ("woman, not a day over 30", (18, 30)),
        ("a woman who can't be over 30", (18, 30)),
        ("a man who shouldn't be older than 30", (18, 30)),
        ("woman, exclude under 20", (20, 90)),
        ("a woman, 40 at most", (18, 40)),
        ("woman, not exceeding 30", (18, 30)),
        ("여자, 30 이하", (18, 30)),
        ("2~30대 여성", (20, 39)),
        ("여자, 2-30대", (20, 39)),
        ("30초반 남자", (30, 34)),
        ("나이대: 20후반~30초반 여성", (25, 34)),
        ("스물다섯쯤 되어 보이는 여자", (25, 25)),
        ("woman, thirty-five, grey suit", (35, 35)),
        ("woman who is 35", (35, 35)),
    ],
)
def test_limits_and_rough_ages_are_ranges(prompt: str, ages: tuple[int, int]) -> None:
    reading = READER.read(prompt)
    assert (reading.person, reading.age_low, reading.age_high) == (True, *ages)


@pytest.mark.parametrize(
    "prompt",
    [
        "a woman holding over 60 balloons",
        "around 30 people",
        "at least 40 candles, a monk",
        "a climber, over 40 meters up",
        "under 30 minutes pasta, a cook",
    ],
)
def test_limits_of_other_things_are_no_ages(prompt: str) -> None:
    reading = READER.read(prompt)
    assert (reading.person, reading.age_low) == (True, None)


@pytest.mark.parametrize("prompt", ["bags under 50", "a chair, around 30", "price: up to 40, vase"])
def test_a_limit_alone_is_nobody(prompt: str) -> None:
    assert not READER.read(prompt).person


@pytest.mark.parametrize(
    "prompt",
    [
        "coffee cup by Man Ray",
        "a Man Ray print above a sofa",
        "man ray print",
        "street scene in the style of Lady Pink",
        "a chair, inspired by Lady Pink",
        "Boy George album cover",
        "Big Ben at dusk",
        "a pint of Ben & Jerry's",
        "Baby's breath in a vase",
        "Granny Smith apples",
        "박찬욱 감독 스타일의 복도",
        "작가 이우환의 그림이 걸린 거실",
    ],
)
def test_names_of_artists_and_things_are_nobody(prompt: str) -> None:
    reading = READER.read(prompt)
    assert (reading.person, reading.gender) == (False, None)


@pytest.mark.parametrize(
    "prompt", ["a man by Frida Kahlo", "Old Man By The Sea", "Man In A Suit", "Photo of a Man, Paris", "man by Woman"]
)
def test_beside_a_name_people_stay_people(prompt: str) -> None:
    assert READER.read(prompt).gender == "masculine"


PERSONAS = ["Hugo", "Lucia", "Ben", "Ada", "Ann", "Ann Lee", "Rose", "Dae", "수지", "강남", "하늘"]


@pytest.mark.parametrize(
    ("prompt", "persona"),
    [
        ("Ben", "Ben"),
        ("Ben in a suit", "Ben"),
        ("Ben In A Suit", "Ben"),
        ("Ben, noir", "Ben"),
        ("Model Ben, studio", "Ben"),
        ("Portrait of Ben", "Ben"),
        ("(Ben:1.2) in a suit", "Ben"),
        ("In Paris. Ben walks home", "Ben"),
        ("Ben's face, close-up", "Ben"),
        ("a cup held by Ben", "Ben"),
        ("photo of Ada by Man Ray", "Ada"),
        ("Ann Lee at sea", "Ann Lee"),
        ("Dae와 Ada", None),
        ("Ada & Ben at sea", None),
        ("Big Ben at dusk", None),
        ("a woman in front of Big Ben", None),
        ("a man eating Ben & Jerry's", None),
        ("Ben and Jerry's ice cream", None),
        ("Ben & Co. shop front", None),
        ("a man called Ben Kim", None),
        ("Ben Nevis in fog", None),
        ("Ben Smiling In The Rain", "Ben"),
        ("Hugo Boss suit on a man", None),
        ("Victor Hugo novel", None),
        ("Hugo, a young man", "Hugo"),
        ("Lucia di Lammermoor on stage", None),
        ("Santa Lucia harbour", None),
        ("hotel Lucia at night", None),
        ("Lucia perfume on marble", None),
        ("수지 가방", None),
        ("수지 의자에 앉아 웃는다", "수지"),
        ("Ben's Cookies", None),
        ("Ben's cup on a table", None),
        ("coffee cup by Ben", None),
        ("a chair in the style of Ben", None),
        ("Ben-Hur poster", None),
        ("@Ben", None),
        ("Ben.com logo", None),
        ("St. Ben church", None),
        ("<lora:Ben:0.8> a chair", None),
        ("a man, not Ben", None),
        ("portrait without Ben", None),
        ("a woman --no Ben", None),
        ("a man\nNegative prompt: Ben", None),
        ("Rose", "Rose"),
        ("Rose, smiling", "Rose"),
        ("Rose on a table", None),
        ("a woman holding a Rose", None),
        ("Rose Garden at dawn", None),
        ("수지가 웃는다", "수지"),
        ("수지 클로즈업", "수지"),
        ("창가의 수지", "수지"),
        ("수지 말고 다른 여자", None),
        ("Ben은 제외", None),
        ("Ben이 없는 거리", None),
        ("Ada는 빼고 Ben이 걷는다", "Ben"),
        ("Ben과 Ada 제외", None),
        ("Ada만 걷는다", "Ada"),
        ("Hugo로 부탁해요", "Hugo"),
        ("Photo credit: Hugo. A lake at dawn", None),
        ("Photographer: Lucia. Model: Ada. Studio", "Ada"),
        ('a sign that says "Ben"', None),
        ("Ben 시계탑 앞 거리", None),
        ("Ada 느낌의 여자", None),
        ("강남 거리의 여자", None),
        ("강남역 앞의 여자", None),
        ("강남의 밤거리", None),
        ("모델 하늘, 스튜디오", "하늘"),
        ("하늘 아래 들판", None),
    ],
)
def test_a_persona_is_meant_where_the_name_stands_alone(prompt: str, persona: str | None) -> None:
    assert persona_in(prompt, PERSONAS, has_person=READER.read(prompt).person) == persona


def _workflow_of_api(positive: str, negative: str) -> dict[str, Any]:
    return {
        "3": {"class_type": "KSampler", "inputs": {"seed": 25, "positive": ["10", 0], "negative": ["10", 1]}},
        "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "girlMix.ckpt"}},
        "6": {"class_type": "CLIPTextEncode", "inputs": {"text": positive, "clip": ["4", 1]}},
        "7": {"class_type": "CLIPTextEncode", "inputs": {"text": negative, "clip": ["4", 1]}},
        "9": {"class_type": "SaveImage", "inputs": {"filename_prefix": "woman", "images": ["3", 0]}},
        "10": {"class_type": "ControlNetApplyAdvanced", "inputs": {"positive": ["6", 0], "negative": ["7", 0]}},
    }


def _workflow_of_the_editor(positive: str, negative: str) -> dict[str, Any]:
    sampler = [{"name": "positive", "link": 5}, {"name": "negative", "link": 6}, {"name": "mask", "link": None}]
    return {
        "nodes": [
            {"id": 1, "type": "KSampler", "inputs": sampler, "widgets_values": [25, "fixed"]},
            {"id": 2, "type": "CLIPTextEncode", "widgets_values": [positive]},
            {"id": 3, "type": "CLIPTextEncode", "widgets_values": [negative]},
            {"id": 4, "type": "Note", "widgets_values": ["old man"]},
        ],
        "links": [[5, 2, 0, 1, 0, "CONDITIONING"], [6, 3, 0, 1, 1, "CONDITIONING"]],
    }


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize(
    "workflow",
    [_workflow_of_api, _workflow_of_the_editor, lambda one, other: {"prompt": _workflow_of_api(one, other)}],
    ids=["api", "editor", "queued"],
)
def test_of_a_pasted_workflow_only_its_prompts_are_read(
    workflow: Callable[[str, str], dict[str, Any]], indent: int | None
) -> None:
    chair = READER.read(json.dumps(workflow("a chair,\ncinematic tones", "woman, man, noir"), indent=indent))
    assert (chair.person, chair.gender, chair.tone) == (False, None, "cinematic")
    woman = READER.read(json.dumps(workflow("rain\nwoman in her 30s", "man, child"), indent=indent))
    assert (woman.gender, woman.age_low, woman.age_high) == ("feminine", 30, 39)


@pytest.mark.parametrize(
    "broken",
    [
        '{"nodes": [',
        '{"nodes": [1], "links": 3}',
        '{"class_type": 1}',
        '{"class_type": ' + "[" * 5_000,
        '{"nodes": null}',
    ],
)
def test_what_only_looks_like_a_workflow_is_read_as_it_stands(broken: str) -> None:
    assert READER.read(f"{broken} woman").gender == "feminine"


@given(ANY_PASTED)
def test_markup_is_blanked_out_in_its_place_and_evidence_quotes_what_was_typed(prompt: str) -> None:
    found = Pasted.of(prompt)
    assert len(found.plain) == len(prompt)
    ends = [at for stretch in found.unwanted for at in stretch]
    assert ends == sorted(ends)
    assert ends[-1:] <= [len(prompt)]
    reading = READER.read(prompt)
    assert all(item.words == prompt[item.start : item.end] != "" for item in reading.evidence)
    persona_in(prompt, PERSONAS, has_person=reading.person)


@given(ANY_PASTED)
def test_what_is_unwanted_is_never_read(prompt: str) -> None:
    """Up to what ends it: another heading, or the settings below."""
    endless = re.sub("rompt: |Steps: |Sampler: |Seed: ", " ", prompt)
    reading = READER.read(f"vase\nNegative prompt: {endless}")
    assert (reading.person, reading.tone, reading.age_low) == (False, None, None)


def _steps(work: Callable[[], object]) -> int:
    """The calls of Python and of C that some work takes."""
    count = 0

    def step(_frame: object, _event: str, _argument: object) -> None:
        nonlocal count
        count += 1

    before = sys.getprofile()
    sys.setprofile(step)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize(
    "piece",
    ["(", "((a:1.2)) ", "--no a ", "a::-1 ", "Negative prompt: a ", "people:-1 ", "남자, ", "under 30 ", "Ben & "],
)
def test_the_steps_of_a_reading_grow_with_the_length_alone(piece: str) -> None:
    def read(size: int) -> Callable[[], object]:
        prompt = (piece * size)[:size]
        return lambda: (READER.read(prompt), persona_in(prompt, PERSONAS, has_person=True))

    assert _steps(read(8_000)) < 9 * _steps(read(1_000))


def _patterns(module: ModuleType) -> Iterator[re.Pattern[str]]:
    for _, value in inspect.getmembers(module):
        yield from (one for one in (value if isinstance(value, tuple) else (value,)) if isinstance(one, re.Pattern))


def _unbounded(parsed: Any, *, inside: bool = False) -> bool:
    """Whether a repetition without bound stands in another."""
    for operator, argument in parsed:
        parts = argument if isinstance(argument, tuple) else (argument,)
        is_endless = str(operator) in ("MAX_REPEAT", "MIN_REPEAT") and parts[1] is re._constants.MAXREPEAT  # type: ignore[attr-defined]  # the sizes of repetitions are told nowhere else
        if is_endless and inside:
            return True
        for part in parts:
            branches = part if isinstance(part, list) else [part]
            for branch in branches:
                if isinstance(branch, re._parser.SubPattern) and _unbounded(branch, inside=inside or is_endless):  # type: ignore[attr-defined]
                    return True
    return False


@pytest.mark.parametrize(
    "module", [pasted, comfy, names, negation, age_numbers, korean_ages], ids=lambda module: module.__name__
)
def test_no_pattern_repeats_without_bound_within_a_repetition(module: ModuleType) -> None:
    """Such a pattern may take a time that doubles with each letter."""
    found = list(_patterns(module))
    assert found
    nested = [one.pattern for one in found if _unbounded(re._parser.parse(one.pattern, one.flags))]  # type: ignore[attr-defined]
    assert nested == []
