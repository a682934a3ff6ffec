"""The backfill: every way an old record may name a picture leads to the key it means, or is listed as unclear."""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InputError
from core.generation.backfill.backfill import Backfill, ImportResult, ImportState, id_of
from core.generation.backfill.legacy_paths import FoundBy, KeyFinder
from core.generation.backfill.legacy_records import Line, read_lines
from core.generation.records.attempt_status import AttemptPhase
from core.generation.records.comparison import Origin
from core.generation.records.history import HistoryFilter
from core.injection.request.wishes import Mode
from core.references.index import ReferenceIndex, build_index
from core.references.vocabulary import Role, load_vocabulary
from core.studio import VOCABULARY_FILE
from tests.generation.comparisons import StudioFixture, png, side_of

TONE = "refs/02. Tone/b(vivid,colorful)/노을 100% + sea, (2).png"
NFD = f"refs/03. Angle/{unicodedata.normalize('NFD', '로우앵글')}/{unicodedata.normalize('NFD', '계단')} 1.jpg"
MODEL = "refs/01. Model/a(natural,film) low angle/Araya 05.png"
TWICE = ("refs/01. Model/b(vivid) low angle/서연 01.png", "refs/2026 가을/01. Model/c/서연 01.png")
PLUS = "refs/02. Tone/c(cinematic)/teal+orange.png"
PERCENT = "refs/02. Tone/c(cinematic)/a%20b.png"
SUFFIXED = "refs/02. Tone/d(beauty)/soft_tone2.png"
KEYS = (TONE, NFD, MODEL, *TWICE, PLUS, PERCENT, SUFFIXED)
FINDER = KeyFinder(KEYS, library_prefix="refs/", bucket="studio")
SIGNED = "?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIA%2F20260101&X-Amz-Expires=3600&X-Amz-Signature=ab"


def forms(key: str) -> Iterator[str]:
    """Every way in which a key is written in old records."""
    windows = key.replace("/", "\\")
    encoded, below = quote(key), key.removeprefix("refs/")
    nfd, nfc = unicodedata.normalize("NFD", key), unicodedata.normalize("NFC", key)
    yield from (key, nfd, nfc, f"/{key}", f"./{key}", f"  {key}\n")
    yield from (f"/home/ubuntu/app/{key}", f"/Users/kim/Library/x y/{nfd}", f"/srv/refs backup/./{key}")
    yield from (rf"C:\Users\kim\studio\{windows}", rf"\\nas\share\{windows}", windows, f"D:/studio/{key}")
    yield from (f"/mnt/mirror/{below}", below, rf"E:\{below}".replace("/", "\\"))
    yield from (f"image_ref_1/{key}", f"image_ref_12/{below}", f"/var/job/image_ref_3/{key}")
    yield from (f"s3://studio/{key}", encoded, quote(nfd), f"/data/{encoded}", f"file:///home/kim/{encoded}")
    for host in ("studio.s3.amazonaws.com", "studio.s3.ap-northeast-2.amazonaws.com", "cdn.studio.example"):
        yield from (f"https://{host}/{encoded}", f"https://{host}/{encoded}{SIGNED}", f"https://{host}/{quote(nfd)}")
    for host in ("s3.amazonaws.com", "s3.ap-northeast-2.amazonaws.com", "minio.internal:9000", "127.0.0.1:9000"):
        yield from (f"https://{host}/studio/{encoded}", f"http://{host}/studio/{encoded}{SIGNED}")
    yield f"https://studio.s3.amazonaws.com/{quote_plus(key, safe='/')}"
    yield f"https://studio.s3.amazonaws.com/{quote(encoded)}"
    yield f"HTTPS://s3.us-east-1.amazonaws.com/older-bucket/{encoded}"


@pytest.mark.parametrize("key", [TONE, NFD, MODEL, PLUS, TWICE[0], TWICE[1]])
def test_every_form_of_a_path_means_its_key(key: str) -> None:
    wrong = {form: FINDER.find(form) for form in forms(key) if FINDER.find(form).key != key}
    assert wrong == {}


@pytest.mark.parametrize("suffix", ["_tone", "_tone2", "_angle1", "_model3", "_model", "_TONE12"])
@pytest.mark.parametrize("key", [TONE, MODEL, NFD])
def test_a_role_suffix_before_the_extension_is_taken_off(key: str, suffix: str) -> None:
    stem, _, extension = key.rpartition(".")
    for form in forms(f"{stem}{suffix}.{extension}"):
        assert FINDER.find(form).key == key, form


def test_a_suffix_that_belongs_to_the_name_stays() -> None:
    for text in (SUFFIXED, "soft_tone2.png", "image_ref_1/soft_tone2.png"):
        assert FINDER.find(text).key == SUFFIXED
    assert FINDER.find("soft.png").candidates == ()


PLACES = {
    "an absolute path": "/home/ubuntu/app/{key}",
    "an absolute path to a mirror": "/mnt/mirror/{below}",
    "a staged path": "image_ref_1/{below}",
    "a staged path with the whole key": "/var/job/image_ref_12/{key}",
    "a staged name": "image_ref_1/{name}",
    "a relative path": "./{key}",
    "a bare name": "{name}",
}


@pytest.mark.parametrize("suffix", ["", "_tone2"])
@pytest.mark.parametrize("normal", ["NFC", "NFD"])
@pytest.mark.parametrize("system", ["POSIX", "Windows", "Windows with a drive"])
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("key", [TONE, NFD, MODEL])
def test_each_place_on_each_system_in_each_unicode_form_means_its_key(
    key: str, place: str, system: str, normal: Literal["NFC", "NFD"], suffix: str
) -> None:
    stem, _, extension = key.rpartition(".")
    named = f"{stem}{suffix}.{extension}"
    text = PLACES[place].format(key=named, below=named.removeprefix("refs/"), name=named.rsplit("/", 1)[-1])
    text = unicodedata.normalize(normal, text)
    if system != "POSIX":
        text = text.replace("/", "\\")
    if system == "Windows with a drive":
        text = "C:\\" + text.removeprefix(".").removeprefix("\\")
    assert FINDER.find(text).key == key


@pytest.mark.parametrize(
    "text",
    ["Araya 05.png", "image_ref_1/Araya 05.png", "/var/x/Araya 05.png", r"C:\in\Araya 05.png", "Araya%2005.png"],
)
def test_a_bare_name_means_the_only_key_that_has_it(text: str) -> None:
    found = FINDER.find(text)
    assert (found.key, found.by) == (MODEL, FoundBy.NAME)


@pytest.mark.parametrize(
    "text",
    [
        "서연 01.png",
        "image_ref_2/서연 01.png",
        unicodedata.normalize("NFD", "서연 01_model1.png"),
        "/home/kim/old folder/서연 01.png",
        "refs/01. Model/renamed since/서연 01.png",
        quote("https://studio.s3.amazonaws.com/gone/서연 01.png", safe=":/"),
    ],
)
def test_what_may_mean_two_keys_is_ambiguous_and_names_both(text: str) -> None:
    found = FINDER.find(text)
    assert found.key is None
    assert set(found.candidates) == set(TWICE)


@pytest.mark.parametrize(
    "text", ["nobody.png", "refs/", "/", "..", "image_ref_1/", "https://", "https://[x/y.png", "s3://studio", "%", "\\"]
)
def test_what_means_no_key_is_missing(text: str) -> None:
    assert FINDER.find(text).candidates == ()


def test_a_stale_key_is_not_taken_for_one_of_another_project() -> None:
    keys = ("refs/01. Model/a/x.png", "refs/B/01. Model/b/x.png")
    finder = KeyFinder(keys, library_prefix="refs/", bucket="studio")
    assert finder.find("refs/B/01. Model/a/x.png").key is None
    assert finder.find("/home/kim/01. Model/a/x.png").key == keys[0]
    assert finder.find("/home/kim/B/01. Model/b/x.png").key == keys[1]
    tied = KeyFinder((keys[0], "refs/C/01. Model/a/x.png"), library_prefix="refs/", bucket="studio")
    assert len(tied.find("/home/kim/01. Model/a/x.png").candidates) == 2


def test_a_key_is_taken_literally_before_anything_is_decoded() -> None:
    keys = (PERCENT, "refs/02. Tone/c(cinematic)/a b.png")
    finder = KeyFinder(keys, library_prefix="refs/", bucket="studio")
    assert finder.find(PERCENT).key == PERCENT
    assert finder.find(keys[1]).key == keys[1]
    assert finder.find(f"https://s3.amazonaws.com/studio/{quote(PERCENT)}").key == PERCENT


names = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/\\%+?#:~"), min_size=1, max_size=12
).filter(lambda name: name.strip() == name and name.strip(".") and not name.startswith("image_ref_"))


@settings(max_examples=150, deadline=None)
@given(st.lists(names, min_size=2, max_size=4), st.sampled_from(["png", "JPG"]))
def test_the_forms_of_any_key_lead_back_to_it(path: list[str], extension: str) -> None:
    key = f"refs/{'/'.join(path)}.{extension}"
    finder = KeyFinder([key, *KEYS], library_prefix="refs/", bucket="studio")
    wrong = [form for form in forms(key) if finder.find(form).key != key]
    assert wrong == []


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_no_text_at_all_is_guessed_at_or_fails(text: str) -> None:
    found = FINDER.find(text)
    assert set(found.candidates) <= set(KEYS)
    assert len({key.rsplit("/", 1)[-1] for key in found.candidates}) <= 1


# Records


def record(number: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"gen-{number}",
        "created_at": f"2025-03-{number % 28 + 1:02d}T09:00:00Z",
        "user_email": "kim@studio",
        "prompt": f"비 오는 거리, “red coat” no {number}",
        "mode": "tone_angle",
        "injected_tone_filename": TONE,
        "injected_angle_filename": f"/home/ubuntu/{NFD}",
        "injected_model_filename": "Araya 05_model3.png",
        "injection_reason": "tone: vivid, picked by hand",
        "output_url": "",
        **changes,
    }


def lines_of(tmp_path: Path, *records: object, name: str = "old.jsonl") -> list[Line]:
    file = tmp_path / name
    text = "\n".join(one if isinstance(one, str) else json.dumps(one, ensure_ascii=False) for one in records)
    file.write_text(text, encoding="utf-8")
    return list(read_lines(file))


def library(studio: StudioFixture) -> ReferenceIndex:
    """The index of a bucket that holds the keys."""
    for key in KEYS:
        studio.store.put(f"{studio.prefix}{key}", png(), content_type="image/png")
    return build_index(studio.store.list(f"{studio.prefix}refs/"), load_vocabulary(VOCABULARY_FILE))


def backfill(studio: StudioFixture, lines: list[Line], *, apply: bool = True) -> list[ImportResult]:
    work = Backfill(studio.history(), studio.store, library(studio), library_prefix=f"{studio.prefix}refs/")
    return list(work.run(lines, apply=apply))


def states(results: list[ImportResult]) -> list[str]:
    return [result.state.value for result in results]


def in_s3(studio: StudioFixture) -> dict[str, str]:
    return {row.key: row.etag for row in studio.store.list(studio.prefix) if "/refs/" not in row.key}


def test_an_imported_record_stands_in_the_history_with_its_references(studio: StudioFixture, tmp_path: Path) -> None:
    (result,) = backfill(studio, lines_of(tmp_path, record(output_url=f"https://cdn.example/{quote(PLUS)}")))
    assert result.state is ImportState.LINKED
    (found,) = studio.history().newest(limit=5, wanted=HistoryFilter(text="RED COAT", person="kim@studio"))
    assert (found.id, found.origin, found.engine) == (result.comparison, Origin.BACKFILL, "legacy")
    assert found.created_at == datetime(2025, 3, 2, 9, tzinfo=UTC)
    assert (found.mode, found.tone, found.angle) == (Mode.TONE_ANGLE, "vivid", "low-angle")
    (side,) = found.sides
    assert {slot.role: slot.key for slot in side.slots} == {
        Role.TONE: f"{studio.prefix}{TONE}",
        Role.ANGLE: f"{studio.prefix}{NFD}",
        Role.MODEL: f"{studio.prefix}{MODEL}",
    }
    assert {slot.why for slot in side.slots} == {"tone: vivid, picked by hand"}
    shown = studio.history().status(found.id).sides[0]
    assert (shown.phase, shown.picture and shown.picture.key) == (AttemptPhase.DONE, f"{studio.prefix}{PLUS}")
    assert studio.history().used_in(f"{studio.prefix}{TONE}") == (found.id,)


def test_a_record_that_names_nothing_is_taken_in_with_empty_slots(studio: StudioFixture, tmp_path: Path) -> None:
    bare = {**record(mode="tone_only"), **dict.fromkeys(record_files(), None)}
    (result,) = backfill(studio, lines_of(tmp_path, bare))
    found = studio.history().get(result.comparison or "")
    assert [(slot.role, slot.key) for slot in found.sides[0].slots] == [(Role.TONE, None)]
    assert side_of(studio.history().status(found.id)).phase is AttemptPhase.DONE


def test_a_record_without_a_person_is_nobodys(studio: StudioFixture, tmp_path: Path) -> None:
    results = backfill(studio, lines_of(tmp_path, record(1, user_email=" "), record(2, user_email="NULL"), record(3)))
    assert states(results) == ["linked"] * 3
    people = [studio.history().get(result.comparison or "").person for result in results]
    assert people == ["", "", "kim@studio"]
    found = studio.history().newest(limit=5, wanted=HistoryFilter(person="kim@studio"))
    assert [each.id for each in found] == [results[2].comparison]


def record_files() -> list[str]:
    return [name for name in record() if name.startswith("injected_")]


def test_a_picture_elsewhere_in_the_bucket_is_kept_as_its_key(studio: StudioFixture, tmp_path: Path) -> None:
    key = f"{studio.prefix}outputs/2025 봄/made 1.png"
    studio.store.put(key, png(), content_type="image/png")
    url = f"https://studio.s3.amazonaws.com/{quote(key)}{SIGNED}"
    records = [record(1, output_url=url), record(2, output_filename="/home/ubuntu/made 1.png")]
    for result, output in zip(backfill(studio, lines_of(tmp_path, *records)), (key, None), strict=True):
        found = studio.history().get(result.comparison or "")
        assert result.state is ImportState.LINKED  # a picture that was never uploaded is no fault of the record
        assert found.legacy is not None
        assert (found.legacy.output, found.legacy.output_etag) == (output, None)


def test_a_dry_run_writes_nothing_and_a_second_run_nothing_more(studio: StudioFixture, tmp_path: Path) -> None:
    lines = lines_of(tmp_path, *(record(number) for number in range(1, 6)))
    assert states(backfill(studio, lines, apply=False)) == ["linked"] * 5
    assert in_s3(studio) == {}
    assert states(backfill(studio, lines)) == ["linked"] * 5
    after = in_s3(studio)
    assert len(after) == 5
    assert states(backfill(studio, lines)) == ["already"] * 5
    assert states(backfill(studio, lines, apply=False)) == ["already"] * 5
    assert in_s3(studio) == after


def test_only_linked_records_are_written_and_the_worst_reference_counts(studio: StudioFixture, tmp_path: Path) -> None:
    records = [
        record(1),
        record(2, injected_model_filename="서연 01.png"),
        record(3, injected_tone_filename="gone.png"),
        record(4, injected_tone_filename="gone.png", injected_model_filename="서연 01.png"),
        "{",
        record(1),
        record(1, prompt="another"),
    ]
    results = backfill(studio, lines_of(tmp_path, *records))
    assert states(results) == ["linked", "ambiguous", "missing", "missing", "invalid", "already", "invalid"]
    assert [record.id for record in studio.history().newest(limit=9)] == [results[0].comparison]
    assert "line 1" in results[5].reason.lower()
    (_, pointing) = results[1].references[2]
    assert set(pointing.candidates) == {f"{studio.prefix}{key}" for key in TWICE}


def test_two_runs_at_once_write_each_record_once(studio: StudioFixture, tmp_path: Path) -> None:
    lines = lines_of(tmp_path, *(record(number) for number in range(1, 21)))
    one, other = (
        Backfill(studio.history(), studio.store, library(studio), library_prefix=f"{studio.prefix}refs/").run(
            lines, apply=True
        )
        for _ in range(2)
    )
    told = Counter(states([*one, *other]))
    assert told == {"linked": 20, "already": 20}
    assert len(in_s3(studio)) == 20


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        ("not json", "no JSON object"),
        ("[1, 2]", "no JSON object"),
        ("null", "no JSON object"),
        ("[" * 100_000, "no JSON object"),
        (record(id=""), "id"),
        (record(id=None), "id"),
        (record(id=True), "id"),
        (record(created_at="yesterday"), "created_at"),
        (record(created_at=""), "created_at"),
        (record(created_at=5), "created_at"),
        (record(created_at="1969-12-31T00:00:00Z"), "calendar"),
        (record(created_at="0001-01-01T00:00:00+14:00"), "calendar"),
        (record(mode="compare"), "tone_only or tone_angle"),
        (record(mode=None), "mode"),
        (record(mode=""), "mode: it is missing"),
        (record(injected_tone_filename=7), "injected_tone_filename"),
        ({"id": "x"}, "created_at"),
        ('{"id": "\\ud800"}', "UTF-8"),
    ],
)
def test_an_invalid_line_says_its_number_and_why(tmp_path: Path, broken: object, says: str) -> None:
    good, bad = lines_of(tmp_path, record(), "", broken)
    assert good.record is not None
    assert (bad.number, bad.record) == (3, None)
    assert says in bad.problem


def test_bytes_that_are_not_utf8_cost_their_own_line_only(tmp_path: Path) -> None:
    file = tmp_path / "old.jsonl"
    lines = [json.dumps(record(number), ensure_ascii=False).encode() for number in (1, 2, 3)]
    file.write_bytes(b"\n".join([lines[0], lines[1].replace("비".encode(), b"\xba\xf1"), lines[2]]))
    assert [line.problem for line in read_lines(file)] == ["", "It holds bytes that are not UTF-8.", ""]


def test_a_csv_with_korean_quotes_line_breaks_and_a_bom_reads_like_json(tmp_path: Path) -> None:
    records = [record(1), record(2, prompt='그는 "안녕" 했다,\r\n둘째 줄; 끝'), record(3, injected_model_filename="")]
    out = io.StringIO()
    writer = csv.DictWriter(out, list(records[0]))
    writer.writeheader()
    writer.writerows(records)
    file = tmp_path / "old.CSV"
    file.write_bytes(b"\xef\xbb\xbf" + out.getvalue().encode())
    read = list(read_lines(file))
    assert [line.record for line in read] == [line.record for line in lines_of(tmp_path, *records)]
    assert [line.number for line in read] == [2, 3, 5]


def test_a_csv_names_its_broken_rows_and_refuses_lacking_columns(tmp_path: Path) -> None:
    file = tmp_path / "old.csv"
    head, row = "id,created_at,user_email,prompt,mode", "1,2025-01-01,kim@studio,x,tone_only"
    file.write_text(f'{head}\n{row}\n1,2\n\n{row}x\n2,"a"b,c,d,e\n3{row[1:]}\n', encoding="utf-8")
    assert [(line.number, line.record is not None) for line in read_lines(file)] == [
        (2, True),
        (3, False),
        (5, False),
        (6, False),
        (7, True),
    ]
    file.write_text("id,prompt\n1,x\n", encoding="utf-8")
    with pytest.raises(InputError, match="no column `created_at`"):
        list(read_lines(file))
    with pytest.raises(InputError, match="cannot be read"):
        list(read_lines(tmp_path / "nothing.csv"))


def test_an_id_follows_from_time_and_id_alone(tmp_path: Path) -> None:
    same = [record(created_at="2025-03-02T09:00:00Z"), record(created_at="2025-03-02 18:00:00+09:00", prompt="other")]
    other = [record(id="gen-2"), record(created_at="2025-03-02T09:00:00.001Z")]
    ids = [id_of(line.record) for line in lines_of(tmp_path, *same, *other) if line.record]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3
