"""`python -m core votes`: what operators take out of the votes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

from core.cli.workbench import open_workbench, to_json
from core.settings import load_settings
from core.studio import Studio
from core.votes.records.judgements import Judgement


def export(*, names: bool) -> None:
    """Print every standing vote, one JSON line each, as `insights --votes` reads them.

    Voters go by their pseudonyms; with `names` by their addresses, as far as they may still come in.
    """
    with open_workbench(load_settings()) as studio:
        whose = studio.voters.addresses() if names else {}
        for judgement in stored_judgements(studio):
            sys.stdout.write(f"{to_json(_line(judgement, lambda voter: whose.get(voter, voter)))}\n")
    sys.stdout.flush()


def stored_judgements(studio: Studio) -> Iterator[Judgement]:
    """Every standing vote in S3 and on this machine's disk, the earliest first. Raises StorageError."""
    studio.vote_store.recover()
    studio.pairings.catch_up()
    studio.vote_store.catch_up()
    yield from studio.cast_votes.judgements()


def _line(judgement: Judgement, voter_of: Callable[[str], str]) -> dict[str, Any]:
    """One judgement by the names under which a file of votes holds it; what is not known is left out."""
    line = judgement._asdict() | judgement.pair._asdict()
    del line["pair"]
    line |= {"voter": voter_of(judgement.voter), "time": judgement.time.isoformat()}
    line |= {side: _known(line[side]._asdict()) for side in ("a", "b")}
    return _known(line)


def _known(line: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in line.items() if value is not None}
