"""`python -m core read`: what a prompt says, one JSON line each."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel, ValidationError

from core.cli.comparisons import reading_report
from core.cli.workbench import read_lines, to_json
from core.errors import InputError
from core.injection.reading.reader import OfflineReader
from core.injection.request.wishes import check_prompt_length
from core.references.vocabulary import load_vocabulary
from core.settings import load_settings
from core.studio import VOCABULARY_FILE, build_reader


class _PromptLine(BaseModel):
    id: str | int
    prompt: str


def read(file: str) -> None:
    """Read prompts from JSON lines (`{"id", "prompt"}`) and print a reading for each, in order."""
    vocabulary = load_vocabulary(VOCABULARY_FILE)
    reader = build_reader(load_settings(), vocabulary, OfflineReader(vocabulary))
    for line in _lines(file):
        check_prompt_length(len(line.prompt))
        reading = reader.read(line.prompt)
        report = {"id": line.id, "reader": reading.reader, **reading_report(reading)}
        print(to_json(report), flush=True)


def _lines(file: str) -> Iterator[_PromptLine]:
    """Every line of the file, blank ones left out. Raises InputError with the number of a broken one."""
    for number, line in read_lines(file):
        if not line.strip():
            continue
        try:
            yield _PromptLine.model_validate_json(line)
        except ValidationError as err:
            raise InputError('Line {} is no prompt: write {{"id": …, "prompt": …}}.', number) from err
