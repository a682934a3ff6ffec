"""Insights service: what pages ask of the votes, each by what its viewer may see, answered from memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from core.concurrency.background import in_background
from core.concurrency.single_flight import SingleFlightCache
from core.errors import StorageError
from core.injection.request.wishes import Varies
from core.viewer import Capability, Viewer
from core.votes.cast_judgements import CastVotes
from core.votes.estimate import Estimate
from core.votes.evidence import Contrast, Evidence, evidence_of
from core.votes.insights.answer import so_far_of
from core.votes.insights.insights import Insights, insights_of, known_so_far
from core.votes.insights.tables import scenes_csv, votes_csv
from core.votes.records.voters import Voters
from core.votes.selection import Filters, select

_AT_ONCE_MAX: Final = 10_000  # votes, of which the columns are made in less than 0.1 s
_LOOK_S: Final = 1.0
_REST_S: Final = 10.0  # a hundred thousand votes take 0.6 s of a processor, and others vote meanwhile
_ANSWERS_KEPT: Final = 64
_ESTIMATES_KEPT: Final = 512


@dataclass(frozen=True, slots=True)
class Choices:
    """What filters can choose: the words that any vote says, and what the question was asked of, most votes first.

    `voters` by what they are called; none for who may not see names.
    """

    contrasts: tuple[Contrast, ...]
    tones: tuple[str, ...]
    angles: tuple[str, ...]
    personas: tuple[str, ...]
    models: tuple[str, ...]
    voters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Read:
    version: tuple[int, int]
    evidence: Evidence
    at: float  # by the monotonic clock


class InsightsService:
    """Insights of all standing votes; for any number of threads. Every method asks what its viewer may: AccessDenied.

    Of up to 10,000 votes an answer knows the newest. Of more it is what was known last, and columns of what has come in
    since are made behind it, every ten seconds at most: nobody waits for them but who asks first of all.
    """

    def __init__(self, cast: CastVotes, voters: Voters, *, is_read: Callable[[], bool]) -> None:
        """`is_read` says whether nothing of S3 is left to be read for the first time."""
        self._cast = cast
        self._voters = voters
        self._is_read = is_read
        self._closed = threading.Event()
        self._turn = threading.Lock()  # to make columns
        self._read: _Read | None = None
        self._answers: SingleFlightCache[Insights] = SingleFlightCache(size_max=_ANSWERS_KEPT)
        self._estimates: SingleFlightCache[Estimate] = SingleFlightCache(size_max=_ESTIMATES_KEPT)

    @property
    def is_read(self) -> bool:
        """Whether all votes of S3 are known; until then there may be more."""
        return self._is_read()

    def warm(self) -> None:
        """Make the columns as soon as all votes are known, so that nobody waits; for a thread of its own."""
        while not self._is_read():
            if self._closed.wait(_LOOK_S):
                return
        self._read_now()

    def close(self) -> None:
        """Wait for no votes any more."""
        self._closed.set()

    def answer(self, viewer: Viewer, filters: Filters) -> Insights:
        """The answer. Voters have names for who may see them, and are numbers for all others."""
        self._require(viewer, filters)
        read = self._newest()
        found = self._answers.get((read.version, filters), lambda: insights_of(read.evidence, filters))
        if viewer.may(Capability.SEE_VOTERS):
            return found.called(self._names(viewer))
        return found.without_names()

    def choices(self, viewer: Viewer, varies: Varies) -> Choices:
        """What can be chosen for this question; words are sorted."""
        viewer.require(Capability.BROWSE)
        evidence = self._newest().evidence
        voters: Mapping[str, str] = {}
        if viewer.may(Capability.SEE_VOTERS):
            names = self._names(viewer)
            voters = dict(sorted((names.get(voter, voter), voter) for voter in evidence.voter.names))
        return Choices(
            contrasts=tuple(contrast for contrast, _ in select(evidence, Filters(varies)).contrasts),
            tones=tuple(sorted(evidence.tone.names)),
            angles=tuple(sorted(evidence.angle.names)),
            personas=tuple(sorted(evidence.persona.names)),
            models=tuple(sorted(evidence.model.names)),
            voters=voters,
        )

    def votes_csv(self, viewer: Viewer, filters: Filters) -> str:
        """Every vote that the question is asked of."""
        self._require(viewer, filters)
        names = self._names(viewer) if viewer.may(Capability.SEE_VOTERS) else None
        return votes_csv(self._newest().evidence, filters, names=names)

    def scenes_csv(self, viewer: Viewer, filters: Filters) -> str:
        """Every scene that counts."""
        self._require(viewer, filters)
        return scenes_csv(self._newest().evidence, filters)

    def so_far(self, viewer: Viewer, filters: Filters) -> str | None:
        """`The angle helped in 64 % of 25 scenes: not decided.`; None where nothing is known, or not yet.

        Nobody waits for this: columns that are not there are made behind it.
        """
        self._require(viewer, filters)
        read = self._read
        if read is None or read.version != self._cast.version:
            self._read_behind()
        if read is None:
            return None
        estimate = self._estimates.get((read.version, filters), lambda: known_so_far(read.evidence, filters))
        return so_far_of(estimate)

    def _require(self, viewer: Viewer, filters: Filters) -> None:
        viewer.require(Capability.BROWSE)
        if filters.voter is not None:
            viewer.require(Capability.SEE_VOTERS)

    def _names(self, viewer: Viewer) -> Mapping[str, str]:
        """By pseudonym; none while S3 is away and they are not known: the figures are no less true without."""
        with suppress(StorageError):
            return self._voters.names(viewer)
        return {}

    def _newest(self) -> _Read:
        read = self._read
        if read is None or (read.version != self._cast.version and len(read.evidence) <= _AT_ONCE_MAX):
            return self._read_now()
        if read.version != self._cast.version:
            self._read_behind()
        return read

    def _read_now(self) -> _Read:
        with self._turn:
            version, read = self._cast.version, self._read
            if read is None or read.version != version:
                read = self._read = _Read(version, evidence_of(self._cast.judgements()), time.monotonic())
            return read

    def _read_behind(self) -> None:
        is_rested = self._read is None or time.monotonic() - self._read.at >= _REST_S
        if is_rested and not self._turn.locked():
            in_background(self._read_now, name="insights")
