"""How the command line fails: one sentence on standard error, and an exit code that says which kind."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from core.errors import EngineError, StorageError, StudioError, legible

EXIT_COULD_NOT_SERVE = 1
EXIT_BAD_INPUT = 2
EXIT_STORAGE = 3
EXIT_ENGINE = 4


def exit_code_of(err: StudioError) -> int:
    """2 for what a person can put right in the call, 3 for S3, 4 for an engine."""
    if isinstance(err, StorageError):
        return EXIT_STORAGE
    return EXIT_ENGINE if isinstance(err, EngineError) else EXIT_BAD_INPUT


def run(app: typer.Typer) -> None:
    """Run the command that was called; a call that cannot be understood is one sentence and exit code 2."""
    _print_whatever_can_be_shown()
    try:
        code = app(standalone_mode=False)
    except TyperException as err:
        sentence = " ".join(err.format_message().split()).rstrip(".")
        say(f"{sentence}: see `python -m core --help`.")
        code = EXIT_BAD_INPUT
    except typer.Abort:
        code = EXIT_COULD_NOT_SERVE
    sys.exit(code)


def _print_whatever_can_be_shown() -> None:
    """What the console cannot show is escaped, and where there is none it is said to nobody: nothing ends for it."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # it was closed: https://docs.python.org/3/library/sys.html#sys.__stdout__
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - until the end
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


class Commands(TyperGroup):
    """Commands whose every failure is one sentence and an exit code; never a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was called, of a group below too."""
        with _exit_with_a_sentence():
            return super().invoke(ctx)


@contextmanager
def _exit_with_a_sentence() -> Iterator[None]:
    try:
        yield
    except StudioError as err:
        say(err.message)
        raise typer.Exit(exit_code_of(err)) from err
    except (typer.Exit, typer.Abort, TyperException):
        raise
    except BrokenPipeError as err:  # the reader of a pipe has left: nobody is there to be told
        # or Python would fail once more when it flushes at the end
        # https://docs.python.org/3/library/signal.html#note-on-sigpipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(0) from err
    except Exception as err:
        say(f"Something went wrong that this program does not know: {type(err).__name__}: {err}".split("\n")[0])
        raise typer.Exit(EXIT_COULD_NOT_SERVE) from err


def say(sentence: str) -> None:
    """Write to standard error."""
    print(legible(sentence), file=sys.stderr)
