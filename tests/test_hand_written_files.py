"""Files that people write by hand are read with a byte order mark and with any line ends, or say how to save them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.errors import StorageUnavailable, StudioError
from core.generation.engines.capabilities import MODELS_FILE, model_table
from core.identity.access.access_list import AccessLevel, AccessList
from core.injection.reading.words.words import READING_FILE, reading_words
from core.labels.machine.instructions import load_instructions
from core.labels.published.label_file import load_published
from core.objects.documents import parse_settings
from core.references.vocabulary import load_vocabulary
from core.studio import LABELING_FILE, LABELS_FILE, SHOTS, VOCABULARY_FILE
from core.unicode import NotUtf8, text_of
from tests.support.processes.commands import core, fails, started

READERS: dict[str, tuple[Path, Callable[[Path], Any]]] = {
    "attributes.toml": (VOCABULARY_FILE, lambda file: load_vocabulary(file).tones),
    "models.toml": (MODELS_FILE, lambda file: model_table(file)),
    "reading.toml": (READING_FILE, lambda file: bool(reading_words(file))),
    "labeling.toml": (LABELING_FILE, lambda file: load_instructions(file, SHOTS)),
    "personas.jsonl": (LABELS_FILE, lambda file: ([*load_published(file)], load_published(file).broken)),
}


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_byte_order_mark_and_the_ends_of_lines_change_nothing(name: str, end: bytes, tmp_path: Path) -> None:
    original, read = READERS[name]
    copy = tmp_path / name
    copy.write_bytes(b"\xef\xbb\xbf" + original.read_bytes().replace(b"\n", end))
    assert read(copy) == read(original)


@pytest.mark.parametrize("name", sorted(READERS.keys() - {"personas.jsonl"}))
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le"])
def test_utf16_is_a_sentence(name: str, encoding: str, tmp_path: Path) -> None:
    original, read = READERS[name]
    copy = tmp_path / name
    copy.write_bytes(original.read_text("utf-8").encode(encoding))
    with pytest.raises(StudioError) as caught:
        read(copy)
    assert "UTF-" in caught.value.message
    assert "\n" not in caught.value.message


def test_labels_in_utf16_are_one_broken_line_and_not_one_for_each(tmp_path: Path) -> None:
    copy = tmp_path / "personas.jsonl"
    copy.write_text(LABELS_FILE.read_text("utf-8"), "utf-16")
    published = load_published(copy)
    assert [(line.line, line.reason) for line in published.broken] == [(1, "The file is UTF-16: save it as UTF-8.")]
    assert len(published) == 0


def test_an_access_list_that_was_edited_by_hand_is_read() -> None:
    written = json.dumps({"people": {"Ada@studio.example": "admin"}})
    read = parse_settings(AccessList, "access.json", written.encode("utf-8-sig"))
    assert read.people == {"ada@studio.example": AccessLevel.ADMIN}
    with pytest.raises(StorageUnavailable, match="it is UTF-16: save it as UTF-8"):
        parse_settings(AccessList, "access.json", written.encode("utf-16"))


def test_a_file_of_prompts_is_read_however_it_was_saved(tmp_path: Path) -> None:
    file = tmp_path / "prompts.jsonl"
    lines = json.dumps({"id": 1, "prompt": "비 오는 거리의 30대 여자"}, ensure_ascii=False) + "\r\n"
    file.write_bytes(lines.encode("utf-8-sig"))
    assert core("read", str(file), environ={}).json["id"] == 1
    assert started("read", "-", environ={}, stdin=file.read_bytes()).json["id"] == 1
    file.write_bytes(lines.encode("utf-16"))
    assert "it is UTF-16: save it as UTF-8" in fails(core("read", str(file), environ={}), 2)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", ""),
        (b"a\r\nb\rc\n", "a\nb\nc\n"),
        ("\ufeff김\n".encode(), "김\n"),
        ("a\u2028b".encode(), "a\u2028b"),
    ],
)
def test_a_text_is_its_lines(data: bytes, text: str) -> None:
    assert text_of(data) == text


@pytest.mark.parametrize(
    ("data", "says", "line"),
    [
        ("a\nb".encode("utf-16"), "it is UTF-16: save it as UTF-8", 1),
        ("a\nb".encode("utf-16-be"), "it is UTF-16: save it as UTF-8", 1),
        ("a\n\n김".encode("cp949"), "line 3 is not UTF-8: save the file as UTF-8", 3),
    ],
)
def test_another_encoding_says_what_to_do_and_where(data: bytes, says: str, line: int) -> None:
    with pytest.raises(NotUtf8) as caught:
        text_of(data)
    assert (str(caught.value), caught.value.line) == (says, line)
