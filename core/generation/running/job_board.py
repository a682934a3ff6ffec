"""The job board: the attempts that this process works on, or that have ended and are not yet in S3."""

from __future__ import annotations

import threading

from core.errors import InputError
from core.generation.records.comparison import SideTake
from core.generation.running.job import Job


class JobBoard:
    """The newest job of each picture, for any number of threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # for the jobs; held for no longer than a look
        self._jobs: dict[tuple[str, SideTake], Job] = {}

    def get(self, comparison_id: str, place: SideTake) -> Job | None:
        """The job of one take of a side; None for what this process does not work on."""
        with self._lock:
            return self._jobs.get((comparison_id, place))

    def of(self, comparison_id: str) -> dict[SideTake, Job]:
        """The jobs of a comparison, by side and take."""
        with self._lock:
            return {place: job for (owner, place), job in self._jobs.items() if owner == comparison_id}

    def all(self) -> list[Job]:
        """Every job, in the order in which they came."""
        with self._lock:
            return list(self._jobs.values())

    def put(self, job: Job) -> Job | None:
        """Put a job up in place of its picture's last, which is handed back. Raises InputError while that is busy."""
        name = (job.comparison.id, job.place)
        with self._lock:
            before = self._jobs.get(name)
            if before is not None and before.busy:
                raise InputError("This side is still at work: wait for it, or cancel it first.")
            self._jobs[name] = job
            return before

    def take_back(self, job: Job, before: Job | None) -> None:
        """What `put` did is undone; a last job that S3 has by now stays forgotten."""
        name = (job.comparison.id, job.place)
        with self._lock:
            del self._jobs[name]
            if before is not None and not before.recorded:
                self._jobs[name] = before

    def forget_ended(self, comparison_id: str) -> None:
        """Once every side has ended and is in S3, memory is no longer needed."""
        with self._lock:
            mine = [name for name in self._jobs if name[0] == comparison_id]
            if all(self._jobs[name].recorded for name in mine):
                for name in mine:
                    del self._jobs[name]
