"""Published labels: one file that travels with the repository, each line by itself."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import LabelError
from core.labels.published.label_file import LabelSet, LabelState, load_published
from core.labels.published.schema import AGE_MAX, AGE_RANGES, Gender, Label, LabelSource, age_range_of, parse_label
from tests.injection.libraries import ROOT, label, library

FILE = ROOT / "labels" / "personas.jsonl"
LINES = FILE.read_text(encoding="utf-8").splitlines()
TRUTH = json.loads((ROOT / "samples" / "ground_truth.json").read_text(encoding="utf-8"))
GOOD = '{"key": "refs/a.jpg", "etag": "e", "source": "nominal"}'
EXPRESSIONS = {"smile01": "smile", "smile02": "smile", "smile03": "smile", "neutral": "neutral"}


class TestShippedFile:
    """labels/personas.jsonl follows from samples/ground_truth.json, line by line."""

    def test_every_line_can_be_read(self) -> None:
        labels = load_published(FILE)
        assert labels.broken == ()
        assert len(labels) == len(LINES)

    def test_lines_are_sorted_by_key_as_s3_sorts_and_each_key_has_one(self) -> None:
        keys = [json.loads(line)["key"] for line in LINES]
        assert keys == sorted(set(keys), key=str.encode)

    def test_every_portrait_of_the_sample_library_has_a_line(self) -> None:
        assert {json.loads(line)["key"] for line in LINES} == {key for key, told in TRUTH.items() if told["persona"]}

    @pytest.mark.parametrize("line", LINES, ids=lambda line: json.loads(line)["key"].rsplit("/", 1)[-1])
    def test_a_line_says_what_the_renderer_was_told_and_calls_it_nominal(self, line: str) -> None:
        said, told = parse_label(line), TRUTH[json.loads(line)["key"]]
        assert (said.age_low, said.age_high) == (told["age"], told["age"])
        assert said.age_range == age_range_of(told["age"], told["age"])
        assert said.gender_presentation == told["presentation"]
        assert (said.tone, said.angle) == (told.get("tone"), told["angle"])
        assert said.hair == f"{told['hair_colour']} {told['hair_style'].rstrip('0123456789')}"
        assert said.expression == EXPRESSIONS[told["expression"]]
        assert said.source is LabelSource.NOMINAL
        assert (said.reviewer, said.model, said.confidence) == (None, None, {})

    @pytest.mark.parametrize("line", LINES, ids=lambda line: json.loads(line)["key"].rsplit("/", 1)[-1])
    def test_a_line_is_bound_to_the_bytes_of_its_sample(self, line: str) -> None:
        said = parse_label(line)
        data = (ROOT / "samples" / said.key).read_bytes()
        assert said.etag == hashlib.md5(data, usedforsecurity=False).hexdigest()


class TestBrokenLines:
    """A line that cannot be used is reported with its number; the rest serves."""

    @pytest.mark.parametrize(
        "broken",
        [
            "{",
            "not json",
            "[]",
            "null",
            '{"key": "refs/b.jpg"}',
            '{"key": "", "etag": "e", "source": "nominal"}',
            '{"key": "refs/b.jpg", "etag": "e", "source": "guess"}',
            '{"key": "refs/b.jpg", "etag": "e", "source": "nominal", "colour": "red"}',
            '{"key": "refs/b.jpg", "etag": "e", "source": "human"}',
            '{"key": "refs/b.jpg", "etag": "e", "source": "nominal", "reviewer": "ops@studio.example"}',
            '{"key": "refs/b.jpg", "etag": "e", "source": "nominal", "age_low": 30}',
            '{"key": "refs/b.jpg", "etag": "e", "source": "nominal", "age_low": 40, "age_high": 30}',
            '{"key": "refs/b.jpg", "etag": "e", "source": "nominal", "age_low": 3, "age_high": 3, "age_range": "60+"}',
            '{"key": "refs/b.jpg", "etag": "e", "source": "nominal", "age_low": 130, "age_high": 130}',
            '{"key": "refs/b.jpg", "etag": "e", "source": "openai", "confidence": {"age": 1.5}}',
            "{" * 5000,
        ],
    )
    def test_one_broken_line_is_named_and_the_others_serve(self, tmp_path: Path, broken: str) -> None:
        file = tmp_path / "personas.jsonl"
        file.write_text(f"{GOOD}\n\n{broken}\n{GOOD.replace('a.jpg', 'c.jpg')}\n", encoding="utf-8")
        labels = load_published(file)
        assert [each.line for each in labels.broken] == [3]
        assert labels.broken[0].reason
        assert len(labels) == 2

    def test_bytes_that_are_no_utf_8_break_their_line_only(self, tmp_path: Path) -> None:
        file = tmp_path / "personas.jsonl"
        broken = GOOD.replace("a.jpg", "é.jpg").encode("latin-1")
        file.write_bytes(b"\n".join([broken, GOOD.encode(), b""]))
        labels = load_published(file)
        assert [each.line for each in labels.broken] == [1]
        assert "UTF-8" in labels.broken[0].reason
        assert labels.find("refs/a.jpg", "e").state is LabelState.CURRENT

    def test_a_second_line_for_one_key_is_reported_and_the_first_serves(self, tmp_path: Path) -> None:
        file = tmp_path / "personas.jsonl"
        file.write_text("\n".join([GOOD, GOOD.replace('"e"', '"f"')]))
        labels = load_published(file)
        assert [each.line for each in labels.broken] == [2]
        assert labels.find("refs/a.jpg", "e").state is LabelState.CURRENT
        assert "already" in labels.broken[0].reason

    def test_windows_line_ends_and_separators_inside_a_text_are_no_line_ends(self, tmp_path: Path) -> None:
        file = tmp_path / "personas.jsonl"
        noted = GOOD.replace('"source"', '"notes": "one\u2028two\u0085three", "source"')
        file.write_bytes(f"{noted}\r\n{GOOD.replace('a.jpg', 'b.jpg')}\r\n".encode())
        labels = load_published(file)
        assert (labels.broken, len(labels)) == ((), 2)

    def test_no_file_is_no_labels(self, tmp_path: Path) -> None:
        labels = load_published(tmp_path / "personas.jsonl")
        assert (len(labels), labels.broken) == (0, ())

    def test_the_version_changes_with_the_bytes(self, tmp_path: Path) -> None:
        file = tmp_path / "personas.jsonl"
        file.write_text(GOOD)
        first = load_published(file).version
        assert load_published(file).version == first
        file.write_text(GOOD + "\n")
        assert load_published(file).version != first

    def test_the_message_names_the_field(self) -> None:
        with pytest.raises(LabelError, match=r"^source: "):
            parse_label('{"key": "refs/b.jpg", "etag": "e", "source": "guess"}')


class TestFinding:
    """A label speaks of bytes."""

    LABELS = LabelSet([label("refs/a.jpg", Gender.FEMININE, 30, etag="1"), label("refs/b.jpg", None, None, etag="2")])

    def test_the_same_key_with_the_same_bytes_is_current(self) -> None:
        found = self.LABELS.find("refs/a.jpg", "1")
        assert found.state is LabelState.CURRENT
        assert found.current is found.label

    def test_the_same_key_with_other_bytes_is_stale_and_says_nothing(self) -> None:
        found = self.LABELS.find("refs/a.jpg", "9")
        assert found.state is LabelState.STALE
        assert found.label is not None
        assert found.current is None

    def test_the_same_bytes_under_another_key_are_current(self) -> None:
        found = self.LABELS.find("refs/moved.jpg", "1")
        assert (found.state, found.label and found.label.key) == (LabelState.CURRENT, "refs/a.jpg")

    def test_pictures_that_changed_places_change_their_labels(self) -> None:
        found = self.LABELS.find("refs/a.jpg", "2")
        assert (found.state, found.label and found.label.key) == (LabelState.CURRENT, "refs/b.jpg")

    def test_what_nothing_is_known_about_is_missing(self) -> None:
        assert self.LABELS.find("refs/c.jpg", "3").state is LabelState.MISSING

    def test_a_label_for_a_picture_that_is_gone_disturbs_nothing(self) -> None:
        (ada,) = library("refs/01. Model/noir/Ada.jpg").references
        assert self.LABELS.find(ada.key, ada.etag).state is LabelState.MISSING


class TestAges:
    """Ranges that people think in."""

    def test_the_ranges_cover_every_age_once(self) -> None:
        ages = [age for _, first, last in AGE_RANGES for age in range(first, last + 1)]
        assert ages == list(range(AGE_MAX + 1))

    @given(st.integers(0, AGE_MAX), st.integers(0, AGE_MAX))
    def test_the_range_of_some_years_holds_their_middle(self, one: int, other: int) -> None:
        low, high = sorted((one, other))
        name = age_range_of(low, high)
        first, last = next((first, last) for each, first, last in AGE_RANGES if each == name)
        assert first <= (low + high) // 2 <= last

    @given(st.integers(0, AGE_MAX), st.integers(0, AGE_MAX))
    def test_a_label_without_ages_fits_no_wished_age(self, low: int, high: int) -> None:
        assert not Label(key="k", etag="e", source=LabelSource.NOMINAL).fits_age(low, high)

    def test_the_middle_of_the_labelled_years_has_to_lie_inside_the_wish(self) -> None:
        told = Label(key="k", etag="e", source=LabelSource.NOMINAL, age_low=25, age_high=34)
        assert told.fits_age(25, 34)
        assert told.fits_age(29, 30)
        assert not told.fits_age(30, 34)
        assert not told.fits_age(18, 24)
