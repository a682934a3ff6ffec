"""The vocabulary and the grammar of folder names."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ConfigError, InjectionError, InputError
from core.references.vocabulary import GroupProblem, Role, TagKind, Tags, Vocabulary, load_vocabulary

ROOT = Path(__file__).parents[2]
VOCABULARY = load_vocabulary(ROOT / "labels" / "attributes.toml")
GROUND_TRUTH = json.loads((ROOT / "samples" / "ground_truth.json").read_text(encoding="utf-8"))
TONES = ["natural-film", "vivid", "cinematic", "beauty", "noir", "pastel", "neon"]
ANGLES = [
    *("eye-level", "three-quarter", "profile", "low-angle", "high-angle", "45-degree-down"),
    *("overhead", "dutch-tilt", "close-up", "long-shot"),
]
MINIMAL = """\
[roles.model]
aliases = ["model"]
[roles.tone]
aliases = ["tone"]
[roles.angle]
aliases = ["angle"]

[tones.noir]
name = "Noir"
aliases = ["noir", "black and white"]
directive = "Match the noir."

[angles.low-angle]
name = "Low angle"
aliases = [
  "low angle",
  "worm's eye",
]
folder_only = ["low"]
directive = "Look up."
"""


def vocabulary_of(tmp_path: Path, text: str) -> Vocabulary:
    """The vocabulary of a file with this text."""
    path = tmp_path / "attributes.toml"
    path.write_text(text, encoding="utf-8")
    return load_vocabulary(path)


def test_the_ids_are_those_everything_uses() -> None:
    assert [term.id for term in VOCABULARY.tones] == TONES
    assert [term.id for term in VOCABULARY.angles] == ANGLES


@pytest.mark.parametrize("path", [path for path in GROUND_TRUTH if "테스트" not in path and "미분류" not in path])
def test_every_sample_folder_says_what_was_rendered(path: str) -> None:
    truth = GROUND_TRUTH[path]
    folder, group = path.split("/")[-3:-1]
    assert VOCABULARY.role_of(folder) == truth["role"]
    assert VOCABULARY.tags_of(group) == Tags(truth.get("tone"), truth.get("angle"), None)


def test_the_samples_with_a_fault_are_reported() -> None:
    assert VOCABULARY.tags_of("vivid 느와르 테스트") == Tags(None, None, GroupProblem.AMBIGUOUS, ("noir", "vivid"))
    assert VOCABULARY.tags_of("미분류") == Tags(None, None, GroupProblem.UNTAGGED)


@pytest.mark.parametrize(
    ("group", "tone", "angle"),
    [
        ("a(natural,film)", "natural-film", None),
        ("vivid colourful", "vivid", None),
        ("teal-orange", "cinematic", None),
        ("soft beauty", "beauty", None),
        ("low", None, "low-angle"),
        ("bird's eye", None, "overhead"),
        ("bird’s eye", None, "overhead"),
        ("로우앵글", None, "low-angle"),
        ("부감", None, "overhead"),
        ("film noir", "noir", None),
        ("high contrast low", "cinematic", "low-angle"),
        ("vivid high key", "vivid", None),
        ("tone=noir, angle=low", "noir", "low-angle"),
        ("톤=느와르 앵글＝로우", "noir", "low-angle"),
        ("tone=teal orange angle=high angle", "cinematic", "high-angle"),
        ("뷰티（클로즈업，뷰티）", "beauty", "close-up"),
        ("d(Beauty) 45° top", "beauty", "45-degree-down"),
        ("noir (흑백) b&w", "noir", None),
        ("three-quarter 3/4", None, "three-quarter"),
    ],
)
def test_group_names_are_read(group: str, tone: str | None, angle: str | None) -> None:
    assert VOCABULARY.tags_of(group) == Tags(tone, angle, None)


@pytest.mark.parametrize(
    "group", ["filmmaker", "slow", "naturally", "tone=low", "angle=film", "camera roll=noir", "a", "="]
)
def test_words_are_matched_whole_and_values_in_their_kind(group: str) -> None:
    assert VOCABULARY.tags_of(group) == Tags(None, None, GroupProblem.UNTAGGED)


def test_two_angles_are_ambiguous_while_the_tone_is_kept() -> None:
    assert VOCABULARY.tags_of("noir low overhead") == Tags(
        "noir", None, GroupProblem.AMBIGUOUS, ("low-angle", "overhead")
    )


def test_pictures_outside_any_group_are_loose() -> None:
    assert VOCABULARY.tags_of("") == Tags(None, None, GroupProblem.LOOSE)


@pytest.mark.parametrize(
    ("folder", "role"),
    [
        ("01. Model", Role.MODEL),
        ("1.model", Role.MODEL),
        ("012.  TONE", Role.TONE),
        ("03. 앵글", Role.ANGLE),
        (unicodedata.normalize("NFD", "02. 색감"), Role.TONE),
        ("04. 인물", Role.MODEL),
        ("Model", None),
        ("01 Model", None),
        ("0001. Model", None),
        ("01. Models of 2026", None),
        ("01. ", None),
    ],
)
def test_reference_folders_are_numbered_role_words(folder: str, role: Role | None) -> None:
    assert VOCABULARY.role_of(folder) is role


def test_an_unknown_id_is_answered_with_the_valid_ones() -> None:
    with pytest.raises(InjectionError, match="There is no tone “sepia”; choose one of Natural film, Vivid"):
        VOCABULARY.tone("sepia")
    with pytest.raises(InjectionError, match="Long shot"):
        VOCABULARY.angle("noir")
    assert VOCABULARY.angle("low-angle").name == "Low angle"


def test_a_tag_is_accepted_by_id_name_or_alias_of_its_kind() -> None:
    assert [VOCABULARY.tag(TagKind.TONE, text) for text in ("noir", "Natural film", "흑백", "B&W")] == [
        "noir",
        "natural-film",
        "noir",
        "noir",
    ]
    assert VOCABULARY.tag(TagKind.ANGLE, "shot from below") == "low-angle"
    with pytest.raises(InputError, match="“low” is no tone we know"):
        VOCABULARY.tag(TagKind.TONE, "low")


@pytest.mark.parametrize(
    ("old", "new", "line", "reason"),
    [
        ('name = "Noir"', "name = Noir", 9, "Invalid value"),
        ('name = "Noir"\n', "", 8, "[tones.noir] has no name"),
        ('directive = "Look up."\n', "", 13, "[angles.low-angle] has no directive"),
        ('aliases = ["noir", "black and white"]\n', "", 8, "[tones.noir] has no aliases"),
        ('aliases = ["noir", "black and white"]', "aliases = []", 10, "the aliases of noir are empty"),
        ('aliases = ["noir", "black and white"]', 'aliases = "noir"', 10, "the aliases of [tones.noir] is wrong"),
        ('directive = "Match', 'colour = "Match', 8, "[tones.noir] has no directive"),
        ("folder_only", "folders_only", 19, "[angles.low-angle] has an unknown key folders_only"),
        ("[tones.noir]", "[extra]\n[tones.noir]", 8, "the file has an unknown key extra"),
        ('"worm\'s eye"', '"NOIR"', 17, "the alias 'NOIR' of low-angle is already taken by noir"),
        ('"worm\'s eye"', '" "', 17, "an alias is empty"),
        ('"worm\'s eye"', '"(’)"', 17, "the alias '(’)' holds no word"),
        ("[angles.low-angle]", "[angles.noir]", 13, "the id 'noir' is already taken by noir"),
        ("[angles.low-angle]", "[tones.noir]", 13, "Cannot declare"),
        ("[angles.low-angle]", '[angles."Low Angle"]', 13, "may only hold a-z, 0-9 and single hyphens"),
        ('aliases = ["angle"]', 'aliases = ["angle", "Tone"]', 6, "the alias 'Tone' of angle is already taken by tone"),
        ('directive = "Match the noir."', 'directive = " "', 11, "the directive of [tones.noir] is empty"),
        ("[tones.noir]", '[lookalikes]\neverywhere = ["low"]\n[tones.noir]', 9, "'low' is an alias of low-angle"),
    ],
)  # fmt: skip
def test_a_broken_file_is_refused_with_its_line(tmp_path: Path, old: str, new: str, line: int, reason: str) -> None:
    assert old in MINIMAL
    with pytest.raises(ConfigError) as caught:
        vocabulary_of(tmp_path, MINIMAL.replace(old, new, 1))
    assert caught.value.setting == "labels/attributes.toml"
    assert caught.value.message.startswith(f"attributes.toml, line {line}: ")
    assert reason in caught.value.message


def test_a_file_that_is_no_text_or_missing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "attributes.toml").write_bytes(b"[roles.model]\nname = \xff\n")
    with pytest.raises(ConfigError, match=r"attributes\.toml, line 2: this is not UTF-8"):
        load_vocabulary(tmp_path / "attributes.toml")
    with pytest.raises(ConfigError, match=r"nothing\.toml cannot be read"):
        load_vocabulary(tmp_path / "nothing.toml")


def test_operators_add_their_own_terms(tmp_path: Path) -> None:
    own = vocabulary_of(tmp_path, MINIMAL.replace("[tones.noir]", "[tones.sepia]").replace("Noir", "Sepia"))
    assert own.tags_of("Sepia (low)") == Tags("sepia", "low-angle", None)


TAGGED = st.tuples(
    st.sampled_from([term for term in VOCABULARY.tones for _ in term.aliases]),
    st.sampled_from([term for term in VOCABULARY.angles for _ in term.aliases]),
    st.randoms(use_true_random=False),
)
SEPARATORS = st.text("_-,.+()[] （），", min_size=1, max_size=3)


@given(TAGGED, SEPARATORS, st.booleans(), st.sampled_from(["NFC", "NFD"]))
def test_separators_case_order_and_normal_form_do_not_matter(tagged, separator, upper, form) -> None:  # type: ignore[no-untyped-def]
    tone, angle, random = tagged
    words = [random.choice(tone.aliases), "2026", random.choice(angle.aliases)]
    random.shuffle(words)
    name = separator.join(words)
    name = unicodedata.normalize(form, name.upper() if upper else name)
    assert VOCABULARY.tags_of(name) == Tags(tone.id, angle.id, None)


@given(st.text(max_size=80))
def test_any_name_is_read(name: str) -> None:
    tags = VOCABULARY.tags_of(name)
    assert (tags.problem is GroupProblem.AMBIGUOUS) == bool(tags.clashes)
    VOCABULARY.role_of(name)
