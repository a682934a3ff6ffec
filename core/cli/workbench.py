"""The workbench: a studio for one command, and how commands print."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from core.settings import Settings
from core.studio import Studio, build_studio


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


def print_json(value: Any) -> None:
    """Write one JSON document to standard output; Korean stays readable."""
    json.dump(value, sys.stdout, ensure_ascii=False, indent=1)
    sys.stdout.write("\n")
    sys.stdout.flush()
