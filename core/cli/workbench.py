"""The workbench: a studio for one command, and how commands print."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from core.errors import UNSEEN, InputError
from core.settings import Settings
from core.studio import Studio, build_studio
from core.unicode import NotUtf8, read_text, shows_all, text_of

STANDARD_INPUT: Final = "-"


@contextmanager
def open_workbench(settings: Settings) -> Iterator[Studio]:
    """A studio without its background refresh, closed at the end.

    It asks for no sign-in settings: an operator's command serves nobody.
    """
    settings.require_storage()
    studio = build_studio(settings, lends=False)
    try:
        yield studio
    finally:
        studio.close()


def read_lines(file: str) -> Iterator[tuple[int, str]]:
    """The lines of a file, or of standard input for `-`, with their numbers from 1. Raises InputError."""
    try:
        text = text_of(sys.stdin.buffer.read()) if file == STANDARD_INPUT else read_text(Path(file))
    except OSError as err:
        raise InputError("`{}` cannot be read: {}.", file, err.strerror or err) from err
    except NotUtf8 as err:
        raise InputError("`{}` cannot be read: {}.", file, err) from err
    # JSON lines end with a line feed; other separators may stand inside a text.
    return iter(enumerate(text.split("\n"), start=1))


def to_json(value: Any, *, indent: int | None = None) -> str:
    """JSON for standard output: nothing unseen stands as itself, nor what its encoding lacks (RFC 8259 §7)."""
    text = json.dumps(value, ensure_ascii=not shows_all(sys.stdout), indent=indent)
    return UNSEEN.sub(lambda each: each[0] if each[0] == "\n" else json.dumps(each[0])[1:-1], text)


def print_json(value: Any) -> None:
    """Write one JSON document to standard output. Korean stays readable; what a terminal would obey is escaped."""
    sys.stdout.write(f"{to_json(value, indent=1)}\n")
    sys.stdout.flush()
